"""One object that every server can call: as WSGI, as ASGI and as RSGI."""

import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import copy_context
from copy import copy
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, overload

from antiphon.adapters.asgi import (
    Receive,
    Scope,
    Send,
    call_asgi,
    call_lifespan,
    may_send_unbounded_header,
    refuse_websocket,
)
from antiphon.adapters.rsgi import RSGIScope, call_rsgi
from antiphon.adapters.wsgi import call_wsgi
from antiphon.concurrency.at_exit import call_at_exit
from antiphon.concurrency.coroutine_function import CoroutineFunctionLike
from antiphon.handler.callables import check_arguments
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Steps, failed, is_async, wrong_return
from antiphon.handler.drive import run_async
from antiphon.http.path import check_path
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.adapters.lifetime import Life


class Lifecycle(Protocol):
    """What has steps before the first request of a process, and after the last."""

    async def startup(self) -> None: ...
    async def shutdown(self) -> None: ...


class Servable:
    """A handler that is a WSGI, an ASGI and an RSGI application at once.

    ``startup`` and ``shutdown`` run in one task and one context, which no request sees. WSGI has no lifespan: there
    ``startup`` runs before the first request of a process, and ``shutdown`` when the interpreter exits, as far as the
    server lets it. On a loop without a lifespan ``shutdown`` runs when the loop's tasks are cancelled.
    """

    _started: bool
    _life: "Life | None" = None

    def __init__(self) -> None:
        self._starting = Lock()
        self._started = False
        _make_recognisable(self)

    def handle(self, request: Request) -> Steps[Response]:
        """The steps that answer a request. They handle their own errors."""
        raise NotImplementedError

    def answer(self, request: Request) -> Awaitable[Response]:
        """The response, awaited on an event loop."""
        return run_async(self.handle(request))

    async def startup(self) -> None:
        """The steps before the first request of a process."""

    async def shutdown(self) -> None:
        """The steps after the last request of a process."""

    @property
    def lifecycle(self) -> Lifecycle:
        """Whose startup and shutdown these are: its own, unless the names mean something else in it."""
        return self

    def measure_header_sections(self) -> None:
        """Called before the first request of a server that is known to let header sections of any size through."""

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """The interface that serves this best: WSGI when everything in it blocks, else ASGI."""
        return "asgi"

    @overload
    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse", /) -> Iterable[bytes]: ...
    @overload
    def __call__(self, scope: Scope, receive: Receive, send: Send, /) -> Awaitable[None]: ...
    def __call__(self, head: Any, second: Any, send: Any = None, /) -> Any:
        """Answer a WSGI server, which calls with two arguments, or an ASGI server, which calls with three."""
        if send is None:
            if not self._started:
                self.start_on_thread()
            return call_wsgi(self, head, second)
        if self._started and head["type"] == "http":
            return call_asgi(self, head, second, send)
        return self._start_asgi(head, second, send)

    async def _start_asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        if may_send_unbounded_header(receive):
            self.measure_header_sections()
        if scope["type"] == "http":
            await self.start()
            await call_asgi(self, scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
        else:
            await refuse_websocket(receive, send)

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        from asyncio import CancelledError

        try:
            await call_lifespan(self.start, self._stop, receive, send)
        except CancelledError:
            if self._life is not None:
                await self._life.break_off()
            raise

    def __rsgi__(self, scope: RSGIScope, protocol: Any) -> Coroutine[Any, Any, None]:
        """Answer an RSGI server."""
        if self._started and scope.proto == "http":
            return call_rsgi(self, scope, protocol)
        return self._start_rsgi(scope, protocol)

    async def _start_rsgi(self, scope: RSGIScope, protocol: Any) -> None:
        if scope.proto != "http":
            protocol.close(403)
            return
        await self.start()
        await call_rsgi(self, scope, protocol)

    def __rsgi_init__(self, loop: "AbstractEventLoop") -> None:
        """Start up before an RSGI server's first request."""
        loop.run_until_complete(self.start())

    def __rsgi_del__(self, loop: "AbstractEventLoop") -> None:
        """Shut down after an RSGI server's last request."""
        loop.run_until_complete(self._stop())

    async def start(self) -> None:
        """Start up on the running loop, unless it has happened, and wait until that is done. Raises what it raises."""
        life, is_new = self._current_life()
        if is_new:
            life.begin()
        await life.begun()

    async def _stop(self) -> None:
        if self._life is not None and not self._life.is_over:
            await self._life.end()

    def start_on_thread(self) -> None:
        """Start up where no loop runs, unless it has happened, and wait until that is done. Raises what it raises."""
        life, is_new = self._current_life()
        if is_new:
            life.begin_on_thread(copy_context())
            call_at_exit(partial(self._stop_sync, life))
        life.wait_begun()

    def stop_on_thread(self) -> None:
        """Shut down, if it runs, from a thread beside those that serve, and wait for it. Raises what that raises."""
        if self._life is not None:
            self._stop_sync(self._life)

    def _stop_sync(self, life: "Life") -> None:
        if not life.is_over:
            life.end_at_exit()

    def _current_life(self) -> "tuple[Life, bool]":
        """The life that requests wait for, and whether it is still to be begun."""
        from antiphon.adapters.lifetime import Life

        with self._starting:
            life = self._life
            if life is not None and not life.is_over:
                return life, False
            life = self._life = Life(self._start_up, self._shut_down)
            return life, True

    async def _start_up(self) -> None:
        await self.lifecycle.startup()
        self._started = True

    async def _shut_down(self) -> None:
        self._started = False
        await self.lifecycle.shutdown()


def _make_recognisable(servable: Servable) -> None:
    """Let servers that look at ``app.__call__`` see a coroutine function, which is how they tell ASGI from WSGI."""
    if sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction

        markcoroutinefunction(type(servable).__call__)
    else:  # calls look at the class and don't pass here
        servable.__call__ = CoroutineFunctionLike(servable)  # type: ignore[method-assign]


Function: TypeAlias = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


class ServedFunction(Servable):
    """A plain function, ``def`` or ``async def``, as an application: it gets the request, its body loaded."""

    def __init__(self, function: Function) -> None:
        check_arguments(function, "request")
        super().__init__()
        self._function = function
        self._is_async = is_async(function)

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI for a ``def``, ASGI for an ``async def``."""
        return "asgi" if self._is_async else "wsgi"

    async def handle(self, request: Request) -> Response:
        """Load the body, call the function, and answer errors as problem details or as a page."""
        try:
            check_path(request.head.path)
            if request.head.has_body:
                await request.load()
            if not self._is_async:
                await ON_THREAD
            elif request.head.blocks:
                await ON_LOOP
            answer = self._function(request)
            if self._is_async:
                answer = await answer  # type: ignore[misc]  # a coroutine, as is_async says
            if not isinstance(answer, Response):
                raise wrong_return(self._function, answer, "a Response is wanted")
            if answer.is_conditional:
                answer = copy(answer).conditional(request)  # the function may give the same one again
            if request.consulted:
                answer.vary(*request.consulted)
            return answer
        except Exception as error:
            return failed(request, error)

    def answer(self, request: Request) -> Awaitable[Response]:
        """The response, awaited on an event loop."""
        return self.handle(request) if self._is_async else super().answer(request)


class ServedResponse(Servable):
    """A response as an application, which gives it in answer to every request."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self._started = True  # nothing has to be started
        self._response = response

    async def handle(self, request: Request) -> Response:  # noqa: ARG002 - all are answered alike
        """Return the response."""
        return self._response


@overload
def serve(answer: Function) -> ServedFunction: ...
@overload
def serve(answer: Response) -> ServedResponse: ...
def serve(answer: Function | Response) -> Servable:
    """Return an application for every server that answers by a function from a Request to a Response, or by a response.

    The function may be ``def`` or ``async def``. Usable as a decorator. Raises TypeError for what can't be called with
    a request.
    """
    return ServedResponse(answer) if isinstance(answer, Response) else ServedFunction(answer)
