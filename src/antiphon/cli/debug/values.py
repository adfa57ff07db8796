"""Printing the app's values as text of limited length from Python's own structures, without running the app's code.

Nothing lazy is loaded, nothing waits for a network, and no `__repr__` can fail or lie. Values are recognized by their
real type and read as C stores them.
"""

import collections
import datetime
import decimal
import fractions
import ipaddress
import os
import pathlib
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from enum import Enum
from itertools import islice
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    EllipsisType,
    FrameType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
    TracebackType,
)
from typing import Any

from antiphon.features.masking import MASK, Mask
from antiphon.features.secret_names import is_secret, named_items
from antiphon.request.request import Request
from antiphon.response.response import Response


def class_name(kind: type) -> str:
    """Return the name of a class, regardless of its metaclass."""
    return str(type.__dict__["__qualname__"].__get__(kind))[:200]


def as_text(key: Any) -> str:
    """Return a key as text; empty for a key that is not text."""
    if issubclass(type(key), str):
        return str.__str__(key)
    return bytes.decode(key, "latin-1") if issubclass(type(key), bytes) else ""


def is_environment(value: dict[Any, Any]) -> bool:
    """Return True for a WSGI environ, which may include the process's environment, or for a copy of the environment."""
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
    """Return the names of a named tuple's fields; empty for any other class."""
    for each in _bases(kind):
        fields = _own(each).get("_fields")
        if type(fields) is tuple and all(type(name) is str for name in fields):
            return fields
    return ()


def is_ours(kind: type) -> bool:
    """Return True for a class defined by Antiphon."""
    module = _own(kind).get("__module__")
    return type(module) is str and module.startswith("antiphon.")


def _bases(kind: type) -> tuple[type, ...]:
    bases: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return bases


def _own(kind: type) -> Any:
    return type.__dict__["__dict__"].__get__(kind)


def own_slot(name: str, kind: type, value: object) -> Any:
    """Return an attribute in a slot of one of our classes, even if a subclass redefines its name."""
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
    """Return the parts of a value: a collection's items, or any other object's attributes."""
    kind = type(value)
    if issubclass(kind, dict):
        return list(dict.values(value))
    base: Any
    for base in (list, tuple, set, frozenset, collections.deque):
        if issubclass(kind, base):
            return list(base.__iter__(value))
    return (each for _, each in attributes(value))


LENGTH = 1_000
"""The maximum number of characters shown for one value."""
_TEXT = 300
"""The maximum number of characters of a string inside a value."""
_SEARCHED = 20_000
"""The number of a string's characters to search for secrets before it is cut: several times the longest secret."""
_DEPTH = 4
_ITEMS = (30, 12, 8, 6)
"""The maximum number of a collection's items that are shown, by depth."""
_NODES = 300
"""The maximum number of objects that are examined for one value."""
_DIGITS = 4_000
"""The size in bits of the largest integer that is written out, since this takes quadratic time."""

_PLAIN = (
    *(bool, float, complex, NoneType, EllipsisType, type(NotImplemented), range),
    *(datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID, re.Pattern),
    *(pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath),
    *(ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network),
)
_NAMED = (FunctionType, BuiltinFunctionType, CoroutineType, GeneratorType, AsyncGeneratorType)
_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_ONLY_TYPE = (FrameType, TracebackType)


def _decoded(value: bytes | bytearray) -> str:
    base = bytes if issubclass(type(value), bytes) else bytearray
    return base.decode(value, "utf-8", "replace")  # type: ignore[arg-type]  # it is of that class


