"""The head of a request: its request line, headers and connection, and the source of its body.

``Head`` is the interface. Every adapter has a class that reads these values from its server's objects. ``RequestHead``
stores plain values, and ``DerivedHead`` changes some values of another head.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple, Protocol, Self

from antiphon.http.grammar import split_list
from antiphon.http.headers import SINGLETONS, HeaderFields, Headers, combine, hyphens_hint
from antiphon.http.multidict import MissingKey
from antiphon.http.reads import ADDRESS, EVERYTHING, HTTP_VERSION, NOTHING_READ, QUERY, record_read, recorded


class Address(NamedTuple):
    """The address of one end of a connection. For a unix socket, ``host`` is its path and ``port`` is None."""

    host: str
    port: int | None


class Head(Protocol):
    """The interface that a request is built on.

    A server's head also has ``reads``: ``NamesRead`` of the request, or None if nothing was read. Of a head without it,
    everything may have been read.
    """

    @property
    def method(self) -> str:
        """The method, as sent (RFC 9110 §9)."""
        ...

    @property
    def path(self) -> str:
        """The decoded path below ``root_path``: it begins with a slash or is ``*`` (RFC 9110 §7.1)."""
        ...

    @property
    def raw_path(self) -> bytes | None:
        """The full path as it was sent, percent-encoded; None if the server hides it."""
        ...

    @property
    def query_string(self) -> bytes:
        """The query without its question mark, as it was sent."""
        ...

    @property
    def root_path(self) -> str:
        """The decoded path at which the application is mounted, without a trailing slash."""
        ...

    @property
    def scheme(self) -> str:
        """``"http"`` or ``"https"``, as the server saw it."""
        ...

    @property
    def authority(self) -> str:
        """The host and port that the client requested, otherwise the server's own (RFC 9110 §7.2)."""
        ...

    @property
    def host_line(self) -> str | bytes | None:
        """The Host header as received, with several lines joined by commas; None if there is no such line."""
        ...

    @property
    def http_version(self) -> str:
        """``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``."""
        ...

    @property
    def client(self) -> Address | None:
        """The other end of the connection: the client, or the nearest proxy."""
        ...

    @property
    def header_size(self) -> int:
        """The header section's size in bytes, plus 32 for each field (RFC 9113 §6.5.2)."""
        ...

    @property
    def has_limited_size(self) -> bool:
        """True if the server limits header sections."""
        ...

    @property
    def blocks(self) -> bool:
        """True if ``receive`` blocks the thread until a chunk arrives; False if it needs an event loop."""
        ...

    @property
    def has_body(self) -> bool:
        """False if the request certainly has no body."""
        ...

    @property
    def uncoded_length(self) -> int | None:
        """The declared length in bytes of a body without codings; None if the body is coded or the length is unknown.

        None doesn't mean that Content-Length is absent: the header may be malformed or repeated.
        """
        ...

    def field(self, name: str) -> str | None:
        """Return the combined value of a header, by its name in lower case; None if it is absent."""
        ...

    def fields(self) -> list[tuple[str, str]]:
        """Return every header as received: the lower-case name and the value."""
        ...

    def plain_target(self) -> tuple[object, ...] | None:
        """Return a key for the URL of a GET without a body, made from the server's own values; equal keys mean equal
        URLs.

        None for other requests, for requests with any field in ``NOT_PLAIN`` or without a Host, and if the key can't be
        made quickly.
        """
        ...

    @property
    def takes_early_hints(self) -> bool:
        """True if the server sends early hints to this client (RFC 8297)."""
        ...

    def send_early_hints(self, links: Iterable[str]) -> None:
        """Send Link values before the response, as ``Request.send_early_hints`` does; drop them if they can't be sent.

        Raises ValueError for a value that is not allowed in a header.
        """
        ...

    def receive(self) -> bytes | Coroutine[Any, Any, bytes]:
        """Return the next chunk of the body, ``b""`` at its end, or a coroutine that waits for it on an event loop.

        Raises ClientDisconnected if the body is cut off.
        """
        ...


