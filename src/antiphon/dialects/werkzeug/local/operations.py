"""Methods of a proxy that act on the proxied object."""

from collections.abc import Callable
from typing import Any


def forward(operation: Callable[..., Any], unbound: Callable[[Any], Any] | None = None) -> Any:
    """Return a method that applies an operation to the object; without an object, ``unbound`` gets the proxy
    instead.
    """

    def method(self: Any, *arguments: Any) -> Any:
        if unbound is None:
            return operation(self._get_current_object(), *arguments)
        try:
            current = self._get_current_object()
        except RuntimeError:
            return unbound(self)
        return operation(current, *arguments)

    return method


def forward_reflected(operation: Callable[[Any, Any], Any]) -> Any:
    """Return a method for the right side of an operator."""

    def method(self: Any, left: Any) -> Any:
        return operation(left, self._get_current_object())

    return method


def forward_in_place(operation: Callable[[Any, Any], Any]) -> Any:
    """Return a method for ``+=`` and the like: the object is changed, and the name keeps the proxy."""

    def method(self: Any, right: Any) -> Any:
        operation(self._get_current_object(), right)
        return self

    return method


class Own:
    """A method that the proxied object must have itself: the proxy lacks what the object lacks."""

    __slots__ = ("_name",)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, proxy: Any, owner: type | None = None) -> Any:
        return self if proxy is None else getattr(proxy._get_current_object(), self._name)  # noqa: SLF001

    def __call__(self, proxy: Any, *arguments: Any, **named: Any) -> Any:
        return self.__get__(proxy)(*arguments, **named)


def own_value(unbound: Callable[[Any], Any], of_class: Any = None) -> Any:
    """Return an attribute of the object; ``unbound`` gives it without an object, ``of_class`` is that of the class."""
    return _OwnValue(unbound, of_class)


class _OwnValue(Own):
    __slots__ = ("_of_class", "_unbound")

    def __init__(self, unbound: Callable[[Any], Any], of_class: Any) -> None:
        self._unbound = unbound
        self._of_class = of_class

    def __get__(self, proxy: Any, owner: type | None = None) -> Any:
        if proxy is None:
            return self if self._of_class is None else self._of_class
        try:
            current = proxy._get_current_object()  # noqa: SLF001
        except RuntimeError:
            return self._unbound(proxy)
        return getattr(current, self._name)
