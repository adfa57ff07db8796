"""Operations of small applications: each thing that people write in a handler, and what the document says of it."""

import enum
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal, NamedTuple, NewType, NoReturn

import pytest
from msgspec import Meta

from antiphon import App, HTTPError, Request, Response, abort
from antiphon.features import (
    Basic,
    Bearer,
    Block,
    Form,
    IdempotentWrites,
    MemoryStore,
    Page,
    SessionLogin,
    Sessions,
    Users,
    UserSource,
    login_required,
)
from antiphon.features import Table as PageTable
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.http import Challenge, NotFound
from antiphon.http.errors import http_error
from antiphon.testing import Client
from tests.helpers.rows import rows


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Spot(NamedTuple):
    x: int
    y: int


@dataclass
class Node:
    name: str
    inside: "list[Node]"
    size: Size | None = None


@dataclass
class Wish:
    text: str
    size: Literal["small", "large"] | None = None


@dataclass
class Leaf:
    weight: int = 1


@dataclass
class Branch:
    leaf: Leaf


@dataclass
class Tree:
    branch: Branch


Wanted = NewType("Wanted", Wish)


class Snippet:
    def __html__(self) -> str:
        return "<p>"


class Own:
    def __response__(self) -> Response:
        return Response()


class Table(Response):
    @classmethod
    def of(cls, rows: list[int]) -> "Table":
        return cls(str(rows))


class Finder:
    names: list[str]
    nothing: None

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def find(self, name: str) -> Wish:
        return Wish(name)

    @staticmethod
    def first() -> Wish:
        return Wish("first")

    @classmethod
    def taken(cls, request: Request) -> Any:
        return request.json_as(Wish)


FINDER = Finder(["a"])
FIND = FINDER.find
KINDS: Any = {}
LEAF = Leaf()
KEPT: list[str] = ["b", "a"]


def refuse(status: int, detail: str) -> NoReturn:
    abort(status, detail)


def read_as(kind: Any, request: Request) -> Any:
    return request.json_as(kind)


READ_WISH = partial(read_as, Wish)


def made_of(
    handler: Any, path: str = "/x", methods: tuple[str, ...] = ("POST",), app: App | None = None, **options: Any
) -> OpenAPIDocument:
    app = app or App(cross_site_writes=True)
    app.route(path, methods, **options)(handler)
    return make_document(app, Info("API"))


def made_of_app(handler: Any) -> App:
    app = App()
    app.get("/x")(handler)
    return app


def operation_of(handler: Any, method: str = "POST", path: str = "/x", **options: Any) -> dict[str, Any]:
    paths = made_of(handler, path, (method,), **options).content["paths"]
    (item,) = paths.values()
    return item[method.lower()]


# What handlers take


def wish_by_partial(request: Request) -> None:
    READ_WISH(request)


def wish_by_class_method(request: Request) -> None:
    Finder.taken(request)


def wish_by_bound_method(request: Request) -> Wish:
    return FIND(request.json_as(Wish).text)


def parts_one_by_one(request: Request) -> None:
    for part in request.parts():
        str(part)


def files_by_name(request: Request) -> None:
    str(request.files["cover"])


def fields_by_name(request: Request) -> None:
    str(request.form["title"])
    request.form.get("note")


def raw(request: Request) -> None:
    len(request.body)


def raw_or_json(request: Request) -> None:
    if request.mimetype == "application/json":
        request.json_as(Wish)
    else:
        len(request.body)


def several_types(request: Request) -> None:
    if "old" in request.args:
        request.json_as(Leaf)
    elif "older" in request.args:
        request.json_as(int)
    request.json_as(Wish)


def choice_form(request: Request) -> None:
    request.form_as(Wish)


def form_of_anything(request: Request) -> None:
    Form(KINDS["wish"], request)


# What handlers answer


def with_cookie(request: Request) -> Response:
    response = Response.text("Hello")
    response.set_cookie("seen", "1")
    return response


def aborted(request: Request) -> Wish:
    abort(int(request.args["status"]))


def refused(request: Request) -> Wish:
    refuse(404, "No such wish.")


