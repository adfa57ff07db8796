"""URLs as text with parts (RFC 3986), percent-encoding of paths, and the Host header."""

import re
from collections.abc import Mapping
from datetime import date, time
from enum import Enum
from typing import NamedTuple, Self
from urllib.parse import quote

from antiphon.explanations import explained
from antiphon.http.grammar import BROKEN_ESCAPE, percent_decode
from antiphon.http.urls.urlencoded import check_field, format_query
from antiphon.lazy import compiled_late

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
"""The ports that URLs leave out, by scheme (RFC 9110 §4.2)."""

_SCHEME = "[A-Za-z][A-Za-z0-9+.-]*+"
_scheme = compiled_late(_SCHEME)
_url = compiled_late(rf"(?:({_SCHEME}):)?(?://([^/?#]*+))?([^?#]*+)(?:\?([^#]*+))?(?:#(.*))?", re.DOTALL)
# Browsers drop tabs, line breaks and outer spaces, read a backslash as a slash, and find a host after three slashes, or
# after one or none if the scheme is one of theirs.
_OTHER_THAN_TWO_SLASHES = r"///|(?:https?|wss?|ftp):(?://(?=/)|(?!//))"
_misleading = compiled_late(rf"[\x00-\x1f\x7f]|\A | \Z|\A[^?#\\]*+\\|\A(?:{_OTHER_THAN_TWO_SLASHES})", re.IGNORECASE)
_plain = compiled_late(rf"(?!{_OTHER_THAN_TWO_SLASHES})[!-\[\]-~]*+", re.IGNORECASE)

_host_and_port = re.compile(r"(?:\[([0-9A-Fa-f:.]++)\]|([\w.~-]++))(?::([0-9]{0,5}))?").fullmatch
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ipv4_tail = compiled_late(rf"(?<=:){_OCTET}(?:\.{_OCTET}){{3}}\Z")
_ipv6_group = compiled_late("[0-9A-Fa-f]{1,4}")
_zero_groups = compiled_late(r"(?<![^:])0(?::0)+(?![^:])")
_ipv4 = compiled_late(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
TEST_HOST = "testserver"
"""The host of a test client without a ``base_url``."""

_is_this_machine = compiled_late(rf"(?:.+\.)?localhost|127(?:\.[0-9]{{1,3}}){{3}}|::1|{TEST_HOST}")
_ends_in_number = compiled_late(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)

_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_PATH = _UNRESERVED + "!$&'()*+,;=:@/"

_TEXT_ESCAPES, _PATH_ESCAPES, _QUERY_ESCAPES = (
    [character if (character := chr(byte)) in kept else f"%{byte:02X}" for byte in range(256)]
    for kept in (_PATH, _PATH + "%", _PATH + "%?[]\\^`{|}")
)


def quote_path(text: str) -> str:
    """Percent-encode text for a path, as UTF-8. `/` stays, and `%` becomes `%25` (RFC 3986 §3.3).

    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    return text.encode().decode("latin-1").translate(_TEXT_ESCAPES)


def encode_path(path: str | bytes) -> str:
    """Percent-encode characters that are not allowed in a path, keeping escapes: `/a b%20c` becomes `/a%20b%20c`."""
    return _encode(path, _PATH_ESCAPES)


def encode_query(query: str) -> str:
    """Percent-encode characters that are not allowed in a query, as browsers do, keeping escapes, even malformed ones.

    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    return query.encode().decode("latin-1").translate(_QUERY_ESCAPES)


def _encode(written: str | bytes, escapes: list[str]) -> str:
    raw = written.encode() if isinstance(written, str) else written
    return BROKEN_ESCAPE.sub(b"%25", raw).decode("latin-1").translate(escapes)


def as_uri(reference: str) -> str:
    """Return a URL reference in ASCII (RFC 3987 §3.1): other characters, including line breaks, are percent-encoded.

    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    return quote(reference, safe="%/:?#[]@!$&'()*+,;=~")


def unquote(text: str | bytes) -> str:
    """Decode percent-escapes as UTF-8. Never raises: malformed escapes stay, and malformed UTF-8 becomes U+FFFD."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return percent_decode(raw).decode("utf-8", "replace")


def decode_path(raw: bytes) -> str:
    """Decode a path's percent-escapes as UTF-8.

    Raises ValueError with the offset for a malformed escape, malformed UTF-8, and NUL.
    """
    if raw.find(b"%") >= 0:
        if broken := BROKEN_ESCAPE.search(raw):
            raise ValueError(f"broken percent-escape at byte {broken.start()} of the path")
        raw = percent_decode(raw)
    if raw.find(b"\0") >= 0:
        raise ValueError(f"NUL at byte {raw.index(0)} of the decoded path")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start} of the decoded path") from None


