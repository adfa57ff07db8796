"""Conversions between URLs and IRIs (RFC 3987), and percent-encoding as in Werkzeug before 3.0."""

import codecs
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias, cast, overload
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from antiphon.http.grammar import percent_decode

_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~$!'()*+,;")
_escape = re.compile(rb"%([0-9A-Fa-f]{2})")


def url_quote(
    string: object, charset: str = "utf-8", errors: str = "strict", safe: str | bytes = "/:", unsafe: str | bytes = ""
) -> str:
    """Percent-encode text or bytes except for letters, digits, ``-._~$!'()*+,;`` and the ``safe`` characters."""
    text = string if isinstance(string, (str, bytes, bytearray)) else str(string)
    escapes = _escapes(_raw(safe, charset, errors), _raw(unsafe, charset, errors))
    return _raw(text, charset, errors).decode("latin-1").translate(escapes)


def url_quote_plus(string: object, charset: str = "utf-8", errors: str = "strict", safe: str = "") -> str:
    """Percent-encode text for a query, where a space becomes a plus sign."""
    return url_quote(string, charset, errors, f"{safe} ", "+").replace(" ", "+")


@overload
def url_unquote(s: str | bytes, charset: None, errors: str = "replace", unsafe: str | bytes = "") -> bytes: ...
@overload
def url_unquote(s: str | bytes, charset: str = "utf-8", errors: str = "replace", unsafe: str | bytes = "") -> str: ...
def url_unquote(
    s: str | bytes, charset: str | None = "utf-8", errors: str = "replace", unsafe: str | bytes = ""
) -> str | bytes:
    """Decode percent-escapes except those of ``unsafe`` characters.

    Malformed escapes are kept. Returns bytes if ``charset`` is None.
    """
    raw = s.encode() if isinstance(s, str) else s
    kept = frozenset(_raw(unsafe))
    if kept:
        raw = _escape.sub(lambda found: b"%25" + found[1] if int(found[1], 16) in kept else found[0], raw)
    decoded = percent_decode(raw)
    return decoded if charset is None else decoded.decode(charset, errors)


@overload
def url_unquote_plus(s: str | bytes, charset: None, errors: str = "replace") -> bytes: ...
@overload
def url_unquote_plus(s: str | bytes, charset: str = "utf-8", errors: str = "replace") -> str: ...
def url_unquote_plus(s: str | bytes, charset: str | None = "utf-8", errors: str = "replace") -> str | bytes:
    """Decode percent-escapes in a query, where a plus sign means a space."""
    return url_unquote(_raw(s).replace(b"+", b" "), charset, errors)


def _raw(text: str | bytes | bytearray, charset: str = "utf-8", errors: str = "strict") -> bytes:
    return text.encode(charset, errors) if isinstance(text, str) else bytes(text)


@lru_cache(64)
def _escapes(safe: bytes, unsafe: bytes) -> list[str]:
    kept = (_KEPT | frozenset(safe)) - frozenset(unsafe)
    return [chr(byte) if byte in kept else f"%{byte:02X}" for byte in range(256)]


UrlTuple: TypeAlias = tuple[str, str, str, str, str]

_plain_uri = re.compile(
    r"(?:[a-z][a-z0-9+.-]*+://(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63})?(?:/(?!/)[\w.~%!$&'()*+,/:;=@-]*)?"
    r"(?:\?[\w.~%!$&'()*+,/:;=?@-]+)?(?:#[\w.~%!#$&'()*+,/:;=?@-]+)?",
    re.ASCII,
).fullmatch
"""Match a URL that needs no conversion, except for any escapes and an encoded host."""

_NEVER = "".join(map(chr, range(0x21))) + "%\x7f"


def _quote_what_is_no_text(error: UnicodeError) -> tuple[str, int]:
    broken = cast("UnicodeDecodeError", error)
    return quote(broken.object[broken.start : broken.end], safe=""), broken.end


codecs.register_error("werkzeug.url_quote", _quote_what_is_no_text)


def _unquoting(kept: str) -> Callable[[str], str]:
    """Return a function that decodes percent-escapes, except those of kept characters and of invalid UTF-8."""
    codes = "|".join([f"{ord(character):02X}" for character in kept])
    escapes = re.compile(rf"(?:%(?!{codes})[0-9A-F]{{2}})+", re.IGNORECASE)

    def text_of(found: re.Match[str]) -> str:
        return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "werkzeug.url_quote")

    return lambda part: escapes.sub(text_of, part)


