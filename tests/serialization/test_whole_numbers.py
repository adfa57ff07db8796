"""Numbers such as 87.0 where a type has an int."""

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from antiphon.serialization.readers import json_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable
from tests.serialization.test_readers import Cat, Level

LARGEST = 2**53
FLOATING = "an integer, got a floating-point number"


class Point(NamedTuple):
    x: int
    y: float = 0.5


class Dog(Struct, tag="dog"):
    lives: float


class Row(Struct, array_like=True, tag="row"):
    number: int
    share: float


class Camel(Struct, rename="camel"):
    item_count: int


class Options(TypedDict, total=False):
    pages: int


@dataclass
class Order:
    number: int
    price: float = 0
    total: Decimal = Decimal(0)
    more: Any = None
    parent: "Order | None" = None


@rows(
    "text, wanted, read",
    ("87.0", int, 87),
    ("-87.0", int, -87),
    ("-0.0", int, 0),
    ("0e5", int, 0),
    ("8.7e1", int, 87),
    ("8700E-2", int, 87),
    ("9007199254740992.0", int, LARGEST),
    ("-9007199254740992.0", int, -LARGEST),
    ("87.0", int | None, 87),
    ("87.0", int | str, 87),
    ("87.0", Annotated[int, Meta(ge=87, le=87)], 87),
    ("2.0", Literal[1, 2, "a"], 2),
    ("2.0", Level, Level.HIGH),
    ('[1.0, 2, 3.0, "4.0"]', list[int | str], [1, 2, 3, "4.0"]),
    ("[1.0, 2.0]", tuple[int, float], (1, 2.0)),
    ("[1.0]", set[int], {1}),
    ("[[1.0, 2.0], [3]]", list[Point], [Point(1, 2.0), Point(3)]),
    (r'{"a\"1.0": 1.0, "b": 2}', dict[str, int], {'a"1.0': 1, "b": 2}),
    ('{"1": 1.0}', dict[int, int], {1: 1}),
    ('[{"type": "dog", "lives": 9.0}, {"type": "cat", "lives": 9.0}]', list[Cat | Dog], [Dog(9.0), Cat(9)]),
    ('["row", 1.0, 2.0]', Row, Row(1, 2.0)),
    ('{"itemCount": 3.0}', Camel, Camel(3)),
    ('{"pages": 3.0}', Options, {"pages": 3}),
    (
        '{"more": [1.0, {"number": 1.0}], "number": 1.0, "total": 1.10, "price": -0.0, "parent": {"number": 2.0}}',
        Order,
        Order(1, -0.0, Decimal("1.10"), [1.0, {"number": 1.0}], Order(2)),
    ),
)
def test_a_number_without_a_fraction_is_an_integer(text, wanted, read):
    found = json_as(text.encode(), wanted)
    assert repr(found) == repr(read)
    assert repr(json_as(b"\xef\xbb\xbf " + text.encode(), wanted)) == repr(read)


@rows("wanted", [int | float, float | None, Decimal, Any])
def test_it_is_none_where_a_type_has_others(wanted):
    assert repr(json_as(b"87.0", wanted)) == repr(msgspec.json.decode(b"87.0", type=wanted))


@rows(
    "number",
        "87.5", "0.99999999999999999999", "9007199254740993.0", "9007199254740994.0", "-9007199254740994.0", "1e17",
        "1e400", "1e99999999999999999999", "1e-99999999999999999999", "1e-400",
)  # fmt: skip
def test_other_numbers_are_refused_and_named(number):
    text = f'{{"number": {number}, "parent": {{"number": 1.0, "parent": {{}}}}}}'.encode()
    assert faults(unprocessable(json_as, text, Order)) == {
        "/number": f"expected {FLOATING}", "/parent/parent/number": "is missing",
    }  # fmt: skip


def test_only_what_does_not_fit_is_named_beside_them():
    text = b'{"number": "1.0", "price": 1.0, "parent": {"number": 1.0, "price": "x", "total": 5.0}}'
    assert faults(unprocessable(json_as, text, Order)) == {
        "/number": "expected an integer, got a string", "/parent/price": "expected a number, got a string",
    }  # fmt: skip


def test_bounds_hold_for_them():
    assert unprocessable(json_as, b"[1.0, 9.0]", list[Annotated[int, Meta(le=8)]]).errors == [
        {"pointer": "/1", "detail": "expected an integer of at most 8", "code": "out_of_range", "max": 8}
    ]


def test_many_of_them_are_read():
    assert json_as(b"[" + b"7.0," * 99_999 + b"7.0]", list[int]) == [7] * 100_000


@dataclass
class Node:
    value: int | str
    below: list["Node"]
    named: dict[str, int]


integers = st.integers(-LARGEST, LARGEST)
texts = st.text('a"\\,:1.0e[{', max_size=4)
nodes = st.deferred(
    lambda: st.builds(Node, integers | texts, st.lists(nodes, max_size=3), st.dictionaries(texts, integers, max_size=3))
)


@given(nodes)
def test_integers_with_a_point_are_read_as_those_without(node):
    assert json_as(json.dumps(with_points(asdict(node))).encode(), Node) == node


def with_points(value):
    """Return a value with all integers in it as floats."""
    if isinstance(value, dict):
        return {name: with_points(part) for name, part in value.items()}
    return [*map(with_points, value)] if isinstance(value, list) else float(value) if isinstance(value, int) else value
