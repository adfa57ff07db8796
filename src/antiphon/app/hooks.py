"""Functions that an application calls for a request: handlers, hooks before and after them, error handlers."""

from collections.abc import Callable
from typing import Any, NamedTuple, Self

from antiphon.explanations import explained
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Switch, describe, is_async


class Hook(NamedTuple):
    """A function, ``def`` or ``async def``, and where it is called."""

    function: Callable[..., Any]
    is_async: bool
    blocks: bool = False
    """True if it is called on a thread, False if on the event loop, where there is one."""
    place: Switch | None = None
    """The place to switch to before the call; None if the request is there already."""
    writes: bool = False
    """True if routes that answer safe methods alone do without it."""
    unscoped: Callable[..., Any] | None = None
    """The function of an async handler without its scope, which it needs only when it waits."""

    async def call(self, *arguments: Any) -> Any:
        """Call the function in its place, and return what it returns."""
        if self.place is not None:
            await self.place
        result = self.function(*arguments)
        if self.is_async:
            result = await result
        return result

    def for_handler(self, handler_blocks: bool) -> Self:
        """Return the hook for a handler: a sync hook runs where the handler does."""
        return self._replace(blocks=not self.is_async and (self.blocks or handler_blocks))

    def pinned(self) -> Self:
        """Return the hook with its place, for a stack of which some parts run on a thread and others on the loop."""
        return self._replace(place=ON_THREAD if self.blocks else ON_LOOP)


def hook(function: Callable[..., Any], blocking: bool = False) -> Hook:
    """Make a hook of a function; ``blocking`` calls it on a thread even around an async handler.

    An object that is called may have an attribute ``blocking`` that says so.
    """
    waits = is_async(function)
    blocking = blocking or getattr(function, "blocking", False)
    return Hook(function, waits, blocking and not waits)


def check_returns(function: Callable[..., Any], fix: str) -> None:
    """Check that a function returns and does not yield. Raises TypeError, which names it and the fix."""
    from inspect import isasyncgenfunction, isgeneratorfunction

    if isgeneratorfunction(function) or isasyncgenfunction(function):
        raise explained(
            "yields-where-nobody-resumes",
            TypeError(f"{describe(function)} yields, which has no meaning there: register it with {fix}"),
        )