def status_of_enum(request: Request) -> Response:
    status: HTTPStatus = HTTPStatus(int(request.args["status"]))
    return Response.text("a", status)


def plain_text(request: Request) -> Response:
    return Response("Hello")


def bare_tuple(request: Request) -> tuple:  # type: ignore[type-arg]
    return "a", 201


def maybe(request: Request) -> Wish | None:
    return None


def a_set(request: Request) -> set[int]:
    return {1}


def own(request: Request) -> Own:
    return Own()


def snippet(request: Request) -> Snippet:
    return Snippet()


def some_bytes(request: Request) -> bytes:
    return b""


def iterator(request: Request) -> Iterator[str]:
    return iter(["a"])


async def events(request: Request) -> Response:
    return Response.events([])


def page(request: Request) -> Page:
    return Page("a.html", wish=Wish("a"), count=1, _json=True)


def page_of_wish(request: Request) -> Page:
    return Page("a.html", wish=Wish("a"), _json=Wish("a"))


def page_with_status(request: Request) -> Page:
    return Page("a.html", _status=422, _headers={"x-wish": "1"}, status="open", json="{}")


def block_with_status(request: Request) -> Page:
    return Block("a.html", "wishes", 201)


def refused_by_status(request: Request) -> None:
    raise HTTPError(418, "No tea.")


def refused_by_name(request: Request) -> None:
    raise HTTPError(status=418, detail="No tea.")


def loose(request: Request) -> dict[str, Any]:
    return {"a": 1, "b": "c"}


def loose_list(request: Request) -> list[Any]:
    return [1]


def spot(request: Request) -> Spot:
    return Spot(1, 2)


def recursive(request: Request) -> Node:
    return Node("a", [])


def odd_status(request: Request) -> tuple[str, Literal[299]]:
    return "a", 299


def only_looks(request: Request):
    str(request)


def conditional_in_place(request: Request) -> Response:
    response = Response.text("a")
    response.make_conditional(request)
    return response


def conditional_by_attribute(request: Request) -> Response:
    response = Response.text("a")
    response.etag, response.is_conditional = "abc", True
    return response


def with_precondition(request: Request) -> str:
    request.precondition(etag="a")
    return "a"


def with_helper_of_precondition(request: Request) -> str:
    check_version(request, "a")
    return "a"


def check_version(request: Request, etag: str, *, exists: bool = True) -> None:
    request.precondition(etag=etag, exists=exists)


def none_beside(request: Request):
    if request.args.get("name"):
        return "a"
    return None


def none_allowed(request: Request) -> Wish | None:
    return FINDER.find("a") if request.args.get("name") else None


def none_with_status(request: Request):
    if request.args.get("name"):
        return Wish("a")
    return None, 204


def none_returned(request: Request):
    return None


def form_status(request: Request):
    form = Form(Wish, request)
    return {"status": form.status}


def wish_by_new_type(request: Request) -> None:
    request.json_as(Wanted)


def nothing(request: Request):
    return FINDER.nothing


FILE = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
TEXT = {"type": "string"}
NAMES = {"type": "array", "items": TEXT}
REF = "#/components/schemas/"


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


def form_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/x-www-form-urlencoded": schema}


def parts_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"multipart/form-data": schema | {"propertyNames": {"pattern": r"^[^\x00]*$"}}}


TITLE = object_of(title=TEXT) | {"properties": {"title": TEXT, "note": TEXT}}
TAKEN = [
    (wish_by_partial, {"application/json": {"$ref": f"{REF}Wish"}}, "400 413 415 422"),
    (wish_by_class_method, {"application/json": {"$ref": f"{REF}Wish"}}, "400 413 415 422"),
    (wish_by_bound_method, {"application/json": {"$ref": f"{REF}WishInput"}}, "400 413 415 422"),
    (wish_by_new_type, {"application/json": {"$ref": f"{REF}Wish"}}, "400 413 415 422"),
    (parts_one_by_one, parts_of({"type": "object", "additionalProperties": FILE}), "400 413 415"),
    (files_by_name, parts_of(object_of(cover=FILE)), "400 413 415 422"),
    (fields_by_name, form_of(TITLE), "400 413 415"),
    (raw, {"application/octet-stream": FILE, "*/*": FILE}, "400 413 415"),
    (raw_or_json, {"application/json": {"$ref": f"{REF}Wish"}}, "400 413 415 422"),
    (
        several_types,
        {"application/json": {"anyOf": [{"$ref": f"{REF}Leaf"}, {"type": "integer"}, {"$ref": f"{REF}Wish"}]}},
        "400 413 415 422",
    ),
]