class RequestHead:
    """A request head made of plain values, for requests that don't come from a server."""

    __slots__ = (
        "_client", "_content", "_fields", "_http_version", "_query_string", "authority", "method", "path", "raw_path",
        "reads", "root_path", "scheme",
    )  # fmt: skip

    CONDITIONS = ("if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range")
    """Fields that ask for something other than the whole response (RFC 9110 §13.1, §14.2)."""

    blocks = True
    header_size = 0
    has_limited_size = True
    takes_early_hints = False
    query_string = recorded("_query_string", QUERY)
    http_version = recorded("_http_version", HTTP_VERSION)
    client = recorded("_client", ADDRESS)

    def __init__(
        self,
        method: str = "GET",
        path: str = "/",
        query_string: bytes = b"",
        headers: HeaderFields = (),
        content: bytes = b"",
        *,
        scheme: str = "http",
        authority: str | None = None,
        root_path: str = "",
        raw_path: bytes | None = None,
        http_version: str = "1.1",
        client: Address | None = None,
    ) -> None:
        self.reads = NOTHING_READ
        self.method = method
        self.path = path
        self._query_string = query_string
        self._fields = Headers(headers).items()
        self._content = content
        self.scheme = scheme
        self.authority = authority or self._find("host") or "localhost"
        self.root_path = root_path
        self.raw_path = raw_path
        self._http_version = http_version
        self._client = client

    @classmethod
    def of(cls, head: Head, lines: list[tuple[str, str]] | None = None) -> Self:
        """Return a copy of another head without its body. Header fields stay as received, unless others are passed."""
        copied = cls(
            head.method, head.path, head.query_string, scheme=head.scheme, authority=head.authority,
            root_path=head.root_path, raw_path=head.raw_path, http_version=head.http_version, client=head.client,
        )  # fmt: skip
        copied._fields = [*head.fields()] if lines is None else lines
        return copied

    @property
    def host_line(self) -> str:
        """The authority, which always exists."""
        return self.authority

    @property
    def has_body(self) -> bool:
        """True if any content is left to receive."""
        return bool(self._content)

    @property
    def uncoded_length(self) -> int | None:
        """The declared length of a body that is not coded."""
        return uncoded_length(self._find)

    def field(self, name: str) -> str | None:
        """Return the combined value of a header, by its name in lower case; None if it is absent."""
        record_read(self, name)
        return self._find(name)

    def _find(self, name: str) -> str | None:
        values = [value for key, value in self._fields if key == name]
        return combine(name, values) if values else None

    def fields(self) -> list[tuple[str, str]]:
        """Return every header: the lower-case name and the value."""
        record_read(self, EVERYTHING)
        return self._fields

    def plain_target(self) -> None:
        """Return None."""

    def send_early_hints(self, links: Iterable[str]) -> None:
        """Send nothing: there is no server."""

    @staticmethod
    def has_conditions(head: Head) -> bool:
        """Return True if a request asks for anything but the whole response."""
        return any([head.field(name) is not None for name in RequestHead.CONDITIONS])  # noqa: C419 - in two thirds of the time

    def receive(self) -> bytes:
        """Return the whole content at once, then ``b""``."""
        content, self._content = self._content, b""
        return content


NOT_PLAIN = ("cache-control", "pragma", "upgrade", *RequestHead.CONDITIONS)
"""Fields that make a response depend on more than the URL: a request with one of them has no ``plain_target``."""


