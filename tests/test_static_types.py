"""What type checkers say of programs: each line that ends with "# wrong" is an error, and no other line is.

The programs of users in the folder beside this are of seven kinds. Each uses a name that no other program here, or in
examples/, does.
"""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon import App
from tests.helpers.rows import rows

ROOT = Path(__file__).parent.parent
DEPENDENCIES = """
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self, assert_type

from antiphon import Request, env
from antiphon.app.lifespan import Lifespan
from antiphon.app.dispatch.dependencies import Dependencies
from antiphon.request.dependencies import Dependency


class Pool:
    def __enter__(self) -> Self: raise NotImplementedError
    def __exit__(self, *raised: object) -> None: return None


class AsyncPool:
    async def __aenter__(self) -> Pool: raise NotImplementedError
    async def __aexit__(self, *raised: object) -> None: return None


Tenant = Dependency[Pool]("tenant")


class Mine(Request):
    basket = Dependency[int]("basket")


def read(request: Mine, dependencies: Dependencies) -> None:
    assert_type(request[Tenant], Pool)
    assert_type(request.basket, int)
    assert_type(Mine.basket, Dependency[int])
    assert_type(dependencies.read(Tenant, request), Pool)
    request[Tenant] = Pool()
    request.basket = 5
    request[Tenant] = 5  # wrong
    request.basket = "5"  # wrong


Labels = Dependency[list[str]]("labels")


def read_as_more(request: Request) -> Iterable[object]:
    assert_type(sorted(request[Labels]), list[str])
    assert_type(dict.fromkeys(request[Labels]), dict[str, Any | None])
    assert_type(max(request[Labels], key=len), str)
    for label in reversed(request[Labels]): label.upper()
    sorted(request[Tenant])  # wrong
    request["labels"]  # wrong
    request[Labels] = ("a",)  # wrong
    return request[Labels]


def sync(request: Request) -> Pool: raise NotImplementedError
async def waits(request: Request) -> Pool: raise NotImplementedError
def wrong(request: Request) -> int: raise NotImplementedError


def provide(dependencies: Dependencies) -> None:
    dependencies.provide(Tenant, sync)
    dependencies.provide(Tenant, waits, when=lambda request: request.path == "/", default=lambda request: Pool())
    dependencies.provide(Tenant, lambda request: Pool(), blocking=True)
    dependencies.provide(Tenant, wrong)  # wrong
    dependencies.provide(Tenant, opens, when=lambda request: request.path == "/", default=lambda request: Pool())
    dependencies.provide(Tenant, opens_fully, blocking=True)
    dependencies.provide(Tenant, opens_later)
    dependencies.provide(Tenant, opens_later_fully)
    dependencies.provide(Tenant, opens_wrongly)  # wrong
    dependencies.provide(Dependency[Iterator[int]]("numbers"), numbers)
    dependencies.provide(Tenant, sync, when=lambda request: asks(request))  # wrong
    dependencies.provide(Tenant, sync, default=lambda request: waits(request))  # wrong


def opens(request: Request) -> Iterator[Pool]: yield Pool()
def opens_fully(request: Request) -> Generator[Pool, None, None]: yield Pool()
async def opens_later(request: Request) -> AsyncIterator[Pool]: yield Pool()
async def opens_later_fully(request: Request) -> AsyncGenerator[Pool, None]: yield Pool()
def opens_wrongly(request: Request) -> Iterator[int]: yield 1
def numbers(request: Request) -> Iterator[int]: return iter(())
async def asks(request: Request) -> bool: raise NotImplementedError
async def mail(to: str, *, urgent: bool = False) -> None: raise NotImplementedError


def after(request: Request) -> None:
    request.after_response(mail, "ada@example.com", urgent=True)
    request.after_response(lambda: mail("ada@example.com"))
    request.after_response(mail)  # wrong
    request.after_response(mail, 5)  # wrong
    request.after_response(print, "done")

    @request.after_response
    def log() -> None: ...

    log()


def settings() -> None:
    assert_type(env("A"), str | None)
    assert_type(env("A", "x"), str)
    assert_type(env("A", False), bool)
    assert_type(env("A", cast=int), int | None)
    assert_type(env("A", None, cast=str.split), list[str] | None)
    assert_type(env["A"], str)
    env("A", cast=len("x"))  # wrong


def generator() -> Generator[Pool, None, None]: yield Pool()
def iterator() -> Iterator[Pool]: yield Pool()
async def async_generator() -> AsyncGenerator[Pool, None]: yield Pool()
async def async_iterator() -> AsyncIterator[Pool]: yield Pool()
@contextmanager
def manager() -> Iterator[Pool]: yield Pool()
@asynccontextmanager
async def async_manager() -> AsyncIterator[Pool]: yield Pool()
async def coroutine() -> Pool: raise NotImplementedError


def start(lifespan: Lifespan) -> None:
    assert_type(lifespan.add(generator), Dependency[Pool])
    assert_type(lifespan.add(iterator), Dependency[Pool])
    assert_type(lifespan.add(async_generator), Dependency[Pool])
    assert_type(lifespan.add(async_iterator), Dependency[Pool])
    assert_type(lifespan.add(manager), Dependency[Pool])
    assert_type(lifespan.add(async_manager), Dependency[Pool])
    assert_type(lifespan.add(Pool), Dependency[Pool])
    assert_type(lifespan.add(AsyncPool), Dependency[Pool])
    assert_type(lifespan.state(lifespan.add(manager)), Pool)
    lifespan.add(coroutine)  # wrong

    @lifespan.add
    async def pool() -> AsyncIterator[Pool]:
        yield Pool()

    assert_type(pool, Dependency[Pool])
"""

