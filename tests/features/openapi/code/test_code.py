"""The statements and expressions of handlers: each small handler is code as people write it, and what is read in it.

Where the code can't be told, the document has to say so, with the file and the line.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache, wraps
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from antiphon import App, Request, abort
from antiphon.features import OpenAPI
from antiphon.http import BadRequest, Conflict, HTTPError
from antiphon.testing import Client
from tests.features.openapi.code.test_reading import JSON, LAMP, contract_of, given, taken
from tests.features.openapi.handlers import HELD, Lamp, NewLamp, Store, store
from tests.helpers.rows import rows

LIMITS = {"name": "lamps", "most": 3}

# Statements


def matched(request: Request):  # noqa: RET503
    match request.args["kind"]:
        case "new":
            request.json_as(NewLamp)
            return "made", 201
        case "old" | "gone":
            raise Conflict("It is gone.")
        case _:
            abort(400, "There is no such kind.")


def annotated(request: Request):
    found: Lamp
    found = store.newest
    many: list[Lamp] = msgspec.json.decode(b"[]")
    return {"found": found, "many": many}


@asynccontextmanager
async def opened() -> AsyncIterator[Store]:
    yield store


async def async_with(request: Request):
    async with opened() as lamps:
        return lamps.find(1) or abort(404, "There is no such lamp.")


def check(request: Request) -> None:
    if request.args.get("bad"):
        raise BadRequest("It is bad.")
    raise Conflict("It is taken.")


def last_named(request: Request):
    last = store.newest
    for lamp in store.all():
        if not lamp.name:
            continue
        if lamp.id == request.args.get("until", 0, type=int):
            break
        last = lamp
    return last


def bare_except(request: Request):
    try:
        check(request)
    except:  # noqa: E722
        return "caught"


def several_kinds(request: Request):
    try:
        check(request)
    except (BadRequest, Conflict) as error:
        return {"why": str(error)}, 202


def deleted(request: Request):
    lamp = store.newest
    del lamp
    return "gone"


# Expressions


def dict_field(request: Request):
    row = {"lamp": store.newest, "ok": True}
    return row["lamp"]


def dict_of_type(request: Request) -> None:
    request.json_as(dict[str, NewLamp])


def unpacked(request: Request):
    first, *others = store.all()
    return {"first": first, "others": others}


def type_or_text(request: Request) -> None:
    request.json_as(NewLamp | "Lamp")


def type_of_no_generic(request: Request) -> None:
    request.json_as(NewLamp["Lamp"])


def held_missing(request: Request):
    return LIMITS["missing"]


def property_of_class(request: Request):
    return Store.newest


def missing_of_class(request: Request):
    return Store.missing


def either_attribute(request: Request):
    lamp: Lamp | NewLamp = msgspec.json.decode(b"{}")
    return {"name": lamp.name}


def by_methods_of_request(request: Request):
    if request.method in {"PUT", "PATCH"}:
        request.json_as(NewLamp)
    return store.newest


# Calls


def greeting(name, greet="Hello", *others, mark=None):
    return {"greet": greet, "name": name, "mark": mark}


def defaulted_type(request: Request) -> None:
    read_default(request)


def read_default(request: Request, kind=NewLamp, strict: bool | None = None):
    return request.json_as(kind)


def recursive(request: Request) -> str:
    return descend(request, 3)


def descend(request: Request, left: int) -> str:
    request.args["name"]
    return "end" if left == 0 else descend(request, left - 1)


# fmt: off
def too_deep(request: Request) -> str:
    def a(): return b()
    def b(): return c()
    def c(): return d()
    def d(): return e()
    def e(): return f()
    def f(): return g()
    def g(): return h()
    def h(): return i()
    def i(): return j()
    def j(): return k()
    def k(): return m()
    def m(): return request.args["name"]
    return a()
# fmt: on


def nested_too_deeply(request: Request):
    return [
        [[[[[[request.args for _ in HELD] for _ in HELD] for _ in HELD] for _ in HELD] for _ in HELD] for _ in HELD]
        for _ in HELD
    ]


def cached(function: Callable[..., Any]) -> Any:
    """Keep what a handler answers, as a decorator of people's own does."""
    kept: dict[str, Any] = {}

    @wraps(function)
    def inner(request: Request, **params: Any):
        key = request.headers["x-key"]
        if key not in kept:
            kept[key] = function(request, **params)
        return msgspec.json.decode(kept[key])

    return inner