class Printer:
    """A printer of values that masks anything that looks like a secret.

    Secrets that it finds are later masked everywhere.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._left = _NODES

    def show(self, value: object, name: str = "") -> str:
        """Return a value as text. ``name`` is the name of the variable, item or attribute."""
        self._left = _NODES
        try:
            shown = self._masked(value) if is_secret(name, value) else self._any(value, 0)
        except Exception as error:  # such as a dict changed by another thread
            return f"<{class_name(type(value))}: not shown, {type(error).__name__}>"
        return _cut(self._mask.known(shown), LENGTH)

    def _masked(self, value: object) -> str:
        kind = type(value)
        if value is None or kind is bool:
            return repr(value)
        self._learn(value, 0)
        return MASK if issubclass(kind, str | bytes | int | float) else f"<{class_name(kind)} {MASK}>"

    def _learn(self, value: Any, depth: int) -> None:
        """Record the strings in a secret value."""
        self._left -= 1
        if self._left < 0 or depth > _DEPTH:
            return
        kind = type(value)
        if issubclass(kind, str | bytes):
            self._mask.add(_decoded(value) if issubclass(kind, bytes) else as_text(value))
        elif issubclass(kind, int) and kind is not bool:
            self._mask.add(_integer(value))
        elif not issubclass(kind, (type, ModuleType, *_NAMED)):
            for each in islice(parts(value), _ITEMS[0]):
                self._learn(each, depth + 1)

    def _any(self, value: Any, depth: int) -> str:
        kind = type(value)
        self._left -= 1
        if self._left < 0:
            return "..."
        if issubclass(kind, str):
            return self._text(value)
        if issubclass(kind, bytes | bytearray):
            return self._bytes(value)
        if issubclass(kind, int) and kind is not bool and not issubclass(kind, Enum):
            return _integer(value)
        if kind in _PLAIN:
            return _cut(self._mask.text(repr(value)), _TEXT)
        if kind is datetime.datetime:  # a time zone may be of any class
            return f"datetime({datetime.datetime.replace(value, tzinfo=None)})"
        if kind is fractions.Fraction:
            return f"Fraction({_integer(value.numerator)}, {_integer(value.denominator)})"
        return self._compound(value, kind, depth) if depth < _DEPTH else "..."

    def _compound(self, value: Any, kind: type, depth: int) -> str:
        if issubclass(kind, type):
            return f"<class {class_name(value)}>"
        if issubclass(kind, ModuleType):
            return "<module>"
        if kind in _NAMED:
            return f"<{kind.__name__} {value.__qualname__}>"
        if kind is MethodType:
            return f"<method {self._any(value.__func__, depth + 1)}>"
        if kind in _ONLY_TYPE or kind is os._Environ:  # noqa: SLF001 - its type has no other name
            return f"<{class_name(kind)}>"
        if issubclass(kind, Enum):
            return f"{class_name(kind)}.{dict(attributes(value)).get('_name_')}"
        if issubclass(kind, dict):
            return self._dict(value, kind, depth)
        if issubclass(kind, list | tuple | set | frozenset | collections.deque):
            return self._collection(value, kind, depth)
        if kind in _VIEWS:
            items = [*islice(value, _limit(depth))]
            return f"{kind.__name__}({_joined([self._any(each, depth + 1) for each in items], len(value))})"
        if issubclass(kind, BaseException):
            shown = self._row(args_of(value)[: _limit(depth)], depth)
            return f"{class_name(kind)}({_joined(shown, len(args_of(value)))})"
        return self._object(value, kind, depth)

    def _text(self, value: str) -> str:
        length = str.__len__(value)
        text = self._mask.text(str.__getitem__(value, slice(_SEARCHED)))
        if len(text) <= _TEXT and length <= _SEARCHED:
            return repr(text)
        return f"{_start(text) if length > _SEARCHED else text[:_TEXT]!r}... ({length} characters)"

    def _bytes(self, value: bytes | bytearray) -> str:
        base = bytes if issubclass(type(value), bytes) else bytearray
        length = base.__len__(value)  # type: ignore[arg-type]  # it is of that class
        start = base.__getitem__(value, slice(_SEARCHED))  # type: ignore[index]
        text = self._mask.text(_decoded(start))
        shown = text.encode() if MASK in text else start
        if len(shown) <= _TEXT and length <= _SEARCHED:
            return repr(bytes(shown))
        cut = _start(text).encode() if length > _SEARCHED and shown is not start else shown[:_TEXT]
        return f"{bytes(cut)!r}... ({length} bytes)"

    def _dict(self, value: dict[Any, Any], kind: type, depth: int) -> str:
        if is_environment(value):
            return f"<{class_name(kind)}, an environment>"
        items = named_items(islice(dict.items(value), _limit(depth)), as_text)
        shown = [f"{self._any(key, depth + 1)}: {self._named(name, each, depth)}" for name, key, each in items]
        return _labelled(kind, dict, f"{{{_joined(shown, dict.__len__(value))}}}")

    def _named(self, name: str, value: object, depth: int) -> str:
        return self._masked(value) if is_secret(name, value) else self._any(value, depth + 1)

    def _collection(self, value: Any, kind: type, depth: int) -> str:
        base = next(each for each in (list, tuple, set, frozenset, collections.deque) if issubclass(kind, each))
        items: list[Any] = [*islice(base.__iter__(value), _limit(depth))]
        fields = field_names(kind) if base is tuple else ()
        if fields:
            shown = [f"{name}={self._named(name, each, depth)}" for name, each in zip(fields, items, strict=False)]
            return f"{class_name(kind)}({_joined(shown, len(items))})"
        shown = (
            self._row(items, depth)
            if base is tuple or len(items) == 2
            else [self._any(each, depth + 1) for each in items]
        )
        text = _joined(shown, base.__len__(value))
        if base is list:
            return _labelled(kind, list, f"[{text}]")
        if base is tuple:
            return _labelled(kind, tuple, f"({text}{',' * (len(items) == 1)})")
        if base is set and text:
            return _labelled(kind, set, f"{{{text}}}")
        return f"{class_name(kind)}({text})"

    def _row(self, items: Sequence[object], depth: int) -> list[str]:
        """Return values, each of which may be the name of the next, as in a header field."""
        names = ["", *map(as_text, items)]
        return [self._named(name, each, depth) for name, each in zip(names, items, strict=False)]

    def _object(self, value: object, kind: type, depth: int) -> str:
        if issubclass(kind, Request):
            head = own_slot("head", Request, value)
            return f"<{class_name(kind)} {self._mask.text(head.method)} {self._mask.text(head.path)!r}>"
        if issubclass(kind, Response):
            return f"<{class_name(kind)} {own_slot('_status', Response, value) or 200}>"
        if is_ours(kind):
            return self._of_ours(value, kind, depth)
        kept = [*islice(attributes(value), _limit(depth) + 1)]
        named = named_items(kept[: _limit(depth)], as_text)
        shown = [f"{attribute}={self._named(name, each, depth)}" for name, attribute, each in named]
        if len(kept) > len(shown):
            shown.append("...")
        return f"<{class_name(kind)}{' ' * bool(shown)}{', '.join(shown)}>"

    def _of_ours(self, value: object, kind: type, depth: int) -> str:
        """Return a string for an Antiphon object: its type, with the names and values of its fields, if any."""
        kept = dict(attributes(value))
        fields = next((kept[name] for name in _FIELDS if kept.get(name) is not None), None)
        if type(fields) is dict:
            fields = [*fields.items()]
        return f"{class_name(kind)}({self._any(fields, depth)})" if type(fields) is list else f"<{class_name(kind)}>"


_FIELDS = ("_repeating", "_found", "_fields")
"""The attributes in which an Antiphon object stores names and values."""


def _start(text: str) -> str:
    """Return the beginning of a text that may end with a truncated secret; if much is masked, up to the last mask."""
    return text[:_TEXT] if len(text) > _SEARCHED // 2 else text[: text.rfind(MASK) + len(MASK)][:_TEXT]


def _limit(depth: int) -> int:
    return _ITEMS[min(depth, len(_ITEMS) - 1)]


def _joined(shown: list[str], length: int) -> str:
    return ", ".join(shown if len(shown) == length else [*shown, f"... {length} in all"])


def _labelled(kind: type, base: type, text: str) -> str:
    return text if kind is base else f"{class_name(kind)}({text})"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}..."


def _integer(value: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= _DIGITS else f"<an integer of {bits} bits>"
