"""Pydantic's models, read and written where Pydantic is installed."""

import subprocess
import sys
from dataclasses import dataclass, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest

from antiphon import App, Limits, Request
from antiphon.features import Form
from antiphon.http.errors import BadRequest, UnprocessableContent
from antiphon.serialization.json import encode_json
from antiphon.serialization.readers import json_as
from antiphon.testing import Client

pydantic = pytest.importorskip("pydantic")

import annotated_types  # noqa: E402
from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field, field_validator  # noqa: E402

from tests.helpers.rows import rows  # noqa: E402
from tests.serialization.named_faults import unprocessable  # noqa: E402


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    price: Annotated[float, Field(ge=0, lt=100)]
    name: Annotated[str, Field(min_length=1, max_length=9)] = "?"


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: int
    items: list[Item] = []
    born: date | None = None
    color: Color = Color.RED
    sort: Literal["a", "b"] = Field("a", alias="sortBy")

    @field_validator("id")
    @classmethod
    def is_known(cls, number: int) -> int:
        if number == 13:
            raise ValueError("nobody orders 13")
        return number

    @computed_field
    def total(self) -> float:
        return sum(item.price for item in self.items)


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Numbers(RootModel[list[int]]):
    pass


@dataclass
class Box:
    order: Order | None
    size: int = 1


@rows(
    "wanted, sent, read",
    (Item, b'{"price": 1}', Item(price=1)),
    (Order, b'{"id": "7", "sortBy": "b", "born": "2030-12-31"}', Order(id=7, sortBy="b", born=date(2030, 12, 31))),
    (list[Item], b'[{"price": 1}]', [Item(price=1)]),
    (Cat | Dog, b'{"kind": "dog", "tricks": []}', Dog(kind="dog", tricks=[])),
    (Item | None, b"null", None),
    (dict[str, Item], b'{"a": {"price": 2}}', {"a": Item(price=2)}),
    (Box, b'{"order": {"id": 1}}', Box(Order(id=1))),
    (Numbers, b"[1, 2]", Numbers([1, 2])),
    (Item, b'\xef\xbb\xbf{"price": 1}', Item(price=1)),
    (list[Item], b"[" + b'{"price": 1e-300},' * 2000 + b'{"price": 1}]', None),
)
def test_json_is_read_as_a_model(wanted: Any, sent: bytes, read: Any) -> None:
    for _ in range(2):  # the second time by the reader that is kept
        found = json_as(sent, wanted)
        assert found == read or (read is None and found[-1] == Item(price=1)) or found is read


class Bill(BaseModel):
    price: Annotated[Decimal, Field(max_digits=4, decimal_places=2)] = Decimal(1)
    paid: pydantic.PastDate | None = None
    due: pydantic.FutureDatetime | None = None
    naive: pydantic.NaiveDatetime | None = None
    aware: pydantic.AwareDatetime | None = None
    rate: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    kind: Literal["a, b", "c"] = "c"
    level: Literal[1, -2] = 1
    said: Literal["isn't", "is"] = "is"
    rows: pydantic.Json[list[int]] | None = None
    pet: Pet | None = None


CHOICES = {"choices": ["cat", "dog"]}


@rows(
    "sent, detail, code, bounds",
    ({"price": "1.234"}, "decimal input should have no more than 2 decimal places", "not_a_multiple",
     {"multiple_of": 0.01}),
    ({"price": "12345"}, None, "out_of_range", {}),
    ({"price": "NaN"}, None, "not_a_number", {}),
    ({"rate": "NaN"}, None, "not_a_number", {}),
    ({"paid": "2999-01-01"}, "date should be in the past", "out_of_range", {}),
    ({"due": "2000-01-01T00:00:00Z"}, None, "out_of_range", {}),
    ({"naive": "2030-01-01T00:00:00Z"}, None, "not_a_datetime", {}),
    ({"aware": "2030-01-01T00:00:00"}, None, "not_a_datetime", {}),
    ({"kind": "d"}, None, "not_a_choice", {"choices": ["a, b", "c"]}),
    ({"level": 3}, None, "not_a_choice", {"choices": [1, -2]}),
    ({"said": "was"}, None, "not_a_choice", {"choices": None}),
    ({"pet": {"kind": "cow"}}, None, "not_a_choice", CHOICES),
    ({"rows": "["}, "invalid JSON: EOF while parsing a list at line 1 column 1", "invalid", {}),
    ({"rows": 3}, "JSON input should be string, bytes or bytearray", "not_a_string", {}),
    ({"rows": '["x"]'}, None, "not_an_integer", {}),
)  # fmt: skip
def test_each_fault_has_the_code_that_other_types_have(sent: Any, detail: Any, code: str, bounds: Any) -> None:
    refused = unprocessable(json_as, encode_json(sent), Bill)
    [fault] = refused.errors
    assert (fault["pointer"], fault["code"]) == (f"/{next(iter(sent))}", code)
    assert detail in (None, fault["detail"])
    assert {name: fault.get(name) for name in bounds} == bounds
    assert isinstance(refused.__cause__, pydantic.ValidationError)
    assert refused.__cause__.errors()[0]["loc"][0] == next(iter(sent))