HANDLERS = """
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Concatenate, NoReturn, ParamSpec, TypedDict, TypeVar, assert_type

from antiphon import App, Blueprint, Request, Response
from antiphon.types import ResponseLike
from antiphon.features import Block, Page as TemplatePage, Templates
from pydantic import BaseModel

app = App()
app.use(Templates("templates"))
shop = Blueprint("shop")
P = ParamSpec("P")
R = TypeVar("R", bound=ResponseLike)


@dataclass
class Note: text: str
class Order(BaseModel): number: int
class Named(TypedDict): name: str
class Page:
    def __html__(self) -> str: return ""
class Views:
    def item(self, request: Request, key: int) -> str: return ""
    def __call__(self, request: Request) -> str: return ""


@app.get("/")
def text(request: Request) -> str: return ""
@app.post("/<int:key>")
async def created(request: Request, key: int, *, page: int = 1) -> tuple[Note, int]: return Note(""), 201
@shop.route("/", ["GET", "POST"])
def with_headers(other: Request) -> tuple[dict[str, int], int, dict[str, str]]: return {}, 201, {}
@app.delete("/")
def nothing(request: Request) -> None: ...
@app.put("/")
async def nothing_later(request: Request) -> None: ...
@app.patch("/")
def one_of(request: Request) -> Response | bytes | tuple[str, int]: return b""
@app.query("/")
def listed(request: Request) -> list[Note]: return []
@app.get("/")
def typed(request: Request) -> Named: return {"name": ""}
@app.put("/")
async def of_model(request: Request) -> tuple[Order, int]: return request.json_as(Order), 201
@app.get("/")
def page(request: Request) -> Page: return Page()
@app.get("/")
def of_template(request: Request) -> TemplatePage: return TemplatePage("page.html", text="")
@app.get("/")
async def of_block(request: Request) -> tuple[TemplatePage | Block, int]: return Block("page.html", "main"), 422
@app.get("/")
def with_options(request: Request) -> TemplatePage: return TemplatePage("p", 404, _json=True, status="x", block=1)
@app.get("/")
def at_once(request: Request) -> Response: return Response.template("p", _status=404, _block="m", status="x")
@app.get("/")
def by_dict(request: Request) -> TemplatePage: return TemplatePage("p", {"status": "x"})  # wrong
@app.get("/")
def wrong_option(request: Request) -> Response: return Response.template("p", _status="x")  # wrong
@app.get("/")
def chunks(request: Request) -> Iterator[str]: yield ""
@app.get("/")
async def later_chunks(request: Request) -> AsyncIterator[bytes]: yield b""
@app.get("/")
def refuses(request: Request) -> NoReturn: raise ValueError
@app.get("/")
def unknown(request: Request) -> Any: return 1
@app.get("/")
def anything(request: Request) -> ResponseLike: return ""
app.get("/")(lambda request: request.path)
app.get("/")(Views().item)
app.get("/")(Views())
app.get("/")(partial(created, page=2))


def logged(function: Callable[Concatenate[Request, P], R]) -> Callable[Concatenate[Request, P], R]:
    @wraps(function)
    def called(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return function(request, *args, **kwargs)
    return called


@app.get("/<name>")
@logged
def decorated(request: Request, name: str) -> str: return name


async def call(request: Request) -> None:
    assert_type(text(request), str)
    assert_type(await created(request, 1, page=2), tuple[Note, int])
    assert_type(decorated(request, name=""), str)
    assert_type(request.route.pattern, str)
    text("")  # wrong
    created(request, "")  # wrong


def number(request: Request) -> int: return 1
async def number_later(request: Request) -> int: return 1
def without_request(key: int) -> str: return ""
def without_arguments() -> str: return ""
def perhaps(request: Request) -> str | None: return None
def no_status(request: Request) -> tuple[str, str]: return "", ""
def a_set(request: Request) -> set[str]: return set()
def numbers(request: Request) -> Iterator[int]: yield 1


app.get("/")(number)  # wrong
app.get("/")(number_later)  # wrong
app.post("/")(without_request)  # wrong
app.route("/", ["PUT"])(without_arguments)  # wrong
shop.get("/")(perhaps)  # wrong
app.get("/")(no_status)  # wrong
app.get("/")(a_set)  # wrong
app.get("/")(numbers)
app.get("/")(lambda request: 5)  # wrong


@app.before_request
def before(request: Request) -> Response | None: return None
@app.before_request(blocking=True)
async def before_later(request: Request) -> None: ...
@app.after_request
def after(request: Request, response: Response) -> None: ...


assert_type(before(Request.blank()), Response | None)
app.before_request(number)  # wrong
app.after_request(before)  # wrong
"""

