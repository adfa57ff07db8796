"""Functions that an application calls for a request: handlers, hooks before and after them, error handlers."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol, Self, TypeAlias

from antiphon.app.answering.returns import respond
from antiphon.explanations import explained
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Switch, describe, is_async
from antiphon.request.request import Request
from antiphon.response.response import Response


class Part(Protocol):
    """Something around a handler that a response passes on its way out."""

    @property
    def throws(self) -> bool:
        """True if the response's error is thrown into it; the error is over when it gives its own answer."""
        ...

    @property
    def close(self) -> "Close":
        """The function that is called with the response, where the part runs."""
        ...

    def settle(self, outcome: Any, subject: Any, request: Request, response: Response, /) -> Awaitable[Response]:
        """Return steps to the response that is sent instead of one that did not pass, by that one's outcome."""
        ...


Close: TypeAlias = Callable[[Any, Any], object]
"""A function that is called with what it closes, a generator or the request, and with the response.

It returns None if the response passes, the switch to await if it has to be called elsewhere, and any other outcome for
``settle``.
"""
Closer: TypeAlias = tuple[Close, Part]
"""The way in which a part is closed. A plain tuple is read in a fraction of the time that other objects take."""


def closer(part: Part, switch: Switch | None) -> Closer:
    """Return the way in which a part is closed, after a switch to where it runs."""
    return (part.close if switch is None else lambda _subject, _response: switch), part


Opener: TypeAlias = tuple[Callable[[Request], Any], Closer | None, tuple[Switch | None, bool] | None]
"""The way in which a part is opened: its function; the way it is closed, if that is a generator function; and, unless
it is called at once, the switch to await first, if there is one, and True if it is awaited.
"""


def opener(function: Callable[[Request], Any], closer: Closer | None, switch: Switch | None, is_async: bool) -> Opener:
    """Return the way in which a part is opened."""
    return function, closer, (switch, is_async) if is_async or switch is not None else None


class Hook(NamedTuple):
    """A function, ``def`` or ``async def``, and where it is called."""

    function: Callable[..., Any]
    is_async: bool
    blocks: bool = False
    """True if it is called on a thread, False if on the event loop, where there is one."""
    switch: Switch | None = None
    """The switch to await before the call; None if the request is there already."""
    only_writes: bool = False
    """True if routes that answer only safe methods do without it."""
    raw_handler: Callable[..., Any] | None = None
    """The function of an async handler without its scope, which it needs only when it waits."""

    async def call(self, *arguments: Any) -> Any:
        """Call the function where it runs, and return what it returns."""
        if self.switch is not None:
            await self.switch
        result = self.function(*arguments)
        if self.is_async:
            result = await result
        return result

    @property
    def openers(self) -> tuple[Opener, ...]:
        """The way in which it is called before the handler."""
        return (opener(self.function, None, self.switch, self.is_async),)

    @property
    def closer(self) -> Closer:
        """The way in which it is called after the request."""
        return closer(self, self.switch)

    @property
    def close(self) -> Close:
        """The function itself: what it returns is sent instead."""
        return self.function

    @property
    def throws(self) -> bool:
        """False: hooks only get responses."""
        return False

    async def settle(self, outcome: Any, _: object, request: Request, response: Response) -> Response:
        """Return the response that is sent instead of another, made from what it has returned."""
        answer = await outcome if self.is_async else outcome
        return response if answer is None else await respond(answer, self.function, request)

    def for_handler(self, handler_blocks: bool) -> Self:
        """Return the hook for a handler: a sync hook runs where the handler does."""
        return self._replace(blocks=not self.is_async and (self.blocks or handler_blocks))

    def pinned(self) -> Self:
        """Return the hook with a switch of its own, for a stack that runs on a thread and on the loop."""
        return self._replace(switch=ON_THREAD if self.blocks else ON_LOOP)


def hook(function: Callable[..., Any], blocking: bool = False) -> Hook:
    """Make a hook of a function; ``blocking`` calls it on a thread even around an async handler.

    A callable object can say so with an attribute ``blocking``.
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
