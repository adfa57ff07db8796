"""Calls that report, ask and are cancelled, in both kinds of revisions, and what clients find beside them."""

import asyncio
import json
import logging
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from antiphon import App, Request, Response
from antiphon.features import (
    Bearer,
    Channel,
    Field,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    Runs,
    SQLiteStore,
    Tool,
    ToolCall,
    Tools,
    Users,
    current_run,
)
from antiphon.features.tools import resources
from antiphon.http.errors import Conflict
from antiphon.testing import AsyncClient, Client
from tests.features.tools.conformance_app import PNG
from tests.features.tools.conformance_app import app as conformance
from tests.features.tools.test_protocol import META, MODERN, fields
from tests.helpers.free_threading import frees_at_once
from tests.helpers.garbage import garbage_of
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

ABLE = {"elicitation": {}, "sampling": {}, "roots": {}}


def send(client, method, able=ABLE, headers=(), **params):
    """Send a message of the newest revision and return what came: a result, an error, or the events before them."""
    meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": able, **params.pop("meta", {})}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    name = {"mcp-name": params.get("name", params.get("uri"))} if {"name", "uri"} & params.keys() else {}
    return client.post("/mcp", json=message, headers={**fields(method), **name, **dict(headers)})


def serve(*handlers, store=None, tools=None, **options):
    app, api = App(secret_keys=["of a test, and not secret"], store=store or MemoryStore()), OpenAPI("Test")
    app.use(api)
    app.use(Users(Bearer({"of-ann": "Ann", "of-bob": "Bob"}.get)))
    app.use(IdempotentWrites())
    app.use(tools() if callable(tools) else tools or Tools(api))
    for handler in handlers:
        app.post(f"/{handler.__name__}", **{"tool": True, **options})(handler)
    return app


# What a handler returns


BLOCKS = [  # the tool, the types of its blocks, a part of them
    (
        "test_embedded_resource",
        ["resource"],
        '"uri": "test://embedded-resource", "mimeType": "text/plain", "text": "An',
    ),
    ("test_multiple_content_types", ["text", "image", "resource"], '"text": "Several"'),
    ("test_image_content", ["image"], '"mimeType": "image/png"'),
]


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("tool, types, part", BLOCKS)
def test_parts_of_a_response_are_blocks(tool, types, part, interface):
    content = Client(conformance, interface).tools.call(tool).content
    assert [each["type"] for each in content] == types
    assert part in json.dumps(content)


def test_parts_with_any_bytes_links_and_meta():
    blob = bytes(range(256)) + b"\r\n--\r\n\r\n"

    def several(request: Request) -> Response:
        """Return several parts."""
        ToolCall.of(request).meta["shop.example/cost"] = 3
        parts = [Response(blob, content_type="audio/wav"), Response(blob, headers={"content-location": "/b?c=%20"})]
        link = {"link": '</lamps/7>; rel="item"; title="Lamp"; type="text/html", </2>; rel="next"'}
        return Response.multipart(parts, headers=link)

    result = Client(serve(several)).tools.call("several")
    audio, resource, link = result.content
    assert json.loads(result.response.text.removeprefix("data: "))["result"]["_meta"] == {"shop.example/cost": 3}
    assert b64decode(audio["data"]) == b64decode(resource["resource"]["blob"]) == blob
    assert resource["resource"]["uri"] == "http://testserver/b?c=%20"
    assert link == {
        "type": "resource_link", "uri": "http://testserver/lamps/7", "name": "Lamp", "mimeType": "text/html",
    }  # fmt: skip


RESOURCES = [  # the URI, the media type and a part of its contents
    ("test://static-text", "text/plain", "This is the content"),
    ("test://static-binary", "image/png", "iVBOR"),
    ("test://template/123/data", "application/json", "Data for ID: 123"),
    ("test://template/a%2Fb/data", None, None),  # a slash would lead elsewhere
    ("test://template/%2e%2e/data", None, None),
    ("test://template/1/2/data", None, None),
    ("http://testserver/static-text", None, None),  # it has a URI of its own
    ("test://static-text?x", None, None),
]