class DerivedHead:
    """A head with the values of ``inner``, for subclasses to override. ``method`` and ``path`` may be set."""

    mount = ""
    """The host and prefix of the mount around this head; empty if there is no mount."""
    is_of_call = False
    """True for the head of a request that the application itself has made, such as a tool's call."""

    def __init__(self, inner: Head) -> None:
        self.inner = inner
        self.method = inner.method
        self.path = inner.path
        self.field = inner.field
        self.fields = inner.fields
        self.receive = inner.receive

    def plain_target(self) -> tuple[object, ...] | None:
        """Return None: the values of ``inner`` may differ from those of this head."""
        return None

    @property
    def channel(self) -> object:
        """The WebSocket's messages if this is the head of a handshake, otherwise None."""
        return getattr(self.inner, "channel", None)

    @property
    def raw_path(self) -> bytes | None:
        """The full path as the server received it."""
        return self.inner.raw_path

    @property
    def query_string(self) -> bytes:
        """The query without its question mark, as it was sent."""
        return self.inner.query_string

    @property
    def root_path(self) -> str:
        """The decoded path at which the application is mounted."""
        return self.inner.root_path

    @property
    def scheme(self) -> str:
        """``"http"`` or ``"https"``."""
        return self.inner.scheme

    @property
    def authority(self) -> str:
        """The host and port that the client requested."""
        return self.inner.authority

    @property
    def host_line(self) -> str | bytes | None:
        """The Host header as received."""
        return self.inner.host_line

    @property
    def http_version(self) -> str:
        """The version of HTTP."""
        return self.inner.http_version

    @property
    def client(self) -> Address | None:
        """The other end of the connection."""
        return self.inner.client

    @property
    def header_size(self) -> int:
        """The size of the header section in bytes."""
        return self.inner.header_size

    @property
    def has_limited_size(self) -> bool:
        """True if the server limits header sections."""
        return self.inner.has_limited_size

    @property
    def blocks(self) -> bool:
        """True if ``receive`` blocks the thread."""
        return self.inner.blocks

    @property
    def has_body(self) -> bool:
        """False if the request certainly has no body."""
        return self.inner.has_body

    @property
    def uncoded_length(self) -> int | None:
        """The declared length of a body that is not coded."""
        return self.inner.uncoded_length

    @property
    def takes_early_hints(self) -> bool:
        """True if the server sends early hints to this client."""
        return self.inner.takes_early_hints

    def send_early_hints(self, links: Iterable[str]) -> None:
        """Send Link values before the response."""
        self.inner.send_early_hints(links)


def server_head(head: Head) -> Head:
    """Return the server's head from which the given head is derived."""
    while isinstance(head, DerivedHead):
        head = head.inner
    return head


def mounted_at(head: Head) -> str:
    """Return the hosts and prefixes of the mounts through which a request has passed, outermost first."""
    mounts: list[str] = []
    while isinstance(head, DerivedHead):
        mounts.append(head.mount)
        head = head.inner
    return "".join(reversed(mounts))


class HeadHeaders(Headers):
    """The headers of a request, looked up in its head. ``[]`` raises MissingKey for a field that is absent."""

    __slots__ = ("_head",)

    def __init__(self, head: Head) -> None:
        self._head = head

    def _lookup(self, name: str) -> str | None:
        return self._head.field(name)

    def _absent(self, name: str) -> MissingKey:
        hint = f". {hyphens_hint(name)}" if "_" in name else ""
        return MissingKey(name, f"the header {name!r} is missing{hint}")

    def getall(self, name: str) -> list[str]:
        """Return the elements of a list, formed by all lines of a field together (RFC 9110 §5.3)."""
        name = name.lower()
        if name in SINGLETONS:
            return super().getall(name)
        value = self._lookup(name)
        return [] if value is None else split_list(value)

    def items(self) -> list[tuple[str, str]]:
        """Return every line as received, in order."""
        return list(self._head.fields())


def uncoded_length(field: Callable[[str], str | None]) -> int | None:
    """Return ``Head.uncoded_length`` from the headers that ``field`` looks up."""
    length = field("content-length") or ""
    is_coded = field("transfer-encoding") is not None or field("content-encoding") is not None
    return int(length) if is_one_number(length) and not is_coded else None


def parse_length(value: str) -> int:
    """Return the number in Content-Length, which may be repeated (RFC 9112 §6.3). Raises ValueError otherwise."""
    if is_one_number(value):
        return int(value)
    lengths = {length.strip() for length in value.split(",")}
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit()):
        raise ValueError(f"Content-Length must be one number of 0 or more, not {value[:40]!r}")
    return int((length.lstrip("0") or "0")[:20])


def is_one_number(value: str) -> bool:
    """True if a Content-Length is a single number with no more digits than a body could need."""
    return value.isdigit() and value.isascii() and len(value) < 20
