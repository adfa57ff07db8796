"""Calls of an application's own tools, in its handlers and runs."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import pytest
from msgspec import Meta

from antiphon import App, Request, abort
from antiphon.features import (
    Bearer,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    RateLimit,
    Runs,
    Tool,
    Tools,
    Users,
    login_required,
    scopes_required,
)
from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.processes import RUN
from tests.helpers.rows import rows

SCOPES = {"ann": ["orders:write"], "bob": []}


@dataclass
class Order:
    item: str
    count: Annotated[int, Meta(ge=1)]


def make_app():
    app = App(secret_keys=["of a test, and not secret"], store=MemoryStore())
    api = OpenAPI("Shop", docs=None)
    tools, runs, orders = Tools(api), Runs(), []
    app.use(Users(Bearer(lambda token: token if token in SCOPES else None, scopes=SCOPES.get)))
    for feature in (IdempotentWrites(required=False), api, tools, runs):
        app.use(feature)

    @app.get("/orders", tool=True, before=RateLimit("20/minute"))
    def list_orders(request: Request) -> list[str]:
        """List orders."""
        return orders

    @app.post("/orders", tool=True, before=scopes_required("orders:write"), idempotent=True)
    async def order(request: Request) -> Order:
        """Order something."""
        made = request.json_as(Order)
        if made.item == "moon":
            abort(409, "There is only one moon.")
        orders.append(f"{request.user} {made.item}")
        return made

    @app.delete("/orders", tool=Tool(confirm="Delete all orders?"), before=login_required)
    def delete_orders(request: Request) -> str:
        orders.clear()
        return "gone"

    @app.get("/broken", tool=True)
    def broken(request: Request) -> str:
        raise ValueError("secret")

    async def loop(calls, caller) -> AsyncIterator[list]:
        for name, arguments, key in calls:
            called = await tools.call(name, arguments, as_=caller, key=key, confirm=agree if key == "yes" else None)
            yield [called.text, called.data, called.is_error]

    async def agree(question):
        orders.append(question)
        return True

    @app.post("/loop")
    async def in_handler(request: Request):
        return [each async for each in loop(request.json, request.caller)]

    @app.post("/run")
    async def in_run(request: Request):
        run = await runs.astart(loop(request.json, request.caller))
        return {"id": run.id}

    @app.get("/run/<id>")
    async def values(request: Request, id: str):
        return [each async for each in (await runs.afind(id, owner=None)).values()]

    @app.post("/as/<user>")
    async def as_user(request: Request, user: str):
        return [each async for each in loop(request.json, None if user == "nobody" else user)]

    @app.get("/tools/<api>")
    def listed(request: Request, api: str):
        return tools.definitions(as_=request.caller, for_=None if api == "plain" else api)

    return app


app = make_app()
TEA = {"item": "tea", "count": 2}
CALLS = [
    ["order", TEA, "1"], ["order", TEA, "1"], ["order", {"item": "moon", "count": 1}, None],
    ["order", {"item": 7, "count": 0}, None], ["order", {"item": "tea", "cuont": 1}, None], ["sell", {}, None],
    ["delete_orders", {}, None], ["list_orders", {}, None], ["broken", {}, None],
]  # fmt: skip
FAULTS = """422 Unprocessable Content
2 fields are wrong
/item: expected a string, got an integer
/count: expected an integer of at least 1"""
ANN = [
    ['{"item":"tea","count":2}', TEA, False],
    ['{"item":"tea","count":2}', TEA, False],
    ["409 Conflict\nThere is only one moon.", None, True],
    [FAULTS, None, True],
    ["/cuont: there is no such argument. The arguments are: item, count, idempotency_key\n/count: missing", None, True],
    ["There is no tool 'sell'. The tools are: broken, delete_orders, list_orders, order", None, True],
    ["A person has to agree to this call, but nobody can be asked. Nothing was done.", None, True],
    ['["ann tea"]', ["ann tea"], False],
    ["500 Internal Server Error", None, True],
]


def loop(client, path, calls, **fields):
    made = client.post(path, json=calls, headers=fields).json
    found = made if isinstance(made, list) else client.get(f"/run/{made['id']}").json
    return without_ids(found)


def without_ids(found):
    """Return results without the ids of the requests that failed."""
    return [[text.partition("\nThe request's id")[0], *more] for text, *more in found]


@rows("path", ["/loop", "/run"])
def test_a_call_has_the_effects_and_errors_of_one_by_a_client(path):
    client = Client(make_app())
    assert loop(client, path, CALLS[:8], authorization="Bearer ann") == ANN[:8]
    for fields, words in (({}, "401 Unauthorized"), ({"authorization": "Bearer bob"}, "403 Forbidden")):
        [[text, _, is_error]] = loop(client, path, CALLS[:1], **fields)
        assert (text.split("\n")[0], is_error) == (words, True)
    [agreed, left] = loop(client, path, [["delete_orders", {}, "yes"], CALLS[7]], authorization="Bearer ann")
    assert (agreed[0], left[1]) == ("gone", [])
    limited = loop(client, path, [CALLS[7]] * 20)
    assert limited[-1][0].startswith("429 ")


def test_a_call_as_a_user_has_the_rights_of_a_login():
    client = Client(make_app())
    assert loop(client, "/as/ann", CALLS[:8]) == ANN[:8]
    [[text, _, is_error]] = loop(client, "/as/nobody", CALLS[:1])
    assert (text.split("\n")[0], is_error) == ("401 Unauthorized", True)


@pytest.mark.processes
@rows("interface", ["asgi", "rsgi", "wsgi"])
def test_a_run_calls_tools_after_its_request_has_ended(interface):
    with ServerProcess((*RUN, "--interface", interface), "tests.features.tools.test_own_loop:app") as server:
        fields = [("authorization", "Bearer ann"), ("content-type", "application/json")]
        body = json.dumps(CALLS).encode()
        id_ = json.loads(server.respond(SentRequest("POST", "/run", fields, body)).body)["id"]
        assert without_ids(json.loads(server.respond(SentRequest("GET", f"/run/{id_}")).body)) == ANN


SCHEMA = {
    "type": "object",
    "properties": {
        "item": {"type": "string"},
        "count": {"type": "integer", "minimum": 1},
        "idempotency_key": {
            "type": "string",
            "description": "Text of your own, such as a UUID. A repeated call with the same text is carried out once.",
        },
    },
    "required": ["item", "count"],
    "additionalProperties": False,
}
ABOUT = {"name": "order", "description": "Order something"}


@rows(
    "api, form",
    ("plain", {**ABOUT, "inputSchema": SCHEMA}),
    ("openai", {"type": "function", "function": {**ABOUT, "parameters": SCHEMA}}),
    ("openai-responses", {"type": "function", **ABOUT, "parameters": SCHEMA, "strict": False}),
    ("anthropic", {**ABOUT, "input_schema": SCHEMA}),
    ("gemini", {**ABOUT, "parametersJsonSchema": SCHEMA}),
)
def test_definitions_have_the_form_of_each_api_for_those_who_may_call_them(api, form):
    client = Client(make_app())
    assert client.get(f"/tools/{api}", headers={"authorization": "Bearer ann"}).json[-1] == form
    assert "'order'" not in str(client.get(f"/tools/{api}").json)