@rows("uri, media, part", RESOURCES)
def test_resources_have_uris_of_their_own(uri, media, part):
    found = send(Client(conformance), "resources/read", uri=uri).json
    if media is None:
        assert found["error"]["message"] == "Resource not found"
        return
    [contents] = found["result"]["contents"]
    assert (contents["uri"], contents["mimeType"]) == (uri, media)
    assert part in json.dumps(contents)


def test_a_template_must_have_the_parameters_of_its_route():
    tools = Tools(OpenAPI("Test"), resources={"lamps://{name}": "lamp"})
    app = serve(tools=tools)
    app.get("/lamps/<number>", name="lamp")(lambda request, number: number)
    with pytest.raises(ValueError, match="must be those of its route: number"):
        tools._resources(app)


def test_a_tool_has_a_page_hints_and_meta():
    tool = Tool(page="lamp_page", open_world=True, meta={"shop.example/group": "lamps"})
    app = serve()
    app.get("/lamps", name="lamps", tool=tool)(lambda request: {"lamps": 1})
    app.get("/page", name="lamp_page")(lambda request: Response.html("<p>Lamps"))
    client = Client(app)
    [listed] = client.tools.list().values()
    assert listed["_meta"] == {"shop.example/group": "lamps", "ui": {"resourceUri": "ui://lamp_page"}}
    assert listed["annotations"]["openWorldHint"] is True
    assert client.tools.resources()["ui://lamp_page"]["mimeType"] == "text/html;profile=mcp-app"
    [page] = client.tools.read("ui://lamp_page")
    assert page == {"uri": "ui://lamp_page", "mimeType": "text/html;profile=mcp-app", "text": "<p>Lamps"}


def test_prompts_have_messages_pictures_and_choices():
    tools = Tools(OpenAPI("Test"), instructions="Ask for lamps.")

    @tools.prompt
    def look(tone: Literal["kind", "kinder", "rude"], lamp: str = "Globe") -> list[Any]:
        """Look at a lamp."""
        return [Response(PNG, content_type="image/png"), f"Be {tone} about {lamp}.", ("assistant", "I see.")]

    @tools.completion("look", "lamp")
    async def lamps(text: str) -> list[str]:
        return [f"{text}{number}" for number in range(150)]

    client = Client(serve(tools=tools))
    assert list(client.tools.prompts()) == ["look"]
    picture, text, reply = client.tools.prompt("look", tone="kind")
    assert (picture["content"]["type"], text["content"]["text"]) == ("image", "Be kind about Globe.")
    assert reply == {"role": "assistant", "content": {"type": "text", "text": "I see."}}
    ref = {"type": "ref/prompt", "name": "look"}
    for name, value, values in [("tone", "KI", ["kind", "kinder"]), ("lamp", "G", [f"G{at}" for at in range(100)])]:
        found = send(client, "completion/complete", ref=ref, argument={"name": name, "value": value}).json["result"]
        assert found["completion"]["values"] == values
    assert found["completion"]["hasMore"] is True
    assert (
        "is not text" in send(client, "prompts/get", name="look", arguments={"tone": "loud"}).json["error"]["message"]
    )
    assert send(client, "server/discover").json["result"]["instructions"] == "Ask for lamps."


HEADERS = [  # the header, the argument, the status
    ("eu", "eu", 200), ("=?base64?ZXU=?=", "eu", 200), ("=?base64?ZXU", "=?base64?ZXU", 200),
    (None, "eu", 400), ("us", "eu", 400), ("=?base64?ZXU?=", "eu", 400),
]  # fmt: skip


@rows("header, argument, status", HEADERS)
def test_headers_repeat_arguments(header, argument, status):
    given = {} if header is None else {"mcp-param-region": header}
    response = send(
        Client(conformance), "tools/call", headers=given, name="test_custom_header", arguments={"region": argument}
    )
    assert (response.status, "error" in response.json) == (status, status == 400)


