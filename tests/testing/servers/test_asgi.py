import asyncio
from functools import partial

import pytest

from antiphon.testing import ContractError
from tests.helpers.rows import rows

START = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body"}


@pytest.fixture
def connect(open_client):
    return partial(open_client, interface="asgi", timeout=10)


def sending(*messages):
    async def application(scope, receive, send):
        for message in messages:
            await send(message)

    return application


def scope_of(connect, *arguments, method="GET", options=None, **settings):
    scopes = []

    async def application(scope, receive, send):
        scopes.append(scope)
        await send(START)
        await send(END)

    connect(application, **settings).request(method, *arguments, **(options or {}))
    return scopes[0]


def test_the_scope_has_what_the_specification_demands(connect):
    scope = scope_of(
        connect,
        "/a%20b/caf%C3%A9%2F?q=%20x",
        method="POST",
        options={"body": b"body", "headers": [("X-One", "é"), ("x-one", "2")]},
        base_url="https://shop.example:8443",
        client=("10.0.0.1", 1234),
        http_version="2",
    )
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "method": "POST",
        "scheme": "https",
        "path": "/a b/café/",
        "raw_path": b"/a%20b/caf%C3%A9%2F",
        "query_string": b"q=%20x",
        "root_path": "",
        "headers": [(b"host", b"shop.example:8443"), (b"x-one", b"\xe9"), (b"x-one", b"2"), (b"content-length", b"4")],
        "client": ("10.0.0.1", 1234),
        "server": ("shop.example", 8443),
        "state": {},
        "extensions": {"http.response.early_hint": {}},
    }


def test_the_path_begins_with_the_root_path(connect):
    scope = scope_of(connect, "/api/x", root_path="/api")
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == ("/api", "/api/x", b"/api/x")
    with pytest.raises(ValueError, match="is not below"):
        scope_of(connect, "/x", root_path="/api")


def test_what_is_not_utf_8_in_a_path_is_replaced(connect):
    scope = scope_of(connect, "/%FF%zz")
    assert scope["path"] == "/\N{REPLACEMENT CHARACTER}%zz"
    assert scope["raw_path"] == b"/%FF%zz"


def test_extra_entries_are_added(connect):
    assert scope_of(connect, "/", extra={"extensions": {"x": {}}})["extensions"] == {"x": {}}
    assert scope_of(connect, "/", client=None)["client"] is None


def received(connect, **options):
    """The messages that an application receives with a request, up to the end of the body."""
    messages = []

    async def application(scope, receive, send):
        while True:
            messages.append(await receive())
            if not messages[-1].get("more_body"):
                break
        await send(START)
        await send(END)

    connect(application).post("/", **options)
    return messages


@rows(
    "body, messages",
    (b"", [(b"", False)]),
    (b"abc", [(b"abc", False)]),
    (b"x" * 70000, [(b"x" * 65536, True), (b"x" * 4464, False)]),
    ([b"a", b"", b"b"], [(b"a", True), (b"b", True), (b"", False)]),
    ids=["empty", "short", "long", "chunks"],
)
def test_the_body_comes_in_messages(connect, body, messages):
    assert received(connect, body=body) == [
        {"type": "http.request", "body": chunk, "more_body": more} for chunk, more in messages
    ]


def test_the_body_may_come_from_an_async_iterator(connect):
    async def chunks():
        yield b"a"
        await asyncio.sleep(0)
        yield b"b"

    assert [message["body"] for message in received(connect, body=chunks())] == [b"a", b"b", b""]


def breaking():
    yield b"one"
    raise ConnectionResetError


async def breaking_async():
    yield b"one"
    raise ConnectionResetError


@rows(
    "options",
    {"body": b"one", "headers": {"content-length": "10"}},
    {"body": [b"one"], "headers": {"content-length": "10"}},
    {"body": breaking},
    {"body": breaking_async},
    ids=["short", "short list", "broken iterator", "broken async iterator"],
)
def test_a_body_that_breaks_off_is_a_disconnect(connect, options):
    if callable(options["body"]):
        options = {"body": options["body"]()}
    first, *rest = received(connect, **options)
    assert first == {"type": "http.request", "body": b"one", "more_body": True}
    assert rest == [{"type": "http.disconnect"}]


def test_a_body_is_cut_at_its_length(connect):
    assert received(connect, body=b"too long", headers={"content-length": "3"}) == [
        {"type": "http.request", "body": b"too", "more_body": False}
    ]


def test_an_error_of_the_test_in_its_body_reaches_the_test(connect):
    def chunks():
        yield b"one"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        received(connect, body=chunks())


