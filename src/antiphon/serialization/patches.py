"""Patches of a value: JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396). Imported when first used.

A patch is applied to the value's JSON, and the result is read as the value's type. The value itself stays unchanged.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn, TypeAlias

import msgspec
from msgspec import inspect

from antiphon.http.errors import BadRequest, Conflict, HTTPError, UnprocessableContent, over_limit
from antiphon.http.limits import Limits
from antiphon.serialization.faults import MISSING, Faults, Reason
from antiphon.serialization.json import encode_json
from antiphon.serialization.pydantic_models import has_model
from antiphon.serialization.readers import declared_members, json_as
from antiphon.serialization.unknown_members import DeclaredMembers, OnUnknown, check_unknown

JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"

_COPIED = 1 << 20
"""The maximum size, in bytes of JSON, of what the operations of a patch may copy."""


class _Operation(msgspec.Struct, tag_field="op"):
    path: str


class _Add(_Operation, tag="add"):
    value: Any


class _Remove(_Operation, tag="remove"):
    pass


class _Replace(_Operation, tag="replace"):
    value: Any


class _Move(_Operation, tag="move"):
    source: str = msgspec.field(name="from")


class _Copy(_Operation, tag="copy"):
    source: str = msgspec.field(name="from")


class _Test(_Operation, tag="test"):
    value: Any


_AnyOperation: TypeAlias = _Add | _Remove | _Replace | _Move | _Copy | _Test
_Patch: TypeAlias = Annotated[list[_AnyOperation], msgspec.Meta(max_length=Limits.patch_operations)]

_NO_POINTER = Reason("expected a JSON Pointer (RFC 6901), such as /items/0")
_INTO_ITSELF = Reason("a value can't be moved into itself")
_UNEQUAL = Reason("is not equal to the value of the test")

_is_pointer = re.compile(r"(?>(?:/(?>(?:[^~/]|~[01])*))*)").fullmatch
_is_index = re.compile(r"0|[1-9][0-9]{0,9}").fullmatch


def patched(
    patch: bytes, media_type: str, current: object, wanted: Any, limits: Limits, unknown: OnUnknown = "refuse"
) -> Any:
    """Return a value as a type, after a patch of a media type has been applied to its JSON.

    Members that the type doesn't declare can't be changed, and are left out; ``unknown="ignore"`` ignores them in a
    patch, too. Raises BadRequest (400) for a malformed patch, Conflict (409) for an operation that doesn't fit the
    value, and UnprocessableContent (422) for a path that the type doesn't have, or an invalid result.
    """
    check_unknown(unknown)
    declared = None if has_model(wanted) else declared_members(wanted)
    document = msgspec.json.decode(encode_json(current))
    for each in [] if declared is None else [*declared.unknown_in(document)]:
        del each.owner[each.name]
    try:
        if media_type == MERGE_PATCH:
            document = _merged(document, json_as(patch, Any, limits=limits), declared)
        else:
            document = _Patching(document, declared).apply(_operations(patch, limits))
        text = msgspec.json.encode(document)
    except RecursionError:  # operations can nest values more deeply than their own JSON
        depth = limits.json_depth
        detail = f"The patched value is nested more than {depth} levels deep."
        raise over_limit(BadRequest, "json_depth", depth, detail) from None
    return json_as(text, wanted, limits=limits, unknown="ignore" if declared is None else unknown)


def _merged(document: Any, patch: Any, declared: DeclaredMembers | None) -> Any:
    """Return a document with a merge patch applied (RFC 7396 §2).

    It removes the members that are null in the patch, except where their type allows null.
    """
    if not isinstance(patch, dict):
        return patch
    document = document if isinstance(document, dict) else {}
    ahead = [(document, patch, () if declared is None else declared.kinds)]
    while ahead:
        target, changes, kinds = ahead.pop()
        for name, change in changes.items():
            inside = () if declared is None else declared.kinds_of_member(kinds, name)
            if isinstance(change, dict):
                if not isinstance(target.get(name), dict):
                    target[name] = {}
                ahead.append((target[name], change, inside))
            elif change is None and not any(isinstance(kind, inspect.NoneType) for kind in inside):
                target.pop(name, None)
            else:
                target[name] = change
    return document


def _operations(patch: bytes, limits: Limits) -> list[_AnyOperation]:
    try:
        operations = json_as(patch, _Patch, limits=limits)
    except UnprocessableContent as error:  # a malformed patch is a 400 (RFC 5789 §2.2)
        raise BadRequest(f"The patch is malformed: {error.detail}", members=error.members) from error
    faults = Faults()
    for number, each in enumerate(operations):
        pointers = {"path": each.path, "from": each.source if isinstance(each, _Move | _Copy) else ""}
        for name, pointer in pointers.items():
            if not _is_pointer(pointer) or pointer.count("/") > limits.json_depth:
                faults.add(f"/{number}/{name}", _NO_POINTER)
        if isinstance(each, _Move) and each.path.startswith(f"{each.source}/"):
            faults.add(f"/{number}/path", _INTO_ITSELF)
    if faults.total:
        wrong = faults.error(" of the patch")
        raise BadRequest(wrong.detail, members=wrong.members)
    return operations


class _Patching:
    """A JSON document that is being patched. ``declared`` has the members of its type, if they are known."""

    def __init__(self, document: Any, declared: DeclaredMembers | None) -> None:
        self._root = [document]
        self._declared = declared
        self._left = _COPIED

    def apply(self, operations: Sequence[_AnyOperation]) -> Any:
        """Return the document with all operations applied, in order."""
        for number, each in enumerate(operations):
            for path in (each.path, each.source) if isinstance(each, _Move | _Copy) else (each.path,):
                fault = None if self._declared is None else self._declared.fault_of(_steps(path))
                if fault is not None:
                    _refuse(UnprocessableContent, number, *fault)
        for number, each in enumerate(operations):
            self._apply(number, each)
        return self._root[0]

    def _apply(self, number: int, operation: _AnyOperation) -> None:
        path = operation.path
        match operation:
            case _Add(value=value):
                self._add(number, path, value)
            case _Remove():
                self._remove(number, path)
            case _Replace(value=value):
                owner, key = self._place(number, path)
                owner[key] = value
            case _Move(source=source):
                self._add(number, path, self._remove(number, source))
            case _Copy(source=source):
                self._add(number, path, self._copy(number, source))
            case _Test(value=value):
                owner, key = self._place(number, path)
                if not _are_equal(owner[key], value):
                    _refuse(Conflict, number, path, _UNEQUAL)

    def _add(self, number: int, path: str, value: Any) -> None:
        if not path:
            self._root[0] = value
            return
        owner, key = self._place(number, path.rpartition("/")[0])
        parent, last = owner[key], _steps(path)[-1]
        if isinstance(parent, dict):
            parent[last] = value
        elif isinstance(parent, list) and last == "-":
            parent.append(value)
        elif isinstance(parent, list) and _is_index(last) and int(last) <= len(parent):
            parent.insert(int(last), value)
        else:
            _refuse(Conflict, number, path, MISSING)

    def _remove(self, number: int, path: str) -> Any:
        owner, key = self._place(number, path)
        removed = owner[key]
        if owner is self._root:
            owner[key] = None
        else:
            del owner[key]
        return removed

    def _copy(self, number: int, path: str) -> Any:
        owner, key = self._place(number, path)
        text = msgspec.json.encode(owner[key])
        self._left -= len(text)
        if self._left < 0:
            _refuse(UnprocessableContent, number, path, Reason(f"the patch copies more than {_COPIED} bytes"))
        return msgspec.json.decode(text)

    def _place(self, number: int, path: str) -> tuple[Any, Any]:
        """Return the array or object that contains an existing value, and the value's index or name in it."""
        owner: Any = self._root
        key: Any = 0
        for step in _steps(path):
            owner = owner[key]
            if isinstance(owner, list) and _is_index(step) and int(step) < len(owner):
                key = int(step)
            elif isinstance(owner, dict) and step in owner:
                key = step
            else:
                _refuse(Conflict, number, path, MISSING)
        return owner, key


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _refuse(kind: type[HTTPError], number: int, pointer: str, reason: Reason) -> NoReturn:
    """Raise the error for an operation that can't be applied. Its problem details have the operation's index."""
    faults = Faults()
    faults.add(pointer, reason)
    detail = f"Operation {number} of the patch can't be applied."
    raise kind(detail, members={"operation": number, "errors": faults.listed})


def _are_equal(one: Any, other: Any) -> bool:
    """Return True for equal JSON values (RFC 6902 §4.6): 1 equals 1.0, but not true."""
    ahead = [(one, other)]
    while ahead:
        one, other = ahead.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            ahead += [(each, other[name]) for name, each in one.items()]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            ahead += zip(one, other, strict=True)
        elif one != other or isinstance(one, bool) is not isinstance(other, bool):
            return False
    return True
