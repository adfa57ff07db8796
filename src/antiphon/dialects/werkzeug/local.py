"""Werkzeug's context-local objects, based on context variables, and proxies for them.

Values are replaced, never changed in place, since copies of a context share them.
"""

import copy
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import update_wrapper
from operator import attrgetter
from threading import get_ident
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from antiphon.dialects._environ.calling import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def forward(operation: Callable[..., Any], unbound: Callable[[Any], Any] | None = None) -> Any:
    """Return a method that applies an operation to the proxied object.

    If there is no object, ``unbound``, if given, is called with the proxy.
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
    """Return a method for an operator whose right operand is the proxy."""

    def method(self: Any, left: Any) -> Any:
        return operation(left, self._get_current_object())

    return method


def forward_in_place(operation: Callable[[Any, Any], Any]) -> Any:
    """Return a method for an operator such as ``+=`` that changes the object but returns the proxy."""

    def method(self: Any, right: Any) -> Any:
        operation(self._get_current_object(), right)
        return self

    return method


class Own:
    """A method that a proxy has only if the proxied object has it."""

    __slots__ = ("_name",)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, proxy: Any, owner: type | None = None) -> Any:
        return self if proxy is None else getattr(proxy._get_current_object(), self._name)  # noqa: SLF001

    def __call__(self, proxy: Any, *arguments: Any, **named: Any) -> Any:
        return self.__get__(proxy)(*arguments, **named)


def own_value(unbound: Callable[[Any], Any], of_class: Any = None) -> Any:
    """Return a descriptor that forwards an attribute to the proxied object.

    If there is no object, ``unbound`` computes the value from the proxy. ``of_class`` is the value on the proxy class.
    """
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


T = TypeVar("T")

_DOC = """A proxy for the value of a context variable, a function's result, a Local's attribute, or the top of a stack.

With a ``name``, it is a proxy for that attribute of the object. All operations on the proxy apply to the object,
including ``repr`` and ``__class__``. If there is no object, operations raise RuntimeError with ``unbound_message``,
but the proxy is falsy and its ``dir`` is empty. ``_get_current_object()`` returns the object.
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
    __class__ = own_value(type)  # pyright: ignore[reportIncompatibleMethodOverride]  # isinstance reads it
    __wrapped__ = own_value(lambda proxy: proxy._wrapped)  # noqa: SLF001 - set in __init__

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
    """Return the function that finds the proxied object. Raises TypeError for an unsupported source."""
    if hasattr(type(local), "__local_source__"):
        source: Callable[[], Any] = type(local).__local_source__(local, name, message)
        return source
    if isinstance(local, ContextVar):
        return attribute_of(bound(local.get, LookupError, message), name)
    if callable(local):
        return attribute_of(local, name)
    raise TypeError(f"Don't know how to proxy '{type(local)}'.")


def attribute_of(source: Callable[[], Any], name: str | None) -> Callable[[], Any]:
    """Return a function that reads an attribute of a source's object or, if the name is None, the object itself."""
    if name is None:
        return source
    attribute = attrgetter(name)
    return lambda: attribute(source())


def bound(source: Callable[[], T], absent: type[Exception], message: str) -> Callable[[], T]:
    """Return a source that raises RuntimeError with a message instead of the exception ``absent``."""

    def current() -> T:
        try:
            return source()
        except absent:
            raise RuntimeError(message) from None

    return current


_NOTHING: MappingProxyType[str, Any] = MappingProxyType({})


class Local:
    """An object whose attributes have separate values in each context. Call it with a name to get a proxy for that
    attribute.
    """

    __slots__ = ("_variable",)

    _variable: "ContextVar[dict[str, Any]]"

    def __init__(self, context_var: "ContextVar[dict[str, Any]] | None" = None) -> None:
        variable = context_var or ContextVar(f"antiphon.Local<{id(self)}>")
        object.__setattr__(self, "_variable", variable)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(dict(self._variable.get(_NOTHING)).items())

    def __call__(self, name: str, *, unbound_message: str | None = None) -> LocalProxy[Any]:
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
    """A stack with separate values in each context.

    Call it to get a proxy for its top or for an attribute of the top.
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
        """Push an object and return the whole stack."""
        items = [*self._items(), obj]
        self._variable.set(items)
        return items.copy()

    def pop(self) -> T | None:
        """Remove and return the top object. Return None if the stack is empty."""
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
        return LocalProxy(self, name, unbound_message=unbound_message)


def release_local(local: "Local | LocalStack[Any]") -> None:
    local.__release_local__()


class LocalManager:
    """A group of context-local objects that are released together, by ``cleanup`` or after each response."""

    __slots__ = ("ident_func", "locals")

    def __init__(
        self,
        locals: "Local | LocalStack[Any] | Iterable[Local | LocalStack[Any]] | None" = None,  # noqa: A002 - Werkzeug's name
        ident_func: Callable[[], Any] | None = None,
    ) -> None:
        self.locals = [locals] if isinstance(locals, (Local, LocalStack)) else list(locals or ())
        self.ident_func = ident_func or get_ident

    def get_ident(self) -> Any:
        """Return the thread's identifier, which contexts do not need."""
        return self.ident_func()

    def cleanup(self) -> None:
        for local in self.locals:
            release_local(local)

    def make_middleware(self, app: "WSGIApplication") -> "WSGIApplication":
        """Return an application that releases the objects after each response of ``app``."""

        def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            return ClosingIterator(app(environ, start_response), self.cleanup)

        return application

    def middleware(self, func: "WSGIApplication") -> "WSGIApplication":
        """Decorate an application to release the objects after each of its responses."""
        return update_wrapper(self.make_middleware(func), func)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} storages: {len(self.locals)}>"


__all__ = ["Local", "LocalManager", "LocalProxy", "LocalStack", "get_ident", "release_local"]
