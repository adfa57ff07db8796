"""Observers are told of each request that a server hands over, and of its response when all of it was sent."""

import asyncio
import gc
import weakref
from contextlib import suppress
from time import sleep

import pytest

from antiphon import App, Exchange, Observer, Response, abort, current_request, to_app
from antiphon.adapters.exchange import Observers
from antiphon.adapters.observing import with_observers
from antiphon.features import AccessLog, MemoryStore, Metrics, Recorder
from antiphon.http import ClientDisconnected
from antiphon.testing import Client
from tests.helpers.mountable_apps import asgi, wsgi

pytestmark = pytest.mark.axes("interface")


class Notes(Observer):
    """An observer that keeps the exchanges, and the order of what happened."""

    def __init__(self):
        self.events = []
        self.exchanges = []

    def begin(self, exchange):
        self.events.append("begin")

    def sent(self, exchange):
        self.events.append("sent")
        self.exchanges.append(exchange)

    def end(self, exchange):
        self.events.append("end")

    @property
    def only(self):
        [exchange] = self.exchanges
        assert self.events.count("begin") == self.events.count("end") == 1
        assert exchange.seconds > 0
        return exchange


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def app(notes, tmp_path):
    app = App()
    app.observe(notes)
    (tmp_path / "file").write_bytes(b"x" * 100_000)

    app.get("/items/<int:number>")(lambda request, number: f"item {number}")
    app.get("/file")(lambda request: Response.file(tmp_path / "file"))
    app.get("/busy")(lambda request: abort(503))
    app.post("/read")(lambda request: request.body)

    @app.get("/async")
    async def answer_async(request):
        return "async"

    @app.get("/stream")
    def stream(request):
        yield from ("one ", "two ", "three")

    @app.get("/stream-async")
    async def stream_async(request):
        for part in ("one ", "two ", "three"):
            yield part

    @app.get("/slow")
    def slow(request):
        for part in ("one ", "two ", "three"):
            yield part
            sleep(0.1)

    @app.get("/slow-async")
    async def slow_async(request):
        for part in ("one ", "two ", "three"):
            yield part
            await asyncio.sleep(0.1)

    @app.get("/none")
    def none(request) -> None:
        pass

    @app.get("/fails")
    def fails(request):
        raise LookupError("boom")

    @app.get("/breaks")
    def breaks(request):
        yield "some"
        raise LookupError("boom")

    @app.get("/after")
    async def after(request):
        request.after_response(notes.events.append, "after")
        return iter(["stream"])

    inner = App()
    inner.get("/items/<name>")(lambda request, name: name)
    app.mount("/shop", inner)
    app.mount("/wsgi", wsgi)
    app.mount("/asgi", asgi)
    return app


@pytest.mark.parametrize(
    ("method", "path", "status", "route", "error"),
    [
        ("GET", "/items/7", 200, "/items/<int:number>", None),
        ("HEAD", "/items/7", 200, "/items/<int:number>", None),
        ("OPTIONS", "/items/7", 204, "/items/<int:number>", None),
        ("GET", "/async", 200, "/async", None),
        ("GET", "/stream", 200, "/stream", None),
        ("GET", "/stream-async", 200, "/stream-async", None),
        ("HEAD", "/stream", 200, "/stream", None),
        ("GET", "/file", 200, "/file", None),
        ("HEAD", "/file", 200, "/file", None),
        ("GET", "/none", 204, "/none", None),
        ("GET", "/missing", 404, "", "NotFound"),
        ("POST", "/async", 405, "", "MethodNotAllowed"),
        ("GET", "/busy", 503, "/busy", "ServiceUnavailable"),
        ("GET", "/fails", 500, "/fails", "LookupError"),
        ("GET", "/shop/items/lamp", 200, "/shop/items/<name>", None),
        ("GET", "/shop/missing", 404, "", "NotFound"),
        ("GET", "/wsgi/x", 200, "/wsgi", None),
        ("GET", "/asgi/x", 200, "/asgi", None),
    ],
)
def test_an_exchange_is_what_the_client_saw(app, interface, notes, method, path, status, route, error):
    response = Client(app, interface, raise_errors=False).request(method, path)
    exchange = notes.only
    assert response.status == exchange.status == status
    assert exchange.body_size == len(response.body)
    assert (exchange.method, exchange.path, exchange.route) == (method, path, route)
    assert (exchange.error and type(exchange.error).__name__) == error
    assert exchange.response is not None
    assert not exchange.is_disconnected