def contents(described: dict[str, Any]) -> dict[str, Any]:
    return {media: each.get("schema") for media, each in described.get("content", {}).items()}


@rows("handler, content, errors", TAKEN, ids=lambda each: getattr(each, "__name__", None))
def test_what_a_handler_takes_is_the_body_of_its_operation(handler: Any, content: Any, errors: str) -> None:
    operation = operation_of(handler)
    assert contents(operation["requestBody"]) == content
    assert " ".join(each for each in operation["responses"] if each >= "400") == errors


def no_content_by_status(request: Request):
    return "", 204


def test_a_status_without_content_has_no_media_type() -> None:
    assert operation_of(no_content_by_status)["responses"]["204"] == {"description": "No Content"}


@rows("handler", [raw, raw_or_json, fields_by_name, parts_one_by_one])
def test_a_get_takes_no_body_and_refuses_none(handler: Any) -> None:
    operation = operation_of(handler, "GET")
    assert "requestBody" not in operation
    assert [*operation["responses"]] == ["204"]


def test_a_field_that_may_be_none_is_never_null_in_a_form() -> None:
    body = contents(operation_of(choice_form)["requestBody"])
    for schema in body.values():
        assert sorted(schema["properties"]["size"]["enum"]) == ["large", "small"]
        assert schema["required"] == ["text"]


def sent_wish(request: Request) -> Wish:
    form = Form(Wish, request)
    if not form.validate():
        raise form.error()
    return form.data


def test_the_error_of_a_form_is_that_a_field_is_not_valid() -> None:
    assert operation_of(sent_wish)["responses"]["422"]["description"] == "A field is not valid."


def test_what_a_form_has_applied_to_an_object_is_a_list_of_names() -> None:
    def handler(request: Request) -> list[str]:
        form = Form(Wish, request)
        if not form.validate():
            raise form.error()
        return form.apply(Wish("lamp"))

    document = made_of(handler)
    assert not document.unknown
    assert contents(operation_of(handler)["responses"]["200"]) == {"application/json": NAMES}


def test_a_table_is_a_page_with_errors_or_csv() -> None:
    def handler(request: Request) -> object:
        table = PageTable(
            Wish, request, lambda query: (), caption="Wishes", csv="wishes.csv", filters=["text"], prefix="w-"
        )
        if table.is_csv:
            return table.csv()
        return table, table.status

    document = made_of(handler, methods=("GET",))
    operation = document.content["paths"]["/x"]["get"]
    assert {status: [*each["content"]] for status, each in operation["responses"].items()} == {
        "200": ["text/csv", "text/html"], "404": ["text/html"], "422": ["text/html"],
    }  # fmt: skip
    assert [each["name"] for each in operation["parameters"]] == ["w-sort", "w-page", "w-format", "w-text"]
    assert not document.unknown


