"""A handler's WebSocket: outgoing and incoming messages, for ``async def`` and for ``def``."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast, overload

from antiphon.concurrency.loop import is_on_loop
from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, NamesOurs
from antiphon.websockets.channel import NORMAL, WebSocketClosed, WebSocketMessage, check_close
from antiphon.websockets.connection import Connection

if TYPE_CHECKING:
    from typing_extensions import TypeForm  # PEP 747; type checkers know this module without installing it


T = TypeVar("T")


class WebSocket(metaclass=NamesOurs, words=WORDS["WebSocket"]):
    """A connection on which both sides send messages (RFC 6455), as its handler sees it.

    An ``async def`` handler awaits its methods and iterates over it with ``async for``. In a ``def`` handler, the
    methods block and return the results directly: ``socket.send(...)``, ``for message in socket``; annotate it as
    ``BlockingWebSocket`` there. Iteration ends when either side closes the socket; after that, the methods raise
    WebSocketClosed.

    The handshake is accepted when the first message is received or sent, or by ``accept``. Until then, the handler can
    still raise an HTTPError or return a value, which becomes an HTTP response.
    """

    __slots__ = ("_blocks", "_connection", "_work")

    def __init__(self, connection: Connection, *, blocks: bool = False) -> None:
        self._connection = connection
        self._blocks = blocks
        self._work: Any = None
        """What surrounds the handler, and pauses while it waits for a message."""

    @property
    def subprotocol(self) -> str | None:
        """The negotiated subprotocol (RFC 6455 §1.9); None if none was negotiated."""
        return self._connection.subprotocol

    @property
    def closed(self) -> WebSocketClosed | None:
        """How the socket was closed: its ``code`` and ``reason``. None while it is open."""
        return self._connection.closed

    def accept(self) -> Awaitable[None]:
        """Accept the handshake now (101), unless it has already been accepted. Raises WebSocketClosed."""
        steps = self._connection.open()
        return self._called(steps) if self._blocks else steps

    def receive(self) -> Awaitable[WebSocketMessage]:
        """Wait for the next message: text as ``str``, binary data as ``bytes``. Raises WebSocketClosed.

        A message longer than ``limits.message`` closes the socket with 1009.
        """
        return self._received(self._connection.receive())

    @overload
    def receive_as(self, wanted: type[T]) -> Awaitable[T]: ...
    @overload
    def receive_as(self, wanted: "TypeForm[T]") -> Awaitable[T]: ...
    def receive_as(self, wanted: Any) -> Awaitable[Any]:
        """Wait for the next message whose JSON is a value of a type, as ``request.json_as`` reads it.

        Other messages are skipped, after a reply with problem details as JSON (RFC 9457). Raises WebSocketClosed, and
        TypeError for a type that can't be read.
        """
        return self._received(self._connection.receive_as(wanted))

    @overload
    def values(self, wanted: type[T]) -> "WebSocketValues[T]": ...
    @overload
    def values(self, wanted: "TypeForm[T]") -> "WebSocketValues[T]": ...
    def values(self, wanted: Any) -> "WebSocketValues[Any]":
        """Return the messages as values of a type, for ``async for`` or ``for``, each as ``receive_as`` returns it."""
        return WebSocketValues(partial(self._connection.receive_as, wanted), self._received, self._wait_for)

    def send(self, message: object) -> Awaitable[None]:
        """Send text, bytes, or any other value as JSON. This waits while the client reads too slowly.

        An ``Event`` is sent as an object with its ``event``, ``id`` and ``data``; ``data`` is text, as it is for
        EventSource. A channel's message is sent as an object with its ``id`` and ``value``. Raises WebSocketClosed, and
        TypeError for a value that can't be serialized to JSON.
        """
        steps = self._connection.send(message)
        return self._called(steps) if self._blocks else steps

    def send_each(self, source: AsyncIterable[object]) -> Awaitable[None]:
        """Send each item of an async iterable, such as ``run.follow()``, as ``send`` does, and close the iterable at
        the end.

        Events that consist only of a comment are left out. Raises WebSocketClosed, and any error that the iterable
        raises.
        """
        steps = self._connection.send_each(source)
        return self._called(steps) if self._blocks else steps

    def close(self, code: int = NORMAL, reason: str = "") -> Awaitable[None]:
        """Close the socket, unless it is already closed.

        Raises ValueError for a code that applications can't send, and for a reason longer than 123 bytes.
        """
        check_close(code, reason)
        steps = self._connection.close(code, reason)
        return self._called(steps) if self._blocks else steps

    async def __aiter__(self) -> AsyncIterator[WebSocketMessage]:
        receive = self._connection.receive
        with suppress(WebSocketClosed):
            while True:
                yield await self._received(receive())

    def __iter__(self) -> Iterator[WebSocketMessage]:
        with suppress(WebSocketClosed):
            while True:
                yield self._wait_for(self._connection.receive())

    def _called(self, steps: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Wait for steps in a ``def`` handler and return their result; on a loop, return them."""
        if is_on_loop():
            return steps
        return cast("Awaitable[T]", self._connection.wait_for(steps))

    def _wait_for(self, steps: Coroutine[Any, Any, T]) -> T:
        """Wait for steps in a ``def`` handler. Raises TypeError on a loop."""
        if not self._blocks or is_on_loop():
            steps.close()
            raise explained(
                "would-block-loop",
                "an `async def` handler iterates its socket with `async for` and awaits its methods",
                TypeError,
            )
        return self._waited(steps)

    def _received(self, steps: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Wait for a message, or in an ``async def`` handler return the steps."""
        if self._blocks:
            return steps if is_on_loop() else cast("Awaitable[T]", self._waited(steps))
        return steps if self._work is None else cast("Awaitable[T]", self._work.wait_for(steps))

    def _waited(self, steps: Coroutine[Any, Any, T]) -> T:
        if self._work is None:
            return self._connection.wait_for(steps)
        with ExitStack() as unstarted:
            unstarted.callback(steps.close)
            with self._work.paused():
                unstarted.pop_all()
                return self._connection.wait_for(steps)


class WebSocketValues(Generic[T]):
    """The messages of a socket as values of a type, for ``async for`` or ``for``, until the socket is closed."""

    def __init__(
        self,
        receive: Callable[[], Coroutine[Any, Any, T]],
        received: Callable[[Coroutine[Any, Any, T]], Awaitable[T]],
        wait_for: Callable[[Coroutine[Any, Any, T]], T],
    ) -> None:
        self._receive, self._received, self._wait_for = receive, received, wait_for

    async def __aiter__(self) -> AsyncIterator[T]:
        with suppress(WebSocketClosed):
            while True:
                yield await self._received(self._receive())

    def __iter__(self) -> Iterator[T]:
        with suppress(WebSocketClosed):
            while True:
                yield self._wait_for(self._receive())


class BlockingWebSocket(Protocol):
    """A ``WebSocket`` as a ``def`` handler sees it: its methods block, and return the results that an ``async def``
    handler awaits.

    Use it in annotations: ``def echo(request: Request, socket: BlockingWebSocket)``. The object itself is a
    ``WebSocket``.
    """

    @property
    def subprotocol(self) -> str | None:
        """The negotiated subprotocol (RFC 6455 §1.9); None if none was negotiated."""
        ...

    @property
    def closed(self) -> WebSocketClosed | None:
        """How the socket was closed: its ``code`` and ``reason``. None while it is open."""
        ...

    def accept(self) -> None:
        """Accept the handshake now (101), unless it has already been accepted. Raises WebSocketClosed."""
        ...

    def receive(self) -> WebSocketMessage:
        """Wait for the next message: text as ``str``, binary data as ``bytes``. Raises WebSocketClosed."""
        ...

    @overload
    def receive_as(self, wanted: type[T]) -> T: ...
    @overload
    def receive_as(self, wanted: "TypeForm[T]") -> T: ...
    def receive_as(self, wanted: Any) -> Any:
        """Wait for the next message whose JSON is a value of a type. Raises WebSocketClosed, and TypeError."""
        ...

    @overload
    def values(self, wanted: type[T]) -> Iterable[T]: ...
    @overload
    def values(self, wanted: "TypeForm[T]") -> Iterable[T]: ...
    def values(self, wanted: Any) -> Iterable[Any]:
        """Return the messages as values of a type, each as ``receive_as`` returns it, until the socket is closed."""
        ...

    def send(self, message: object) -> None:
        """Send text, bytes, or any other value as JSON. Raises WebSocketClosed, and TypeError."""
        ...

    def send_each(self, source: AsyncIterable[object]) -> None:
        """Send each item of an async iterable, then close the iterable. Raises WebSocketClosed, and TypeError."""
        ...

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close the socket, unless it is already closed. Raises ValueError for a code or a reason that can't be
        sent.
        """
        ...

    def __iter__(self) -> Iterator[WebSocketMessage]:
        """Return the messages, until the socket is closed."""
        ...
