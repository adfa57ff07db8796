"""Callables that look like coroutine functions to ``inspect``, by which servers distinguish ASGI from WSGI."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class CoroutineFunctionLike:
    """A callable with the code of a coroutine function, by which ``inspect`` and servers recognize it."""

    __name__ = "__call__"
    __defaults__ = __kwdefaults__ = None

    async def _model(*arguments: Any) -> None:
        """Do nothing: only the code of this function is used."""

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
    """Make a method look like a coroutine function on instances. On the class, it stays unchanged.

    Each access and each call creates an object, so use this only for methods that are rarely called.
    """
    return cast("F", _LooksAsync(method))
