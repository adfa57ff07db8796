"""Bounds and places of Decimals, such as amounts of money: in JSON, in forms, and in schemas."""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import decimal_meta
from antiphon.features.openapi.schemas import Schemas
from antiphon.http import UnprocessableContent
from antiphon.http.multidict import MultiDict
from antiphon.serialization.decimals import DecimalBounds
from antiphon.serialization.readers import check_json, fields_as, json_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import unprocessable

Money = Annotated[Decimal, decimal_meta(ge=0, le="1000.5", places=2)]
Ratio = Annotated[Decimal, decimal_meta(gt=0, lt=1)]
Count = Annotated[Decimal, decimal_meta(places=0)]
Text = Annotated[Decimal, decimal_meta(gt=0, places=2, json="string")]


@dataclass
class Bid:
    amount: Money
    others: list[Money | None] | None = None
    by: dict[Money, int] | None = None


LOW, HIGH = "expected a decimal number of at least 0", "expected a decimal number of at most 1000.5"
DIGITS, WHOLE = "expected digits, with at most 2 after the point", "expected digits, without a point"
CODES = {LOW: "out_of_range", HIGH: "out_of_range", DIGITS: "not_a_multiple", WHOLE: "not_a_multiple"}


def faults(read: Any) -> list[tuple[str, str]]:
    caught = unprocessable(read)
    assert all(each["code"] == CODES.get(each["detail"], each["code"]) for each in caught.errors)
    return [(each["pointer"], each["detail"]) for each in caught.errors]


@rows(
    "wanted, written",
        (Money, "0"), (Money, "1000.50"), (Money, "12.5"), (Money, "007"),
        (Ratio, "0.00001"), (Ratio, "1e-5"), (Ratio, "9E-1"), (Count, "-12"), (Count, "9" * 6000),
)  # fmt: skip
def test_a_number_that_fits_is_read_exactly(wanted: Any, written: str) -> None:
    number = Decimal(written)
    assert json_as(f'"{written}"'.encode(), wanted) == number
    if written != "007":  # no number in JSON
        read = json_as(written.encode(), wanted)
        assert (read, type(read)) == (number, Decimal)

    @dataclass
    class Form:
        number: wanted

    assert fields_as(MultiDict([("number", written)]), Form, "form").number == number


@rows(
    "wanted, written, detail",
        (Money, "-0.01", LOW), (Money, "1000.51", HIGH), (Money, "0.001", DIGITS), (Money, "1e2", DIGITS),
        (Money, "1.500", DIGITS), (Money, "-1e999", LOW),
        (Ratio, "0", "expected a decimal number above 0"), (Ratio, "1.0", "expected a decimal number below 1"),
        (Count, "1.0", WHOLE), (Money, "1e9999", "the number is too large"),
)  # fmt: skip
def test_a_number_beyond_its_bounds_is_refused(wanted: Any, written: str, detail: str) -> None:
    for text in (written, f'"{written}"'):
        assert faults(lambda text=text: json_as(text.encode(), wanted)) == [("", detail)]

    @dataclass
    class Form:
        number: wanted

    assert faults(lambda: fields_as(MultiDict([("number", written)]), Form, "form")) == [("/number", detail)]


@rows("written", ["1_0", " 1", "+1", "1.", "\u0661"])
def test_places_are_counted_in_plain_digits(written: str) -> None:
    assert faults(lambda: json_as(json.dumps(written).encode(), Money)) == [("", DIGITS)]


def test_each_number_is_named_beside_the_other_faults() -> None:
    text = b'{"amount": -1, "others": [1, "1.234", null, true], "by": {"0.001": 1, "1": "x"}}'
    assert faults(lambda: json_as(text, Bid)) == [
        ("/amount", LOW),
        ("/others/1", DIGITS),
        ("/others/3", "expected a decimal number or null, got a boolean"),
        ("/by/0.001", f"the name does not fit: {DIGITS}"),
        ("/by/1", "expected an integer, got a string"),
    ]


def test_another_number_of_a_union_has_no_bounds() -> None:
    assert json_as(b"2000", Money | int) == 2000
    assert faults(lambda: json_as(b'"2000"', Money | int)) == [("", HIGH)]


