"""JSON with many numbers that msgspec reads slowly is read as any other."""

import dataclasses
import json
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from antiphon.http.errors import BadRequest
from antiphon.serialization.json import decode_json
from antiphon.serialization.json_bounds import MOST_SLOW_NUMBERS
from antiphon.serialization.readers import json_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable

MANY = MOST_SLOW_NUMBERS + 1
LEAST, MOST = 5e-324, 1.7976931348623157e308


@dataclasses.dataclass
class Measured:
    values: list[float]
    unit: str = "m"
    more: Any = None


class Span(NamedTuple):
    least: float
    most: float | None = None


class Camel(Struct, rename="camel"):
    all_values: list[float | str]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(), min_size=1, max_size=20))
def test_floats_are_those_of_the_standard_library(values):
    text = json.dumps([values] * MANY).encode()
    assert decode_json(text) == json.loads(text)
    assert json_as(text, list[list[float]]) == [[float(value) for value in values]] * MANY


@rows(
    "value, wanted",
    ([MOST] * MANY, list[float]),
    ([MOST] * MANY, set[float]),
    ([LEAST, 1, None, "a"] * MANY, list[Any]),
    ([[LEAST, MOST], [1]] * MANY, list[Span]),
    ({"values": [MOST] * MANY}, Measured),
    ([{"values": [MOST], "unit": "mm", "more": {"a": [LEAST]}}] * MANY, tuple[Measured, ...]),
    ({"allValues": [MOST, "1e308"] * MANY}, Camel),
    (dict.fromkeys(range(MANY), LEAST), dict[int, float]),
    ids=lambda value: str(value) if not isinstance(value, list | dict) else "",
)
def test_a_type_reads_them_as_it_reads_a_few(value, wanted):
    text = json.dumps(value).encode()
    read = json_as(text, wanted)
    assert read == msgspec.json.decode(text, type=wanted)
    if isinstance(read, Measured):
        assert vars(read) == {"values": read.values, "unit": "m", "more": None}


def test_a_decimal_keeps_all_its_digits():
    text = b"[%b]" % b",".join([b"1.234567890123456789012345e-300"] * MANY)
    assert json_as(text, list[Decimal]) == [Decimal("1.234567890123456789012345e-300")] * MANY


@rows("wanted", [list[Decimal | bool] | dict[str, float], tuple[dict[str, Any] | Decimal, ...]], ids=str)
def test_where_a_type_has_floats_too_so_many_are_refused(wanted):
    few = b"[%b]" % b",".join([b"1e308"] * (MANY - 1))
    assert len(json_as(few, wanted)) == MANY - 1
    with pytest.raises(BadRequest, match="more than 1000 numbers with an exponent of three digits"):
        json_as(b"[%b]" % b",".join([b"1e308"] * MANY), wanted)


def test_numbers_beyond_a_float_are_refused_among_them():
    text = json.dumps([LEAST] * MANY).encode()[:-1] + b", 1e400]"
    with pytest.raises(BadRequest, match=f"a number that is too large .byte {text.index(b'1e400')}."):
        decode_json(text)
    assert faults(unprocessable(json_as, text, list[float])) == {"": "the number is too large"}


def test_what_does_not_fit_is_named_among_them():
    text = json.dumps({"values": [LEAST] * MANY + ["a"], "unit": 1}).encode()
    wanted = {f"/values/{MANY}": "expected a number, got a string", "/unit": "expected a string, got an integer"}
    assert faults(unprocessable(json_as, text, Measured)) == wanted
