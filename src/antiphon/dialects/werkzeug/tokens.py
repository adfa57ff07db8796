"""Functions that parse and format header values where Werkzeug differs from `antiphon.http`.

Parsing never raises. Malformed options are omitted.
"""

import re
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from time import mktime, struct_time
from time import time as seconds_now
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from antiphon.dialects._environ.heads import cache_short
from antiphon.embedding import is_token, split_list
from antiphon.http import SetCookie, dates, parse_cookies
from antiphon.http import conditional as tags
from antiphon.http.grammar import OWS, QUOTED_STRING, TCHARS
from antiphon.http.headers import write_raw_utf8
from antiphon.http.urls.url import encode_path

if TYPE_CHECKING:
    from antiphon.http.cookies import SameSite

_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})

_quoted_pair = re.compile(r"\\(.)", re.DOTALL)
_is_quoted = re.compile(r'"(?:[^"\\]++|\\.?)*+"', re.DOTALL).fullmatch
_options = re.compile(rf"(?:({TCHARS})=({TCHARS}|{QUOTED_STRING})?)?[^;]*+(?:;[ \t]*+|\Z)", re.DOTALL).findall
_marked = re.compile(r"(.*?)(?:\*([0-9]++))?(\*)?", re.DOTALL).fullmatch
_extended = re.compile(r"([^'\"\\ ]*+)'[^'\"\\ ]*+'([^\"\\ ]++)").fullmatch


def quote_header_value(value: object, allow_token: bool = True) -> str:
    """Quote a value (RFC 9110 §5.6.4). With ``allow_token``, a token is returned unquoted."""
    text = value if type(value) is str else str(value)
    return text if allow_token and is_token(text) else _in_quotes(text)


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquote_header_value(value: str) -> str:
    """Remove the quotes and backslash escapes from a quoted value. An unquoted value is returned unchanged."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    inner = value[1:-1]
    return _quoted_pair.sub(r"\1", inner) if "\\" in inner else inner


def dump_options_header(header: str | None, options: Mapping[str, object]) -> str:
    """Format a value followed by `; key=value` for each option that is not None.

    An option whose key ends with `*` must already be encoded and is not quoted (RFC 8187).
    """
    written = [] if header is None else [header]
    for key, value in options.items():
        if value is not None:
            written.append(print_option(key, value))
    return "; ".join(written)


def print_option(key: str, value: object) -> str:
    """Format `key=value`, quoted if needed."""
    text = value if type(value) is str else str(value)
    return f"{key}={text}" if is_token(text) or key[-1:] == "*" else f"{key}={_in_quotes(text)}"


def parse_options_header(value: str | None) -> tuple[str, dict[str, str]]:
    """Return the value before the first semicolon, and the options after it, with lowercase keys.

    `key*=charset'language'value` is decoded. Continuations such as `key*0=` and `key*1=` are joined (RFC 2231).
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
    # Browsers escape quotes in a form's names this way (WHATWG HTML §4.10.21.8).
    return unquote_header_value(text).replace("%22", '"')


def _read_marked(
    key: str, text: str, options: dict[str, str], continued: dict[str, str], charsets: dict[str, str]
) -> None:
    """Add an option whose key ends with `*`, with `*0`, or with `*0*`."""
    name, number, is_encoded = cast("re.Match[str]", _marked(key)).groups()  # matches every key
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
    """Decode `charset'language'text` and return the text and the charset (RFC 8187).

    Text in an unsupported charset is returned unchanged.
    """
    if match := _extended(text):
        charset, text = match[1].lower() or charset, match[2]
    return (unquote(text, charset) if charset in _CHARSETS else text), charset


_has_closed_quotes = re.compile(r'(?>(?:[^"]++|"(?:[^"\\]++|\\.?)*+")*)', re.DOTALL).fullmatch


def parse_list_header(value: str) -> list[str]:
    """Parse the elements of a list and remove quotes around whole elements. Empty if a quote is not closed."""
    if '"' not in value:
        return split_list(value)
    return [unquote_header_value(element) for element in split_list(value)] if _has_closed_quotes(value) else []


