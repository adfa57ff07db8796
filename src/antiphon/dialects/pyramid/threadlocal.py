"""The current request and registry, for code that does not receive them as arguments."""

from contextvars import ContextVar
from types import TracebackType
from typing import Any


class ThreadLocalManager:
    """A stack of dictionaries with the request and the registry. Each thread and each task has its own stack."""

    def __init__(self, default: Any = None) -> None:
        self.default = default
        self.variable: ContextVar[tuple[Any, ...]] = ContextVar("pyramid", default=())
        """The dictionaries, as a tuple."""

    @property
    def stack(self) -> list[Any]:
        """The dictionaries, with the current one last."""
        return list(self.variable.get())

    def push(self, info: Any) -> None:
        self.variable.set((*self.variable.get(), info))

    set = push

    def pop(self) -> Any:
        """Remove the current dictionary and return it, or None if there is none."""
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
        self.variable.set(())


def defaults() -> dict[str, Any]:
    """Return the values for when nothing is pushed: no request, and zope.component's registry or the global one."""
    from antiphon.dialects.pyramid.registry import global_registry

    return {"request": None, "registry": global_registry}


manager = ThreadLocalManager(default=defaults)
"""The stack shared by all applications in the process."""


def get_current_request() -> Any:
    """Return the request that is being handled, or None."""
    return manager.get()["request"]


def get_current_registry(context: Any = None) -> Any:  # noqa: ARG001 - zope.component passes one
    """Return the active application's registry, or the global one."""
    return manager.get()["registry"]


class RequestContext:
    """A context manager that makes a request current in a `with` block, or between ``begin`` and ``end``."""

    def __init__(self, request: Any) -> None:
        self.request = request

    def begin(self) -> Any:
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