ERROR_HANDLERS = """
from typing import Any, NoReturn, assert_type

from antiphon import App, Blueprint, HTTPError, Request, Response
from antiphon.types import ResponseLike
from antiphon.http import NotFound

app = App()
shop = Blueprint("shop")
class SoldOut(Exception): sku = ""


@app.errorhandler(SoldOut)
def sold_out(request: Request, error: SoldOut) -> tuple[str, int]: return error.sku, 409
@shop.errorhandler(SoldOut)
async def of_any(request: Request, error: Exception) -> dict[str, str]: return {}
@app.errorhandler(KeyError)
@app.errorhandler(IndexError)
def one_of(request: Request, error: KeyError | IndexError) -> Response | str: return str(error.args)
@app.errorhandler(404)
@app.errorhandler(SoldOut)
@app.errorhandler(NotFound)
async def stacked(request: Request, error: Exception) -> str: return ""
@app.errorhandler(404)
def missing(request: Request, error: HTTPError) -> dict[str, str | None]: return {"detail": error.detail}
@app.errorhandler(500)
def failed(request: Request, error: Exception) -> tuple[str, int]: return "", 500
@app.errorhandler(410)
def nothing(request: Request, error: HTTPError) -> None: ...
@app.errorhandler(410)
async def nothing_later(request: Request, error: HTTPError) -> None: ...
@app.errorhandler(SoldOut)
def refuses(request: Request, error: SoldOut) -> NoReturn: raise ValueError
@app.errorhandler(SoldOut)
def unknown(request: Request, error: Any) -> Any: ...
@app.errorhandler(SoldOut)
def anything(request: Request, error: SoldOut) -> ResponseLike: return ""
app.errorhandler(SoldOut)(lambda request, error: (error.sku, 409))
app.errorhandler(404)(lambda request, error: error.detail or "")


async def call(request: Request) -> None:
    assert_type(sold_out(request, SoldOut()), tuple[str, int])
    assert_type(await stacked(request, SoldOut()), str)


def of_keys(request: Request, error: KeyError) -> str: return ""
def of_found(request: Request, error: NotFound) -> str: return ""
def of_http(request: Request, error: HTTPError) -> str: return ""
def of_status(request: Request, error: int) -> str: return ""
def without_error(request: Request) -> str: return ""
def perhaps(request: Request, error: Exception) -> str | None: return None
def number(request: Request, error: Exception) -> int: return 1
async def number_later(request: Request, error: Exception) -> int: return 1


app.errorhandler(SoldOut)(of_keys)  # wrong
shop.errorhandler(HTTPError)(of_found)  # wrong
app.errorhandler(404)(of_found)  # wrong
app.errorhandler(404)(of_status)  # wrong
app.errorhandler(500)(of_http)  # wrong
app.errorhandler(404)(without_error)  # wrong
app.errorhandler(404)(perhaps)  # wrong
app.errorhandler(404)(number)  # wrong
app.errorhandler(404)(number_later)  # wrong
app.errorhandler("404")  # wrong
app.errorhandler(str)  # wrong
"""

