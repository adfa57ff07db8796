"""Proxies for objects that differ between contexts."""

import copy
import math
import operator
from collections.abc import Callable
from contextvars import ContextVar
from operator import attrgetter
from typing import Any, Generic, TypeVar

from antiphon.dialects.werkzeug.local.operations import Own, forward, forward_in_place, forward_reflected, own_value

T = TypeVar("T")

_DOC = """A stand-in for what a context variable has, what a function gives, an attribute of a Local, a stack's top.

With a ``name`` it stands for that attribute of it. All that is done with the proxy is done with the object: its class
and its ``repr`` are the object's too. Where there is none, RuntimeError is raised with ``unbound_message``; then the
proxy itself is false and has an empty ``dir``. ``_get_current_object()`` gives the object.
"""


class LocalProxy(Generic[T]):
    __slots__ = ("_get_current_object", "_wrapped")

    _get_current_object: Callable[[], T]

    def __init__(
        self,
        local: "ContextVar[T] | Callable[[], T] | Any",
        name: str | None = None,
        *,
        unbound_message: str | None = None,
    ) -> None:
        message = "object is not bound" if unbound_message is None else unbound_message
        object.__setattr__(self, "_wrapped", local)
        object.__setattr__(self, "_get_current_object", _getter(local, name, message))

    __doc__ = own_value(lambda _: _DOC, _DOC)
    __class__ = own_value(type)  # pyright: ignore[reportIncompatibleMethodOverride]  # what isinstance asks for
    __wrapped__ = own_value(lambda proxy: proxy._wrapped)  # noqa: SLF001 - the proxy's own

    __repr__ = forward(repr, lambda proxy: f"<{type(proxy).__name__} unbound>")
    __str__ = forward(str)
    __bytes__ = forward(bytes)
    __format__ = forward(format)
    __hash__ = forward(hash)
    __bool__ = forward(bool, lambda _: False)
    __dir__ = forward(dir, lambda _: [])
    __copy__ = forward(copy.copy)
    __deepcopy__ = forward(copy.deepcopy)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._get_current_object(), name)

    __setattr__ = forward(setattr)
    __delattr__ = forward(delattr)
    __instancecheck__ = forward(lambda current, other: isinstance(other, current))
    __subclasscheck__ = forward(lambda current, other: issubclass(other, current))

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the object."""
        current: Any = self._get_current_object()
        return current(*arguments, **named)

    __lt__ = forward(operator.lt)
    __le__ = forward(operator.le)
    __eq__ = forward(operator.eq)
    __ne__ = forward(operator.ne)
    __gt__ = forward(operator.gt)
    __ge__ = forward(operator.ge)

    __len__ = forward(len)
    __length_hint__ = forward(operator.length_hint)
    __getitem__ = forward(operator.getitem)
    __setitem__ = forward(operator.setitem)
    __delitem__ = forward(operator.delitem)
    __contains__ = forward(operator.contains)
    __iter__ = forward(iter)
    __next__ = forward(next)
    __reversed__ = forward(reversed)

    __enter__ = Own()
    __exit__ = Own()
    __await__ = Own()
    __aiter__ = Own()
    __anext__ = Own()
    __aenter__ = Own()
    __aexit__ = Own()

    __add__, __radd__, __iadd__ = (
        forward(operator.add),
        forward_reflected(operator.add),
        forward_in_place(operator.iadd),
    )
    __sub__, __rsub__, __isub__ = (
        forward(operator.sub),
        forward_reflected(operator.sub),
        forward_in_place(operator.isub),
    )
    __mul__, __rmul__, __imul__ = (
        forward(operator.mul),
        forward_reflected(operator.mul),
        forward_in_place(operator.imul),
    )
    __matmul__, __rmatmul__ = forward(operator.matmul), forward_reflected(operator.matmul)
    __imatmul__ = forward_in_place(operator.imatmul)
    __truediv__, __rtruediv__ = forward(operator.truediv), forward_reflected(operator.truediv)
    __itruediv__ = forward_in_place(operator.itruediv)
    __floordiv__, __rfloordiv__ = forward(operator.floordiv), forward_reflected(operator.floordiv)
    __ifloordiv__ = forward_in_place(operator.ifloordiv)
    __mod__, __rmod__, __imod__ = (
        forward(operator.mod),
        forward_reflected(operator.mod),
        forward_in_place(operator.imod),
    )
    __divmod__, __rdivmod__ = forward(divmod), forward_reflected(divmod)
    __pow__, __rpow__, __ipow__ = forward(pow), forward_reflected(pow), forward_in_place(operator.ipow)
    __lshift__, __rlshift__ = forward(operator.lshift), forward_reflected(operator.lshift)
    __ilshift__ = forward_in_place(operator.ilshift)
    __rshift__, __rrshift__ = forward(operator.rshift), forward_reflected(operator.rshift)
    __irshift__ = forward_in_place(operator.irshift)
    __and__, __rand__, __iand__ = (
        forward(operator.and_),
        forward_reflected(operator.and_),
        forward_in_place(operator.iand),
    )
    __xor__, __rxor__, __ixor__ = (
        forward(operator.xor),
        forward_reflected(operator.xor),
        forward_in_place(operator.ixor),
    )
    __or__, __ror__, __ior__ = forward(operator.or_), forward_reflected(operator.or_), forward_in_place(operator.ior)

    __neg__ = forward(operator.neg)
    __pos__ = forward(operator.pos)
    __abs__ = forward(abs)
    __invert__ = forward(operator.invert)
    __complex__ = forward(complex)
    __int__ = forward(int)
    __float__ = forward(float)
    __index__ = forward(operator.index)
    __round__ = forward(round)
    __trunc__ = forward(math.trunc)
    __floor__ = forward(math.floor)
    __ceil__ = forward(math.ceil)


def _getter(local: Any, name: str | None, message: str) -> Callable[[], Any]:
    """Return the function that finds the object. Raises TypeError for a source of another kind."""
    if hasattr(type(local), "__local_source__"):
        source: Callable[[], Any] = type(local).__local_source__(local, name, message)
        return source
    if isinstance(local, ContextVar):
        return attribute_of(bound(local.get, LookupError, message), name)
    if callable(local):
        return attribute_of(local, name)
    raise TypeError(f"Don't know how to proxy '{type(local)}'.")


def attribute_of(source: Callable[[], Any], name: str | None) -> Callable[[], Any]:
    """Return a function for an attribute of a source's object; for the object itself if the name is None."""
    if name is None:
        return source
    attribute = attrgetter(name)
    return lambda: attribute(source())


def bound(source: Callable[[], T], absent: type[Exception], message: str) -> Callable[[], T]:
    """Return a source that raises RuntimeError with a message instead of the error ``absent``."""

    def current() -> T:
        try:
            return source()
        except absent:
            raise RuntimeError(message) from None

    return current
