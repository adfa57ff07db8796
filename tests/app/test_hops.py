"""How often a request goes to a worker thread, and that it holds none while its body is awaited."""

import asyncio
import hashlib
import itertools
from asyncio import base_events
from contextlib import ExitStack

import pytest

from antiphon import App, Dependency
from antiphon.concurrency.workers import WORKERS
from antiphon.testing import AsyncClient, Client
from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import SentRequest
from tests.helpers.handlers import in_style
from tests.helpers.noop_hooks import after, after_async, around, around_async, before, before_async
from tests.helpers.registration_positions import POSITIONS
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "position")

LARGE = bytes(200_000)
UPLOADS = WORKERS + 8
"""More than there are worker threads."""


@pytest.fixture
def called_from_threads(monkeypatch):
    called = []
    call = base_events.BaseEventLoop.call_soon_threadsafe

    def counted(loop, callback, *arguments, **options):
        called.append(callback)
        return call(loop, callback, *arguments, **options)

    monkeypatch.setattr(base_events.BaseEventLoop, "call_soon_threadsafe", counted)
    return called


def blocking(function):
    return function


def waiting(function):
    return in_style("async def", function)


def ten(hook_before, hook_after, middleware, **options):

    def register(app):
        points = ((app.before_request, hook_before), (app.after_request, hook_after), (app.middleware, middleware))
        for point, function in itertools.islice(itertools.cycle(points), 10):
            point(**options)(function) if options else point(function)

    return register


def reads_body(app):
    app.middleware(loads_body=True)(around)


def may_open_a_dependency(app):
    def opens(request):
        yield "session"

    if isinstance(app, App):  # a blueprint provides no dependencies
        app.provide(Dependency[str]("session"), opens)


HOOKS = {
    "none": lambda app: None,
    "ten of def": ten(before, after, around),
    "ten of async def": ten(before_async, after_async, around_async),
    "ten that block": ten(before, after, around, blocking=True),
    "one that reads the body": reads_body,
    "a dependency to close": may_open_a_dependency,
}

BODIES = {"no": b"", "a small": b"small", "a large": LARGE, "an undeclared": [b"a", b"b"]}


def app_with(hooks, style, position=POSITIONS["in the app"]):
    app = App()
    inside = position.enter(app)
    HOOKS[hooks](inside)

    @inside.errorhandler(LookupError)
    def handle(request, error):
        return "handled"

    @inside.route("/", ["GET", "POST"])
    @style
    def handler(request):
        return str(len(request.body))

    @inside.get("/fails")
    @style
    def fails(request):
        raise LookupError

    return app


HOPS = [
    # what is around the handler, the body, hops of a def, hops of an async def
    ("none", "no", 1, 0),
    ("none", "a small", 1, 0),
    ("none", "a large", 1, 0),
    ("none", "an undeclared", 1, 0),
    ("ten of def", "no", 1, 0),
    ("ten of def", "a small", 1, 0),
    ("ten of def", "a large", 2, 0),
    ("ten of def", "an undeclared", 2, 0),
    ("ten of async def", "no", 1, 0),
    ("ten of async def", "a small", 1, 0),
    ("ten of async def", "a large", 1, 0),
    ("ten of async def", "an undeclared", 1, 0),
    ("ten that block", "no", 1, 2),
    ("ten that block", "a small", 1, 2),
    ("ten that block", "a large", 2, 2),
    ("ten that block", "an undeclared", 2, 2),
    ("one that reads the body", "a large", 1, 0),
    ("one that reads the body", "an undeclared", 1, 0),
    ("a dependency to close", "no", 1, 0),
    ("a dependency to close", "a large", 1, 0),
]