def parse_dict_header(value: str) -> dict[str, str | None]:
    """Parse `key=value` elements into a dictionary. A key without a value is None. The last of repeated keys wins.

    `key*=charset'language'value` is decoded and returned as `key` (RFC 8187).
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
    """Format a list of elements or of `key=value`, quoted if needed. A key whose value is None has no `=`."""
    if isinstance(iterable, dict):
        pairs = cast("dict[str, object]", iterable)
        return ", ".join([key if value is None else print_option(key, value) for key, value in pairs.items()])
    return ", ".join(map(quote_header_value, iterable))


def dump_csp_header(header: "Mapping[str, str]") -> str:
    """Format a content security policy."""
    return "; ".join([f"{directive} {sources}" for directive, sources in header.items()])


def parse_date(value: str | None) -> datetime | None:
    """Parse a date, by default in UTC. Return None if it is malformed. Email dates with a time zone are accepted."""
    if value is None:
        return None
    try:
        return dates.parse_http_date(value, latest_year=2068)
    except ValueError:
        return _parse_mail_date(value)


def _parse_mail_date(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        aware.astimezone(UTC)  # the conversion may move the end of 9999 to the year 10000
    except (TypeError, ValueError, OverflowError):
        return None
    return aware


def http_date(timestamp: datetime | date | float | struct_time | None = None) -> str:
    """Format a date for a header: now for None, midnight for a date, local time for a struct_time.

    A naive datetime is in UTC.
    """
    if timestamp is None:
        timestamp = datetime.now(UTC)
    elif isinstance(timestamp, struct_time):
        timestamp = mktime(timestamp)
    elif isinstance(timestamp, datetime):
        timestamp = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
    elif isinstance(timestamp, date):
        timestamp = datetime.combine(timestamp, time(), tzinfo=UTC)
    return dates.format_http_date(timestamp)


def parse_age(value: str | None = None) -> timedelta | None:
    """Parse an age. Return None for anything but a non-negative number of seconds."""
    try:
        seconds = int(value or "")
        return timedelta(seconds=seconds) if seconds >= 0 else None
    except (ValueError, OverflowError):
        return None


def dump_age(age: timedelta | int | None = None) -> str | None:
    """Format an age in whole seconds, or return None for None. Raises ValueError if the age is negative."""
    if age is None:
        return None
    seconds = int(age.total_seconds() if isinstance(age, timedelta) else age)
    if seconds < 0:
        raise ValueError(f"age cannot be negative: {age!r}")
    return str(seconds)


def cookie_date(expires: datetime | float | None = None) -> str:
    return http_date(expires)


_quoted_tag = re.compile(r'(W/)?"([^"]*+)"').findall


def quote_etag(etag: str, weak: bool = False) -> str:
    """Format a tag for a header. Raises ValueError if the tag contains a quote."""
    if '"' in etag:
        raise ValueError(f"invalid etag: it must not contain quotes, as {etag[:80]!r} does")
    return f'W/"{etag}"' if weak else f'"{etag}"'


def unquote_etag(etag: str | None) -> tuple[str, bool] | tuple[None, None]:
    """Return a tag without its quotes, and True if it is weak, or (None, None) if there is no tag."""
    if not etag:
        return None, None
    weak = etag[:2] in ("W/", "w/")
    opaque = etag[2:] if weak else etag
    return (opaque[1:-1] if opaque[:1] == '"' and opaque[-1:] == '"' else opaque), weak


def generate_etag(data: bytes) -> str:
    """Compute a tag for these bytes. It is the same in every process and in Werkzeug."""
    from hashlib import sha1

    return sha1(data, usedforsecurity=False).hexdigest()


@cache_short(256)
def read_etags(value: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Return the strong tags, the weak tags, and True if the value is ``*``."""
    listed = tags.ETags.parse(value)
    if listed.is_complete:
        read: list[tuple[bool | str | None, str]] = _quoted_tag(str(listed))
    else:
        loose = [unquote_etag(stripped) for element in value.split(",") if (stripped := element.strip(OWS))]
        read = [(weak, tag) for tag, weak in loose if tag and '"' not in tag]
    return tuple([tag for weak, tag in read if not weak]), tuple([tag for weak, tag in read if weak]), listed.star


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMESITE: "dict[str, SameSite]" = {"strict": "Strict", "lax": "Lax", "none": "None"}
_find_forbidden = re.compile(r"[\x00-\x1f\x7f;]").search


