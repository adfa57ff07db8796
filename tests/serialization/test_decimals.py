"""Decimals that no program can calculate with are refused, wherever they come from."""

import dataclasses
import json
import time
from decimal import Decimal, InvalidOperation
from typing import Annotated, NamedTuple, TypedDict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from antiphon import Request
from antiphon.http import MultiDict, UnprocessableContent
from antiphon.http.multidict import LARGEST_EXPONENT, SMALLEST_EXPONENT, number_fault
from antiphon.serialization.decimals import text_fault
from antiphon.serialization.readers import fields_as, json_as
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable

FINITE = "expected a finite number"
LARGE = "the number is too large"
PRECISE = "the number has too many decimal places"

UNUSABLE = {
    "NaN": FINITE, "nan": FINITE, "sNaN": FINITE, "-sNaN12": FINITE, "Infinity": FINITE, "-inf": FINITE,
    "\xa0NaN": FINITE, "\x1cNaN": FINITE, "\u3000inf ": FINITE, "_n_a_n": FINITE, "N_aN": FINITE, "\tInf": FINITE,
    "1e999999999": LARGE, "-1E+9999": LARGE, "1e6145": LARGE, "0e9999": LARGE, "1_e_9_9_9_9": LARGE,
    "\u0661e\u0669\u0669\u0669\u0669": LARGE, "1e9999\u3000": LARGE, "9" * 6146: LARGE, "\u0669" * 6146: LARGE,
    "9" * 5000 + "e999" + "9" * 9: LARGE,
    "1e-999999999": PRECISE, "0e-9999": PRECISE, "0." + "0" * 6176 + "1": PRECISE,
}  # fmt: skip

USABLE = ["0", "-0.0", "1.10", "1e6144", "1e-6176", "9" * 6000, "1_000", " 5\xa0", "\u0665", "+1e+0000000000009"]


class Checked(Struct):
    price: Decimal

    def __post_init__(self) -> None:
        if self.price < 0:
            raise ValueError("a price is not negative")


@dataclasses.dataclass
class Order:
    name: str
    total: Decimal | None = None
    lines: list[Checked] = dataclasses.field(default_factory=list)
    by_name: dict[str, Decimal | int] = dataclasses.field(default_factory=dict)


class Position(NamedTuple):
    name: str
    price: Decimal


class Row(TypedDict):
    price: Decimal


class Cat(Struct, tag=1):
    price: Decimal


class Dog(Struct, tag=2):
    price: str


class Bird(Struct, tag=3, array_like=True):
    price: Decimal
    name: str = ""


NESTED = [
    (Checked, '{"price": %s}', "/price"),
    (Order, '{"name": "Nan", "total": %s}', "/total"),
    (Order, '{"name": "a", "lines": [{"price": 1}, {"price": %s}]}', "/lines/1/price"),
    (Order, '{"name": "a", "by_name": {"a/b": %s}}', "/by_name/a~1b"),
    (list[Decimal], "[1, %s]", "/1"),
    (tuple[str, Decimal], '["nan", %s]', "/1"),
    (Position, '["nan", %s]', "/1"),
    (Row, '{"price": %s}', "/price"),
    (Cat | Dog | None, '{"type": 1, "price": %s}', "/price"),
    (list[Bird], '[[3, %s, "inf"]]', "/0/1"),
    (Annotated[Decimal, Meta(description="a price")], "%s", ""),
    (Decimal | float | None, "%s", ""),
]


@rows("text, detail", UNUSABLE.items(), ids=lambda text: ascii(text)[:24])
@rows("wanted, body, pointer", NESTED, ids=lambda part: str(part)[:40])
def test_a_decimal_in_json_is_refused_by_its_place(wanted, body, pointer, text, detail):
    for written in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        assert faults(unprocessable(json_as, (body % written).encode(), wanted)) == {pointer: detail}


@rows("written, detail", [
    (r'"\u004eaN"', FINITE), (r'"\u002dInf"', FINITE), (r'"N\u0061n"', FINITE), (r'"i\u006ef"', FINITE),
    (r'"1\u00659999"', LARGE), (r'"1\u0065-9999"', PRECISE),
])  # fmt: skip
def test_escapes_hide_nothing(written, detail):
    assert faults(unprocessable(json_as, b'{"price": %s}' % written.encode(), Checked)) == {"/price": detail}


@rows("written, number", (r'"\u0031.10"', "1.10"), (r'"1\u00652"', "1e2"), (r'"\u002b5"', "5"))
def test_escapes_are_no_fault_of_a_number(written, number):
    assert str(json_as(b'{"price": %s}' % written.encode(), Checked).price) == str(Decimal(number))


