"""Everything that is wrong with a decoded value, where msgspec stops at the first fault.

The description of the type is walked alongside the value, into those parts only that don't fit, which msgspec
finds out in C. So the work grows with the number of faults and with the depth, and both are bounded.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import GenericAlias
from typing import Any

import msgspec
from msgspec import inspect

from antiphon.http.errors import UnprocessableContent
from antiphon.json_codec import pointer_step
from antiphon.typed.types import Record, members, python_type
from antiphon.typed.words import counted, in_plain_words, located, of_text, one_of

LISTED = 100
"""How many wrong fields an error lists."""

COUNTED = 1000
"""How many wrong fields are looked for."""

_DEPTH = 32
"""How deep a value is taken apart; of a part that lies deeper the first fault is named."""

_CHUNK = 64
"""How many items are tried at once for one that doesn't fit."""


class Faults:
    """What was found to be wrong: each with its JSON Pointer (RFC 6901) and a detail in words."""

    __slots__ = ("listed", "total")

    def __init__(self) -> None:
        self.listed: list[dict[str, str]] = []
        self.total = 0

    @property
    def full(self) -> bool:
        """There are as many as are counted: there is no use in looking for more."""
        return self.total > COUNTED

    def add(self, pointer: str, detail: str) -> None:
        """Note one more."""
        self.total += not self.full
        if len(self.listed) < LISTED:
            self.listed.append({"pointer": pointer, "detail": detail})

    def error(self, where: str = "") -> UnprocessableContent:
        """The 422 that lists them. ``where`` follows *fields* in its detail: `` of the form``."""
        total = f"more than {counted(COUNTED, 'field')}" if self.full else counted(self.total, "field")
        detail = f"{total}{where} {'is' if self.total == 1 else 'are'} wrong"
        if self.total > LISTED:
            detail += f", of which the first {LISTED} are listed"
        return UnprocessableContent(detail, errors=self.listed)


