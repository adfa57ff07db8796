"""Middleware into which errors are thrown, and the errors that middleware raises again by itself."""

import asyncio
import sqlite3
import time
from contextlib import asynccontextmanager, contextmanager, suppress

import anyio
import pytest

from antiphon import App, Blueprint, Redirect, Response
from antiphon.handler.callables import describe
from antiphon.handler.drive import driven
from antiphon.http.errors import BadRequest, Forbidden, NotFound
from antiphon.request.request import Request
from tests.app.conftest import STYLES
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")


class Full(Exception):
    """An error of an application's own."""


def app_that(raises, style, register=lambda app: None):
    """An application whose handler raises an error, with what is registered around it, and an error handler."""
    app = App()
    app.handled = []
    register(app)

    @app.errorhandler(Full)
    @style
    def full(request, error):
        app.handled.append(error)
        return "full", 507

    @app.get("/")
    @style
    def handler(request):
        if raises is not None:
            raise raises
        return "done"

    return app


def around(other, seen, catches=(), answer=None):
    """Middleware that notes what is thrown in at its yield; it answers errors of the classes that it ``catches``."""

    def note(response):
        seen.append(response.status)

    def blocks(request):
        try:
            note((yield))
        except catches:
            seen.append("caught")
            return answer
        except BaseException as error:
            seen.append(error)
            raise

    async def waits(request):
        await asyncio.sleep(0)
        try:
            note((yield))
        except catches:
            seen.append("caught")
            if answer is not None:
                yield answer
        except BaseException as error:
            await asyncio.sleep(0)
            seen.append(error)
            raise

    return waits if other.is_async else blocks


def throwing(app, function):
    return app.middleware(errors_at_yield=True)(function)


class TestAnErrorFromInside:
    @rows(
        "error, status, logged",
        (LookupError("boom"), 500, 1),
        (Full("it is"), 507, 0),
        (NotFound("nothing"), 404, 0),
        (StopIteration(), 500, 1),
        ids=["any", "with an error handler", "an HTTPError", "StopIteration"],
    )
    def test_is_thrown_in_and_let_pass_changes_nothing(self, serving, style, other, error, status, logged, caplog):
        seen = []

        def register(app):
            throwing(app, around(other, seen))
            throwing(app, around(other, seen))

        app = app_that(error, style, register)
        assert serving(app).get("/").status == status
        if isinstance(error, StopIteration):
            assert len(seen) == 2
        else:
            assert seen == [error, error]
        assert len(app.handled) == isinstance(error, Full)
        assert len(caplog.records) == logged

    @rows("where", ["hook", "late hook", "middleware", "closing", "no route"])
    def test_is_thrown_in_wherever_it_was_raised(self, serving, style, other, where):
        seen = []
        app = App()
        throwing(app, around(other, seen))

        def fails(request, *_):
            raise Forbidden("no")

        if where == "hook":
            app.before_request(other(fails))
        elif where == "late hook":
            app.after_request(other(fails))
        elif where != "no route":
            app.middleware(other.around(**{"before" if where == "middleware" else "after": fails}))
        app.get("/")(style(lambda request: "x"))
        status = serving(app).get("/nowhere" if where == "no route" else "/").status
        assert (status, [type(error) for error in seen]) in [(403, [Forbidden]), (404, [NotFound])]

    @pytest.mark.parametrize("where", ["a blueprint", "before routing", "around a mounted app"])
    def test_is_thrown_in_at_any_place(self, serving, style, other, where, app, seen):
        function = around(other, seen)
        if where == "a blueprint":
            inner = Blueprint("inner")
            inner.middleware(errors_at_yield=True)(function)
            app.register(inner)
        else:
            app.middleware(errors_at_yield=True, before_routing=where == "before routing")(function)
            inner = App() if where == "around a mounted app" else app
        if inner is not app and where == "around a mounted app":
            app.mount("", inner)

        @inner.get("/fails")
        @style
        def fails(request):
            raise LookupError("boom")

        assert serving(app).get("/fails").status == 500
        assert [str(error) for error in seen] == ["boom"]

    @pytest.mark.parametrize("answer", [Response("calm", 202), ("calm", 202)], ids=["response", "tuple"])
    def test_that_is_caught_is_answered(self, serving, style, other, answer):
        outer, seen = [], []

        def register(app):
            throwing(app, around(other, outer))
            throwing(app, around(other, seen, LookupError, answer))

        response = serving(app_that(LookupError("boom"), style, register)).get("/")
        assert (response.status, response.text) == (202, "calm")
        assert (seen, outer) == (["caught"], [202])

    def test_that_is_caught_without_an_answer_has_its_own(self, serving, style, other, seen):
        app = app_that(Full(), style, lambda app: throwing(app, around(other, seen, Full)))
        response = serving(app).get("/")
        assert (response.status, response.text, seen) == (507, "full", ["caught"])

    def test_passes_a_task_group(self, serving, style):
        def register(app):
            @app.middleware(errors_at_yield=True)
            async def tasks(request):
                async with asyncio.TaskGroup():
                    yield

        app = app_that(Full(), style, register)
        assert serving(app).get("/").text == "full"
        assert len(app.handled) == 1

    def test_of_a_second_yield_names_the_middleware(self, serving, style, other, caplog):
        def blocks(request):
            with suppress(LookupError):
                yield
            yield

        async def waits(request):
            with suppress(LookupError):
                yield
            yield

        function = waits if other.is_async else blocks
        app = app_that(LookupError(), style, lambda app: throwing(app, function))
        assert serving(app).get("/").status == 500
        assert f"{describe(function)} yields again" in caplog.text


