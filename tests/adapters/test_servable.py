import asyncio
import gc
import inspect
import threading
import time
from contextvars import ContextVar
from weakref import ref

import anyio
import pytest

from antiphon import to_app
from antiphon.adapters.servable import Servable
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.response.response import Response
from tests.helpers import zygote
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows
from tests.helpers.waiting import at_once

pytestmark = pytest.mark.axes("interface")

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

    async def _handle(self, request):
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


@pytest.fixture
def calls(servers, interface):
    """Has an application answer some requests, on one loop if there is any: the answers, or what was raised."""

    def calls(app, number):
        async def play():
            return [await getattr(servers, f"play_{interface}")(app) for _ in range(number)]

        return [servers.wsgi(app) for _ in range(number)] if interface == "wsgi" else asyncio.run(play())

    return calls


class TestStartingUp:
    def test_comes_once_before_the_first_request(self, calls, interface):
        app = App()
        assert [answer.body for answer in calls(app, 3)] == [b"x"] * 3
        assert app.events[:5] == ["starting", "started", "answered", "answered", "answered"]
        assert app.events[5:] == ([] if interface == "wsgi" else ["stopped"])

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
        assert app.events[:5] == ["starting", "starting", "starting", "started", "answered"]

    @rows("play", ["play_asgi", "play_rsgi"])
    def test_that_fails_fails_all_that_wait_for_it(self, servers, play):
        app = App("startup", slow=0.05)

        async def main():
            answers = await asyncio.gather(*(getattr(servers, play)(app) for _ in range(3)))
            app.fails = None
            return [*answers, await getattr(servers, play)(app)]

        *failed, answered = asyncio.run(main())
        assert [str(answer.error) for answer in failed] == ["cannot start"] * 3
        assert answered.body == b"x"
        assert app.events[:4] == ["starting", "starting", "started", "answered"]

    def test_is_not_cancelled_with_the_request_that_began_it(self, servers):
        app = App(slow=0.05)

        async def main():
            impatient = asyncio.create_task(servers.play_asgi(app))
            while not app.events:
                await asyncio.sleep(0.001)
            impatient.cancel()
            await asyncio.wait([impatient])
            return await servers.play_asgi(app)

        assert asyncio.run(main()).body == b"x"
        assert app.events == ["starting", "started", "answered", "stopped"]

    def test_comes_once_for_many_first_requests_over_wsgi(self, servers):
        app = App(slow=0.05)
        barrier = threading.Barrier(8)

        def first(_):
            barrier.wait(10)
            return servers.wsgi(app).body

        assert at_once(first, range(8)) == [b"x"] * 8
        assert app.events == ["starting", "started"] + ["answered"] * 8

    @rows("play", ["play_asgi", "play_rsgi"])
    def test_comes_once_for_many_first_requests_on_a_loop(self, servers, play):
        app = App(slow=0.05)

        async def main():
            return await asyncio.gather(*(getattr(servers, play)(app) for _ in range(8)))

        assert [answer.body for answer in asyncio.run(main())] == [b"x"] * 8
        assert app.events[:10] == ["starting", "started"] + ["answered"] * 8

    def test_comes_again_on_another_loop_when_the_first_was_closed_as_it_was(self, servers):
        app = App()
        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.set_exception_handler(lambda *_: None)  # asyncio tells of the task that waits on a closed loop
            assert loop.run_until_complete(servers.play_asgi(app)).body == b"x"
            loop.close()
            app._set_started(False)
        assert app.events == ["starting", "started", "answered"] * 2
        kept = ref(app)
        del app, loop
        asyncio.run(servers.play_asgi(App()))
        gc.collect()
        assert kept() is None

    def test_leaves_its_variables_to_no_request(self, servers, call, seen):
        class Sets(App):
            async def startup(self):
                variable.set("by the startup")
                await ON_THREAD

            async def _handle(self, request):
                seen.append(variable.get())
                return Response("x")

        app = Sets()
        call(app)
        call(app)
        assert variable.get() == "unset"
        assert len(set(seen)) == 1, "the first request differs from the second"


class TestStartingAndStoppingByHand:
    def test_on_a_thread(self):
        app = App()
        app.start()
        app.start()
        assert app.events == ["starting", "started"]
        app.stop()
        app.stop()
        assert app.events == ["starting", "started", "stopped"]

    @rows("call", ["start", "stop"])
    def test_blocks_no_loop(self, call):
        app = App()

        async def main():
            with pytest.raises(RuntimeError, match=rf"{call}\(\) would block .* await a{call}\(\) instead"):
                getattr(app, call)()

        asyncio.run(main())
        assert app.events == []

    @rows("call", ["start", "astart"])
    def test_fails_with_the_error_of_the_startup(self, call):
        app = App(fails="startup")
        with pytest.raises(LookupError, match="cannot start"):
            app.start() if call == "start" else asyncio.run(app.astart())