def is_this_machine(host: str) -> bool:
    """Return True for names and addresses that only a program on the same machine can reach.

    The test client's host is one of them.
    """
    return _is_this_machine.fullmatch(host.lower().removesuffix(".")) is not None


def parse_host(value: str) -> tuple[str, int | None]:
    """Return the host, in lower case and without brackets, and the port of a Host header (RFC 9110 §7.2).

    A name consists of ASCII letters, digits and `-._~`; the other characters of RFC 3986 §3.2.2 are refused, because no
    host has them. Raises ValueError for anything else, for a missing host and for a port above 65535.
    """
    if not value.isascii():
        raise ValueError(f"a host must be ASCII, not {value[:300]!r}")
    return _parse_authority(value)


def check_host_given(value: str) -> None:
    """Check a host that comes from the program, not from a client. Raises ValueError as ``parse_host`` does."""
    try:
        parse_host(value)
    except ValueError as error:
        explained("bad-url", error)
        raise


def _parse_authority(value: str) -> tuple[str, int | None]:
    match = _host_and_port(value)
    if match is None:
        raise ValueError(f"not a host and port: {value[:300]!r}")
    ipv6, name, digits = match.groups()
    if ipv6 and not _is_ipv6(ipv6):
        raise ValueError(f"not an IPv6 address: {ipv6!r}")
    if digits and int(digits) > 65535:
        raise ValueError(f"not a port: {digits}")
    return (ipv6 or name).lower(), int(digits) if digits else None


def _is_ipv6(address: str) -> bool:
    left, gap, right = _ipv4_tail.sub("0:0", address).partition("::")
    groups = [group for half in (left, right) if half for group in half.split(":")]
    return all(map(_ipv6_group.fullmatch, groups)) and (len(groups) < 8 if gap else len(groups) == 8)


def _host_in_browsers(host: str) -> str:
    """Return a host as browsers write it (WHATWG URL §3.5); "" for a host that they would read as a different one.

    Such a host contains non-ASCII characters, which IDNA maps, or ends in a number, which they read as an IPv4 address:
    ``0x7f.1`` and ``2130706433`` lead to 127.0.0.1.
    """
    if ":" in host:
        return _compressed_ipv6(host)
    return host if host.isascii() and (_ipv4.fullmatch(host) or not _ends_in_number.fullmatch(host)) else ""


def _compressed_ipv6(address: str) -> str:
    from ipaddress import IPv6Address  # late: few hosts are IPv6 addresses

    digits = f"{int(IPv6Address(address)):032x}"
    groups = ":".join([f"{int(digits[at : at + 4], 16):x}" for at in range(0, 32, 4)])
    longest = max(_zero_groups.finditer(groups), key=lambda run: len(run[0]), default=None)
    return f"{groups[: longest.start()].rstrip(':')}::{groups[longest.end() :].lstrip(':')}" if longest else groups


class _Parts(NamedTuple):
    scheme: str | None
    netloc: str | None
    path: str
    query: str | None
    fragment: str | None


def _parts_of(url: str) -> _Parts:
    return _Parts(*next(_url.finditer(url)).groups())


