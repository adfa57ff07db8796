"""A scope made from a head is what an ASGI server would have made; an ASGI application answers as a handler."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Request, Response, to_app
from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.foreign.asgi import from_asgi, make_scope
from antiphon.adapters.wsgi import WSGIHead
from antiphon.http.head import Address, DerivedHead, RequestHead
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.testing.servers.test_asgi import sending

pytestmark = pytest.mark.axes("interface")

DEADLINE = 10.0
"""Seconds. What would wait for ever fails after that."""

HEADERS = [("host", "example.com:8080"), ("accept", "a"), ("accept", "b"), ("x-name", "\xfc"), ("content-length", "5")]


@pytest.fixture
def request_():
    head = RequestHead(
        "POST", "/café/ü", b"a=%20", HEADERS, b"hello", scheme="https", authority="example.com:8080", root_path="/äpp",
        raw_path=b"/%C3%A4pp/caf%C3%A9/%C3%BC", http_version="1.0", client=Address("::1", 5000),
    )  # fmt: skip
    return Request(head)


@rows(
    "key, value",
    ("type", "http"),
    ("asgi", {"version": "3.0", "spec_version": "2.5"}),
    ("http_version", "1.0"),
    ("method", "POST"),
    ("scheme", "https"),
    ("path", "/äpp/café/ü"),
    ("root_path", "/äpp"),
    ("raw_path", b"/%C3%A4pp/caf%C3%A9/%C3%BC"),
    ("query_string", b"a=%20"),
    ("client", ("::1", 5000)),
    ("server", ("example.com", 8080)),
    ("extensions", {}),
)
def test_a_scope_has(request_, key, value):
    assert make_scope(request_)[key] == value


def test_a_scope_has_every_line_of_the_header_in_bytes(request_):
    fields = make_scope(request_)["headers"]
    assert fields == [(name.encode(), value.encode("latin-1")) for name, value in HEADERS]


@given(st.text(st.characters(exclude_categories=("Cs",))), st.sampled_from(["", "/a", "/a/b", "/ü"]))
def test_a_scope_reads_back_as_the_same_head(path, root_path):
    head = RequestHead("GET", f"/{path}", root_path=root_path)
    back = ASGIHead(make_scope(Request(head)), None)
    assert (back.path, back.root_path, back.authority) == (head.path, root_path, "localhost:80")


@rows(
    "version, headers, fields",
    ("2", [("accept", "a")], [(b"host", b"example.com"), (b"accept", b"a")]),
    ("2", [("host", "other.org")], [(b"host", b"example.com")]),
    ("1.0", [], []),
)
def test_the_authority_of_http_2_becomes_the_host(version, headers, fields):
    head = RequestHead(headers=headers, authority="example.com", http_version=version)
    assert make_scope(Request(head))["headers"] == fields


@rows(
    "scheme, authority, server",
    ("https", "example.com", ("example.com", 443)),
    ("http", "[::1]:81", ("::1", 81)),
    ("http", "not a host", ("localhost", 80)),
)
def test_the_server_is_where_the_client_has_found_it(scheme, authority, server):
    assert make_scope(Request(RequestHead(scheme=scheme, authority=authority)))["server"] == server


def test_what_a_server_does_not_tell_is_left_out(servers):
    scope = make_scope(Request(WSGIHead(servers.environ(REMOTE_ADDR="10.0.0.1"))))
    assert "raw_path" not in scope
    assert "state" not in scope
    assert scope["client"] == ("10.0.0.1", 0)
    assert make_scope(Request.blank())["client"] is None


def test_under_an_asgi_server_it_is_a_copy_of_the_server_s_own(servers):
    extensions = {"tls": {"tls_version": 772}, "http.response.pathsend": {}}
    own = servers.scope(extensions=extensions, state={"outer": 1}, server=("/run/socket", None), special="kept")
    before = own | {"extensions": extensions.copy(), "state": own["state"].copy()}
    state = {"inner": 1}
    scope = make_scope(Request(ASGIHead(own, None)), state)
    assert scope["special"] == "kept"
    assert scope["server"] == ("/run/socket", None)
    assert scope["extensions"] == {"tls": {"tls_version": 772}}
    assert scope["state"] == state
    scope["state"]["mine"] = 1
    assert state == {"inner": 1}
    assert own == before
    assert "state" not in make_scope(Request(ASGIHead(own, None)))


class Mounted(DerivedHead):
    """A head below the first segment of the path, and behind a proxy."""

    scheme, authority, root_path = "https", "shop.example", ""

    def __init__(self, inner):
        super().__init__(inner)
        segment, self.path = inner.path[:5], inner.path[5:]
        self.root_path = inner.root_path + segment


@rows("layers", [1, 2])
def test_a_head_around_the_server_s_wins_over_its_scope(servers, layers):
    path = "/outer" + "/shop" * layers + "/items"
    fields = [(b"accept", b"a"), (b"host", b"10.0.0.1")]
    head = ASGIHead(servers.scope(path=path, root_path="/outer", headers=fields, special="kept"), None)
    for _ in range(layers):
        head = Mounted(head)
    scope = make_scope(Request(head))
    assert (scope["root_path"], scope["path"]) == ("/outer" + "/shop" * layers, path)
    assert scope["scheme"] == "https"
    assert scope["headers"] == [(b"host", b"shop.example"), (b"accept", b"a")]
    assert scope["special"] == "kept"


# Applications


async def whole_body(receive):
    body, more = b"", True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        body, more = body + message["body"], message["more_body"]
    return body


def start(status=200, headers=()):
    return {"type": "http.response.start", "status": status, "headers": headers}


def chunk(body, more_body=True):
    return {"type": "http.response.body", "body": body, "more_body": more_body}


async def hello(scope, receive, send):
    body = await whole_body(receive)
    cookies = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await send(start(201, [(b"content-type", b"text/plain"), *cookies]))
    await send(chunk(f"{scope['method']} {scope['path']} ".encode() + body, more_body=False))


async def in_chunks(scope, receive, send):
    await send(start())
    for body in (b"one ", b"", b"two ", b"three"):
        await send(chunk(body))
    await send({"type": "http.response.body"})


def answered(application, request=None):
    """The response of an application, with its whole body if that is streamed."""

    async def answer():
        async with asyncio.timeout(DEADLINE):
            response = await from_asgi(application)(request or Request.blank())
            if response.is_streamed:
                response.body = b"".join([part async for part in response.body])
            return response

    return asyncio.run(answer())


def test_it_answers_over_every_interface(interface):
    response = Client(to_app(from_asgi(hello)), interface=interface).post("/path", body=b"hello")
    assert (response.status, response.text) == (201, "POST /path hello")
    assert [cookie.name for cookie in response.set_cookies] == ["a", "b"]


@rows(
    "sent, headers",
    ([], []),
    ([(b"Content-Type", b"text/css")], [("content-type", "text/css")]),
    ([(b"content-length", b"4")], [("content-length", "4")]),
    ([(b"Connection", b"keep-alive"), (b"transfer-encoding", b"chunked"), (b"etag", b'"1"')], [("etag", '"1"')]),
    ([[b"x-list", b"1"], (b"x-list", b"2")], [("x-list", "1"), ("x-list", "2")]),
    ([(b"x-name", b"\xfc")], [("x-name", "\xfc")]),
    ids=[
        "none is added",
        "names in lower case",
        "a length is kept",
        "not the connection's",
        "repeated ones",
        "Latin-1",
    ],
)
@rows("rest", [[chunk(b"body", False)], [chunk(b"bo"), chunk(b"dy", False)]], ids=["whole", "chunks"])
def test_header_fields_pass_through(sent, headers, rest):
    response = answered(sending(start(200, sent), *rest))
    assert response.headers.items() == headers
    assert response.body == b"body"


@rows(
    "first, is_streamed",
    (chunk(b"body", False), False),
    ({"type": "http.response.body"}, False),
    ({"type": "http.response.body", "body": memoryview(b"body")}, False),
    (chunk(b"body"), True),
    (chunk(b""), True),
)
def test_what_comes_whole_is_bytes_and_what_goes_on_is_a_stream(first, is_streamed):
    async def answer():
        response = await from_asgi(sending(start(), first, chunk(b"", False)))(Request.blank())
        if response.is_streamed:
            await response.body.aclose()
        return response.is_streamed

    assert asyncio.run(answer()) is is_streamed


# The order of things


def test_after_the_response_nothing_is_received_but_the_end():
    received = []

    async def application(scope, receive, send):
        await sending(start(), chunk(b"", False))(scope, receive, send)
        received.extend([(await receive())["type"], (await receive())["type"]])

    answered(application)
    assert received == ["http.disconnect"] * 2


def test_chunks_of_several_tasks_are_all_taken():
    async def application(scope, receive, send):
        await send(start())
        await asyncio.gather(*(send(chunk(b"x")) for _ in range(5)))
        await send(chunk(b".", False))

    assert answered(application).body == b"xxxxx."


def test_what_it_does_after_its_response_goes_on_behind_that(interface):
    done = []

    async def application(scope, receive, send):
        await hello(scope, receive, send)
        await asyncio.sleep(0.01)
        done.append(scope["path"])

    with Client(to_app(from_asgi(application)), interface=interface) as client:
        assert client.get("/slow").status == 201
        assert done == ["/slow"]


# A client that leaves


@rows("learns_by", ["receive", "send"])
def test_it_is_told_when_the_client_leaves(interface, learns_by, caplog):
    told = []

    async def application(scope, receive, send):
        async def produce():
            await send(start())
            while True:
                await send(chunk(b"more"))

        await whole_body(receive)
        if learns_by == "send":
            try:
                await produce()
            finally:
                told.append("cleaned up")
        else:
            producer = asyncio.create_task(produce())
            told.append((await receive())["type"])
            with pytest.raises(OSError, match="gone"):
                await producer
            told.append("cleaned up")

    app = to_app(from_asgi(application))
    with Client(app, interface=interface) as client, client.stream("GET", "/") as response:
        assert next(iter(response)) == b"more"
    assert told[-1] == "cleaned up"
    assert learns_by == "send" or told[0] == "http.disconnect"
    assert not caplog.records


class Exchange:
    """A POST of "hello" that a server plays, whose client leaves when it is told to."""

    def __init__(self, servers, interface):
        self.is_asgi = interface == "asgi"
        self.server = servers.ASGIServer(self.messages()) if self.is_asgi else servers.RSGIServer([b"hel", b"lo"])
        fields = [("host", "localhost"), ("content-length", "5")]
        encoded = [(name.encode(), value.encode()) for name, value in fields]
        self.scope = servers.scope("POST", headers=encoded) if self.is_asgi else servers.rsgi_scope("POST", "/", fields)
        self.is_asked = False
        self.leave, self.answer = self.server.leave, self.server.answer

    def messages(self):
        return [{"type": "http.request", "body": body, "more_body": body == b"hel"} for body in (b"hel", b"lo")]

    async def receive(self):
        assert not self.is_asked, "two wait for one message"
        self.is_asked = True
        try:
            return await self.server.receive()
        finally:
            self.is_asked = False

    async def run(self, application):
        app = to_app(from_asgi(application))
        async with asyncio.timeout(DEADLINE):
            if self.is_asgi:
                await app(self.scope, self.receive, self.server.send)
            else:
                await app.__rsgi__(self.scope, self.server)
        await asyncio.sleep(0)
        assert not [task for task in asyncio.all_tasks() if "DisconnectWatcher" in repr(task)]


@pytest.fixture(params=["asgi", "rsgi"])
def exchange(request, servers):
    """WSGI can't tell that a client has left."""
    return Exchange(servers, request.param)


