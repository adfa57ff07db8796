import dataclasses
import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal, NewType, TypedDict

import msgspec
import pytest
from msgspec import Meta, Struct

from antiphon.http.errors import UnprocessableContent
from antiphon.serialization.readers import json_as
from antiphon.serialization.types import described, python_type
from tests.helpers.rows import rows
from tests.serialization.test_readers import Cat, Pair


class Opaque:
    pass


@dataclasses.dataclass
class Holder:
    inner: list[Opaque]


@dataclasses.dataclass
class Lost:
    where: "Nowhere"  # noqa: F821 - the mistake that is reported


Slug = Annotated[str, Meta(pattern="^[a-z]+$")]
Positive = Annotated[int, Meta(ge=1)]


@dataclasses.dataclass
class Tagged:
    tags: list[str] | Slug


class Colour(enum.Enum):
    RED = "red"


class Dog(Struct, tag="dog"):
    pass


class Address(TypedDict):
    city: str


@rows(
    "wanted",
        Any, None, bool, int, float, str, bytes, bytearray, memoryview, uuid.UUID, decimal.Decimal,
        datetime.datetime, datetime.date, datetime.time, datetime.timedelta,
        Annotated[int, Meta(ge=1, le=9)], Annotated[int, Meta(multiple_of=2)], Annotated[float, Meta(gt=1)],
        Annotated[str, Meta(min_length=1, max_length=2, pattern="^a")],
        Annotated[datetime.datetime, Meta(tz=False)], Annotated[bytes, Meta(min_length=1)],
        Annotated[list[Annotated[str, Meta(max_length=2)]], Meta(min_length=1)],
        Annotated[dict[str, int], Meta(max_length=3)],
        Literal["a", 1], Colour, Cat, Cat | Dog | None, Pair, Address, list, dict, tuple,
        list[Cat], set[int], frozenset[str], tuple[int, ...], tuple[int, str], tuple[()],
        dict[int, list[Pair]], int | None, int | str | list[int],
    ids=str,
)  # fmt: skip
def test_a_described_type_is_turned_back_into_an_equal_one(wanted):
    description = described(wanted)
    assert described(python_type(description)) == description


def test_what_only_describes_a_type_is_left_out_of_it():
    wanted = Annotated[int, Meta(ge=1, title="count", extra={"a": 1})]
    assert python_type(described(wanted)) == Annotated[int, Meta(ge=1)]
    assert python_type(described(NewType("Number", int))) is int
    assert python_type(described(list[int | msgspec.UnsetType])) == list[int]


@rows(
    "wanted, message",
    (Opaque, r"^Opaque can't be read; accepted are dataclasses, "),
    (Holder, r"^Opaque, in Holder\.inner, can't be read"),
    (list[Opaque], r"^Opaque, in list\[.*Opaque\], can't be read"),
    (dict[str, complex], r"^complex, in dict\[str, complex\], can't be read"),
    (int | Opaque, r"^int \| .*Opaque can't be read: .*; accepted are"),
    (list[int] | set[int], r"^list\[int\] \| set\[int\] can't be read: Type unions may not"),
    ("Order", r"^'Order' can't be read"),
    (Lost, r"^Lost can't be read: name 'Nowhere' is not defined"),
    (Tagged, r"^Tagged can't be read: in Tagged\.tags, a list, set, dict or tuple can't be combined with"),
    ids=str,
)
def test_a_type_that_can_not_be_read_is_a_type_error_that_names_it(wanted, message):
    with pytest.raises(TypeError, match=message):
        json_as(b"1", wanted)


@rows(
    "wanted",
        Slug | list[int], Slug | set[int], Slug | frozenset[int], Slug | dict[str, int], Slug | tuple[int, ...],
        Slug | list[int] | None, dict[str, Slug | list], Positive | tuple[int, int],
        Annotated[float, Meta(lt=1)] | tuple[int, int], Annotated[str, Meta(max_length=1)] | tuple[int, int],
        Annotated[bytes, Meta(min_length=1)] | tuple[int], Annotated[dict[str, int], Meta(min_length=1)] | tuple[int],
    ids=str,
)  # fmt: skip
def test_a_union_that_msgspec_would_end_the_process_with_is_a_type_error(wanted):
    with pytest.raises(TypeError, match="can't be combined with"):
        json_as(b"1", wanted)


@rows(
    "wanted, text",
    (Slug | tuple[int, int], b'"a"'),
    (Slug | tuple[()], b'"a"'),
    (Slug | int | None, b'"a"'),
    (Slug | Cat, b'"a"'),
    (Positive | list[Slug], b'["a"]'),
    (Positive | tuple[int, ...], b"[1]"),
    (Annotated[datetime.datetime, Meta(tz=True)] | tuple[int, int], b"[1, 2]"),
    (tuple[Positive, Slug], b'[1, "a"]'),
    ids=str,
)
def test_a_bound_may_stand_in_any_other_union(wanted, text):
    json_as(text, wanted)
    with pytest.raises(UnprocessableContent):
        json_as(b"-1.5", wanted)