def _unsplit(parts: _Parts) -> str:
    """Join the parts of a URL (RFC 3986 §5.3), so that its path is not read as a scheme or authority (§4.2)."""
    scheme, netloc, path, query, fragment = parts
    if netloc is not None:
        path = f"/{path}" if path and path[0] != "/" else path
    elif path.startswith("//"):
        path = f"/.{path}"
    elif scheme is None and ":" in path.partition("/")[0]:
        path = f"./{path}"
    before = ("" if scheme is None else f"{scheme}:") + ("" if netloc is None else f"//{netloc}")
    after = ("" if query is None else f"?{query}") + ("" if fragment is None else f"#{fragment}")
    return f"{before}{path}{after}"


def _resolve(base: _Parts, reference: _Parts) -> _Parts:
    """Resolve a reference (RFC 3986 §5.2.2)."""
    scheme, netloc, path, query, fragment = reference
    if scheme is not None or netloc is not None:
        return reference._replace(scheme=scheme or base.scheme, path=_remove_dot_segments(path))
    if not path:
        return base._replace(query=base.query if query is None else query, fragment=fragment)
    if path[0] != "/":
        folder, slash, _ = base.path.rpartition("/")
        path = f"{folder}/{path}" if slash or base.netloc is not None else path
    return base._replace(path=_remove_dot_segments(path), query=query, fragment=fragment)


def resolve(base: str, reference: str) -> str:
    """Resolve a reference as written (RFC 3986 §5), without checking or escaping anything.

    Browsers may read the result differently; `URL.join` refuses misleading references.
    """
    return _unsplit(_resolve(_parts_of(base), _parts_of(reference)))


def _remove_dot_segments(path: str) -> str:
    """Remove dot segments (RFC 3986 §5.2.4); `..` above the root stays at the root."""
    segments = path.split("/")
    kept: list[str] = []
    root = 1 if path[:1] == "/" else 0
    for segment in segments:
        if segment == "..":
            del kept[max(root, len(kept) - 1) :]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)


def _rooted(path: str) -> str:
    return path if path[:1] == "/" else f"/{path}"