class TestOnAnEventLoop:
    @pytest.fixture(params=["asgi", "rsgi"])
    def interface(self, request):
        return request.param

    def hops(self, app, interface, submitted, method, path="/", body=b""):
        """How often a request hops, and what is answered. Nothing else in the process does meanwhile."""

        async def main():
            client = AsyncClient(app, interface, timeout=10.0)
            await client.get("/nowhere")
            submitted.clear()
            response = await client.request(method, path, body=body)
            return len(submitted), response.text

        return asyncio.run(main())

    @rows("hooks, body, of_def, of_async_def", HOPS)
    @pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
    def test_a_request_hops_this_often(self, interface, style, position, submitted, hooks, body, of_def, of_async_def):
        content = BODIES[body]
        size = sum(map(len, content)) if isinstance(content, list) else len(content)
        app = app_with(hooks, style, position)
        hops, text = self.hops(app, interface, submitted, "POST", f"{position.prefix}/", content)
        expected = of_async_def if style.is_async else of_def
        # An app that hands a request on goes where the other blocks before that one asks for the body.
        more = 1 if position.is_apart and not style.is_async else 0
        assert expected <= hops <= expected + more
        assert text == str(size)

    @pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
    def test_an_error_that_is_handled_hops_no_more(self, interface, style, position, submitted):
        app = app_with("ten of def", style, position)
        hops = self.hops(app, interface, submitted, "GET", f"{position.prefix}/fails")
        assert hops == (0 if style.is_async else 1, "handled")

    @rows("method", ["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
    @rows("path", ["/", "/nowhere"])
    def test_an_app_that_is_all_async_never_hops(self, interface, submitted, method, path):
        app = App()
        HOOKS["ten of async def"](app)

        @app.route("/", ["GET", "POST"])
        async def handler(request):
            async def last():
                await asyncio.sleep(0)

            async def chunks():
                yield "x"

            request.after_response(last)
            return chunks()

        hops, _ = self.hops(app, interface, submitted, method, path)
        assert hops == 0


class TestOverWSGI:
    def crossings(self, app, submitted, called_from_threads, body=b"", path="/"):
        """How often a request goes to a pool and to a loop, when the server calls on this thread."""
        client = Client(app, "wsgi", timeout=None)
        client.get("/nowhere")
        submitted.clear()
        called_from_threads.clear()
        assert client.post(path, body=body).status == 200
        return len(submitted), len(called_from_threads)

    @rows("hooks", ["none", "ten of def", "ten that block", "one that reads the body"])
    @rows("body", BODIES)
    @pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
    def test_what_blocks_stays_on_the_servers_thread(self, submitted, called_from_threads, hooks, body, position):
        app, path = app_with(hooks, blocking, position), f"{position.prefix}/"
        assert self.crossings(app, submitted, called_from_threads, BODIES[body], path) == (0, 0)

    @rows(
        "hooks, body, expected",
        ("none", "no", (0, 1)),
        ("none", "a small", (0, 1)),
        ("none", "a large", (0, 1)),
        ("ten of async def", "no", (0, 1)),
        ("ten of async def", "a small", (0, 1)),
        ("ten of async def", "a large", (0, 2)),
    )
    def test_what_waits_goes_to_the_loop_and_leaves_it_to_read_a_large_body(
        self, submitted, called_from_threads, hooks, body, expected
    ):
        app = app_with(hooks, waiting)
        assert self.crossings(app, submitted, called_from_threads, BODIES[body]) == expected


class TestBodiesThatAreAwaited:
    @pytest.mark.parametrize("interface", ["asgi", "rsgi"])
    @rows("hooks", HOOKS)
    @pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
    @rows("length", [1000, len(LARGE), None], ids=["small", "large", "undeclared"])
    def test_hold_no_threads(self, interface, hooks, position, length):
        app, path = app_with(hooks, blocking, position), f"{position.prefix}/"

        async def main():
            go_on = asyncio.Event()
            begun = []
            all_wait = asyncio.Event()

            async def chunks():
                yield b"first"
                begun.append(1)
                if len(begun) == UPLOADS:
                    all_wait.set()
                await go_on.wait()
                yield bytes((length or 1000) - 5)

            headers = {} if length is None else {"content-length": str(length)}
            async with asyncio.timeout(20.0):
                client = AsyncClient(app, interface, timeout=20.0)
                uploads = [
                    asyncio.create_task(client.post(path, body=chunks(), headers=headers)) for _ in range(UPLOADS)
                ]
                await all_wait.wait()
                answers = [await client.get(path) for _ in range(3)]
                open_still = [upload for upload in uploads if not upload.done()]
                go_on.set()
                await asyncio.gather(*uploads)
            return [answer.text for answer in answers], len(open_still), {upload.result().text for upload in uploads}

        assert asyncio.run(main()) == (["0"] * 3, UPLOADS, {str(length or 1000)})


@pytest.fixture(scope="module", params=["Uvicorn, httptools", "Uvicorn, h11", "Granian, ASGI", "Granian, RSGI"])
def process(request):
    with ServerProcess(server(request.param).command) as process:
        yield process


@pytest.mark.processes
class TestSlowUploads:
    """Over sockets. That a server says 100 (Continue) tells that the body is being awaited (RFC 9110 §10.1.1)."""

    @rows("body", [b"a" * 1000, b"a" * len(LARGE), (b"a" * 500,) * 2], ids=["small", "large", "chunked"])
    def test_keep_nobody_waiting(self, process, body):
        upload = SentRequest("POST", "/def/digest", (("Expect", "100-continue"),), body)
        data = body if isinstance(body, bytes) else b"".join(body)
        begun, rest = upload.content[: len(upload.content) // 2], upload.content[len(upload.content) // 2 :]
        with ExitStack() as stack:
            connections = [stack.enter_context(process.connect()) for _ in range(UPLOADS)]
            for connection in connections:
                connection.send(upload.head)
            assert {connection.status() for connection in connections} == {100}
            for connection in connections:
                connection.send(begun)
            for _ in range(5):
                assert process.respond(SentRequest("GET", "/def/text")).status == 200
            for connection in connections:
                connection.send(rest)
            digests = {connection.receive("POST").body for connection in connections}
        (digest,) = digests
        assert hashlib.sha256(data).hexdigest().encode() in digest

    def test_that_trickle_in_keep_nobody_waiting(self, process):
        upload = SentRequest("POST", "/def/digest", (("Expect", "100-continue"),), b"a" * 20)
        with ExitStack() as stack:
            connections = [stack.enter_context(process.connect()) for _ in range(UPLOADS)]
            for connection in connections:
                connection.send(upload.head)
            assert {connection.status() for connection in connections} == {100}
            for _ in range(19):
                for connection in connections:
                    connection.send(b"a")
                assert process.respond(SentRequest("GET", "/def/text")).status == 200
            for connection in connections:
                connection.send(b"a")
            assert {connection.receive("POST").status for connection in connections} == {200}
