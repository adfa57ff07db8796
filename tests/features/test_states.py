"""Each state that a feature keeps, seen by each way of looking at it: none lacks a name, and none makes one wait."""

import asyncio
from dataclasses import dataclass
from typing import get_args

import pytest

from antiphon import App, Request, Response
from antiphon.app.store import FeatureStore
from antiphon.features import (
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    ResumableUploads,
    Runs,
    SQLiteStore,
    StandardWebhook,
    ToolCall,
    Tools,
    ui_message_stream,
)
from antiphon.features.idempotency.claims import ClaimState
from antiphon.features.resumable.uploads import UploadState
from antiphon.features.runs.record import LIVE, Line, Record, RunEnd, RunState
from antiphon.features.signatures import webhooks
from antiphon.testing import AsyncClient, Client
from tests.features.runs.test_questions import parts
from tests.features.tools.test_exchanges import KNOWS_AND_ASKS, serve
from tests.features.tools.test_protocol import META, MODERN, fields, legacy
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@dataclass
class Wanted:
    run: str


RUNS = {  # the state of a run, its task, the last event, the last part of a chat
    "running": ("working", None, None),
    "asking": ("working", None, None),
    "waiting": ("working", None, None),
    "done": ("completed", "done", "finish"),
    "failed": ("failed", "failed", "error"),
    "stopped": ("cancelled", "stopped", "abort"),
    "interrupted": ("failed", "interrupted", "error"),
}
LOOKED = {"done": 204, "running": 204, "open": 204}
RETRIED = {"running": 409, "completed": 200, "released": 200, "unknown": 409}
DELIVERED = {"running": 409, "done": 204}


@rows("expected, known", (RUNS, RunState), (LOOKED, UploadState), (RETRIED, ClaimState), (DELIVERED, webhooks._State))
def test_each_state_is_in_its_table(expected, known):
    assert {*expected} == {*get_args(known)}


async def seen(client, runs, state, is_told):
    """Return how a run in a state is seen by a task, by its events, and by both chats."""
    id_ = f"{state} {is_told}".ljust(22, "-")
    ledger = runs._own().ledger
    ledger.add(record := Record(id_, None, "running", "dead"))
    ledger.tell(id_, Line("v", 1, 1, b'"a"'))
    if state in LIVE:
        ledger.mark(record, state)
    else:
        ended = ledger.end(id_, None, end := RunEnd(state, 1), "" if is_told else "another")
        if is_told:
            ledger.settle(ended, end)
    meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": KNOWS_AND_ASKS}

    async def send(method, named, **params):
        message = legacy(method, _meta=meta, **params)
        return (await client.post("/mcp", json=message, headers=fields(method, mcp_name=named))).json["result"]

    task = (await send("tools/call", "work", name="work", arguments={"run": id_}))["taskId"]
    found = await send("tasks/get", task, taskId=task)
    assert ("result" in found or "error" in found) == (found["status"] in ("completed", "failed"))
    run = await runs.afind(id_, owner=None)
    assert (run.state, run.ended is None) == (state, state in LIVE)
    if state in LIVE or not is_told:
        return found["status"], None, None
    last = (await parts(ui_message_stream(run)))[-1]["type"]
    return found["status"], [each.event async for each in run.follow()][-1], last


def test_a_run_is_seen_at_once_in_each_state():
    """While a function for its end is called, nobody is told the end, and nobody waits for it."""
    runs = Runs(MemoryStore())

    async def work(request: Request) -> Response:
        return ToolCall.of(request).follow(await runs.afind(request.json_as(Wanted).run, owner=None))

    async def look():
        app = serve(work, tools=lambda: Tools(OpenAPI("Test"), tasks=runs))
        async with AsyncClient(app) as client, asyncio.timeout(20):
            assert {state: await seen(client, runs, state, True) for state in RUNS} == RUNS
            early = {state: (await seen(client, runs, state, False))[0] for state in RUNS}
            assert early == dict.fromkeys(RUNS, "working")

    asyncio.run(look())


@rows("state", LOOKED)
def test_an_upload_is_seen_in_each_state(state, tmp_path):
    app = App(store=(store := SQLiteStore(tmp_path / "db")))
    app.use(ResumableUploads())
    app.post("/films", resumable=True)(lambda request: "kept")
    client = Client(app, base_url="https://films.example")
    begun = client.post("/films", body=b"frames", headers={"upload-complete": "?0"})
    url = begun.headers["location"]
    key = FeatureStore.name_of("resumable upload", url.rpartition("/")[2])
    assert store.change(key, {"state": state, "size": 6, "response": None}, ttl=60, create=False)
    found = client.head(url)
    assert (found.status, found.headers["upload-offset"]) == (LOOKED[state], "6")
    assert found.headers["upload-complete"] == ("?1" if state == "done" else "?0")


@rows("state", RETRIED)
def test_a_write_is_retried_in_each_state(state):
    class Changed(MemoryStore):
        def replace(self, key, data, **options):
            return super().replace(key, {**data, "state": state}, **options)

    app = App(store=Changed())
    app.use(IdempotentWrites())
    app.post("/", idempotent=True)(lambda request: "paid")
    first, again = [Client(app).post("/", headers={"idempotency-key": "one"}).status for _ in range(2)]
    assert (first, again) == (200, RETRIED[state])


@rows("state", DELIVERED)
def test_a_webhook_is_delivered_again_in_each_state(state):
    class Changed(MemoryStore):
        def replace(self, key, data, **options):
            return super().replace(key, {**data, "state": state}, **options)

    hook, app = StandardWebhook("whsec_" + "a" * 44), App(store=Changed())
    app.post("/", before=hook)(lambda request: "taken")
    first, again = [Client(app).post("/", body=b"{}", headers=hook.sign(b"{}", id="msg")).status for _ in range(2)]
    assert (first, again) == (200, DELIVERED[state])
