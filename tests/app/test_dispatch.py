"""What a request keeps on its way through an application: its task, its thread, its context variables."""

import asyncio
import gc
import threading
import time
from contextvars import ContextVar, copy_context

import pytest
from anyio import CancelScope

from antiphon import App, Request, Response
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.workers import WORKERS
from antiphon.handler.contract import Switch
from antiphon.handler.failures import failed
from antiphon.http.errors import NotFound
from antiphon.testing import AsyncClient
from tests.adapters.conftest import scope
from tests.app.conftest import STYLES
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")

variable = ContextVar("variable", default="unset")

LARGE = bytes(200_000)


async def cancel_before_the_next_thread(times):
    """Have the current task wait when it next wants a thread, be cancelled there so many times, and then get one."""
    task, loop, are_free = asyncio.current_task(), asyncio.get_running_loop(), threading.Event()
    all_are_busy = threading.Barrier(WORKERS + 1, timeout=10)

    def occupy():
        all_are_busy.wait()
        are_free.wait(10)

    busy = [asyncio.create_task(Crossing().run(occupy)) for _ in range(WORKERS)]
    await asyncio.to_thread(all_are_busy.wait)

    def cancel(left):
        if left:
            task.cancel()
            loop.call_soon(cancel, left - 1)
        else:
            are_free.set()
            busy.clear()

    loop.call_soon(cancel, times)


def cancel_from_a_thread(loop, task):
    """Cancel a task that waits for this thread."""
    is_cancelled = threading.Event()
    loop.call_soon_threadsafe(task.cancel)
    loop.call_soon_threadsafe(is_cancelled.set)
    assert is_cancelled.wait(10)


class TestContextVariables:
    def app(self, style, other, seen, wraps="middleware"):
        """Each part sets the variable to its name, and notes what it was before."""
        app = App()

        def note(name):
            seen.append((name, variable.get()))
            variable.set(name)

        app.middleware(other.around(lambda request: note("opened"), lambda request, response: note("closed")))
        app.before_request(other(lambda request: note("before")))
        app.after_request(other(lambda request, response: note("after")))

        def finished():
            note("finished")

        @app.route("/", ["GET", "POST"])
        @style
        def handler(request):
            note("handler")
            request.after_response(other(finished))
            return "x"

        @app.get("/stream")
        @style
        def stream(request):
            note("handler")
            request.after_response(other(finished))

            def chunks():
                note("stream")
                yield "x"
                note("stream goes on")
                yield "y"

            async def waiting_chunks():
                for chunk in chunks():
                    await asyncio.sleep(0)
                    yield chunk

            return waiting_chunks() if other.is_async else chunks()

        return app

    def test_are_seen_by_streams_and_what_is_left_for_after(self, serving, style, other, seen):
        assert serving(self.app(style, other, seen)).get("/stream").text == "xy"
        assert seen[-4:] == [
            ("closed", "after"), ("stream", "closed"), ("stream goes on", "stream"), ("finished", "stream goes on")
        ]  # fmt: skip

    @pytest.mark.parametrize("interface", ["wsgi"])
    def test_do_not_leak_on_one_thread(self, interface, style, other, serving, seen):
        client = serving(self.app(style, other, seen), timeout=None)
        for _ in range(3):
            client.get("/stream")
        assert [before for name, before in seen if name == "opened"] == ["unset"] * 3
        assert variable.get() == "unset"

    @pytest.mark.parametrize("outer_waits", [False, True])
    def test_that_were_reset_are_unset_for_middleware_of_another_style(self, serving, style, outer_waits, app):
        seen, tokens = [], []

        def opens(request):
            tokens.append(variable.set("inside"))

        outer, inner = STYLES[outer_waits], STYLES[not outer_waits]
        app.middleware(outer.around(after=lambda request, response: seen.append(variable.get())))
        app.middleware(inner.around(opens, lambda request, response: variable.reset(tokens.pop())))
        app.get("/")(style(lambda request: variable.get()))
        assert serving(app).get("/").text == "inside"
        assert seen == ["unset"]

    def test_of_two_requests_at_once_are_apart(self, interface, style, app):
        barrier = threading.Barrier(2)

        @app.before_request
        def sets(request):
            variable.set(request.path)

        @app.get("/<name>")
        def blocks(request):
            barrier.wait(10)
            return variable.get()

        @app.post("/<name>")
        async def waits(request):
            await asyncio.sleep(0.01)
            return variable.get()

        async def main():
            client = AsyncClient(app, interface, timeout=10)
            method = "POST" if style.is_async else "GET"
            answers = await asyncio.gather(client.request(method, "/one"), client.request(method, "/two"))
            return [answer.text for answer in answers]

        assert asyncio.run(main()) == ["/one", "/two"]


