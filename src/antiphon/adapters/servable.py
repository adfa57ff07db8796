"""Applications that any server can call over WSGI, ASGI or RSGI: any handler, or a response.

The path of a server's call depends on four flags, which `_set_started` sets together:

| state | ``_started`` | ``_is_direct`` | ``_takes_handshakes`` | ``_is_direct_on_thread`` |
|---|---|---|---|---|
| made, or shut down | no | no | no | no |
| started | yes | yes | if it has sockets | unless it takes handshakes |
| started, with observers | yes | no | if it has sockets | no |

A direct call goes straight to the adapter. Over WSGI, only the head of a request shows that it is a handshake. The
adapter then calls one of three methods, all of which lead to the steps of `_handle`:

| method | called | returns |
|---|---|---|
| `_respond_on_thread` | on a thread, over WSGI | the response, its message, or steps |
| `_respond_on_loop` | on a loop, over ASGI and RSGI | the response, its message, or an awaitable of it |
| `_respond_to_handshake` | on a loop, for a WebSocket | the response, or an awaitable of it |
"""

import sys
from collections.abc import Awaitable, Coroutine, Iterable
from contextvars import copy_context
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from antiphon.adapters.asgi import Receive, Scope, Send, call_asgi, may_send_unbounded_header
from antiphon.adapters.exchange import ObservedHandler, Observer, Observers
from antiphon.adapters.heads import RequestClass
from antiphon.adapters.lifespan_task import LifespanTask, call_lifespan
from antiphon.adapters.observing import observe_asgi, observe_rsgi, serve_observed_wsgi
from antiphon.adapters.rsgi import RSGIScope, call_rsgi
from antiphon.adapters.wsgi import call_wsgi
from antiphon.concurrency.loop import CoroutineFunctionLike, refuse_on_loop, running_loop
from antiphon.explanations import explained
from antiphon.handler.contract import Handler, Steps, ThreadHandler, Unfinished
from antiphon.handler.drive import run_async
from antiphon.handler.failures import Keeper, failed
from antiphon.http.errors import BadRequest
from antiphon.http.head import Head
from antiphon.http.urls.path import check_one_host
from antiphon.request.caller import client_of
from antiphon.request.request import Request
from antiphon.request.watching import unrecorded
from antiphon.response.message import Message
from antiphon.response.response import Response, seen

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Lifecycle(Protocol):
    """The steps to run before a process's first request, and after its last one."""

    async def startup(self) -> None: ...
    async def shutdown(self) -> None: ...


