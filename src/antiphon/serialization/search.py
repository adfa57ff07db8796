"""A search for every fault in a decoded value, because msgspec stops at the first.

The type's description is walked alongside the value, but only into invalid nested values. msgspec finds these in C and
reports where the first fault is. The work therefore grows with the number of faults and with the depth, both of which
are limited. A nested value with more than one fault is tried again at each depth, so the number of attempts is also
limited.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import GenericAlias
from typing import Any

import msgspec
from msgspec import inspect

from antiphon.http.errors import FieldError
from antiphon.serialization.decimals import Unusable
from antiphon.serialization.faults import (
    MISSING,
    Faults,
    FirstFault,
    Reason,
    first_step,
    located,
    not_one_of,
    reason_for_text,
    reason_of,
    step_to,
)
from antiphon.serialization.json import pointer_step
from antiphon.serialization.types import Record, members, parts, python_type
from antiphon.serialization.unknown_members import add_unknown

PLAIN = (ValueError, TypeError, ArithmeticError)
"""The errors other than ValidationError that msgspec may raise for a value, or pass on from a ``__post_init__``."""

_NOT_CALCULATED = "a calculation with this value failed"
_UNHASHABLE = {
    "unhashable type: 'list'": "an array can't be in a set",
    "unhashable type: 'dict'": "an object can't be in a set",
}
_YEAR = re.compile(r"year (-?\d+ is out of range|must be in 1\.\.9999)")
_PACKAGE = "antiphon.serialization."


def refusal(error: Exception, info: inspect.Type | None = None) -> msgspec.ValidationError:
    """Return the fault of the value that caused an error. Raises the error itself if the developer is to blame.

    Such errors come from Python code, for example in a default factory, or from sets of unhashable items: unless the
    type (``info``, if known) contains Any, the value can't be the cause. But an ArithmeticError in a ``__post_init__``,
    such as a division by zero, depends only on the value.
    """
    fault = _refusal(error, info)
    try:
        if fault is None:
            raise error
        return fault
    finally:
        del error  # the error refers to this frame


def _refusal(error: Exception, info: inspect.Type | None) -> msgspec.ValidationError | None:
    message = str(error)
    if not _is_from_here(error):
        return msgspec.ValidationError(_NOT_CALCULATED) if isinstance(error, ArithmeticError) else None
    if isinstance(error, TypeError):
        words = next((words for known, words in _UNHASHABLE.items() if known in message), None)
        if words is None or not (info is None or _has_any(info)):
            return None
        return msgspec.ValidationError(words)
    return msgspec.ValidationError("Timestamp is out of range" if _YEAR.match(message) else message)


def _is_from_here(error: Exception) -> bool:
    """Return True if the error was raised in C code called from this package, not by Python code that it called."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is None or str(last.tb_frame.f_globals.get("__name__")).startswith(_PACKAGE)


def _has_any(info: inspect.Type) -> bool:
    return any(isinstance(part, inspect.AnyType) for _, part in parts("", info))


_DEPTH = 32
"""The maximum depth of the search. Below it, only the first fault of a nested value is reported."""

_CHUNK = 64
"""The number of items that are tried together to find an invalid one."""

_TRIED = 64 << 10
"""The size of JSON, in bytes, that may always be tried. A value is counted each time it is part of an attempt."""

_TIMES = 4
"""The size that may be tried in addition, as a multiple of the size of the whole value."""


_encode = msgspec.json.Encoder(enc_hook=str).encode
"""A function that tells what an attempt takes, in less time than the attempt itself."""


_KEPT = 1024
"""The number of types that are kept ready to be tried."""

_ready: dict[tuple[int, type], tuple[inspect.Type, type[msgspec.Struct]]] = {}


def _tried(info: inspect.Type, kind: type = object) -> type[msgspec.Struct]:
    """Return the type of an array with one item: a value, or a list, set or dict (``kind``) of values or names."""
    if (ready := _ready.get((id(info), kind))) is None:
        if len(_ready) >= _KEPT:
            _ready.clear()
        wanted = python_type(info)
        if kind is not object:
            wanted = GenericAlias(kind, (wanted, Any) if kind is dict else (wanted,))
        ready = _ready[id(info), kind] = info, _as_only_item(wanted)
    return ready[1]


def _as_only_item(wanted: object) -> type[msgspec.Struct]:
    """Return the type of an array. msgspec reads a class's description once, but that of a list at each call."""
    return msgspec.defstruct("Tried", [("value", wanted)], array_like=True)


