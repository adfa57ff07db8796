"""Shared helpers, such as topological sorting and properties of single objects."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache, partial
from hmac import compare_digest
from inspect import (
    Parameter,
    getdoc,
    isclass,
    isfunction,
    isgeneratorfunction,
    ismethod,
    ismodule,
    isroutine,
    signature,
)
from typing import Any, NoReturn
from weakref import ref

from antiphon.dialects.pyramid.exceptions import ConfigurationError, CyclicDependencyError
from antiphon.dialects.pyramid.path import DottedNameResolver as _DottedNameResolver

PYPY = sys.implementation.name == "pypy"
WIN = sys.platform == "win32"

# Strings


def text_(s: Any, encoding: str = "latin-1", errors: str = "strict") -> Any:
    """Decode bytes. Anything else is returned unchanged."""
    return s.decode(encoding, errors) if isinstance(s, bytes) else s


def bytes_(s: Any, encoding: str = "latin-1", errors: str = "strict") -> Any:
    """Encode text. Anything else is returned unchanged."""
    return s.encode(encoding, errors) if isinstance(s, str) else s


def ascii_(s: Any) -> str:
    """Return text, decoding bytes if necessary. Raises UnicodeError for non-ASCII characters."""
    return str(s.encode("ascii") if isinstance(s, str) else s, "ascii")


def strings_differ(string1: Any, string2: Any) -> bool:
    """Return True if two strings or bytes differ, in a time that does not reveal where they differ."""
    return not compare_digest(*[bytes_(each, "utf-8", "surrogatepass") for each in (string1, string2)])


def is_same_domain(host: str, pattern: str) -> bool:
    """Return True if a host equals a pattern or is a subdomain of a pattern with a leading dot, ignoring case."""
    if not pattern:
        return False
    pattern, host = pattern.lower(), host.lower()
    return host == pattern or (pattern[0] == "." and (host.endswith(pattern) or host == pattern[1:]))


class SimpleSerializer:
    """A serializer of text as UTF-8 bytes."""

    def loads(self, bstruct: bytes) -> str:
        return str(text_(bstruct, "utf-8"))

    def dumps(self, appstruct: str) -> bytes:
        """Encode text as bytes."""
        return bytes(bytes_(appstruct, "utf-8"))


# Values


def is_nonstr_iter(v: Any) -> bool:
    """Return True for any iterable except a string."""
    return not isinstance(v, str) and hasattr(v, "__iter__")


def is_string_or_iterable(v: Any) -> bool:
    """Return True for strings and other iterables."""
    return isinstance(v, str) or hasattr(v, "__iter__")


def as_sorted_tuple(val: Any) -> tuple[Any, ...]:
    """Return an iterable's values, or a single value, as a sorted tuple without duplicates."""
    return tuple(sorted(set(val if is_nonstr_iter(val) else (val,))))


class Sentinel:
    def __init__(self, repr: str) -> None:  # noqa: A002 - Pyramid's name
        self.repr = repr

    def __repr__(self) -> str:
        return self.repr


FIRST = Sentinel("FIRST")
LAST = Sentinel("LAST")


def shortrepr(object: Any, closer: str) -> str:  # noqa: A002 - Pyramid's name
    """Return an object's repr, shortened to 100 characters."""
    shown = str(object)
    return f"{shown[:100]} ... {closer}" if len(shown) > 100 else shown


_CLOSERS: tuple[tuple[type, str], ...] = ((set, "}"), (frozenset, "})"), (list, "]"), (tuple, ")"), (dict, "}"))


def object_description(object: Any) -> str:  # noqa: A002 - Pyramid's name
    """Return a description of an object that developers will recognize."""
    if isinstance(object, str):
        return object
    if isinstance(object, (int, float, complex, bool, type(None))):
        return str(object)
    for kind, closer in _CLOSERS:
        if isinstance(object, kind):
            return shortrepr(object, closer)
    if ismodule(object):
        return f"module {object.__name__}"
    module = getattr(object, "__module__", None)
    if module is None:
        return f"object {object}"
    if ismethod(object):
        return f"method {object.__name__} of class {module}.{type(object.__self__).__name__}"
    if isclass(object):
        return f"class {module}.{object.__name__}"
    if isfunction(object):
        return f"function {module}.{object.__name__}"
    return f"object {object}"


def get_callable_name(name: Any) -> str:
    """Return an ASCII name. Raises ConfigurationError for any other name."""
    try:
        return ascii_(name)
    except (UnicodeEncodeError, UnicodeDecodeError):
        raise ConfigurationError(
            f"`name={name!r}` is invalid. `name` must be ascii because it is used on __name__ of the method"
        ) from None


def reraise(tp: Any, value: Any, tb: Any = None) -> NoReturn:
    if value is None:
        value = tp()
    raise value.with_traceback(tb)


# Functions


_own_signature = partial(signature, follow_wrapped=False)
"""Return a function's own signature, even if it wraps another function."""


