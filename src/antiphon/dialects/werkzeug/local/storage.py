"""Attributes and stacks with separate values for each context: thread, task, or ``contextvars.Context``.

Values are replaced, never changed in place, since a copied context shares them.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from antiphon.dialects.werkzeug.local.proxy import LocalProxy, attribute_of, bound

T = TypeVar("T")

_NOTHING: MappingProxyType[str, Any] = MappingProxyType({})


class Local:
    """Attributes with separate values for each context. Calling it with a name returns a proxy for that attribute."""

    __slots__ = ("_variable",)

    _variable: "ContextVar[dict[str, Any]]"

    def __init__(self, context_var: "ContextVar[dict[str, Any]] | None" = None) -> None:
        variable = context_var or ContextVar(f"antiphon.Local<{id(self)}>")
        object.__setattr__(self, "_variable", variable)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(dict(self._variable.get(_NOTHING)).items())

    def __call__(self, name: str, *, unbound_message: str | None = None) -> LocalProxy[Any]:
        """Return a proxy for an attribute."""
        return LocalProxy(self, name, unbound_message=unbound_message)

    def __release_local__(self) -> None:
        self._variable.set({})

    def __local_source__(self, name: str | None, message: str) -> Callable[[], Any]:
        if name is None:
            raise TypeError("'name' is required when proxying a 'Local' object.")
        return bound(lambda: attrgetter(name)(self), AttributeError, message)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._variable.get(_NOTHING)[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._variable.set({**self._variable.get(_NOTHING), name: value})

    def __delattr__(self, name: str) -> None:
        left = dict(self._variable.get(_NOTHING))
        if name not in left:
            raise AttributeError(name)
        del left[name]
        self._variable.set(left)


class LocalStack(Generic[T]):
    """A stack with separate values for each context. Calling it returns a proxy for its top, or for an attribute of
    that.
    """

    __slots__ = ("_variable",)

    def __init__(self, context_var: "ContextVar[list[T]] | None" = None) -> None:
        self._variable = context_var or ContextVar(f"antiphon.LocalStack<{id(self)}>")

    def __release_local__(self) -> None:
        self._variable.set([])

    def __local_source__(self, name: str | None, message: str) -> Callable[[], Any]:
        return attribute_of(bound(self._bound_top, LookupError, message), name)

    def _bound_top(self) -> T:
        top = self.top
        if top is None:
            raise LookupError
        return top

    def _items(self) -> list[T]:
        return self._variable.get([])

    def push(self, obj: T) -> list[T]:
        """Put an object on top, and return the whole stack."""
        items = [*self._items(), obj]
        self._variable.set(items)
        return items.copy()

    def pop(self) -> T | None:
        """Remove the top and return it, or None if the stack is empty."""
        items = self._items()
        if not items:
            return None
        self._variable.set(items[:-1])
        return items[-1]

    @property
    def top(self) -> T | None:
        """The object on top, or None if the stack is empty."""
        items = self._items()
        return items[-1] if items else None

    def __call__(self, name: str | None = None, *, unbound_message: str | None = None) -> LocalProxy[Any]:
        """Return a proxy for the top, or for an attribute of it."""
        return LocalProxy(self, name, unbound_message=unbound_message)


def release_local(local: "Local | LocalStack[Any]") -> None:
    """Remove all values of this context."""
    local.__release_local__()
