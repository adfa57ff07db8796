"""Tools: which handlers they are, what clients see of them, and the requests and results of calls."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from antiphon import App, Blueprint, Request, Response, RouteKey, abort
from antiphon.concurrency.process import Announcement
from antiphon.features import (
    AccessLog,
    APIKey,
    FileRoutes,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    RateLimit,
    Tool,
    ToolCall,
    Tools,
    Users,
    login_required,
    scopes_required,
)
from antiphon.features.tools import exchange, handling
from antiphon.http import ETag, Link
from antiphon.response import events
from antiphon.testing import Client, LifespanError
from tests.adapters.conftest import scope
from tests.features.tools.test_protocol import fields, legacy, modern
from tests.helpers.rows import rows

STREAMED = {"accept": "application/json, text/event-stream"}


def serve(*handlers, path="/api/it", method="post", tool=True, openapi="3.1", features=(), max_result=1000, **options):
    """Return a client of an application with handlers that are tools, each at a path of its own."""
    app = App(secret_keys=["of a test, and not secret"])
    api = OpenAPI("Test", prefix="/api", docs=None, openapi=openapi)
    for each in (api, *features, Tools(api, max_result=max_result)):
        app.use(each)
    for at, handler in enumerate(handlers):
        app.route(path + str(at or ""), [method.upper()], tool=tool, **options)(handler)
    return Client(app)


@dataclass
class Lamp:
    name: str
    price: int
    tags: tuple[str, ...] = ()


@dataclass
class Price:
    price: int


# What is listed


EXPOSED = {
    "change_lamp": ("Change a lamp\n\nIts number stays the same.", ["number", "name", "price"], False, False, True),
    "countdown": ("Count from three to one", [], True, False, True),
    "delete_lamp": ("Delete a lamp", ["number"], False, True, True),
    "list_lamps": ("List all lamps", [], True, False, True),
    "show_lamp": ("Show a lamp", ["number"], True, False, True),
}
"""Every tool of the shop, with its description, its arguments, and if it reads, destroys and may be repeated."""


def test_nothing_is_a_tool_unless_its_route_says_so(ann):
    assert {
        name: (each["description"], [*each["inputSchema"]["properties"]], *hints_of(each))
        for name, each in ann.tools.list().items()
    } == EXPOSED
    assert "secret" in {route.name for route in ann.app.routes}


def hints_of(tool):
    return tuple(tool["annotations"][name] for name in ("readOnlyHint", "destructiveHint", "idempotentHint"))


def test_a_tool_has_the_schemas_of_the_document_and_only_the_types_that_it_needs(ann):
    tool = ann.tools.list()["change_lamp"]
    assert tool["inputSchema"] == {
        "type": "object",
        "properties": {
            "number": {"type": "integer", "minimum": 0, "maximum": 9223372036854775807, "format": "int64"},
            "name": {"type": "string"},
            "price": {"type": "integer"},
        },
        "required": ["number", "name", "price"],
        "additionalProperties": False,
    }
    lamp = {"title": "Lamp", "description": "A lamp of the shop.", "type": "object"}
    assert tool["outputSchema"]["$ref"] == "#/$defs/Lamp"
    assert lamp.items() <= tool["outputSchema"]["$defs"]["Lamp"].items()
    assert list(tool["outputSchema"]["$defs"]) == ["Lamp"]


def test_tools_that_need_a_login_are_listed_only_after_it(shop):
    assert [*shop.tools.list()] == ["countdown", "list_lamps", "show_lamp"]
    shop.headers["authorization"] = "Bearer of-ann"
    assert [*shop.tools.list()] == [*EXPOSED]


def test_an_api_key_sees_the_tools_for_which_it_has_the_scopes():
    keys = APIKey(str, store=MemoryStore())
    client = serve(answer, features=[Users(keys)], before=scopes_required("read"))
    for scopes, names in (["read"], ["answer"]), (["write"], []):
        client.headers["x-api-key"] = keys.create("ann", scopes=scopes)
        assert [*client.tools.list()] == names


def test_the_options_of_a_tool():
    def pay(request: Request) -> str:
        """Pay."""
        return "paid"

    [tool] = serve(pay, tool=Tool(name="pay-now", title="Pay", destructive=True)).tools.list().values()
    assert (tool["name"], tool["title"], hints_of(tool)) == ("pay-now", "Pay", (False, True, False))


def test_a_name_is_one_that_all_clients_take_and_the_route_s_name_still_calls_it():
    app, shop = App(), Blueprint("shop", prefix="/shop")
    for feature in (api := OpenAPI("Test"), Tools(api)):
        app.use(feature)
    shop.get("/lamp", name="lamp.of-the-day", tool=True)(lambda request: "a lamp")
    app.register(shop)
    client = Client(app)
    assert [*client.tools.list()] == ["shop_lamp_of_the_day"]
    for name in ("shop_lamp_of_the_day", "shop_lamp_of-the-day", "shop.lamp.of-the-day"):
        assert client.tools.call(name).text == "a lamp"


def take_files(request: Request) -> str:
    return request.files["file"].filename


def take_bytes(request: Request) -> str:
    return str(len(request.body))


def answer(request: Request) -> str:
    return ""


@rows(
    "handler, options, said",
    (take_files, {}, "accepts files: use JSON"),
    (answer, {"name": "a" * 65}, "a name of 65 characters"),
    (answer, {"name": "3d"}, "a name of at most 64 that begins with a letter or _"),
    (take_bytes, {}, "accepts a body of"),
    (answer, {"method": "query"}, 'OpenAPI(..., openapi="3.2") describes it'),
    (answer, {"signed_url": True}, "accepts only signed URLs"),
)
def test_a_handler_that_can_t_be_a_tool(handler, options, said):
    with pytest.raises(LifespanError, match=re.escape(said)), serve(handler, **options):
        pass


@rows(
    "tool, kind, said",
    ("yes", TypeError, "tool must be True or a Tool"),
    (Tool(name="lamps.show"), ValueError, "a letter or _ and up to 63 letters, digits, _ and -"),
    (Tool(name="3d"), ValueError, "a tool's name must be"),
    (Tool(name="a" * 65), ValueError, "a tool's name must be"),
    (Tool(name="two words"), ValueError, "a tool's name must be"),
    (Tool(name="2fa"), ValueError, "a letter or _ and up to 63 letters"),
    (Tool(name=""), ValueError, "a tool's name must be"),
)
def test_a_wrong_option(tool, kind, said):
    with pytest.raises(kind, match=said):
        App().get("/", tool=tool)(answer)


def test_two_tools_of_one_name_are_an_error():
    def second(request: Request) -> str:
        return ""

    client = serve(answer, second, tool=Tool(name="same"))
    tools = Tools(OpenAPI("Test", prefix="/api"))
    with pytest.raises(ValueError, match="two tools are named 'same'"):
        tools.definitions_in(client.app)


@rows(
    "arguments, kind, said",
    (("Lamps",), TypeError, "the app's OpenAPI"),
    ((OpenAPI("T"), {"path": "mcp"}), ValueError, "must begin with a slash"),
    ((OpenAPI("T"), {"max_result": 0}), ValueError, "above 0"),
    ((OpenAPI("T"), {"resources": "index"}), ValueError, "must be a list"),
    ((OpenAPI("T"), {"tools": {"a": True}}), TypeError, "dialect must be an application"),
)
def test_a_wrong_feature(arguments, kind, said):
    api, options = (*arguments, {})[:2]
    with pytest.raises(kind, match=said):
        Tools(api, **options)


# The request of a call


@dataclass
class Search:
    words: str = ""
    kinds: tuple[str, ...] = ()
    limit: int = 10


def test_arguments_go_where_the_handler_reads_them():
    def find(request: Request, shelf: str) -> dict[str, Any]:
        query, lamp = request.args_as(Search), request.json_as(Lamp)
        return {"shelf": shelf, "query": [query.words, query.kinds, query.limit], "lamp": [lamp.name, lamp.price]}

    client = serve(find, path="/api/shelves/<shelf>")
    asked = {"shelf": "a bü%2F", "words": "x&y=1", "kinds": ["p", "q"], "name": "Globe", "price": 4}
    assert client.tools.call("find", **asked).data == {
        "shelf": "a bü%2F", "query": ["x&y=1", ["p", "q"], 10], "lamp": ["Globe", 4],
    }  # fmt: skip


def test_a_body_with_a_name_that_the_path_has_is_an_argument_itself():
    def rename(request: Request, name: str) -> dict[str, Any]:
        return {"old": name, "new": request.json_as(Lamp).name}

    client = serve(rename, path="/api/lamps/<name>")
    [tool] = client.tools.list().values()
    assert list(tool["inputSchema"]["properties"]) == ["name", "body"]
    assert client.tools.call("rename", name="a", body={"name": "b", "price": 1}).data == {"old": "a", "new": "b"}


def test_a_list_and_a_form_as_bodies():
    def add(request: Request) -> int:
        return sum(request.json_as(list[int]))

    def total(request: Request) -> int:
        return sum(request.json_as(list[int]))

    def greet(request: Request) -> str:
        return f"Hello, {request.form_as(Lamp).name}."

    client = serve(total, greet, gives=dict[str, Any])
    assert client.tools.call("greet", name="Ann", price=1).text == "Hello, Ann."
    assert [*client.tools.list()["total"]["inputSchema"]["properties"]] == ["body"]


WRONG = [  # the path of the tool, its arguments, what the model reads
    ("/api/<int:number>", {}, "/number: missing"),
    ("/api/<int:number>", {"number": "seven"}, "/number: must be an integer"),
    ("/api/<int:number>", {"number": 1.5}, "/number: must be an integer"),
    ("/api/<int:number>", {"number": None}, "/number: must be an integer"),
    ("/api/<int:number>", {"number": 1, "hue": 2}, "/hue: there is no such argument. The arguments are: number"),
    ("/api/<name>", {"name": ""}, "/name: must be text or a number, and not empty"),
    ("/api/<name>", {"name": ["a"]}, "/name: must be text or a number, and not empty"),
    ("/api/<name>", {"name": "../secret"}, "/name: must not contain slashes, backslashes or NUL"),
    ("/api/<name>", {"name": ".."}, "/name: must not begin with a slash or contain the segments . or .."),
    ("/api/<path:rest>", {"rest": "a/../../secret"}, "/rest: must not begin with a slash or contain"),
    ("/api/<path:rest>", {"rest": "/etc"}, "/rest: must not begin with a slash or contain"),
    ("/api/<path:rest>", {"rest": "a\\b"}, "/rest: must not contain"),
]  # fmt: skip


@rows("path, arguments, said", WRONG)
def test_arguments_that_no_request_can_have_are_told_to_the_model(path, arguments, said):
    asked = []

    def it(request: Request) -> str:
        asked.append(request)
        return "done"

    result = serve(it, path=path).tools.call("it", **arguments)
    assert result.is_error
    assert said in result.text
    assert not asked


def test_a_call_has_the_client_s_address_and_fields_but_not_those_of_the_message():
    seen = {}

    def look(request: Request) -> str:
        seen.update(request.headers.items(), ip=request.ip, url=str(request.url), id=request.id)
        return "looked"

    client = serve(look, method="get")
    client.headers["x-tenant"] = "shop-7"
    client.headers["if-none-match"] = '"old"'
    client.tools.call("look")
    assert (seen["x-tenant"], seen["ip"], seen["url"]) == ("shop-7", "127.0.0.1", "http://testserver/api/it")
    assert not {"mcp-method", "mcp-name", "content-type", "content-length", "if-none-match"} & seen.keys()


def test_a_handler_that_reads_its_whole_query_takes_fields_of_any_names():
    def search(request: Request) -> dict[str, str]:
        return {name: value.upper() for name, value in request.args.items()}

    client = serve(search, method="get")
    assert client.tools.call("search", fields={"q": "a", "n": 7}).data == {"q": "A", "n": "7"}
    assert client.tools.call("search", fields={"q": {}}).is_error


# Results


PNG = b"\x89PNG\r\n\x1a\n"


def text(*lines):
    return [{"type": "text", "text": line} for line in lines]


def bytes_of(media, body):
    return lambda request: Response(body, content_type=media)


RESULTS = [  # what a handler returns, its content, structured content
    (lambda request: "text", text("text"), None),
    (lambda request: {"a": 1}, text('{"a":1}'), {"a": 1}),
    (lambda request: (None, 204), text("204 No Content"), None),
    (bytes_of("image/png", PNG), [{"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"}], None),
    (bytes_of("audio/wav", b"\0"), [{"type": "audio", "data": "AA==", "mimeType": "audio/wav"}], None),
    (bytes_of("application/pdf", b"\0\1"), text("2 bytes of application/pdf, which are not text."), None),
    (lambda request: ({"id": 7}, 201, {"location": "/lamps/7"}), text('{"id":7}', "Location: /lamps/7"), {"id": 7}),
    (lambda request: Response.redirect("/lamps/7"), text("303 See Other", "Location: /lamps/7"), None),
    (lambda request: Response.redirect("https://evil.example/", external=True), text("303 See Other"), None),
]


@rows("handler, content, data", RESULTS, ids=[str(each[1])[:60] for each in RESULTS])
def test_results_have_the_shape_of_their_media_type(handler, content, data):
    def it(request: Request):
        return handler(request)

    result = serve(it, gives=dict[str, Any]).tools.call("it")
    assert (result.content, result.data, result.is_error) == (content, data, False)


def refuse(request: Request) -> str:
    abort(409, "The lamp is sold.")


def fail(request: Request) -> str:
    raise RuntimeError("the password of the database is swordfish")


def check(request: Request) -> str:
    return request.json_as(Lamp).name


def own(request: Request) -> tuple[dict[str, str], int]:
    return {"error": "sold"}, 409


def bare(request: Request) -> Response:
    return Response("[]", 409, content_type="application/problem+json")


def page(request: Request) -> Response:
    return Response.html("<title>Gone</title><h1>Gone</h1><p>It is &lt;sold&gt;.", 410)


@pytest.fixture
def failing():
    return serve(refuse, fail, check, page, own, bare, gives=str)


@rows(
    "handler, arguments, said",
    (refuse, {}, "409 Conflict\nThe lamp is sold."),
    (fail, {}, "500 Internal Server Error"),
    (check, {"name": 1, "price": "x"}, "422 Unprocessable Content\n2 fields are wrong\n/name: expected a string"),
    (check, {"name": "x"}, "/price: missing"),
    (check, {}, "/name: missing\n/price: missing"),
    (page, {}, "410 Gone\nGone It is <sold>."),
    (own, {}, '409 Conflict\n{"error":"sold"}'),
    (bare, {}, "409 Conflict"),
)
def test_errors_are_told_in_words_that_a_model_can_act_on(failing, handler, arguments, said):
    result = failing.tools.call(handler.__name__, **arguments)
    assert result.is_error
    assert said in result.text
    assert "swordfish" not in result.text
    assert result.response.status == 200


def test_a_tool_that_raises_system_exit_ends_only_its_call():
    async def leave(request: Request) -> str:
        raise SystemExit

    client = serve(leave, gives=str)
    result = client.tools.call("leave")
    assert (result.is_error, result.text.partition("\n")[0]) == (True, "500 Internal Server Error")
    assert [*client.tools.list()] == ["leave"]


@rows("size, is_error", [(1000, False), (1001, True)])
def test_results_are_bounded(size, is_error):
    def whole(request: Request) -> str:
        return "x" * size

    def streamed(request: Request) -> Iterator[str]:
        yield from "x" * size

    for name in ("whole", "streamed"):
        result = serve(whole, streamed, method="get").tools.call(name)
        assert result.is_error is is_error
        assert result.text.startswith("The result has more than 1000 bytes. Ask for less" if is_error else "xxx")


def test_an_endless_stream_ends_at_the_limit_and_its_handler_with_it():
    ended = []

    async def forever(request: Request) -> AsyncIterator[dict[str, int]]:
        try:
            number = 0
            while True:
                yield {"number": number}
                number += 1
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    assert serve(forever, method="get").tools.call("forever").is_error
    assert ended == [True]


def test_values_of_a_stream_are_reported_as_they_come():
    async def count(request: Request) -> AsyncIterator[int]:
        for number in range(3):
            yield number

    client = serve(count, method="get")
    message = legacy("tools/call", name="count", _meta={"progressToken": "t"})
    response = client.post("/mcp", json=message, headers=STREAMED)
    assert response.content_type == "text/event-stream"
    told = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    assert [each["params"] for each in told[:3]] == [
        {"progressToken": "t", "progress": number + 1, "message": str(number)} for number in range(3)
    ]
    assert told[3]["result"]["content"] == [{"type": "text", "text": "[0,1,2]"}]
    assert client.post("/mcp", json=message, headers={"accept": "application/json"}).content_type == "application/json"


def test_a_stream_that_fails_is_told_and_logged(caplog):
    async def break_off(request: Request) -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("the password is swordfish")

    client = serve(break_off, method="get")
    assert (client.tools.call("break_off").is_error, "swordfish" in caplog.text) == (True, True)
    message = legacy("tools/call", name="break_off", _meta={"progressToken": 1})
    told = client.post("/mcp", json=message, headers=STREAMED).text
    assert re.search(
        r'"text":"500 Internal Server Error\\nThe request\'s id, [^"]+: [0-9a-f]{32}"}],"isError":true', told
    )
    assert "swordfish" not in told


@rows("given, text", [("DRAINING", "[1,2]"), ("GRACE_OVER", "500 Internal Server Error")])
def test_a_client_of_a_process_that_ends_gets_a_result(monkeypatch, caplog, given, text):
    ending = Announcement()
    for module in (events, exchange, handling):
        monkeypatch.setattr(module, given, ending, raising=False)

    async def slow(request: Request) -> AsyncIterator[int]:
        yield 1
        asyncio.get_running_loop().call_later(0.01, ending.give)
        await asyncio.sleep(0.05 if given == "DRAINING" else 60)
        yield 2

    message = legacy("tools/call", name="slow", _meta={"progressToken": 1})
    told = serve(slow, method="get").post("/mcp", json=message, headers=STREAMED).text
    last = json.loads(told.rsplit("data: ", 1)[1])
    [content] = last.get("result", {}).get("content")
    assert (content["text"].partition("\n")[0], caplog.text) == (text, "")


def test_two_apis_with_tools_of_their_own():
    app = App()
    for name in ("a", "b"):
        api = OpenAPI(name, prefix=f"/{name}")
        app.use(api)
        app.use(Tools(api, path=f"/{name}/mcp"))
        app.get(f"/{name}/it", name=name, tool=True)(answer)
    for name in ("a", "b"):
        [tool] = Client(app).post(f"/{name}/mcp", json=legacy("tools/list")).json["result"]["tools"]
        assert tool["name"] == name


def test_a_path_that_another_host_has_is_no_tool_of_that_description():
    app, api = App(), OpenAPI("Test")
    app.use(Tools(api))
    app.get("/it", name="first", host="a.example")(answer)
    app.get("/it", name="second", host="b.example", tool=True)(answer)
    with pytest.raises(LookupError, match="GET /it is a tool, but not in the document"):
        app.routes[0].handler.__self__.definitions_in(app)


# What else a request meets


def test_a_limit_counts_a_call_once():
    client = serve(answer, features=[RateLimit("3/minute")])
    said = [client.tools.call("answer").response.status for _ in range(3)]
    assert said == [200, 200, 200]
    with pytest.raises(AssertionError, match="429"):
        client.tools.call("answer")


def test_hooks_and_middleware_see_the_call_as_a_request():
    flag = RouteKey[str]("flag")
    seen = []
    client = serve(answer, method="put", meta={flag: "new"})
    client.app.before_request(lambda request: seen.append((request.method, request.path, request.route.meta.get(flag))))
    client.tools.call("answer")
    assert seen == [("POST", "/mcp", None), ("PUT", "/api/it", "new")]


def test_the_access_log_has_one_line_that_names_the_tool(caplog):
    caplog.set_level(logging.INFO, "antiphon.access")
    client = serve(answer, features=[AccessLog()])
    client.tools.call("answer")
    [record] = [each for each in caplog.records if each.name == "antiphon.access"]
    assert (record.method, record.path, record.route, record.status) == ("POST", "/mcp", "/mcp#answer", 200)


def orders(**options):
    made = []

    def order(request: Request) -> dict[str, int]:
        made.append(request.idempotency_key)
        return {"number": len(made)}

    return made, serve(order, features=[IdempotentWrites(MemoryStore())], idempotent=True, **options)


def call_with(client, ident, **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    message = {"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": "order"}}
    return client.post("/mcp", json=message, headers=fields).json["result"]["structuredContent"]["number"]


@rows(
    "ids, headers, numbers",
    ((1, 1), {}, [1, 2]),  # two connections that both begin to count
    (("5f3c7e52-5d0c-4d3c", "5f3c7e52-5d0c-4d3c"), {}, [1, 1]),
    (("5f3c7e52-5d0c-4d3c", "5f3c7e52-5d0c-4d3d"), {}, [1, 2]),
    ((1, 1, "1"), {"mcp_session_id": "of-one"}, [1, 1, 2]),
    ((1, 2), {"idempotency_key": '"mine"'}, [1, 1]),
    ((1, 2), {"idempotency_key": r'"a \"b\" \\"'}, [1, 1]),
)
def test_a_write_that_is_sent_again_is_carried_out_once_if_its_id_tells(ids, headers, numbers):
    made, client = orders()
    assert [call_with(client, ident, **headers) for ident in ids] == numbers
    assert len(made) == max(numbers)


def test_two_clients_with_the_same_id_do_not_share_a_write():
    _, client = orders()
    ident = "5f3c7e52-5d0c-4d3c"
    assert call_with(client, ident, authorization="Bearer a") == 1
    message = {"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": "order"}}
    other = client.post("/mcp", json=message, headers={"authorization": "Bearer b"}).json["result"]
    assert other.get("structuredContent", {}).get("number") != 1


@dataclass
class Page:
    after: int = 0


def numbers(request: Request) -> Response:
    """Return 250 numbers by twenties."""
    after = request.args_as(Page).after
    response = Response.json([*range(after + 1, min(after + 20, 250) + 1)])
    response.headers["x-total-count"] = "250"
    if after + 20 < 250:
        response.links = [Link(request.url.with_query(after=after + 20), rel="next")]
    return response


@rows("send", [legacy, modern])
def test_a_list_is_read_to_its_end_by_following_results(send):
    client, arguments, read = serve(numbers, method="get", max_result=5000), {}, []
    while arguments is not None:
        sent = send("tools/call", name="numbers", arguments=arguments)
        headers = fields("tools/call", mcp_name="numbers") if send is modern else {}
        result = client.post("/mcp", json=sent, headers=headers).json["result"]
        page = result["structuredContent"]
        read += page["items"]
        arguments = page.get("next")
        assert page["total"] == 250
        assert ("There are more" in str(result["content"])) == (arguments is not None)
    assert read == [*range(1, 251)]


def test_two_agents_can_t_overwrite_each_other_s_version():
    lamp = {"version": 1, "price": 40}

    def change(request: Request) -> Response:
        if "if-match" not in request.headers:
            abort(428)
        request.precondition(etag=ETag(f"v{lamp['version']}"))
        lamp.update(version=lamp["version"] + 1, price=request.json_as(Price).price)
        response = Response.json(lamp)
        response.etag = f"v{lamp['version']}"
        return response

    tools = serve(change, method="put").tools
    assert "if_match" in tools.list()["change"]["inputSchema"]["required"]
    first = tools.call("change", price=50, if_match="v1")
    assert 'ETag: "v2"' in first.text
    assert tools.call("change", price=60, if_match='"v1"').text.startswith("412 ")
    assert tools.call("change", price=60, if_match="v2").data == {"version": 3, "price": 60}
    for wrong in ("", 3, "a\r\nb", "é", "x" * 256):
        assert "/if_match: must be text of 1 to 255" in tools.call("change", price=1, if_match=wrong).text


def test_a_call_repeated_with_its_key_is_carried_out_once():
    made, client = orders()
    call = client.tools.call
    assert [call("order", idempotency_key=key).data["number"] for key in ("a", "a", 'b "', 'b "')] == [1, 1, 2, 2]
    assert made == ["a", 'b "']
    for wrong in ("", "a\0b", "é", "x" * 256):
        assert "/idempotency_key: must be text of 1 to 255" in call("order", idempotency_key=wrong).text


def test_two_keys_of_one_person_are_two_callers_of_a_tool():
    app, api, keys, made = App(store=MemoryStore()), OpenAPI("Test"), APIKey(str), []
    for feature in (Users(keys), IdempotentWrites(required=False), Tools(api)):
        app.use(feature)

    limit = RateLimit("2/minute", by=lambda request: request.caller.key)

    @app.post("/orders", idempotent=True, tool=True, before=(login_required, limit))
    def order(request: Request) -> dict[str, object]:
        made.append((request.user, request.caller.key))  # as an audit trail has it
        return {"number": len(made)}

    one, other = (Client(app, headers={"x-api-key": keys.create("ann")}) for _ in range(2))
    calls = [each.tools.call("order", idempotency_key="a") for each in (one, other, one, other)]
    assert [each.data["number"] for each in calls] == [1, 2, 1, 2]
    assert (len({*made}), {user for user, _ in made}) == (2, {"ann"})
    assert "429" in one.tools.call("order", idempotency_key="b").text


def test_a_merge_patch_is_a_tool_s_object():
    def change(request: Request) -> Lamp:
        return request.patched(Lamp("Globe", 40, ("old",)))

    tools = serve(change, method="patch").tools
    assert [*tools.list()["change"]["inputSchema"]["properties"]] == ["name", "price", "tags"]
    assert tools.call("change", price=50).data == {"name": "Globe", "price": 50, "tags": ["old"]}
    assert tools.call("change").data["price"] == 40


# Beside an application


def test_a_call_without_a_result_fails_the_test(shop):
    with pytest.raises(AssertionError, match="401"):
        shop.tools.call("change_lamp", number=1)
    with pytest.raises(AssertionError, match="Unknown tool: secret"):
        shop.tools.call("secret")
    with pytest.raises(RuntimeError, match=r"app\.use\(Tools\(api\)\)"):
        Client(App()).tools  # noqa: B018


def test_tools_below_a_prefix_of_the_server_or_of_another_application(shop):
    client = Client(shop.app, root_path="/shop")
    assert client.tools.call("show_lamp", number=1).data == {"name": "Globe", "price": 40}
    app = App()
    app.mount("/shop", shop.app)
    message = legacy("tools/call", name="show_lamp", arguments={"number": 1})
    found = Client(app).post("/shop/mcp", json=message).json["result"]
    assert found["structuredContent"] == {"name": "Globe", "price": 40}
    read = legacy("resources/read", uri="http://testserver/shop/about")
    assert Client(app).post("/shop/mcp", json=read).json["result"]["contents"][0]["text"] == "We sell lamps."


def test_the_page_and_the_document_show_tools(shop):
    document = shop.get("/api/openapi.json").json["paths"]
    assert document["/api/lamps/{number}"]["get"]["x-tool"] is True
    assert "x-tool" not in document["/api/secret"]["get"]
    assert shop.get("/api/docs").text.count("A tool for language models.") == 5


def test_resources_are_routes_and_pages_that_are_named(tmp_path, shop):
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide" / "[page].py").write_text(
        'def get(request, page):\n    """A guide."""\n    return f"Guide {page}"\n'
    )
    app, api = App(), OpenAPI("Test")
    app.use(FileRoutes(tmp_path))
    app.static("/files", tmp_path)
    app.use(Tools(api, resources=["guide/[page]"]))
    client = Client(app)

    def ask(method, **params):
        return client.post("/mcp", json=legacy(method, **params)).json

    [template] = ask("resources/templates/list")["result"]["resourceTemplates"]
    at = "http://testserver"
    assert template == {"uriTemplate": f"{at}/guide/{{page}}", "name": "guide/[page]", "description": "A guide."}
    assert ask("resources/list")["result"] == {"resources": []}
    read = ask("resources/read", uri=f"{at}/guide/lamps")["result"]["contents"]
    assert read == [{"uri": f"{at}/guide/lamps", "mimeType": "text/plain", "text": "Guide lamps"}]
    for other in (f"{at}/files/x", "http://evil.example/guide/x", "file:///etc/passwd", f"{at}/guide/a/b"):
        assert ask("resources/read", uri=other)["error"]["code"] == -32002
    with pytest.raises(LifespanError, match="names no route for GET"), Client(make_app_with(["nothing"])):
        pass


def make_app_with(resources):
    app = App()
    app.use(Tools(OpenAPI("Test"), resources=resources))
    return app


def test_a_prompt_takes_text():
    tools = Tools(OpenAPI("Test"))

    def two(number: int) -> str:
        return ""

    with pytest.raises(TypeError, match="its arguments must be str"):
        tools.prompt(two)
    tools.prompt(lambda: "")
    with pytest.raises(ValueError, match="already a prompt"):
        tools.prompt(lambda: "")


@rows("token", [None, "of-one"])
@rows("method", ["get", "post"])
def test_a_stream_ends_when_the_client_of_its_tool_leaves(method, token):
    ended, begun = asyncio.Event(), asyncio.Event()

    async def count(request: Request) -> AsyncIterator[int]:
        try:
            for number in range(1_000_000):
                begun.set()
                yield number
                await asyncio.sleep(0 if number < 3 else 60)
        finally:
            ended.set()

    meta = {} if token is None else {"_meta": {"progressToken": token}}
    message = legacy("tools/call", name="count", arguments={}, **meta)
    asyncio.run(left_at(serve(count, method=method).app, message, {}, begun, ended))


@rows(
    "message, options, is_cancelled",
    (modern, {}, True),
    (modern, {"cancel_on_disconnect": True}, True),
    (modern, {"cancel_on_disconnect": False}, False),
    (legacy, {}, False),
    (legacy, {"cancel_on_disconnect": True}, True),
)
def test_a_client_of_the_newest_revision_or_one_of_a_route_that_says_so_cancels_its_call_by_leaving(
    message, options, is_cancelled
):
    begun, ended = asyncio.Event(), asyncio.Event()
    was_cancelled = []

    async def order(request: Request) -> str:
        try:
            ToolCall.of(request).progress(1)
            begun.set()
            for _ in range(20):
                await asyncio.sleep(60 if is_cancelled else 0.01)
        except asyncio.CancelledError:
            was_cancelled.append(True)
            raise
        finally:
            ended.set()
        return "ordered"

    call = message("tools/call", name="order", arguments={})
    call["params"].setdefault("_meta", {})["progressToken"] = "of-one"
    given = fields("tools/call", mcp_name="order") if message is modern else {}
    asyncio.run(left_at(serve(order, **options).app, call, given, begun, ended))
    assert bool(was_cancelled) == is_cancelled


async def left_at(app, message, given, begun, ended):
    """Send a message, and leave when its handling has begun; wait until it has ended."""
    body = json.dumps(message).encode()
    messages = [{"type": "http.request", "body": body}]
    sent = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body))}
    sent |= {"accept": "text/event-stream", **given}
    given = scope("POST", "/mcp", [(name.encode(), value.encode()) for name, value in sent.items()], client=("::1", 1))

    async def receive():
        if messages:
            return messages.pop()
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    await app.astart()
    async with asyncio.timeout(30):
        await app(given, receive, send)
        await ended.wait()
    await app.astop()