PAGE = {"text/html": TEXT}
ANSWERED: list[tuple[Any, dict[str, Any]]] = [
    (with_cookie, {"200": {"text/plain": TEXT}}),
    (lambda request: Response.html("<p>").freeze(), {"200": {"text/html": TEXT}}),
    (lambda request: KEPT.pop(), {"200": {"text/plain": TEXT}}),
    (lambda request: sorted(KEPT), {"200": {"application/json": NAMES}}),
    (lambda request: list(KEPT), {"200": {"application/json": NAMES}}),
    (
        lambda request: {"names": sorted([1, 2])},
        {"200": {"application/json": object_of(names={"type": "array", "items": {"type": "integer"}})}},
    ),
    (
        lambda request: Response.text("a", 201 if request.args else None),
        {"200": {"text/plain": TEXT}, "201": {"text/plain": TEXT}},
    ),
    (plain_text, {"200": {"text/plain": TEXT}}),
    (lambda request: Response(b"Hello"), {"200": {"application/octet-stream": FILE}}),
    (maybe, {"200": {"application/json": {"$ref": f"{REF}Wish"}}}),
    (snippet, {"200": {"text/html": TEXT}}),
    (some_bytes, {"200": {"application/octet-stream": FILE}}),
    (iterator, {"200": {"text/plain": TEXT}}),
    (lambda request: Response.stream(iter(["a"])), {"200": {"text/plain": TEXT}}),
    (events, {"200": {"text/event-stream": None}}),
    (lambda request: Response.ndjson([]), {"200": {"application/x-ndjson": None}}),
    (lambda request: Response.redirect("/a"), {"303": {}}),
    (loose, {"200": {"application/json": object_of(a={"type": "integer"}, b=TEXT)}}),
    (loose_list, {"200": {"application/json": {"type": "array", "items": {"type": "integer"}}}}),
    (
        lambda request: {"spot": (1, "a")},
        {
            "200": {
                "application/json": object_of(
                    spot={"type": "array", "prefixItems": [{"type": "integer"}, TEXT], "minItems": 2, "maxItems": 2}
                )
            }
        },
    ),
    (recursive, {"200": {"application/json": {"$ref": f"{REF}Node"}}}),
    (
        lambda request: Response.file("a.pdf", conditional=False),
        {"200": {"application/pdf": FILE}, "404": {"application/problem+json": {"$ref": f"{REF}Problem"}}},
    ),
    (odd_status, {"299": {"text/plain": TEXT}}),
    (lambda request: {"leaf": LEAF}, {"200": {"application/json": object_of(leaf={"$ref": f"{REF}Leaf"})}}),
    (lambda request: {"a": 1 if request.args else KINDS["a"]}, {"200": {"application/json": object_of(a={})}}),
    (lambda request: {"find": FINDER.find}, {"200": {"application/json": object_of(find={})}}),
    (lambda request: Finder.first(), {"200": {"application/json": {"$ref": f"{REF}Wish"}}}),
    (form_status, {"200": {"application/json": object_of(status={"type": "integer"})}}),
    (lambda request: Response(status=204), {"204": {}}),
]


@rows("handler, answers", ANSWERED)
def test_what_a_handler_returns_is_the_answer_of_its_operation(handler: Any, answers: dict[str, Any]) -> None:
    document = made_of(handler, methods=("GET",))
    responses = document.content["paths"]["/x"]["get"]["responses"]
    assert {status: contents(each) for status, each in responses.items()} == answers
    assert document.unknown == []


@rows(
    "handler",
    lambda request: Response.json({"a": 1}).make_conditional(request),
    lambda request: Response.file(__file__),
    lambda request: Response.file(__file__, content_type="text/html"),
    conditional_in_place,
    conditional_by_attribute,
    lambda request: Response.text("a").make_conditional(request).freeze(),
)
def test_conditions_and_ranges_are_answered_to_reads(handler: Any) -> None:
    responses = operation_of(handler, "GET")["responses"]
    assert [*responses] == ["200", "206", "304", "412", "416"]
    assert [*responses["206"]["content"]] == [*responses["200"]["content"]]
    assert [*operation_of(handler, "POST")["responses"]] == ["200"]


@rows("handler", [lambda request: Response.text("a").make_conditional(request, ranges=False), page])
def test_without_ranges_conditions_are_answered_alone(handler: Any) -> None:
    responses = operation_of(handler, "GET")["responses"]
    assert [*responses] == ["200", "304", "412"]


@rows("handler", [with_precondition, with_helper_of_precondition])
def test_a_precondition_fails_with_412_and_a_read_is_not_modified(handler: Any) -> None:
    assert [*operation_of(handler, "GET")["responses"]] == ["200", "304", "412"]
    assert [*operation_of(handler, "PUT")["responses"]] == ["200", "412"]


