"""The current request and registry, for code that is not given them."""

from contextvars import ContextVar
from types import TracebackType
from typing import Any


class ThreadLocalManager:
    """A stack of dictionaries with the request and the registry, separate for each thread and task.

    Each thread, and each task, has its own.
    """

    def __init__(self, default: Any = None) -> None:
        self.default = default
        self.variable: ContextVar[tuple[Any, ...]] = ContextVar("pyramid", default=())
        """The dictionaries, in a tuple."""

    @property
    def stack(self) -> list[Any]:
        """The dictionaries, the current one last."""
        return list(self.variable.get())

    def push(self, info: Any) -> None:
        """Make a dictionary the current one."""
        self.variable.set((*self.variable.get(), info))

    set = push

    def pop(self) -> Any:
        """Remove and return the current dictionary; None if there is none."""
        stack = self.variable.get()
        if not stack:
            return None
        self.variable.set(stack[:-1])
        return stack[-1]

    def get(self) -> Any:
        """Return the current dictionary, or the default."""
        stack = self.variable.get()
        return stack[-1] if stack else self.default()

    def clear(self) -> None:
        """Remove all dictionaries."""
        self.variable.set(())


def defaults() -> dict[str, Any]:
    """Return the values used while nothing is pushed: no request, and zope.component's or the global registry."""
    from antiphon.dialects.pyramid.registry import global_registry

    return {"request": None, "registry": global_registry}


manager = ThreadLocalManager(default=defaults)
"""The stack of all applications in the process."""


def get_current_request() -> Any:
    """Return the request that is being handled; None if there is none."""
    return manager.get()["request"]


def get_current_registry(context: Any = None) -> Any:  # noqa: ARG001 - zope.component calls it with one
    """Return the registry of the active application, or else the global one."""
    return manager.get()["registry"]


class RequestContext:
    """A request that is current inside a `with` block, or between ``begin`` and ``end``."""

    def __init__(self, request: Any) -> None:
        self.request = request

    def begin(self) -> Any:
        """Make the request current and return it."""
        request = self.request
        manager.push({"registry": request.registry, "request": request})
        return request

    def end(self) -> None:
        """Make the previous request current again."""
        manager.pop()

    def __enter__(self) -> Any:
        return self.begin()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.end()