def raises_status_not_known(request: Request) -> None:
    raise HTTPError(int(request.args["status"]), "No.")


def raises_what_is_not_known(request: Request) -> None:
    raise msgspec.json.decode(b"1")


class NotSetUp:
    def __get__(self, held: Any, owner: type) -> str:
        raise RuntimeError("the settings are not loaded")


class Settings:
    url = NotSetUp()


def settings_not_loaded(request: Request):
    return Settings.url


WRITES = ("POST", "PUT")


def method_in_names(request: Request):
    if request.method in WRITES:
        return request.json_as(NewLamp).name
    return store.newest


def searched_in_inner_loop(request: Request):
    for _ in store.all():
        while request.args.get("again"):
            break
    abort(404, "There is no such lamp.")


def matched_with_guard(request: Request):
    match request.args["kind"]:
        case kind if kind == request.cookies.get("kind"):
            return "mine"
    return store.newest


READ = [
    (method_in_names, "json NewLamp", "200 text/plain str"),
    (
        lambda request: {"some": store.all()[:3], "letters": "abc"[1:], "names": ["a", "b"][:1], "held": HELD[:2]},
        "",
        f"{JSON} {{some: list[Lamp], letters: str, names: [str], held: [Lamp]}}",
    ),
    (searched_in_inner_loop, "query again?", "404 There is no such lamp."),
    (matched_with_guard, "query kind, cookie kind?", f"200 text/plain str, {LAMP}"),
    (matched, "json NewLamp, query kind", "201 text/plain str, 409 It is gone., 400 There is no such kind."),
    (annotated, "", f"{JSON} {{found: Lamp, many: list[Lamp]}}"),
    (async_with, "", f"{LAMP}, 404 There is no such lamp."),
    (last_named, "query until?", LAMP),
    (bare_except, "query bad?", "200 text/plain str"),
    (several_kinds, "query bad?", "202 application/json {why: str}"),
    (deleted, "", "200 text/plain str"),
    (lambda request: [store.newest][0], "", LAMP),
    (lambda request: {**vars(store), "name": "a"}, "", f"{JSON} dict[str, typing.Any]"),
    (unpacked, "", f"{JSON} {{first: Lamp, others: [Lamp]}}"),
    (
        lambda request: {"least": -1, "most": +LIMITS["most"], "none": not HELD},
        "",
        f"{JSON} {{least: int, most: int, none: bool}}",
    ),
    (
        lambda request: {"half": 1 / 2, "sum": 1 + 2.5, "text": "%s" % request.ip, "all": 2 * 3},  # noqa: UP031
        "",
        f"{JSON} {{half: float, sum: float, text: str, all: int}}",
    ),
    (either_attribute, "", f"{JSON} {{name: str}}"),
    (lambda request: store.newest if request.method == "POST" else "none", "", LAMP),
    (by_methods_of_request, "json NewLamp", LAMP),
    (lambda request: store.find(1) or {"name": "none"}, "", f"{LAMP}, {JSON} {{name: str}}"),
    (lambda request: sorted(store.all(), key=lambda lamp: lamp.name), "", f"{JSON} list[Lamp]"),
    (lambda request: greeting("Ann"), "", f"{JSON} {{greet: str, name: str, mark: }}"),
    (defaulted_type, "json NewLamp", "204"),
    (recursive, "query name", "200 text/plain str"),
]

