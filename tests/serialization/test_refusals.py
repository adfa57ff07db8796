"""What msgspec refuses with a plain ValueError or TypeError: a 422 where the client is to blame."""

import dataclasses
import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import pytest
from msgspec import Meta, Struct

from antiphon.http.multidict import MultiDict
from antiphon.serialization.readers import fields_as, json_as
from antiphon.serialization.search import refusal
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable

A_MOMENT = "expected a date and time such as 2030-12-31T23:59:59Z"
FINITE = "expected a finite number"


class Frozen(Struct, frozen=True):
    price: Decimal


@dataclasses.dataclass(frozen=True)
class FrozenData:
    price: Decimal


class Thawed(Struct):
    number: int


class Event(NamedTuple):
    when: datetime.datetime


@rows(
    "text, wanted, expected",
    ('["1", "sNaN"]', set[Decimal], {"/1": FINITE}),
    ('["sNaN", "x"]', set[Decimal], {"/0": FINITE, "/1": "expected a decimal number"}),
    ('{"a": ["-snan7"]}', dict[str, frozenset[Decimal | None]], {"/a/0": FINITE}),
    ('[["sNaN"]]', set[tuple[Decimal, ...]], {"/0/0": FINITE}),
    ('[{"price": "sNaN"}]', set[Frozen], {"/0/price": FINITE}),
    ('[{"price": "sNaN"}]', set[FrozenData], {"/0/price": FINITE}),
    ('{"1": 1, "sNaN": 1}', dict[Decimal, int], {"/sNaN": f"the name does not fit: {FINITE}"}),
    ("[1, []]", set[Any], {"/1": "an array can't be in a set"}),
    ("[{}]", frozenset, {"/0": "an object can't be in a set"}),
    ("[[[]]]", set[tuple[Any, ...]], {"/0": "an array can't be in a set"}),
)
def test_what_can_not_be_in_a_set_or_a_name_is_named(text, wanted, expected):
    assert faults(unprocessable(json_as, text.encode(), wanted)) == expected


@rows(
    "kind, text, expected",
    (datetime.datetime, "253402300800", {"/when": A_MOMENT}),
    (datetime.datetime | None, "253402300799.9999999", {"/when": A_MOMENT}),
    (list[datetime.datetime], "253402300800", {"/when/0": A_MOMENT}),
    (Annotated[datetime.datetime, Meta(tz=True)], "253402300800", {"/when": A_MOMENT}),
    (set[Decimal], "sNaN", {"/when/0": FINITE}),
)
def test_so_is_the_field_of_a_form_or_query(kind, text, expected):
    record = dataclasses.make_dataclass("Record", [("when", kind)])
    assert faults(unprocessable(fields_as, MultiDict([("when", text)]), record, "query")) == expected


def test_so_is_the_field_of_a_type_that_is_an_array_in_json():
    caught = unprocessable(fields_as, MultiDict([("when", "253402300800")]), Event, "query")
    assert faults(caught) == {"/when": A_MOMENT}


@rows(
    "error, words",
    (ValueError("year 10000 is out of range"), "Timestamp is out of range"),  # to Python 3.13
    (ValueError("year must be in 1..9999, not 10000"), "Timestamp is out of range"),
    (TypeError("unhashable type: 'list'"), "an array can't be in a set"),
    (TypeError("cannot use 'list' as a set element (unhashable type: 'list')"), "an array can't be in a set"),
)
def test_the_words_of_each_python_are_known(error, words):
    assert str(refusal(error)) == words


@rows(
    "text, wanted", [("[[1]]", set[list[int]]), ('[{"a": 1}]', set[dict[str, int]]), ('[{"number": 1}]', set[Thawed])]
)
def test_a_set_of_what_has_no_hash_is_the_programmers_mistake(text, wanted):
    with pytest.raises(TypeError, match="unhashable type"):
        json_as(text.encode(), wanted)


@rows("error", [ValueError("no port is free"), TypeError("unhashable type: 'list'"), KeyError("x")])
def test_what_a_default_factory_raises_comes_through(error):
    def default():
        raise error

    @dataclasses.dataclass
    class Record:
        a: Any = dataclasses.field(default_factory=default)

    for read in (lambda: json_as(b"{}", Record), lambda: fields_as(MultiDict[str](), Record, "form")):
        with pytest.raises(type(error)) as caught:
            read()
        assert caught.value is error


@dataclasses.dataclass
class Share:
    total: Decimal
    parts: int
    each: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        self.each = (self.total / self.parts).quantize(Decimal("0.01"))


class Shares(Struct):
    shares: list[Share]
    by: str = ""

    def __post_init__(self) -> None:
        {}[self.by] if self.by else None


@rows("share", ['{"total": 1, "parts": 0}', '{"total": "1e300", "parts": 1}'])
def test_a_calculation_that_fails_is_the_fault_of_its_values(share):
    caught = unprocessable(json_as, b'{"shares": [{"total": 1, "parts": 2}, %s]}' % share.encode(), Shares)
    assert faults(caught) == {"/shares/1": "a calculation with this value failed"}


def test_so_is_one_with_the_fields_of_a_form():
    caught = unprocessable(fields_as, MultiDict([("total", "1"), ("parts", "0")]), Share, "form")
    assert faults(caught) == {"": "a calculation with this value failed"}


def test_any_other_error_of_a_check_is_the_programmers():
    with pytest.raises(KeyError):
        json_as(b'{"shares": [], "by": "x"}', Shares)
