"""The arguments of handlers: the request, and those parameters of the route that the handler names."""

from collections.abc import Sequence  # noqa: F401 - named in annotations
from dataclasses import dataclass
from enum import Enum
from functools import partial, wraps
from typing import Annotated, Any, Literal, NewType  # noqa: F401 - named in annotations
from uuid import UUID

import pytest
from msgspec import Struct

from antiphon import App, Blueprint
from antiphon.handler.callables import describe
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")

Number = NewType("Number", int)


class Language(Enum):
    GERMAN = "de"


class Colour:
    def __init__(self, text):
        self.text = text


def read_colour(text: str) -> Colour:
    return Colour(text)


def pass_on(function):

    @wraps(function)
    def called(request, *args, **kwargs):
        return function(request, *args, **kwargs)

    return called


def add_user(function):

    @wraps(function)
    def called(request, **kwargs):
        return function(request, user="ann", **kwargs)

    return called


def ask_only(function):

    @wraps(function)
    def called(request):
        return function(request, name="of its own")

    return called


class Shop:
    def __call__(self, request, name):
        return [name]

    def item(self, request, key: int, *, name: str = "?"):
        return [key, name]


HANDLERS = [
    pytest.param(lambda request: ["request"], ["request"], id="request"),
    pytest.param(lambda request, key: [key], [7], id="one"),
    pytest.param(lambda request, name, key: [key, name], [7, "lamp"], id="in any order"),
    pytest.param(lambda request, /, *, key, name: [key, name], [7, "lamp"], id="by name"),
    pytest.param(lambda other, key, page=1: [key, page], [7, 1], id="a default"),
    pytest.param(lambda request, key=0: [key], [7], id="a default for a parameter"),
    pytest.param(lambda request, **params: params, {"key": 7, "name": "lamp"}, id="all"),
    pytest.param(lambda request, key, **others: [key, others], [7, {"name": "lamp"}], id="one and all others"),
    pytest.param(lambda *given, key: [len(given), key], [1, 7], id="any by position"),
    pytest.param(partial(lambda user, request, key: [user, key], "ann"), ["ann", 7], id="partial"),
    pytest.param(Shop().item, [7, "lamp"], id="method"),
    pytest.param(Shop(), ["lamp"], id="object"),
    pytest.param(pass_on(lambda request, key: [key]), [7], id="decorated"),
    pytest.param(pass_on(pass_on(lambda request: ["request"])), ["request"], id="decorated twice"),
    pytest.param(add_user(lambda request, user, key: [user, key]), ["ann", 7], id="decorated with an argument"),
    pytest.param(ask_only(lambda request, name: [name]), ["of its own"], id="decorated for the request alone"),
]


@rows("handler, expected", HANDLERS)
def test_a_handler_gets_the_parameters_that_it_names(serving, style, handler, expected):
    app = App()
    app.get("/shop/<int:key>-<name>", name="item")(style(handler))
    assert serving(app).get("/shop/7-lamp").json == expected


def test_one_handler_answers_at_several_paths(serving, style):
    app = App()

    def listing(request, page: int = 1, *, tag: str = "all"):
        return [page, tag]

    handler = style(listing)
    app.get("/list")(handler)
    app.get("/list/<int:page>")(handler)
    app.post("/list/<tag>", defaults={"page": 3})(handler)
    client = serving(app)
    assert [client.get("/list").json, client.get("/list/2").json] == [[1, "all"], [2, "all"]]
    assert client.post("/list/new").json == [3, "new"]
    assert (client.head("/list/2").status, client.options("/list/2").status) == (200, 204)


def test_a_blueprint_s_handlers_get_the_parameters_of_its_prefixes_and_hosts(serving, style):
    app, shop, admin = App(), Blueprint("shop", prefix="/<int:shop>"), Blueprint("admin")
    app.converter("colour", read_colour)

    def item(request, shop: int, region: str, tenant, colour: Colour, key: UUID):
        return [shop, region, tenant, colour.text, key.version]

    admin.get("/<colour:colour>/<uuid:key>")(style(item))
    shop.register(admin, prefix="/in/<region>")
    app.register(shop, host="<tenant>.example.com")
    path = "/7/in/north/red/0190b3f0-0000-7000-8000-000000000000"
    assert serving(app).get(path, headers={"host": "ann.example.com"}).json == [7, "north", "ann", "red", 7]


ANNOTATED = [
    ("<int:key>", "int"), ("<int:key>", "int | None"), ("<int:key>", "float"), ("<int:key>", "object"),
    ("<int:key>", "Any"), ("<int:key>", "Number"), ("<int:key>", "Annotated[int, 'key']"), ("<int:key>", "Unknown"),
    ("<int:key>", int),
    ("<int(min=1):key>", "int"), ("<float:key>", "float"), ("<uuid:key>", "UUID"), ("<key>", "str"),
    ("<key>", "Sequence[str]"), ("<path:key>", "str"), ("<any(en,de):key>", "Literal['en', 'de']"),
    ("<re([a-z]+):key>", "str"), ("<colour:key>", "Colour"), ("<colour:key>", Colour), ("<anything:key>", "bytes"),
]  # fmt: skip


