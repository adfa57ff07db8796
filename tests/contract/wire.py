"""A connection to a server on which exactly the given bytes are sent, and responses read as RFC 9112 frames them."""

import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from tests.contract.messages import ReceivedResponse
from tests.helpers.waiting import DEADLINE

LONGEST_LINE = 64 << 10


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
        """Whether the last response leaves the connection open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Go away, as clients do."""
        self._file.close()
        self._socket.close()

    def send(self, message: bytes) -> None:
        """Send bytes. A server that has answered and closed meanwhile doesn't take them all: that is no error."""
        try:
            self._socket.sendall(message)
        except ConnectionError:
            self.reusable = False

    def end_sending(self) -> None:
        """Tell the server that nothing follows, and go on reading."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.reusable = False

    def reset(self) -> None:
        """Go away without a farewell: the server is told only when it sends."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def status(self) -> int:
        """Read one head of a response, which may be an interim one, and give its status."""
        return self._read_head().status

    def wait_for(self, text: bytes) -> None:
        """Read until this has come. Raises Closed when the server closes before."""
        received = b""
        while text not in received:
            chunk = self._file.read1(LONGEST_LINE)  # type: ignore[attr-defined]  # it is a BufferedReader
            if not chunk:
                raise Closed(f"after {received!r}")
            received += chunk

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