@rows(
    "wanted, sent, errors",
        (Order, b"{}", [("/id", "is missing", "missing", {})]),
        (Order, b"[]", [("", None, "not_an_object", {})]),
        (Order, b'{"id": 1, "other": 2}', [("/other", "is unknown", "unknown", {})]),
        (
            Order,
            b'{"id": "x", "items": [{"price": 1}, {"price": -1, "name": ""}], "born": "x", "color": "green"}',
            [
                ("/id", None, "not_an_integer", {}),
                ("/items/1/price", "input should be greater than or equal to 0", "out_of_range", {"min": 0}),
                ("/items/1/name", None, "too_short", {"min": 1}),
                ("/born", None, "not_a_date", {}),
                ("/color", None, "not_a_choice", {}),
            ],
        ),
        (Order, b'{"id": 13}', [("/id", "nobody orders 13", "invalid", {})]),
        (Item, b'{"price": 100}', [("/price", "input should be less than 100", "out_of_range", {"below": 100})]),
        (Item, b'{"price": 1, "name": "0123456789"}', [("/name", None, "too_long", {"max": 9})]),
        (Order, b'{"id": 1, "sortBy": "c"}', [("/sortBy", None, "not_a_choice", {})]),
        (Pet, b'{"kind": "dog"}', [("/tricks", "is missing", "missing", {})]),
        (dict[str, Item], b'{"a/b": {}}', [("/a~1b/price", "is missing", "missing", {})]),
        (Box, b'{"order": {"id": []}}', [("/order/id", None, "not_an_integer", {})]),
)  # fmt: skip
def test_what_does_not_fit_is_a_422_that_names_each_field(wanted: Any, sent: bytes, errors: Any) -> None:
    found = unprocessable(json_as, sent, wanted).errors
    assert [(each["pointer"], each["code"]) for each in found] == [(pointer, code) for pointer, _, code, _ in errors]
    for fault, (_, detail, _, bounds) in zip(found, errors, strict=True):
        assert detail in (None, fault["detail"])
        assert {name: fault.get(name) for name in bounds} == bounds


def test_a_hundred_wrong_fields_are_listed() -> None:
    raised = unprocessable(json_as, b"[" + b"{}," * 500 + b"{}]", list[Item])
    assert len(raised.errors) == 100
    assert "501 fields are wrong, of which the first 100 are listed" in str(raised)


class Stock(BaseModel):
    metadata: list[Item]
    places: tuple[Item, ...] = ()
    by_name: dict[str, Item] = {}


GOOD, BAD = b'{"price":1},', b'{"price":1},{"price":"x"},{"price":"x"},'


@rows(
    "wanted, sent, pointers",
    (list[Item], b"[" + b"1," * 5000 + b"1]", ["/0"]),
    (list[Item], b"[" + b"{}," * 20_000 + b"{}]", ["/0/price"]),
    (list[Item], b"[" + GOOD * 9000 + BAD + b"{}]", ["/9001/price"]),
    (Stock, b'{"metadata":[' + GOOD * 9000 + BAD + b'{}],"places":[{},{}],"by_name":{"a":{},"b":{"price":1},"c":1}}',
     ["/metadata/9001/price", "/places/0/price", "/by_name"]),
)  # fmt: skip
def test_a_long_text_has_the_first_wrong_item_of_each_array(wanted: Any, sent: bytes, pointers: list[str]) -> None:
    raised = unprocessable(json_as, sent, wanted)
    assert [each["pointer"] for each in raised.errors] == pointers
    assert f"at least {len(pointers)} field" in str(raised)


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    born: date
    places: tuple[int, ...]
    tags: set[str] = Field(default={"type"}, serialization_alias="type")


def test_a_long_text_is_read_as_a_short_one() -> None:
    text = b'{"a": {"born": "2030-12-31", "places": [1]}' + b" " * 20_000 + b"}"
    assert json_as(text, dict[str, Strict]) == {"a": Strict(born=date(2030, 12, 31), places=(1,))}


@rows("sent", [b"", b"{", b'{"price": NaN}', b'{"price": 1e400}', b"\xff", b"[" * 200, b'{"price": 1}x'])
def test_what_is_no_json_is_a_400(sent: bytes) -> None:
    with pytest.raises(BadRequest, match="JSON"):
        json_as(sent, Item)


class Nested(RootModel[Any]):
    pass