@rows("number, is_right", [(7.0, True), (7, True), (1e3, True), (7.5, False), (True, False)])
def test_a_number_without_a_fraction_is_an_integer(number, is_right):
    app = serve()

    @app.get("/lamps/<int:number>", tool=True)
    def show(request: Request, number: int) -> dict[str, int]:
        return {"number": number}

    assert Client(app).tools.call("show", number=number).is_error is not is_right


# Reports and questions


@dataclass
class Order:
    """An order."""

    size: Annotated[int, Field(label="How many?")]
    colour: Annotated[str, Field(choices={"r": "Red", "g": "Green"})] = "r"


def order(request: Request) -> dict[str, object]:
    """Order lamps."""
    call = ToolCall.of(request)
    call.progress(1, 2, "asking")
    call.progress(1, 2, "again")
    call.log("debug", {"secret": False})
    wanted = call.ask("What do you want?\u202e", Order, name="order")
    if wanted is None:
        return {"ordered": 0}
    return {"ordered": wanted.size, "colour": wanted.colour, "poem": call.sample("Write.") if wanted.size > 9 else ""}


async def order_later(request: Request) -> dict[str, object]:
    """Order lamps on a loop."""
    return order(request)


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("handler", [order, order_later], ids=lambda each: each.__name__)
def test_a_handler_asks_reports_and_returns(handler, interface):
    asked = []

    def reply(question):
        asked.append(question["params"])
        if question["method"] == "sampling/createMessage":
            return {"role": "assistant", "content": {"type": "text", "text": "A poem."}}
        return {"size": "ten" if len(asked) == 1 else 10, "colour": "g"}

    client = Client(serve(handler), interface)
    result = client.tools.when_asked(reply).call(handler.__name__)
    assert result.data == {"ordered": 10, "colour": "g", "poem": "A poem."}
    form, again, prompt = asked
    assert form["requestedSchema"] == {
        "type": "object",
        "properties": {
            "size": {"type": "integer", "title": "How many?"},
            "colour": {
                "type": "string", "default": "r", "title": "Colour",
                "oneOf": [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}],
            },
        },
        "required": ["size"],
    }  # fmt: skip
    assert form["message"] == "What do you want?<U+202E>"
    assert again["message"].startswith("What do you want?<U+202E> (/size: expected an integer")
    assert prompt == {"messages": [{"role": "user", "content": {"type": "text", "text": "Write."}}], "maxTokens": 1000}
    assert [each["message"] for each in result.progress] == ["asking"] * 4
    assert result.logged[0] == {"level": "debug", "data": {"secret": False}}
    assert client.tools.when_asked(lambda question: None).call(handler.__name__).data == {"ordered": 0}


def test_other_requests_to_the_route_are_told_what_is_asked():
    response = Client(serve(order)).post("/order")
    assert (response.status, "What do you want?" in response.text) == (428, True)


def test_logs_and_progress_are_for_clients_that_want_them():
    client = Client(serve(order))
    assert send(client, "tools/call", name="order", arguments={}).content_type == "application/json"
    for level, count in [("debug", 1), ("info", 0), ("nonsense", 0)]:
        told = send(client, "tools/call", name="order", arguments={}, meta={f"{META}logLevel": level}).text
        assert told.count("notifications/message") == count


async def conflicts(request: Request) -> str:
    raise Conflict("Not now.")


async def fails(request: Request) -> AsyncIterator[int]:
    yield 1
    raise ValueError


LEFT = [  # the interface, the handler, its tool, the body's part
    ("wsgi", order, True, "input_required"), ("asgi", order_later, True, "input_required"),
    ("rsgi", conflicts, True, "Not now"), ("asgi", fails, True, "Internal Server Error"),
    ("wsgi", conflicts, Tool(confirm="Pay?"), "Pay?"),
]  # fmt: skip


