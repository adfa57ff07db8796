"""HTTP/1.1 as a client's side of the wire: requests as bytes, and responses as RFC 9112 frames them."""

import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, NamedTuple, Protocol, Self, TypeAlias

from tests.helpers.waiting import DEADLINE

LONGEST_LINE = 64 << 10

Fields: TypeAlias = tuple[tuple[str, str], ...]
"""Header lines, in order; values are Latin-1 text."""

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "server", "via"})
"""Fields that servers add: those of the connection (RFC 9110 §7.6.1), and those that name the server."""

AUTHORITY = "contract.example:8080"


class SentRequest(NamedTuple):
    """A request. A ``body`` of bytes has a Content-Length; a tuple is sent as chunks (RFC 9112 §7.1)."""

    method: str
    target: str
    fields: Fields = ()
    body: bytes | tuple[bytes, ...] | None = None
    authority: str = AUTHORITY

    @property
    def all_fields(self) -> Fields:
        """Host, the given fields, and the field that frames the body."""
        framing: Fields = ()
        if isinstance(self.body, bytes):
            framing = (("Content-Length", str(len(self.body))),)
        elif self.body is not None:
            framing = (("Transfer-Encoding", "chunked"),)
        return (("Host", self.authority), *self.fields, *framing)

    @property
    def head(self) -> bytes:
        """Request line and header section (RFC 9112 §3, §5)."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.all_fields)]
        return "".join([f"{line}\r\n" for line in lines]).encode("latin-1") + b"\r\n"

    @property
    def content(self) -> bytes:
        """The body as it is framed."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return b"".join([b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in self.body]) + b"0\r\n\r\n"

    @property
    def encoded(self) -> bytes:
        """The whole message."""
        return self.head + self.content


class ReceivedResponse(NamedTuple):
    """A response, its field names in lower case. ``whole`` is True if the body ended where its framing says."""

    status: int
    fields: Fields
    body: bytes
    whole: bool = True

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def end_to_end(self) -> dict[str, list[str]]:
        """Each field's values in order, without the fields that servers add."""
        names = dict.fromkeys(name for name, _ in self.fields if name not in HOP_BY_HOP)
        return {name: self.values(name) for name in sorted(names)}


class Peer(Protocol):
    """A server of the contract's application, or a client that plays one in process."""

    def respond(self, request: SentRequest) -> ReceivedResponse: ...

    def leave(self, request: SentRequest, after: bytes) -> None: ...


class Closed(ConnectionError):
    """The server closed the connection where a response should have begun."""


class _Head(NamedTuple):
    status: int
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name), "").lower()


class Connection:
    """A TCP connection. Raises TimeoutError when a wait takes longer than ``deadline`` seconds."""

    def __init__(self, port: int, deadline: float = DEADLINE) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=deadline)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file: BinaryIO = self._socket.makefile("rb")
        self.reusable = True
        """True while the last response leaves the connection open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, message: bytes) -> None:
        """Send bytes. It is no error if the server has answered and closed meanwhile."""
        try:
            self._socket.sendall(message)
        except ConnectionError:
            self.reusable = False

    def end_sending(self) -> None:
        """Half-close: send nothing more, and go on reading."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.reusable = False

    def reset(self) -> None:
        """Reset the connection, which the server notices only when it sends."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def status(self) -> int:
        return self._read_head().status

    def wait_for(self, text: bytes) -> bytes:
        """Read until ``text`` has come, and return what was read. Raises Closed when the server closes before."""
        received = b""
        while text not in received:
            chunk = self._file.read1(LONGEST_LINE)  # type: ignore[attr-defined]  # it is a BufferedReader
            if not chunk:
                raise Closed(f"after {received!r}")
            received += chunk
        return received

    def receive(self, method: str = "GET") -> ReceivedResponse:
        """Read a response, after any interim ones. Raises Closed when none begins."""
        head = self._read_head()
        while head.status < 200:
            head = self._read_head()
        chunks: list[bytes] = []
        whole = True
        try:
            chunks.extend(self._read_body(head, method))
        except ConnectionError:
            whole = False
        return ReceivedResponse(head.status, head.fields, b"".join(chunks), whole)

    def _read_head(self) -> _Head:
        version, status, *_ = self._read_line(first=True).split(b" ", 2)
        fields = []
        while line := self._read_line():
            name, colon, value = line.decode("latin-1").partition(":")
            assert colon, f"a header's line without a colon: {line!r}"
            fields.append((name.lower(), value.strip(" \t")))
        head = _Head(int(status), tuple(fields))
        self.reusable = version == b"HTTP/1.1" and "close" not in head.get("connection")
        return head

    def _read_body(self, head: _Head, method: str) -> Iterator[bytes]:
        """The chunks of a body (RFC 9112 §6.3). Raises ConnectionError when it ends before it is complete."""
        if method == "HEAD" or head.status in (204, 304):
            return
        if "chunked" in head.get("transfer-encoding"):
            while size := int(self._read_line().partition(b";")[0], 16):
                yield self._read(size)
                self._read(2)
            while self._read_line():
                pass
        elif length := head.get("content-length"):
            yield self._read(int(length))
        else:
            self.reusable = False
            while chunk := self._file.read1(LONGEST_LINE):  # type: ignore[attr-defined]  # it is a BufferedReader
                yield chunk

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            raise ConnectionError(f"the connection ended after {len(data)} of {size} bytes")
        return data

    def _read_line(self, first: bool = False) -> bytes:
        try:
            line = self._file.readline(LONGEST_LINE)
        except ConnectionError as error:
            raise Closed(str(error)) from error
        if not line.endswith(b"\n"):
            raise Closed("before a response") if first and not line else ConnectionError(f"the line {line!r} is cut")
        return line.rstrip(b"\r\n")