class TestTheThread:
    def app(self, style, seen):
        app = App()

        def note(name):
            seen[name] = threading.get_ident()

        @app.middleware
        def around(request):
            note("opened")
            yield
            note("closed")

        app.before_request(lambda request: note("before"))
        app.after_request(lambda request, response: note("after"))
        app.errorhandler(LookupError)(lambda request, error: note("error") or "handled")

        @app.post("/")
        @style
        def handler(request):
            note("handler")
            raise LookupError

        return app

    @pytest.mark.parametrize("body", [b"", b"small", LARGE], ids=["none", "small", "large"])
    def test_is_a_worker_for_a_def_with_all_that_blocks_around_it(self, interface, body):
        seen = {}
        app = self.app(lambda function: function, seen)

        async def main():
            response = await AsyncClient(app, interface, timeout=10).post("/", body=body)
            return response.text, threading.get_ident()

        text, loop = asyncio.run(main())
        assert text == "handled"
        assert loop not in seen.values()
        if body is not LARGE:
            assert len(set(seen.values())) == 1

    @pytest.mark.parametrize("interface", ["asgi", "rsgi"])
    @pytest.mark.parametrize("blocking", [False, True])
    def test_is_the_loops_around_an_async_def_but_for_what_is_declared_to_block(self, interface, blocking, app):
        seen = {}

        @app.middleware(blocking=blocking)
        def around(request):
            seen["opened"] = threading.get_ident()
            yield
            seen["closed"] = threading.get_ident()

        app.before_request(blocking=blocking)(lambda request: seen.update(before=threading.get_ident()))
        app.after_request(blocking=blocking)(lambda request, response: seen.update(after=threading.get_ident()))

        @app.get("/")
        async def handler(request):
            seen["handler"] = threading.get_ident()
            return "x"

        asyncio.run(AsyncClient(app, interface, timeout=10).get("/"))
        assert seen.pop("handler") == threading.get_ident()
        assert [each == threading.get_ident() for each in seen.values()] == [not blocking] * 4


def noting_error(seen):
    """Middleware that notes the class of the response's error."""

    def note(request):
        response = yield
        seen.append(type(response.error))

    return note


def waiting(app):
    """Have an application's handler wait for ever; returns the event that is set when it has begun."""
    begun = threading.Event()

    @app.get("/")
    async def handler(request):
        begun.set()
        await asyncio.Event().wait()

    return begun