async def settled():
    for _ in range(50):
        await asyncio.sleep(0)


async def listening(receive, told):
    """A task that notes what is received after the body, and has begun to wait for it."""

    async def listen():
        told.append((await receive())["type"])

    await whole_body(receive)
    listener = asyncio.create_task(listen())
    await settled()
    return listener


class TestAClientThatLeavesBeforeTheResponse:
    def test_is_told_of_once_the_body_was_received(self, exchange, caplog):
        told = []

        async def application(scope, receive, send):
            told.append(await whole_body(receive))
            asyncio.get_running_loop().call_soon(exchange.leave)
            told.extend([(await receive())["type"], (await receive())["type"]])

        asyncio.run(exchange.run(application))
        assert told == [b"hello", "http.disconnect", "http.disconnect"]
        assert not caplog.records

    def test_does_not_break_off_what_is_still_done(self, exchange, caplog):
        done = []

        async def application(scope, receive, send):
            await whole_body(receive)
            exchange.leave()
            assert (await receive())["type"] == "http.disconnect"
            await settled()
            done.append(True)

        asyncio.run(exchange.run(application))
        assert done == [True]
        assert not caplog.records

    @pytest.mark.parametrize("more_body", [True, False])
    def test_gets_no_response_any_more(self, exchange, caplog, more_body):
        refused = []

        async def application(scope, receive, send):
            await whole_body(receive)
            exchange.leave()
            await receive()
            try:
                await send(start())
                await send(chunk(b"late", more_body))
            except OSError:
                refused.append(True)
                raise

        asyncio.run(exchange.run(application))
        assert refused == [True]
        assert b"late" not in exchange.answer.body
        assert not caplog.records

    def test_hides_no_error(self, exchange, caplog):
        async def application(scope, receive, send):
            await whole_body(receive)
            exchange.leave()
            await receive()
            raise LookupError("another one")

        asyncio.run(exchange.run(application))
        assert [record.exc_info[0] for record in caplog.records] == [LookupError]

    def test_may_be_asked_for_in_between(self, exchange):
        async def has_left(receive):
            try:
                async with asyncio.timeout(0.01):
                    return (await receive())["type"] == "http.disconnect"
            except TimeoutError:
                return False

        found = []

        async def application(scope, receive, send):
            await whole_body(receive)
            found.extend([await has_left(receive), await has_left(receive)])
            exchange.leave()
            await settled()
            found.append(await has_left(receive))

        asyncio.run(exchange.run(application))
        assert found == [False, False, True]

    def test_is_waited_for_by_nobody_behind_a_whole_response(self, exchange):
        told = []

        async def application(scope, receive, send):
            listener = await listening(receive, told)
            await send(start())
            await send(chunk(b"whole", False))
            await listener

        asyncio.run(exchange.run(application))
        assert (exchange.answer.body, told) == (b"whole", ["http.disconnect"])

    def test_is_told_of_also_when_it_leaves_later(self, exchange, caplog):
        told = []

        async def application(scope, receive, send):
            listener = await listening(receive, told)
            await send(start())
            await send(chunk(b"first"))
            assert not told
            asyncio.get_running_loop().call_soon(exchange.leave)
            await listener

        asyncio.run(exchange.run(application))
        assert (exchange.answer.body, told) == (b"first", ["http.disconnect"])
        assert not caplog.records

    def test_may_leave_while_the_response_begins(self, exchange, caplog):
        async def application(scope, receive, send):
            async def produce():
                await send(start())
                exchange.leave()
                while True:
                    await send(chunk(b"more"))

            await whole_body(receive)
            listener = asyncio.create_task(receive())
            await settled()
            with pytest.raises(OSError, match="gone"):
                await produce()
            await listener

        asyncio.run(exchange.run(application))
        assert not caplog.records


