"""RSGI (version 1): read a scope as a head, and handle a server's request with a handler."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from antiphon.adapters.heads import LENGTHS, HeadMembers, address, http_version
from antiphon.handler.contract import Handler, finish
from antiphon.handler.drive import run_async
from antiphon.http.errors import IncompleteBody
from antiphon.http.head import NOT_PLAIN, Address, server_head, uncoded_length
from antiphon.http.headers import combine
from antiphon.http.reads import ADDRESS, EVERYTHING, HTTP_VERSION, QUERY, record_read, recorded
from antiphon.http.urls.path import one_host
from antiphon.request.request import NO_BODY, Request, new_request
from antiphon.request.shared_caches import tell_shared_caches
from antiphon.response.files import FileBody
from antiphon.response.message import Stream, message_of
from antiphon.response.response import Response

CLOSED = "RSGIProtocolClosed"
"""The name of the error with which Granian reports that the client has disconnected."""


class RSGIHeaders(Protocol):
    """The headers of an RSGI scope, as a mapping."""

    def get(self, name: str) -> str | None: ...
    def get_all(self, name: str) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...
    def __contains__(self, name: str) -> bool: ...


class RSGIScope(Protocol):
    """An RSGI server's description of a request."""

    proto: str
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None
    headers: RSGIHeaders


class RSGIHead(HeadMembers):
    """The head of a request, read from a scope, with the body from the protocol. The path is already decoded."""

    blocks = False
    has_limited_size = True
    raw_path = None
    root_path = ""
    takes_early_hints = False
    _chunks: Any = None

    def __init__(self, scope: RSGIScope, protocol: Any) -> None:
        self.scope = scope
        self._protocol = protocol
        headers = self._headers = scope.headers  # Granian rebuilds them on each access
        hosts, authority, has_frames = headers.get_all("host"), scope.authority, scope.http_version[0] in "23"
        host = ",".join(hosts) if hosts else None
        if authority and host and has_frames and host.lower() != authority.lower():
            host = f"{authority},{host}"  # in HTTP/1.1, the target's replaces the others (RFC 9112 §3.2.2, 9113 §8.3.1)
        self.host_line = one_host(authority, host) if authority else host
        self.method = scope.method
        self.path = scope.path or "/"
        self.has_body: bool = "content-length" in headers or "transfer-encoding" in headers or has_frames
        """False if neither a length nor a transfer coding is declared (RFC 9112 §6.3); unknown in HTTP/2 and 3."""

    def plain_target(self) -> tuple[object, ...] | None:
        """Return a key for the URL, from the server's own values, or None."""
        host, scope, headers = self.host_line, self.scope, self._headers
        if self.has_body or not host or self.method != "GET":
            return None
        if any([name in headers for name in NOT_PLAIN]):  # noqa: C419 - in less time
            return None
        return host, scope.path, scope.query_string, scope.scheme

    @property
    def query_string(self) -> bytes:
        """The scope's query_string."""
        record_read(self, QUERY)
        return self.scope.query_string.encode("latin-1", "replace")

    @property
    def scheme(self) -> str:
        """The scope's scheme."""
        return self.scope.scheme

    @property
    def authority(self) -> str:
        """The target's authority, the Host header, or the server's address."""
        return self.field("host") or self.scope.server

    http_version = recorded("_version", HTTP_VERSION)

    @property
    def _version(self) -> str:
        return http_version(self.scope.http_version)

    @property
    def client(self) -> Address | None:
        """The scope's client."""
        record_read(self, ADDRESS)
        host, colon, port = (self.scope.client or "").rpartition(":")
        return address(host.strip("[]"), port) if colon else address(port, None)

    @property
    def uncoded_length(self) -> int | None:
        """The declared length of an uncoded body."""
        return uncoded_length(self._find)

    def field(self, name: str) -> str | None:
        """Return a header's value, with several lines joined. Host is the target's host, if it has one."""
        record_read(self, name)
        return self._find(name)

    def _find(self, name: str) -> str | None:
        if name == "host" and (authority := self.scope.authority):
            return authority
        values = self._headers.get_all(name)
        return combine(name, values) if values else None

    def fields(self) -> list[tuple[str, str]]:
        """Return every header; Host is as in ``field``."""
        record_read(self, EVERYTHING)
        fields = list(self._headers.items())
        authority = self.scope.authority
        return [("host", authority), *(field for field in fields if field[0] != "host")] if authority else fields

    def send_early_hints(self, links: Iterable[str]) -> None:
        """Send nothing: RSGI has no early hints."""

    @property
    def header_size(self) -> int:
        """The size of the header section."""
        return sum([len(name) + len(value) + 32 for name, value in self._headers.items()])

    async def receive(self) -> bytes:
        """Return the next chunk of the body. Raises ClientDisconnected."""
        if self._chunks is None:
            self._chunks = aiter(self._protocol)
        try:
            while True:
                chunk: bytes = await anext(self._chunks)
                # An empty chunk is not the end, which is StopAsyncIteration.
                if chunk:
                    return chunk
        except StopAsyncIteration:
            return b""
        except Exception as error:
            raise IncompleteBody("The connection was lost while the body was being read.") from error

    async def wait_disconnect(self) -> None:
        """Wait until the client disconnects."""
        await self._protocol.client_disconnect()