class TestACancellation:
    """By the server: as when it shuts down, or when the client has left before the response began."""

    def cancelled(self, app, begun=None, method="GET"):
        """Whether CancelledError left a request over ASGI, which is cancelled when the event is set, if any."""

        async def receive():
            await asyncio.Event().wait()

        async def send(message):
            await asyncio.sleep(0)
            raise AssertionError("nobody is there to get an answer")

        async def main():
            task = asyncio.create_task(app(scope(method), receive, send))
            if begun is not None:
                while not begun.is_set():
                    await asyncio.sleep(0.001)
                task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                return True
            return False

        left = asyncio.run(asyncio.wait_for(main(), 10))
        gc.collect()
        return left

    def test_of_a_blocking_handler_waits_for_it_and_closes_all_middleware(self, other, app, seen):
        begun, go_on = threading.Event(), threading.Event()

        def blocking(request):
            try:
                yield
            finally:
                seen.append("closed")

        async def waiting(request):
            try:
                yield
            finally:
                seen.append("closed")

        app.middleware(waiting if other.is_async else blocking)

        @app.get("/")
        def handler(request):
            begun.set()
            threading.Timer(0.05, go_on.set).start()
            go_on.wait(10)
            seen.append("handler")
            return "x"

        assert self.cancelled(app, begun)
        assert seen == ["handler", "closed"]

    def test_while_a_middleware_waits_closes_those_around_it(self, app, seen):
        begun = threading.Event()

        app.middleware(noting_error(seen))

        @app.middleware
        async def inner(request):
            begun.set()
            await asyncio.Event().wait()
            yield

        app.get("/")(lambda request: "never")
        assert self.cancelled(app, begun)
        assert seen == [asyncio.CancelledError]

    def test_is_not_answered_by_error_handlers(self, app, seen):
        app.errorhandler(Exception)(lambda request, error: seen.append(error) or "handled")
        app.errorhandler(500)(lambda request, error: seen.append(error) or "handled")
        assert self.cancelled(app, waiting(app))
        assert seen == []

    def test_is_not_swallowed_by_what_comes_after(self, other, app):
        app.after_request(other(lambda request, response: Response("replaced")))

        def fails(request, response):
            raise LookupError

        app.middleware(other.around(after=fails))
        assert self.cancelled(app, waiting(app))

    def test_calls_what_was_left_for_after(self, style, app, seen):

        @app.before_request
        def before(request):
            request.after_response(lambda: seen.append("after"))

        assert self.cancelled(app, waiting(app))
        assert seen == ["after"]

    @rows("times", [1, 3])
    @rows("where", ["request's hook", "hook", "middleware"])
    def test_on_the_way_to_a_thread_leaves_nothing_out(self, style, where, times):
        seen = []
        app = App()

        def note(name):
            return lambda request, response: seen.append((name, type(response.error)))

        def wait(name):
            async def waits(request, response):
                if name == where:
                    await cancel_before_the_next_thread(times)

            return waits

        @app.middleware(blocking=True)
        def outer(request):
            note("middleware")(request, (yield))

        @app.middleware
        async def inner(request):
            await wait("middleware")(request, (yield))

        app.after_request(blocking=True)(note("hook"))
        app.after_request(wait("hook"))

        @app.get("/")
        @style
        def handler(request):
            request.on_response(wait("request's hook"))
            request.on_response(note("request's hook"))
            return "x"

        assert self.cancelled(app)
        assert [name for name, error in seen] == ["request's hook", "hook", "middleware"]
        assert seen[-1] == ("middleware", asyncio.CancelledError)

    @pytest.mark.parametrize("fails", [False, True], ids=["passes", "fails"])
    def test_that_was_held_back_on_a_thread_leaves_nothing_out(self, style, fails, app, seen):
        app.middleware(blocking=True)(noting_error(seen))

        @app.middleware
        async def between(request):
            yield
            if fails:
                raise LookupError

        @app.middleware(blocking=True)
        def inner(request):
            yield
            cancel_from_a_thread(*seen.pop())

        @app.before_request
        async def before(request):
            seen.append((asyncio.get_running_loop(), asyncio.current_task()))

        app.get("/")(style(lambda request: "x"))
        assert self.cancelled(app)
        assert seen == [asyncio.CancelledError]

    def test_that_was_held_back_while_an_error_is_answered_closes_all_middleware(self, app, seen):
        @app.middleware
        async def outer(request):
            seen.append((asyncio.get_running_loop(), asyncio.current_task()))
            response = yield
            seen.append(type(response.error))

        @app.middleware
        def inner(request):
            cancel_from_a_thread(*seen.pop())
            response = yield
            seen.append(type(response.error))

        @app.before_request
        async def before(request):
            raise LookupError

        app.get("/")(lambda request: "never")
        assert self.cancelled(app)
        assert seen == [asyncio.CancelledError] * 2

    def test_on_the_way_back_from_an_error_handler_closes_all_middleware(self, app, seen):
        @app.errorhandler(LookupError)
        async def answer(request, error):
            await cancel_before_the_next_thread(1)
            return "handled"

        app.middleware(noting_error(seen))

        @app.get("/")
        def handler(request):
            raise LookupError

        assert self.cancelled(app)
        assert seen == [asyncio.CancelledError]

    def test_on_the_way_back_from_a_hook_of_the_request_closes_the_stream_that_it_gave(self, app, seen):
        class Chunks:
            def __iter__(self):
                yield b"x"

            def close(self):
                seen.append("closed")

        @app.get("/")
        def handler(request):
            @request.on_response
            async def replace(request, response):
                await cancel_before_the_next_thread(1)
                return Response.stream(Chunks())

            return "x"

        assert self.cancelled(app)
        assert seen == ["closed"]

    @pytest.mark.parametrize("instead", [LookupError, NotFound], ids=["an error", "a response with an error"])
    def test_while_a_middleware_closes_is_not_swallowed_by_those_around_it(self, other, instead, app):
        def after(request, response):
            if instead is LookupError:
                raise LookupError
            return failed(request, NotFound())

        app.middleware(other.around(after=after))

        @app.middleware
        async def inner(request):
            yield
            asyncio.current_task().cancel()
            await asyncio.sleep(0)

        @app.get("/")
        async def handler(request):
            return "x"

        assert self.cancelled(app)

    @rows("times", [1, 3])
    def test_on_the_way_to_a_thread_drops_nothing_that_was_left_for_after(self, times):
        seen = []
        app = App()

        @app.get("/")
        async def handler(request):
            @request.after_response
            async def waits():
                await cancel_before_the_next_thread(times)

            request.after_response(lambda: seen.append("first"))
            request.after_response(lambda: seen.append("second"))
            asyncio.current_task().cancel()
            await asyncio.sleep(0)

        assert self.cancelled(app)
        assert seen == ["first", "second"]