RESPONSES = """
from typing import Any, Self, assert_type

from antiphon import App, Response
from antiphon.http.headers import HeaderFields
from antiphon.testing import Client, ClientResponse


class Mine(Response):
    @classmethod
    def of(cls, value: object) -> Self: return cls.json({"value": value}, 201)
    def length(self) -> int: return len(self.text)


def make(headers: HeaderFields) -> None:
    assert_type(Response.json({"a": 1}, 201, {"x-a": "b"}, default=str), Response)
    assert_type(Response.json([]).json, Any)
    assert_type(Response.json({"a": 1}).json["a"], Any)
    assert_type(Response.text("", 201, headers), Response)
    assert_type(Response.text("").text, str)
    assert_type(Mine.text("", status=404), Mine)
    assert_type(Mine.json(None), Mine)
    assert_type(Mine.of(5).json, Any)
    assert_type(Response.html("").text.strip(), str)
    Response.json()  # wrong
    Response.json({}, "201")  # wrong
    Response.json({}, mimetype="text/plain")  # wrong
    Response.text(b"")  # wrong
    Response("").text("x")  # wrong
    Response("").text = "x"  # wrong


def test(app: App) -> None:
    assert_type(Client(app).get("/"), ClientResponse)
    assert_type(Client(app).get("/").text, str)
    Client(app).get("/").text()  # wrong
    Client(app).get("/").status_code  # wrong
"""

USERS = """
from collections.abc import Callable, Mapping
from typing import Any, assert_type

from antiphon import App, Dependency, Request
from antiphon.features import Basic, Bearer, SessionLogin, Users
from antiphon.testing import AsyncClient, Client, ClientSession

app = App()
class Member: id = 0
Who = Dependency[Member | None]("who")
Known = Dependency[Member]("known")


async def by_token_later(token: str) -> Member | None: return None
def by_token(token: str) -> Member | None: return None
async def always(token: str) -> Member: raise NotImplementedError
async def by_password_later(name: str, password: str) -> Member | None: return None
def by_password(name: str, password: str) -> Member | None: return None
def by_number(number: int) -> Member | None: return None
def number_of(member: Member) -> int: return 1


assert_type(Bearer(by_token_later), Bearer[Member])
assert_type(Bearer(by_token), Bearer[Member])
assert_type(Bearer(always), Bearer[Member])
assert_type(Basic(by_password_later, realm="Shop"), Basic[Member])
assert_type(Basic(by_password), Basic[Member])
assert_type(SessionLogin(by_token_later, key=lambda member: str(member.id)), SessionLogin[Member])
assert_type(SessionLogin(by_token), SessionLogin[Member])
app.use(Users(Bearer(by_token_later), Basic(by_password), SessionLogin(always), dependency=Who))
app.use(Users(Bearer(by_token_later), dependency=Who, required=Known))
Users(Bearer(by_token), required=Who)  # wrong
Users(Bearer(by_token), dependency=Known)  # wrong
app.use(Users(SessionLogin(by_token_later)))
Bearer(by_number)  # wrong
Bearer(by_password_later)  # wrong
Basic(by_token)  # wrong
SessionLogin(by_token, key=number_of)  # wrong


def read(request: Request) -> None:
    assert_type(request[Who], Member | None)
    assert_type(request.route.handler, Callable[..., object] | None)
    assert_type(request[Known].id, int)
    request[Who].id  # wrong
    request.route.handler.public  # wrong


def test(member: Member) -> None:
    with app.override(Known, member) as given, app.override(Who, source=find), app.override(Request.user, "ada"):
        assert_type(given, Member)
    app.override(Known, None)  # wrong
    app.override(Known)  # wrong
    app.override(Known, member, source=find)  # wrong
    app.override(Known, source=by_number)  # wrong
    client = Client(app)
    client.login(member)
    assert_type(client.session, ClientSession)
    with client.session as session: session["cart"] = [1]
    AsyncClient(app).login(member)
    client.session["cart"] = 1  # wrong


async def find(request: Request) -> Member | None: return None
"""

