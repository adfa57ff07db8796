"""Values with options, such as `text/html; charset=utf-8`, and quoted strings (RFC 9110 §5.6).

Reading never raises: malformed options are left out.
"""

import re
from collections.abc import Mapping
from typing import cast
from urllib.parse import unquote

from antiphon.dialects._environ.caching import cache_short
from antiphon.embedding import OWS
from antiphon.http.grammar import QUOTED_STRING, TCHARS, is_token

_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})

_quoted_pair = re.compile(r"\\(.)", re.DOTALL)
_is_quoted = re.compile(r'"(?:[^"\\]++|\\.?)*+"', re.DOTALL).fullmatch
_options = re.compile(rf"(?:({TCHARS})=({TCHARS}|{QUOTED_STRING})?)?[^;]*+(?:;[ \t]*+|\Z)", re.DOTALL).findall
_marked = re.compile(r"(.*?)(?:\*([0-9]++))?(\*)?", re.DOTALL).fullmatch
_extended = re.compile(r"([^'\"\\ ]*+)'[^'\"\\ ]*+'([^\"\\ ]++)").fullmatch


def quote_header_value(value: object, allow_token: bool = True) -> str:
    """Return a value in quotes; with ``allow_token``, a token without quotes (RFC 9110 §5.6.4)."""
    text = value if type(value) is str else str(value)
    return text if allow_token and is_token(text) else _in_quotes(text)


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquote_header_value(value: str) -> str:
    """Return the text between quotes, without its backslashes; a value without quotes as it is."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    inner = value[1:-1]
    return _quoted_pair.sub(r"\1", inner) if "\\" in inner else inner


def dump_options_header(header: str | None, options: Mapping[str, object]) -> str:
    """Return the value and `; key=value` of each option that is not None.

    An option whose key ends with `*` is taken as encoded already, without quotes (RFC 8187).
    """
    written = [] if header is None else [header]
    for key, value in options.items():
        if value is not None:
            written.append(print_option(key, value))
    return "; ".join(written)


def print_option(key: str, value: object) -> str:
    """Return `key=value`, with quotes if needed."""
    text = value if type(value) is str else str(value)
    return f"{key}={text}" if is_token(text) or key[-1:] == "*" else f"{key}={_in_quotes(text)}"


def parse_options_header(value: str | None) -> tuple[str, dict[str, str]]:
    """Return the value before the first semicolon, and the options after it by their keys in lower case.

    `key*=charset'language'value` is decoded, and `key*0=`, `key*1=` and so on are joined (RFC 2231).
    """
    if value is None:
        return "", {}
    if ";" not in value:
        return value.strip(OWS), {}
    main, options = _read(value)
    return main, dict(options)


@cache_short(256)
def _read(value: str) -> tuple[str, dict[str, str]]:
    main, _, written = value.partition(";")
    main = main.strip(OWS)
    if not main:
        return main, {}
    options: dict[str, str] = {}
    continued: dict[str, str] = {}
    charsets: dict[str, str] = {}
    for key, text in _options(written.strip(OWS)):
        if text[:1] == '"' and not _is_quoted(text):
            break
        if text and "*" in key:
            _read_marked(key.lower(), text, options, continued, charsets)
        elif text:
            name = key.lower()
            continued.pop(name, None)
            options[name] = _unquote_in_form(text)
    return main, options | continued


def _unquote_in_form(text: str) -> str:
    # Browsers escape quotes in the names of a form this way (WHATWG HTML §4.10.21.8).
    return unquote_header_value(text).replace("%22", '"')


def _read_marked(
    key: str, text: str, options: dict[str, str], continued: dict[str, str], charsets: dict[str, str]
) -> None:
    """Add an option whose key ends with `*`, with `*0`, or with `*0*`."""
    name, number, is_encoded = cast("re.Match[str]", _marked(key)).groups()  # it matches every key
    if is_encoded:
        text, charset = decode_extended(text, charsets.get(name, "") if number else "")
        charsets[name] = charset
    else:
        text = _unquote_in_form(text)
    if number is None:
        continued.pop(name, None)
        options[name] = text
    else:
        options.pop(name, None)
        continued[name] = continued.get(name, "") + text


def decode_extended(text: str, charset: str = "") -> tuple[str, str]:
    """Return the text of `charset'language'text`, and its charset. Text in unsupported charsets stays as it is (RFC
    8187).
    """
    if match := _extended(text):
        charset, text = match[1].lower() or charset, match[2]
    return (unquote(text, charset) if charset in _CHARSETS else text), charset
