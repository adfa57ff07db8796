"""Functions that an application calls at one point of a request: handlers, hooks before and after, error handlers."""

from collections.abc import Callable
from typing import Any, NamedTuple, Self

from antiphon.handler.contract import ON_LOOP, ON_THREAD, Switch, describe, is_async


class Hook(NamedTuple):
    """A function of either colour, and where it is called."""

    function: Callable[..., Any]
    is_async: bool
    blocks: bool = False
    """Whether it is called on a thread. What isn't is called on the event loop, if there is one."""
    place: Switch | None = None
    """Where to go before the call; None where the request is in the right place already."""

    async def call(self, *arguments: Any) -> Any:
        """What it returns."""
        if self.place is not None:
            await self.place
        result = self.function(*arguments)
        if self.is_async:
            result = await result
        return result

    def for_handler(self, handler_blocks: bool) -> Self:
        """The same hook around a handler: what isn't async runs where the handler does."""
        return self._replace(blocks=not self.is_async and (self.blocks or handler_blocks))

    def pinned(self) -> Self:
        """The same hook among others of another colour: it goes where it has to be."""
        return self._replace(place=ON_THREAD if self.blocks else ON_LOOP)


def hook(function: Callable[..., Any], blocking: bool = False) -> Hook:
    """A function as a hook; ``blocking`` gives it a thread even around an async handler."""
    waits = is_async(function)
    return Hook(function, waits, blocking and not waits)


def check_returns(function: Callable[..., Any], fix: str) -> None:
    """Raise TypeError, which names it and the fix, for a function that yields where one that returns is called."""
    from inspect import isasyncgenfunction, isgeneratorfunction

    if isgeneratorfunction(function) or isasyncgenfunction(function):
        raise TypeError(f"{describe(function)} yields, which has no meaning there: register it with {fix}")
