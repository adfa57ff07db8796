"""Handlers as people write them, for the tests of reading: each function adds routes to an application."""

import functools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, Literal, TypedDict, TypeVar

import msgspec

from antiphon import Dependency, Redirect, Request, Response, Upload, abort
from antiphon.features import Form, Page
from antiphon.http import BadRequest, Conflict, HTTPError, NotFound

T = TypeVar("T")
GONE = 410
LAMPS: dict[int, "Lamp"] = {}


@dataclass
class Lamp:
    id: int
    name: str


@dataclass
class NewLamp:
    name: str
    room: str | None = None


class Search(TypedDict, total=False):
    q: str
    page: int


@dataclass
class Listed(Generic[T]):
    items: list[T]
    total: int


class Sold(Conflict):
    """A lamp that is not there any more."""


class Store:
    def find(self, number: int) -> Lamp | None:
        return LAMPS.get(number)

    def all(self) -> list[Lamp]:
        return [*LAMPS.values()]

    @property
    def newest(self) -> Lamp:
        return LAMPS[max(LAMPS)]


STORE = Dependency[Store]("store")
store = Store()


# Readers


def plain(request: Request) -> Lamp:
    request.json_as(NewLamp)
    return Lamp(1, "")


def alias(req: Request) -> Lamp:
    r = req
    return Lamp(1, r.json_as(NewLamp).name)


def reader_as_value(request: Request) -> Lamp:
    read = request.json_as
    return Lamp(1, read(NewLamp).name)


def helper(request: Request) -> Lamp:
    return Lamp(1, new_lamp(request).name)


def new_lamp(request: Request) -> NewLamp:
    return request.json_as(NewLamp)


def helper_given_type(request: Request) -> Lamp:
    return Lamp(1, read_as(request, NewLamp).name)


def read_as(request: Request, kind: type[T]) -> T:
    return request.json_as(kind)


def factory(kind: type[Any]) -> Any:
    def create(request: Request) -> Lamp:
        return Lamp(1, request.json_as(kind).name)

    return create


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def inner(request: Request, **params: Any) -> Any:
        if "x-key" not in request.headers:
            abort(401)
        return function(request, **params)

    return inner


def unwrapped(function: Any) -> Any:
    def inner(request: Request, **params: Any) -> Any:
        return function(request, **params)

    return inner


class Views:
    kind = NewLamp

    def create(self, request: Request) -> Lamp:
        return Lamp(1, request.json_as(self.kind).name)

    def __call__(self, request: Request) -> Lamp:
        return self.create(request)


def partially(kind: type[NewLamp], request: Request) -> Lamp:
    return Lamp(1, request.json_as(kind).name)


def in_nested_function(request: Request) -> Lamp:
    def read() -> NewLamp:
        return request.json_as(NewLamp)

    return Lamp(1, read().name)


async def awaited(request: Request) -> Lamp:
    await request.aload()
    return Lamp(1, (await aread(request)).name)


async def aread(request: Request) -> NewLamp:
    return request.json_as(NewLamp)


def either_type(request: Request) -> Lamp:
    kind = NewLamp if request.args.get("new") else Lamp
    return Lamp(1, request.json_as(kind).name)


def typed_query(request: Request) -> list[Lamp]:
    request.args_as(Search)
    return []


def typed_form(request: Request) -> Lamp:
    return Lamp(1, request.form_as(NewLamp).name)


def form_shown_again(request: Request):
    form = Form(NewLamp, request)
    if form.validate():
        return Response.redirect("/")
    return Page("new.html", form=form), form.status


def fields_by_name(request: Request) -> None:
    request.form["name"]
    request.form.getall("tags")
    request.files["picture"]
    request.cookies.get("visits", 0, type=int)
    request.headers["x-key"]
    request.args.get("page", 1, type=int)


def any_json(request: Request) -> None:
    request.json["name"]


def raw(request: Request) -> None:
    len(request.body)


# Answers


def by_dependency(request: Request, number: int):
    found = request[STORE].find(number)
    if found is None:
        abort(404, "There is no such lamp.")
    return found


def by_mapping(request: Request, number: int):
    return LAMPS.get(number) or abort(404)


def by_subscript(request: Request, number: int):
    return LAMPS[number]