class TestTheLifespan:
    @rows(
        "fails, types",
        ("startup", ["lifespan.startup.failed"]),
        ("shutdown", ["lifespan.startup.complete", "lifespan.shutdown.failed"]),
    )
    def test_tells_the_server_of_a_failure(self, fails, types):
        lifespan = Lifespan(App(fails))
        assert isinstance(lifespan.run(), LookupError)
        assert lifespan.types == types
        assert "LookupError" in lifespan.sent[-1]["message"]
        assert "cannot" in lifespan.sent[-1]["message"]
        assert f'File "{__file__}", line ' in lifespan.sent[-1]["message"]
        assert "/antiphon/adapters/" not in lifespan.sent[-1]["message"]

    def test_of_rsgi_does_not_stop_what_has_not_started(self):
        app = App()
        loop = asyncio.new_event_loop()
        app.__rsgi_del__(loop)
        loop.close()
        assert app.events == []


class Tasks(App):
    """An application that notes the task in which it starts and stops, and those of its requests."""

    def __init__(self, hold=None):
        super().__init__()
        self.hold = hold
        self.tasks = []

    async def startup(self):
        await ON_THREAD
        await super().startup()
        self.tasks.append(asyncio.current_task())
        variable.set("by the startup")
        if self.hold is not None:
            self.held = self.hold()
            await self.held.__aenter__()

    async def shutdown(self):
        await super().shutdown()
        self.tasks.append(asyncio.current_task())
        self.events.append(variable.get())
        if self.hold is not None:
            await self.held.__aexit__(None, None, None)

    async def _handle(self, request):
        await ON_LOOP
        self.events.append(variable.get())
        assert asyncio.current_task() not in self.tasks
        return Response("x")


ONE_TASK = ["starting", "started", "unset", "stopped", "by the startup"]


class TestOneTaskFromStartupToShutdown:
    def test_in_an_asgi_lifespan(self, servers):
        app = Tasks()
        assert Lifespan(app).run(lambda: servers.play_asgi(app)) is None
        assert app.events == ONE_TASK
        assert app.tasks[0] is app.tasks[1]

    def test_in_an_rsgi_lifespan(self, servers):
        app = Tasks()
        loop = asyncio.new_event_loop()
        try:
            app.__rsgi_init__(loop)
            loop.run_until_complete(servers.play_rsgi(app))
            app.__rsgi_del__(loop)
        finally:
            loop.close()
        assert app.events == ONE_TASK
        assert app.tasks[0] is app.tasks[1]

    def test_without_a_lifespan_until_the_loop_s_tasks_are_cancelled(self, servers):
        app = Tasks()
        assert servers.asgi(app).body == b"x"
        assert app.events == ONE_TASK
        assert app.tasks[0] is app.tasks[1]

    def test_may_hold_a_deadline_and_a_task_group(self, servers):
        for hold in (lambda: asyncio.timeout(60), asyncio.TaskGroup):
            app = Tasks(hold)
            assert Lifespan(app).run(lambda app=app: servers.play_asgi(app)) is None
            assert app.events == ONE_TASK

    def test_may_hold_a_cancel_scope_of_anyio(self, servers):
        for hold in (lambda: Entered(anyio.CancelScope()), anyio.create_task_group):
            app = Tasks(hold)
            assert Lifespan(app).run(lambda app=app: servers.play_asgi(app)) is None
            assert app.events == ONE_TASK

    def test_ends_with_a_task_group_that_breaks_and_begins_again(self, servers, caplog):
        app = Tasks(asyncio.TaskGroup)

        async def breaks():
            raise LookupError("a worker has died")

        async def main():
            await servers.play_asgi(app)
            app.held.create_task(breaks())
            async with asyncio.timeout(10):
                while "stopped" not in app.events:
                    await asyncio.sleep(0)
            app.hold = None
            return await servers.play_asgi(app)

        assert asyncio.run(main()).body == b"x"
        assert app.events == ONE_TASK * 2
        assert app.tasks[0] is app.tasks[1] is not app.tasks[2]
        assert "shut down while it was serving" in caplog.text
        assert "a worker has died" in caplog.text

    def test_ends_when_the_lifespan_is_cancelled(self, servers):
        app = Tasks()

        async def main():
            lifespan = asyncio.create_task(app({"type": "lifespan"}, events.get, sent.put))
            await sent.get()
            lifespan.cancel()
            await asyncio.wait([lifespan], timeout=10)
            return lifespan.cancelled(), list(app.events)

        events, sent = asyncio.Queue(), asyncio.Queue()
        events.put_nowait({"type": "lifespan.startup"})
        assert asyncio.run(main()) == (True, [event for event in ONE_TASK if event != "unset"])
        assert app.tasks[0] is app.tasks[1]

    def test_a_startup_that_is_cancelled_has_ended_when_the_lifespan_has(self):
        class Hangs(App):
            async def startup(self):
                await ON_LOOP
                self.events.append("starting")
                try:
                    await asyncio.Event().wait()
                finally:
                    await asyncio.sleep(0)
                    self.events.append("cleaned up")

        app = Hangs()

        async def main():
            lifespan = asyncio.create_task(app({"type": "lifespan"}, events.get, events.put))
            while not app.events:
                await asyncio.sleep(0)
            lifespan.cancel()
            await asyncio.wait([lifespan], timeout=10)
            return list(app.events)

        events = asyncio.Queue()
        events.put_nowait({"type": "lifespan.startup"})
        assert asyncio.run(main()) == ["starting", "cleaned up"]

    def test_may_begin_over_wsgi_and_end_on_a_loop(self, servers):
        for app in (App(), AllSync()):
            servers.wsgi(app)
            assert Lifespan(app).run() is None
            assert app.events == ["starting", "started", "answered", "stopped"]

    def test_of_two_loops_at_once_is_one(self, servers):
        app = App(slow=0.1)
        barrier = threading.Barrier(2)

        async def serve():
            await asyncio.to_thread(barrier.wait, 10)
            answer = await servers.play_asgi(app)
            await asyncio.to_thread(barrier.wait, 10)
            return answer.body

        assert at_once(lambda _: asyncio.run(serve()), range(2)) == [b"x"] * 2
        assert app.events == ["starting", "started", "answered", "answered", "stopped"]