@frees_at_once
@rows("interface, handler, tool, part", LEFT)
def test_a_call_leaves_nothing_to_the_garbage_collector(interface, handler, tool, part, caplog):
    caplog.set_level(logging.CRITICAL, "antiphon")  # records keep errors
    with Client(serve(handler, tool=tool), interface, raise_errors=False) as client:

        def call():
            return send(client, "tools/call", name=handler.__name__, arguments={}, meta={f"{META}logLevel": "info"})

        assert part in call().text
        assert not garbage_of(call)


@dataclass
class Nested:
    orders: list[Order]


def test_a_question_that_no_client_can_show():
    def nested(request: Request) -> str:
        with pytest.raises(TypeError, match=r"Nested\.orders"):
            ToolCall.of(request).ask("?", Nested)
        return "refused"

    assert Client(serve(nested)).tools.call("nested").text == "refused"


LACKS = [({}, {"elicitation": {"form": {}}}), ({"elicitation": {"url": {}}}, {"elicitation": {"form": {}}})]


@rows("able, needed", LACKS)
def test_a_client_is_told_which_capability_it_lacks(able, needed):
    response = send(Client(serve(order)), "tools/call", able, name="order", arguments={})
    assert (response.status, response.json["error"]["code"]) == (400, -32021)
    assert response.json["error"]["data"] == {"requiredCapabilities": needed}


ANN, BOB = {"authorization": "Bearer of-ann"}, {"authorization": "Bearer of-bob"}
YES = {"action": "accept", "content": {"size": 1}}


def test_a_reply_counts_only_for_its_question_its_call_and_its_caller():
    client = Client(serve(order))

    def ask(headers=ANN, **more):
        return send(client, "tools/call", headers=headers, name="order", arguments={}, **more).json

    state = ask()["result"]["requestState"]
    assert ask(BOB, requestState=state, inputResponses={"order": YES})["error"]["code"] == -32602
    assert ask(inputResponses={"order": YES})["result"]["resultType"] == "input_required"  # without its state
    for reply in ({"other": YES}, {"order": 7}, {"order": [YES]}, None, 7):
        again = ask(requestState=state, inputResponses=reply)["result"]
        assert again["resultType"] == "input_required"
    done = ask(requestState=state, inputResponses={"order": YES, "other": YES})["result"]
    assert done["structuredContent"]["ordered"] == 1


def test_a_question_whose_words_have_changed_is_asked_again():
    price = [30]

    def pay(request: Request) -> str:
        return f"{price[0]}: {ToolCall.of(request).ask(f'Pay {price[0]} euros?', Order, name='pay')}"

    client = Client(serve(pay))
    state = send(client, "tools/call", name="pay", arguments={}).json["result"]["requestState"]
    price[0] = 3000
    again = send(client, "tools/call", name="pay", arguments={}, requestState=state, inputResponses={"pay": YES}).json
    assert again["result"]["inputRequests"]["pay"]["params"]["message"] == "Pay 3000 euros?"


# Sessions


class Session:
    """A client of a revision with sessions, over ASGI; several clients of one store are like several processes."""

    def __init__(self, client, headers=(), able=ABLE):
        self.client, self.headers, self.able = (
            client, {**dict(headers), "accept": "application/json, text/event-stream"}, able,
        )  # fmt: skip

    async def begin(self):
        response = await self.send("initialize", protocolVersion="2025-11-25", capabilities=self.able)
        self.headers["mcp-session-id"] = response.headers["mcp-session-id"]
        return response.json["result"]

    def message(self, method, ident=1, **params):
        return {"jsonrpc": "2.0", "method": method, "params": params, **({} if ident is None else {"id": ident})}

    async def send(self, method, ident=1, **params):
        return await self.client.post("/mcp", json=self.message(method, ident, **params), headers=self.headers)

    async def reply(self, ident, result):
        message = {"jsonrpc": "2.0", "id": ident, "result": result}
        return (await self.client.post("/mcp", json=message, headers=self.headers)).status

    async def told(self, method="tools/call", ident=1, verb="POST", **params):
        """Yield the messages of a stream."""
        body = {"json": self.message(method, ident, **params)} if verb == "POST" else {}
        async with self.client.stream(verb, "/mcp", headers=self.headers, **body) as response:
            async for line in lines(response):
                if line.startswith("data: "):
                    yield json.loads(line[6:])


