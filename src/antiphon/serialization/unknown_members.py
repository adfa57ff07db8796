"""Members of JSON objects that a type doesn't declare: finding them, and the reason for refusing them."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

from msgspec import inspect

from antiphon.explanations import explained
from antiphon.serialization.faults import UNKNOWN, Faults, Reason, step_to
from antiphon.serialization.pydantic_models import has_model
from antiphon.serialization.types import Placed, Record, is_object, items_of, members, object_kind, parts, type_name

OnUnknown: TypeAlias = Literal["ignore", "refuse"]
"""The options for members that a type doesn't declare."""

_LONGEST = 64
"""The maximum length of a name for which a similar one is searched."""

_HINTS = 20
"""The maximum number of hints in an error. Each takes some ten microseconds for each declared name."""


def check_unknown(unknown: str) -> None:
    """Check the option ``unknown``. Raises ValueError for another value."""
    if unknown not in ("ignore", "refuse"):
        raise explained("bad-feature-option", f"unknown must be 'ignore' or 'refuse', not {unknown!r}")


def check_has_no_model(wanted: Any) -> None:
    """Raise TypeError for a type with a Pydantic model, which has an option of its own for unknown members."""
    if has_model(wanted):
        raise explained(
            "unreadable-type",
            f"{type_name(wanted)} has a Pydantic model, which itself ignores or refuses unknown members: leave out"
            " unknown='refuse', and set model_config = ConfigDict(extra='forbid')",
            TypeError,
        )


def unknown_reason(name: str, declared: Collection[str]) -> Reason:
    """Return the reason for refusing a name, with the declared name that is most like it, if any."""
    if len(name) > _LONGEST:
        return UNKNOWN
    from difflib import get_close_matches

    near = get_close_matches(name, declared, 1)
    return UNKNOWN._replace(detail=f"is unknown: did you mean {near[0]!r}?") if near else UNKNOWN


def add_unknown(faults: Faults, pointer: str, name: str, declared: Collection[str]) -> None:
    """Add a name that isn't declared, unless it is among the faults already."""
    at = pointer + step_to(name)
    if all(each["pointer"] != at for each in faults.listed):
        faults.add(at, unknown_reason(name, declared) if faults.total < _HINTS else UNKNOWN)


class UnknownMember(NamedTuple):
    """A member that a type doesn't declare: its object, the object's pointer, its name and the declared names."""

    owner: dict[str, Any]
    pointer: str
    name: str
    declared: Collection[str]


_Step: TypeAlias = tuple["_Step | None", int | str, Any, inspect.Type]
"""The step to the value that contains a value, the value's index or name, the value itself, and its type."""


def _pointer_to(step: _Step) -> str:
    container, name, _, _ = step
    return "" if container is None else _pointer_to(container) + step_to(str(name))


class DeclaredMembers:
    """The members that a type declares, at any depth. ``info`` describes the type."""

    def __init__(self, info: inspect.Type) -> None:
        self._info = info
        self._fields: dict[int, dict[str, inspect.Type]] = {}
        self._has_records: dict[int, bool] = {}
        self._kinds: dict[int, tuple[inspect.Type, ...]] = {}

    def unknown_in(self, value: object) -> Iterator[UnknownMember]:
        """Yield each member that isn't declared, in the order of the text, in time linear in the value's size."""
        ahead: list[Iterator[_Step]] = [iter([(None, "", value, self._info)])]
        while ahead:
            if (step := next(ahead[-1], None)) is None:
                ahead.pop()
                continue
            part, kinds = step[2], self._kinds_of(step[3])
            if isinstance(part, dict):
                inside = object_kind(part, kinds)
                if isinstance(inside, Record) and not part.keys() <= (declared := self._fields_of(inside)).keys():
                    pointer = _pointer_to(step)
                    yield from [UnknownMember(part, pointer, name, declared) for name in part if name not in declared]
                found: Iterable[Placed] = self._inside_object(part, inside)
            else:
                found = items_of(part, kinds) if isinstance(part, list) else ()
            if found:
                ahead.append(self._below(step, found))

    def _below(self, step: _Step, found: Iterable[Placed]) -> Iterator[_Step]:
        for name, each, kind in found:
            if each and type(each) in (dict, list) and self._may_have(kind):
                yield step, name, each, kind

    def fault_of(self, steps: Iterable[str]) -> tuple[str, Reason] | None:
        """Return the pointer and the reason for the first step of a JSON Pointer that no value of the type has."""
        kinds, pointer = self.kinds, ""
        for step in steps:
            pointer += step_to(step)
            if any(isinstance(kind, inspect.AnyType | inspect.RawType | inspect.CustomType) for kind in kinds):
                return None
            inside = (*self.kinds_of_member(kinds, step), *_items_at(kinds, step))
            if not inside:
                names = [name for kind in kinds if is_object(kind) for name in self._fields_of(kind)]
                return pointer, unknown_reason(step, names)
            kinds = inside
        return None

    @property
    def kinds(self) -> tuple[inspect.Type, ...]:
        """The types of which the whole value has one."""
        return members(self._info)

    def kinds_of_member(self, kinds: Collection[inspect.Type], name: str) -> tuple[inspect.Type, ...]:
        """Return the types that a record's member has, if a value has one of several types."""
        several = [self._fields_of(kind) for kind in kinds if is_object(kind)]
        return tuple(member for fields in several if name in fields for member in members(fields[name]))

    def add_faults(self, faults: Faults, value: object) -> None:
        """Add the members of a value that aren't declared."""
        unknown = self.unknown_in(value)
        while not faults.full and (each := next(unknown, None)):
            add_unknown(faults, each.pointer, each.name, each.declared)

    def _inside_object(self, value: dict[str, Any], kind: Record | inspect.DictType | None) -> list[Placed]:
        if isinstance(kind, inspect.DictType):
            return [(name, each, kind.value_type) for name, each in value.items()]
        declared = {} if kind is None else self._fields_of(kind)
        return [(name, each, declared[name]) for name, each in value.items() if each and name in declared]

    def _kinds_of(self, info: inspect.Type) -> tuple[inspect.Type, ...]:
        found = self._kinds.get(id(info))
        if found is None:
            found = self._kinds[id(info)] = members(info)
        return found

    def _fields_of(self, record: Record) -> dict[str, inspect.Type]:
        """Return the types of a record's fields, by their names in JSON, and that of its tag."""
        found = self._fields.get(id(record))
        if found is None:
            found = {field.encode_name: field.type for field in record.fields}
            if isinstance(record, inspect.StructType) and record.tag_field is not None:
                found[record.tag_field] = inspect.LiteralType((record.tag,))
            self._fields[id(record)] = found
        return found

    def _may_have(self, info: inspect.Type) -> bool:
        found = self._has_records.get(id(info))
        if found is None:
            found = self._has_records[id(info)] = any(isinstance(part, Record) for _, part in parts("", info))
        return found


_is_index = re.compile(r"-|[0-9]+").fullmatch


def _items_at(kinds: Collection[inspect.Type], step: str) -> Iterator[inspect.Type]:
    """Yield the types of the values that may be at a step into a dict or an array."""
    for kind in kinds:
        if isinstance(kind, inspect.DictType):
            yield from members(kind.value_type)
        elif not _is_index(step) or is_object(kind):
            continue
        elif isinstance(kind, Record):
            yield from [member for field in kind.fields for member in members(field.type)]
        elif isinstance(kind, inspect.CollectionType):
            yield from members(kind.item_type)
        elif isinstance(kind, inspect.TupleType):
            yield from [member for item in kind.item_types for member in members(item)]