class Entered:
    """A context manager that is entered on the loop."""

    def __init__(self, manager):
        self.manager = manager

    async def __aenter__(self):
        return self.manager.__enter__()

    async def __aexit__(self, *raised):
        return self.manager.__exit__(*raised)


class AllSync(App):
    """An application that needs no loop."""

    async def startup(self):
        await ON_THREAD
        self.token = variable.set("set")
        self.events += ["starting", "started"]

    async def shutdown(self):
        await ON_THREAD
        variable.reset(self.token)
        self.events.append("stopped")


SHUTDOWN = """
import asyncio, sys, io
from antiphon.adapters.servable import Servable
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.response.response import Response

class App(Servable):
    async def _handle(self, request):
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


@pytest.mark.processes
@rows("pattern", ["T", "A", "TT", "AA", "TA", "AT", "TAT", "ATA"])
def test_shutting_down_over_wsgi_comes_when_the_interpreter_exits(pattern):
    ended = zygote.run("-c", SHUTDOWN, pattern)
    assert (ended.stdout, ended.stderr) == (pattern, "")


ONE_TASK_OVER_WSGI = """
import asyncio, sys, io, threading
from contextvars import ContextVar
from weakref import ref
from antiphon.adapters.servable import Servable
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.response.response import Response

on_threads = ContextVar("on_threads")
on_loop = ContextVar("on_loop")

class App(Servable):
    async def _handle(self, request):
        print(on_threads.get("-"), on_loop.get("-"), end=" ")
        return Response("x")

    async def _change(self, stage):
        for number, letter in enumerate(sys.argv[1 + (stage == "shutdown")]):
            first = stage == "startup" and number < 2
            if letter == "T":
                await ON_THREAD
                if first:
                    self.token = on_threads.set("T")
                elif stage == "shutdown":
                    on_threads.reset(self.token)
            else:
                await ON_LOOP
                if first:
                    self.task = asyncio.current_task(), on_loop.set("A")
                elif stage == "shutdown":
                    assert asyncio.current_task() is self.task[0], "another task"
                    on_loop.reset(self.task[1])
                await asyncio.sleep(0)
            print(letter, end=" ")

    async def startup(self):
        await self._change("startup")
        print(sum("loop" in thread.name for thread in threading.enumerate()), end=" ")

    async def shutdown(self):
        await self._change("shutdown")

environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
           "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
