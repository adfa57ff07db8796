"""The scope of ``async def`` handlers: cancelled by the deadline, the client and the end of the process."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from math import inf
from threading import Event, current_thread, main_thread

import pytest

from antiphon import App, Blueprint, Request, to_app
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.process import Announcement
from antiphon.handler import cancellation
from antiphon.handler.contract import BEGIN_ON_THREAD, NotBegun
from antiphon.http.errors import GatewayTimeout
from antiphon.http.head import DerivedHead, RequestHead
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

SOON = 0.01
FOREVER = 600


class OnLoop(DerivedHead):
    """The head of a request that a server's loop has received."""

    blocks = False


class LeavingHead(RequestHead):
    """A head of a client that has left before the handler begins."""

    blocks = False

    async def wait_disconnect(self):
        pass


@pytest.fixture
def grace_over(monkeypatch):
    news = Announcement()
    monkeypatch.setattr(cancellation, "GRACE_OVER", news)
    return news


def on_loop(url, method="GET"):
    return Request(OnLoop(Request.blank(url, method).head))


def answer(app, request=None, during=None):
    """The response to a request on a loop, and what is left of the task's cancellations and of other tasks."""

    async def main():
        if during:
            asyncio.get_running_loop().call_later(SOON, during)
        async with asyncio.timeout(10):
            response = await app._respond(request or on_loop("/"))
        await asyncio.sleep(0)
        task = asyncio.current_task()
        return response.status, task.cancelling(), len(asyncio.all_tasks()) - 2

    async def in_task():
        return await asyncio.create_task(main())

    return asyncio.run(in_task())


class Waits:
    """A handler that waits, and notes what happens to it."""

    def __init__(self):
        self.seen = []

    async def __call__(self, request):
        try:
            await asyncio.sleep(FOREVER)
        except asyncio.CancelledError:
            self.seen.append("cancelled")
            await asyncio.sleep(0)
            self.seen.append("cleaned up")
            raise


@pytest.fixture
def waits():
    return Waits()


class TestADeadline:
    @pytest.mark.parametrize("where", ["app", "blueprint", "route", "the nearest"])
    def test_cancels_the_handler_and_is_504(self, waits, where, caplog):
        app = App(deadline={"app": SOON, "the nearest": FOREVER}.get(where))
        shop = Blueprint("shop", deadline={"blueprint": SOON, "the nearest": FOREVER}.get(where))
        shop.get("/", deadline=SOON if where in ("route", "the nearest") else None)(waits)
        app.register(shop)
        assert answer(app) == (504, 0, 0)
        assert waits.seen == ["cancelled", "cleaned up"]
        assert "GatewayTimeout" in caplog.text

    def test_counts_from_the_start_of_the_middleware(self, waits):
        app = App(deadline=SOON)

        @app.middleware
        async def slow(request):
            await asyncio.sleep(2 * SOON)
            assert request.lifetime.remaining == 0
            yield

        app.get("/")(waits)
        assert answer(app) == (504, 0, 0)

    def test_is_an_error_for_middleware_and_error_handlers(self, waits):
        app, seen = App(deadline=SOON), []

        @app.middleware(errors_at_yield=True)
        async def transaction(request):
            try:
                yield
            except GatewayTimeout as error:
                seen.append(type(error.__cause__))
                raise

        app.errorhandler(504)(lambda request, error: ("too late", 504))
        app.get("/")(waits)
        assert answer(app) == (504, 0, 0)
        assert seen == [asyncio.CancelledError]

    @rows("style", ["def", "async def"])
    def test_leaves_handlers_alone_that_answer_in_time(self, style):
        app = App(deadline=FOREVER)

        def handler(request):
            return str(0 < request.lifetime.remaining <= FOREVER)

        app.get("/")(in_style(style, handler))
        assert answer(app) == (200, 0, 0)

    def test_does_not_break_off_a_def_handler(self):
        app = App(deadline=1e-9)
        app.get("/")(lambda request: str(request.lifetime.remaining))
        assert answer(app) == (200, 0, 0)

    def test_holds_over_wsgi_too(self, waits):
        app = App(deadline=SOON)
        app.get("/")(waits)
        from antiphon.testing import Client

        with Client(app, interface="wsgi") as client:
            assert client.get("/").status == 504
        assert waits.seen == ["cancelled", "cleaned up"]

    def test_of_the_outer_application_counts_in_a_mounted_one(self, waits):
        outer, inner = App(deadline=SOON), App(deadline=FOREVER)
        inner.get("/")(waits)
        outer.mount("/shop", inner)
        assert answer(outer, on_loop("/shop/")) == (504, 0, 0)

    def test_of_its_own_is_an_error_for_a_handler_that_nothing_cancels(self):
        def report(request): ...

        async def rows(request):
            yield ""

        for handler in (report, rows, partial(report)):
            with pytest.raises(TypeError, match=r"(report|rows) \(.*\): deadline=5 would cancel nothing.*async def"):
                App().get("/", deadline=5)(handler)
            App(deadline=5).get("/", deadline=inf)(handler)

    @rows(
        "seconds, error",
        [(0, ValueError), (-1, ValueError), ("1", TypeError), (True, TypeError), (float("nan"), ValueError)],
    )
    def test_is_a_number_of_seconds_above_0(self, seconds, error):
        for make in (
            lambda: App(deadline=seconds),
            lambda: Blueprint("shop", deadline=seconds),
            lambda: App().get("/", deadline=seconds)(print),
        ):
            with pytest.raises(error, match="deadline"):
                make()


