"""The WebSocket of a ``def`` handler, for type checkers."""

from collections.abc import AsyncIterable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from antiphon.websockets.channel import WebSocketMessage
from antiphon.websockets.closing import NORMAL, WebSocketClosed

if TYPE_CHECKING:
    from typing_extensions import TypeForm  # PEP 747; type checkers know this module without installing it

T = TypeVar("T")


class BlockingWebSocket(Protocol):
    """A ``WebSocket`` as a ``def`` handler sees it: its methods block, and return what others await.

    This is for annotations: ``def echo(request: Request, socket: BlockingWebSocket)``. The object is a ``WebSocket``.
    """

    @property
    def subprotocol(self) -> str | None:
        """The negotiated subprotocol (RFC 6455 §1.9); None without one."""
        ...

    @property
    def closed(self) -> WebSocketClosed | None:
        """The end of the socket, with its ``code`` and ``reason``; None while it is open."""
        ...

    def accept(self) -> None:
        """Answer the handshake now, with 101, unless it has been answered. Raises WebSocketClosed."""
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
        """Return the messages as values of a type, each as ``receive_as`` gives it, until the socket is closed."""
        ...

    def send(self, message: object) -> None:
        """Send text, bytes, or any other value as JSON. Raises WebSocketClosed, and TypeError."""
        ...

    def send_each(self, source: AsyncIterable[object]) -> None:
        """Send each item of an async iterable, to its end, and close it. Raises WebSocketClosed, and TypeError."""
        ...

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close the socket, unless it is closed. Raises ValueError for a code or a reason that can't be sent."""
        ...

    def __iter__(self) -> Iterator[WebSocketMessage]:
        """Return the messages, until the socket is closed."""
        ...
