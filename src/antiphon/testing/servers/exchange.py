"""The interface between the client and the servers that it plays: transports, exchanges, and checks of heads."""

from collections.abc import Iterable, Iterator
from os import PathLike
from typing import NamedTuple, Protocol, TypeAlias

from antiphon.explanations import explained
from antiphon.http.headers import Headers
from antiphon.http.link import Link, parse_links
from antiphon.http.urls.url import unquote
from antiphon.testing.requests import ClientRequest

ClientAddress: TypeAlias = tuple[str, int]

FILE_CHUNK = 64 << 10
"""The size of the chunks in which a file is read, in bytes."""


class Head(NamedTuple):
    """The status and header fields of a response, and the links of the early hints before it."""

    status: int
    headers: Headers
    early_hints: tuple[Link, ...] = ()


SERVER_ERROR = Head(500, Headers([("content-type", "text/plain; charset=utf-8"), ("content-length", "21")]))
SERVER_ERROR_BODY = b"Internal Server Error"
"""The body that servers send if the application fails before its response has started."""


class Connection(NamedTuple):
    """The client's address, the mount point, and a flag for raising an application's errors in the test.

    ``root_path`` is decoded and has no trailing slash.
    """

    client: ClientAddress | None
    root_path: str
    raise_errors: bool

    def check(self, request: ClientRequest) -> ClientRequest:
        """Return the request. Raises ValueError if its path is not below the mount point."""
        path, root = unquote(request.raw_path), self.root_path
        if root and path != root and not path.startswith(f"{root}/"):
            raise explained(
                "bad-test-request", f"{path!r} is not below the root_path {root!r}, where the application is mounted"
            )
        return request


class Exchange(Protocol):
    """A request that the application is handling. The methods are called one after another."""

    async def head(self) -> Head:
        """Wait for the response to start and return its head.

        Raises an error that escaped the application before that.
        """
        ...

    async def chunk(self) -> bytes | None:
        """Wait for the next chunk of the body; None at its end. Raises an error that escaped the application."""
        ...

    async def close(self) -> None:
        """Disconnect if the body has not ended, and wait until the application has ended.

        Raises an error that escaped the application, or a breach of contract.
        """
        ...

    async def abort(self) -> None:
        """Stop the application as far as that is possible. Raises nothing."""
        ...

    def where(self) -> str:
        """Return where the application is, as lines of a traceback; empty once it has ended."""
        ...


class Opener(Protocol):
    """The part of a transport that opens one kind of exchange."""

    def open(self, request: ClientRequest) -> Exchange:
        """Pass a request to the application."""
        ...


class Transport(Opener, Protocol):
    """The server's side of an interface, played for an application."""

    def open_socket(self, request: ClientRequest, subprotocols: list[str], /) -> Exchange:
        """Pass a WebSocket's handshake to the application; over WSGI, it is a request like any other."""
        ...

    async def startup(self) -> None:
        """Start up the application, if the interface has a lifespan. Raises LifespanError."""
        ...

    async def shutdown(self) -> None:
        """Shut down the application. Raises LifespanError."""
        ...


def checked_status(status: object) -> int:
    """Return a status from 200 to 999; lower ones aren't final responses (RFC 9110 §15). Raises ValueError."""
    if type(status) is not int or not 200 <= status <= 999:
        raise ValueError(f"a response's status must be an int from 200 to 999, not {status!r}")
    return status


def checked_head(status: object, fields: Iterable[tuple[str, str]]) -> Head:
    """Return a head that can be sent. Raises ValueError for an invalid one."""
    headers = Headers(fields)
    length = headers.get("content-length")
    if length is not None and not (length.isascii() and length.isdigit()):
        raise ValueError(f"a Content-Length must be one number of bytes, not {length!r}")
    return Head(checked_status(status), headers)


def checked_links(value: object) -> list[Link]:
    """Return the links in a line of early hints. Raises ValueError for any other value."""
    links = parse_links(value) if type(value) is str else []
    if not links:
        raise ValueError(f"an early hint must have links, not {value!r}")
    return links


def file_chunks(path: str | PathLike[str], start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Open a file and return a generator of its bytes from ``start`` up to ``end``. Raises OSError."""
    chunks = _read(path, start, end)
    next(chunks)
    return chunks


def _read(path: str | PathLike[str], start: int, end: int | None) -> Iterator[bytes]:
    with open(path, "rb") as file:
        yield b""  # after this, closing the generator closes the file
        left = file.seek(0, 2) if end is None else end
        left -= file.seek(start)
        while left > 0 and (chunk := file.read(min(FILE_CHUNK, left))):
            left -= len(chunk)
            yield chunk