def test_the_error_of_a_form_is_one_of_its_size_too() -> None:
    def by_query(request: Request) -> Wish:
        form = Form(Wish, request, method="get")
        if not form.validate():
            raise form.error()
        return form.data

    assert [*operation_of(sent_wish)["responses"]] == ["200", "400", "413", "415", "422"]
    assert [*operation_of(by_query, "GET")["responses"]] == ["200", "422"]


# None is answered with 204 by handlers that say so, and is a mistake of all others


@rows("handler, statuses", [(none_beside, ["200"]), (none_allowed, ["200"]), (none_with_status, ["200", "204"])])
def test_none_beside_other_answers_is_no_answer(handler: Any, statuses: list[str]) -> None:
    document = made_of(handler, methods=("GET",))
    assert [*document.content["paths"]["/x"]["get"]["responses"]] == statuses
    client = Client(made_of_app(handler), raise_errors=False)
    assert str(client.get("/x").status) == (statuses[-1] if len(statuses) > 1 else "500")


@rows("handler", [only_looks, nothing, none_returned])
def test_none_that_is_a_mistake_is_reported(handler: Any) -> None:
    (unknown,) = made_of(handler).unknown
    assert "None becomes a 500, unless the handler is annotated with -> None" in unknown
    assert Client(made_of_app(handler), raise_errors=False).get("/x").status == 500


# Features


def wish_in_form(request: Request) -> str:
    return request.form_as(Wish).text


def file_in_form(request: Request) -> str:
    return request.files["picture"].filename


@rows(
    "handler, options, is_required, is_in_form",
    (refused, {}, True, False),
    (refused, {"required": False}, False, False),
    (wish_in_form, {}, False, True),
    (file_in_form, {}, False, True),
)
def test_the_key_of_a_write_is_required_where_the_feature_requires_it(
    handler: Any, options: Any, is_required: bool, is_in_form: bool
) -> None:
    app = App(cross_site_writes=True)
    app.use(IdempotentWrites(MemoryStore(), **options))
    operation = operation_of(handler, app=app, idempotent=True)
    (key,) = operation["parameters"]
    assert (key["name"], key["required"]) == ("Idempotency-Key", is_required)
    assert ("idempotency_key" in key.get("description", "")) is is_in_form
    assert ("missing" in operation["responses"]["400"]["description"]) is options.get("required", True)


@rows("login, statuses", [(None, ["200", "401"]), ("plain_text", ["200", "303", "401"])])
def test_a_login_is_a_redirect_where_there_is_a_login_page(login: str | None, statuses: list[str]) -> None:
    app = App()
    app.use(Users(Bearer({"t": "ada"}.get), login=login))
    assert [*operation_of(plain_text, "GET", app=app, before=login_required)["responses"]] == statuses


def test_a_page_offers_its_data_as_json() -> None:
    operation = operation_of(page, "GET")
    offered = object_of(wish={"$ref": f"{REF}Wish"}, count={"type": "integer"})
    assert contents(operation["responses"]["200"]) == {"text/html": TEXT, "application/json": offered}
    assert [*operation["responses"]] == ["200", "304", "412"]
    assert contents(operation_of(page_of_wish, "GET")["responses"]["200"])["application/json"] == {"$ref": f"{REF}Wish"}


@rows(
    "handler, status, media",
    (page_with_status, "422", "text/html"),
    (block_with_status, "201", "text/html"),
    (lambda request: Response.template("a.txt", _status=201, status="open"), "201", "text/plain"),
    (refused_by_status, "418", "application/problem+json"),
    (refused_by_name, "418", "application/problem+json"),
)
def test_the_status_is_that_of_the_option_and_not_of_data(handler: Any, status: str, media: str) -> None:
    response = operation_of(handler, "GET")["responses"][status]
    assert [*response["content"]] == [media]
    assert [*response.get("headers", {})] == (["X-Wish"] if handler is page_with_status else [])
    phrases = {"201": "Created", "418": "No tea.", "422": "Unprocessable Content"}
    assert response["description"] == phrases[status]


def test_a_helper_that_never_returns_tells_its_error() -> None:
    assert operation_of(refused)["responses"]["404"]["description"] == "No such wish."