def test_a_304_has_no_body(app, interface, notes):
    client = Client(app, interface)
    etag = client.get("/file").headers["etag"]
    assert client.get("/file", headers={"if-none-match": etag}).status == 304
    assert [(each.status, each.body_size) for each in notes.exchanges] == [(200, 100_000), (304, 0)]


def test_a_body_that_is_refused_is_told(app, interface, notes):
    Client(app, interface, raise_errors=False).post("/read", headers={"content-encoding": "unknown"}, body=b"body")
    assert (notes.only.status, notes.only.route) == (415, "/read")


@pytest.mark.parametrize("path", ["/slow", "/slow-async"])
def test_a_stream_that_the_client_breaks_off_is_marked(app, notes, call, path):
    answer = call(app, path=path, most=2)
    assert notes.only.is_disconnected
    assert notes.only.status == answer.status == 200
    assert notes.only.body_size <= len(answer.body) < len("one two three") or len(answer.body) == 13
    assert notes.only.error is None


def test_a_client_that_leaves_within_its_own_body_is_marked_and_offered_a_400(app, notes, servers, interface):
    if interface == "wsgi":

        class Broken:
            def read(self, size):
                raise ConnectionResetError

        environ = servers.environ("POST", "/read", CONTENT_LENGTH="10") | {"wsgi.input": Broken()}
        answer = servers.wsgi(app, environ)
    elif interface == "asgi":
        fields = [(b"content-length", b"10")]
        answer = servers.asgi(app, servers.scope("POST", "/read", fields), [{"type": "http.disconnect"}])
    else:
        fields = [("content-length", "10")]
        answer = servers.rsgi(app, servers.rsgi_scope("POST", "/read", fields), [ConnectionResetError("gone")])
    assert (answer.status, b'"status":400' in answer.body) == (400, True)
    assert notes.only.is_disconnected
    assert notes.only.status == ClientDisconnected.status


def test_a_stream_that_fails_has_its_error_and_what_was_sent(app, notes, call, caplog):
    answer = call(app, path="/breaks")
    assert isinstance(notes.only.error, LookupError)
    assert (notes.only.status, notes.only.body_size) == (200, 4)
    assert not notes.only.is_disconnected
    assert isinstance(answer.error, LookupError)


def test_all_is_sent_before_what_comes_after_the_response_and_that_before_the_end(app, interface, notes):
    Client(app, interface).get("/after")
    events = notes.events
    assert events[0] == "begin"
    assert sorted(events) == ["after", "begin", "end", "sent"]
    assert events[-1] == "end"
    if interface != "rsgi":  # where nothing tells that a stream has ended
        assert events == ["begin", "sent", "after", "end"]


def test_a_file_is_sent_by_the_server_itself_as_without_observers(app, notes, servers):
    environ = servers.environ(path="/file") | {"wsgi.file_wrapper": lambda file, block: iter([b"the server's"])}
    assert servers.wsgi(app, environ).chunks == [b"the server's"]
    assert notes.only.body_size == 100_000


@pytest.mark.once
def test_context_variables_that_begin_sets_are_set_in_all_that_answers(interface, seen):
    from contextvars import ContextVar

    variable = ContextVar("variable", default="unset")

    class Sets(Observer):
        def begin(self, exchange):
            variable.set("set")

    app = App()
    app.observe(Sets())

    @app.middleware
    def around(request):
        seen.append(variable.get())
        yield
        seen.append(variable.get())

    def parts():
        seen.append(variable.get())
        yield "part"

    async def parts_async():
        seen.append(variable.get())
        yield "part"

    @app.get("/")
    def index(request):
        seen.append(variable.get())
        request.after_response(lambda: seen.append(variable.get()))
        return parts()

    @app.get("/async")
    async def index_async(request):
        seen.append(variable.get())
        request.after_response(lambda: seen.append(variable.get()))
        return parts_async()

    client = Client(app, interface)
    for path in ("/", "/async"):
        client.get(path)
    assert seen == ["set"] * 10