def read_cookies(value: str) -> list[tuple[str, str]]:
    """Return each cookie's name and value, in order. Text without an equals sign is a name with an empty value."""
    pairs = parse_cookies(value)
    return pairs if all(name for name, _ in pairs) else _name_the_nameless(pairs, value)


def _name_the_nameless(pairs: list[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    """Use the value of a cookie without a name as its name. Drop the cookie if an equals sign precedes the value."""
    written = [part for part in value.split(";") if part.strip(OWS)]  # one for each pair
    return [
        (name or text, text if name else "")
        for (name, text), part in zip(pairs, written, strict=True)
        if name or "=" not in part
    ]


def dump_cookie(
    key: str,
    value: str = "",
    max_age: timedelta | int | None = None,
    expires: str | datetime | float | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    sync_expires: bool = True,
    max_size: int = 4093,
    samesite: str | None = None,
    partitioned: bool = False,
) -> str:
    """Return the value of Set-Cookie. Warns if it is too large.

    Other reasons why browsers might reject it are not checked. ``sync_expires`` adds Expires to Max-Age for old
    clients. Raises ValueError if ``samesite`` or ``expires`` is invalid, or if the key or domain contains control
    characters or semicolons.
    """
    if _find_forbidden(key):
        raise ValueError(f"a cookie's key must not contain control characters or semicolons: {key!r}")
    seconds = int(max_age.total_seconds()) if isinstance(max_age, timedelta) else max_age
    if expires is None and seconds is not None and sync_expires:
        expires = int(seconds_now()) + seconds
    attributes = _print_attributes(
        expires, seconds, path, domain or None, secure or partitioned, httponly, samesite, partitioned
    )
    coded = _quoted(value)
    printed = f"{write_raw_utf8(key)}={write_raw_utf8(coded)}{attributes}"
    if max_size and len(printed) > max_size:
        _warn_of_size(key, len(coded), len(printed), max_size)
    return printed


_escaped = [chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}" for byte in range(256)]
for _character, _written in {'"': '\\"', "\\": "\\\\", ",": "\\054", ";": "\\073"}.items():
    _escaped[ord(_character)] = _written


def _quoted(value: str) -> str:
    """Format a value for a cookie, in quotes with octal escapes if needed."""
    written = value.encode().decode("latin-1").translate(_escaped)
    return value if written == value and " " not in value else f'"{written}"'


@lru_cache(256)
def _print_attributes(
    expires: str | datetime | float | None,
    max_age: int | None,
    path: str | None,
    domain: str | None,
    secure: bool,
    httponly: bool,
    samesite: str | None,
    partitioned: bool,
) -> str:
    """Return the attributes after the value. They are cached, since many requests within a second share them."""
    printed = SetCookie._make((
        "", "", "", max_age,
        None if expires is None else _moment(expires),
        domain and _printed_domain(domain),
        path and encode_path(path).replace(";", "%3B"),
        secure, httponly, None if samesite is None else _known_samesite(samesite), partitioned,
    ))  # fmt: skip
    return str(printed).removeprefix("=")


def _printed_domain(domain: str) -> str:
    if _find_forbidden(domain):
        raise ValueError(f"a cookie's domain must not contain control characters or semicolons: {domain!r}")
    return domain.partition(":")[0].lstrip(".").encode("idna").decode()


def _moment(expires: str | datetime | float) -> datetime:
    if isinstance(expires, datetime):
        return expires if expires.tzinfo else expires.replace(tzinfo=UTC)
    if not isinstance(expires, str):
        return _EPOCH + timedelta(seconds=expires // 1)
    moment = parse_date(expires)
    if moment is None:
        raise ValueError(f"a cookie's expires must be a date, not {expires!r}")
    return moment


def _known_samesite(samesite: str) -> "SameSite":
    known = _SAMESITE.get(samesite.lower())
    if known is None:
        raise ValueError(f"SameSite must be 'Strict', 'Lax', or 'None', not {samesite!r}")
    return known


def _warn_of_size(key: str, value_size: int, size: int, most: int) -> None:
    warnings.warn(
        f"The {key!r} cookie is too large: its header has {size} bytes, {value_size} of them for the value, and the"
        f" limit is {most} bytes. Browsers may silently drop it.",
        stacklevel=3,
    )
