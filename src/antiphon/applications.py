"""Applications as messages see them: what can be asked, and who knows how. The adapters do, and say so when they are
imported; nothing here knows them.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ASGIApplication: TypeAlias = Callable[
    [dict[str, Any], Callable[[], Awaitable[dict[str, Any]]], Callable[[MutableMapping[str, Any]], Awaitable[None]]],
    Awaitable[object],
]
Application: TypeAlias = "WSGIApplication | ASGIApplication"
"""One of ours is both."""
Interface: TypeAlias = Literal["wsgi", "asgi"]


class Adapters(Protocol):
    """What the adapters do for messages: requests that ask, responses that answer."""

    def get_response(self, application: Application, request: Any, interface: Interface | None, /) -> Any:
        """The response of an application, on this thread."""
        ...

    def aget_response(self, application: Application, request: Any, interface: Interface | None, /) -> Awaitable[Any]:
        """The same on an event loop."""
        ...

    def serve_response(self, response: Any, /) -> Callable[..., Any]:
        """An application that answers by this response."""
        ...


find_adapters: Callable[[], Adapters]
"""Imports them; set by them."""