def read_one_chunk(application, pause=0.01, **options):
    """Read the first chunk of a response and close it, twice, while the application goes on."""

    async def answer():
        response = await from_asgi(application, **options)(Request.blank())
        await anext(response.body)
        await asyncio.sleep(pause)
        await response.body.aclose()
        await response.body.aclose()

    asyncio.run(asyncio.wait_for(answer(), DEADLINE))


@rows("grace", [0.0, 0.05])
def test_one_that_does_not_end_is_cancelled(grace):
    ended = []

    async def application(scope, receive, send):
        await send(start())
        await send(chunk(b"only"))
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    read_one_chunk(application, grace=grace)
    assert ended == [True]


@rows("more_body", [True, False])
def test_a_chunk_that_was_not_taken_when_the_client_left_is_an_error_for_it(more_body):
    refused = []

    async def application(scope, receive, send):
        await send(start())
        await send(chunk(b"one"))
        try:
            await send(chunk(b"two", more_body))
        except OSError:
            refused.append(True)

    read_one_chunk(application)
    assert refused == [True]


def test_cancelling_whoever_waits_for_its_end_cancels_it_once():
    ended = []

    async def application(scope, receive, send):
        await send(start())
        await send(chunk(b"one"))
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            ended.append(True)

    async def answer():
        response = await from_asgi(application, grace=0.02)(Request.blank())
        await anext(response.body)
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(response.body.aclose())
        await asyncio.sleep(0.01)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing

    asyncio.run(asyncio.wait_for(answer(), DEADLINE))
    assert ended == [True]