class TestADisconnect:
    @rows("busy", [True, False], ids=["threads are busy", "threads are free"])
    def test_that_a_scope_asks_for_again_and_again_ends_with_it(self, busy):
        seen, scopes = [], []
        app = App()

        @app.middleware(blocking=True)
        def outer(request):
            response = yield
            if not busy:
                time.sleep(0.01)  # in which it is asked for again
            seen.append(response.status)

        @app.get("/")
        async def handler(request):
            if busy:
                await cancel_before_the_next_thread(0)
            scopes[0].cancel()
            await asyncio.Event().wait()

        async def receive():
            await asyncio.Event().wait()

        async def send(message):
            raise AssertionError("nobody is there to get an answer")

        async def main():
            with CancelScope() as cancelling:
                scopes.append(cancelling)
                await app(scope(), receive, send)
            for _ in range(3):
                await asyncio.sleep(0)
            return cancelling.cancelled_caught

        assert asyncio.run(asyncio.wait_for(main(), 10))
        assert seen == [499]


class TestAForgottenAwait:
    @rows("forgets", ["the handler", "a hook"])
    def test_of_a_def_that_returns_a_coroutine_says_what_to_do(self, serving, caplog, forgets):
        app = App()

        async def inner(request):
            return None

        def forgetful(request):
            return inner(request)

        if forgets == "a hook":
            app.before_request(forgetful)
        app.get("/")(forgetful if forgets == "the handler" else lambda request: "x")
        assert serving(app).get("/").status == 500
        gc.collect()
        assert "async def" in caplog.text or "await" in caplog.text


class TestStepsThatAreClosed:
    def test_call_nothing_more(self, app, seen):
        """As when the interpreter ends while a request waits: nobody drives the steps any more."""

        @app.middleware
        def around(request):
            seen.append("opened")
            try:
                seen.append((yield).status)
            except GeneratorExit:
                seen.append("dropped")
                raise

        app.after_request(lambda request, response: seen.append("after"))
        app.errorhandler(Exception)(lambda request, error: seen.append("handled"))

        @app.get("/")
        async def handler(request):
            await asyncio.Future(loop=loop)

        loop = asyncio.new_event_loop()
        steps, context = app._handle(Request.blank("/")), copy_context()
        while isinstance(context.run(steps.send, None), Switch):
            pass
        steps.close()
        del steps
        gc.collect()
        loop.close()
        assert seen == ["opened", "dropped"]