UPLOADS = """
from csv import DictReader, reader
from io import TextIOWrapper
from shutil import copyfileobj
from sys import stdout

from antiphon import Request


def read(request: Request) -> None:
    upload = request.files["file"]
    for row in reader(TextIOWrapper(upload, encoding="utf-8", newline="")): row[0].upper()
    for record in DictReader(TextIOWrapper(upload)): record["town"]
    with TextIOWrapper(upload) as text: text.read().upper()
    copyfileobj(upload, stdout.buffer)
    reader(upload)  # wrong
"""

MIDDLEWARE = """
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import assert_type

from antiphon import App, Request, Response
from antiphon.types import ResponseLike

app = App()


@app.middleware
def timing(request: Request) -> Generator[None, Response, None]:
    response = yield
    assert_type(response, Response)
    response.headers["server-timing"] = "app"


@app.middleware
def doorkeeper(request: Request) -> Generator[None, Response, Response | None]:
    if "authorization" not in request.headers:
        return Response("Who are you?", 401)
    response = yield
    return Response.redirect("/") if response.status == 404 else None


@app.middleware(blocking=True, loads_body=True)
def anything(request: Request) -> Generator[None, Response, ResponseLike | None]:
    yield
    return "instead", 200


@app.middleware
async def stamped(request: Request) -> AsyncGenerator[None, Response]:
    response = yield
    assert_type(response, Response)


@app.middleware(before_routing=True)
async def maintenance(request: Request) -> AsyncGenerator[tuple[str, int] | None, Response]:
    if request.path == "/shop":
        yield "Back in a minute.", 503
        return
    yield None


def numbers(request: Request) -> Generator[None, Response, int]:
    yield
    return 1
def no_request() -> Generator[None, Response, None]: yield
def function(request: Request) -> None: ...
async def coroutine(request: Request) -> None: ...


app.middleware(numbers)  # wrong
app.middleware(no_request)  # wrong
app.middleware(function)  # wrong
app.middleware(coroutine)  # wrong
"""

EXTENSION = """
from typing import Any, assert_type

from antiphon import App, Blueprint, Request, RouteKey, explained
from antiphon.cli import load_app
from antiphon.features import HealthCheck, Templates

FLAG = RouteKey[str]("flag")
COUNT = RouteKey[int]("count")
app = App()
beta = Blueprint("beta", meta={FLAG: "beta"})


@beta.get("/", meta={FLAG: "new", COUNT: 2})
def index(request: Request) -> str: return request.route.meta[FLAG]


@app.before_request
def check(request: Request) -> None:
    assert_type(request.route.meta[COUNT], int)
    assert_type(request.route.meta.get(FLAG), str | None)
    assert_type(request.route.meta.get(FLAG, 0), str | int)
    request.route.meta[COUNT].upper()  # wrong
    request.route.meta["flag"]  # wrong
    request.route.meta[FLAG] = "x"  # wrong


async def answers() -> bool: return True


def install(app: App) -> None:
    assert_type(app.find_feature(Templates), Templates | None)
    assert_type(app.features, tuple[object, ...])
    assert_type(load_app("shop:app"), App)
    assert_type(explained("flags.unknown-flag", LookupError("no")), LookupError)
    app.use(HealthCheck(answers, name="database"))
    Blueprint("shop").use(HealthCheck(answers))  # wrong
    Blueprint("shop").use(Templates("templates", overridable=True))


app.get("/", meta={"flag": "x"})  # wrong
"""