def test_the_limit_of_depth_is_that_of_the_request() -> None:
    assert json_as(b"[" * 150 + b"]" * 150, Nested, limits=Limits(json_depth=160))
    for depth in (140, 10_000):  # the second one is more than Pydantic's parser takes
        with pytest.raises(BadRequest, match="JSON"):
            json_as(b"[" * 5000 + b"]" * 5000, Nested, limits=Limits(json_depth=depth))


@rows(
    "value, written",
        (Item(price=1), b'{"price":1.0,"name":"?"}'),
        ({"box": Box(Order(id=1))},
         b'{"box":{"order":{"id":1,"items":[],"born":null,"color":"red","sortBy":"a","total":0.0},"size":1}}'),
        ([Numbers([1])], b"[[1]]"),
)  # fmt: skip
def test_a_model_is_written_by_its_aliases_with_what_it_computes(value: Any, written: bytes) -> None:
    assert encode_json(value) == written


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_handler_takes_and_answers_models(interface: Any) -> None:
    app = App()

    @app.post("/")
    def order(request: Request) -> tuple[Order, int]:
        return request.json_as(Order), 201

    @app.get("/")
    def item(request: Request) -> Item:
        return Item(price=Decimal("1.5"))

    @app.get("/list")
    async def items(request: Request) -> list[Item]:
        return [Item(price=2)]

    client = Client(app, interface)
    assert client.get("/").json == {"price": 1.5, "name": "?"}
    assert client.get("/list").json == [{"price": 2.0, "name": "?"}]
    assert client.post("/", json={"id": 1}).json["sortBy"] == "a"
    assert client.post("/", json={"id": 13}).json["errors"][0]["pointer"] == "/id"


@pytest.mark.processes
def test_an_application_without_models_does_not_load_pydantic() -> None:
    program = """
import sys
from dataclasses import dataclass
from antiphon import App, Request
from antiphon.features import OpenAPI
from antiphon.testing import Client

@dataclass
class Item:
    price: float

app = App()
app.use(OpenAPI("Items"))

@app.post("/")
def echo(request: Request) -> Item:
    return request.json_as(Item)

client = Client(app)
assert client.post("/", json={"price": 1}).status == 200
assert client.post("/", json={"price": ""}).status == 422
assert client.get("/openapi.json").status == client.get("/docs").status == 200
print([name for name in sys.modules if name.startswith("pydantic")])
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_handler_that_takes_a_model_as_its_argument_says_how_to_read_it():
    class Lamp(BaseModel):
        name: str

    def create(lamp: Lamp): ...

    with pytest.raises(TypeError, match=r"takes lamp as Lamp.* Read the body: lamp = request\.json_as\(Lamp\)"):
        App().post("/")(create)


@dataclass
class Bounded:
    count: Annotated[int, Field(gt=0)]


@dataclass
class BoundedItems:
    prices: list[Annotated[int, annotated_types.Ge(0)]]


@dataclass
class Name:
    text: str = Field(max_length=9)


class Priced(BaseModel):
    item: Bounded


@rows(
    "wanted, place",
        (Bounded, "Bounded.count"), (BoundedItems, "BoundedItems.prices"), (Name, "Name.text"),
        (dict[str, Bounded], "Bounded.count"), (list[pydantic.PositiveInt], "list"),
)  # fmt: skip
def test_bounds_that_nothing_would_check_are_refused(wanted, place):
    message = rf"^{place}.* of (pydantic|annotated_types) has no effect outside Pydantic models: write .*msgspec.Meta\("
    with pytest.raises(TypeError, match=message):
        json_as(b"{}", wanted)
    if is_dataclass(wanted):
        with pytest.raises(TypeError, match=message):
            Request.blank("/?count=1").args_as(wanted)


def test_bounds_in_a_model_stay_those_of_pydantic():
    with pytest.raises(UnprocessableContent):
        json_as(b'{"item": {"count": 0}}', Priced)
    assert json_as(b'{"item": {"count": 1}}', Priced).item == Bounded(1)


@pydantic.dataclasses.dataclass
class Checked:
    count: Annotated[int, Field(gt=0)] = 1


@rows("read", [Request.args_as, Request.form_as, Request.headers_as])
def test_a_pydantic_dataclass_is_refused_where_nothing_would_run_its_checks(read):
    with pytest.raises(TypeError, match=r"Checked is a dataclass of Pydantic, which only json_as reads"):
        read(Request.blank("/?count=0"), Checked)
    with pytest.raises(UnprocessableContent):
        json_as(b'{"count": 0}', Checked)


def test_a_form_of_a_pydantic_dataclass_is_refused_before_the_app_starts(app):
    @app.post("/")
    def create(request):
        return request.form_as(Checked)

    @app.post("/form")
    def edit(request):
        return Form(Checked, request)

    with pytest.raises(TypeError, match="Checked is a dataclass of Pydantic"):
        Form.check_type(Checked)
    with pytest.raises(TypeError, match="Checked is a dataclass of Pydantic"):
        Client(app).post("/", form={"count": 0})
