"""Applications as messages see them: what can be asked, and who knows how. The adapters do, and say so when they are
imported; nothing here knows them.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ASGIApplication: TypeAlias = Callable[
    [dict[str, Any], Callable[[], Awaitable[dict[str, Any]]], Callable[[MutableMapping[str, Any]], Awaitable[None]]],
    Awaitable[object],
]
Application: TypeAlias = "WSGIApplication | ASGIApplication"
"""One of ours is both."""
Interface: TypeAlias = Literal["wsgi", "asgi"]

F = TypeVar("F", bound=Callable[..., Any])


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


def find_adapters() -> Adapters:
    """Import them."""
    from importlib import import_module

    return cast("Adapters", import_module("antiphon.adapters.foreign.call"))


class CoroutineFunctionLike:
    """A callable that looks like a coroutine function to ``inspect``: it has the code of one.

    Servers tell ASGI from WSGI by how ``app.__call__`` looks.
    """

    __name__ = "__call__"
    __defaults__ = __kwdefaults__ = None

    async def _model(*arguments: Any) -> None:
        """Lend its code."""

    __code__ = _model.__code__
    __annotations__ = {}

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


class _LooksAsync:
    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        if instance is None:
            return self._function
        return CoroutineFunctionLike(self._function.__get__(instance))


def looks_async(method: F) -> F:
    """Let a method look like a coroutine function on instances; on the class it looks as it is.

    Each look and call makes an object: it is not for what is called often.
    """
    return cast("F", _LooksAsync(method))
