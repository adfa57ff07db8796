"""Errors of fields that an application raises itself: in a ``__post_init__``, a validator or a handler."""

import pickle
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

import pytest
from msgspec import Struct
from pydantic import BaseModel, model_validator

from antiphon import App, Request
from antiphon.features import Form
from antiphon.http import FieldError
from antiphon.http.multidict import MultiDict
from antiphon.serialization.readers import fields_as, json_as
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.serialization.named_faults import unprocessable

LOW = {"detail": "is too low", "code": "low"}


def check(amount: int) -> None:
    if amount < 10:
        raise FieldError("/amount", "is too low", code="low")


@dataclass
class Bid:
    amount: int

    def __post_init__(self) -> None:
        check(self.amount)


class BidStruct(Struct):
    amount: int

    def __post_init__(self) -> None:
        check(self.amount)


class BidModel(BaseModel):
    amount: int

    @model_validator(mode="after")
    def checked(self) -> "BidModel":
        check(self.amount)
        return self


class Bids(TypedDict):
    bids: list[Bid]
    name: str


class Pair(NamedTuple):
    first: Bid
    second: Bid | None


def faults(read: Any) -> list[dict[str, Any]]:
    return [dict(each) for each in unprocessable(read).errors]


@rows(
    "wanted, text, pointers",
    (Bid, '{"amount": 1}', ["/amount"]),
    (BidStruct, '{"amount": 1}', ["/amount"]),
    (BidModel, '{"amount": 1}', ["/amount"]),
    (list[BidModel], '[{"amount": 10}, {"amount": 1}]', ["/1/amount"]),
    (list[Bid], '[{"amount": 1}, {"amount": 20}, {"amount": 2}]', ["/0/amount", "/2/amount"]),
    (dict[str, Bid], '{"a/b": {"amount": 1}}', ["/a~1b/amount"]),
    (Bid | None, '{"amount": 1}', ["/amount"]),
    (Pair, '[{"amount": 1}, {"amount": 2}]', ["/0/amount", "/1/amount"]),
)
def test_an_error_of_a_field_is_at_the_field_of_its_record(wanted: Any, text: str, pointers: list[str]) -> None:
    assert faults(lambda: json_as(text.encode(), wanted)) == [{"pointer": each, **LOW} for each in pointers]


def test_it_stands_beside_the_other_errors() -> None:
    found = faults(lambda: json_as(b'{"bids": [{"amount": 1}, {"amount": "2"}]}', Bids))
    assert [(each["pointer"], each["code"]) for each in found] == [
        ("/bids/0/amount", "low"),
        ("/bids/1/amount", "not_an_integer"),
        ("/name", "missing"),
    ]


@rows("wanted", [Bid, BidStruct])
def test_it_is_at_the_field_of_a_form(wanted: Any) -> None:
    assert faults(lambda: fields_as(MultiDict([("amount", "1")]), wanted, "form")) == [{"pointer": "/amount", **LOW}]


@dataclass
class Plain:
    amount: int


@rows("wanted, checks", (Bid, ()), (Plain, (lambda value, _: check(value.amount),)))
def test_a_shown_form_has_it_at_its_field(wanted: Any, checks: Any) -> None:
    app = App()

    @app.post("/bid")
    def bid(request: Request) -> dict[str, Any]:
        form = Form(wanted, request)
        assert not form.validate(*checks)
        return {name: [str(each) for each in form.errors[name]] for name in form.errors}

    assert Client(app).post("/bid", form={"amount": "1"}).json == {"amount": ["is too low"]}


@pytest.mark.axes("interface")
def test_a_handler_raises_it_for_what_only_it_knows(interface: Any, caplog: pytest.LogCaptureFixture, app) -> None:
    @app.post("/bid")
    def bid(request: Request) -> dict[str, int]:
        raise FieldError("/amount", "is less than the highest bid")

    response = Client(app, interface).post("/bid")
    assert (response.status, response.json["detail"], response.json["errors"]) == (
        422,
        "1 field is wrong",
        [{"pointer": "/amount", "detail": "is less than the highest bid", "code": "invalid"}],
    )
    assert not caplog.records


def test_it_is_a_value() -> None:
    copied = pickle.loads(pickle.dumps(FieldError("", "is wrong")))
    assert copied.errors == FieldError("", "is wrong").errors
    with pytest.raises(ValueError, match="must be empty or begin with a slash, not 'amount'"):
        FieldError("amount", "is wrong")
