"""JSON fields of a form, sent as text or as a part with the type application/json: ``JSON[Details]``."""

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import inspect

from antiphon.http.errors import BadRequest, ContentTooLarge, UnprocessableContent, over_limit
from antiphon.http.limits import NO_BOUND, Limits
from antiphon.http.multidict import MultiDict
from antiphon.serialization.faults import MISSING, Reason
from antiphon.serialization.json import check_repeats, pointer_step
from antiphon.serialization.search import FaultSearch
from antiphon.serialization.types import members, python_type

T = TypeVar("T")

ReadJSON: TypeAlias = Callable[..., object]
"""The type of ``json_as``, which is passed to a form's fields because its module imports this one."""

JSON = Annotated[T, msgspec.Meta(extra={"antiphon.json": True})]
"""The type of a form field that is sent as JSON: ``JSON[Details]`` is read as ``json_as(Details)`` reads a body.

The field is text, or a part with the type application/json and a filename, as browsers send a ``Blob``.
"""


def is_json(info: inspect.Type) -> bool:
    """Return True for ``JSON[...]``, and for ``JSON[...] | None``."""
    match info:
        case inspect.Metadata(type=inner):
            return "antiphon.json" in (info.extra or {}) or is_json(inner)
        case inspect.UnionType(types=types):
            others = [each for each in types if not isinstance(each, inspect.NoneType)]
            return len(others) == 1 and is_json(others[0])
    return False


class JSONField:
    """A field of a record that is read from JSON."""

    __slots__ = ("is_nullable", "name", "read_json", "required", "wanted")

    def __init__(self, field: inspect.Field, read_json: ReadJSON) -> None:
        self.read_json = read_json
        self.name = field.encode_name
        self.required = field.required
        self.wanted = python_type(field.type)
        self.is_nullable = any(isinstance(member, inspect.NoneType) for member in members(field.type))

    def take(
        self, text: Any, files: MultiDict[Any], limits: Limits, taken: dict[str, object], *, is_strict: bool
    ) -> None:
        """Put this field's value into ``taken``, or the error if the value is invalid. ``is_strict`` is True if members
        that the type doesn't declare are invalid.

        Raises ContentTooLarge for more JSON than a body may have.
        """
        file = next((file for file in reversed(files.getall(self.name)) if file), None)
        if file is not None:
            taken[self.name] = self._of_file(file, limits, is_strict)
        elif text:
            taken[self.name] = self._of_json(text.encode(errors="surrogatepass"), limits, is_strict)
        elif self.is_nullable and self.required:
            taken[self.name] = None

    def _of_file(self, file: Any, limits: Limits, is_strict: bool) -> object:
        if file.size > limits.json:
            raise _too_large(limits)
        if file.content_type is None or not file.content_type.is_json:
            return Reason("expected JSON, got a file of another type", "wrong_type")
        with file.open() as opened:
            return self._of_json(opened.read(), limits, is_strict)

    def _of_json(self, text: bytes, limits: Limits, is_strict: bool) -> object:
        if len(text) > limits.json:
            raise _too_large(limits)
        try:
            if limits.json_repeats < NO_BOUND:
                check_repeats(text, limits)
            unknown = "refuse" if is_strict else "ignore"
            return self.read_json(text, self.wanted, limits=limits, unknown=unknown)
        except UnprocessableContent as error:
            return error
        except BadRequest as error:
            return Reason(error.detail or "is not JSON")

    def check(self, taken: dict[str, object], search: FaultSearch) -> None:
        """Add the faults of the value to the search."""
        found, pointer = taken.get(self.name), pointer_step(self.name)
        if isinstance(found, UnprocessableContent):
            search.faults.add_listed(pointer, found)
        elif isinstance(found, Reason):
            search.faults.add(pointer, found)
        elif self.name not in taken and self.required:
            search.faults.add(pointer, MISSING)


REFUSED = (UnprocessableContent, Reason)
"""The classes of the errors that ``take`` stores in place of an invalid value."""


def _too_large(limits: Limits) -> Exception:
    return over_limit(ContentTooLarge, "json", limits.json, f"JSON in a form has more than {limits.json} bytes.")
