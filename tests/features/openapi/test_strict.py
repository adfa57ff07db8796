"""`openapi --strict`: each successful response with content has a schema, or the document names its handler."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from antiphon import App, Request, Response
from antiphon.features import MemoryStore, Runs, ui_message_stream
from antiphon.features.openapi.document import Info, make_document
from tests.features.openapi import tracker
from tests.helpers.rows import rows

T = TypeVar("T")
U = TypeVar("U")


@dataclass
class Ticket:
    title: str


TICKETS: dict[str, Any] = {}
TICKET = {"$ref": "#/components/schemas/Ticket"}
JSON = "application/json"
NAMED = None
"""The mark of a response whose schema is not known, so the document names its handler."""


def one(kind: type[T]) -> T:
    return TICKETS["1"]


async def one_later(kind: type[T]) -> T:
    return TICKETS["1"]


def many(kind: type[T]) -> list[T]:
    return TICKETS["all"]


def first(of: list[T]) -> T:
    return TICKETS["1"]


def perhaps(kind: type[T], *, or_else: None = None) -> T | None:
    return TICKETS.get("1", or_else)


def by_key(kind: type[T], key: type[U]) -> dict[U, T]:
    return TICKETS["by key"]


def anything(kind: object) -> Any:
    return TICKETS["1"]


def unrelated(of: T) -> list[U]:
    return TICKETS["all"]


def said() -> Ticket:
    return TICKETS["1"]


class Table(Generic[T]):
    def __init__(self, kind: type[T]) -> None:
        self.kind = kind

    def row(self) -> T:
        return TICKETS["1"]

    def other(self, kind: type[U]) -> U:
        return TICKETS["1"]


tickets = Table[Ticket](Ticket)


def of_helper(request: Request) -> Response:
    return Response.json(one(Ticket), 201)


async def of_async_helper(request: Request) -> Response:
    return Response.json(await one_later(Ticket), 201)


def of_variable(request: Request) -> Response:
    made = one(kind=Ticket)
    return Response.json(made, 201)


def in_a_tuple(request: Request):
    return one(Ticket), 201, {"location": "/1"}


def plain(request: Request):
    return one(Ticket)


def of_list(request: Request) -> Response:
    return Response.json(many(Ticket))


def of_items(request: Request) -> Response:
    return Response.json(first(many(Ticket)))


def of_optional(request: Request) -> Response:
    return Response.json(perhaps(Ticket))


def of_mapping(request: Request) -> Response:
    return Response.json(by_key(Ticket, str))


def of_method(request: Request) -> Response:
    return Response.json(tickets.other(Ticket), 201)


def of_generic_class(request: Request) -> Response:
    return Response.json(tickets.row(), 201)


def of_annotated_helper(request: Request) -> Response:
    return Response.json(said(), 201)


def in_a_dict(request: Request) -> Response:
    return Response.json({"made": one(Ticket)}, 201)


def of_variable_of_a_type(request: Request) -> Response:
    found: list[Ticket] = [each for each in TICKETS.values() if each]
    return Response.json(found)


def of_unknown_items(request: Request) -> Response:
    return Response.json([each for each in TICKETS.values() if each])


def of_any(request: Request) -> Response:
    return Response.json(anything(Ticket), 201)


def of_unbound(request: Request) -> Response:
    return Response.json(unrelated(Ticket), 201)


def of_other_json(request: Request) -> Response:
    return Response.json(anything(Ticket), 201, content_type="application/hal+json")


def body_without_type(request: Request) -> Response:
    response = Response(status=201)
    response.body = json.dumps(TICKETS)
    return response


def text_of_bytes(request: Request) -> Response:
    return Response(anything(Ticket), content_type="text/csv")


TABLE: list[tuple[Callable[[Request], Any], str, Any]] = [
    (of_helper, JSON, TICKET),
    (of_async_helper, JSON, TICKET),
    (of_variable, JSON, TICKET),
    (in_a_tuple, JSON, TICKET),
    (plain, JSON, TICKET),
    (of_list, JSON, {"type": "array", "items": TICKET}),
    (of_items, JSON, TICKET),
    (of_optional, JSON, {"anyOf": [TICKET, {"type": "null"}]}),
    (of_mapping, JSON, {"type": "object", "additionalProperties": TICKET}),
    (of_method, JSON, TICKET),
    (of_generic_class, JSON, TICKET),
    (of_annotated_helper, JSON, TICKET),
    (in_a_dict, JSON, {"type": "object", "properties": {"made": TICKET}, "required": ["made"]}),
    (of_variable_of_a_type, JSON, {"type": "array", "items": TICKET}),
    (of_unknown_items, JSON, NAMED),
    (of_any, JSON, NAMED),
    (of_unbound, JSON, NAMED),
    (of_other_json, "application/hal+json", NAMED),
    (body_without_type, JSON, NAMED),
    (text_of_bytes, "text/csv", {"type": "string"}),
]


@rows("handler, media, schema", TABLE, ids=lambda each: getattr(each, "__name__", None))
def test_each_response_has_a_schema_or_is_named(handler: Any, media: str, schema: Any) -> None:
    app = App()
    app.route("/tickets", methods=["POST"])(handler)
    document = make_document(app, Info("Tickets"))
    responses = document.content["paths"]["/tickets"]["post"]["responses"]
    [success] = [each for status, each in responses.items() if status.startswith("2")]
    found = success.get("content", {}).get(media, {}).get("schema")
    names = [handler.__name__ in each for each in document.unknown]
    assert (names, NAMED if names else found) == ([] if schema else [True], schema)


runs = Runs[Any](MemoryStore())


@runs.restartable
async def pay(amount: int) -> AsyncIterator[str]:
    yield "Paid."


async def start(request: Request) -> dict[str, str]:
    run = await runs.astart(pay(3), owner="ann", key=request.idempotency_key)
    return {"id": run.id}


async def messages(request: Request) -> Response:
    return ui_message_stream(await runs.afind("1", owner="ann"))


async def perhaps_messages(request: Request) -> Response:
    run = await runs.afind("1", owner="ann")
    return Response(status=204) if run.state == "done" else ui_message_stream(run)


async def followed(request: Request) -> Response:
    return Response.events((await runs.afind("1", owner="ann")).follow(request.last_event_id))


@rows(
    "handler, statuses, parameters",
    (start, ["200"], ["Idempotency-Key"]),
    (messages, ["200"], []),
    (perhaps_messages, ["200", "204"], []),
    (followed, ["200"], ["Last-Event-ID"]),
)
def test_a_document_of_runs_is_whole(handler: Any, statuses: list[str], parameters: list[str]) -> None:
    app = App()
    app.route("/runs", methods=["POST"])(handler)
    document = make_document(app, Info("Runs"))
    operation = document.content["paths"]["/runs"]["post"]
    assert document.unknown == []
    assert [each for each in operation["responses"] if each < "400"] == statuses
    assert [each["name"] for each in operation.get("parameters", [])] == parameters


def test_each_response_of_a_tracker_has_a_schema() -> None:
    document = make_document(tracker.make_app(), Info("Tracker", prefix="/tracker"))
    assert document.unknown == []
    for item in document.content["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                assert status == "304" or all(each.get("schema") for each in response["content"].values())
