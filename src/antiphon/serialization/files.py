"""Fields of a record that are files, as a form brings them beside its texts."""

from typing import Any

from msgspec import inspect

from antiphon.http.multidict import MultiDict
from antiphon.serialization.json import pointer_step
from antiphon.serialization.search import Search
from antiphon.serialization.types import Collection, members, type_name


class FileField:
    """A field for one file, or for a collection of them."""

    __slots__ = ("info", "is_nullable", "kinds", "many", "name", "required")

    def __init__(self, field: inspect.Field, kinds: tuple[type, ...]) -> None:
        alternatives = members(field.type)
        self.info = field.type
        self.kinds = kinds
        self.many = any(isinstance(member, Collection) for member in alternatives)
        self.is_nullable = any(isinstance(member, inspect.NoneType) for member in alternatives)
        self.name = field.encode_name
        self.required = field.required

    def take(self, files: MultiDict[Any], taken: dict[str, object]) -> None:
        """Put what the form has for the field among what was taken. A file that is false is one left empty."""
        found = [file for file in files.getall(self.name) if isinstance(file, self.kinds) and file]
        if found:
            taken[self.name] = found if self.many else found[-1]
        elif self.is_nullable and self.required:
            taken[self.name] = None

    def check(self, taken: dict[str, object], has_text: bool, search: Search) -> None:
        """Note what is wrong with the value."""
        pointer = pointer_step(self.name)
        if self.name in taken:
            search.check(taken[self.name], self.info, pointer)
        elif self.required:
            search.faults.add(pointer, "expected a file, got text" if has_text else "is missing")


def file_kinds(texts: list[inspect.Type], place: str) -> tuple[type, ...]:
    """The classes of file among the types of one value; none for a text. Raises TypeError where both are."""
    kinds = tuple(info.cls for info in texts if isinstance(info, inspect.CustomType))
    others = [info for info in texts if not isinstance(info, inspect.CustomType | inspect.NoneType)]
    if kinds and others:
        raise TypeError(f"{place} can't be both a file ({type_name(kinds[0])}) and text")
    return kinds
