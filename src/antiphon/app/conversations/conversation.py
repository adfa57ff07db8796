"""Conversations: a WebSocket's handler runs until it accepts or refuses the handshake, then continues with the socket.

All of this is one task. Until the handshake is accepted, the handler is part of the handshake, which it can refuse by
raising an error or returning a different response. After that, the handler is the body of the response: a stream
without chunks, which ends when the handler does.

| state of a conversation | its steps are run by | it learns of a client that leaves by |
|---|---|---|
| asked, until the handler wants a 101 response | ``until_demanded`` | its task, which is cancelled |
| demanded, until the server has sent that | nothing: they wait for ``_effect`` | ``aclose``, instead of the 101 |
| open, until the steps end | ``__anext__`` | its next message, or else ``watch`` |
| over | nothing | |

``Connection`` has the states of the messages and of the end.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Generator, Mapping
from contextlib import nullcontext, suppress
from contextvars import Context, copy_context
from functools import partial, update_wrapper
from threading import Thread
from types import coroutine
from typing import Any, Self, TypeAlias
from weakref import WeakKeyDictionary, WeakSet

from antiphon.app.route import SocketOptions
from antiphon.concurrency.iterables import resume
from antiphon.concurrency.loop import thread
from antiphon.concurrency.process import OPEN_SOCKETS
from antiphon.handler.callables import is_async, wrong_return
from antiphon.handler.cancellation import LOOK, CancellableHandler
from antiphon.handler.errors import is_leaving, localized
from antiphon.handler.failures import note_failure
from antiphon.handler.scope import set_current_request
from antiphon.http.errors import ClientDisconnected, HTTPError, ServiceUnavailable
from antiphon.request.lifetime import EndReason
from antiphon.request.request import Request
from antiphon.websockets.channel import (
    FAILED,
    GOING_AWAY,
    NORMAL,
    POLICY_VIOLATION,
    RESTARTING,
    Channel,
    WebSocketClosed,
    shortened,
)
from antiphon.websockets.connection import Connection, WebSocketResponse
from antiphon.websockets.websocket import WebSocket


async def on_own_thread(
    function: Callable[..., Any], request: Request, socket: WebSocket, params: Mapping[str, Any], connection: Connection
) -> Any:
    """Call a ``def`` handler on its own thread, in the context of this task, and wait until it ends.

    A thread can't be cancelled: if the task is cancelled, each method of the socket raises WebSocketClosed after that.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Any] = loop.create_future()
    context = copy_context()

    def call() -> Any:
        app = request.route.app
        with nullcontext() if app is None else app.work() as socket._work:  # a dialect has no app here
            return function(request, socket, **params)

    def run() -> None:
        # For the socket's methods, which call this loop and wait.
        thread.loop = loop
        error: BaseException | None = None
        result = None
        try:
            result = context.run(call)
        except BaseException as raised:
            error = raised
        loop.call_soon_threadsafe(_settle, ended, result, error)

    # A thread of its own: open sockets would otherwise take all worker threads.
    Thread(target=run, name="antiphon-websocket", daemon=True).start()
    cancelled: asyncio.CancelledError | None = None
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError as error:
            cancelled = error
            # A thread can't be cancelled: its next call to the socket raises this.
            connection.interrupt(WebSocketClosed(GOING_AWAY))
    if cancelled is None:
        return ended.result()
    ended.exception()  # which is known
    raise cancelled


