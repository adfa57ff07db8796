"""Calls that follow a run: a client that loses the stream finds the rest of it, over any process."""

import asyncio
import json
import os
import signal

import pytest

from antiphon import App, Request, Response
from antiphon.features import APIKey, MemoryStore, OpenAPI, Runs, ToolCall, Tools, Users
from antiphon.http import parse_events
from antiphon.testing import AsyncClient, Client, LifespanError
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.features.tools.test_protocol import META, MODERN
from tests.features.tools.test_sdk_clients import client as sdk_client
from tests.helpers.processes import RUN
from tests.helpers.rows import rows

EVENTS = {"accept": "application/json, text/event-stream"}
META_OF_MODERN = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}


class Work:
    """Two processes' applications with one store, and a tool whose run goes on when it is let."""

    def __init__(self):
        store, self.started, self.goes_on = MemoryStore(), [], asyncio.Event()
        self.keys, self.runs = APIKey(str), Runs(store)
        self.apps = [self._app(store, runs) for runs in (self.runs, Runs(store))]
        self.fields = {**EVENTS, "x-api-key": self.keys.create("Ann")}

    def _app(self, store, runs):
        app, api = App(secret_keys=["of a test, and not secret"], store=store), OpenAPI("Test")
        for feature in (Users(self.keys), runs, Tools(api, tasks=runs)):
            app.use(feature)

        @app.post("/report", tool=True)
        async def report(request: Request) -> Response:
            ToolCall.of(request).progress(0.5, message="looking")
            run = await runs.astart(self._written(), owner="Ann")
            self.started.append(run)
            return ToolCall.of(request).follow(run)

        return app

    async def _written(self):
        yield "a"
        yield "b"
        await self.goes_on.wait()
        yield "c"

    async def call(self, client, version, token=1, ident="call 1"):
        """Call the tool until it waits, and return the session, the messages, and the ids of their events."""
        fields, meta = {**self.fields, "mcp-protocol-version": version}, {"progressToken": token}
        if token is None:
            del meta["progressToken"]
        if version == MODERN:
            fields |= {"mcp-method": "tools/call", "mcp-name": "report"}
            meta |= META_OF_MODERN
        else:
            begun = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": version}}
            fields["mcp-session-id"] = (await client.post("/mcp", json=begun, headers=fields)).headers["mcp-session-id"]
        params = {"name": "report", "arguments": {}, "_meta": meta}
        message = {"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": params}
        messages, ids = [], []
        wanted = 1 if token is None else 3
        async with client.stream("POST", "/mcp", json=message, headers=fields) as response:
            async for chunk in response:
                for event in parse_events(chunk.decode()):
                    messages += [json.loads(event.data)] if event.data else []
                    ids += [] if event.id is None else [event.id]
                if len(ids if token is None else messages) == wanted:
                    break
        return fields, messages, ids

    async def rest(self, client, fields, since):
        """Return the messages after an event, or the status and the error."""
        response = await client.get("/mcp", headers={**fields, "last-event-id": since})
        if response.status != 200:
            return response.status, response.json["detail"]
        assert response.content_type == "text/event-stream"
        return [json.loads(event.data) for event in parse_events(response.text) if event.data]


def run(steps):
    async def bounded():
        async with asyncio.timeout(30):
            work = Work()
            async with AsyncClient(work.apps[0]) as here, AsyncClient(work.apps[1]) as there:
                try:
                    await steps(work, here, there)
                finally:
                    work.goes_on.set()

    asyncio.run(bounded())


def told(messages):
    return [each["params"]["progress"] for each in messages if "params" in each]


REVISIONS = [  # the revision, the token for progress, the ids that the call's events have
    (MODERN, 7, ["0.5", "1.5", "2.5"]),
    ("2025-11-25", "seven", ["0.5", "1.5", "2.5"]),
    ("2025-11-25", None, ["0"]),
    ("2025-06-18", 7, ["1.5", "2.5"]),  # its clients fail on an event without data
]


@rows("version, token, ids", REVISIONS)
def test_a_call_whose_stream_was_lost_is_found_again_over_another_process(version, token, ids):
    async def steps(work, here, there):
        fields, messages, given = await work.call(here, version, token)
        assert [each.rpartition("~")[2] for each in given] == ids
        seen = told(messages)
        later = asyncio.ensure_future(work.rest(there, fields, given[-1]))
        again = asyncio.ensure_future(work.rest(there, fields, given[0]))
        await asyncio.sleep(0.05)
        work.goes_on.set()
        rest = await later
        assert (seen + told(rest), told(await again)[-1:]) == (([0.5, 1.5, 2.5, 3.5], [3.5]) if token else ([], []))
        assert {each["params"]["progressToken"] for each in messages + rest if "params" in each} <= {token}
        assert (rest[-1]["id"], rest[-1]["result"]["content"]) == ("call 1", [{"type": "text", "text": "abc"}])
        assert ("resultType" in rest[-1]["result"], len(work.started)) == (version == MODERN, 1)
        assert (await work.rest(there, fields, given[-1]))[-1] == rest[-1]  # and after its end

    run(steps)