@rows("number", ["1e9999", "-1E+99999", "1e-9999", "0e9999", "1." + "0" * 7000 + "1"])
def test_a_number_without_quotes_is_refused_as_well(number):
    caught = unprocessable(json_as, b'{"price": %s}' % number.encode(), Checked)
    assert faults(caught) == {"/price": PRECISE if "e-" in number or "." in number else LARGE}


def test_the_names_of_a_dict_are_refused_as_well():
    caught = unprocessable(json_as, b'{"1": 1, "NaN": 2}', dict[Decimal, int])
    assert faults(caught) == {"/NaN": f"the name does not fit: {FINITE}"}


def test_other_faults_are_named_with_it():
    caught = unprocessable(json_as, b'{"total": "NaN", "lines": [{"price": "x"}]}', Order)
    assert faults(caught) == {"/name": "is missing", "/total": FINITE, "/lines/0/price": "expected a decimal number"}


@rows("text, detail", UNUSABLE.items(), ids=lambda text: ascii(text)[:24])
@rows("wanted", [Checked, dataclasses.make_dataclass("Some", [("price", list[Decimal])])])
def test_a_form_or_query_refuses_the_same(wanted, text, detail):
    assert set(faults(unprocessable(fields_as, MultiDict([("price", text)]), wanted, "form")).values()) == {detail}


@rows("text", USABLE, ids=lambda text: ascii(text)[:24])
def test_other_decimals_are_read_exactly(text):
    assert json_as(json.dumps({"price": text}).encode(), Row) == {"price": Decimal(text)}
    assert fields_as(MultiDict([("price", text)]), Row, "form") == {"price": Decimal(text)}


def test_words_that_are_names_are_no_numbers():
    body = {"name": "NaN", "total": None, "lines": [], "by_name": {"inf": 1, "nan": 2}}
    assert json_as(json.dumps(body).encode(), Order) == Order("NaN", by_name={"inf": 1, "nan": 2})


NUMBER_LIKE = st.text('0123456789eE+-_. nNaAiIfFsS\xa0\u0669\u3000\t\\"ü', max_size=12)


@given(NUMBER_LIKE, st.booleans())
@example("1e10000", False)
def test_json_refuses_exactly_the_decimals_that_can_not_be_used(text, ensure_ascii):
    body = json.dumps([text], ensure_ascii=ensure_ascii).encode()
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if number_fault(number) is None:
        assert json_as(body, list[Decimal]) == [number]
    else:
        with pytest.raises(UnprocessableContent):
            json_as(body, list[Decimal])


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_what_is_usable_can_be_an_int_and_a_text(number):
    if number_fault(number) is None:
        assert len(str(abs(int(number)))) <= LARGEST_EXPONENT + 1 if abs(number) < Decimal("1e4299") else True
        assert len(f"{number:.2f}") <= LARGEST_EXPONENT + 10
    assert (
        text_fault(str(number)) is None
        or number.adjusted() > LARGEST_EXPONENT
        or number.as_tuple().exponent < SMALLEST_EXPONENT
    )


HOSTILE = {
    "underscores": b'["' + b"_" * 500_000 + b'"]',
    "quotes": b"[" + b'"n_",' * 100_000 + b'"n"]',
    "digits": b"[" + (b"9" * 4095 + b",") * 100 + b'"x"]',
    "escapes": b'["' + rb"\u0065\t" * 100_000 + b'x"]',
    "exponents": b'["' + b"1e" * 250_000 + b'"]',
    "not ASCII": b'["' + "é".encode() * 250_000 + b'"]',
}


@rows("body", HOSTILE.values(), ids=HOSTILE)
def test_looking_for_them_is_quick(body):
    before = time.process_time()
    with pytest.raises(UnprocessableContent):
        json_as(body, list[Decimal | None] | int)
    assert time.process_time() - before < 5


def test_no_client_can_make_a_check_fail(app):
    @app.post("/json")
    def read_json(request: Request) -> str:
        return str(int(request.json_as(Checked).price))

    @app.post("/form")
    def read_form(request: Request) -> str:
        return str(int(request.form_as(Checked).price))

    @app.get("/query")
    def read_query(request: Request) -> str:
        return str(int(request.args_as(Checked).price))

    client = Client(app, raise_errors=False)
    for text in ("NaN", "sNaN", "Infinity", "\x1cNaN", "1e999999999"):
        assert client.post("/json", json={"price": text}).status == 422
        assert client.post("/form", form={"price": text}).status == 422
        assert client.get("/query", params={"price": text}).status == 422
    assert client.post("/json", json={"price": "12"}).text == "12"