NOT_KNOWN = [
    (form_of_anything, "Form is made of a type that is not known before it runs"),
    (aborted, "abort is given a status that is not known before it runs"),
    (status_of_enum, "the status of the response is not known"),
    (
        lambda request: Response.from_elsewhere("a"),
        "`return Response.from_elsewhere('a')` returns a value that is not known",
    ),
    (lambda request: Table.of([1]), "`return Table.of([1])` returns a value that is not known"),
    (lambda request: ("a", int(request.args["status"])), "the status in the tuple is not known before it runs"),
    (lambda request: ("a", 200, {}, "b"), "a tuple is (body, status), (body, headers) or (body, status, headers)"),
    (lambda request: (KINDS["a"], 201), "the value is not known before it runs"),
    (bare_tuple, "a tuple has a status, and perhaps headers"),
    (own, "the response that a Own becomes is not known"),
    (spot, "the response that a Spot becomes is not known"),
]


@rows("handler, reason", NOT_KNOWN)
def test_what_cannot_be_told_is_reported_with_its_place(handler: Any, reason: str) -> None:
    (unknown,) = made_of(handler).unknown
    assert unknown.startswith(f"POST /x: {handler.__name__} (")
    assert "test_operations.py:" in unknown
    assert reason in unknown


def test_an_error_whose_status_is_not_known_is_reported() -> None:
    def handler(request: Request) -> Wish:
        raise http_error(int(request.args["status"]))

    first, second = made_of(handler).unknown
    assert "http_error is given a status that is not known before it runs" in first
    assert "raises an unknown exception" in second


def test_a_handler_that_never_answers_is_reported() -> None:
    def handler(request: Request):
        while True:
            str(request)

    (unknown,) = made_of(handler).unknown
    assert "returns nothing: annotate what it returns" in unknown


# Schemas


def test_a_recursive_type_refers_to_itself() -> None:
    schemas = made_of(recursive).content["components"]["schemas"]
    assert schemas["Node"]["properties"]["inside"]["items"] == {"$ref": f"{REF}Node"}
    assert schemas["Node"]["properties"]["size"] == {"anyOf": [{"$ref": f"{REF}Size"}, {"type": "null"}]}
    assert sorted(schemas["Size"]["enum"]) == ["large", "small"]


def test_a_type_in_which_one_differs_by_direction_has_two_schemas() -> None:
    def handler(request: Request) -> Tree:
        return request.json_as(Tree)

    schemas = made_of(handler).content["components"]["schemas"]
    assert {"Tree", "TreeInput", "Branch", "BranchInput", "Leaf", "LeafInput"} <= {*schemas}
    assert schemas["TreeInput"]["properties"]["branch"] == {"$ref": f"{REF}BranchInput"}
    assert schemas["BranchInput"]["properties"]["leaf"] == {"$ref": f"{REF}LeafInput"}
    assert "required" not in schemas["LeafInput"]


@rows("note, added", (Meta(extra_json_schema={"example": 5}), {"example": 5}), ({"unit": "W"}, {}))
def test_what_a_type_adds_to_its_schema_is_in_the_document(note: Any, added: dict[str, Any]) -> None:
    kind = Annotated[int, note]

    def handler(request: Request) -> None:
        request.json_as(kind)

    assert contents(operation_of(handler)["requestBody"]) == {"application/json": {"type": "integer"} | added}


# Routes


def test_an_error_that_is_declared_is_a_problem() -> None:
    responses = operation_of(only_looks, gives={200: str, 404: NotFound})["responses"]
    assert contents(responses["200"]) == {"text/plain": TEXT}
    assert contents(responses["404"]) == {"application/problem+json": {"$ref": f"{REF}Problem"}}


def test_a_deprecated_handler_is_a_deprecated_operation() -> None:
    def handler(request: Request) -> str:
        """Greet."""
        return "a"

    if hasattr(warnings, "deprecated"):  # Python 3.13
        handler = warnings.deprecated("Use /y.")(handler)
    else:
        handler.__deprecated__ = "Use /y."  # type: ignore[attr-defined]
    operation = operation_of(handler)
    assert (operation["deprecated"], operation["summary"]) == (True, "Greet")
    assert contents(operation["responses"]["200"]) == {"text/plain": TEXT}