def test_only_its_caller_with_its_key_and_session_finds_a_call():
    async def steps(work, here, there):
        fields, _, [*_, ident] = await work.call(here, "2025-11-25")
        other_session, *_ = await work.call(here, "2025-11-25")
        strangers = {
            "another user": {**fields, "x-api-key": work.keys.create("Bob")},
            "another key of the user": {**fields, "x-api-key": work.keys.create("Ann")},
            "another session": other_session,
            "no session": {name: value for name, value in fields.items() if name != "mcp-session-id"},
            "no user": {name: value for name, value in fields.items() if name != "x-api-key"},
        }
        stream, _, place = ident.partition("~")
        forged = [stream, f"{stream}~", f"{stream}~x", f"{stream[:-1]}~{place}", f"x{ident}", "~1", "1", "%00"]
        rests = [await work.rest(there, each, ident) for each in strangers.values()]
        rests += [await work.rest(there, fields, each) for each in forged]
        detail = "Last-Event-ID must be the id of an event in the stream of a call of this caller."
        assert rests == [(400, detail)] * len(rests)
        await work.started[0].adelete()
        [lost] = await work.rest(there, fields, ident)
        assert (lost["id"], lost["result"]["isError"]) == ("call 1", True)
        assert "no longer kept" in lost["result"]["content"][0]["text"]

    run(steps)


def test_a_resumed_call_is_cancelled_as_it_was():
    async def steps(work, here, there):
        fields, _, ids = await work.call(here, "2025-11-25")
        rest = asyncio.ensure_future(work.rest(there, fields, ids[-1]))
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "call 1"}}
        assert (await here.post("/mcp", json=cancel, headers=fields)).status == 202
        assert await rest == []
        assert (await work.runs.afind(work.started[0].id, owner="Ann")).state == "running"

    run(steps)


@rows("fields, status", [({}, 405), ({"last-event-id": "x"}, 400)])
def test_without_changes_only_calls_are_followed_by_get(fields, status):
    runs = Runs(MemoryStore())
    app = App(secret_keys=["of a test, and not secret"])
    app.use(Tools(OpenAPI("Test"), tasks=runs))
    response = Client(app).get("/mcp", headers=fields)
    assert (response.status, response.headers.get("allow")) == (status, "POST" if status == 405 else None)


def test_runs_as_tasks_need_keys():
    app = App()
    app.use(Tools(OpenAPI("Test"), tasks=Runs(MemoryStore())))
    with pytest.raises(LifespanError, match="no key to sign with"), Client(app):
        pass


KILLS = int(os.environ.get("KILLS", "1"))
"""The number of workers to kill for each revision."""


@pytest.mark.once
@pytest.mark.processes
def test_the_sdk_finds_each_call_whose_worker_was_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("STORE", str(tmp_path / "store.db"))
    monkeypatch.setenv("LEASE", "0.5")
    counted, killed = [], []

    async def call_and_kill(url, mode):
        at = []

        async def kill(done, _, message):
            at.append(json.loads(message))
            if len(at) == 3:
                killed.append(at[-1]["pid"])
                os.kill(killed[-1], signal.SIGKILL)

        async with sdk_client(url, mode) as opened:
            result = await opened.call_tool("count", {}, progress_callback=kill)
        assert not result.is_error, result
        assert [each["n"] for each in at] == [1, 2, 3, 4, 5, 6]
        counted.append(result.structured_content)
        assert (counted[-1], counted[-1]["pid"] in killed) == (at[-1], False)

    with ServerProcess((*RUN, "--interface", "asgi", "--workers", "2"), "tests.helpers.served.runs:app") as server:
        for mode in ("legacy", "auto") * KILLS:
            asyncio.run(call_and_kill(f"http://127.0.0.1:{server.port}/mcp", mode))
        owned = server.respond(SentRequest("GET", "/runs", [("x-user", "agent")]))
    assert [each["state"] for each in json.loads(owned.body)] == ["done"] * 2 * KILLS
    assert (len(counted), len(killed)) == (2 * KILLS, 2 * KILLS)
