"""A client's call: a request, the redirects after it, and the response, read as a whole or chunk by chunk."""

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from antiphon.explanations import explained
from antiphon.http.urls.url import URL, unquote
from antiphon.testing.cookies import CookieJar
from antiphon.testing.errors import TooMuch, within
from antiphon.testing.requests import ClientRequest
from antiphon.testing.responses import ClientResponse, ResponseBody, ResponseHead
from antiphon.testing.servers.exchange import Exchange, Head, Opener

MAX_REDIRECTS = 20
"""The maximum number of successive redirects to follow."""

T = TypeVar("T")

_REDIRECTS = (301, 302, 303, 307, 308)
_dot_segments = re.compile(r"(?<![^/])(?:\.|%2e){1,2}(?![^/])", re.IGNORECASE)


Check: TypeAlias = Callable[[ClientRequest, ClientResponse], None]
CHECKS: ContextVar[list[Check]] = ContextVar("checks")
"""The checks of a whole response, to which the application that handles its request adds its own."""


class CallOptions(NamedTuple):
    """Limits and options of a call.

    ``timeout`` is in seconds, for a whole response or for one step of a stream. ``max_body`` is in bytes, for a body
    that is held in memory. ``cookies`` are sent to the first request's origin, in addition to those in the jar.
    """

    timeout: float | None
    max_body: int
    follow_redirects: bool
    cookies: Mapping[str, str]


class Call:
    """A request in progress: ``respond`` does everything; ``open``, ``chunk`` and ``leave`` are its steps.

    If a step fails, the application is stopped and the call is over.
    """

    def __init__(self, transport: Opener, request: ClientRequest, jar: CookieJar, options: CallOptions) -> None:
        self._transport = transport
        self._origin = request.origin
        self._jar = jar
        self.options = options
        self._exchange: Exchange | None = None
        self._is_over = False
        self.request = request
        self.history: list[ClientResponse] = []

    async def respond(self) -> ClientResponse:
        """Return the whole response, after redirects, as soon as the application has ended."""
        return await self._limited(self._respond(), "the whole response")

    async def open(self) -> Head:
        """Return the response's head, after redirects."""
        return await self._limited(self._open(), "the head of the response")

    async def chunk(self) -> bytes | None:
        """Return the next chunk of the body; None at its end."""
        return None if self._is_over else await self._limited(self._body.chunk(), "the next chunk of the body")

    async def rest(self) -> bytes:
        """Return the rest of the body."""
        if self._is_over:
            return b""
        return await self._limited(self._body.read(self.options.max_body), "the rest of the body")

    async def leave(self, error: BaseException | None = None) -> None:
        """Disconnect if the body has not ended, and wait until the application has ended.

        If the test has failed with ``error``, stop the application instead of waiting, so that the test's error is
        shown.
        """
        if self._is_over or self._exchange is None:
            return
        self._is_over = True
        if error is not None:
            await self._exchange.abort()
        else:
            await self._limited(self._exchange.close(), "the application to end, now that the client has gone away")

    async def _respond(self) -> ClientResponse:
        head = await self._open()
        return await self._complete(head)

    async def _complete(self, head: Head) -> ClientResponse:
        assert self._exchange is not None  # noqa: S101 - it has returned the head
        body = await self._body.read(self.options.max_body)
        await self._exchange.close()
        response = ClientResponse(self.request, head, self.history.copy(), body)
        for check in self._checks:
            check(self.request, response)
        return response

    async def _open(self) -> Head:
        while True:
            head = await self._send()
            following = next_request(self.request, head) if self.options.follow_redirects else None
            if following is None:
                return head
            if len(self.history) == MAX_REDIRECTS:
                raise TooMuch(f"{self.request.url} redirects again after {MAX_REDIRECTS} redirects")
            self.history.append(await self._complete(head))
            self.request = following

    async def _send(self) -> Head:
        url = self.request.url
        more = self.options.cookies if self.request.origin == self._origin else {}
        self.request = self.request.with_cookies(self._jar.header(url, more))
        self._checks: list[Check] = []
        outer = CHECKS.set(self._checks)
        try:
            self._exchange = self._transport.open(self.request)
            head = await self._exchange.head()
        finally:
            CHECKS.reset(outer)
        self._body = ResponseBody(self._exchange, self.request.method, head)
        self._jar.store(url, head.headers.getall("set-cookie"))
        return head

    async def _limited(self, work: Coroutine[Any, Any, T], awaited: str) -> T:
        try:
            return await within(self.options.timeout, work, lambda: self._timeout_message(awaited))
        except BaseException:
            self._is_over = True
            if self._exchange is not None:
                await self._exchange.abort()
            raise

    def _timeout_message(self, awaited: str) -> str:
        where = self._exchange.where() if self._exchange is not None else ""
        place = f"; the application is at\n{where}" if where else ""
        return f"{self.request} has waited {self.options.timeout} seconds for {awaited}{place}"


