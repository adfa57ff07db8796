"""Calling any WSGI, ASGI or Antiphon application as a function that turns a request into a response.

The application gets its own request, with the same head and body, so the caller's request keeps its route, dependencies
and hooks.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Generator, Iterable, Iterator
from contextvars import Context, copy_context
from copy import copy
from types import coroutine
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from antiphon.adapters.asgi import ASGIApplication
from antiphon.adapters.foreign import ForeignApplication, ForeignInterface, check_interface, interface_of
from antiphon.adapters.foreign.wsgi import from_wsgi
from antiphon.adapters.servable import Servable
from antiphon.adapters.wsgi import LOOK
from antiphon.concurrency.iterables import aclose, as_bytes, close_of
from antiphon.concurrency.loop import refuse_on_loop
from antiphon.handler.contract import ON_LOOP, ON_THREAD, finish
from antiphon.handler.drive import crossing_so_far, driven, run_async, run_sync
from antiphon.http.head import DerivedHead, Head
from antiphon.request.request import Request
from antiphon.request.shared_caches import tell_shared_caches
from antiphon.response.message import Stream
from antiphon.response.response import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

T = TypeVar("T")


def get_response(
    application: ForeignApplication, request: Request, interface: ForeignInterface | None = None
) -> Response:
    """Call an application with a request, on this thread, and return its response.

    ``application`` is an Antiphon, WSGI or ASGI application; pass ``interface`` if the interface can't be detected. Its
    async code runs on the background loop. A streamed body is a blocking iterator of bytes with ``close()``. Functions
    that the application passes to ``request.after_response`` are called before this function returns or, for a stream,
    when the stream ends or is closed. This function starts an Antiphon application; for any other application, you have
    to run the lifespan yourself. Raises any error of another framework's application, ValueError for an ``interface``
    other than "wsgi" and "asgi", and RuntimeError on an event loop: use ``aget_response`` there.
    """
    check_interface(interface)
    refuse_on_loop("get_response()", "aget_response()")
    if request.head.has_body:
        request.content.load_on_thread(request.limits)
    if isinstance(application, Servable):
        application.start()
    subrequest = _subrequest(request, blocks=True)
    context = copy_context()
    response = run_sync(_response_to(application, subrequest, interface), context)
    body = response.body
    return response if isinstance(body, bytes) else _with_body(response, BlockingBody(subrequest, body, context))


async def aget_response(
    application: ForeignApplication, request: Request, interface: ForeignInterface | None = None
) -> Response:
    """Call an application with a request, on an event loop, and return its response: ``get_response`` for coroutines.

    The application runs in the current task, in its own context; its blocking code runs on threads. A streamed body is
    an async iterator of bytes with ``aclose()``. A body that has not arrived yet is loaded first.
    """
    check_interface(interface)
    if request.head.has_body:
        await request.aload()
    if isinstance(application, Servable):
        await application.astart()
    return await acall(application, _subrequest(request, blocks=False), interface)


async def acall(
    application: ForeignApplication, request: Request, interface: ForeignInterface | None = None
) -> Response:
    """Call an application as ``aget_response`` does, with its own request, whose body has been received."""
    context = copy_context()
    response = await in_context(context, driven(_response_to(application, request, interface)))
    body = response.body
    return response if isinstance(body, bytes) else _with_body(response, AsyncBody(request, body, context))


async def _response_to(
    application: ForeignApplication, request: Request, interface: ForeignInterface | None
) -> Response:
    """Call the application. The request is then finished, unless the response is streamed."""
    try:
        response = _told(request, await _respond(application, request, interface))
    except BaseException:
        # Its functions run in any case: nothing else finishes this request.
        await finish(request)
        raise
    try:
        if isinstance(response.body, bytes):
            await finish(request)
        return response
    finally:
        del response  # its error refers to this frame


async def _respond(application: ForeignApplication, request: Request, interface: ForeignInterface | None) -> Response:
    if isinstance(application, Servable):
        return await application._handle(request)
    if (interface or interface_of(application)) == "wsgi":
        await ON_THREAD
        return from_wsgi(cast("WSGIApplication", application))(request)
    from antiphon.adapters.foreign.asgi import from_asgi

    await ON_LOOP
    return await from_asgi(cast(ASGIApplication, application))(request)


def _told(request: Request, response: Response) -> Response:
    """Return a response that tells shared caches what was read, since the caller may be another framework's view."""
    fields = tell_shared_caches(request, response._fields)
    if fields is not response._fields:
        response = copy(response)
        response._fields = fields
    return response