def test_after_the_response_receive_tells_of_a_disconnect(connect):
    messages = []

    async def application(scope, receive, send):
        await receive()
        await send(START)
        await send({"type": "http.response.body", "body": b"x"})
        messages.extend([await receive(), await receive()])

    assert connect(application).get("/").body == b"x"
    assert messages == [{"type": "http.disconnect"}] * 2


def test_receive_waits_while_the_client_is_there(connect):
    async def application(scope, receive, send):
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.wait([waiting], timeout=0.02)
        await send(START)
        await send({"type": "http.response.body", "body": str(waiting.done()).encode()})
        await waiting

    assert connect(application).get("/").text == "False"


def test_a_client_that_leaves_stops_the_upload(connect):
    messages = []

    async def chunks():
        yield b"one"
        await asyncio.Event().wait()

    async def application(scope, receive, send):
        messages.append((await receive())["body"])
        await send(START)
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        messages.append((await receive())["type"])

    with connect(application).stream("POST", "/", body=chunks()) as response:
        assert next(response) == b"x"
    assert messages == [b"one", "http.disconnect"]


def body(**members):
    return {"type": "http.response.body"} | members


def start(**members):
    return START | members


@rows(
    "messages, complaint",
    ([], "ended without a response"),
    ([START], "ended without a response"),
    ([START, body(more_body=True)], "ended before its response was complete"),
    ([body()], "the response has not begun"),
    ([START, START], "the response has begun already"),
    ([START, END, END], "the response is already complete"),
    ([START, END, START], "the response is already complete"),
    ([{"type": "http.response.trailers"}], "a server accepts no such message here"),
    ([{"type": "http.response.pathsend", "path": "/x"}], "a server accepts no such message here"),
    ([{}], "a server accepts no such message here"),
    (["text"], "a server accepts no such message here"),
    ([start(status="200"), END], "an int from 200 to 999, not '200'"),
    ([start(status=100), END], "an int from 200 to 999, not 100"),
    ([start(status=True), END], "an int from 200 to 999, not True"),
    ([start(headers={b"a": b"b"}), END], "an iterable of"),
    ([start(headers=[("a", "b")]), END], "must be bytes, not 'a': 'b'"),
    ([start(headers=[(b"a",)]), END], "a header must be"),
    ([start(headers=[(b"A", b"b")]), END], "in lower case, not b'A'"),
    ([start(headers=[(b"a b", b"c")]), END], "a token, not 'a b'"),
    ([start(headers=[(b"a", b"b\nc")]), END], "is not allowed in a header"),
    ([start(trailers=True), END], "trailers are an extension"),
    ([START, body(body="text")], "'body' must be bytes, not str"),
    ([START, body(body=None)], "'body' must be bytes, not NoneType"),
    ([START, body(body=b"", more_body=1)], "'more_body' must be a bool, not 1"),
)
def test_a_breach_of_contract_is_an_error(connect, messages, complaint):
    for raise_errors in (True, False):
        with pytest.raises(ContractError, match=complaint):
            connect(sending(*messages), raise_errors=raise_errors).get("/")


def test_a_breach_of_contract_cannot_be_swallowed(connect):
    async def application(scope, receive, send):
        try:
            await send(START | {"status": 0})
        except AssertionError:
            await send(START)
        await send(END)

    with pytest.raises(ContractError, match="not 0"):
        connect(application).get("/")


def test_headers_may_be_any_iterable_of_pairs(connect):
    response = connect(sending(START | {"headers": iter([[b"a", b"\xe9"]])}, END)).get("/")
    assert response.headers.items() == [("a", "é")]


def test_an_error_between_head_and_body_is_still_a_500(connect):
    async def application(scope, receive, send):
        await send(START)
        raise ZeroDivisionError

    assert connect(application, raise_errors=False).get("/").status == 500


def test_a_cancellation_that_escapes_is_an_error(connect):
    async def application(scope, receive, send):
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError, match="cancellation"):
        connect(application).get("/")


@pytest.mark.parametrize("size", [0, 10, 200_000])
def test_a_file_is_sent_where_that_is_offered(connect, tmp_path, size):
    file = tmp_path / "file"
    file.write_bytes(b"x" * size)
    application = sending(START, {"type": "http.response.pathsend", "path": str(file)})
    assert connect(application, extra={"extensions": {"http.response.pathsend": {}}}).get("/").body == b"x" * size


@pytest.mark.parametrize("path", ["relative", "/no/such/file", b"/etc/hosts", None])
def test_a_file_that_cannot_be_sent_is_a_breach_of_contract(connect, path):
    client = connect(
        sending(START, {"type": "http.response.pathsend", "path": path}),
        extra={"extensions": {"http.response.pathsend": {}}},
    )
    with pytest.raises(ContractError, match=r"absolute path|can't be sent"):
        client.get("/")