MICRODOT = """
from typing import assert_type

from antiphon.dialects.microdot import Microdot, Request, Response

app = Microdot()


@app.get("/")
async def index(request: Request) -> str: return ""
@app.route("/<int:key>", methods=["POST"])
def item(request: Request, key: int) -> tuple[str, int]: return "", 201
@app.errorhandler(404)
def missing(request: Request) -> str: return ""
@app.before_request
def before(request: Request) -> None: ...


async def call(request: Request) -> None:
    assert_type(await index(request), str)
    assert_type(item(request, 1), tuple[str, int])
    assert_type(missing(request), str)
    item(request, "1")  # wrong
"""

TYPED = """
from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict, TypeVar, assert_type

from antiphon import HTTPError, Request, abort
from antiphon.features import Form
from antiphon.http import FieldProblem, MethodNotAllowed, UnprocessableContent

T = TypeVar("T")


@dataclass
class Order: id: int
class Named(TypedDict): name: str


def read(request: Request) -> None:
    assert_type(request.json_as(Order), Order)
    assert_type(request.json_as(Named), Named)
    assert_type(request.json_as(list[Order]), list[Order])
    assert_type(request.json_as(Order | None), Order | None)
    assert_type(request.json_as(list[Order] | dict[str, Named | None]), list[Order] | dict[str, Named | None])
    assert_type(request.json_as(Annotated[int, "a size"]), int)
    assert_type(request.json_as(Literal["a", "b"]), Literal["a", "b"])
    assert_type(request.json_as(None), None)
    assert_type(request.form_as(Order), Order)
    assert_type(request.args_as(Named), Named)
    request.json_as("Order of tea")  # wrong
    request.json_as(5)  # wrong
    request.form_as(5)  # wrong


def read_any(request: Request, wanted: type[T]) -> T:
    return request.json_as(wanted)


def fill_in(request: Request) -> Order | None:
    form = Form(Order, request, initial=Order(7))
    form.validate(lambda order, form: form.add_error("id", f"{order.id} is taken"))
    form.validate(lambda order, form: order.name)  # wrong
    assert_type(form.data, Order)
    return form.data if form.is_valid else None


def wrong_fields(error: HTTPError) -> dict[str, str]:
    assert_type(error.errors, list[FieldProblem])
    UnprocessableContent("one field is wrong", members={"errors": [{"pointer": "/name", "detail": "is taken"}]})
    UnprocessableContent("one field is wrong", errors=[])  # wrong
    HTTPError(418, "There is only tea.", headers={"x-tea": "green"})
    HTTPError(418, "There is only tea.", header={"x-tea": "green"})  # wrong
    MethodNotAllowed("no", allow=["GET"], members={"by": "ada"})
    if error.status == 429:
        abort(429, "Slow down.", retry_after=5)
    if error.status == 404:
        abort(404, description="There is no such order.")  # wrong
    error.errors[0]["dependency"]  # wrong
    assert_type(error.errors[0].get("max"), float | None)
    return {each["pointer"]: each["detail"] for each in error.errors}
"""

LINKS = """
from functools import wraps
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, assert_type
from uuid import UUID

from antiphon import App, Request, Response

app = App()
P = ParamSpec("P")
R = TypeVar("R")


@app.get("/")
def index(request: Request) -> str: return ""
@app.get("/lamps/<int:number>")
def show(request: Request, number: int) -> str: return ""
@app.get("/lamps/<uuid:key>/<name>")
async def part(other: Request, key: UUID, *, name: str) -> Response: return Response()
@app.get("/list", defaults={"page": 1})
def listed(request: Request, page: int = 1) -> None: return None
class Views:
    def item(self, request: Request, number: int) -> str: return ""
    def __call__(self, request: Request, number: int) -> str: return ""


def logged(function: Callable[Concatenate[Request, P], R]) -> Callable[Concatenate[Request, P], R]:
    @wraps(function)
    def called(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return function(request, *args, **kwargs)
    return called


@app.get("/logged/<int:number>")
@logged
def decorated(request: Request, number: int) -> str: return ""
def no_handler(number: int) -> str: return ""


def link(request: Request, views: Views, key: UUID) -> None:
    assert_type(request.url_for(show, number=7), str)
    assert_type(app.url_for(show, number=7), str)
    for url_for in (request.url_for, app.url_for):
        url_for(index)
        url_for(show, 7)
        url_for(part, key, name="shade")
        url_for(listed)
        url_for(listed, page=2)
        url_for(views.item, number=7)
        url_for(views, number=7)
        url_for(decorated, number=7)
        url_for("show", number="7", page=2)
        url_for("show", number=7, _expires=60, _method="GET")
        url_for(show, number=7, _expires=60)
        url_for(show, number=7, _method="GET")
        url_for(index, number=7)  # wrong
        url_for(show)  # wrong
        url_for(show, number="7")  # wrong
        url_for(show, nummer=7)  # wrong
        url_for(show, number=7, page=2)  # wrong
        url_for(part, key=7, name="shade")  # wrong
        url_for(views.item, number="7")  # wrong
        url_for(views)  # wrong
        url_for(decorated, number="7")  # wrong
        url_for(no_handler, number=7)  # wrong
        url_for("show", 7)  # wrong
        url_for(7)  # wrong
    request.url_for(show, number=7, _absolute=True)
    request.url_for("show", number=7, _absolute="yes")  # wrong
    app.url_for(show, number=7, _mounted_at="/shop")
"""