def _subrequest(request: Request, blocks: bool) -> Request:
    size = request.content.size
    head = _SubrequestHead(request.head, size > 0, blocks)
    subrequest = Request(head, request.content.share(head) if size else b"")
    subrequest._view = request._view
    return subrequest


class _SubrequestHead(DerivedHead):
    """The head of a request whose body has been received. It ignores early hints, because the client may get a
    different response.
    """

    def __init__(self, inner: Head, has_body: bool, blocks: bool) -> None:
        super().__init__(inner)
        self._has_body = has_body
        self._blocks = blocks

    @property
    def blocks(self) -> bool:
        """True if the request is handled on a thread."""
        return self._blocks

    @property
    def has_body(self) -> bool:
        """True if there is any content."""
        return self._has_body

    @property
    def takes_early_hints(self) -> bool:
        """False."""
        return False

    def send_early_hints(self, links: Iterable[str]) -> None:
        """Send nothing."""


def _with_body(response: Response, body: Stream) -> Response:
    """Return a copy of the response with a different body, because the application may return the same response
    again.
    """
    response = copy(response)
    response.body = body
    return response


class BlockingBody:
    """A streamed body for a thread to read. Reaching its end or calling ``close`` closes it and finishes the request,
    once.
    """

    def __init__(self, request: Request, body: Stream, context: Context) -> None:
        self._request = request
        self._body = body
        self._context = context
        self._iterator: Iterator[bytes | str] | None = None
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._is_closed:
            raise StopIteration
        try:
            if self._iterator is None:
                self._iterator = self._open_iterator(self._body)
            return as_bytes(self._context.run(next, self._iterator))
        except BaseException:
            self.close()
            raise

    def _open_iterator(self, body: Stream) -> Iterator[bytes | str]:
        if not isinstance(body, AsyncIterable):
            return self._context.run(iter, body)
        from antiphon.adapters.disconnect import watch_over_wsgi
        from antiphon.concurrency.bridge import SyncFromAsync

        return SyncFromAsync(body, self._context.copy(), watch_over_wsgi(self._request.head), LOOK)

    def close(self) -> None:
        """Close the body and call the functions passed to ``request.after_response``."""
        if self._is_closed:
            return
        # Before the close, which may fail: it is closed once.
        self._is_closed = True
        try:
            self._close()
        finally:
            run_sync(finish(self._request), self._context)

    def _close(self) -> None:
        if self._iterator is None and isinstance(self._body, AsyncIterable):
            self._iterator = self._open_iterator(self._body)
        if close := close_of(self._iterator, self._body):
            self._context.run(close)


class AsyncBody:
    """A streamed body for a task to read. Reaching its end, or ``aclose``, closes it and finishes the request, once."""

    def __init__(self, request: Request, body: Stream, context: Context) -> None:
        from antiphon.concurrency.bridge import AsyncFromSync

        self._request = request
        self._body: AsyncIterable[bytes | str] = (
            body if isinstance(body, AsyncIterable) else AsyncFromSync(body, shared=crossing_so_far(request))
        )
        self._context = context
        self._iterator: AsyncIterator[bytes | str] | None = None
        self._is_closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_closed:
            raise StopAsyncIteration
        try:
            return as_bytes(await in_context(self._context, self._next()))
        except BaseException:
            await self.aclose()
            raise

    async def _next(self) -> bytes | str:
        if self._iterator is None:
            self._iterator = aiter(self._body)
        return await anext(self._iterator)

    async def aclose(self) -> None:
        """Close the body and call the functions passed to ``request.after_response``."""
        if not self._is_closed:
            self._is_closed = True
            await in_context(self._context, self._close())

    async def _close(self) -> None:
        try:
            await aclose(self._iterator, self._body)
        finally:
            await run_async(finish(self._request), request=self._request)


@coroutine
def in_context(context: Context, steps: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Run a coroutine in the current task, but in a different context."""
    resume: Callable[[Any], Any] = steps.send
    value: Any = None
    while True:
        try:
            effect = context.run(resume, value)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # the coroutine's T
        try:
            value = yield effect
            resume = steps.send
        except BaseException as broken_off:
            # A cancellation is thrown into the steps, in their own context.
            resume, value = steps.throw, broken_off
