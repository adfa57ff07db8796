import asyncio
import inspect
import subprocess
import sys
import threading
import time
from contextvars import ContextVar

import pytest

from antiphon.adapters import Servable, serve
from antiphon.handler import ON_LOOP, ON_THREAD
from antiphon.response import Response

variable = ContextVar("variable", default="unset")


class App(Servable):
    """An application that notes when it is started and stopped."""

    def __init__(self, fails=None, slow=0.0):
        super().__init__()
        self.events = []
        self.fails = fails
        self.slow = slow

    async def startup(self):
        self.events.append("starting")
        await ON_THREAD
        time.sleep(self.slow)
        await ON_LOOP
        await asyncio.sleep(0)
        if self.fails == "startup":
            raise LookupError("cannot start")
        self.events.append("started")

    async def shutdown(self):
        await ON_LOOP
        await asyncio.sleep(0)
        if self.fails == "shutdown":
            raise LookupError("cannot stop")
        self.events.append("stopped")

    async def handle(self, request):
        await ON_THREAD
        self.events.append("answered")
        return Response("x")


class Lifespan:
    """Plays an ASGI server's lifespan."""

    def __init__(self, app):
        self.app = app
        self.sent = []

    def run(self, between=None):
        """The lifespan from start to end: what the application raised."""

        async def main():
            events = asyncio.Queue()

            async def send(message):
                self.sent.append(message)
                if message["type"] == "lifespan.startup.complete":
                    if between is not None:
                        await between()
                    events.put_nowait({"type": "lifespan.shutdown"})

            events.put_nowait({"type": "lifespan.startup"})
            try:
                await asyncio.wait_for(self.app({"type": "lifespan"}, events.get, send), 10)
            except Exception as error:
                return error

        return asyncio.run(main())

    @property
    def types(self):
        return [message["type"] for message in self.sent]