async def lines(response):
    kept = ""
    async for chunk in response:
        kept += chunk.decode()
        *whole, kept = kept.split("\n")
        for line in whole:
            yield line


@pytest.fixture(params=["one process", "two processes"])
def processes(request, tmp_path):
    """Return two applications that share their store, or one twice."""

    def make(*handlers, **options):
        if request.param == "one process":
            return [serve(*handlers, **options)] * 2
        return [serve(*handlers, store=SQLiteStore(tmp_path / "store.db"), **options) for _ in range(2)]

    return make


def run(work):
    async def bounded():
        async with asyncio.timeout(30):
            await work()

    asyncio.run(bounded())


def test_a_session_is_asked_on_its_stream_and_replies_to_any_process(processes):
    apps = processes(order)

    async def work():
        async with AsyncClient(apps[0]) as first, AsyncClient(apps[1]) as second:
            here = Session(first, ANN)
            await here.begin()
            there, bob = Session(second, here.headers), Session(second, {**here.headers, **BOB})
            stranger = Session(second, ANN)
            await stranger.begin()
            seen, statuses = [], []
            async for message in here.told(name="order", arguments={}):
                seen.append(message.get("method", "result"))
                if message.get("method") == "elicitation/create":
                    ident = message["id"]
                    statuses += [await each.reply(ident, YES) for each in (bob, stranger)]
                    statuses += [await there.reply("made-up", YES), await there.reply(ident, YES)]
                    statuses.append(await there.reply(ident, {"action": "decline"}))
            assert statuses == [400, 400, 400, 202, 400]
            assert (seen, message["result"]["structuredContent"]["ordered"]) == (["elicitation/create", "result"], 1)

    run(work)


def test_a_session_cancels_its_own_calls_in_any_process(processes):
    ended = []

    async def wait(request: Request) -> str:
        try:
            await asyncio.sleep(0.2)  # until it listens
            begun.set()
            await asyncio.sleep(60)
        finally:
            ended.append(request.path)
        return "done"

    apps = processes(wait)
    begun = asyncio.Event()

    async def work():
        async with AsyncClient(apps[0]) as first, AsyncClient(apps[1]) as second:
            here = Session(first, ANN)
            await here.begin()
            call = asyncio.ensure_future(here.send("tools/call", "call-1", name="wait", arguments={}))
            await begun.wait()
            bob, other = Session(second, {**here.headers, **BOB}), Session(second, ANN)
            await other.begin()
            for stranger in (bob, other):
                await stranger.send("notifications/cancelled", None, requestId="call-1")
            await asyncio.sleep(0.2)
            assert not ended
            await Session(second, here.headers).send("notifications/cancelled", None, requestId="call-1")
            assert (await call).status == 202
            assert ended == ["/wait"]

    run(work)


def test_a_client_without_a_session_or_a_capability_is_told(processes):
    app, _ = processes(order)

    async def work():
        async with AsyncClient(app) as client:
            without, unable = Session(client), Session(client, able={})
            await unable.begin()
            for each in (without, unable):
                result = (await each.send("tools/call", name="order", arguments={})).json["result"]
                assert (result["isError"], "elicitation" in result["content"][0]["text"]) == (True, True)
            level = await without.send("logging/setLevel", level="info")
            assert level.json["error"]["code"] == -32602

    run(work)


def test_a_session_sets_the_level_of_its_logs(processes):
    apps = processes(order)

    async def work():
        async with AsyncClient(apps[0]) as first, AsyncClient(apps[1]) as second:
            here = Session(first, able={})
            await here.begin()
            await Session(second, here.headers).send("logging/setLevel", level="debug")
            methods = [each.get("method") async for each in here.told(name="order", arguments={})]
            assert methods == ["notifications/message", None]

    run(work)