class TestACancellation:
    def test_that_the_handler_swallows_is_over_with_it(self):
        app = App(deadline=SOON)

        @app.get("/")
        async def handler(request):
            try:
                await asyncio.sleep(FOREVER)
            except asyncio.CancelledError:
                return "a part of it"

        assert answer(app) == (200, 0, 0)

    def test_that_the_handler_turns_into_another_error_is_that(self):
        app = App(deadline=SOON)

        @app.get("/")
        async def handler(request):
            try:
                await asyncio.sleep(FOREVER)
            except asyncio.CancelledError:
                raise LookupError from None

        app.errorhandler(LookupError)(lambda request, error: ("other", 418))
        assert answer(app) == (418, 0, 0)

    def test_leaves_a_timeout_of_the_handler_alone(self):
        app = App(deadline=FOREVER)

        @app.get("/")
        async def handler(request):
            try:
                async with asyncio.timeout(SOON):
                    await asyncio.sleep(FOREVER)
            except TimeoutError:
                return "in time"

        assert answer(app) == (200, 0, 0)

    def test_passes_through_a_task_group(self, waits):
        app = App(deadline=SOON)

        @app.get("/")
        async def handler(request):
            async with asyncio.TaskGroup() as group:
                group.create_task(waits(request))

        assert answer(app) == (504, 0, 0)
        assert waits.seen == ["cancelled", "cleaned up"]

    def test_of_another_one_is_still_a_cancellation(self, waits):
        app = App(deadline=FOREVER)
        app.get("/")(waits)

        async def main():
            task = asyncio.create_task(driven(app))
            await asyncio.sleep(SOON)
            task.cancel()
            await asyncio.wait([task])
            return task.cancelled()

        async def driven(app):
            return await app._respond(on_loop("/"))

        assert asyncio.run(main())

    def test_waits_behind_a_shield(self):
        app, seen = App(deadline=SOON), []

        @app.get("/")
        async def handler(request):
            with request.lifetime.shield(), request.lifetime.shield():
                await asyncio.sleep(3 * SOON)
                seen.append(request.lifetime.remaining)
            seen.append("behind it")
            await asyncio.sleep(FOREVER)

        assert answer(app) == (504, 0, 0)
        assert seen == [0, "behind it"]

    def test_is_forgotten_where_nothing_waits_behind_the_shield(self):
        app = App(deadline=SOON)

        @app.get("/")
        async def handler(request):
            with request.lifetime.shield():
                await asyncio.sleep(3 * SOON)
            return "done"

        assert answer(app) == (200, 0, 0)

    def test_that_comes_while_a_thread_works_is_taken_back(self, grace_over):
        app = App()

        @app.get("/")
        async def handler(request):
            task = asyncio.current_task()

            def work():
                grace_over.give()
                eventually(lambda: task.cancelling() or None, "the handler is not cancelled")

            await Crossing.for_files().run(work)
            return "done"

        assert answer(app) == (200, 0, 0)