WEBSOCKETS = """
from dataclasses import dataclass
from typing import assert_type

from antiphon import App, BlockingWebSocket, Blueprint, Limits, Request, WebSocket, WebSocketClosed
from antiphon.testing import Client


@dataclass
class Move:
    x: int


app, shop = App(), Blueprint("shop")


@app.websocket("/rooms/<int:number>", subprotocols=["chat.v2"], limits=Limits(message=64 << 10), idle_timeout=60)
async def room(request: Request, socket: WebSocket, number: int) -> None:
    async for message in socket:
        assert_type(message, str | bytes)
    async for move in socket.values(Move):
        assert_type(move, Move)
        await socket.send(move)
    assert_type(await socket.receive(), str | bytes)
    assert_type(await socket.receive_as(Move), Move)
    assert_type(await socket.receive_as(Move | None), Move | None)
    assert_type(socket.closed, WebSocketClosed | None)
    await socket.close(4000, "done")
    await socket.close("done")  # wrong


@shop.websocket("/live")
def live(request: Request, socket: BlockingWebSocket) -> None:
    for message in socket:
        assert_type(message, str | bytes)
    for move in socket.values(Move):
        assert_type(move, Move)
        socket.send(move)
    assert_type(socket.receive(), str | bytes)
    assert_type(socket.receive_as(Move), Move)
    assert_type(socket.receive_as(Move | None), Move | None)
    assert_type(socket.closed, WebSocketClosed | None)
    socket.close(4000, "done")
    socket.close("done")  # wrong


@app.websocket("/unannotated")
def unannotated(request, socket):  # type: ignore[no-untyped-def]
    socket.send("text")


@app.websocket("/blocks")  # wrong
async def blocks(request: Request, socket: BlockingWebSocket) -> None: ...


@app.websocket("/awaits")  # wrong
def awaits(request: Request, socket: WebSocket) -> None: ...


@app.websocket("/")  # wrong
def no_socket(request: Request) -> None: ...


@app.websocket("/", subprotocol="chat")  # wrong
async def unknown_option(request: Request, socket: WebSocket) -> None: ...


def test() -> None:
    with Client(app).websocket("/rooms/7", subprotocols=["chat.v2"], origin=None) as socket:
        assert_type(socket.receive(), str | bytes)
        assert_type(socket.receive_as(Move), Move)
"""

NATIVE = """
from collections.abc import MutableMapping
from typing import Any, assert_type

from antiphon import Request, view


class User:
    id = 0
    @property
    def is_authenticated(self) -> bool: return True


class HttpRequest:
    user: User


@view(methods=["GET", "POST"], interface="auto")
def show(request: Request, number: int) -> dict[str, object]:
    native = request.framework
    assert_type(native.user_as(User), User | None)
    assert_type(native.user_as(str), str | None)
    assert_type(native.request_as(HttpRequest), HttpRequest)
    assert_type(native.request_as(HttpRequest).user.id, int)
    assert_type(native.session, MutableMapping[str, Any] | None)
    assert_type(native.csrf_token, str | None)
    native.user_as(User).id  # wrong
    native.user_as("User")  # wrong
    native.session["seen"] = True  # wrong
    native.csrf_token.upper()  # wrong
    native.token  # wrong
    return {}
"""

