"""The problem details of errors in documents: their type, their members and their text, as the code gives them."""

from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from jsonschema import Draft202012Validator

from antiphon import App, Blueprint, Request, abort
from antiphon.features import Page
from antiphon.features.openapi.document import Info, make_document
from antiphon.http.errors import Conflict, HTTPError
from antiphon.testing import Client
from tests.helpers.rows import rows

PROBLEM, HTML = "application/problem+json", "text/html"


@dataclass
class TooLow:
    least: int
    currency: str


@dataclass
class Least:
    least: int


@dataclass
class Money:
    amount: int


class Sold(Conflict):
    type = "https://shop.example/problems#sold"


class Odd(Conflict):
    type = "/problems/odd"

    def __init__(self, kind: str) -> None:
        super().__init__("It is odd.", type=kind)


def by_abort(request: Request) -> NoReturn:
    least = int(request.args.get("least", "3"))
    members = {"least": least, "bid": Money(2)}
    abort(409, f"Bid at least {least}.", type="/problems/bid-too-low", members=members)


def by_error(request: Request) -> NoReturn:
    raise Conflict("Sold.", members={"until": "noon"})


def by_class(request: Request) -> NoReturn:
    raise Sold


def by_class_with_text(request: Request) -> NoReturn:
    raise Sold("It is sold.")


def by_own_class(request: Request) -> NoReturn:
    raise Odd("/problems/other")


def plain(request: Request) -> NoReturn:
    abort(409, "Sold.")


def several(request: Request) -> NoReturn:
    if "sold" in request.args:
        raise Sold
    if "plain" in request.args:
        abort(409)
    by_abort(request)


def declared(request: Request) -> NoReturn:
    fields: dict[str, object] = dict(zip(("least", "currency"), (3, "EUR"), strict=True))
    abort(409, members=fields)


def sends_json(request: Request) -> tuple[TooLow, int]:
    return TooLow(3, "EUR"), 409


def unknown_type(request: Request) -> NoReturn:
    abort(409, type=request.args.get("type"))


def app_of(handler: Any, **options: Any) -> App:
    app = App()
    app.get("/x", **options)(handler)
    return app


