"""Values that other code touches: what changes them is followed, or they are unknown, with the file and the line."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin

from antiphon import App, Dependency, Redirect, Request, Response, abort
from antiphon.features import Basic, Bearer, Page, Users
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.http import Conflict, HTTPError, Link
from tests.features.openapi.code.test_reading import JSON, contract_of, given, taken
from tests.features.openapi.handlers import Lamp
from tests.helpers.rows import rows

L = TypeVar("L", bound=Lamp)


@dataclass
class Bright(Lamp):
    level: int = 1


def read_bound(request: Request, kind: type[L]) -> L:
    return request.json_as(kind)


def some(kind: type[L]) -> list[L]:
    return [kind(1, "a")]


def plain_rows() -> list[dict[str, Any]]:
    return [{"a": 1}, {"a": 2}]


def filled_by_loop(request: Request):
    found = [{"a": each} for each in (1, 2)]
    for row in found:
        row["b"] = "text"
    return found


def fill(row: dict[str, Any]) -> None:
    row["filled"] = True


def filled_by_helper(request: Request):
    row = {"a": 1}
    fill(row)
    return row


def filled_by_alias(request: Request):
    row = {"a": 1}
    other = row
    other["b"] = "text"
    return row


def filled_by_closure(request: Request):
    row = {"a": 1}

    def more() -> None:
        row["c"] = b""

    more()
    return row


def rebound_by_closure(request: Request):
    x: Any = 1

    def more() -> None:
        nonlocal x
        x = "text"

    more()
    return {"x": x}


def typed_later(request: Request):
    response = Response(b"")
    response.headers["content-type"] = "text/csv"
    return response


def set_status(response: Response) -> None:
    response.status = 418


def status_by_helper(request: Request):
    response = Response.json({"a": 1})
    set_status(response)
    return response


@contextlib.contextmanager
def mapped() -> Iterator[int]:
    try:
        yield 1
    except KeyError:
        abort(404, "There is none.")


def mapped_error(request: Request):
    with mapped() as number:
        return {"number": number}


class Door:
    @property
    def width(self) -> int:
        abort(410, "It is gone.")

    @cached_property
    def height(self) -> int:
        raise Conflict("It is open.")


door = Door()


def fails_before(request: Request):
    found: Any = {"a": 1}
    try:
        number = int(request.headers["x-n"])
        found = [number]
    except ValueError:
        return found
    return found


def status_of_code(request: Request) -> Lamp:
    return Lamp(1, "a"), 201  # type: ignore[return-value]


def by_status_of_code(request: Request) -> Lamp:
    if request.args.get("new"):
        return Lamp(1, "a"), 201, {"location": "/"}  # type: ignore[return-value]
    return Lamp(1, "a")


def changed_at_last(request: Request):
    row = {"a": 1}
    try:
        return row
    finally:
        row["b"] = 2


def set_again(request: Request):
    try:
        raise HTTPError(418)
    except HTTPError as error:
        error.status = 410
        raise


def grown_in_loop(request: Request):
    found: Any = None
    for each in range(9):
        found = (found, each)
    return {"found": found, "ok": True}


@rows(
    "handler, takes, gives",
    (lambda request: {"x": read_bound(request, Bright)}, "json Bright", f"{JSON} {{x: Bright}}"),
    (lambda request: some(Bright), "", f"{JSON} [Bright]"),
    (filled_by_loop, "", f"{JSON} [{{a: int}} | {{a: int, b: str}}]"),
    (filled_by_helper, "", f"{JSON} {{a: int, filled: bool}}"),
    (filled_by_alias, "", f"{JSON} {{a: int, b: str}}"),
    (filled_by_closure, "", f"{JSON} {{a: int, c: bytes}}"),
    (rebound_by_closure, "", f"{JSON} {{x: str}}"),
    (lambda request: (each for each in "abc"), "", "200 text/plain str"),
    (lambda request: (b"..", {"content-type": "image/png"}), "", "200 image/png bytes"),
    (typed_later, "", "200 text/csv bytes"),
    (status_by_helper, "", "418 application/json {a: int}"),
    (mapped_error, "", f"{JSON} {{number: int}}, 404 There is none."),
    (
        lambda request: {"width": door.width} if request.args.get("w") else {"height": door.height},
        "query w?",
        "410 It is gone., 409 It is open.",
    ),
    (fails_before, "header x-n", f"{JSON} {{a: int}}, {JSON} [int]"),
    (status_of_code, "", "201 application/json Lamp"),
    (by_status_of_code, "query new?", f"{JSON} Lamp, 201 application/json Lamp"),
    (changed_at_last, "", f"{JSON} {{a: int, b: int}}"),
    (set_again, "", "410 None"),
    (grown_in_loop, "", f"{JSON} {{found: ?, ok: bool}}"),
)
def test_what_touches_a_value_is_followed(handler: Any, takes: str, gives: str) -> None:
    contract = contract_of(handler)
    found = given(contract).replace(f"{__name__}.", "").replace("int | int", "int")
    assert (taken(contract).replace(f"{__name__}.", ""), found) == (takes, gives)
    assert contract.unread == []


def given_away(request: Request):
    row = {"a": 1}
    threading.Thread(target=print, args=[row])
    return row


def captured(request: Request):
    row = {"a": 1}

    def more() -> None:
        row["b"] = 1

    threading.Thread(target=more)
    return row


def not_bound(request: Request):
    if request.args.get("one"):
        del store  # noqa: F821
    return store  # noqa: F821


def of_local_class(request: Request):
    class Local:
        pass

    return Local()


def counted() -> dict[str, int]:
    return {"a": 1}


def not_allowed(request: Request):
    row = counted()
    row["b"] = "text"
    return row


@rows(
    "handler, text",
    (given_away, "`return row` returns a value that is not known before it runs"),
    (captured, "`return row` returns a value that is not known before it runs"),
    (not_bound, "`return store` returns a value that is not known before it runs"),
    (of_local_class, "`return Local()` returns a value that is not known before it runs"),
    (not_allowed, "`row['b'] = 'text'` changes a value in a way that its annotation does not allow"),
)
def test_what_touches_a_value_without_being_followed_makes_it_unknown(handler: Any, text: str) -> None:
    (unread,) = contract_of(handler).unread
    assert (unread.text, unread.place.file) == (text, __file__)


def link_to_next_page(request: Request):
    response = Response.json([1])
    response.links = [Link(request.url.with_query(after=3), rel="next"), Link("/x", rel="up")]
    return response


def content_location(request: Request):
    response = Response.json([1])
    response.content_location = request.url.target
    return response


def redirected(request: Request):
    if request.url.path == "/":
        raise Redirect("/login?" + urlencode({"next": request.url.target}))
    return Response.redirect(urljoin(str(request.url), "a"))


log = logging.getLogger("shop")


def logged(request: Request):
    log.info("%s", request.url)
    return [1]


SHOWN = [
    link_to_next_page,
    lambda request: ([1], {"link": str(Link(request.url.with_query(after=3).target, rel="next"))}),
    content_location,
    lambda request: Page("a.html", url=request.url.with_query(page=2)),
    redirected,
    logged,
]


@rows("handler", SHOWN, ids=lambda each: each.__name__)
def test_what_is_made_from_the_url_and_only_shown_reads_nothing_that_is_not_known(handler: Any) -> None:
    assert contract_of(handler).unread == []


# Around handlers

TENANT, USER, ADMIN = Dependency[str]("tenant"), Dependency[str]("user"), Dependency[str]("admin")


def tenant_of(request: Request) -> str:
    return request.host.removesuffix(".example.com") or abort(404, "There is no such shop.")


def made(app: App) -> OpenAPIDocument:
    return make_document(app, Info("API"))


def operation(app: App) -> dict[str, Any]:
    document = made(app)
    assert document.unknown == []
    return document.content["paths"]["/x"]["get"]  # type: ignore[no-any-return]


def test_the_source_of_a_dependency_may_abort() -> None:
    app = App()
    app.provide(TENANT, tenant_of)
    app.get("/x")(lambda request: {"tenant": request[TENANT]})
    assert operation(app)["responses"]["404"]["description"] == "There is no such shop."


def test_a_dependency_that_requires_a_user_demands_its_credentials() -> None:
    app = App()
    app.use(Users(Bearer({"t": "ann"}.get), required=USER))
    app.use(Users(Basic(lambda name, password: name), dependency=Dependency("visitor"), required=ADMIN))
    app.get("/x")(lambda request: {"user": request[ADMIN]})
    assert operation(app)["security"] == [{"basic": []}]
    assert "401" in operation(app)["responses"]


def test_code_after_a_handler_may_change_its_answer() -> None:
    app = App()

    @app.after_request
    def changed(request: Request, response: Response) -> None:
        response.status = 418

    app.get("/x")(lambda request: {"a": 1})
    assert [*operation(app)["responses"]] == ["418"]


def test_middleware_may_change_an_answer_and_not_always() -> None:
    app = App()

    @app.middleware
    def changed(request: Request) -> Any:
        response = yield
        if request.args.get("csv"):
            response.content_type = "text/csv"
        return response

    app.get("/x")(lambda request: "a")
    assert [*operation(app)["responses"]["200"]["content"]] == ["text/csv", "text/plain"]


def test_an_answer_that_code_after_a_handler_gives_away_is_unknown() -> None:
    app = App()

    @app.after_request
    def changed(request: Request, response: Response) -> None:
        threading.Thread(target=print, args=[response])

    app.get("/x")(lambda request: "a")
    (unknown,) = made(app).unknown
    assert "it changes responses in a way that is not known" in unknown


def test_any_code_may_raise_what_a_handler_of_all_errors_answers() -> None:
    app = App()

    @app.errorhandler(Exception)
    def failed(request: Request, error: Exception) -> tuple[str, int]:
        return "later", 503

    app.get("/x")(lambda request: "a")
    assert [*operation(app)["responses"]] == ["200", "503"]


def conditions(request: Request) -> Lamp:
    request.precondition(etag="a")
    return Lamp(1, str("q" in request.args))


def one_condition(request: Request) -> str:
    return str("if-match" in request.headers or request.if_none_match)


def only_sometimes(request: Request) -> str:
    if request.args.get("a"):
        return "a"
    return request.args["b"]


@rows(
    "handler, parameters",
    (conditions, "If-Match? If-Unmodified-Since? If-None-Match? If-Modified-Since? q?"),
    (one_condition, "if-match? if-none-match?"),
    (only_sometimes, "a? b?"),
    (lambda request: request.args["b"], "b"),
)
def test_conditions_are_parameters_which_are_required_only_if_they_are_always_read(
    handler: Any, parameters: str
) -> None:
    app = App()
    app.get("/x")(handler)
    found = [f"{each['name']}{'' if each['required'] else '?'}" for each in operation(app)["parameters"]]
    assert " ".join(found) == parameters
