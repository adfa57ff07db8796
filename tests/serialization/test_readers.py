import dataclasses
import datetime
import enum
import sys
import uuid
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar

import msgspec
import pytest
from msgspec import Meta, Struct

from antiphon.http.errors import BadRequest
from antiphon.serialization.readers import json_as
from tests.helpers.deferred_annotations import define
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable

T = TypeVar("T")
Name = NewType("Name", str)
ANY_DATE = "a date such as 2030-12-31"
ANY_MOMENT = "a date and time such as 2030-12-31T23:59:59Z"


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Item:
    price: float
    name: Annotated[str, Meta(min_length=1)] = "?"
    born: datetime.date | None = None


@dataclasses.dataclass
class Order:
    id: int
    items: list[Item] = dataclasses.field(default_factory=list)
    prices: dict[str, Item] = dataclasses.field(default_factory=dict)
    parent: "Order | None" = None


class Camel(Struct, rename="camel", forbid_unknown_fields=True):
    first_name: str
    last_name: str | None = None


class Slashed(Struct, rename={"both": "a/b~c"}):
    both: int


class Cat(Struct, tag="cat"):
    lives: int


class Dog(Struct, tag="dog", forbid_unknown_fields=True):
    tricks: list[str]


class Row(Struct, array_like=True):
    x: int
    y: int = 0


class Circle(Struct, array_like=True, tag="circle", forbid_unknown_fields=True):
    radius: float


class Square(Struct, array_like=True, tag="square"):
    side: float


class Pair(NamedTuple):
    x: int
    y: int = 0


class Address(TypedDict):
    city: str
    zip: int


class Partial(TypedDict, total=False):
    city: str


class Page(Struct, Generic[T]):
    items: list[T]


@dataclasses.dataclass
class Span:
    first: int
    last: int

    def __post_init__(self):
        if self.last < self.first:
            raise ValueError("last comes before first")


@rows(
    "text, wanted, value",
    ("1", int, 1),
    ("[1, 2]", list[int], [1, 2]),
    ('{"id": 1, "items": [{"price": 2}]}', Order, Order(1, [Item(2.0)])),
    ('{"id": 1, "parent": {"id": 2}}', Order, Order(1, parent=Order(2))),
    ('{"firstName": "a"}', Camel, Camel("a")),
    ('[{"type": "cat", "lives": 9}]', list[Cat | Dog], [Cat(9)]),
    ("[1, 2]", Pair, Pair(1, 2)),
    ('["circle", 2]', Circle | Square, Circle(2.0)),
    ('{"city": "a", "zip": 1, "more": 2}', Address, {"city": "a", "zip": 1}),
    ('{"items": ["a"]}', Page[str], Page(["a"])),
    ('["red", 2, "x"]', tuple[Colour, Level, Name], (Colour.RED, Level.HIGH, "x")),
    ('["1.10", 0.1]', list[Decimal], [Decimal("1.10"), Decimal("0.1")]),
    ('"00000000-0000-0000-0000-000000000007"', uuid.UUID, uuid.UUID(int=7)),
    ("null", int | None, None),
    ("3", Annotated[int, Meta(extra={"unhashable": True})], 3),
    ('{"a": [1]}', Any, {"a": [1]}),
    ids=lambda value: str(value)[:40],
)
def test_json_that_fits_is_a_value_of_the_type(text, wanted, value):
    assert json_as(text.encode(), wanted) == value