class Search:
    """The search for what is wrong with one value.

    ``as_text`` says that it came as text, such as a form: numbers, dates and so on are read from strings.
    """

    __slots__ = ("as_text", "faults")

    def __init__(self, *, as_text: bool = False) -> None:
        self.faults = Faults()
        self.as_text = as_text

    def fits(self, value: object, wanted: object) -> bool:
        """Whether a value can be read as a type."""
        return self._misfit(value, wanted) is None

    def _misfit(self, value: object, wanted: Any) -> msgspec.ValidationError | None:
        try:
            msgspec.convert(value, wanted, strict=not self.as_text, str_keys=True)
        except msgspec.ValidationError as error:
            return error
        return None

    def check(self, value: object, info: inspect.Type, pointer: str, depth: int = 0) -> None:
        """Note what is wrong with a value, if anything is."""
        if not self.faults.full and not self.fits(value, python_type(info)):
            self.explain(value, info, pointer, depth)

    def explain(self, value: object, info: inspect.Type, pointer: str, depth: int = 0) -> None:
        """Note what is wrong with a value that doesn't fit: in its parts, or when they do fit, as a whole."""
        before = self.faults.total
        if depth < _DEPTH:
            self._parts(value, _meant(value, info), pointer, depth + 1)
        if self.faults.total == before and (error := self._misfit(value, python_type(info))):
            self.note(error, value, info, pointer)

    def note(self, error: msgspec.ValidationError, value: object, info: inspect.Type, pointer: str) -> None:
        """Note the fault that msgspec found in a value."""
        inner, message = located(error)
        words = of_text(message) if self.as_text else in_plain_words(message)
        is_choice = message.startswith(("Invalid enum value", "Invalid value")) or (self.as_text and _is_choice(info))
        if is_choice and (allowed := _allowed(info, inner)):
            words = one_of(allowed)
        if value == "" and self.as_text:
            words += ", got nothing"
        self.faults.add(pointer + inner, words)

    def _parts(self, value: object, info: inspect.Type, pointer: str, depth: int) -> None:
        match info, value:
            case inspect.StructType(array_like=True) | inspect.NamedTupleType() | inspect.TupleType(), list():
                self._positions(value, info, pointer, depth)
            case inspect.StructType() | inspect.DataclassType() | inspect.TypedDictType(), dict():
                self._fields(value, info, pointer, depth)
            case inspect.CollectionType(), list():
                self._length(len(value), "array", info, pointer)
                self._items(value, range(len(value)), info.item_type, pointer, depth)
            case inspect.DictType(), dict():
                self._length(len(value), "object", info, pointer)
                self._names(list(value), info.key_type, pointer)
                self._items(list(value.values()), list(value), info.value_type, pointer, depth)

    def _fields(self, value: dict[str, object], info: Record, pointer: str, depth: int) -> None:
        for field in info.fields:
            at = pointer + pointer_step(field.encode_name)
            if field.encode_name in value:
                self.check(value[field.encode_name], field.type, at, depth)
            elif field.required:
                self.faults.add(at, "is missing")
        if isinstance(info, inspect.StructType):
            self._tag(value, info, pointer)
            self.unknown(value, info, pointer)

    def _tag(self, value: dict[str, object], info: inspect.StructType, pointer: str) -> None:
        name = info.tag_field
        if name is not None and name in value and value[name] != info.tag:
            self.faults.add(pointer + pointer_step(name), one_of([info.tag]))

    def unknown(self, names: Iterable[str], info: Record, pointer: str) -> None:
        """Note the names that a record has no field for, when it forbids them."""
        if isinstance(info, inspect.StructType) and info.forbid_unknown_fields:
            known = {field.encode_name for field in info.fields} | {info.tag_field}
            for name in names:
                if name not in known:
                    self.faults.add(pointer + pointer_step(name), "is unknown")

    def _positions(self, value: list[object], info: inspect.Type, pointer: str, depth: int) -> None:
        types, least, most = _positions(info)
        for index, (item, wanted) in enumerate(zip(value, types, strict=False)):
            self.check(item, wanted, f"{pointer}/{index}", depth)
        if not least <= len(value) <= most:
            length = f"length {least}" if least == most else f"length {least} to {most}"
            size = f"at least length {least}" if most == sys.maxsize else length
            self.faults.add(pointer, in_plain_words(f"Expected `array` of {size}, got {len(value)}"))

    def _length(self, length: int, kind: str, info: inspect.CollectionType | inspect.DictType, pointer: str) -> None:
        for sign, bound in ((">=", info.min_length), ("<=", info.max_length)):
            if bound is not None and (length < bound if sign == ">=" else length > bound):
                self.faults.add(pointer, in_plain_words(f"Expected `{kind}` of length {sign} {bound}"))

    def _items(
        self, values: list[object], names: Sequence[object], info: inspect.Type, pointer: str, depth: int
    ) -> None:
        wanted = GenericAlias(list, (python_type(info),))
        for index in self._unfit(len(values), lambda part: self.fits(values[part], wanted)):
            self.explain(values[index], info, pointer + pointer_step(str(names[index])), depth)

    def _names(self, names: list[str], info: inspect.Type, pointer: str) -> None:
        wanted = GenericAlias(dict, (python_type(info), Any))
        for index in self._unfit(len(names), lambda part: self.fits(dict.fromkeys(names[part]), wanted)):
            error = self._misfit({names[index]: None}, wanted)
            if error is not None:
                message = of_text(located(error)[1])
                self.faults.add(pointer + pointer_step(names[index]), f"the name does not fit: {message}")

    def _unfit(self, length: int, fits: Callable[[slice], bool]) -> Iterator[int]:
        """The index of each item that doesn't fit: tried by the chunk, so that C passes those that do."""
        for start in range(0, length, _CHUNK):
            if self.faults.full:
                return
            stop = min(start + _CHUNK, length)
            if not fits(slice(start, stop)):
                yield from (index for index in range(start, stop) if not fits(slice(index, index + 1)))


def _shape(info: inspect.Type) -> type | None:
    """The type of JSON value that can be taken apart as this type, if there is one."""
    match info:
        case inspect.StructType(array_like=True) | inspect.NamedTupleType():
            return list
        case inspect.TupleType() | inspect.CollectionType():
            return list
        case inspect.StructType() | inspect.DataclassType() | inspect.TypedDictType() | inspect.DictType():
            return dict
    return None


def _meant(value: object, info: inspect.Type) -> inspect.Type:
    """The member of a union that a value was meant for: the only one of its shape, or that with its tag."""
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
    """The types of an array's places, and how many items it has at least and at most."""
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
    """The values that are allowed at a pointer into a value: those of enums, Literals and tags."""
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