def takes_one_arg(callee: Any, attr: str | None = None, argname: str | None = None, allow_varargs: bool = True) -> bool:
    """Return True if a function, class or object, or its method ``attr``, accepts a single argument.

    With ``argname``, more parameters are allowed if the first has that name and all others have defaults.
    """
    if attr == "__call__":
        attr = None
    function: Any = callee
    if attr and not isclass(callee) and not isroutine(callee):
        function = getattr(callee, attr, None)
    try:
        parameters = [*_own_signature(callee if isclass(callee) else function).parameters.values()]
    except (TypeError, ValueError):
        return False
    positional = [p for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    varargs = any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)
    if not positional:
        return False
    if any(p.kind is Parameter.KEYWORD_ONLY and p.default is Parameter.empty for p in parameters):
        return False
    required = [p for p in positional if p.default is Parameter.empty]
    if len(positional) == 1:
        return not varargs or allow_varargs
    if argname and positional[0].name == argname:
        return len(required) <= 1
    return False


def is_bound_method(ob: Any) -> bool:
    """Return True for a method that is bound to an instance or a class."""
    return ismethod(ob) and getattr(ob, "__self__", None) is not None


def is_unbound_method(fn: Any) -> bool:
    """Return True for a function defined in a class."""
    if is_bound_method(fn) or not isfunction(fn):
        return False
    qualified = fn.__qualname__
    if "." not in qualified or qualified.rpartition(".")[0].endswith("<locals>"):
        return False
    return next(iter(_own_signature(fn).parameters), None) == "self"


def make_contextmanager(fn: Callable[..., Any] | None) -> Callable[..., Any]:
    """Turn a generator function into a context manager. Any other function becomes one that returns its result."""
    if fn is None:
        return nullcontext
    if isgeneratorfunction(fn):
        return contextmanager(fn)

    def yields(*args: Any, **kw: Any) -> Iterator[Any]:
        yield fn(*args, **kw)

    return contextmanager(yields)


@contextmanager
def hide_attrs(obj: Any, *attrs: str) -> Iterator[None]:
    """Remove attributes from an object's dictionary in a `with` block, and restore them afterwards."""
    values = getattr(obj, "__dict__", {})
    hidden = {name: values.pop(name) for name in attrs if name in values}
    try:
        yield
    finally:
        for name in attrs:
            values.pop(name, None)
        values.update(hidden)


class DottedNameResolver(_DottedNameResolver):
    """A resolver of objects by name, relative to a package if there is one. Its errors are configuration errors."""

    def __init__(self, package: Any = None) -> None:
        super().__init__(package)


# Properties of single objects