def annotated(annotation):
    def handler(request, key):
        return "answered"

    handler.__annotations__ = {"request": "NotImported", "key": annotation}
    return handler


@pytest.fixture
def app():
    app = App()
    app.converter("colour", Colour)
    app.converter("anything", lambda text: text)
    return app


@rows("parameter, annotation", ANNOTATED)
def test_an_annotation_that_agrees_with_the_converter(app, parameter, annotation):
    app.get(f"/{parameter}")(annotated(annotation))


CONTRADICTIONS = [
    ("<key>", "int", "<key> gives a str: write <int:key>"),
    ("<key>", int, "<key> gives a str: write <int:key>"),
    ("<key>", "float | None", "<key> gives a str: write <float:key>"),
    ("<int:key>", "UUID", "<int:key> gives an int: write <uuid:key>"),
    ("<int:key>", "str", "<int:key> gives an int: write <key>"),
    ("<uuid:key>", "Literal['a']", "<uuid:key> gives a UUID: write <key>"),
    ("<float:key>", "int", "<float:key> gives a float: write <int:key>"),
    ("<colour:key>", "Number", "<colour:key> gives a Colour: write <int:key>"),
    ("<any(en,de):key>", "Language", "<any(en,de):key> gives a str: annotate it as str, or register a converter"),
    ("<int:key>", "list[int]", "<int:key> gives an int: annotate it as int, or register a converter"),
]


@rows("parameter, annotation, fix", CONTRADICTIONS)
def test_an_annotation_that_contradicts_the_converter_is_an_error(app, parameter, annotation, fix):
    handler = annotated(annotation)
    with pytest.raises(TypeError) as refused:
        app.get(f"/{parameter}")(handler)
    assert str(refused.value).startswith(f"{describe(handler)} takes key as ")
    assert fix in str(refused.value)


NOT_FIRST = "takes the request as 'key', which is a parameter of /<key>: write (request, key)"
MISTAKEN = [
    (lambda request, number: "", "takes 'number', which is not a parameter of /<key>, which has key"),
    (lambda request, key, page: "", "takes 'page', which is not a parameter of /<key>, which has key"),
    (lambda request, *, page: "", "takes 'page', which is not a parameter of /<key>, which has key"),
    (lambda key, request: "", NOT_FIRST),
    (lambda key: "", NOT_FIRST),
    (lambda: "", "takes (), but is called with (request)"),
    (lambda request, key, /: "", "takes (request, key), but is called with (request)"),
    (lambda **params: "", "takes (params), but is called with (request)"),
]


@dataclass
class Order:
    lamp: str


class Customer(Struct):
    name: str


def order(body: Order): ...
def named_order(body: "Order"): ...
def customer(customer: Customer): ...
def number(key: int): ...
def text(key: str): ...
def both(request, body: Order): ...


FIRST = "and the first argument is the request"
IF_PARAMETER = "if the path has a parameter <key>; a field of the query is request.args['key']"
MISTAKEN += [
    (order, f"takes body as Order, {FIRST}. Read the body: body = request.json_as(Order)"),
    (named_order, f"takes body as Order, {FIRST}. Read the body: body = request.json_as(Order)"),
    (customer, f"takes customer as Customer, {FIRST}. Read the body: customer = request.json_as(Customer)"),
    (number, f"takes key as int, {FIRST}: write (request, key: int) {IF_PARAMETER}"),
    (text, f"takes key as str, {FIRST}: write (request, key: str) {IF_PARAMETER}"),
    (
        both,
        ("takes 'body', which is not a parameter of /<key>, which has key."
        " Read the body: body = request.json_as(Order)"),
    ),
]  # fmt: skip


@rows("handler, message", MISTAKEN)
def test_an_argument_that_is_no_parameter_is_an_error(handler, message):
    with pytest.raises(TypeError) as refused:
        App().get("/<key>")(handler)
    assert str(refused.value) == f"{describe(handler)} {message}"


def refuse(request):
    """A hook, which returns no handler."""


async def arefuse(request): ...


@rows("hook, returned", [(refuse, "None"), (arefuse, "a coroutine")])
@pytest.mark.filterwarnings("error")
def test_a_hook_written_as_a_decorator_says_where_a_hook_goes(hook, returned):
    with pytest.raises(TypeError) as refused:
        App().get("/")(hook(lambda request: ""))
    assert str(refused.value) == (
        f"the decorator below the route returned {returned}, not a handler."
        ' If it is a hook, pass it to the route: @app.get("/", before=hook)'
    )


def test_a_route_without_parameters_says_so():
    with pytest.raises(TypeError, match="which is not a parameter of /, which has none"):
        App().get("/")(lambda request, key: "")


@rows(
    "prefix, message",
    [("/<shop>", "takes shop as int, and <shop> gives a str: write <int:shop>"), ("", "not a parameter of /<int")],
)
def test_a_blueprint_s_handlers_are_checked_before_the_first_request(prefix, message):
    app, shop = App(), Blueprint("shop", prefix="/<int:shop>")

    @shop.get("/<int:number>")
    def item(request, shop: int, number: int):
        return ""

    app.register(shop, prefix=prefix)
    with pytest.raises(TypeError, match=message):
        Client(app).get("/7/7")