def test_clients_are_told_of_changes_in_any_process(processes, monkeypatch):
    changes = Channel("changes")
    apps = processes(tools=lambda: Tools(OpenAPI("Test"), resources=["guide"], changes=changes))
    for app in {*apps}:
        app.use(changes)
        app.get("/guide", name="guide")(lambda request: "Guide")

    async def work():
        async with AsyncClient(apps[0]) as client, AsyncClient(apps[1]) as second:
            here = Session(client)
            assert (await here.begin())["capabilities"]["resources"] == {"listChanged": True, "subscribe": True}
            uri = "http://testserver/guide"
            assert (await here.send("resources/subscribe", uri=uri)).json["result"] == {}
            assert (await here.send("resources/subscribe", uri="x" * 3000)).json["error"]["code"] == -32602
            stream = Session(second, here.headers).told(verb="GET")
            first = asyncio.ensure_future(anext(stream))
            meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}
            wanted = {"promptsListChanged": True, "resourceSubscriptions": [uri]}
            newest = Session(client, fields("subscriptions/listen"))
            listening = newest.told("subscriptions/listen", 7, notifications=wanted, _meta=meta)
            begun = await anext(listening)
            assert begun["method"] == "notifications/subscriptions/acknowledged"
            await asyncio.sleep(0.1)
            for each in ("tools", "/other", "/guide"):
                await changes.asend(each)
            tagged = {f"{META}subscriptionId": 7}
            assert (await anext(listening))["params"] == {"uri": uri, "_meta": tagged}
            assert (await first)["method"] == "notifications/tools/list_changed"
            assert (await anext(stream))["params"] == {"uri": uri}
            monkeypatch.setattr(resources, "_MOST_STREAMS", 1)
            assert (await newest.send("subscriptions/listen", 8, notifications={}, _meta=meta)).status == 503
            await stream.aclose()
            await listening.aclose()
            for number in range(99):
                await here.send("resources/subscribe", uri=f"lamps://{number}")
            assert (await here.send("resources/subscribe", uri="lamps://100")).json["error"]["code"] == -32602
            assert (await here.send("resources/unsubscribe", uri=uri)).json["result"] == {}

    run(work)


# Tasks


KNOWS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
ENDS = [  # what the run does, the task's status, a part of what it has, for clients without tasks
    (["a", "b"], "completed", '"text": "ab"', (False, "ab")),
    ([{"done": 1}, {"done": 2}], "completed", '"structuredContent": {"done": 2}', (False, '{"done":2}')),
    ([Conflict("The lamp is sold.")], "completed", '"isError": true', (True, "Conflict\nThe lamp is sold.")),
    ([ValueError("swordfish")], "failed", '"code": -32603', (True, "Internal Server Error")),
]


@rows("values, status, part, told", ENDS, ids=[str(each[1:3]) for each in ENDS])
def test_a_run_is_a_task_or_a_call_with_progress(values, status, part, told, tmp_path):
    runs = Runs(SQLiteStore(tmp_path / "runs.db"))

    async def produce():
        for value in values:
            if isinstance(value, Exception):
                raise value
            yield value

    async def work(request: Request) -> Response:
        return ToolCall.of(request).follow(await runs.astart(produce(), owner="ann"))

    client = Client(serve(work, tools=lambda: Tools(OpenAPI("Test"), tasks=runs)))

    def task(method, ident, able=KNOWS, headers=ANN):
        named = {**dict(headers), "mcp-name": ident}
        return send(client, method, able, named, taskId=ident).json

    begun = send(client, "tools/call", KNOWS, ANN, name="work", arguments={}).json["result"]
    assert (begun["resultType"], begun["status"], begun["ttlMs"]) == ("task", "working", 3_600_000)
    found = eventually(
        lambda: got if (got := task("tasks/get", begun["taskId"])["result"])["status"] != "working" else None, "no end"
    )
    assert (found["status"], part in json.dumps(found), "swordfish" in json.dumps(found)) == (status, True, False)
    assert task("tasks/get", begun["taskId"], {})["error"]["code"] == -32021
    for stranger, ident in [(BOB, begun["taskId"]), ((), begun["taskId"]), (ANN, "x" + begun["taskId"])]:
        assert task("tasks/get", ident, headers=stranger)["error"]["code"] == -32602
    result = client.tools.call("work")
    assert (result.is_error, result.text) == told
    assert len(result.progress) == sum(not isinstance(each, Exception) for each in values)


