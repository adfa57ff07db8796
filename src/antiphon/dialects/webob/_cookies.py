"""Cookies as text: checking names, formatting values, and reading the Cookie header (RFC 6265)."""

import re
from collections.abc import Callable, ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from typing import TYPE_CHECKING, Any
from warnings import warn

from antiphon.dialects._environ.heads import cache_short
from antiphon.embedding import is_token
from antiphon.http import parse_cookies
from antiphon.http.grammar import OWS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


ATTRIBUTES = frozenset({b"comment", b"domain", b"expires", b"httponly", b"max-age", b"path", b"samesite", b"secure"})
"""The attributes of Set-Cookie, which can't be cookie names."""

_find_invalid = re.compile(rb"[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+").findall
_ESCAPES = [b"\\%03o" % byte if byte != 0x20 and _find_invalid(bytes([byte])) else bytes([byte]) for byte in range(256)]


def to_bytes(text: str | bytes, encoding: str = "latin-1") -> bytes:
    """Encode text. Bytes are returned unchanged. Raises UnicodeEncodeError, a ValueError."""
    return text.encode(encoding) if isinstance(text, str) else text


@cache_short(128)
def is_cookie_name(name: str) -> bool:
    """Return True if a name is a token, does not begin with a dollar sign, and is not an attribute of Set-Cookie."""
    return is_token(name) and name[0] != "$" and name.lower().encode() not in ATTRIBUTES


def escape(value: bytes) -> bytes:
    """Replace the bytes that a cookie can't contain, except spaces, with octal escapes."""
    return b"".join([_ESCAPES[byte] for byte in value])


def quote(value: bytes) -> bytes:
    """Format a value for a cookie, quoting it if needed. Issues a RuntimeWarning if it needs quotes."""
    if invalid := _find_invalid(value):
        warn(f"a cookie's value is sent in quotes because of {b''.join(invalid)!r:.80}", RuntimeWarning, stacklevel=4)
        return b'"%b"' % escape(value)
    return value


def read_cookies(header: str) -> list[tuple[str, str]]:
    """Return the names and values in a Cookie header in order, skipping invalid names. Never raises."""
    return [(name, value) for name, value in parse_cookies(header) if is_cookie_name(name)]


is_plain: Callable[[str], object] = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*+").fullmatch
"""Match a value that needs no quotes in a cookie."""
_find_control = re.compile(r"[\x00-\x1f;\x7f]").search


def print_value(value: str | bytes, encode: Callable[[bytes], bytes] = quote) -> str:
    """Format a value for a header, quoted or escaped if necessary."""
    if isinstance(value, str) and is_plain(value):
        return value
    return encode(to_bytes(value)).decode("ascii")


def print_attributes(
    comment: str | bytes | None,
    domain: str | bytes | None,
    max_age: str | None,
    path: str | bytes | None,
    expires: str | None,
    secure: object,
    httponly: object,
    samesite: str | None,
) -> list[str]:
    """Return the given attributes as in a header. Max-Age, Expires and SameSite must already be formatted.

    Raises ValueError for SameSite=None without Secure.
    """
    parts = [f"Comment={print_value(comment)}"] if comment else []
    if domain:
        parts.append(f"Domain={print_value(domain, escape)}")
    if max_age:
        parts.append(f"Max-Age={max_age}")
    if path:
        parts.append("Path=/" if path == "/" else f"Path={print_value(path, escape)}")
    if expires:
        parts.append(f"expires={expires}")
    if secure:
        parts.append("secure")
    if httponly:
        parts.append("HttpOnly")
    if samesite:
        if not secure and samesite.lower() == "none":
            raise ValueError(
                "Incompatible cookie attributes: when the samesite equals 'none', then the secure must be True"
            )
        parts.append(f"SameSite={samesite}")
    return parts


def without_controls(value: str | bytes | None) -> str | None:
    """Return an attribute as text. Raises ValueError if it contains characters that could start another attribute."""
    text = value.decode("ascii") if isinstance(value, bytes) else value
    if text and _find_control(text):
        raise ValueError(f"an attribute of a cookie must not contain control characters or semicolons: {text!r:.80}")
    return text


class RequestCookies(MutableMapping[str, str]):
    """The cookies in an environ's ``HTTP_COOKIE``. Changes are written back; the last of repeated cookies wins."""

    _cache_key = "webob._parsed_cookies"

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self._environ = environ

    @property
    def _cookies(self) -> dict[str, str]:
        header = self._environ.get("HTTP_COOKIE", "")
        cached, of = self._environ.get(self._cache_key, (None, None))
        if cached is not None and of == header:
            found: dict[str, str] = cached
            return found
        cookies = dict(read_cookies(header))
        self._environ[self._cache_key] = cookies, header
        return cookies

    def __getitem__(self, name: str) -> str:
        return self._cookies[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a cookie's value, or ``default`` if it is missing."""
        return self._cookies.get(name, default)

    def __setitem__(self, name: str, value: str) -> None:
        """Set a cookie.

        Raises TypeError if the name is not a valid cookie name, or ValueError if the value is not text.
        """
        written = f"{_checked(name)}={_quoted(value)}"
        if not self._replace(name, written):
            before = self._environ.get("HTTP_COOKIE")
            self._environ["HTTP_COOKIE"] = f"{before}; {written}" if before else written

    def __delitem__(self, name: str) -> None:
        if not self._replace(_checked(name), None):
            raise KeyError(name)

    def _replace(self, name: str, written: str | None) -> bool:
        """Rewrite the first cookie with this name and remove the others. Return False if no cookie has the name."""
        header = self._environ.get("HTTP_COOKIE") or ""
        kept: list[str] = []
        is_found = False
        for cookie in header.split(";"):
            if cookie.partition("=")[0].strip(OWS) != name or "=" not in cookie:
                kept.append(cookie)
            elif not is_found:
                is_found = True
                if written is not None:
                    kept.append(cookie[: len(cookie) - len(cookie.lstrip(OWS))] + written)
        if is_found:
            self._environ["HTTP_COOKIE"] = ";".join(kept).lstrip(OWS)
        return is_found

    def clear(self) -> None:
        self._environ["HTTP_COOKIE"] = ""

    def keys(self) -> KeysView[str]:
        return self._cookies.keys()

    def values(self) -> ValuesView[str]:
        return self._cookies.values()

    def items(self) -> ItemsView[str, str]:
        return self._cookies.items()

    def __contains__(self, name: object) -> bool:
        return name in self._cookies

    def __iter__(self) -> Iterator[str]:
        return iter(self._cookies)

    def __len__(self) -> int:
        return len(self._cookies)

    def __repr__(self) -> str:
        return f"<RequestCookies (dict-like) with values {self._cookies!r}>"


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not is_cookie_name(name):
        raise TypeError(
            f"cookie name must be valid according to RFC 6265, and no attribute of Set-Cookie: {name!r:.80}"
        )
    return name


def _quoted(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"cookie value must be a string, not {value!r:.80}")
    return quote(value.encode()).decode("ascii")