class TestStartingUp:
    def test_comes_once_before_the_first_request(self, call):
        app = App()
        assert [call(app).body for _ in range(3)] == [b"x"] * 3
        assert app.events == ["starting", "started", "answered", "answered", "answered"]

    def test_that_fails_reaches_the_server_and_is_tried_again(self, servers, interface, call):
        app = App("startup")
        for _ in range(2):
            if interface == "wsgi":
                with pytest.raises(LookupError, match="cannot start"):
                    call(app)
            else:
                assert str(call(app).error) == "cannot start"
        app.fails = None
        assert call(app).body == b"x"
        assert app.events == ["starting", "starting", "starting", "started", "answered"]

    def test_comes_once_for_many_first_requests_over_wsgi(self, servers):
        app = App(slow=0.05)
        barrier = threading.Barrier(8)
        bodies = []

        def first():
            barrier.wait(10)
            bodies.append(servers.wsgi(app).body)

        threads = [threading.Thread(target=first) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert bodies == [b"x"] * 8
        assert app.events == ["starting", "started"] + ["answered"] * 8

    @pytest.mark.parametrize("play", ["play_asgi", "play_rsgi"])
    def test_comes_once_for_many_first_requests_on_a_loop(self, servers, play):
        app = App(slow=0.05)

        async def main():
            return await asyncio.gather(*(getattr(servers, play)(app) for _ in range(8)))

        assert [answer.body for answer in asyncio.run(main())] == [b"x"] * 8
        assert app.events == ["starting", "started"] + ["answered"] * 8

    def test_may_come_again_on_another_loop(self, servers):
        app = App(slow=0.02)

        async def crowd():
            await asyncio.gather(*(servers.play_asgi(app) for _ in range(3)))

        for _ in range(2):
            assert Lifespan(app).run() is None
            asyncio.run(crowd())
            assert Lifespan(app).run() is None
        assert app.events.count("started") == app.events.count("stopped")

    def test_leaves_its_variables_to_no_request(self, servers, call):
        seen = []

        class Sets(App):
            async def startup(self):
                variable.set("by the startup")
                await ON_THREAD

            async def handle(self, request):
                seen.append(variable.get())
                return Response("x")

        app = Sets()
        call(app)
        call(app)
        assert variable.get() == "unset"
        assert len(set(seen)) == 1, "the first request differs from the second"


class TestTheLifespan:
    def test_starts_and_stops_once(self, servers):
        app = App()
        lifespan = Lifespan(app)

        async def between():
            await servers.play_asgi(app)

        assert lifespan.run(between) is None
        assert lifespan.types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert app.events == ["starting", "started", "answered", "stopped"]

    @pytest.mark.parametrize(
        ("fails", "types"),
        [
            ("startup", ["lifespan.startup.failed"]),
            ("shutdown", ["lifespan.startup.complete", "lifespan.shutdown.failed"]),
        ],
    )
    def test_tells_the_server_of_a_failure(self, fails, types):
        lifespan = Lifespan(App(fails))
        assert isinstance(lifespan.run(), LookupError)
        assert lifespan.types == types
        assert "LookupError" in lifespan.sent[-1]["message"]
        assert "cannot" in lifespan.sent[-1]["message"]

    def test_of_rsgi_starts_and_stops_on_the_loop_that_is_given(self, servers):
        app = App()
        loop = asyncio.new_event_loop()
        try:
            app.__rsgi_init__(loop)
            assert app.events == ["starting", "started"]
            loop.run_until_complete(servers.play_rsgi(app))
            app.__rsgi_del__(loop)
        finally:
            loop.close()
        assert app.events == ["starting", "started", "answered", "stopped"]

    def test_of_rsgi_does_not_stop_what_has_not_started(self):
        app = App()
        loop = asyncio.new_event_loop()
        app.__rsgi_del__(loop)
        loop.close()
        assert app.events == []


SHUTDOWN = """
import asyncio, sys, io
from antiphon.adapters import Servable
from antiphon.handler import ON_LOOP, ON_THREAD
from antiphon.response import Response

class App(Servable):
    async def handle(self, request):
        return Response("x")

    async def shutdown(self):
        for letter in sys.argv[1]:
            if letter == "T":
                await ON_THREAD
            else:
                await ON_LOOP
                await asyncio.sleep(0)
            print(letter, end="", flush=True)

environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
           "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
App()(environ, lambda status, headers: None)
"""


@pytest.mark.parametrize("pattern", ["T", "A", "TT", "AA", "TA", "AT", "TAT", "ATA"])
def test_shutting_down_over_wsgi_comes_when_the_interpreter_exits(pattern):
    ended = subprocess.run(
        [sys.executable, "-c", SHUTDOWN, pattern], timeout=60, capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.stderr) == (pattern, "")


class TestHowServersTellTheInterface:
    @pytest.mark.parametrize("app", [App(), serve(lambda request: Response("x"))], ids=["class", "function"])
    def test_its_call_looks_like_a_coroutine_function(self, app):
        assert inspect.iscoroutinefunction(app.__call__)

    def test_uvicorn_takes_it_for_asgi(self):
        from uvicorn import Config

        config = Config(App(), log_config=None)
        config.load()
        assert config.interface == "asgi3"

    def test_hypercorn_takes_it_for_asgi(self):
        from hypercorn.utils import is_asgi

        assert is_asgi(App())

    def test_its_instances_are_callable_by_both(self, servers):
        app = App()
        assert app.__call__(servers.environ(), lambda status, headers: None) is not None
        server = servers.ASGIServer()
        coroutine = app.__call__(servers.scope(), server.receive, server.send)
        assert inspect.isawaitable(coroutine)
        coroutine.close()


class TestAServedFunction:
    @pytest.mark.parametrize("colour", ["def", "async def"])
    def test_answers_over_each_interface(self, call, colour):
        def blocks(request):
            return Response(f"{request.method} {request.path} {request.body.decode()} {request.headers['x-a']}")

        async def waits(request):
            await asyncio.sleep(0)
            return blocks(request)

        app = serve(blocks if colour == "def" else waits)
        answer = call(app, "PUT", "/p", headers=[("x-a", "a")], pieces=[b"bo", b"dy"])
        assert (answer.status, answer.body) == (200, b"PUT /p body a")
        assert app.interface == {"def": "wsgi", "async def": "asgi"}[colour]

    def test_is_a_decorator(self, call):
        @serve
        def app(request):
            return Response("decorated")

        assert call(app).body == b"decorated"

    @pytest.mark.parametrize("colour", ["def", "async def"])
    def test_has_its_errors_answered_and_logged(self, call, colour, caplog):
        ids = []

        def blocks(request):
            ids.append(request.id)
            raise LookupError("the secret")

        async def waits(request):
            blocks(request)

        answer = call(serve(blocks if colour == "def" else waits))
        assert answer.status == 500
        assert answer.header("x-request-id") == ids
        assert ids[0].encode() in answer.body
        assert b"secret" not in answer.body
        assert ids[0] in caplog.text
        assert "the secret" in caplog.text

    @pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
    def test_lets_what_ends_the_process_leave(self, servers, leaving):
        @serve
        def app(request):
            raise leaving

        with pytest.raises(leaving):
            servers.wsgi(app)

    def test_keeps_variables_within_a_request(self, call):
        seen = []

        @serve
        def app(request):
            seen.append(variable.get())
            variable.set("set")
            return Response("x")

        call(app)
        call(app)
        assert seen == ["unset", "unset"]
        assert variable.get() == "unset"


def test_variables_do_not_leak_on_one_thread_over_wsgi(servers):
    seen = []

    @serve
    def app(request):
        seen.append(variable.get())
        variable.set("set")
        request.after(lambda: variable.set("after"))
        return Response(iter([b"x"]))

    def calls():
        for _ in range(2):
            body = app(servers.environ(), lambda status, headers: None)
            list(body)
            body.close()
        return variable.get()

    assert servers.in_time(calls) == "unset"
    assert seen == ["unset", "unset"]