class TestATransaction:
    @pytest.fixture
    def database(self):
        database = sqlite3.connect(":memory:", check_same_thread=False)
        database.execute("create table orders (name)")
        yield database
        database.close()

    @staticmethod
    def ways(database, other):

        @contextmanager
        def transaction():
            with database:
                yield

        @asynccontextmanager
        async def atransaction():
            with database:
                yield

        def throws(request):
            with transaction():
                yield

        async def athrows(request):
            async with atransaction():
                yield

        def reraises(request):
            with transaction():
                response = yield
                response.reraise()

        async def areraises(request):
            async with atransaction():
                response = yield
                response.reraise()

        if other.is_async:
            return {"throws": athrows, "reraises": areraises}
        return {"throws": throws, "reraises": reraises}

    @pytest.mark.parametrize("way", ["throws", "reraises"])
    @pytest.mark.parametrize(
        ("fault", "status", "kept"),
        [(None, 200, 1), (Redirect("/"), 303, 1), (Full(), 507, 0), (BadRequest("no"), 400, 0), (ValueError(), 500, 0)],
        ids=repr,
    )
    def test_is_kept_unless_there_was_an_error(self, serving, style, other, database, way, fault, status, kept, caplog):
        app = app_that(None, style)
        app.middleware(errors_at_yield=way == "throws")(self.ways(database, other)[way])

        @app.post("/")
        @style
        def order(request):
            database.execute("insert into orders values ('tea')")
            if fault is not None:
                raise fault
            return "done"

        assert serving(app).post("/").status == status
        assert database.execute("select count(*) from orders").fetchone() == (kept,)
        assert len(app.handled) == isinstance(fault, Full)
        assert len(caplog.records) == isinstance(fault, ValueError)


class TestReraise:
    def test_raises_the_very_error(self):
        response = Response("x")
        response.error = LookupError("boom")
        with pytest.raises(LookupError) as raised:
            response.reraise()
        assert raised.value is response.error

    def test_leaves_the_response_with_what_was_set_on_it(self, serving, style, other):
        def after(request, response):
            response.headers["x-a"] = "1"
            response.reraise()

        app = app_that(Full(), style)
        app.middleware(other.around(after=after))
        app.after_request(other(after))
        app.before_request(lambda request: request.on_response(other(after)) and None)
        response = serving(app).get("/")
        assert (response.text, response.headers["x-a"]) == ("full", "1")
        assert len(app.handled) == 1


async def answered(app, path="/", *, cancels_when=None):
    """Answer a request on this loop, as servers do, and cancel it when an event is set."""
    task = asyncio.create_task(driven(app._handle(Request.blank(path))))
    if cancels_when is not None:
        await cancels_when.wait()
        task.cancel()
    return await asyncio.wait_for(task, 10)


@asynccontextmanager
async def asyncio_scope(seconds=0.01):
    async with asyncio.timeout(seconds):
        yield


@asynccontextmanager
async def anyio_scope(seconds=0.01):
    with anyio.fail_after(seconds):
        yield


SCOPES = {"asyncio.timeout": asyncio_scope, "anyio.fail_after": anyio_scope}