@pytest.mark.once
def test_nothing_of_a_request_waits_for_the_garbage_collector(call):
    class Watches(Observer):
        def begin(self, exchange):
            self.exchange = weakref.ref(exchange)

    watches = Watches()
    app = App()
    app.observe(watches)
    app.get("/")(lambda request: "x")
    gc.disable()
    try:
        call(app)
        assert watches.exchange() is None
    finally:
        gc.enable()


@pytest.mark.once
def test_an_observer_that_fails_is_logged_and_the_request_is_answered(interface, caplog):
    class Fails(Observer):
        def begin(self, exchange):
            raise LookupError("begin")

        def sent(self, exchange):
            raise LookupError("sent")

    app = App()
    app.observe(Fails())
    app.get("/")(lambda request: "answered")
    assert Client(app, interface).get("/").text == "answered"
    assert [str(record.exc_info[1]) for record in caplog.records] == ["begin", "sent"]
    assert "Fails.begin" in caplog.text


@pytest.mark.once
@pytest.mark.parametrize("made", [lambda request: Response("x"), Response("x")], ids=["function", "response"])
def test_functions_and_responses_that_are_served_are_observed(interface, notes, made):
    application = to_app(made)
    application.observe(notes)
    assert Client(application, interface).get("/").text == "x"
    assert (notes.only.status, notes.only.route) == (200, "")


@pytest.mark.once
def test_errors_that_the_test_client_raises_are_the_exchange_s(app, interface, notes):
    with pytest.raises(LookupError):
        Client(app, interface, raise_errors=True).get("/fails")
    assert isinstance(notes.only.error, LookupError)