class URL(str):
    """An absolute or relative URL (RFC 3986 §4.1): a str that is split into its components on first access.

        url = URL("https://shop.example.com/orders?page=2")

    Components are as written, percent-encoded; absent and malformed components are "" or None. `root_path` is the path
    of the application. Raises ValueError for text that browsers read as another URL: text with control characters,
    leading or trailing spaces, a backslash before the query, three leading slashes, or a scheme such as `http:` without
    exactly two slashes after it.
    """

    __slots__ = ("_root_path", "_split")

    def __new__(cls, text: str = "", root_path: str = "") -> Self:  # noqa: ARG004 - used by __init__
        return super().__new__(cls, text)

    def __init__(self, text: str = "", root_path: str = "") -> None:
        if not _plain.fullmatch(text) and _misleading.search(text):
            raise explained("bad-url", f"browsers would read this URL differently: {text[:300]!r}")
        self._root_path = root_path
        self._split: _Parts | None = None

    @classmethod
    def build(
        cls, *, scheme: str, host: str, root_path: str = "", path: str | bytes = "/", query: str | bytes = b""
    ) -> Self:
        """Build a request's URL. `host` is a Host header's value; `path` begins below `root_path`.

        Without a host, the URL is relative. Pass the paths and the query percent-encoded (see `quote_path` for text);
        characters that aren't allowed in them are escaped. The path `*`, in an OPTIONS request about the whole
        server, stands for an empty path above every root (RFC 9112 §3.3), which is printed as `/`. Raises ValueError
        for an invalid scheme or host.
        """
        if not _scheme.fullmatch(scheme):
            raise explained("bad-url", f"not a scheme: {scheme!r}")
        if host:
            check_host_given(host)
        root = _rooted(encode_path(root_path)).rstrip("/")
        query = _encode(query, _QUERY_ESCAPES)
        below = encode_path(path)
        whole = "/" if below == "*" else root + _rooted(below)
        parts = _Parts(scheme if host else None, host or None, whole, query or None, None)
        return cls(_unsplit(parts), root)

    @property
    def _parts(self) -> _Parts:
        if self._split is None:
            self._split = _parts_of(self)
        return self._split

    @property
    def scheme(self) -> str:
        """The scheme in lower case, or ""."""
        return (self._parts.scheme or "").lower()

    @property
    def netloc(self) -> str:
        """The authority as written, `user@host:port`, or ""."""
        return self._parts.netloc or ""

    @property
    def userinfo(self) -> str:
        """The part of the authority before its `@`, or ""."""
        return self.netloc.rpartition("@")[0]

    @property
    def _host_and_port(self) -> tuple[str, int | None]:
        try:
            written, port = _parse_authority(self.netloc.rpartition("@")[2])
            host = _host_in_browsers(written)
        except ValueError:
            return "", None
        return host, port if host else None

    @property
    def host(self) -> str:
        """The host as browsers write it (WHATWG URL §3.5): in lower case, without the brackets of IPv6.

        The host is "" if it is absent, malformed, or written so that browsers read it as another host: with non-ASCII
        characters, with percent-escapes, or as an IPv4 address that isn't four decimal numbers.
        """
        return self._host_and_port[0]

    @property
    def port(self) -> int | None:
        """The port as written, or None."""
        return self._host_and_port[1]

    @property
    def path(self) -> str:
        """The path, percent-encoded."""
        return self._parts.path

    @property
    def query(self) -> str:
        """The query without `?`, or ""."""
        return self._parts.query or ""

    @property
    def target(self) -> str:
        """Path and query: a reference to this URL from within the same site."""
        return _unsplit(self._parts._replace(scheme=None, netloc=None, path=_rooted(self.path), fragment=None))

    @property
    def fragment(self) -> str:
        """The fragment without `#`, or ""."""
        return self._parts.fragment or ""

    @property
    def origin(self) -> str:
        """Scheme, host, and port if it isn't the default (RFC 6454 §6.2); "" without a scheme or host.

        The origin is never "null", so it can't equal the Origin header of a sandboxed page.
        """
        scheme = self.scheme
        host, port = self._host_and_port
        if not scheme or not host:
            return ""
        suffix = "" if port is None or port == DEFAULT_PORTS.get(scheme) else f":{port}"
        return f"{scheme}://[{host}]{suffix}" if ":" in host else f"{scheme}://{host}{suffix}"

    @property
    def root(self) -> str:
        """The URL of the application: origin and root path, with a slash at the end."""
        return f"{self.origin}{self._root_path}/"

    def with_query(self, changes: Mapping[str, object] | None = None, /, **named: object) -> Self:
        """Replace fields of the query: None removes a field, and a list or tuple sets several.

        Booleans become "true" and "false", enums become their values, and dates and times are written in ISO 8601;
        other values are converted with `str()`. An existing name keeps its position, and a new one comes last. Other
        fields stay as written. Raises TypeError for a value that has no text form, such as a dict.
        """
        printed = {name: _fields(name, value) for name, value in {**(changes or {}), **named}.items()}
        waiting = dict(printed)
        pieces = []
        for piece in self.query.split("&"):
            name = unquote(piece.partition("=")[0].replace("+", " "))
            pieces.append(waiting.pop(name, "") if name in printed else piece)
        query = "&".join(filter(None, [*pieces, *waiting.values()]))
        return type(self)(_unsplit(self._parts._replace(query=query or None)), self._root_path)

    def join(self, reference: str) -> Self:  # type: ignore[override]  # a URL never joins strings
        """Resolve a reference found at this URL (RFC 3986 §5.2). Raises ValueError as `URL` does."""
        joined = type(self)(_unsplit(_resolve(self._parts, _parts_of(URL(reference)))))
        return type(self)(joined, self._root_path) if joined.origin == self.origin else joined


def _fields(name: str, value: object) -> str:
    values = () if value is None else value if isinstance(value, (list, tuple)) else (value,)
    return format_query([(name, _text(name, each)) for each in values])


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return _text(name, value.value)
    check_field(name, value)
    return value.isoformat() if isinstance(value, (date, time)) else str(value)