class TestADeadline:
    """A scope of the middleware's own cancels what is inside; nobody else's cancellation is a TimeoutError."""

    @staticmethod
    def app_with(scope, seen, answer=None, *, outer_is_async=True):
        app = App()
        outer = around(STYLES[outer_is_async], seen)
        app.middleware(errors_at_yield=True, blocking=not outer_is_async)(outer)

        @app.middleware(errors_at_yield=True)
        async def deadline(request):
            try:
                async with scope():
                    yield
            except TimeoutError as error:
                seen.append(error)
                if answer is None:
                    raise
                yield answer

        @app.get("/slow")
        async def slow(request):
            try:
                await asyncio.sleep(30)
            finally:
                seen.append("left")

        app.get("/quick")(lambda request: "quick")
        return app

    @rows("scope", SCOPES.values(), ids=SCOPES)
    @rows("hooks", ["none", "async", "sync"])
    def test_that_passes_is_a_timeout_error(self, serving, scope, hooks, caplog):
        seen = []
        app = self.app_with(scope, seen)
        if hooks != "none":
            hook = STYLES[hooks == "async"]
            app.after_request(hook(lambda request, response: None))
        assert serving(app).get("/slow").status == 500
        assert seen[0] == "left"
        assert [type(error) for error in seen[1:]] == [TimeoutError, TimeoutError]
        assert len(caplog.records) == 1

    @rows("scope", SCOPES.values(), ids=SCOPES)
    @rows("outer_is_async", [True, False], ids=["below async def", "below def on a thread"])
    def test_may_be_answered(self, serving, scope, outer_is_async):
        seen = []
        app = self.app_with(scope, seen, ("too slow", 503), outer_is_async=outer_is_async)
        client = serving(app)
        assert (client.get("/slow").status, client.get("/slow").text) == (503, "too slow")
        assert seen[0] == "left"
        assert seen[2] == 503

    @rows("scope", SCOPES.values(), ids=SCOPES)
    def test_leaves_the_task_as_it_was(self, scope):
        async def main():
            assert (await answered(self.app_with(scope, [], "slow"), "/slow")).body == b"slow"
            await asyncio.sleep(0.01)
            return asyncio.current_task().cancelling()

        assert asyncio.run(main()) == 0

    def test_that_is_swallowed_without_an_answer_is_an_error_in_words(self, serving, caplog, app):
        @app.middleware(errors_at_yield=True)
        async def impatient(request):
            with anyio.move_on_after(0.01):
                yield

        @app.get("/")
        async def slow(request):
            await asyncio.sleep(30)

        assert serving(app).get("/").status == 500
        assert f"{describe(impatient)} suppressed a cancellation without a response" in caplog.text

    @rows("catches", [(), BaseException], ids=["passed on", "caught"])
    @rows("sync", [False, True])
    def test_is_not_the_departure_of_a_client(self, catches, sync, caplog):
        seen = []
        app = App()
        throwing(app, around(STYLES[not sync], seen, catches, "late"))

        @app.middleware(errors_at_yield=True)
        async def deadline(request):
            async with asyncio.timeout(30):
                yield

        async def main():
            begun = asyncio.Event()

            @app.get("/")
            async def slow(request):
                begun.set()
                await asyncio.sleep(30)

            await answered(app, cancels_when=begun)

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(main())
        assert [str(entry) or type(entry).__name__ for entry in seen] == ["caught" if catches else "CancelledError"]
        assert caplog.records == []

    def test_waits_for_a_def_handler(self, serving):
        entered = []

        def scope():
            entered.append((asyncio.get_running_loop(), asyncio.timeout(None)))
            return entered[0][1]

        app = self.app_with(scope, [], ("too slow", 503))

        @app.get("/blocks")
        def blocks(request):
            loop, timeout = entered[0]
            loop.call_soon_threadsafe(timeout.reschedule, 0)  # it passes when the handler has begun
            time.sleep(0.05)
            return "blocked"

        assert serving(app).get("/blocks").text == "blocked"


def with_block(request):
    with suppress(LookupError):
        yield


async def async_with_block(request):
    async with asyncio.timeout(5):
        if request:
            yield


def with_except(request):
    try:
        yield None
    except LookupError:
        return "caught"
    return None


def nested(request):
    for _ in (1,):
        try:
            with suppress(LookupError):
                pass
            yield
        except* LookupError:
            pass


class Methods:
    def __init__(self):
        """A text with lines
        that stand further left than the code."""

    def method(self, request):
        """A text with lines
        that stand further left than the code."""
        with suppress(LookupError):
            yield


BLIND = {
    "with": (with_block, "with", 3),
    "async with": (async_with_block, "async with", 4),
    "try": (with_except, "try", 3),
    "try, nested": (nested, "try", 6),
    "method": (Methods().method, "with", 5),
}


def used(request):
    with suppress(LookupError):
        response = yield
    return response


def passed_on(request):
    with suppress(LookupError):
        request.g.response = yield


def with_finally(request):
    try:
        yield
    finally:
        request.g.closed = True


def beside(request):
    with suppress(LookupError):
        request.g.opened = True
    try:
        request.g.opened = True
    except LookupError:
        yield
    else:
        yield
    finally:
        yield


def function_inside(request):
    with suppress(LookupError):

        def other():
            yield

    yield other


def early(request):
    with suppress(LookupError):
        if request.path == "/":
            yield "early"
    yield


SEEING = [used, passed_on, with_finally, beside, function_inside, early]


@pytest.mark.once
class TestAYieldThatSeesNoError:
    """Its block would be left as after a success, whatever happened inside."""

    @rows("function, block, line", BLIND.values(), ids=BLIND)
    @rows("make", [App, lambda: Blueprint("inner")], ids=["app", "blueprint"])
    def test_is_an_error_where_it_is_registered(self, function, block, line, make):
        with pytest.raises(TypeError) as refused:
            make().middleware(function)
        first = function.__code__.co_firstlineno
        message = str(refused.value)
        assert describe(function) in message
        assert f"`{block}`, in line {first + line - 1}," in message
        assert "errors_at_yield=True" in message
        assert "`response = yield`" in message
        assert "response.reraise()" in message

    @rows("function", SEEING, ids=lambda function: function.__name__)
    def test_is_none_where_errors_make_no_difference_or_are_seen(self, function):
        App().middleware(function)

    def test_is_not_looked_for_without_the_source(self):
        namespace = {"suppress": suppress}
        exec("def made(request):\n    with suppress(LookupError):\n        yield", namespace)
        App().middleware(namespace["made"])