class FaultSearch:
    """The search for the faults of one value.

    ``as_text`` is True if the value was sent as text, as in a form: numbers, dates and so on are read from strings.
    ``size`` is that of the value's JSON, in bytes, if it may contain many nested values: it limits how many are tried.
    """

    __slots__ = ("_left", "as_text", "faults")

    def __init__(self, *, as_text: bool = False, size: int | None = None) -> None:
        self.faults = Faults()
        self.as_text = as_text
        self._left = None if size is None else _TRIED + _TIMES * size

    def fits(self, value: object, wanted: object) -> bool:
        """Return True if a value can be read as a type."""
        return self._misfit(value, _as_only_item(wanted)) is None

    def _misfit(self, value: object, wanted: type[msgspec.Struct]) -> msgspec.ValidationError | None:
        """Return msgspec's error for an invalid value; None if it is valid or the limit is reached."""
        if not self._may_try(value):
            return None
        try:
            msgspec.convert([value], wanted, strict=not self.as_text, str_keys=True)
        except msgspec.ValidationError as error:
            return first_step(error).error
        except PLAIN as error:
            return refusal(error)
        return None

    def _may_try(self, value: object) -> bool:
        if self._left is not None and not self.faults.stopped:
            self._left -= len(_encode(value))
            self.faults.stopped = self._left < 0
        return not self.faults.stopped

    def check(self, value: object, info: inspect.Type, pointer: str, depth: int = 0) -> None:
        """Add the faults of a value."""
        if not self.faults.enough and (error := self._misfit(value, _tried(info))):
            self.explain(value, info, pointer, error, depth)

    def explain(
        self, value: object, info: inspect.Type, pointer: str, error: msgspec.ValidationError, depth: int = 0
    ) -> None:
        """Add the faults of a value's nested values; if there are none, the fault that msgspec found."""
        before = self.faults.total
        if depth < _DEPTH:
            self._parts(value, _meant(value, info), pointer, first_step(error), depth + 1)
        if self.faults.total == before:
            self.note(error, value, info, pointer)

    def note(self, error: msgspec.ValidationError, value: object, info: inspect.Type, pointer: str) -> None:
        """Add a fault that msgspec has found in a value."""
        if isinstance(value, Unusable):
            self.faults.add(pointer, value.reason)
            return
        if not self.faults.has_room and not isinstance(error.__cause__, FieldError):
            self.faults.add("", MISSING)  # which is counted alone
            return
        inner, message = located(error)
        if isinstance(error.__cause__, FieldError):
            self.faults.add_listed(pointer + inner, error.__cause__)
            return
        reason = reason_for_text(message) if self.as_text else reason_of(message)
        is_choice = message.startswith(("Invalid enum value", "Invalid value")) or (self.as_text and _is_choice(info))
        if is_choice and (allowed := _allowed(info, inner)):
            reason = not_one_of(allowed)
        if value == "" and self.as_text:
            reason = MISSING._replace(detail=f"{reason.detail}, got nothing")
        self.faults.add(pointer + inner, reason)

    def _parts(self, value: object, info: inspect.Type, pointer: str, first: FirstFault, depth: int) -> None:
        match info, value:
            case inspect.StructType(array_like=True) | inspect.NamedTupleType() | inspect.TupleType(), list():
                self._positions(value, info, pointer, first, depth)
            case inspect.StructType() | inspect.DataclassType() | inspect.TypedDictType(), dict():
                self._fields(value, info, pointer, first, depth)
            case inspect.CollectionType(), list():
                self._length(len(value), "array", info, pointer)
                is_set = isinstance(info, inspect.SetType | inspect.FrozenSetType)
                self._items(value, range(len(value)), info.item_type, pointer, first, depth, set if is_set else list)
            case inspect.DictType(), dict():
                self._length(len(value), "object", info, pointer)
                self._names(list(value), info.key_type, pointer)
                self._items(list(value.values()), list(value), info.value_type, pointer, first, depth)

    def _fields(self, value: dict[str, object], info: Record, pointer: str, first: FirstFault, depth: int) -> None:
        for field in info.fields:
            at = pointer + pointer_step(field.encode_name)
            if field.encode_name in value and field.encode_name == first.step:
                self.explain(value[field.encode_name], field.type, at, first.error, depth)
            elif field.encode_name in value:
                self.check(value[field.encode_name], field.type, at, depth)
            elif field.required:
                self.faults.add(at, MISSING)
        if isinstance(info, inspect.StructType):
            self._tag(value, info, pointer)
            self.unknown(value, info, pointer)

    def _tag(self, value: dict[str, object], info: inspect.StructType, pointer: str) -> None:
        name = info.tag_field
        if name is not None and name in value and value[name] != info.tag:
            self.faults.add(pointer + pointer_step(name), not_one_of([info.tag]))

    def unknown(self, names: Iterable[str], info: Record, pointer: str) -> None:
        """Add the names without a field in the record, if the record forbids them."""
        if isinstance(info, inspect.StructType) and info.forbid_unknown_fields:
            known = {field.encode_name for field in info.fields} | ({info.tag_field} if info.tag_field else set())
            for name in names:
                if name not in known:
                    add_unknown(self.faults, pointer, name, known)

    def _positions(self, value: list[object], info: inspect.Type, pointer: str, first: FirstFault, depth: int) -> None:
        types, least, most = _positions(info)
        for index, (item, wanted) in enumerate(zip(value, types, strict=False)):
            if index == first.step:
                self.explain(item, wanted, f"{pointer}/{index}", first.error, depth)
            else:
                self.check(item, wanted, f"{pointer}/{index}", depth)
        if not least <= len(value) <= most:
            length = f"length {least}" if least == most else f"length {least} to {most}"
            size = f"at least length {least}" if most == sys.maxsize else length
            self.faults.add(pointer, reason_of(f"Expected `array` of {size}, got {len(value)}"))

    def _length(self, length: int, kind: str, info: inspect.CollectionType | inspect.DictType, pointer: str) -> None:
        for sign, bound in ((">=", info.min_length), ("<=", info.max_length)):
            if bound is not None and (length < bound if sign == ">=" else length > bound):
                self.faults.add(pointer, reason_of(f"Expected `{kind}` of length {sign} {bound}"))

    def _items(
        self,
        values: list[object],
        names: Sequence[object],
        info: inspect.Type,
        pointer: str,
        first: FirstFault,
        depth: int,
        kind: type = list,
    ) -> None:
        """Add the faults of the items in a list, or in a set (``kind``), whose items may be valid but unhashable."""

        def misfit(at: slice) -> msgspec.ValidationError | None:
            is_one = at.stop - at.start == 1
            alone = self._misfit(values[at.start], _tried(info)) if is_one else None
            return alone if alone or (is_one and kind is list) else self._misfit(values[at], _tried(info, kind))

        begin = 0
        if isinstance(first.step, int) and first.step < len(values):
            begin = first.step + 1
            self.explain(values[first.step], info, f"{pointer}/{first.step}", first.error, depth)
        for index, error in self._unfit(begin, len(values), misfit):
            self.explain(values[index], info, pointer + step_to(str(names[index])), error, depth)

    def _names(self, names: list[str], info: inspect.Type, pointer: str) -> None:
        wanted = _tried(info, dict)
        for index, error in self._unfit(0, len(names), lambda at: self._misfit(dict.fromkeys(names[at]), wanted)):
            name = names[index]
            said = name.reason if isinstance(name, Unusable) else reason_for_text(located(error)[1])
            reason = Reason(f"the name does not fit: {said.detail}", "wrong_name")
            self.faults.add(pointer + step_to(str(name)), reason)

    def _unfit(
        self, begin: int, length: int, misfit: Callable[[slice], msgspec.ValidationError | None]
    ) -> Iterator[tuple[int, msgspec.ValidationError]]:
        """Yield the index and error of each invalid item. Chunks are tried as a whole, so C skips the rest."""
        for start in range(begin, length, _CHUNK):
            if self.faults.enough:
                return
            chunk = slice(start, min(start + _CHUNK, length))
            if chunk.stop - start == 1 or misfit(chunk):
                for index in range(start, chunk.stop):
                    if error := misfit(slice(index, index + 1)):
                        yield index, error