def answer_of(handler: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the answer of a handler with the status 409 in the document, and the components."""
    document = make_document(app_of(handler, **options), Info("Bids"))
    assert document.unknown == []
    return document.content["paths"]["/x"]["get"]["responses"]["409"], document.content["components"]["schemas"]


ROWS: list[tuple[Any, dict[str, Any], str, str, str | None, set[str]]] = [
    (by_abort, {}, "Bid at least {least}.", "BidTooLow", "/problems/bid-too-low", {"least", "bid"}),
    (by_error, {}, "Sold.", "ConflictProblem", None, {"until"}),
    (by_class, {}, "Conflict", "Sold", Sold.type, set()),
    (by_class_with_text, {}, "It is sold.", "Sold", Sold.type, set()),
    (by_own_class, {}, "Conflict", "Problem", None, set()),
    (plain, {}, "Sold.", "Problem", None, set()),
    (several, {}, "Bid at least {least}.", "Sold BidTooLow Problem", None, set()),
    (plain, {"gives": {409: Sold}}, "Sold.", "Sold Problem", None, set()),
    (declared, {"gives": {409: TooLow}}, "Conflict", "TooLow", None, {"least", "currency"}),
]


@rows("handler, options, text, names, uri, members", ROWS)
def test_problem_details_are_described_as_they_are_sent(
    handler: Any, options: dict[str, Any], text: str, names: str, uri: str | None, members: set[str]
) -> None:
    response, schemas = answer_of(handler, **options)
    schema = response["content"][PROBLEM]["schema"]
    choices = [each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema])]
    assert (response["description"], choices) == (text, names.split())
    named = schemas[choices[0]]
    assert named["title"] == choices[0]
    assert members <= {*named["required"]} & named["properties"].keys()
    if uri is not None:
        assert named["properties"]["type"] == {"type": "string", "const": uri}
    sent = Client(app_of(handler, **options)).get("/x")
    assert (sent.status, sent.headers["content-type"]) == (409, PROBLEM)
    Draft202012Validator({**schema, "components": {"schemas": schemas}}).validate(sent.json)


def test_a_declared_type_that_is_returned_is_json() -> None:
    response, _ = answer_of(sends_json, gives={409: TooLow})
    assert [*response["content"]] == ["application/json"]


def test_a_type_that_is_not_known_is_reported() -> None:
    (unknown,) = make_document(app_of(unknown_type), Info("Bids")).unknown
    assert unknown.endswith("abort is given a type or members that are not known before it runs")


# Error handlers


def own_details(request: Request, error: HTTPError):
    return error.problem()


async def own_details_async(request: Request, error: HTTPError):
    return error.problem()


def own_details_annotated(request: Request, error: HTTPError) -> dict[str, object]:
    return error.problem()


def details_and_more(request: Request, error: HTTPError):
    return error.problem() | {"more": 1}


def details_with_an_item(request: Request, error: HTTPError):
    details = error.problem()
    details["more"] = 1
    details.update(other=2)
    return details


def details_and_status(request: Request, error: HTTPError):
    return error.problem(), error.status


def details_and_field(request: Request, error: HTTPError):
    return error.problem(), {"x-shop": "1"}


DETAILS = [
    own_details, own_details_async, own_details_annotated, details_and_more, details_with_an_item, details_and_status,
    details_and_field,
]  # fmt: skip


@rows("error_handler", DETAILS, ids=lambda each: each.__name__)
@rows("key", [HTTPError, 409, Conflict, Sold])
@rows("is_in_blueprint", [False, True])
def test_the_problem_details_that_an_error_handler_returns_are_those_of_the_error(
    error_handler: Any, key: Any, is_in_blueprint: bool
) -> None:
    app, blueprint = App(), Blueprint("bids")
    bids = blueprint if is_in_blueprint else app
    bids.errorhandler(key)(error_handler)
    bids.get("/x")(by_class)
    app.register(blueprint)
    sent = Client(app, contract=True).get("/x")
    assert (sent.status, sent.content_type) == (409, PROBLEM)
    document = make_document(app, Info("Bids"))
    described = document.content["paths"]["/x"]["get"]["responses"]["409"]["content"]
    assert (document.unknown, [*described]) == ([], [PROBLEM])
    assert document.content["components"]["schemas"]["Sold"]["properties"]["type"]["const"] == Sold.type


held: dict[str, Any] = {}


def by_held(request: Request, error: HTTPError):
    return held["value"]


def with_held_status(request: Request, error: HTTPError):
    return error.problem() | {"status": held["status"]}


def with_an_item_held(request: Request, error: HTTPError):
    details = error.problem()
    details[held["name"]] = held["status"]
    return details


@rows("error_handler", [by_held, with_held_status, with_an_item_held], ids=lambda each: each.__name__)
@rows("status", [202, 404, 410])
def test_an_error_handler_whose_response_is_not_known_breaks_no_contract(error_handler: Any, status: int) -> None:
    held.update(value=({}, status), status=status, name="status")
    app = app_of(by_class)
    app.errorhandler(HTTPError)(error_handler)
    assert len(make_document(app, Info("Bids")).unknown) == 1
    assert Client(app, contract=True).get("/x").status == status


def page_of_the_error(request: Request, error: HTTPError):
    return Page("error.html", error=error), error.status


def page_or_details(request: Request, error: HTTPError):
    if request.path.startswith("/api"):
        raise error
    return Page("error.html", error=error), error.status


PAGES = [
    ("/x", page_of_the_error, HTML), ("/x", page_or_details, HTML), ("/api/x", page_of_the_error, HTML),
    ("/api/x", page_or_details, PROBLEM),
]  # fmt: skip


@rows("path, error_handler, media", PAGES)
def test_an_error_that_is_shown_on_a_page_keeps_its_status(path: str, error_handler: Any, media: str) -> None:
    app = App()
    app.get(path)(by_class)
    app.errorhandler(HTTPError)(error_handler)
    document = make_document(app, Info("Bids"))
    described = document.content["paths"][path]["get"]["responses"]["409"]["content"]
    assert (document.unknown, [*described]) == ([], [media])


def test_an_error_stays_in_the_document_if_the_status_that_its_handler_returns_is_not_known() -> None:
    app = app_of(by_class)
    app.errorhandler(HTTPError)(lambda request, error: ("Sold.", held["status"]))
    document = make_document(app, Info("Bids"))
    assert document.content["paths"]["/x"]["get"]["responses"]["409"] == {"description": "Conflict"}
    assert "the status in the tuple is not known before it runs" in document.unknown[0]


def returned_details(request: Request):
    try:
        plain(request)
    except HTTPError as error:
        return error.problem()


def returned_in_a_dict(request: Request):
    return {"bid": Conflict("Sold.").problem()}, 409


@rows("handler, media", [(returned_details, PROBLEM), (returned_in_a_dict, "application/json")])
def test_a_handler_may_return_problem_details(handler: Any, media: str) -> None:
    response, _ = answer_of(handler)
    sent = Client(app_of(handler), contract=True).get("/x")
    assert (sent.status, sent.content_type, [*response["content"]]) == (409, media, [media])


def removed_status(request: Request):
    details = Conflict("Sold.").problem()
    details.pop("status")
    return details


def deleted_status(request: Request):
    details = Conflict("Sold.").problem()
    del details["status"]
    return details


@rows("handler", [removed_status, deleted_status])
def test_problem_details_that_name_no_status_are_not_known(handler: Any) -> None:
    assert make_document(app_of(handler), Info("Bids")).unknown
    assert Client(app_of(handler), contract=True).get("/x").status == 200


def low(request: Request) -> NoReturn:
    members: Any = {"least": 3} if "right" in request.args else {}
    abort(409, members=members)


def test_a_problem_without_a_member_of_its_contract_is_a_breach() -> None:
    client = Client(app_of(low, gives={409: Least}), contract=True)
    assert client.get("/x?right=1").status == 409
    with pytest.raises(AssertionError, match="/least is missing"):
        client.get("/x")
