"""Definitions as record types for native forms: texts and files, which Asok's rules check."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any

import msgspec

from antiphon import Upload
from antiphon.dialects.asok.forms.definitions import Definition
from antiphon.features import Field

_FILES = {"file", "image", "files", "dropzone"}
_MANY = {"tags", "transfer"}
_PAIRS = {"daterange", "timerange"}
_PARTS = ("start", "end")
_OF_LINES = {"textarea", "wysiwyg"}
_Lines = Annotated[str, Field(widget="hidden")]
"""A text that a native form takes as it was sent, with several lines, and CRLF between them."""

_NAME = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")


@lru_cache(256)
def record_of(fields: tuple[tuple[str, str], ...]) -> type[msgspec.Struct]:
    """Return a record with a field for each name and type. Nothing in it is required.

    Labels are not included, so one record works for all languages. Raises ValueError for a name that is not a name of
    an input.
    """
    for name, _ in fields:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name of a field: it has to have letters, digits and underscores")
    found = {each[0]: each for field in fields for each in _of_field(*field)}
    return msgspec.defstruct("Form", found.values())


def planned(definitions: Mapping[str, Definition]) -> type[msgspec.Struct]:
    """Return the record of definitions. Raises ValueError for a name that is not a name of an input."""
    return record_of(tuple([(name, _kind(each)) for name, each in definitions.items()]))


def _kind(definition: Definition) -> str:
    """Return the type of a field; of tags that are typed, with commas, that of a text."""
    is_typed = definition.type == "tags" and (definition.attrs.get("allow_custom") or not definition.choices)
    return "text" if is_typed else definition.type


def parts_of(name: str) -> tuple[str, str]:
    """Return the names of the two inputs of a range."""
    start, end = (f"{name}_{part}" for part in _PARTS)
    return start, end


def _of_field(name: str, kind: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name, type and default of each field of the record that a definition needs."""
    if kind == "title":
        return
    if kind in _FILES:
        yield name, list[Upload], msgspec.field(default_factory=list)
    elif kind in _MANY:
        yield name, list[str], msgspec.field(default_factory=list)
    else:
        yield name, _Lines if kind in _OF_LINES else str, ""
    if kind in _PAIRS:
        for part in parts_of(name):
            yield part, str, ""