def _settle(ended: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if isinstance(error, StopIteration):  # a future can't store it
        # As Python does where it leaves a coroutine (PEP 479).
        error, cause = RuntimeError("the handler raised StopIteration"), error
        error.__cause__ = cause
    if error is None:
        ended.set_result(result)
    else:
        ended.set_exception(error)


MOST_THREADS = 200
"""The maximum number of a ``def`` handler's open sockets per process if ``limits.sockets`` isn't set. Each has a
thread.
"""

Steps: TypeAlias = Coroutine[Any, Any, Any]
Outcome: TypeAlias = tuple[bool, Any] | None
"""The outcome of ``resume``."""


LAST_MESSAGES = 20
"""The number of a WebSocket's messages that are kept in case its handler fails."""


_handlers: "WeakKeyDictionary[Any, WeakSet[SocketHandler]]" = WeakKeyDictionary()
"""The handlers of each application that limits its sockets."""


class SocketHandler:
    """A WebSocket handler, wrapped as a handler of handshakes that returns responses.

    ``names`` are the names of the route parameters that it accepts.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        options: SocketOptions,
        names: Collection[str],
        cancel_on_disconnect: bool | None,
    ) -> None:
        self._function = function
        self._options = options
        self._names = names
        self._blocks = not is_async(function)
        self.cancels_on_disconnect = cancel_on_disconnect is not False
        """True if a handler that is waiting for something else is cancelled when the client disconnects."""
        self.conversations: set[Conversation] = set()
        """The conversations that are open, or are being opened."""
        update_wrapper(self, function)

    async def __call__(self, request: Request) -> Any:
        app, options = request.route.app, self._options
        is_own = "sockets" in request.limits.given or not self._blocks
        is_full = len(self.conversations) >= (request.limits.sockets if is_own else MOST_THREADS)
        if app is not None and not is_full and "sockets" in app.limits.given:
            (handlers := _handlers.setdefault(app, WeakSet())).add(self)
            is_full = sum(len(each.conversations) for each in handlers) >= app.limits.sockets
        if is_full:
            raise ServiceUnavailable("Too many WebSockets are open here.", retry_after=1)
        channel: Channel = request.head.channel  # type: ignore[attr-defined]  # a handshake's, which was checked
        connection = Connection(
            channel,
            limits=request.limits,
            subprotocol=options.agreed(channel.subprotocols) if options.subprotocols else None,
            idle_timeout=options.idle_timeout,
            json_default=None if app is None else app.json_default,
        )
        if app is not None and app.keeper is not None:
            connection.last_received = deque(maxlen=LAST_MESSAGES)
        conversation = Conversation(request, connection, self, self._steps(request, connection))
        returned = None
        try:
            returned = await conversation.until_demanded()
        except BaseException:
            # It was never opened: nothing else ends it.
            self.conversations.discard(conversation)
            raise
        if returned is not None:
            self.conversations.discard(conversation)
            return returned
        return WebSocketResponse(connection, conversation)

    def check_end(self, returned: object) -> None:
        """Check that a conversation returned nothing. Raises TypeError, naming the handler."""
        if returned is not None:
            raise wrong_return(
                self._function, returned, "it must return nothing, because the handshake is already accepted"
            )

    def _steps(self, request: Request, connection: Connection) -> Steps:
        socket = WebSocket(connection, blocks=self._blocks)
        params = {name: request.path_params[name] for name in self._names}
        if self._blocks:
            return on_own_thread(self._function, request, socket, params, connection)
        socket._work = request._work
        return self._function(request, socket, **params)  # type: ignore[no-any-return]  # a coroutine, as is_async says


class Conversation(CancellableHandler):
    """The handler of one WebSocket: its steps until it responds to the handshake, and then a body without chunks.

    When the handler fails, the connection is closed, and the iteration raises its error. When the process is draining,
    the connection is closed with 1012. A handler that is waiting for the client notices this, or a disconnect, when its
    socket ends. Any other handler is cancelled, but on a disconnect only if its route allows it.
    """

    __slots__ = ("__weakref__", "_connection", "_effect", "_handler", "_responding", "_sending", "_steps", "loop")

    def __init__(self, request: Request, connection: Connection, handler: "SocketHandler", steps: Steps) -> None:
        super().__init__(request, handler.cancels_on_disconnect)
        self._connection = connection
        self._steps = steps
        self._effect: Any = None
        """The object that the steps wait for."""
        self._handler = handler
        self._sending: asyncio.Task[None] | None = None
        """The close that is being sent because the process is draining."""
        self._responding: asyncio.Task[None] | None = None
        self.loop = asyncio.get_running_loop()
        handler.conversations.add(self)

    @coroutine
    def until_demanded(self) -> Generator[Any, Any, Any]:
        """Run the steps until they accept or refuse the handshake, or end. Return their return value."""
        steps, connection = self._steps, self._connection
        outcome: Outcome = resume(steps, None)
        while outcome is not None and not outcome[0]:
            effect = outcome[1]
            try:
                if not connection.is_demanded:
                    yield from _wait(effect, connection)
                if connection.is_demanded:
                    self._effect = effect
                    return None
            except BaseException as error:
                outcome = _throw(steps, error)
            else:
                outcome = resume(steps, None)
        self.is_over = True
        return None if outcome is None else outcome[1]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Run the rest of the steps and close the connection depending on how they end."""
        connection = self._connection
        try:
            if not self.is_over:
                returned = await self._talk()
                if returned is not None:
                    self._handler.check_end(returned)
        except BaseException as error:
            if not is_end_of(error, connection):
                note_failure(error)  # first, so that a test sees it with the end
                await connection.end(*_end_for(self._request, error))
                if self.is_cancelled and isinstance(error, HTTPError):
                    raise ClientDisconnected("The conversation was cut off.") from error
                raise
        finally:
            self._handler.conversations.discard(self)
        if connection.closed is None:
            await connection.end(NORMAL)
        raise StopAsyncIteration

    async def _talk(self) -> Any:
        set_current_request(self._request)  # an outer application has set its own
        if (lifetime := getattr(self._request, "_lifetime", None)) is not None:
            lifetime._renew()  # the handshake's deadline no longer applies
        # The end of the process waits for it.
        OPEN_SOCKETS.add(self)
        try:
            with self:
                try:
                    return await self._rest()
                finally:
                    if self._sending is not None:
                        await asyncio.wait([self._sending])
        finally:
            if self._responding is None:
                OPEN_SOCKETS.discard(self)
            self._connection.let_go()

    @coroutine
    def _rest(self) -> Generator[Any, Any, Any]:
        """Await the object that the steps wait for, then the remaining steps."""
        steps, effect = self._steps, self._effect
        self._effect = None
        while True:
            try:
                yield effect  # the await of the steps has marked it for the task, which gets it only now
            except BaseException as error:
                outcome = _throw(steps, error)
                if outcome is None or outcome[0]:
                    return outcome and outcome[1]
                effect = outcome[1]
            else:
                return (yield from steps.__await__())

    async def aclose(self) -> None:
        """End a conversation that was never opened, and tell the handler that its handshake was not accepted."""
        try:
            if not self.is_over:
                self._connection.refused()
                with suppress(WebSocketClosed, HTTPError), self:
                    self.cancel("disconnect")
                    await self._rest()
        finally:
            self._handler.conversations.discard(self)

    # Ending it early

    def watch(self) -> None:
        """Listen to the client while the handler doesn't."""
        if not self.is_over:
            self._connection.look_ahead(self._leave if self._on_disconnect else bool)
            self._connection.on_received(partial(self._watch.add, self))

    def drain(self) -> None:
        """Close the connection and make the handler end."""
        self._interrupt(WebSocketClosed(RESTARTING, "The server restarts."), "drain")

    def cut(self) -> None:
        """Close the connection and make the handler end soon, from any thread, because its user may not have it."""
        with suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(self._cut_when_open)

    def _cut_when_open(self) -> None:
        if not (self.is_over or hasattr(self, "_task")):  # the server has not sent the 101 yet
            self.loop.call_later(LOOK, self._cut_when_open, context=Context())
        else:
            self._interrupt(WebSocketClosed(POLICY_VIOLATION, "The login or its rights have ended."), "disconnect")

    def _interrupt(self, end: WebSocketClosed, reason: EndReason) -> None:
        if self.is_over or self._connection.is_interrupted:
            return
        if self._connection.interrupt(end):
            self._sending = self.loop.create_task(self._connection.send_end())
            self._responding = self.loop.create_task(self._wait_acknowledged(self._sending))
        self.cancel(reason)

    async def _wait_acknowledged(self, sending: "asyncio.Task[None]") -> None:
        """Let the process end once the client has replied to the close: the server may still have to send the close."""
        try:
            await asyncio.wait([sending])
            await self._connection.wait_acknowledged()
        finally:
            OPEN_SOCKETS.discard(self)


def is_end_of(error: BaseException, connection: Connection) -> bool:
    """True if an error reports only the end of a connection, perhaps repeatedly, as a task group's error does."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_end_of(each, connection) for each in error.exceptions)
    end = connection.closed
    return isinstance(error, WebSocketClosed) and end is not None and error.args == end.args


def _end_for(request: Request, error: BaseException) -> tuple[int, str]:
    """Return the code and the reason with which a connection is closed when its handler has failed."""
    if is_leaving(error):
        return GOING_AWAY, ""
    if isinstance(error, HTTPError) and error.status < 500:
        told = localized(request, error).error
        return POLICY_VIOLATION, shortened(told.detail or told.title)
    return FAILED, "The server failed."


def _throw(steps: Steps, error: BaseException) -> Outcome:
    """Throw an error into steps, and return an outcome as ``resume`` does."""
    try:
        return False, steps.throw(error)
    except StopIteration as end:
        return None if end.value is None else (True, end.value)


def _wait(effect: Any, connection: Connection) -> Generator[Any, Any, None]:
    """Wait for the object that the steps are awaiting, until the handshake has to be accepted or refused."""
    if effect is None:  # let other tasks run
        yield
        return
    while not (effect.done() or connection.is_demanded):
        waiter = effect.get_loop().create_future()

        def wake(_: object = None, waiter: "asyncio.Future[None]" = waiter) -> None:
            if not waiter.done():
                waiter.set_result(None)

        effect.add_done_callback(wake)
        connection.on_demand(wake)
        try:
            yield from waiter
        except asyncio.CancelledError:
            if not effect.cancel():
                raise
        finally:
            effect.remove_done_callback(wake)
            connection.on_demand(bool)
