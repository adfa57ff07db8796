"""Objects as Python stores them, read without calling any code of their classes."""

import collections
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any


def class_name(kind: type) -> str:
    """Return the name of a class, regardless of its metaclass."""
    return str(type.__dict__["__qualname__"].__get__(kind))[:200]


def as_text(key: Any) -> str:
    """Return a key as text; empty for a key that is not text."""
    if issubclass(type(key), str):
        return str.__str__(key)
    return bytes.decode(key, "latin-1") if issubclass(type(key), bytes) else ""


def is_environment(value: dict[Any, Any]) -> bool:
    """Return True for a WSGI environ, in which some servers put the process's environment, or a copy of the latter."""
    if dict.__contains__(value, "wsgi.version") or dict.__contains__(value, "wsgi.input"):
        return True
    variables = [*islice(os.environ.items(), 50)]
    same = sum(_is_text(dict.get(value, name), each) for name, each in variables)
    same += sum(_is_text(dict.get(value, os.fsencode(name)), os.fsencode(each)) for name, each in variables)
    return same >= 3 or (same > 0 and same == dict.__len__(value))


def _is_text(value: object, wanted: str | bytes) -> bool:
    return type(value) is type(wanted) and value == wanted


def args_of(error: BaseException) -> tuple[Any, ...]:
    """Return the arguments of an exception."""
    args: tuple[Any, ...] = BaseException.__dict__["args"].__get__(error)
    return args


def field_names(kind: type) -> tuple[str, ...]:
    """Return the names of a named tuple's fields; none for any other class."""
    for each in _bases(kind):
        fields = _own(each).get("_fields")
        if type(fields) is tuple and all(type(name) is str for name in fields):
            return fields
    return ()


def is_ours(kind: type) -> bool:
    """Return True for a class of Antiphon."""
    module = _own(kind).get("__module__")
    return type(module) is str and module.startswith("antiphon.")


def _bases(kind: type) -> tuple[type, ...]:
    bases: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return bases


def _own(kind: type) -> Any:
    return type.__dict__["__dict__"].__get__(kind)


def own_slot(name: str, kind: type, value: object) -> Any:
    """Return an attribute in a slot of one of our classes, even if a derived class redefines its name."""
    return next(_own(base)[name] for base in _bases(kind) if name in _own(base)).__get__(value)


def attributes(value: object) -> Iterator[tuple[str, object]]:
    """Yield the attributes that an object stores, in its ``__dict__`` and its slots. Properties are not called."""
    for kind in _bases(type(value)):
        own = _own(kind)
        kept = own.get("__dict__")
        if type(kept) is GetSetDescriptorType:
            instance = kept.__get__(value)
            if type(instance) is dict:
                yield from ((name, each) for name, each in [*instance.items()] if type(name) is str)
        if own.get("__module__") not in (None, "builtins", "functools"):
            for name, member in sorted(own.items()):
                if type(member) is MemberDescriptorType and not name.startswith("__"):
                    with suppress(AttributeError):
                        yield name, member.__get__(value)


def parts(value: Any) -> Iterable[object]:
    """Return the parts of a value: the items of a collection, the attributes of any other object."""
    kind = type(value)
    if issubclass(kind, dict):
        return list(dict.values(value))
    base: Any
    for base in (list, tuple, set, frozenset, collections.deque):
        if issubclass(kind, base):
            return list(base.__iter__(value))
    return (each for _, each in attributes(value))