def next_request(request: ClientRequest, head: Head) -> ClientRequest | None:
    """Return the request that follows a redirect (RFC 9110 §15.4).

    Returns None for other responses, and for redirects to URLs that no HTTP server handles, such as ``mailto:``. Raises
    ValueError for a Location that isn't a URL, or for a body that must be sent again but is used up.
    """
    location = head.headers.get("location")
    if head.status not in _REDIRECTS or location is None:
        return None
    url = _resolve(request.url, location)
    if url.scheme not in ("http", "https") or not url.host:
        return None
    method = redirected_method(request.method, head.status)
    if method == request.method and not isinstance(request.content, bytes | list | tuple):
        raise explained(
            "bad-test-request", f"a {head.status} requires the body a second time, but its iterator has been used up"
        )
    return request.redirected(url, method)


def _resolve(base: URL, location: str) -> URL:
    """Join URLs as browsers do: dot segments are removed, even if their dots are escaped (URL Standard §4.1)."""
    path = location.partition("#")[0].partition("?")[0]
    return base.join(_dot_segments.sub(lambda dots: unquote(dots[0]), path) + location[len(path) :])


def redirected_method(method: str, status: int) -> str:
    """Return the method after a redirect. A POST becomes a GET, as in browsers (RFC 9110 §15.4)."""
    if status == 303:
        return method if method == "HEAD" else "GET"
    return "GET" if status in (301, 302) and method == "POST" else method


class Run(Protocol):
    """A function that runs a coroutine to its end."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T: ...


class StreamedResponse(ResponseHead):
    """A response whose body is still to come: an iterator that waits for the body's non-empty chunks."""

    def __init__(self, call: Call, head: Head, run: Run) -> None:
        super().__init__(call.request, head, call.history)
        self._call = call
        self._run = run

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._run(self._call.chunk())
        if chunk is None:
            raise StopIteration
        return chunk

    def read(self) -> bytes:
        """Read the rest of the body."""
        return self._run(self._call.rest())


class AsyncStreamedResponse(ResponseHead):
    """A response whose body is still to come: an async iterator over the body's non-empty chunks."""

    def __init__(self, call: Call, head: Head) -> None:
        super().__init__(call.request, head, call.history)
        self._call = call

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._call.chunk()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def read(self) -> bytes:
        """Read the rest of the body."""
        return await self._call.rest()


C = TypeVar("C", bound=Call)


class Opening(Generic[C, T]):
    """A context manager that opens a response or a WebSocket, and leaves it at the end."""

    def __init__(self, call: C, run: Run, kind: Callable[[C, Head, Run], T]) -> None:
        self._call = call
        self._run = run
        self._kind = kind

    def __enter__(self) -> T:
        return self._kind(self._call, self._run(self._call.open()), self._run)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run(self._call.leave(error))


class AsyncOpening(Generic[C, T]):
    """An async context manager that opens a response or a WebSocket, and leaves it at the end."""

    def __init__(self, call: C, kind: Callable[[C, Head], T]) -> None:
        self._call = call
        self._kind = kind

    async def __aenter__(self) -> T:
        return self._kind(self._call, await self._call.open())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._call.leave(error)
