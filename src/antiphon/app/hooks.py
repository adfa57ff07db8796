"""Functions that an application calls at one point of a request: handlers, hooks before and after, error handlers."""

from collections.abc import Callable
from typing import Any, NamedTuple

from antiphon.handler import ON_THREAD, Steps, is_async


class Hook(NamedTuple):
    """A function of either colour, and where it is called."""

    function: Callable[..., Any]
    is_async: bool
    blocks: bool = False
    """Whether it is called on a thread. What isn't is called on the event loop, if there is one."""

    def call(self, *arguments: Any) -> Steps[Any]:
        """The steps to what it returns."""
        if self.blocks:
            yield ON_THREAD
        result = self.function(*arguments)
        if self.is_async:
            result = yield result
        return result

    def around(self, handler_blocks: bool) -> "Hook":
        """The same hook around a handler: what isn't async runs where the handler does."""
        return self._replace(blocks=not self.is_async and (self.blocks or handler_blocks))


def hook(function: Callable[..., Any], blocking: bool = False) -> Hook:
    """A function as a hook; ``blocking`` gives it a thread even around an async handler."""
    waits = is_async(function)
    return Hook(function, waits, blocking and not waits)