class SettableProperty:
    """A decorator that turns a method into an attribute that can also be set and deleted on the instance."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = getdoc(wrapped)

    def __get__(self, obj: Any, type: type | None = None) -> Any:  # noqa: A002 - Python's name
        if obj is None:
            return self
        name = self.wrapped.__name__
        return obj.__dict__[name] if name in obj.__dict__ else self.wrapped(obj)

    def __set__(self, obj: Any, value: Any) -> None:
        obj.__dict__[self.wrapped.__name__] = value

    def __delete__(self, obj: Any) -> None:
        del obj.__dict__[self.wrapped.__name__]


@lru_cache(512)
def _class_with(parent: type, properties: tuple[tuple[str, Any], ...]) -> type:
    return type(parent.__name__, (parent,), {"__module__": parent.__module__, "_base": parent, **dict(properties)})


class InstancePropertyHelper:
    """A helper that adds properties to single objects, each of which gets its own class."""

    def __init__(self) -> None:
        self.properties: dict[str, Any] = {}

    @classmethod
    def make_property(cls, callable: Any, name: str | None = None, reify: bool = False) -> tuple[str, Any]:  # noqa: A002
        """Return a name and a property, made from a function or a property. A property needs a ``name``.

        Raises ValueError for a property without a name or with ``reify``.
        """
        is_property = isinstance(callable, (property, SettableProperty))
        if name is None:
            if not hasattr(callable, "__name__") or is_property:
                raise ValueError("missing __name__, must specify name for property")
            name = callable.__name__
        name = get_callable_name(name)
        if is_property:
            if reify:
                raise ValueError("cannot reify a data descriptor")
            return name, callable

        def wrapped(this: Any) -> Any:
            return callable(this)

        wrapped.__name__, wrapped.__doc__ = name, getattr(callable, "__doc__", None)
        if reify:
            from antiphon.dialects.pyramid.decorator import reify as reified

            return name, reified(wrapped)
        return name, SettableProperty(wrapped)

    @classmethod
    def apply_properties(cls, target: Any, properties: Any) -> None:
        """Add properties to an object. Objects of one class with equal properties share a new class."""
        pairs = tuple(properties.items() if hasattr(properties, "items") else properties)
        if pairs:
            parent: Any = type(target)
            target.__class__ = _class_with(parent, pairs)

    @classmethod
    def set_property(cls, target: Any, callable: Any, name: str | None = None, reify: bool = False) -> None:  # noqa: A002
        made = cls.make_property(callable, name=name, reify=reify)
        parent = type(target)
        target.__class__ = type(parent.__name__, (parent,), {"__module__": parent.__module__, made[0]: made[1]})

    def add_property(self, callable: Any, name: str | None = None, reify: bool = False) -> None:  # noqa: A002
        """Record a property to be added by ``apply``."""
        name, made = self.make_property(callable, name=name, reify=reify)
        self.properties[name] = made

    def apply(self, target: Any) -> None:
        """Add all recorded properties to an object."""
        self.apply_properties(target, self.properties)


class InstancePropertyMixin:
    """A mixin for objects to which single properties can be added."""

    def set_property(self, callable: Any, name: str | None = None, reify: bool = False) -> None:  # noqa: A002
        """Add a property to this object only. Its function is called each time or, with ``reify``, only once."""
        InstancePropertyHelper.set_property(self, callable, name=name, reify=reify)


class WeakOrderedSet:
    """A set in insertion order that keeps each object only as long as other code refers to it."""

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}

    def add(self, item: Any) -> None:
        """Add an object, or move it to the end."""
        identity = id(item)
        self._items.pop(identity, None)
        self._items[identity] = ref(item, lambda _, known=self._items, key=identity: known.pop(key, None))  # type: ignore[misc]

    def remove(self, item: Any) -> None:
        self._items.pop(id(item), None)

    def empty(self) -> None:
        self._items.clear()

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: Any) -> bool:
        return id(item) in self._items

    def __iter__(self) -> Iterator[Any]:
        return (weak() for weak in [*self._items.values()])

    @property
    def last(self) -> Any:
        """The object that was added last, or None if the set is empty."""
        return next(reversed(self._items.values()))() if self._items else None


# Orders


class TopologicalSorter:
    """A sorter of named values, each of which must come after some names and before others."""

    def __init__(
        self, default_before: Any = LAST, default_after: Any = None, first: Any = FIRST, last: Any = LAST
    ) -> None:
        self.names: list[Any] = []
        self.req_before: set[Any] = set()
        self.req_after: set[Any] = set()
        self.name2before: dict[Any, tuple[Any, ...]] = {}
        self.name2after: dict[Any, tuple[Any, ...]] = {}
        self.name2val: dict[Any, Any] = {}
        self.order: list[tuple[Any, Any]] = []
        self.default_before, self.default_after = default_before, default_after
        self.first, self.last = first, last

    def values(self) -> Any:
        """Return the values, in no particular order."""
        return self.name2val.values()

    def remove(self, name: Any) -> None:
        """Remove a value. Raises ValueError if its name is unknown."""
        self.names.remove(name)
        del self.name2val[name]
        after, before = self.name2after.pop(name, ()), self.name2before.pop(name, ())
        self.req_after.discard(name)
        self.req_before.discard(name)
        gone = {*((other, name) for other in after), *((name, other) for other in before)}
        self.order = [pair for pair in self.order if pair not in gone]

    def add(self, name: Any, val: Any, after: Any = None, before: Any = None) -> None:
        """Add a value, or replace the one with the same name. ``after`` and ``before`` are each one name or several."""
        if name in self.names:
            self.remove(name)
        self.names.append(name)
        self.name2val[name] = val
        if after is None and before is None:
            before, after = self.default_before, self.default_after
        if after is not None:
            after = tuple(after) if is_nonstr_iter(after) else (after,)
            self.name2after[name] = after
            self.order += [(other, name) for other in after]
            self.req_after.add(name)
        if before is not None:
            before = tuple(before) if is_nonstr_iter(before) else (before,)
            self.name2before[name] = before
            self.order += [(name, other) for other in before]
            self.req_before.add(name)

    def sorted(self) -> list[tuple[Any, Any]]:
        """Return (name, value) pairs in order.

        Raises ConfigurationError if none of the names that a value must come before or after exists, and
        CyclicDependencyError if there is no such order.
        """
        known = {self.first, self.last, *self.names}
        self._check_known(known)
        followers = self._followers(known)
        waiting = dict.fromkeys(followers, 0)
        for names in followers.values():
            for name in names:
                waiting[name] += 1
        ready = [name for name, count in waiting.items() if not count]
        done = []
        while ready:
            name = ready.pop(0)
            done.append(name)
            del waiting[name]
            for follower in followers[name]:
                waiting[follower] -= 1
                if not waiting[follower]:
                    ready.insert(0, follower)
        if waiting:
            raise CyclicDependencyError({name: followers[name] for name in waiting})
        return [(name, self.name2val[name]) for name in done if name in self.name2val]

    def _check_known(self, known: set[Any]) -> None:
        for needed, others, word in (
            (self.req_before, self.name2before, "before"),
            (self.req_after, self.name2after, "after"),
        ):
            for name in needed:
                if others[name] and not known.intersection(others[name]):
                    raise ConfigurationError(
                        f"Unsatisfied {word} dependencies: {name} ({word} {', '.join(map(str, others[name]))})"
                    )

    def _followers(self, known: set[Any]) -> dict[Any, list[Any]]:
        followers: dict[Any, list[Any]] = {self.first: []}
        for name in self.names:
            followers.setdefault(name, [])
        followers[self.last] = []
        for one, other in [(self.first, self.last), *self.order]:
            if one in known and other in known:
                followers[one].append(other)
        return followers