class Servable:
    """A handler that is a WSGI, an ASGI and an RSGI application.

    ``startup`` and ``shutdown`` run in one task and one context, which no request sees. WSGI has no lifespan, so
    ``startup`` runs before the first request of a process, and ``shutdown`` when the interpreter exits, unless the
    process is killed. On a loop without a lifespan, ``shutdown`` runs when the loop's tasks are cancelled.
    """

    _started: bool
    _is_direct: bool
    _takes_handshakes: bool
    _is_direct_on_thread: bool
    _lifespan_task: LifespanTask | None = None
    keeper: Keeper | None = None
    """The feature that keeps requests whose handlers have failed, if any."""

    def __init__(self) -> None:
        self._lifespan_lock = Lock()
        self.unfinished = Unfinished()
        """The requests whose ``after_response`` functions have yet to run."""
        self._observers = Observers()
        """The observers, in the order of their registration."""
        self._set_started(False)
        _look_async(self)

    def _handle(self, request: Request) -> Steps[Response]:
        """Return the steps that handle a request, including any errors in them.

        Raises NotImplementedError unless a subclass defines it.
        """
        raise NotImplementedError

    def _respond_on_thread(self, request: Request) -> Response | Message | Steps[Response]:
        """Handle a request on a server's thread; return the response, or the remaining steps."""
        return self._handle(request)

    def _respond_on_loop(self, request: Request) -> Response | Message | Awaitable[Response]:
        """Handle a request on a server's loop; return the response, or an awaitable of it.

        A request with more than one Host, or without a required one, is refused with 400 here, because servers that run
        an event loop don't do so themselves.
        """
        try:
            head = request.head
            check_one_host(head.host_line, unrecorded(head, lambda: head.http_version))
        except BadRequest as error:
            return failed(request, error)
        return self._respond(request)

    def _respond_to_handshake(self, request: Request) -> Response | Awaitable[Response]:
        """Handle the handshake of a WebSocket on a server's loop. Dialects with their own sockets override this."""
        return seen(self._respond_on_loop(request))

    def _respond(self, request: Request) -> Awaitable[Response]:
        """Handle a request on an event loop; return an awaitable of the response."""
        return run_async(self._handle(request), request=request)

    def _class_of(self, head: Head) -> RequestClass:
        """Return the class of a request, for an overloaded server."""
        return RequestClass(client_of(head), blocks=self.interface == "wsgi")

    async def startup(self) -> None:
        """Prepare for the first request of a process."""

    async def shutdown(self) -> None:
        """Clean up after the last request of a process."""

    # Serving

    def observe(self, observer: Observer) -> None:
        """Let an ``Observer`` see each request, and its response once all of it has been sent, even if it is a stream.

        It sees every request from a server, including those that no route matches; if the application is mounted, those
        that reach it.
        """
        self._observers.add(observer)
        self._set_started(self._started)

    @property
    def _lifecycle(self) -> Lifecycle:
        """The object whose ``startup`` and ``shutdown`` are called; a different object if a subclass needs these
        names.
        """
        return self

    def _measure_header_sections(self) -> None:
        """Record, before the first request, that the server may not limit header sections."""

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI if everything in this application blocks, so that a thread can handle the whole request; otherwise
        ASGI.
        """
        return "asgi"

    @overload
    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse", /) -> Iterable[bytes]: ...
    @overload
    def __call__(self, scope: Scope, receive: Receive, send: Send, /) -> Awaitable[None]: ...
    def __call__(self, head: Any, second: Any, send: Any = None, /) -> Any:
        """Handle a call from a WSGI server, with two arguments, or from an ASGI server, with three."""
        if send is None:
            return call_wsgi(self, head, second, None) if self._is_direct_on_thread else self._serve_wsgi(head, second)
        # First, because nearly all calls are of this kind.
        if self._is_direct and head["type"] == "http":
            return call_asgi(self, head, second, send)
        if self._started and head["type"] == "http":
            return self._call_asgi(head, second, send)
        if self._started and head["type"] == "websocket":
            return self._serve_handshake(head, second, send)
        return self._serve_asgi(head, second, send)

    def _serve_wsgi(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not self._started:
            self._start_on_thread()
        observed = ObservedHandler(self, self._observers) if self._is_observed else None
        inner: Handler = self if observed is None else observed
        handler: ThreadHandler = inner
        if self._takes_handshakes and "websocket" in environ.get("HTTP_UPGRADE", "").lower():
            # Imported for handshakes only: it needs asyncio.
            from antiphon.adapters.websockets.wsgi import HandshakeHandler
            from antiphon.websockets.channel import is_handshake

            if is_handshake(environ["REQUEST_METHOD"], environ["HTTP_UPGRADE"]):
                handler = HandshakeHandler(inner, observed)
        if observed is None:
            return call_wsgi(handler, environ, start_response)
        return serve_observed_wsgi(handler, environ, start_response, observed)

    async def _serve_asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._started and may_send_unbounded_header(receive):
            self._measure_header_sections()
        if scope["type"] == "http":
            if not self._started:
                await self.astart()
            await self._call_asgi(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._serve_handshake(scope, receive, send)
        else:
            raise ValueError(f"an ASGI scope must have the type http, lifespan or websocket, not {scope['type']!r}")

    def _call_asgi(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if not self._is_observed:
            return call_asgi(self, scope, receive, send)
        observed = ObservedHandler(self, self._observers)
        return observe_asgi(partial(call_asgi, observed), scope, receive, send, observed)

    async def _serve_handshake(self, *call: Any) -> None:
        """Handle a WebSocket handshake over ASGI or RSGI and run the conversation."""
        from antiphon.adapters.websockets.handshake import respond_to_handshake

        if not self._started:
            await self.astart()
        observed = ObservedHandler(self, self._observers) if self._is_observed else None
        await respond_to_handshake(self if observed is None else observed, observed, *call)

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        from asyncio import CancelledError

        try:
            await call_lifespan(self.astart, self.astop, receive, send)
        except CancelledError:
            if self._lifespan_task is not None:
                await self._lifespan_task.cancel()
            raise

    def __rsgi__(self, scope: RSGIScope, protocol: Any) -> Coroutine[Any, Any, None]:
        """Handle a request from an RSGI server."""
        if self._is_direct and scope.proto == "http":
            return call_rsgi(self, scope, protocol)
        if self._started and scope.proto == "http":
            return self._call_rsgi(scope, protocol)
        return self._serve_rsgi(scope, protocol)

    async def _serve_rsgi(self, scope: RSGIScope, protocol: Any) -> None:
        if scope.proto != "http":
            await self._serve_handshake(scope, protocol)
            return
        if not self._started:
            await self.astart()
        await self._call_rsgi(scope, protocol)

    def _call_rsgi(self, scope: RSGIScope, protocol: Any) -> Coroutine[Any, Any, None]:
        if not self._is_observed:
            return call_rsgi(self, scope, protocol)
        observed = ObservedHandler(self, self._observers)
        return observe_rsgi(partial(call_rsgi, observed), scope, protocol, observed)

    def __rsgi_init__(self, loop: "AbstractEventLoop") -> None:
        """Start before an RSGI server's first request."""
        loop.run_until_complete(self.astart())

    def __rsgi_del__(self, loop: "AbstractEventLoop") -> None:
        """Shut down after an RSGI server's last request."""
        loop.run_until_complete(self.astop())

    async def astart(self) -> None:
        """Start on the running loop, unless already started, and wait until startup is done.

        Raises the startup's error, or RuntimeError if no asyncio loop is running, as on trio.
        """
        if running_loop() is None:
            raise explained(
                "needs-asyncio",
                "Antiphon needs asyncio, and this server runs applications on something else, such as trio:"
                " choose its asyncio worker, as in `hypercorn --worker-class asyncio`",
                RuntimeError,
            )
        task, is_new = self._current_lifespan()
        if is_new:
            task.start()
        await task.wait_started()

    async def astop(self) -> None:
        """Shut down on the running loop, if started, and wait until that is done. Raises the shutdown's error."""
        if self._lifespan_task is not None and not self._lifespan_task.is_over:
            await self._lifespan_task.stop()

    def start(self) -> None:
        """Start on this thread, unless already started, and block until startup is done.

        Raises the startup's error, or RuntimeError on an event loop: await ``astart`` there.
        """
        refuse_on_loop("start()", "astart()")
        self._start_on_thread()

    def _start_on_thread(self) -> None:
        task, is_new = self._current_lifespan()
        if is_new:
            task.start_on_thread(copy_context())
            task.stop_at_exit(is_kept=self._has_shutdown)
        task.block_until_started()

    @property
    def _has_shutdown(self) -> bool:
        """True if the shutdown has something to do besides waiting for requests."""
        return self._lifecycle is not self or type(self).shutdown is not Servable.shutdown

    def stop(self) -> None:
        """Shut down, if started, and block until that is done. Call this on a thread that serves no request.

        Raises the shutdown's error, or RuntimeError on an event loop: await ``astop`` there.
        """
        refuse_on_loop("stop()", "astop()")
        if self._lifespan_task is not None and not self._lifespan_task.is_over:
            self._lifespan_task.stop_on_thread()

    def _current_lifespan(self) -> tuple[LifespanTask, bool]:
        """Return the task for which requests wait, and True if it has yet to be started."""
        # Several threads may have the first request at once.
        with self._lifespan_lock:
            task = self._lifespan_task
            if task is not None and not task.is_over:
                return task, False
            task = self._lifespan_task = LifespanTask(self._start_up, self._shut_down)
            return task, True

    async def _start_up(self) -> None:
        await self._lifecycle.startup()
        self._set_started(True)

    async def _shut_down(self) -> None:
        # First, because open requests need what the shutdown closes.
        await self.unfinished.wait()
        self._set_started(False)
        await self._lifecycle.shutdown()

    def _set_started(self, is_started: bool) -> None:
        self._started = is_started
        self._is_direct = is_started and not self._is_observed
        self._takes_handshakes = is_started and self._has_sockets
        self._is_direct_on_thread = self._is_direct and not self._takes_handshakes

    @property
    def _is_observed(self) -> bool:
        """True if this application, or one that is mounted in it, has observers."""
        return bool(self._observers.all)

    @property
    def _has_sockets(self) -> bool:
        """True if WebSocket handshakes may be handled differently from other requests."""
        return type(self)._respond_to_handshake is not Servable._respond_to_handshake


def _look_async(servable: Servable) -> None:
    """Make ``servable.__call__`` look like a coroutine function, because servers distinguish ASGI from WSGI by this."""
    if sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction

        markcoroutinefunction(type(servable).__call__)
    else:  # Python looks up ``__call__`` on the class, so calls bypass this
        servable.__call__ = CoroutineFunctionLike(servable)  # type: ignore[method-assign]  # for ``inspect`` only


class ServedResponse(Servable):
    """An application that handles every request with the same response."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self._set_started(True)  # nothing has to be started
        self._response = response

    async def _handle(self, request: Request) -> Response:  # noqa: ARG002 - all are handled alike
        """Return the response."""
        return self._response