App()(environ, lambda status, headers: None)
"""


@pytest.mark.processes
@rows(
    "startup, shutdown, loops",
    [("T", "T", 0), ("A", "A", 1), ("TA", "AT", 1), ("TA", "TA", 1), ("AT", "TA", 1), ("T", "", 0), ("AT", "A", 1)],
)
def test_one_task_and_context_serve_startup_and_shutdown_over_wsgi(startup, shutdown, loops):
    ended = zygote.run("-c", ONE_TASK_OVER_WSGI, startup, shutdown)
    assert ended.stderr == ""
    assert ended.stdout.split() == [*startup, str(loops), "-", "-", *shutdown]


STOPPING = """
import io, sys
from antiphon.adapters.servable import Servable
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.response.response import Response

class App(Servable):
    async def _handle(self, request):
        return Response("x")

    async def startup(self):
        await (ON_LOOP if sys.argv[1] == "A" else ON_THREAD)

    async def shutdown(self):
        await (ON_LOOP if sys.argv[1] == "A" else ON_THREAD)
        stop()

def ask():
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
               "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    App()(environ, lambda status, headers: None)
"""

SHUTDOWN_THAT_FAILS = (
    STOPPING
    + """
def stop():
    raise LookupError("cannot stop")

ask()
"""
)


@pytest.mark.processes
@rows("style", ["T", "A"])
def test_a_shutdown_that_fails_at_exit_is_seen(style):
    ended = zygote.run("-c", SHUTDOWN_THAT_FAILS, style)
    assert "LookupError: cannot stop" in ended.stderr


IN_A_WORKER = (
    STOPPING
    + """
import multiprocessing

def stop():
    print("shut down", flush=True)

worker = multiprocessing.get_context("fork").Process(target=ask)
worker.start()
worker.join()
"""
)


@pytest.mark.processes
@rows("style", ["T", "A"])
def test_the_end_of_a_process_of_multiprocessing_shuts_down_too(style):
    ended = zygote.run("-c", IN_A_WORKER, style)
    assert (ended.stdout, ended.stderr) == ("shut down\n", "")


FORK = (
    SHUTDOWN
    + """
import os, sys
child = os.fork()
if child:
    os.waitpid(child, 0)
    print("parent", end=" ", flush=True)
"""
)


@pytest.mark.processes
@rows("pattern", ["T", "A"])
def test_a_child_process_does_not_shut_down_what_its_parent_has_started(pattern):
    ended = zygote.run("-W", "ignore", "-c", FORK, pattern)
    assert ended.stdout == f"parent {pattern}"


class TestHowServersTellTheInterface:
    @rows("app", [App(), to_app(lambda request: Response("x"))], ids=["class", "function"])
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


class TestAServedFunction:
    @pytest.mark.parametrize("style", ["def", "async def"])
    def test_answers_over_each_interface(self, call, style):
        def blocks(request):
            return Response(f"{request.method} {request.path} {request.body.decode()} {request.headers['x-a']}")

        app = to_app(in_style(style, blocks))
        answer = call(app, "PUT", "/p", headers=[("x-a", "a")], chunks=[b"bo", b"dy"])
        assert (answer.status, answer.body) == (200, b"PUT /p body a")
        assert app.interface == {"def": "wsgi", "async def": "asgi"}[style]

    @pytest.mark.parametrize("target", ["admin/keys", "x/admin/keys"])
    def test_is_not_asked_for_a_target_that_is_no_path(self, call, target):
        asked = []
        app = to_app(lambda request: asked.append(request.path))
        assert (call(app, path=target).status, asked) == (400, [])


def test_variables_do_not_leak_on_one_thread_over_wsgi(servers, seen):
    @to_app
    def app(request):
        seen.append(variable.get())
        variable.set("set")
        request.after_response(lambda: variable.set("after"))
        return Response(iter([b"x"]))

    def calls():
        for _ in range(2):
            body = app(servers.environ(), lambda status, headers: None)
            list(body)
            body.close()
        return variable.get()

    assert servers.in_time(calls) == "unset"
    assert seen == ["unset", "unset"]


def test_without_asyncio_the_error_says_so(servers):
    """Trio awaits an application where no loop of asyncio runs."""

    async def receive():
        return {"type": "lifespan.startup"}

    async def send(message):
        sent.append(message)

    for scope in (servers.scope(), {"type": "lifespan"}):
        sent = []
        with pytest.raises(RuntimeError, match=r"needs asyncio.*trio.*--worker-class asyncio"):
            App()(scope, receive, send).send(None)
        assert [message["type"] for message in sent] == ["lifespan.startup.failed"] * (scope["type"] == "lifespan")
