"""The grammar of the four headers, in which one malformed element makes the whole header invalid (RFC 9110 §12.5)."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from antiphon.dialects._environ.caching import cache_short
from antiphon.http.grammar import SENT_QUOTED_STRING, TCHARS, quote_if_needed, quote_string, unquote_string

# Possessive and atomic throughout, so that no input causes backtracking: reading stays linear.
_VALUE = f"(?:{TCHARS}|{SENT_QUOTED_STRING})"
_WEIGHT = r"[ \t]*+;[ \t]*+[qQ]=(0(?:\.[0-9]{0,3}+)?+|1(?:\.0{0,3}+)?+)"
_PARAMETERS = rf"(?>(?:[ \t]*+;[ \t]*+(?![qQ]=){TCHARS}={_VALUE})*)"
_EXTENSIONS = rf"(?>(?:[ \t]*+;[ \t]*+{TCHARS}(?>(?:={_VALUE})?))*)"
_MEDIA_RANGE = rf"({TCHARS}/{TCHARS})({_PARAMETERS})"

LANGUAGE_RANGE = r"\*|[A-Za-z]{1,8}+(?>(?:-[A-Za-z0-9]{1,8}+)*)"

is_media_type = re.compile(_MEDIA_RANGE).fullmatch
_parameters = re.compile(rf";[ \t]*+({TCHARS})(?>(?:=({_VALUE}))?)").findall

Pairs = tuple[tuple[str, str], ...]


class Grammar(NamedTuple):
    """The reader of one header, and whether the header may be empty."""

    parse: Callable[[str], tuple[Any, ...]]
    """Return the elements. Raises ValueError if one of them is malformed."""
    may_be_empty: bool


class MediaElement(NamedTuple):
    """An element of Accept: its range as printed, quality, parameters, and the extensions after the quality."""

    media_range: str
    quality: float
    parameters: Pairs
    extensions: tuple[str | tuple[str, str], ...]


def media_ranges() -> Grammar:
    """Return the grammar of Accept."""
    element = rf"{_MEDIA_RANGE}(?>(?:{_WEIGHT}({_EXTENSIONS}))?)"
    return _grammar("Accept", element, _media_element, may_be_empty=True)


def weighted(header: str, item: str = TCHARS, *, may_be_empty: bool = False) -> Grammar:
    """Return the grammar of a header whose elements are an item and its quality; ``item`` is a regular expression."""
    return _grammar(header, f"({item})(?>(?:{_WEIGHT})?)", _weighted_item, may_be_empty)


def _grammar(header: str, element: str, read: Callable[[re.Match[str]], Any], may_be_empty: bool) -> Grammar:
    start = f"(?:,|{element})" if may_be_empty else rf"(?:,[ \t]*+)*+{element}"
    listed = rf"{start}(?>(?:[ \t]*+,(?>(?:[ \t]*+{element})?))*)"
    is_valid = re.compile(f"(?>(?:{listed})?)" if may_be_empty else listed).fullmatch
    elements = re.compile(element).finditer

    @cache_short(256)
    def parse(value: str) -> tuple[Any, ...]:
        if not is_valid(value):
            raise ValueError(f"not a value of {header}: {value[:80]!r}")
        return tuple([read(match) for match in elements(value)])

    return Grammar(parse, may_be_empty)


def _weighted_item(match: re.Match[str]) -> tuple[str, float]:
    return match[1], float(match[2] or 1)


def _media_element(match: re.Match[str]) -> MediaElement:
    essence, parameters, quality, extensions = match.groups()
    pairs = read_parameters(parameters)
    return MediaElement(
        print_media_range(essence, pairs),
        float(quality or 1),
        pairs,
        tuple([_extension(name, value) for name, value in _parameters(extensions or "")]),
    )


def _extension(name: str, value: str) -> str | tuple[str, str]:
    return (name, unquote_string(value)) if value else name


def read_parameters(text: str) -> Pairs:
    """Return the parameters of ``; a=b; c="d"``, unquoted, in order."""
    return tuple([(name, unquote_string(value)) for name, value in _parameters(text)])


def print_media_range(essence: str, parameters: Pairs) -> str:
    """Print a media type or range with its parameters, quoted if needed."""
    return essence + "".join([f";{name}={_printed(value)}" for name, value in parameters])


def print_element(item: str, quality: float, extensions: str = "") -> str:
    """Print an element of a header. ``extensions`` begins with a semicolon, and needs a quality before it."""
    if quality == 1 and not extensions:
        return item
    return f"{item};q={int(quality) if quality in (0, 1) else quality}{extensions}"


def print_extensions(extensions: tuple[str | tuple[str, str], ...]) -> str:
    """Print the extensions of an element, each after a semicolon."""
    return "".join([f";{each}" if isinstance(each, str) else print_media_range("", (each,)) for each in extensions])


def _printed(value: str) -> str:
    return quote_if_needed(value) if value else quote_string(value)
