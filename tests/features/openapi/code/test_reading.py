"""What is read in the code of handlers: what they take, answer and raise, and what can't be told."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from antiphon import App, Request, Response, abort
from antiphon.embedding import PlannedRoute
from antiphon.features import OpenAPI, RateLimit
from antiphon.features.openapi.code.values import NONE, UNKNOWN, Either, Fields, Items, Known, Of, Stream, Value
from antiphon.features.openapi.contract import Contract, ContractReader
from antiphon.features.openapi.operations import expect
from antiphon.http import HTTPError
from antiphon.testing import Client
from tests.features.openapi import handlers as h
from tests.helpers.rows import rows


def contract_of(
    handler: Any, path: str = "/x", method: str = "POST", app: App | None = None, **options: Any
) -> Contract:
    app = app or App()
    app.route(path, (method,), **options)(handler)
    return ContractReader().read([*PlannedRoute.of(app)][-1], method)


def name_of(kind: Any) -> str:
    return (
        kind.__name__
        if isinstance(kind, type) and not hasattr(kind, "__args__")
        else str(kind).replace(f"{h.__name__}.", "")
    )


def shown(value: Value) -> str:
    match value:
        case Of(kind):
            return name_of(kind)
        case Known(held):
            return name_of(type(held)) if value != NONE else ""
        case Fields(items):
            return "{" + ", ".join(f"{name}: {shown(each)}" for name, each in items) + "}"
        case Items(item, kind):
            return f"{{*: {shown(item)}}}" if kind is dict else f"[{shown(item)}]"
        case Stream(item):
            return f"*{shown(item)}"
        case Either(values):
            return " | ".join(map(shown, values))
    return "?" if value is UNKNOWN else str(value)


def taken(contract: Contract) -> str:
    reads = [f"{each.part} {name_of(each.wanted)}" for each in contract.reads]
    named = [f"{each.part} {each.name or '*'}{'' if each.is_required else '?'}" for each in contract.named]
    return ", ".join(dict.fromkeys([*reads, *named]))


def given(contract: Contract) -> str:
    answers = [" ".join(filter(None, (str(each.status), each.media, shown(each.body)))) for each in contract.responses]
    errors = [f"{status} {each.detail}" for status, failures in contract.failures.items() for each in failures]
    return ", ".join([*answers, *errors])


JSON = "200 application/json"
LAMP = f"{JSON} Lamp"

READ = [
    (h.plain, "json NewLamp"),
    (h.alias, "json NewLamp"),
    (h.reader_as_value, "json NewLamp"),
    (h.helper, "json NewLamp"),
    (h.helper_given_type, "json NewLamp"),
    (h.factory(h.NewLamp), "json NewLamp"),
    (h.wrapped(h.plain), "json NewLamp, header x-key?"),
    (h.unwrapped(h.plain), "json NewLamp"),
    (h.Views().create, "json NewLamp"),
    (h.Views(), "json NewLamp"),
    (partial(h.partially, h.NewLamp), "json NewLamp"),
    (h.in_nested_function, "json NewLamp"),
    (h.awaited, "json NewLamp"),
    (h.either_type, "json NewLamp, json Lamp, query new?"),
    (h.type_by_value, "json NewLamp, query kind"),
    (h.kept, "json NewLamp"),
    (h.typed_query, "query Search"),
    (h.typed_form, "form NewLamp"),
    (h.form_shown_again, "form NewLamp"),
    (
        h.fields_by_name,
        "form Any, form name, form tags?, files *?, files picture, cookie visits?, header x-key, query page?",
    ),
    (h.any_json, "json Any, json name"),
    (h.raw, "raw Any"),
]

GIVEN = [
    (h.plain, LAMP),
    (h.wrapped(h.plain), f"{LAMP}, 401 None"),
    (h.by_dependency, f"{LAMP}, 404 There is no such lamp."),
    (h.by_mapping, f"{LAMP}, 404 None"),
    (h.by_subscript, LAMP),
    (h.by_index, LAMP),
    (h.by_items, f"{JSON} [Lamp]"),
    (h.by_walrus, f"{LAMP}, 404 There is no such lamp."),
    (h.by_method, f"{JSON} list[Lamp]"),
    (h.by_property, LAMP),
    (h.by_comprehension, f"{JSON} [str]"),
    (h.dictionary, f"{JSON} {{lamps: list[Lamp], count: int, ok: bool}}"),
    (h.text, "200 text/plain str"),
    (h.stream, "200 text/plain str"),
    (h.iterator, "200 text/plain str"),
    (h.chunks, "200 text/plain str"),
    (h.no_content, "204"),
    (h.created, "201 application/json Lamp"),
    (h.created_by_code, "201 application/json Lamp"),
    (h.created_by_enum, "201 application/json Lamp"),
    (h.status_by_code, "201 application/json Lamp, 202 application/json Lamp"),
    (h.several, f"{LAMP}, 202 application/json NewLamp"),
    (h.html, "203 text/html str"),
    (h.emptied, "200 text/html"),
    (h.body_not_known, "200 text/csv bytes"),
    (h.file, "200 text/csv bytes"),
    (h.events, "200 text/event-stream *Lamp"),
    (h.response_of_json, "206 application/json list[Lamp]"),
    (h.by_helper, LAMP),
    (h.union_with_response, f"{LAMP}, 307"),
    (h.generic, f"{JSON} Listed[Lamp]"),
    (h.form_shown_again, "303, 200 text/html str, 413 text/html str, 422 text/html str"),
    (h.raises_own, "409 It is sold."),
    (h.raises_status, "418 No."),
    (h.aborts_by_name, "410 It is gone."),
    (h.redirects, "303"),
    (h.caught, LAMP),
    (h.raised_again, "409 It is sold., 409 Not now."),
    (h.raises_made, "409 It is sold."),
]

UNREAD = [
    (
        h.result_not_known,
        "`return msgspec.json.decode(b'{}')` returns a value that is not known before it runs",
        'return msgspec.json.decode(b"{}")',
    ),
    (
        h.status_not_known,
        "abort is given a status that is not known before it runs",
        'abort(int(request.args["status"]))',
    ),
    (
        h.passed_on,
        "HELPERS['read'](...) is given the request, and is not known before it runs",
        'HELPERS["read"](request)',
    ),
]


def ids(cases: list[tuple[Any, str]]) -> list[str]:
    return [getattr(handler, "__qualname__", type(handler).__name__) for handler, _ in cases]


@rows("handler, expected", READ, ids=ids(READ))
def test_what_a_handler_takes_is_read(handler: Any, expected: str) -> None:
    contract = contract_of(handler)
    assert taken(contract) == expected
    assert not [each for each in contract.unread if each.about == "taken"]


class Loud(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise AssertionError("code of a program ran")

    __hash__ = None  # type: ignore[assignment]


@rows(
    "one, other, are_equal",
    ("".join("ab"), "ab", True), (int("1000"), 1000, True), (1, True, False), ([], [], False),
    (Loud("a"), Loud("a"), False),
)  # fmt: skip
def test_only_text_and_numbers_are_compared_by_their_values(one: object, other: object, are_equal: bool) -> None:
    assert (Known(one) == Known(other), len({Known(one), Known(other)})) == (are_equal, 2 - are_equal)


@rows("handler, expected", GIVEN, ids=ids(GIVEN))
def test_what_a_handler_answers_is_read(handler: Any, expected: str) -> None:
    path = "/x/<int:number>" if "number" in getattr(handler, "__annotations__", {}) else "/x"
    contract = contract_of(handler, path)
    assert given(contract) == expected
    assert not contract.unread


@rows("handler, text, line", UNREAD, ids=[each[0].__name__ for each in UNREAD])
def test_what_cannot_be_told_is_reported_with_handler_file_and_line(handler: Any, text: str, line: str) -> None:
    (unread,) = contract_of(handler).unread
    lines = Path(h.__file__).read_text("utf-8").splitlines()
    assert (unread.text, unread.place.file) == (text, h.__file__)
    assert lines[unread.place.line - 1].strip() == line


def test_a_handler_without_source_is_reported_unless_all_of_it_is_declared() -> None:
    handler = h.made_by_exec["without_source"]
    (unread,) = contract_of(handler).unread
    assert str(unread) == "without_source (<string>:1): its source can't be read"
    assert contract_of(handler, takes=h.NewLamp, gives=h.Lamp).unread == []


# What is around a handler


def key_required(request: Request) -> None:
    if request.headers.get("x-key") != "secret":
        abort(403, "The key is wrong.")


def test_hooks_of_a_route_and_of_the_app_count() -> None:
    app = App()
    app.before_request(key_required)
    contract = contract_of(h.no_content, app=app, before=RateLimit("10/minute"))
    assert (taken(contract), given(contract)) == (
        "header x-key?",
        "204, 403 The key is wrong., 429 At most 10 in 60 seconds. Try again in {seconds} seconds.",
    )


def test_middleware_that_answers_counts() -> None:
    app = App()

    @app.middleware
    def maintenance(request: Request) -> Any:
        if request.cookies.get("admin"):
            return "Back soon.", 503
        response = yield
        response.headers["x-served"] = "1"
        return response

    contract = contract_of(h.no_content, app=app)
    contract.apply_changes()
    assert taken(contract) == "cookie admin?"
    assert {each.status for each in contract.responses} == {204, 503}
    assert {each.headers for each in contract.responses} == {("x-served",), ()}


def test_middleware_has_the_last_word_on_a_status_and_passes_on_the_errors_of_the_middleware_around_it() -> None:
    app = App()

    @app.middleware
    def outer(request: Request) -> Any:
        if request.cookies.get("banned"):
            abort(403, "Go away.")
        yield

    @app.middleware
    def inner(request: Request) -> Any:
        response = yield
        response.status = 203

    @app.after_request
    def after(request: Request, response: Response) -> None:
        response.status = 202

    contract = contract_of(lambda request: "text", app=app)
    expect(contract, has_parameters=False, has_hosts=False, refuses_other_sites=False)
    assert {each.status for each in contract.responses} == {203}
    assert set(contract.failures) == {203, 403}


def test_the_errors_of_a_conditional_answer_have_their_handler() -> None:
    app = App()

    @app.errorhandler(412)
    def changed(request: Request, error: HTTPError) -> tuple[str, int]:
        return "It has changed.", 412

    contract = contract_of(lambda request: Response("text").make_conditional(request), "/x", "GET", app)
    (failure,) = contract.failures[412]
    assert [(each.status, each.media) for each in failure.responses] == [(412, "text/plain")]


def test_an_error_is_answered_by_its_handler() -> None:
    class OutOfStock(Exception):
        pass

    def order(request: Request) -> None:
        raise OutOfStock

    app = App()

    @app.errorhandler(OutOfStock)
    def sold_out(request: Request, error: OutOfStock) -> tuple[h.Lamp, int]:
        return h.Lamp(1, ""), 409

    contract = contract_of(order, app=app)
    ((status, (failure,)),) = contract.failures.items()
    assert (status, [shown(each.body) for each in failure.responses], failure.is_problem) == (409, ["Lamp"], False)


# Declarations


def test_what_is_declared_is_added_to_what_is_read() -> None:
    contract = contract_of(h.type_by_value, takes=h.NewLamp, gives={202: h.NewLamp, 204: None, 409: h.Lamp})
    assert taken(contract) == "json NewLamp, query kind"
    assert given(contract) == "200 application/json Lamp, 202 application/json NewLamp, 204, 409 application/json Lamp"
    assert contract.unread == []


def test_an_error_that_is_declared_leaves_the_answers_as_they_are_read() -> None:
    assert given(contract_of(h.plain, gives={409: h.NewLamp})) == f"{LAMP}, 409 application/json NewLamp"


def test_a_declared_error_stands_for_one_whose_status_is_not_known() -> None:
    assert contract_of(h.status_not_known, gives={409: h.NewLamp}).unread == []


def test_parts_are_declared_by_their_names() -> None:
    assert taken(contract_of(h.plain, takes={"query": h.Search})) == "json NewLamp, query Search"
    assert taken(contract_of(h.plain, takes={"form": h.Lamp})) == "form Lamp"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            {"takes": {"body": h.Lamp}},
            "takes must be a type, or have types for json, form, query, headers, not for 'body': '/x'",
        ),
        (
            {"gives": {"200": h.Lamp}},
            "gives must be a type, or have types for statuses of 200 to 599, not for '200': '/x'",
        ),
        ({"gives": {99: h.Lamp}}, "gives must be a type, or have types for statuses of 200 to 599, not for 99: '/x'"),
        (
            {"examples": {"body": 1}},
            "examples must be for json, form, query, headers, path or for statuses, not for 'body': '/x'",
        ),
    ],
)
def test_a_wrong_declaration_is_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="not for") as caught:
        App().post("/x", **option)
    assert str(caught.value) == message


def test_reading_asks_no_object_for_what_it_computes():
    """Neither a proxy, which Flask and Django have for the request and the user, nor a descriptor of a class."""
    local = pytest.importorskip("werkzeug.local")
    asked = []
    proxy = local.LocalProxy(lambda: asked.append("proxy"))

    class Query:
        def __get__(self, instance, owner):
            asked.append("query")
            return []

    class Model:
        query = Query()

    app = App()
    app.use(OpenAPI(title="Shop", version="1"))

    Model.proxy = proxy

    @app.get("/globals")
    def of_globals(request: Request):
        if proxy.flag and not proxy:
            return {"a": proxy.title, "b": proxy["x"], **proxy.user()}
        with proxy:
            return f"{proxy} {len(proxy)}", proxy.status
        match proxy:
            case {"a": 1}:
                raise proxy.error()
        return [each for each in Model.query if each == proxy]

    @app.get("/attributes")
    def of_attributes(request: Request):
        found = Model.proxy
        found.name = "x"
        return found.title or found()

    with Client(app) as client:
        assert client.get("/openapi.json").status == 200
    assert asked == []