def _shape(info: inspect.Type) -> type | None:
    """Return the class of the JSON value that contains this type's nested values, if it has any."""
    match info:
        case inspect.StructType(array_like=True) | inspect.NamedTupleType():
            return list
        case inspect.TupleType() | inspect.CollectionType():
            return list
        case inspect.StructType() | inspect.DataclassType() | inspect.TypedDictType() | inspect.DictType():
            return dict
    return None


def _meant(value: object, info: inspect.Type) -> inspect.Type:
    """Return the union member for which a value was meant: the only one with its shape, or the one with its tag."""
    alike = [member for member in members(info) if _shape(member) is type(value)]
    if len(alike) == 1:
        return alike[0]
    return next((member for member in alike if _bears_tag(value, member)), info)


def _bears_tag(value: object, info: inspect.Type) -> bool:
    if not isinstance(info, inspect.StructType) or info.tag_field is None:
        return False
    if isinstance(value, dict):
        return bool(value.get(info.tag_field) == info.tag)
    return isinstance(value, list) and value[:1] == [info.tag]


def _positions(info: inspect.Type) -> tuple[tuple[inspect.Type, ...], int, int]:
    """Return the types of an array's items, and their minimum and maximum number."""
    if isinstance(info, inspect.TupleType):
        return info.item_types, len(info.item_types), len(info.item_types)
    fields = info.fields if isinstance(info, Record) else ()
    types = tuple(field.type for field in fields)
    least, most = sum(field.required for field in fields), len(fields)
    if isinstance(info, inspect.StructType):
        if info.tag is not None:
            types, least, most = (inspect.LiteralType((info.tag,)), *types), least + 1, most + 1
        if not info.forbid_unknown_fields:
            most = sys.maxsize
    return types, least, most


def _is_choice(info: inspect.Type) -> bool:
    return all(
        isinstance(member, inspect.EnumType | inspect.LiteralType | inspect.NoneType) for member in members(info)
    )


def _allowed(info: inspect.Type, pointer: str) -> list[object]:
    """Return the values that enums, Literals and tags allow at a pointer into a value."""
    allowed: list[object] = []
    for member in members(info):
        match member:
            case inspect.EnumType(cls=cls) if not pointer:
                allowed += [choice.value for choice in cls]
            case inspect.LiteralType(values=values) if not pointer:
                allowed += values
            case inspect.StructType(tag_field=str(name)):
                if pointer == ("/0" if member.array_like else pointer_step(name)):
                    allowed.append(member.tag)
    return allowed
