"""Lists, dictionaries and content security policies."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

from antiphon.dialects.werkzeug.tokens.options import (
    decode_extended,
    print_option,
    quote_header_value,
    unquote_header_value,
)
from antiphon.embedding import OWS, split_list

_has_closed_quotes = re.compile(r'(?>(?:[^"]++|"(?:[^"\\]++|\\.?)*+")*)', re.DOTALL).fullmatch


def parse_list_header(value: str) -> list[str]:
    """Return the elements of a list, without quotes around whole elements; none if a quote is not closed."""
    if '"' not in value:
        return split_list(value)
    return [unquote_header_value(element) for element in split_list(value)] if _has_closed_quotes(value) else []


def parse_dict_header(value: str) -> dict[str, str | None]:
    """Return the values of `key=value` elements by key, None for a key that stands alone. Of equal keys the last
    counts.

    `key*=charset'language'value` is decoded, and counts as `key` (RFC 8187).
    """
    found: dict[str, str | None] = {}
    for element in parse_list_header(value):
        key, equals, written = element.partition("=")
        key, written = key.strip(OWS), written.strip(OWS)
        if not equals and key:
            found[key] = None
        elif key[-1:] == "*":
            found[key[:-1]] = unquote_header_value(decode_extended(written)[0])
        elif key:
            found[key] = unquote_header_value(written)
    return found


def dump_header(iterable: "Mapping[str, object] | Iterable[object]") -> str:
    """Return a list of elements, or of `key=value`, with quotes if needed. A key whose value is None stands alone."""
    if isinstance(iterable, dict):
        pairs = cast("dict[str, object]", iterable)
        return ", ".join([key if value is None else print_option(key, value) for key, value in pairs.items()])
    return ", ".join(map(quote_header_value, iterable))


def dump_csp_header(header: "Mapping[str, str]") -> str:
    """Return the text of a content security policy."""
    return "; ".join([f"{directive} {sources}" for directive, sources in header.items()])