SAME_TYPE = re.compile(r"\b(\w+) \| \1\b")
NOT_KNOWN = "that is not known before it runs"
UNREAD = [
    (
        nested_too_deeply,
        "reading it failed: RuntimeError: its loops or its values are nested too deeply",
        "def nested_too_deeply(request: Request):",
    ),
    (too_deep, "it calls code that can't be read", 'def m(): return request.args["name"]'),
    (type_or_text, f"request.json_as(NewLamp | 'Lamp') reads a type {NOT_KNOWN}", 'request.json_as(NewLamp | "Lamp")'),
    (
        type_of_no_generic,
        f"request.json_as(NewLamp['Lamp']) reads a type {NOT_KNOWN}",
        'request.json_as(NewLamp["Lamp"])',
    ),
    (
        held_missing,
        "`return LIMITS['missing']` returns a value that is not known before it runs",
        'return LIMITS["missing"]',
    ),
    (
        property_of_class,
        "`return Store.newest` returns a value that is not known before it runs",
        "return Store.newest",
    ),
    (
        missing_of_class,
        "`return Store.missing` returns a value that is not known before it runs",
        "return Store.missing",
    ),
    (
        raises_status_not_known,
        f"HTTPError is raised with a status {NOT_KNOWN}",
        'raise HTTPError(int(request.args["status"]), "No.")',
    ),
    (
        raises_what_is_not_known,
        "`raise msgspec.json.decode(b'1')` raises an unknown exception",
        'raise msgspec.json.decode(b"1")',
    ),
    (
        settings_not_loaded,
        "`return Settings.url` returns a value that is not known before it runs",
        "return Settings.url",
    ),
]


@rows("handler, takes, gives", READ)
def test_what_a_handler_does_is_read_in_its_statements_and_expressions(handler: Any, takes: str, gives: str) -> None:
    contract = contract_of(handler)
    assert (taken(contract), SAME_TYPE.sub(r"\1", given(contract))) == (takes, gives)
    assert contract.unread == []


@rows("handler, text, line", UNREAD, ids=[each[0].__name__ for each in UNREAD])
def test_code_that_cannot_be_told_is_reported_where_it_is(handler: Any, text: str, line: str) -> None:
    (unread,) = contract_of(handler).unread
    assert (unread.text, unread.place.file) == (text, __file__)
    assert Path(__file__).read_text("utf-8").splitlines()[unread.place.line - 1].strip() == line


def test_what_a_decorator_takes_and_what_the_decorated_handler_answers_are_both_read() -> None:
    contract = contract_of(cached(dict_of_type))
    assert taken(contract) == "json dict[str, NewLamp], header x-key"
    assert given(contract_of(cached(dict_field))) == LAMP


def test_a_handler_in_c_is_reported_and_the_rest_is_there() -> None:
    app = App()
    app.get("/ip", name="ip")(attrgetter("ip"))
    app.get("/lamp")(dict_field)
    app.use(OpenAPI("Lamps"))
    app.get("/checked", before=attrgetter("ip"))(dict_field)
    assert [*Client(app).get("/openapi.json").json["paths"]] == ["/checked", "/ip", "/lamp"]
    (unread,) = contract_of(attrgetter("ip")).unread
    assert unread.text == "its source can't be read"


@rows("kind", [tuple[int, ...], tuple[str], tuple[int, int, int, int], tuple])
def test_a_tuple_that_is_no_answer_is_reported(kind: Any) -> None:
    def handler(request: Request): ...

    handler.__annotations__["return"] = kind
    (unread,) = contract_of(handler).unread
    assert unread.text == "a tuple has a status, and perhaps headers"


class Watched:
    """An object whose attributes are made when they are looked at, as those of a proxy for a connection are."""

    looked: list[str] = []  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        self.looked.append(name)
        return self

    def __call__(self) -> str:
        return "a"


watched = Watched()


def calls_watched(request: Request):
    return watched()


def test_an_object_that_is_called_is_not_asked_for_attributes() -> None:
    Watched.looked.clear()  # pytest has looked, too
    assert given(contract_of(calls_watched)) == "200 text/plain str"
    assert Watched.looked == []


def test_a_handler_with_a_cache_is_read() -> None:
    assert given(contract_of(lru_cache(dict_field))) == given(contract_of(dict_field))


def even(request: Request, left: int = 4) -> str:
    if "even" in request.args:
        raise Conflict
    return "even" if left == 0 else odd(request, left - 1)


def odd(request: Request, left: int = 5) -> str:
    if "odd" in request.args:
        raise BadRequest
    return "odd" if left == 0 else even(request, left - 1)


@rows("first, then", [(even, odd), (odd, even)])
def test_functions_that_call_each_other_are_each_read_to_the_end(first: Any, then: Any) -> None:
    app = App()
    app.get("/first")(first)
    app.get("/then")(then)
    app.use(OpenAPI("Lamps"))
    for path in Client(app).get("/openapi.json").json["paths"].values():
        assert {"400", "409"} <= path["get"]["responses"].keys()
        assert {each["name"] for each in path["get"]["parameters"]} == {"even", "odd"}