async def call_rsgi(handler: Handler, scope: RSGIScope, protocol: Any) -> None:
    """Handle a request from an RSGI server with a handler."""
    head = RSGIHead(scope, protocol)
    request = new_request(head, NO_BODY)
    is_unfinished = False
    try:
        result = handler._respond_on_loop(request)
        if type(result) is not tuple:  # faster than ``isinstance`` for a response
            response = result if isinstance(result, Response) else await result  # type: ignore[misc]
            result = message_of(response._body, response._fields, response._status, head.method)  # noqa: SLF001
            del response  # an error raised below refers to this frame, and its response to the error
        status, fields, length, body, is_silent, may_be_stored = result
        if may_be_stored:
            fields = tell_shared_caches(request, fields)
        fields = [*fields] if length is None else [*fields, LENGTHS[length]]
        if request._deferred or type(body) is not bytes:
            is_unfinished = True
            handler.unfinished.add(head)
        if isinstance(body, bytes):
            if is_silent or not body:
                protocol.response_empty(status, fields)
            else:
                protocol.response_bytes(status, fields, body)
        elif type(body) is not FileBody or is_silent or not _sent_by_path(request, body, status, fields, protocol):
            await _stream(request, body, status, fields, protocol, is_silent)
    finally:
        try:
            if request._deferred:
                await run_async(finish(request), request=request)
        finally:
            request._crossing = None  # its context refers to the request
            if is_unfinished:
                handler.unfinished.discard(head)


def _sent_by_path(request: Request, body: FileBody, status: int, fields: list[tuple[str, str]], protocol: Any) -> bool:
    """Make the server send a file, or a part of it, by path.

    Return False if that isn't possible. The server opens the file later, so functions passed to
    ``request.after_response`` might remove it first.
    """
    size = body.size_by_path()
    if request._deferred or size is None or not body.length:
        return False
    if size == body.length:
        protocol.response_file(status, fields, body.path)
    else:
        protocol.response_file_range(status, fields, body.path, body.offset, body.offset + body.length)
    return True


async def _stream(
    request: Request, body: Stream, status: int, fields: list[tuple[str, str]], protocol: Any, is_silent: bool
) -> None:
    from antiphon.adapters.connection import Pace
    from antiphon.adapters.streaming import write_chunks

    transports: list[Any] = []
    pace = Pace(server_head(request.head).client)

    async def send(message: dict[str, Any]) -> None:
        await pace.wait(len(message["body"]))
        try:
            await transports[0].send_bytes(message["body"])
        except Exception as error:
            if type(error).__name__ == CLOSED:
                raise ConnectionResetError(str(error)) from error
            raise

    async def send_head() -> Callable[[dict[str, Any]], Awaitable[None]]:
        transports.append(protocol.response_stream(status, fields))
        return send

    try:
        await write_chunks(request, body, send_head, is_silent, fields)
    finally:
        transports.clear()  # Granian ends the response when its transport is no longer referenced