@dataclass
class Approval:
    approved: bool
    reason: str = ""


KNOWS_AND_ASKS = {**KNOWS, "elicitation": {}}


@rows("interface", ["wsgi", "asgi"])
def test_a_task_that_asks_says_so_at_once_takes_replies_and_is_completed(interface):
    runs, paid = Runs(), []

    async def pay():
        for amount in (1, 2):
            reply = await current_run().ask(f"Pay {amount}?", Approval)
            paid.append((amount, reply))
        yield "Paid."

    async def work(request: Request) -> Response:
        return ToolCall.of(request).follow(await runs.astart(pay()))

    app = serve(work, tools=lambda: Tools(OpenAPI("Test"), tasks=runs))
    app.use(runs)
    with Client(app, interface) as client:
        begun = send(client, "tools/call", KNOWS, ANN, name="work", arguments={}).json["result"]

        def task(method, able=KNOWS_AND_ASKS, headers=ANN, **more):
            named = {**headers, "mcp-name": begun["taskId"]}
            return send(client, method, able, named, taskId=begun["taskId"], **more).json

        def asked(text):
            def look():
                found = task("tasks/get")["result"]
                questions = {key: each["params"] for key, each in found.get("inputRequests", {}).items()}
                return questions if [each["message"] for each in questions.values()] == [text] else None

            return eventually(look, "no question")

        [(first, form)] = asked("Pay 1?").items()
        assert form["requestedSchema"]["required"] == ["approved"]
        assert task("tasks/get")["result"]["status"] == "input_required"
        assert task("tasks/get", KNOWS)["result"]["status"] == "working"  # a client that can show no form
        yes = {"action": "accept", "content": {"approved": True}}
        wrong = {"action": "accept", "content": {"approved": "yes"}}
        assert "/approved" in task("tasks/update", inputResponses={first: wrong})["error"]["message"]
        assert task("tasks/update", inputResponses=[])["error"]["code"] == -32602
        assert task("tasks/update", headers=BOB, inputResponses={first: yes})["error"]["code"] == -32602
        assert not paid
        for _ in range(2):  # what does not wait, or no longer, is ignored
            assert task("tasks/update", inputResponses={"other": yes, first: yes})["result"] == {
                "resultType": "complete"
            }
        [second] = asked("Pay 2?")
        assert second != first
        task("tasks/update", inputResponses={second: {"action": "decline"}, first: {"action": "decline"}})
        done = eventually(lambda: got if (got := task("tasks/get")["result"]).get("result") else None, "no end")
    assert (done["status"], done["result"]["content"][0]["text"]) == ("completed", "Paid.")
    assert paid == [(1, Approval(True)), (2, Approval(False))]


def test_a_task_is_cancelled_by_its_caller():
    runs, begun = Runs(), []

    async def wait():
        begun.append(True)
        yield "begun"
        await asyncio.sleep(60)

    async def work(request: Request) -> Response:
        return ToolCall.of(request).follow(await runs.astart(wait()))

    app = serve(work, tools=lambda: Tools(OpenAPI("Test"), tasks=runs))
    app.use(runs)
    with Client(app) as client:
        ident = send(client, "tools/call", KNOWS, ANN, name="work", arguments={}).json["result"]["taskId"]
        for headers, found in [(BOB, "error"), (ANN, "result")]:
            named = {**headers, "mcp-name": ident}
            assert found in send(client, "tasks/cancel", KNOWS, named, taskId=ident).json
        status = send(client, "tasks/get", KNOWS, {**ANN, "mcp-name": ident}, taskId=ident).json["result"]["status"]
        assert status == "cancelled"