FRAMEWORKS = """
from typing import assert_type

from aiohttp import web
from flask import Request as FlaskRequest
from starlette.authentication import SimpleUser
from starlette.requests import Request as StarletteRequest

from antiphon import Request


def show(request: Request) -> None:
    native = request.framework
    assert_type(native.user_as(SimpleUser), SimpleUser | None)
    assert_type(native.request_as(StarletteRequest).client_host, str)  # wrong
    assert_type(native.request_as(FlaskRequest).blueprint, str | None)
    assert_type(native.request_as(web.Request), web.Request)
"""

PROGRAMS = {
    "native": NATIVE,
    "links": LINKS,
    "typed": TYPED,
    "dependencies": DEPENDENCIES,
    "handlers": HANDLERS,
    "middleware": MIDDLEWARE,
    "extension": EXTENSION,
    "antiphon_flags": (ROOT / "examples/feature_flags/antiphon_flags/__init__.py").read_text(),
    "microdot_app": MICRODOT,
    "error_handlers": ERROR_HANDLERS,
    "users": USERS,
    "responses": RESPONSES,
    "uploads": UPLOADS,
    "websockets_app": WEBSOCKETS,
}
WRONG = {
    (f"{name}.py", number)
    for name, program in PROGRAMS.items()
    for number, line in enumerate(program.splitlines(), 1)
    if line.endswith("# wrong")
}


def output(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False).stdout


def found_by_mypy(folder):
    """The files and lines of mypy's errors, with what it says."""
    pytest.importorskip("mypy")
    options = ("--strict", "--no-error-summary", "--hide-error-context", "--no-pretty", "--output=json")
    lines = output(sys.executable, "-m", "mypy", *options, *folder.iterdir()).splitlines()
    errors = [error for error in map(json.loads, lines) if error["severity"] == "error"]
    return {(Path(error["file"]).name, error["line"]): error["message"] for error in errors}


def found_by_pyright(folder):
    """The files and lines of pyright's errors, with what it says."""
    pytest.importorskip("pyright")
    said = output(sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", folder)
    errors = [error for error in json.loads(said)["generalDiagnostics"] if error["severity"] == "error"]
    return {(Path(error["file"]).name, error["range"]["start"]["line"] + 1): error["message"] for error in errors}


USERS_PROGRAMS = sorted((ROOT / "tests/static_types").glob("*.py"))


@pytest.mark.once
@rows("path", USERS_PROGRAMS, ids=lambda path: path.stem)
def test_programs_of_users_run_and_have_no_cast(path):
    assert re.findall(r"\bcast\(|\bAny\b|type: ignore|pyright:", path.read_text()) == []
    module = importlib.import_module(f"tests.static_types.{path.stem}")
    assert module.PROGRAMS
    for program in module.PROGRAMS if path.stem != "http_library" else [module.use]:
        app = program()
        if isinstance(app, App):
            app._freeze()


@pytest.mark.processes
@pytest.mark.once
@pytest.mark.parametrize("checker", [found_by_mypy, found_by_pyright])
def test_type_checkers_find_what_is_wrong_and_nothing_else(tmp_path, checker):
    for name, program in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(program)
    for path in USERS_PROGRAMS:
        (tmp_path / path.name).write_text(path.read_text())
    found = checker(tmp_path)
    assert found.keys() == WRONG, {line: message for line, message in found.items() if line not in WRONG}


@pytest.mark.processes
@pytest.mark.once
@pytest.mark.parametrize("checker", [found_by_mypy, found_by_pyright])
def test_type_checkers_know_the_requests_and_users_of_frameworks(tmp_path, checker):
    for package in ("aiohttp", "flask", "starlette"):
        pytest.importorskip(package)
    (tmp_path / "frameworks.py").write_text(FRAMEWORKS)
    lines = enumerate(FRAMEWORKS.splitlines(), 1)
    assert checker(tmp_path).keys() == {("frameworks.py", number) for number, line in lines if "# wrong" in line}