class TestAnApplicationOfAnotherFramework:
    """What the command does with them."""

    @pytest.fixture
    def foreign(self, interface, notes):
        applications = {"wsgi": wsgi_app, "asgi": asgi_app, "rsgi": RSGIApp()}
        return with_observers(applications[interface], interface, Observers(notes))

    @pytest.mark.parametrize(("method", "size"), [("GET", 5), ("HEAD", 0)])
    @pytest.mark.parametrize("path", ["/whole", "/stream"])
    def test_is_observed(self, foreign, notes, call, method, size, path):
        call(foreign, method, path)
        exchange = notes.only
        assert (exchange.method, exchange.path, exchange.status, exchange.body_size) == (method, path, 200, size)
        assert (exchange.route, exchange.response, exchange.error) == ("", None, None)
        assert not exchange.is_disconnected

    def test_that_fails_is_answered_by_the_server(self, foreign, notes, call):
        with suppress(LookupError):
            call(foreign, path="/fails")
        assert isinstance(notes.only.error, LookupError)
        assert notes.only.status == 500

    def test_knows_the_current_request(self, foreign, notes, call):
        assert call(foreign, path="/id").body.decode() == notes.only.request.id
        with pytest.raises(RuntimeError):
            current_request()

    @pytest.mark.once
    def test_keeps_what_is_no_request(self, interface):
        async def application(scope, receive, send):
            await send({"type": "lifespan.startup.complete"})

        if interface == "asgi":
            assert Client(with_observers(application, "asgi", Observers()), "asgi")
        if interface == "rsgi":
            calls = []
            app = RSGIApp()
            app.__dict__["__rsgi_init__"] = calls.append
            with_observers(app, "rsgi", Observers()).__rsgi_init__("loop")
            assert calls == ["loop"]

    def test_may_write_over_wsgi_before_it_returns(self, notes, servers):
        def app(environ, start_response):
            start_response("200 OK", [])(b"written ")
            return [b"returned"]

        def start_response(status, fields):
            return written.append

        written = []
        assert with_observers(app, "wsgi", Observers(notes))(servers.environ(), start_response) == [b"returned"]
        assert written == [b"written "]
        assert (notes.only.status, notes.only.body_size) == (200, 16)

    @pytest.mark.parametrize(
        ("name", "arguments", "size"),
        [
            ("response_empty", [], 0),
            ("response_str", ["Füße"], 6),
            ("response_bytes", [b"bytes"], 5),
            ("response_file", ["{file}"], 100),
            ("response_file_range", ["{file}", 10, 30], 20),
        ],
    )
    def test_answers_over_rsgi_in_each_way(self, notes, tmp_path, name, arguments, size):
        (tmp_path / "file").write_bytes(b"x" * 100)

        async def app(scope, protocol):
            assert await protocol() == b"body"
            given = [str(tmp_path / "file") if each == "{file}" else each for each in arguments]
            length = [("content-length", "100")] if name == "response_file" else []
            getattr(protocol, name)(200, length, *given)

        assert len(Client(with_observers(app, "rsgi", Observers(notes)), "rsgi").post("/", body=b"body").body) == size
        assert (notes.only.status, notes.only.body_size) == (200, size)

    def test_may_stream_text_over_rsgi_while_it_reads(self, notes):
        async def app(scope, protocol):
            transport = protocol.response_stream(200, [])
            async for chunk in protocol:
                await transport.send_str(chunk.decode())

        client = Client(with_observers(app, "rsgi", Observers(notes)), "rsgi")
        assert client.post("/", body="Füße".encode()).text == "Füße"
        assert (notes.only.status, notes.only.body_size) == (200, 6)

    def test_may_have_a_file_sent_over_asgi(self, notes, servers):
        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
            await send({"type": "http.response.pathsend", "path": "/file"})

        asyncio.run(with_observers(app, "asgi", Observers(notes))(servers.scope(), no_message, take))
        assert (notes.only.status, notes.only.body_size) == (200, 100)

    def test_loses_its_client_over_asgi_when_nothing_can_be_sent(self, notes, servers):
        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def broken(message):
            raise BrokenPipeError

        with pytest.raises(BrokenPipeError):
            asyncio.run(with_observers(app, "asgi", Observers(notes))(servers.scope(), no_message, broken))
        assert notes.only.is_disconnected


def wsgi_app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/fails":
        raise LookupError("boom")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/id":
        return [current_request().id.encode()]
    return [b"whole"] if path == "/whole" else iter([b"st", b"rea"])


async def asgi_app(scope, receive, send):
    path = scope["path"]
    if path == "/fails":
        raise LookupError("boom")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    if path == "/stream":
        await send({"type": "http.response.body", "body": b"st", "more_body": True})
    bodies = {"/whole": b"whole", "/stream": b"rea", "/id": current_request().id.encode()}
    await send({"type": "http.response.body", "body": bodies[path]})


class RSGIApp:
    async def __rsgi__(self, scope, protocol):
        if scope.path == "/fails":
            raise LookupError("boom")
        if scope.path == "/id":
            protocol.response_bytes(200, [], current_request().id.encode())
        elif scope.path == "/whole":
            protocol.response_bytes(200, [], b"whole")
        else:
            transport = protocol.response_stream(200, [])
            await transport.send_bytes(b"st")
            await transport.send_bytes(b"rea")


async def no_message():
    return {"type": "http.disconnect"}


async def take(message):
    pass


class Meddler(Observer):
    """An observer that calls whatever an exchange has, and sets it."""

    def begin(self, exchange):
        for name in dir(exchange):
            if not name.startswith("_"):
                with suppress(Exception):
                    getattr(exchange, name)()
                with pytest.raises(AttributeError):
                    setattr(exchange, name, None)

    sent = end = begin