def test_a_method_that_openapi_does_not_know_is_reported() -> None:
    document = made_of(plain_text, methods=("PURGE",))
    assert document.unknown == ["PURGE /x: OpenAPI 3.1 has no operations for PURGE"]
    assert document.content["paths"] == {}


def test_a_path_that_two_routes_have_is_described_once() -> None:
    def by_number(request: Request, key: int) -> Wish:
        return Wish("a")

    def by_name(request: Request, key: str) -> str:
        return key

    app = App()
    app.get("/x/<int:key>")(by_number)
    app.get("/x/<key>")(by_name)
    document = make_document(app, Info("API"))
    assert [*document.content["paths"]] == ["/x/{key}"]
    assert "is already described by another route" in document.unknown[0]


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("api.example.com", {"url": "//api.example.com"}),
        ("<tenant>.example.com", {"url": "//{tenant}.example.com", "variables": {"tenant": {"default": "tenant"}}}),
    ],
)
def test_a_route_of_a_host_has_its_server(host: str, server: dict[str, Any]) -> None:
    def handler(request: Request, tenant: str = "") -> str:
        return tenant

    assert operation_of(handler, "GET", host=host)["servers"] == [server]


def test_servers_are_those_that_are_given() -> None:
    document = make_document(App(), Info("API", servers=("https://example.com",)))
    assert document.content["servers"] == [{"url": "https://example.com"}]


def test_operations_of_mounted_applications_have_ids_of_their_own() -> None:
    outer = App()
    for prefix in ("/a", "/b"):
        inner = App()
        inner.get("/x")(plain_text)
        outer.mount(prefix, inner)
    paths = make_document(outer, Info("API")).content["paths"]
    ids = [item["get"]["operationId"] for item in paths.values()]
    assert [*paths] == ["/a/x", "/b/x"]
    assert ids == ["a.plain_text", "b.plain_text"]


# Security


class Key(UserSource[str]):
    """A key in a scheme of its own."""

    def credentials(self, request: Request) -> tuple[str] | None:
        key = request.headers.get("x-key")
        return None if key is None else (key,)

    def challenge(self, request: Request) -> Challenge | None:
        return Challenge("Key", {"realm": "API"})


class Silent(Key):
    def challenge(self, request: Request) -> Challenge | None:
        return None


HTTP_BASIC = {"type": "http", "scheme": "basic"}
COOKIE = {"type": "apiKey", "in": "cookie", "name": "__Host-session"}
SOURCES: list[tuple[list[UserSource[str]], dict[str, Any]]] = [
    ([Basic(lambda name, password: name)], {"basic": HTTP_BASIC}),
    (
        [Basic(lambda name, password: name), Bearer({"t": "ada"}.get)],
        {"basic": HTTP_BASIC, "bearer": {"type": "http", "scheme": "bearer"}},
    ),
    ([SessionLogin({"1": "ada"}.get)], {"session": COOKIE}),
    ([Key({"k": "ada"}.get)], {"Key": {"type": "http", "scheme": "key"}}),
    ([Basic(lambda name, password: name), Silent({"k": "ada"}.get)], {"basic": HTTP_BASIC}),
]


@rows("sources, schemes", SOURCES)
def test_each_kind_of_credentials_is_a_scheme(sources: list[UserSource[str]], schemes: dict[str, Any]) -> None:
    app = App(secret_keys=["0123456789abcdef"])
    app.use(Sessions(MemoryStore()))
    app.use(Users(*sources))
    content = made_of(plain_text, methods=("GET",), app=app, before=login_required).content
    assert content["components"]["securitySchemes"] == schemes
    assert content["paths"]["/x"]["get"]["security"] == [{name: []} for name in schemes]


@rows("options, statuses", [({}, ["200", "403"]), ({"csrf_exempt": True}, ["200"])])
def test_writes_from_other_sites_are_refused_unless_the_route_takes_them(options: Any, statuses: list[str]) -> None:
    assert [*operation_of(plain_text, app=App(), **options)["responses"]] == statuses