@rows(
    "text, wanted, expected",
        ('"x"', int, {"": "expected an integer, got a string"}),
        ("1.5", int, {"": "expected an integer, got a floating-point number"}),
        ("true", int | None, {"": "expected an integer or null, got a boolean"}),
        ("null", float, {"": "expected a number, got null"}),
        ("[]", Order, {"": "expected an object, got an array"}),
        ("{}", list[int], {"": "expected an array, got an object"}),
        ("1", datetime.datetime, {"": f"expected {ANY_MOMENT}, got an integer"}),
        ('"x"', datetime.date, {"": f"expected {ANY_DATE}"}),
        ('"x"', datetime.timedelta, {"": "expected a duration such as PT30S"}),
        ('"x"', uuid.UUID, {"": "expected a UUID"}),
        ('"x"', Decimal, {"": "expected a decimal number"}),
        ('"*"', bytes, {"": "expected a string in base64"}),
        ('"x"', Colour, {"": 'expected one of "red", "blue"'}),
        ("3", Level | None, {"": "expected one of 1, 2"}),
        ('"x"', Literal["a"], {"": 'expected "a"'}),
        ("1e400", float, {"": "the number is too large"}),
        ("0", Annotated[int, Meta(ge=1)], {"": "expected an integer of at least 1"}),
        ("1", Annotated[float, Meta(lt=0.5)], {"": "expected a number below 0.5"}),
        ("3", Annotated[int, Meta(multiple_of=2)], {"": "expected an integer divisible by 2"}),
        ('"a"', Annotated[str, Meta(min_length=2, title="t")], {"": "expected a string of at least 2 characters"}),
        ('"a"', Annotated[str, Meta(pattern="^b'")], {"": "expected a string that matches ^b'"}),
        ('"a"', Annotated[str, Meta(pattern=r"^b\.")], {"": r"expected a string that matches ^b\."}),
        (
            '"2026-01-31T12:00:00"', Annotated[datetime.datetime, Meta(tz=True)],
            {"": f"expected {ANY_MOMENT}, with an offset from UTC"},
        ),
        (
            '["x"]', Annotated[list[int], Meta(min_length=2)],
            {"": "expected an array of at least 2 items", "/0": "expected an integer, got a string"},
        ),
        (
            '{"a": 1, "b": 2}', Annotated[dict[str, int], Meta(max_length=1)],
            {"": "expected an object of at most 1 member"},
        ),
        (
            '{"id": "x", "items": [{"price": "y", "name": ""}, {"born": 1}], "prices": {"a/b": 3}}', Order,
            {
                "/id": "expected an integer, got a string", "/items/0/price": "expected a number, got a string",
                "/items/0/name": "expected a string of at least 1 character", "/items/1/price": "is missing",
                "/items/1/born": f"expected {ANY_DATE} or null, got an integer",
                "/prices/a~1b": "expected an object, got an integer",
            },
        ),
        (
            '{"id": 1, "parent": {"id": 2, "parent": {"id": null}}}', Order,
            {"/parent/parent/id": "expected an integer, got null"},
        ),
        ('{"a/b~c": "x"}', Slashed, {"/a~1b~0c": "expected an integer, got a string"}),
        (
            '{"last_name": "x", "lastName": 1, "b/c": 2}', Camel,
            {
                "/firstName": "is missing", "/lastName": "expected a string or null, got an integer",
                "/last_name": "is unknown: did you mean 'lastName'?", "/b~1c": "is unknown",
            },
        ),
        ('{"city": 1}', Address, {"/city": "expected a string, got an integer", "/zip": "is missing"}),
        ('{"city": 1}', Partial, {"/city": "expected a string, got an integer"}),
        ('{"items": [1]}', Page[str], {"/items/0": "expected a string, got an integer"}),
        (
            '["a", 1, "b"]', tuple[int, int],
            {"/0": "expected an integer, got a string", "": "expected an array of 2 items, got 3"},
        ),
        ("[]", Pair, {"": "expected an array of 1 to 2 items, got 0"}),
        ("[]", Row, {"": "expected an array of at least 1 item, got 0"}),
        ('["a", "b", "c"]', Row, {f"/{at}": "expected an integer, got a string" for at in (0, 1)}),
        (
            '["a", 1, null, 2]', set[int],
            {"/0": "expected an integer, got a string", "/2": "expected an integer, got null"},
        ),
        (
            '{"1": "a", "x": 2}', dict[int, int],
            {"/1": "expected an integer, got a string", "/x": "the name does not fit: expected an integer"},
        ),
        ('{"type": "cow"}', Cat | Dog, {"/type": 'expected one of "cat", "dog"'}),
        ('{"lives": 9}', Cat | Dog, {"/type": "is missing"}),
        ('{"type": "dog", "a": 1}', Cat | Dog | None, {"/tricks": "is missing", "/a": "is unknown"}),
        (
            '{"type": "dog", "lives": "9"}', Cat,
            {"/type": 'expected "cat"', "/lives": "expected an integer, got a string"},
        ),
        (
            '["circle", "x", 1]', Circle | Square,
            {"/1": "expected a number, got a string", "": "expected an array of 2 items, got 3"},
        ),
        ('["oval", 1]', Circle | Square, {"/0": 'expected one of "circle", "square"'}),
        (
            '[1, {"type": "cat", "lives": "x"}]', list[int | Cat | Dog],
            {"/1/lives": "expected an integer, got a string"},
        ),
        (
            '[[1], ["x"], {"a": "x"}]', list[list[int] | dict[str, int]],
            {"/1/0": "expected an integer, got a string", "/2/a": "expected an integer, got a string"},
        ),
        ('[{"first": 2, "last": 1}, {"first": 1, "last": 2}]', list[Span], {"/0": "last comes before first"}),
        ('[{"a": 1}, "x"]', tuple[msgspec.Raw, int], {"/1": "expected an integer, got a string"}),
        ('{"a": "x", "a": 1}', dict[str, int], {"": "expected an integer, got a string"}),
        ('{"id": 1, "id": "x", "id": 2}', Order, {"/id": "expected an integer, got a string"}),
        ('[1e400, "x"]', tuple[Decimal, int], {"/1": "expected an integer, got a string"}),
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_json_that_does_not_fit_names_every_wrong_field(text, wanted, expected):
    caught = unprocessable(json_as, text.encode(), wanted)
    assert faults(caught) == expected
    count = len(expected)
    assert caught.detail == ("1 field is wrong" if count == 1 else f"{count} fields are wrong")


LATER = """
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypedDict
from msgspec import Struct

{}
    colour: Colour
    next: made | None

class Colour(Enum):
    RED = "red"
"""


@pytest.mark.skipif(sys.version_info < (3, 14), reason="Python 3.14 evaluates annotations late")
@rows(
    "opening, text, pointer",
    ("@dataclass\nclass made:", '{"colour": "red", "next": {"colour": "blue", "next": null}}', "/next/colour"),
    ("class made(Struct):", '{"colour": "red", "next": {"colour": "blue", "next": null}}', "/next/colour"),
    ("class made(TypedDict):", '{"colour": "red", "next": {"colour": "blue", "next": null}}', "/next/colour"),
    ("class made(NamedTuple):", '["red", ["blue", null]]', "/1/0"),
)
def test_a_type_may_name_those_that_come_after_it(opening, text, pointer):
    wanted = define(LATER.format(opening))
    made = json_as(text.replace("blue", "red").encode(), wanted)
    assert repr(made).count("<Colour.RED: 'red'>") == 2
    assert [*faults(unprocessable(json_as, text.encode(), wanted))] == [pointer]


@rows("text", ['{"id": "x", ', '{"id": "x"} {}', "", "nope", '{"id": "\xff"}', "[" * 100_000])
def test_malformed_json_is_a_bad_request_even_where_fields_are_wrong(text):
    with pytest.raises(BadRequest):
        json_as(text.encode("latin-1"), Order)


def test_json_nested_too_deeply_for_a_recursive_type_is_a_bad_request():
    text = b'{"id":1,"parent":' * 10_000 + b"null" + b"}" * 10_000
    with pytest.raises(BadRequest, match="nested more than 200 levels deep"):
        json_as(text, Order)


def test_in_a_recursive_type_a_fault_that_lies_deep_is_still_named():
    text = b'{"id":1,"parent":' * 100 + b'{"id":"x","items":3}' + b"}" * 100
    assert faults(unprocessable(json_as, text, Order)) == {"/parent" * 100 + "/id": "expected an integer, got a string"}