unquote_user, _unquote_path = _unquoting(f"{_NEVER}:@/?#"), _unquoting(f"{_NEVER}/?#")
_unquote_query, _unquote_fragment = _unquoting(f"{_NEVER}&=+#"), _unquoting(_NEVER)


def uri_to_iri(uri: str | bytes | UrlTuple, charset: str = "utf-8", errors: str = "werkzeug.url_quote") -> str:  # noqa: ARG001
    """Convert a URI to an IRI by decoding its host and the escapes of ordinary characters.

    ``charset`` applies to a URI in bytes. Raises ValueError if the port is invalid.
    """
    text = _as_text(uri, charset)
    if "%" not in text and "xn--" not in text and _plain_uri(text):
        return text
    parts = urlsplit(text)
    netloc = _netloc(parts, unicode_host, unquote_user)
    path, query, fragment = _unquote_path(parts.path), _unquote_query(parts.query), _unquote_fragment(parts.fragment)
    return _unsplit(parts.scheme, netloc, path, query, fragment)


def iri_to_uri(
    iri: str | bytes | UrlTuple, charset: str = "utf-8", errors: str = "strict", safe_conversion: bool = False
) -> str:
    """Convert an IRI to an ASCII URI by escaping all characters that a URI can't contain.

    Existing escapes are kept. With ``safe_conversion``, ASCII text without spaces is returned unchanged. Raises
    ValueError if the port or host is invalid.
    """
    text = _as_text(iri, charset, errors)
    if _plain_uri(text) or (safe_conversion and text.isascii() and len(text.split()) == 1):
        return text
    parts = urlsplit(text)
    netloc = _netloc(parts, _ascii_host, lambda user: quote(user, safe="%!$&'()*+,;="))
    path = quote(parts.path, safe="%!$&'()*+,/:;=@")
    query = quote(parts.query, safe="%!$&'()*+,/:;=?@")
    fragment = quote(parts.fragment, safe="%!#$&'()*+,/:;=?@")
    return _unsplit(parts.scheme, netloc, path, query, fragment)


def url_unparse(components: tuple[Any, Any, Any, Any, Any]) -> Any:
    """Join the five parts of a URL in text or bytes. A single slash after a scheme becomes three."""
    if isinstance(components[0], bytes):
        scheme, netloc, path, query, fragment = [part.decode("latin-1") for part in components]
        return url_unparse((scheme, netloc, path, query, fragment)).encode("latin-1")
    scheme, netloc, path, query, fragment = components
    if netloc or (scheme and path.startswith("/")):
        path = f"//{netloc}/{path.removeprefix('/')}" if path else f"//{netloc}"
    before = f"{scheme}:{path}" if scheme else path
    return before + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


def _as_text(url: str | bytes | UrlTuple, charset: str, errors: str = "strict") -> str:
    if isinstance(url, tuple):
        whole: str = url_unparse(url)
        return whole
    return url.decode(charset, errors) if isinstance(url, bytes) else url


def _netloc(parts: SplitResult, host_of: Callable[[str], str], user_of: Callable[[str], str]) -> str:
    host = host_of(parts.hostname) if parts.hostname else ""
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port is None else f":{parts.port}"
    if parts.username is None:
        return f"{host}{port}"
    password = "" if parts.password is None else f":{user_of(parts.password)}"
    return f"{user_of(parts.username)}{password}@{host}{port}"


def _unsplit(scheme: str, netloc: str, path: str, query: str, fragment: str) -> str:
    url = urlunsplit((scheme, netloc, path, query, fragment))
    if scheme == "itms-services" and not url.startswith("itms-services://"):  # clients require the slashes
        return f"itms-services://{url.removeprefix('itms-services:')}"
    return url


def _ascii_host(host: str) -> str:
    return host.encode("idna").decode("ascii")


def unicode_host(host: str) -> str:
    """Decode a host's labels. Labels that can't be decoded are kept."""
    if not host.isascii() or "xn--" not in host:
        return host
    try:
        return host.encode().decode("idna")
    except UnicodeError:
        return ".".join(map(_unicode_label, host.split(".")))


def _unicode_label(label: str) -> str:
    try:
        return label.encode().decode("idna")
    except UnicodeError:
        return label