def by_index(request: Request, number: int):
    return HELD[number]


def by_items(request: Request):
    return [lamp for lamp in HELD if lamp.id]


HELD = [Lamp(1, "a")]


def by_walrus(request: Request, number: int):
    if lamp := store.find(number):
        return lamp
    raise NotFound("There is no such lamp.")


def by_method(request: Request):
    return store.all()


def by_property(request: Request):
    return store.newest


def by_comprehension(request: Request):
    return [lamp.name for lamp in store.all()]


def dictionary(request: Request):
    return {"lamps": store.all(), "count": len(LAMPS), "ok": True}


def text(request: Request):
    return f"Hello, {request.ip}"


def stream(request: Request):
    yield "one"


def iterator(request: Request) -> Iterator[str]:
    return iter(["one"])


async def chunks(request: Request) -> AsyncIterator[str]:
    yield "one"


def no_content(request: Request) -> None:
    store.all()


def created(request: Request) -> tuple[Lamp, Literal[201]]:
    return Lamp(1, ""), 201


def created_by_code(request: Request):
    return Lamp(1, ""), 201, {"location": "/lamps/1"}


def created_by_enum(request: Request):
    return Lamp(1, ""), HTTPStatus.CREATED


def status_by_code(request: Request) -> tuple[Lamp, int]:
    return Lamp(1, ""), 201 if LAMPS else 202


def several(request: Request) -> Lamp | tuple[NewLamp, Literal[202]] | None:
    return None


def html(request: Request):
    response = Response.html("<p>")
    response.status = 203
    response.set_cookie("a", "b")
    return response


def emptied(request: Request):
    response = Response.html("<p>")
    response.body = None
    return response


def body_not_known(request: Request):
    return Response(msgspec.json.decode(b'"a"'), content_type="text/csv")


def file(request: Request) -> Response:
    return Response.file("/etc/hostname", content_type="text/csv")


def events(request: Request) -> Response:
    return Response.events([Lamp(1, "Desk")])


def response_of_json(request: Request) -> Response:
    return Response.json(store.all(), 206)


def by_helper(request: Request) -> Response:
    return shown(store.newest)


def shown(lamp: Lamp) -> Response:
    return Response.json(lamp)


def union_with_response(request: Request) -> Lamp | Response:
    return Response.redirect("/", 307) if LAMPS else Lamp(1, "")


def generic(request: Request) -> Listed[Lamp]:
    return Listed([], 0)


# Errors


def raises_own(request: Request) -> None:
    raise Sold("It is sold.")


def raises_status(request: Request) -> None:
    raise HTTPError(418, "No.")


def aborts_by_name(request: Request) -> None:
    abort(GONE, "It is gone.")


def redirects(request: Request) -> None:
    raise Redirect("/elsewhere")


def caught(request: Request) -> Lamp:
    try:
        check()
        return Lamp(1, request.json_as(NewLamp).name)
    except HTTPError:
        return Lamp(0, "")


def raised_again(request: Request) -> None:
    try:
        check()
    except BadRequest as error:
        raise Sold("It is sold.") from error
    except Conflict:
        raise


def check() -> None:
    if not LAMPS:
        raise BadRequest("Not like this.")
    raise Conflict("Not now.")


def raises_made(request: Request) -> None:
    raise problem()


def problem() -> Sold:
    return Sold("It is sold.")


# What can't be told


def type_by_value(request: Request) -> Lamp:
    return Lamp(1, request.json_as(KINDS[request.args["kind"]]).name)


KINDS = {"new": NewLamp}


def result_not_known(request: Request):
    return msgspec.json.decode(b"{}")


def status_not_known(request: Request) -> None:
    abort(int(request.args["status"]))


def kept(request: Request) -> None:
    Context(request).read()


class Context:
    def __init__(self, request: Request) -> None:
        self.request = request

    def read(self) -> NewLamp:
        return self.request.json_as(NewLamp)


def passed_on(request: Request) -> None:
    HELPERS["read"](request)


HELPERS: dict[str, Any] = {"read": new_lamp}


def uploaded(request: Request) -> None:
    file: Upload = request.files["file"]
    file.save("/tmp/file")


made_by_exec: dict[str, Any] = {}
exec("def without_source(request): return 'text'", made_by_exec)