def test_one_that_cleans_up_in_time_is_not_cancelled():
    ended = []

    async def application(scope, receive, send):
        await send(start())
        try:
            await send(chunk(b"only"))
            await send(chunk(b"never"))
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    read_one_chunk(application, pause=0)
    assert ended == [True]


def test_it_is_told_when_its_response_is_not_used(interface, app):
    told = []

    async def application(scope, receive, send):
        try:
            await in_chunks(scope, receive, send)
        except OSError:
            told.append(True)

    app.get("/")(from_asgi(application))

    @app.after_request
    def replace(request, response):
        return Response.text("another")

    with Client(app, interface=interface) as client:
        assert client.get("/").text == "another"
        assert told == [True]


def test_when_the_request_is_cancelled_it_is_cancelled_and_waited_for():
    ended = []

    async def application(scope, receive, send):
        try:
            await whole_body(receive)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append((await receive())["type"])
            with pytest.raises(OSError, match="gone"):
                await send(start())
            ended.append("refused")

    async def answer():
        task = asyncio.create_task(from_asgi(application)(Request.blank()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return ended.copy()

    assert asyncio.run(asyncio.wait_for(answer(), DEADLINE)) == ["http.disconnect", "refused"]


def test_what_fails_while_it_is_cancelled_is_logged(caplog):
    async def application(scope, receive, send):
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError("in cleaning up")

    async def answer():
        task = asyncio.create_task(from_asgi(application)(Request.blank()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(answer(), DEADLINE))
    assert "in cleaning up" in caplog.text


# Failures


def failing(error, *messages):
    async def application(scope, receive, send):
        await sending(*messages)(scope, receive, send)
        raise error

    return application


@rows("error", [LookupError("boom"), OSError("disk"), SystemExit(3), ExceptionGroup("x", [OSError()])])
@rows("messages", [[], [start()], [start(), chunk(b"x")]], ids=["at once", "started", "streaming"])
def test_its_error_goes_through(error, messages):
    with pytest.raises(type(error)) as caught:
        answered(failing(error, *messages))
    assert caught.value is error


def test_what_was_sent_before_the_error_is_taken_first():
    async def answer():
        response = await from_asgi(failing(LookupError(), start(), chunk(b"one"), chunk(b"two")))(Request.blank())
        taken = [await anext(response.body), await anext(response.body)]
        with pytest.raises(LookupError):
            await anext(response.body)
        return taken, await anext(response.body, None)

    assert asyncio.run(answer()) == ([b"one", b"two"], None)


def test_an_error_before_the_response_is_answered_with_500(interface, caplog):
    client = Client(to_app(from_asgi(failing(LookupError("boom"), start(204)))), interface=interface)
    assert client.get("/").status == 500
    assert "boom" in caplog.text


def test_an_error_after_the_whole_response_is_kept_and_logged(interface, caplog, app, seen):
    error = LookupError("boom")
    app.get("/")(from_asgi(failing(error, start(503), chunk(b"sorry", False))))

    @app.after_request
    def look(request, response):
        seen.append(response.error)

    with Client(app, interface=interface) as client:
        response = client.get("/")
    assert (response.status, response.text) == (503, "sorry")
    assert seen == [error]
    assert caplog.text.count("LookupError: boom") == 1


def test_an_error_of_cleaning_up_after_a_client_that_left_is_logged(interface, caplog):
    async def application(scope, receive, send):
        await send(start())
        await send(chunk(b"one"))
        await receive()
        await receive()
        raise LookupError("in cleaning up")

    app = to_app(from_asgi(application))
    with Client(app, interface=interface) as client, client.stream("GET", "/") as response:
        assert next(iter(response)) == b"one"
    assert "in cleaning up" in caplog.text


class Cancelled:
    async def __call__(self, scope, receive, send):
        raise asyncio.CancelledError


@rows(
    "application, fault",
    (sending(), "ended without a response"),
    (sending(start()), "ended before its response did"),
    (sending(start(), chunk(b"x")), "ended before its response did"),
    (sending(start(), start()), "a second time"),
    (sending(chunk(b"x")), "without 'http.response.start' before it"),
    (sending(start(103), chunk(b"", False)), "200 to 599, not 103"),
    (sending({"type": "http.response.start"}), "200 to 599"),
    (sending(start(200, [(b"a b", b"")])), "token"),
    (sending(start(200, [(b"a", b"b\r\nc: d")])), "is not allowed in a header"),
    (sending(start(200, [("a", "b")])), "invalid response: 'str' object"),
    (sending(start(200, [b"ab"])), "invalid response"),
    (sending(start() | {"trailers": True}), "trailers"),
    (sending(start(), chunk("text")), "sent a body of type str, but it must be bytes"),
    (sending(start(), {"type": "http.response.pathsend", "path": "/etc/passwd"}), "no extension in its scope"),
    (sending({"type": "http.response.debug", "info": {}}), "no extension in its scope"),
    (sending({}), "sent None"),
    (Cancelled(), "was cancelled before"),
)
def test_what_is_not_asgi_is_an_error_that_names_the_application(application, fault):
    with pytest.raises(RuntimeError, match=fault) as caught:
        answered(application)
    assert "the ASGI application " in str(caught.value)
    assert "test_asgi.py:" in str(caught.value)


def test_a_message_after_the_last_one_is_an_error(caplog):
    client = Client(to_app(from_asgi(sending(start(), chunk(b"x", False), chunk(b"y", False)))))
    assert client.get("/").text == "x"
    assert "after its response was complete" in caplog.text


def test_one_that_catches_its_mistake_may_still_answer():
    async def application(scope, receive, send):
        with pytest.raises(RuntimeError):
            await send(start(100))
        await hello(scope, receive, send)

    assert answered(application).status == 201