@rows(
    "method, option, status",
    [("GET", None, 499), ("HEAD", None, 499), ("POST", None, 200), ("POST", True, 499), ("GET", False, 200)],
)
def test_a_client_that_leaves(method, option, status):
    app = App(cross_site_writes=True)

    @app.route("/", methods=[method], cancel_on_disconnect=option)
    async def handler(request):
        await asyncio.sleep(5 * cancellation.LOOK if status == 200 else FOREVER)
        return "all of it"

    head = LeavingHead()
    head.method = method
    assert answer(app, Request(head)) == (status, 0, 0)


def test_a_plain_function_is_cancelled_too(waits):
    assert answer(to_app(waits.__call__), Request(LeavingHead())) == (499, 0, 0)
    assert waits.seen == ["cancelled", "cleaned up"]


class TestTheEndOfAProcess:
    def test_is_503_for_a_handler_that_waits(self, waits, grace_over):
        app = App()
        app.post("/")(waits)
        assert answer(app, on_loop("/", "POST"), grace_over.give) == (503, 0, 0)
        assert waits.seen == ["cancelled", "cleaned up"]

    def test_reaches_those_that_begin_to_wait_later(self, waits, grace_over):
        app = App()
        app.get("/")(waits)
        grace_over.give()
        assert answer(app) == (503, 0, 0)

    def test_reaches_those_over_wsgi(self, waits, grace_over):
        from antiphon.testing import Client

        app = App()

        @app.get("/")
        async def handler(request):
            asyncio.get_running_loop().call_later(SOON, grace_over.give)
            await waits(request)

        with Client(app, interface="wsgi") as client:
            assert client.get("/").status == 503


def test_nothing_is_kept_of_handlers_that_have_ended(caplog):
    app = App()

    @app.get("/")
    async def handler(request):
        await asyncio.sleep(3 * cancellation.LOOK)
        return "done"

    async def main():
        await app._respond(on_loop("/"))
        await asyncio.sleep(3 * cancellation.LOOK)
        assert cancellation._watches.get(asyncio.get_running_loop()) is None

    caplog.set_level(logging.WARNING)
    asyncio.run(main())
    assert caplog.text == ""


def test_loops_of_several_threads_may_begin_to_wait_at_once():
    app = App()
    ends = Event()

    @app.get("/")
    async def handler(request):
        while not ends.is_set():
            await asyncio.sleep(SOON)
        return "done"

    async def main():
        return (await app._respond(on_loop("/"))).status

    def waits_on(loops):
        eventually(lambda: True if len(cancellation._watches) == loops else None, f"no handler waits on {loops} loops")

    def run(make_loop):
        with asyncio.Runner(loop_factory=make_loop) as runner:
            return runner.run(main())

    class LookedAt(asyncio.SelectorEventLoop):
        """A loop on which a handler waits. While it is looked at, a handler begins to wait on a third loop."""

        def is_closed(self):
            if current_thread() is main_thread() and len(answers) == 1:
                answers.append(pool.submit(run, asyncio.new_event_loop))
                waits_on(2)
                ends.set()
            return super().is_closed()

    app._freeze()
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(run, LookedAt)]
        waits_on(1)
        try:
            assert asyncio.run(main()) == 200
        finally:
            ends.set()
        assert [answer.result() for answer in answers] == [200, 200]


@rows("passed", [[], [503]])
def test_a_refused_request_that_waited_for_a_thread_leaves_what_it_has_passed(passed):
    async def note(request):
        ended.append((yield).status)

    def refuse():
        steps.throw(NotBegun(503))
        while True:
            steps.send(None)

    app, ended, context = App(), [], copy_context()
    app.get("/")(lambda request: ended.append("begun"))
    if passed:
        app.middleware(note)
    steps = app._handle(on_loop("/"))
    while context.run(steps.send, None) is not BEGIN_ON_THREAD:
        pass
    with pytest.raises(StopIteration) as end:
        context.run(refuse)
    assert (end.value.value.status, ended) == (503, passed)
