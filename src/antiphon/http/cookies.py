"""Cookies: read Cookie, read and print Set-Cookie (RFC 6265bis).

A value with characters that aren't allowed in cookies (RFC 6265bis §4.1.1) is percent-encoded in quotes, which Python's
standard library and Werkzeug only write around other characters. Their octal escapes are read, too.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, Self, TypeVar

from antiphon.explanations import explained
from antiphon.http.dates import MONTH_NUMBERS, format_http_date, parse_http_date, seconds_of
from antiphon.http.grammar import OWS, find_control, is_token
from antiphon.http.headers import write_raw_utf8
from antiphon.http.multidict import Fields
from antiphon.http.urls.url import encode_path, parse_host, unquote
from antiphon.lazy import compiled_late
from antiphon.speedups import accelerated

SameSite = Literal["Lax", "Strict", "None"]

LONGEST_COOKIE = 4096
"""The maximum number of bytes of name and value together; user agents drop longer cookies (RFC 6265bis §5.7)."""

_LONGEST_ATTRIBUTE = 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMESITE: dict[str, SameSite] = {
    "Lax": "Lax", "lax": "Lax", "Strict": "Strict", "strict": "Strict", "None": "None", "none": "None",
}  # fmt: skip

_cookie_octets = compiled_late(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_escape = compiled_late(rb"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)
_prefixed = compiled_late("__(?:Host-Http|Host|Http|Secure)-", re.IGNORECASE)
_delta_seconds = compiled_late(r"-?[0-9]+")
_UNQUOTED = "!#$&'*+:`|^"
"""The signs for which nobody puts a value in quotes, except for the percent sign and those that are never encoded."""
_is_encoded = compiled_late(rf"[A-Za-z0-9%._~{_UNQUOTED}-]*")

_date_delimiters = compiled_late(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_DATE_TOKENS = {
    "time": compiled_late(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])"),
    "day": compiled_late(r"([0-9]{1,2})(?![0-9])"),
    "month": compiled_late(f"({'|'.join(MONTH_NUMBERS)})", re.IGNORECASE),
    "year": compiled_late(r"([0-9]{2,4})(?![0-9])"),
}


def parse_cookies(header: str) -> list[tuple[str, str]]:
    """Return the names and values in a Cookie header, in order (RFC 6265bis §4.2.1). Never raises.

    A cookie without a name, which browsers may send, has the name "". Double quotes around a value are removed, and its
    escapes are decoded. The header is Latin-1 text, as servers provide it, and is decoded as UTF-8.
    """
    cookies = read_cookies(header)
    return list(cookies.items()) if isinstance(cookies, dict) else cookies


def read_cookies(header: str) -> Fields:
    """Return the same names and values as ``parse_cookies``."""
    cookies = split_cookies(header)
    if '"' not in header:
        return cookies
    if isinstance(cookies, dict):
        return {name: _unquote(value) for name, value in cookies.items()}
    return [(name, _unquote(value)) for name, value in cookies]


@accelerated
def split_cookies(header: str, /) -> Fields:
    """Return the names and values in a Cookie header as ``read_cookies`` does, with their quotes and escapes."""
    if not header.isascii():
        header = _as_utf8(header)
    pieces = header.split("; ")
    if header.count(";") == header.count(" ") == len(pieces) - 1 and "\t" not in header:  # nothing to strip
        fields = {name: value for piece in pieces for name, equals, value in (piece.partition("="),) if equals}
        if len(fields) == len(pieces):
            return fields
    cookies: list[tuple[str, str]] = []
    for cookie in header.split(";"):
        name, equals, value = cookie.partition("=")
        if equals:
            cookies.append((name.strip(OWS), value.strip(OWS)))
        elif value := name.strip(OWS):
            cookies.append(("", value))
    fields = dict(cookies)
    return fields if len(fields) == len(cookies) else cookies


def _as_utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text


def _unquote(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    inner = value[1:-1]
    if "\\" not in inner:
        return unquote(inner) if "%" in inner and _is_encoded.fullmatch(inner) else inner
    raw = _escape.sub(
        lambda match: bytes((int(match[1], 8),)) if match[1] else match[2], inner.encode("utf-8", "surrogatepass")
    )
    try:
        return raw.decode()
    except UnicodeDecodeError:
        # The standard library's `http.cookies` escapes characters up to U+00FF as their code point.
        return raw.decode("latin-1") if inner.isascii() else raw.decode("utf-8", "replace")


def quote_cookie_value(value: str) -> str:
    """Return a value as written in a cookie, percent-encoded in quotes if needed. Raises ValueError for CR, LF, NUL."""
    if (value.isalnum() and value.isascii()) or _cookie_octets.fullmatch(value):
        return value
    if "\0" in value or "\r" in value or "\n" in value:
        raise explained("bad-cookie", f"a cookie's value can't contain line ends or NUL: {value[:80]!r}")
    from urllib.parse import quote  # imported late: most values need no more than letters, digits and a few signs

    return f'"{quote(value, safe=_UNQUOTED)}"'


class _Fields(NamedTuple):
    name: str
    value: str
    coded_value: str
    max_age: int | None = None
    expires: datetime | None = None
    domain: str | None = None
    path: str | None = None
    secure: bool = False
    httponly: bool = False
    samesite: SameSite | None = None
    partitioned: bool = False


F = TypeVar("F", bound=_Fields)


class SetCookie(_Fields):
    """The cookie of one Set-Cookie header (RFC 6265bis §4.1); `str()` prints the header's value.

    `coded_value` is the value as sent, quoted if needed. `max_age` is in seconds; you can pass a whole number or a
    timedelta. `expires` is in UTC and whole seconds, `domain` in lower case without a leading dot, and `path`
    percent-encoded. "" is treated as None.
    """

    __slots__ = ()

    def __new__(
        cls,
        name: str,
        value: str = "",
        *,
        max_age: int | timedelta | None = None,
        expires: datetime | None = None,
        domain: str | None = None,
        path: str | None = "/",
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> Self:
        """Raises ValueError for a cookie that user agents would drop, for CR, LF and NUL in the value, and for
        arguments of other types.

        `expires` is an aware datetime; `domain` and `path` may have characters that need escaping.
        """
        if not isinstance(name, str) or not is_token(name):
            raise explained("bad-cookie", f"a cookie's name must be a token, not {name!r}")
        age = seconds_of(max_age) if isinstance(max_age, timedelta) else max_age
        if age is not None and (not isinstance(age, int) or isinstance(age, bool)):
            raise explained("bad-cookie", f"max_age must be a whole number of seconds, not {max_age!r}")
        fields = (
            name, value, quote_cookie_value(_text("value", value)), age,
            None if expires is None else _whole_second(expires),
            _ascii_domain(domain) if domain else None,
            path if path == "/" else _escaped_path(path) if path else None,
            secure, httponly, _known_samesite(samesite) if samesite else None, partitioned,
        )  # fmt: skip
        return _checked(tuple.__new__(cls, fields))

    @classmethod
    def delete(
        cls,
        name: str,
        *,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> Self:
        """Make a cookie that deletes the cookie with this name, path and domain.

        It is always `secure`, and `httponly`, if the prefix of its name needs that: user agents would ignore it
        otherwise.
        """
        prefix = prefix_of(name)
        return cls(
            name, max_age=0, expires=_EPOCH, path=path, domain=domain, secure=secure or bool(prefix),
            httponly=httponly or "http" in prefix, samesite=samesite, partitioned=partitioned,
        )  # fmt: skip

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read Set-Cookie as user agents do (RFC 6265bis §5.6), ignoring unknown and malformed attributes.

        The name may be any text, even "". Raises ValueError for a cookie that user agents would drop.
        """
        if find_control(text):
            raise ValueError(f"a control character in a cookie: {text[:80]!r}")
        pair, *attributes = _as_utf8(text).split(";")
        name, coded = [part.strip(OWS) for part in (pair if "=" in pair else f"={pair}").split("=", 1)]
        if not name and (not coded or _prefixed.match(coded)):
            raise ValueError(f"a cookie without a name: {text[:80]!r}")
        fields = _Fields(name, _unquote(coded), coded)
        for attribute in attributes:
            key, _, value = (part.strip(OWS) for part in attribute.partition("="))
            if len(value.encode("utf-8", "surrogatepass")) <= _LONGEST_ATTRIBUTE:
                fields = _with_attribute(fields, key.lower(), value)
        return cls._make(_checked(fields))

    @property
    def pair(self) -> str:
        """The cookie as user agents send it back in the Cookie header, `name=value` (RFC 6265bis §5.8.3)."""
        return write_raw_utf8(f"{self.name}={self.coded_value}" if self.name else self.coded_value)

    def __str__(self) -> str:
        name, _, coded, max_age, expires, domain, path, secure, httponly, samesite, partitioned = self
        return write_raw_utf8(
            f"{name}={coded}"
            f"{'' if domain is None else f'; Domain={domain}'}"
            f"{'' if expires is None else f'; Expires={format_http_date(expires)}'}"
            f"{'' if max_age is None else f'; Max-Age={max_age}'}"
            f"{'; Secure' if secure else ''}{'; HttpOnly' if httponly else ''}"
            f"{'' if path is None else f'; Path={path}'}"
            f"{'' if samesite is None else f'; SameSite={samesite}'}{'; Partitioned' if partitioned else ''}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).parse, (str(self),)


def _checked(cookie: F) -> F:
    """Return the cookie; raise ValueError if user agents would drop it (RFC 6265bis §5.7)."""
    name, coded = cookie.name, cookie.coded_value
    if 4 * (len(name) + len(coded)) > LONGEST_COOKIE and (size := len(f"{name}{coded}".encode())) > LONGEST_COOKIE:
        raise explained("bad-cookie", f"the cookie {name!r} has {size} bytes, more than {LONGEST_COOKIE}")
    prefix = prefix_of(name) if name[:2] == "__" else ""
    if not cookie.secure:
        if prefix:
            raise explained("bad-cookie", f"the prefix of {name!r} needs secure=True")
        if cookie.samesite == "None":
            raise explained("bad-cookie", "samesite='None' needs secure=True")
        if cookie.partitioned:
            raise explained("bad-cookie", "partitioned=True needs secure=True")
    if "host" in prefix and (cookie.path != "/" or cookie.domain is not None):
        raise explained("bad-cookie", f"the prefix of {name!r} needs path='/' and no domain")
    if "http" in prefix and not cookie.httponly:
        raise explained("bad-cookie", f"the prefix of {name!r} needs httponly=True")
    return cookie


def prefix_of(name: str) -> str:
    """Return the prefix of a cookie's name, such as ``__host-http-`` in lower case, which requires attributes (RFC
    6265bis §4.1.3); "" for any other name.
    """
    found = _prefixed.match(name)
    return found[0].lower() if found else ""


def _text(attribute: str, given: str) -> str:
    if not isinstance(given, str):
        raise explained("bad-cookie", f"{attribute} must be a str, not {given!r:.80}")
    return given


def _whole_second(expires: datetime) -> datetime:
    if not isinstance(expires, datetime):
        raise explained("bad-cookie", f"expires must be a datetime, not {expires!r:.80}")
    if expires.year < 1602:
        raise explained("bad-cookie", f"expires must be after 1601: {expires!r}")
    return parse_http_date(format_http_date(expires))


def _ascii_domain(domain: str) -> str:
    name = _text("domain", domain).lstrip(".").lower()
    name = name if name.isascii() else name.encode("idna").decode()
    if len(name) > 253 or parse_host(name)[0] != name:
        raise explained("bad-cookie", f"not a domain: {domain[:300]!r}")
    return name


def _escaped_path(path: str) -> str:
    if _text("path", path)[0] != "/" or find_control(path):
        raise explained(
            "bad-cookie", f"a cookie's path must begin with a slash and contain no control characters: {path!r}"
        )
    escaped = encode_path(path).replace(";", "%3B")
    if len(escaped) > _LONGEST_ATTRIBUTE:
        raise explained("bad-cookie", f"a cookie's path must have at most {_LONGEST_ATTRIBUTE} bytes: {path[:80]!r}")
    return escaped


def _known_samesite(samesite: str) -> SameSite:
    known = _SAMESITE.get(samesite) or _SAMESITE.get(samesite.lower()) if isinstance(samesite, str) else None
    if known is None:
        raise explained("bad-cookie", f"samesite must be 'Lax', 'Strict' or 'None', not {samesite!r}")
    return known


def _with_attribute(cookie: _Fields, name: str, value: str) -> _Fields:
    """Return the cookie with an attribute set (RFC 6265bis §5.6.1 to §5.6.7).

    If an attribute is repeated, the last one applies.
    """
    match name:
        case "expires":
            return cookie._replace(expires=_parse_cookie_date(value) or cookie.expires)
        case "max-age":
            return cookie._replace(max_age=int(value)) if _delta_seconds.fullmatch(value) else cookie
        case "domain":
            return cookie._replace(domain=value.removeprefix(".").lower() or None)
        case "path":
            return cookie._replace(path=value if value[:1] == "/" else None)
        case "samesite":
            return cookie._replace(samesite=_SAMESITE.get(value.lower()))
        case "secure":
            return cookie._replace(secure=True)
        case "httponly":
            return cookie._replace(httponly=True)
        case "partitioned":
            return cookie._replace(partitioned=True)
    return cookie


def _parse_cookie_date(text: str) -> datetime | None:
    """Read a time, day, month and year in any order, with anything between them (RFC 6265bis §5.1.1)."""
    found: dict[str, tuple[str, ...]] = {}
    for token in _date_delimiters.split(text):
        for kind, expression in _DATE_TOKENS.items():
            if kind not in found and (matched := expression.match(token)):
                found[kind] = matched.groups()
                break
    if len(found) < len(_DATE_TOKENS):
        return None
    day, month, year = int(found["day"][0]), MONTH_NUMBERS[found["month"][0].title()], int(found["year"][0])
    year += 1900 if 70 <= year <= 99 else 2000 if year < 70 else 0
    hour, minute, second = map(int, found["time"])
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC) if year > 1600 else None
    except ValueError:
        return None
