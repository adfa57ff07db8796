"""Annotations taken apart, and the schemas of converters in a path."""

from collections.abc import Awaitable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Generic, Literal, TypeVar

from antiphon import App, Dependency
from antiphon.features import Field, OpenAPI
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.annotations import NOT_SAID
from antiphon.testing import Client
from tests.helpers.rows import rows

T = TypeVar("T")


@dataclass
class Book(Generic[T]):
    title: str
    pages: list[T]
    first: T

    @property
    def author(self) -> str: ...

    @cached_property
    def length(self) -> int: ...

    @property
    def unsaid(self): ...

    def read(self) -> str: ...


class Shelf:
    books = Dependency[list[str]]("books")


@rows(
    "annotation, item, value",
        (list[int], int, int), (dict[str, int], str, int), (Mapping[str, int], str, int),
        (tuple[int, ...], int, int), (tuple[int, str], int | str, int | str), (Iterator[int], int, int),
        (str, str, str), (int, NOT_SAID, NOT_SAID), (list, NOT_SAID, NOT_SAID), (int | str, NOT_SAID, NOT_SAID),
)  # fmt: skip
def test_items_and_values_have_types(annotation, item, value):
    assert annotations.item_of(annotation) == item
    assert annotations.subscript_of(annotation) == value


WITH_A_DICT = Field(label="FileRoutes", messages={"missing": "How many?"})


@rows(
    "annotation, rest",
    (int, int),
    (int | None, int),
    (int | str | None, int | str),
    (None, None),
    (Annotated[int | None, "pages"], Annotated[int, "pages"]),
    (Annotated[int | None, WITH_A_DICT], Annotated[int, WITH_A_DICT]),
)
def test_a_type_without_none_keeps_its_metadata(annotation, rest):
    assert annotations.without_none(annotation) == rest


@rows(
    "name, kind",
    [("title", str), ("pages", list[int]), ("first", int), ("author", str), ("length", int), ("none", NOT_SAID)],
)
def test_an_attribute_of_a_generic_class_has_the_type_that_it_has_there(name, kind):
    assert annotations.attribute_of(Book[int], name) == kind


@rows(
    "annotation, awaited", [(Coroutine[Any, Any, int], int), (Awaitable[str], str), (int, int), (int | str, int | str)]
)
def test_what_awaiting_gives(annotation, awaited):
    assert annotations.awaited(annotation) == awaited


def test_what_has_no_annotation_is_not_said():
    assert annotations.attribute_of(Book[int], "unsaid") is NOT_SAID
    assert annotations.attribute_of(int | str, "title") is NOT_SAID
    assert annotations.attribute_of(Shelf, "books") == list[str]
    assert annotations.dependency_type(Dependency("unsaid")) is NOT_SAID


def test_names_that_only_type_checkers_know_leave_an_annotation_unsaid():
    def unresolved() -> "OnlyForCheckers": ...  # noqa: F821

    assert annotations.returned_by(unresolved) is NOT_SAID


def test_methods_values_and_unions():
    assert annotations.method_of(Book, "read") is Book.read
    assert annotations.method_of(Book, "title") is None
    assert annotations.class_of(Annotated[list[int], "many"]) is list
    assert annotations.literals(Literal["a", 1]) == ("a", 1)
    assert annotations.literals(str) == ()
    assert annotations.without_none(int | None) is int
    assert annotations.without_none(type(None)) is type(None)


@rows(
    "converter, schema",
    ("name", {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}),
    ("path:name", {"type": "string", "minLength": 1, "pattern": "^[^/]"}),
    ("int:name", {"type": "integer", "minimum": 0, "maximum": (1 << 63) - 1, "format": "int64"}),
    ("int(min=3, max=7):name", {"type": "integer", "minimum": 3, "maximum": 7}),
    ("float:name", {"type": "number"}),
    ("uuid:name", {"type": "string", "format": "uuid"}),
    ("any(a,b):name", {"type": "string", "enum": ["a", "b"]}),
    ("re([a-z]+):name", {"type": "string", "pattern": "^(?:[a-z]+)$"}),
)
def test_a_converter_says_what_a_parameter_of_the_path_may_be(converter, schema):
    app = App()
    app.get(f"/x/<{converter}>")(lambda request: "")
    app.use(OpenAPI("Converters"))
    paths = Client(app).get("/openapi.json").json["paths"]
    assert paths["/x/{name}"]["get"]["parameters"] == [
        {"name": "name", "in": "path", "required": True, "schema": schema}
    ]