def test_a_form_takes_what_browsers_send() -> None:
    @dataclass
    class Form:
        price: Money
        tip: Money | None
        others: list[Money]

    pairs = MultiDict([("price", ".5"), ("tip", ""), ("others", "010"), ("others", "2.50")])
    assert fields_as(pairs, Form, "form") == Form(Decimal("0.5"), None, [Decimal(10), Decimal("2.50")])


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-10, max_value=2000, places=3))
def test_a_number_is_read_exactly_if_it_fits(number: Decimal) -> None:
    written = str(number.normalize() + 0)
    fits = 0 <= number <= Decimal("1000.5") and number == round(number, 2) and "E" not in written
    try:
        assert json_as(written.encode(), Money) == number
    except UnprocessableContent:
        assert not fits
    else:
        assert fits


def test_a_schema_has_them_for_strings_and_numbers() -> None:
    schemas = Schemas([Money, Ratio, Money | None, Decimal], [Money, Ratio])
    digits = {"pattern": r"^0*([0-9](\.[0-9]{1,2})?|1000(\.[0-4][0-9]?)?|1000\.50?|[1-9][0-9]{1,2}(\.[0-9]{1,2})?)$"}
    bounds = {"minimum": 0, "maximum": 1000.5, "multipleOf": 0.01}
    assert schemas.of_type(Money, "input") == {**digits, **bounds, "type": ["string", "number"]}
    assert schemas.of_type(Money, "output") == {**digits, "type": "string"}
    assert schemas.of_type(Money | None, "input") == {**digits, **bounds, "type": ["string", "number", "null"]}
    ratio = schemas.of_type(Ratio, "input")
    assert (ratio["exclusiveMinimum"], ratio["exclusiveMaximum"], ratio["type"]) == (0, 1, ["string", "number"])
    assert ratio["pattern"] == schemas.of_type(Decimal, "input")["pattern"]


@dataclass
class Transfer:
    amount: Text
    fee: Text | None = None
    others: list[Text] = field(default_factory=list)


def test_json_may_need_a_string() -> None:
    assert json_as(b'{"amount": "9.99", "fee": null, "others": ["1"]}', Transfer).amount == Decimal("9.99")
    text = b'{"amount": 9.99, "fee": 1, "others": ["1.5", 2]}'
    told = 'expected a decimal number as a string, such as "9.99", got a number'
    assert faults(lambda: json_as(text, Transfer)) == [("/amount", told), ("/fee", told), ("/others/1", told)]
    assert faults(lambda: json_as(b'{"amount": "0.00"}', Transfer)) == [
        ("/amount", "expected a decimal number above 0")
    ]
    assert json_as(b"1", Text | int) == 1
    assert fields_as(MultiDict([("amount", "2.50")]), Transfer, "form").amount == Decimal("2.5")
    properties = Schemas([Transfer], []).components["Transfer"]["properties"]
    assert properties["amount"]["type"] == "string"
    assert properties["fee"]["type"] == ["string", "null"]
    with pytest.raises(ValueError, match="json must be 'string', not 'number'"):
        decimal_meta(json="number")  # type: ignore[arg-type]


TEXTS = st.from_regex(r"-?0?[0-9]{1,4}(\.[0-9]{1,4})?", fullmatch=True, alphabet="-.01259")
BOUNDS = st.one_of(st.none(), st.decimals(-1000, 1000, places=2), st.sampled_from([Decimal(0), Decimal(1000)]))


@given(st.integers(0, 3), BOUNDS, BOUNDS, st.booleans(), st.lists(TEXTS, min_size=9))
def test_a_pattern_allows_the_numbers_within_the_bounds(
    places: int, low: Decimal | None, high: Decimal | None, is_open: bool, texts: list[str]
) -> None:
    kinds = ("gt", "lt") if is_open else ("ge", "le")
    bounds = DecimalBounds(
        {kind: each for kind, each in zip(kinds, (low, high), strict=True) if each is not None}, places
    )
    pattern = str(bounds.schema()["pattern"])
    assert "(?" not in pattern  # Go and Rust refuse lookaheads
    for text in [*texts, *[str(each) for each in (low, high) if each is not None]]:
        assert (re.search(pattern, text) is not None) is (bounds.fault(text) is None), (pattern, text)


def test_a_bound_is_a_number_that_is_exact() -> None:
    with pytest.raises(TypeError, match=r'ge must be a Decimal, an int or text, not a float: ge="0.1"'):
        decimal_meta(ge=0.1)  # type: ignore[arg-type]
    for wrong in ("NaN", "a", "1e99999"):
        with pytest.raises(ValueError, match="le must be a finite number"):
            decimal_meta(le=wrong)
    with pytest.raises(ValueError, match="places must be 0 or more, not -1"):
        decimal_meta(places=-1)
    with pytest.raises(TypeError, match=r"write the bounds of a Decimal as antiphon\.decimal_meta"):
        check_json(Annotated[Decimal, msgspec.Meta(ge=0)])