def test_an_exchange_can_not_be_changed_by_an_observer(app, interface, notes, caplog):
    app.observe(Meddler())
    app.use(AccessLog())
    with caplog.at_level("INFO"):
        assert Client(app, interface).get("/items/7").text == "item 7"
    assert [record.message.rpartition(" bytes ")[0] for record in caplog.records] == ["GET /items/7 200 6"]
    assert (notes.only.path, notes.only.status, notes.only.body_size) == ("/items/7", 200, 6)
    assert [name for name in dir(Exchange) if name[0] != "_" and callable(getattr(Exchange, name))] == []


class Streams(Observer):
    def __init__(self):
        self.events = []

    def stream(self, exchange):
        self.events.append(("stream", exchange.path))

    def sent(self, exchange):
        self.events.append(("sent", exchange.path))


@pytest.mark.parametrize(
    ("path", "is_stream"),
    [("/stream", True), ("/stream-async", True), ("/items/7", False), ("/file", False), ("/missing", False)],
)
def test_streams_are_told_before_they_begin(app, interface, path, is_stream):
    streams = Streams()
    app.observe(streams)
    Client(app, interface).get(path)
    assert streams.events == [("stream", path)] * is_stream + [("sent", path)]


def test_an_exchange_has_what_is_counted(app, interface, notes):
    client = Client(app, interface, raise_errors=False)
    client.post("/read", body=b"ten bytes!")
    exchange = notes.only
    assert exchange.received_size == 10
    assert exchange.measures == (("POST", "/read", 200), exchange.seconds, 10, 10, False)
    assert ("content-length", "10") in exchange.fields


@pytest.mark.parametrize("path", ["/items/7", "/missing", "/fails"])
def test_errors_that_are_answered_break_nothing(app, interface, notes, path):
    Client(app, interface, raise_errors=False).get(path)
    assert not notes.only.is_broken
    assert not notes.only.measures[-1]


def test_an_error_of_a_stream_breaks_it_off(app, notes, call, caplog):
    call(app, path="/breaks")
    assert notes.only.is_broken
    assert notes.only.measures[-1]


@pytest.mark.parametrize("is_outer_observed", [True, False])
@pytest.mark.parametrize("depth", [1, 2])
def test_observers_of_a_mounted_application_see_what_reaches_it(interface, depth, is_outer_observed):
    outer, inner, notes, all_notes = App(), App(), Notes(), Notes()
    inner.observe(notes)
    if is_outer_observed:
        outer.observe(all_notes)

    @inner.get("/items/<int:number>")
    async def item(request, number):
        return (f"{index}," for index in range(number))

    @inner.get("/fails")
    def fails(request):
        raise ZeroDivisionError

    between = inner
    for _ in range(depth - 1):
        between = App()
        between.mount("/between", inner)
    outer.mount("/in", between)
    outer.get("/")(lambda request: "outside")
    root = "/in" + "/between" * (depth - 1)
    client = Client(outer, interface)
    for path in ("/", f"{root}/items/3", f"{root}/fails", f"{root}/none"):
        client.get(path)
    seen = [(each.route, each.path, each.status, each.body_size) for each in notes.exchanges]
    assert [each[:3] for each in seen] == [
        ("/items/<int:number>", f"{root}/items/3", 200),
        ("/fails", f"{root}/fails", 500),
        ("", f"{root}/none", 404),
    ]
    assert seen[0][3] == len("0,1,2,")
    assert isinstance(notes.exchanges[1].error, ZeroDivisionError)
    assert notes.events == ["begin", "sent", "end"] * 3
    assert all_notes.events == ["begin", "sent", "end"] * 4 * is_outer_observed


def test_metrics_and_kept_requests_of_a_mounted_application(interface):
    outer, inner = App(), App(secret_keys=["a key of sixteen bytes"])
    metrics, keep = Metrics(), Recorder(MemoryStore(), statuses=[404])
    inner.use(metrics)
    inner.use(keep)
    outer.mount("/in", inner)
    Client(outer, interface).get("/in/none")
    [line] = [
        each for each in metrics.text().splitlines() if each.startswith("http_server_request_duration_seconds_count")
    ]
    assert 'http_response_status_code="404"' in line
    assert line.endswith(" 1")
    keep.flush()
    assert [each.why for each in keep.all()] == ["status 404"]
