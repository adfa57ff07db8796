"""Asking an application: any of them, of ours, WSGI or ASGI, called as a function from a request to a response.

What is asked is a request of its own, with the same head and body: the caller's keeps its route, places and hooks.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextvars import Context, copy_context
from copy import copy
from types import coroutine
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from antiphon.adapters.foreign.wsgi import from_wsgi
from antiphon.adapters.servable import Servable, check_interface, spoken_by
from antiphon.concurrency.iterables import aclose, as_bytes, close_of
from antiphon.concurrency.loop import is_on_loop
from antiphon.handler.contract import ON_LOOP, ON_THREAD, finish
from antiphon.handler.drive import driven, run_async, run_sync
from antiphon.http.head import DerivedHead, Head
from antiphon.request.request import Request
from antiphon.response.applications import Application, ASGIApplication, Interface
from antiphon.response.message import Stream
from antiphon.response.response import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


T = TypeVar("T")


class BlockingBody:
    """A streamed body that a thread reads. At its end, or by ``close``, it is closed and the request finished, once."""

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
                self._iterator = self._begun(self._body)
            return as_bytes(self._context.run(next, self._iterator))
        except BaseException:
            self.close()
            raise

    def _begun(self, body: Stream) -> Iterator[bytes | str]:
        if not isinstance(body, AsyncIterable):
            return self._context.run(iter, body)
        from antiphon.concurrency.bridge import SyncFromAsync

        return SyncFromAsync(body, self._context.copy())

    def close(self) -> None:
        """Close the body, and run what was left for after the response."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._close()
        finally:
            run_sync(finish(self._request), self._context)

    def _close(self) -> None:
        if self._iterator is None and isinstance(self._body, AsyncIterable):
            self._iterator = self._begun(self._body)
        if close := close_of(self._iterator, self._body):
            self._context.run(close)


class AsyncBody:
    """A streamed body that a task reads. At its end, or by ``aclose``, it is closed and the request finished, once."""

    def __init__(self, request: Request, body: Stream, context: Context) -> None:
        from antiphon.concurrency.bridge import AsyncFromSync

        self._request = request
        self._body: AsyncIterable[bytes | str] = body if isinstance(body, AsyncIterable) else AsyncFromSync(body)
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
        """Close the body, and run what was left for after the response."""
        if not self._is_closed:
            self._is_closed = True
            await in_context(self._context, self._close())

    async def _close(self) -> None:
        try:
            await aclose(self._iterator, self._body)
        finally:
            await run_async(finish(self._request))


@coroutine
def in_context(context: Context, steps: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Drive a coroutine in the current task, but in another context."""
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
            resume, value = steps.throw, broken_off


def get_response(application: Application, request: Request, interface: Interface | None = None) -> Response:
    """``Request.get_response``."""
    check_interface(interface)
    _refuse_on_a_loop()
    if request.head.has_body:
        request.content.load_on_thread(request.limits)
    asked = _asked(request, blocks=True)
    if isinstance(application, Servable):
        application.start_on_thread()
    context = copy_context()
    try:
        response = run_sync(_answer(application, asked, interface), context)
    except BaseException:
        run_sync(finish(asked), context)
        raise
    if isinstance(response.body, bytes):
        run_sync(finish(asked), context)
        return response
    return _with_body(response, BlockingBody(asked, response.body, context))


async def aget_response(application: Application, request: Request, interface: Interface | None = None) -> Response:
    """``Request.aget_response``."""
    check_interface(interface)
    if request.head.has_body:
        await request.load()
    asked = _asked(request, blocks=False)
    if isinstance(application, Servable):
        await application.start()
    context = copy_context()
    try:
        response = await in_context(context, driven(_answer(application, asked, interface)))
    except BaseException:
        await in_context(context, driven(finish(asked)))
        raise
    if isinstance(response.body, bytes):
        await in_context(context, driven(finish(asked)))
        return response
    return _with_body(response, AsyncBody(asked, response.body, context))


def _refuse_on_a_loop() -> None:
    if is_on_loop():
        raise RuntimeError("get_response() would block this event loop: await aget_response() instead")


class AskedHead(DerivedHead):
    """The head of a request whose body is there already; where it is answered may block, or wait."""

    def __init__(self, inner: Head, has_body: bool, blocks: bool) -> None:
        super().__init__(inner)
        self._has_body = has_body
        self._blocks = blocks

    @property
    def blocks(self) -> bool:
        """Whether the request is answered on a thread."""
        return self._blocks

    @property
    def has_body(self) -> bool:
        """Whether there is any content."""
        return self._has_body


def _asked(request: Request, blocks: bool) -> Request:
    size = request.content.size
    head = AskedHead(request.head, size > 0, blocks)
    return Request(head, request.content.share(head) if size else b"")


async def _answer(application: Application, request: Request, interface: Interface | None) -> Response:
    """The steps that ask, wherever they are driven."""
    if isinstance(application, Servable):
        return await application.handle(request)
    if (interface or spoken_by(application)) == "wsgi":
        await ON_THREAD
        return from_wsgi(cast("WSGIApplication", application))(request)
    from antiphon.adapters.foreign.asgi import from_asgi

    await ON_LOOP
    return await from_asgi(cast(ASGIApplication, application))(request)


def _with_body(response: Response, body: Stream) -> Response:
    """The response, which the application may share, with a body in place of its own."""
    response = copy(response)
    response.body = body
    return response


class Served(Servable):
    """A response as an application, which gives it in answer to every request."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self._started = True  # there is nothing to start up
        self._response = response

    async def handle(self, request: Request) -> Response:  # noqa: ARG002 - all are answered the same
        """Give the response."""
        return self._response


def serve_response(response: Response) -> Served:
    """An application that answers by this response."""
    return Served(response)
