"""Dependencies whose sources are generators: open from the first read to the response, or to the end of its stream."""

import asyncio
import sqlite3
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from functools import partial

import pytest

from antiphon import App, Dependency, Redirect, Request, Response
from antiphon.app.dispatch.plan import Surroundings
from antiphon.handler.callables import describe
from antiphon.http import ClientDisconnected, Conflict
from tests.helpers.registration_positions import POSITIONS
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.axes("interface", "style", "other", "kind")

Session = Dependency[str]("session")
Second = Dependency[str]("second")


class Full(Exception):
    """An error of an application's own."""


class Kind:
    """A kind of source: a generator that starts on first read, one on a thread, or an async one."""

    def __init__(self, name, options):
        self.name = name
        self.options = options
        self.is_lazy = name == "lazy"

    def provide(self, app, seen, dependency=Session, name="session", fails=None, catches=(), **options):
        """Provide a dependency by a generator that notes its start and its end, or the error that ended it."""

        @contextmanager
        def noted():
            seen.append(f"open {name}")
            thread = threading.get_ident()
            try:
                yield name
                seen.append(f"commit {name}")
                if fails is not None:
                    raise fails
            except catches as error:
                seen.append(error)
            except BaseException as error:
                if error is not fails:
                    seen.append(error)
                raise
            finally:
                if threading.get_ident() != thread:
                    seen.append("another thread")

        def blocks(request):
            with noted() as value:
                yield value

        async def waits(request):
            await asyncio.sleep(0)
            with noted() as value:
                yield value
                await asyncio.sleep(0)

        app.provide(dependency, waits if self.name == "async" else blocks, **self.options, **options)


KINDS = [Kind("lazy", {}), Kind("blocking", {"blocking": True}), Kind("async", {})]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    return request.param


@pytest.fixture
def seen():
    return []


def reading(style, answer=lambda request: "done"):

    @style
    def handler(request):
        assert request[Session] == "session"
        return answer(request)

    return handler


def raising(error):
    def answer(request):
        raise error

    return answer


class TestAnAnswer:
    def test_is_sent_when_the_dependency_is_closed_before_the_middleware(self, serving, style, other, kind, seen, app):
        kind.provide(app, seen)
        app.middleware(other.around(after=lambda request, response: seen.append("middleware")))
        app.after_request(other(lambda request, response: seen.append(f"hook {request[Session]}")))

        @app.get("/")
        @style
        def handler(request):
            request.after_response(lambda: seen.append("sent"))
            return request[Session] + request[Session]

        assert serving(app).get("/").text == "sessionsession"
        assert seen == ["open session", "hook session", "commit session", "middleware", "sent"]

    @pytest.mark.parametrize(
        ("error", "status"),
        [(LookupError("boom"), 500), (Full("it is"), 507), (Conflict("no coffee"), 409)],
        ids=["any", "with an error handler", "an HTTPError"],
    )
    def test_to_an_error_is_the_same_and_the_error_is_thrown_in(self, serving, style, other, kind, seen, error, status):
        app = App()
        app.errorhandler(Full)(other(lambda request, error: ("full", 507)))
        kind.provide(app, seen)
        app.get("/")(reading(style, raising(error)))
        assert serving(app).get("/").status == status
        assert seen == ["open session", error]

    def test_that_was_raised_and_is_no_error_commits(self, serving, style, kind, seen, app):
        kind.provide(app, seen)
        app.get("/")(reading(style, raising(Redirect("/there", 302))))
        assert serving(app).get("/").status == 302
        assert seen == ["open session", "commit session"]

    def test_is_a_500_where_the_commit_fails_and_passes_the_middleware(self, serving, style, other, kind, seen, caplog):
        app = App()
        kind.provide(app, seen, fails=LookupError("the disk is full"))
        app.middleware(other.around(after=lambda request, response: seen.append(response.error)))
        app.get("/")(reading(style, lambda request: ("created", 201)))
        response = serving(app).get("/")
        assert (response.status, "created" in response.text) == (500, False)
        assert [str(each) for each in seen] == ["open session", "commit session", "the disk is full"]
        assert len(caplog.records) == 1

    def test_stays_that_of_the_error_if_the_source_catches_it(self, serving, style, kind, seen):
        app, error = App(), Conflict("no coffee")
        kind.provide(app, seen, catches=Conflict)
        app.get("/")(reading(style, raising(error)))
        assert serving(app).get("/").status == 409
        assert seen == ["open session", error]

    @pytest.mark.parametrize("where", ["hook", "late hook", "inner dependency", "early answer", "early error"])
    def test_is_made_elsewhere(self, serving, style, other, kind, seen, where):
        app, error = App(), Full()

        def fails(request, *_):
            request[Session]
            raise error

        kind.provide(app, seen)
        if where == "hook":
            app.before_request(other(fails))
        elif where == "late hook":
            app.after_request(other(fails))
        elif where == "inner dependency":
            kind.provide(app, [], Second, "second", fails=error)
            app.before_request(other(lambda request: seen.append(request[Session] and request[Second])))
        elif where == "early answer":
            app.before_request(other(lambda request: request[Session]))
        else:
            app.before_request(other(fails))
        app.get("/")(reading(style))
        serving(app).get("/")
        assert [each for each in seen if each != "second"] == (
            ["open session", "commit session" if where == "early answer" else error]
        )

    @rows("method", ["HEAD", "OPTIONS", "POST", "PATCH"])
    @rows("path", ["/", "/conditional", "/nowhere"])
    def test_of_every_kind_closes_once(self, serving, style, kind, seen, method, path):
        seen.clear()
        app = App()
        kind.provide(app, seen)
        app.errorhandler(404)(lambda request, error: (request[Session], 404))
        app.route("/", ["GET", "POST"])(reading(style))

        @app.route("/conditional", ["GET", "PATCH"])
        @style
        def conditional(request):
            request.precondition(etag="v1")
            return Response.stream(iter([request[Session]]))

        headers = {"if-none-match": '"v1"'}
        serving(app).request(method, path, headers=headers, body=bytes(100_000 * (method == "POST")))
        assert seen.count("open session") == len([each for each in seen if each != "open session"])
        assert len(seen) == 2 or kind.is_lazy


class TestADependencyThatIsNotRead:
    def test_is_never_opened_where_it_is_not_wanted(self, serving, style, kind, seen, app):
        kind.provide(app, seen, when=lambda request: request.path == "/in", default=lambda request: "nobody")
        app.get("/<where>")(style(lambda request: request[Session]))
        client = serving(app)
        assert (client.get("/out").text, seen) == ("nobody", [])
        assert (client.get("/in").text, seen) == ("session", ["open session", "commit session"])


class TestSeveralDependencies:
    def app(self, style, kind, seen, fails=None):
        app = App()
        kind.provide(app, seen)
        kind.provide(app, seen, Second, "second", fails=fails)

        @app.get("/")
        @style
        def handler(request):
            texts = request[Session], request[Second]
            return Response.stream(iter(texts)) if "stream" in request.args else "".join(texts)

        return app

    def test_are_closed_in_reverse_order(self, serving, style, kind, seen):
        client = serving(self.app(style, kind, seen))
        assert [client.get(path).text for path in ("/", "/?stream=")] == ["sessionsecond"] * 2
        assert seen == ["open session", "open second", "commit second", "commit session"] * 2

    def test_are_closed_though_one_fails_with_its_error(self, serving, style, kind, seen):
        error = Full()
        assert serving(self.app(style, kind, seen, error)).get("/").status == 500
        assert seen == ["open session", "open second", "commit second", error]

    def test_that_fail_to_open_leave_the_others_closed(self, serving, style, other, seen):
        app, error = App(), Full()
        KINDS[2].provide(app, seen)

        def fails(request):
            raise error
            yield

        app.provide(Second, fails, blocking=other.is_async)
        app.get("/")(style(lambda request: request[Session] + request[Second]))
        assert serving(app).get("/").status == 500
        assert seen == ["open session", error]


class TestAStream:
    @pytest.fixture
    def chunks(self, style, seen):
        """Makes a stream that reads the dependency, of the handler's own style."""

        def chunks(request, count, error=None):
            def blocks():
                for _ in range(count):
                    yield request[Session]
                if error is not None:
                    raise error
                seen.append("end")

            async def waits():
                for chunk in blocks():
                    await asyncio.sleep(0)
                    yield chunk

            return waits() if style.is_async else blocks()

        return chunks

    @pytest.fixture
    def streaming(self, style, kind, seen, chunks):
        """Makes an application that answers by a stream. The handler reads the dependency before the stream does."""

        def streaming(count=2, error=None, is_read_before=True, fails=None, **options):
            app = App()
            kind.provide(app, seen, fails=fails, **options)

            @app.get("/")
            @style
            def handler(request):
                if is_read_before:
                    request[Session]
                request.after_response(lambda: seen.append("sent"))
                return Response.stream(chunks(request, count, error))

            return app

        return streaming

    @pytest.mark.parametrize("is_read_before", [True, False])
    def test_reads_from_the_dependency_to_its_end(self, serving, streaming, seen, other, is_read_before):
        app = streaming(is_read_before=is_read_before)
        app.middleware(other.around(after=lambda request, response: seen.append("middleware")))
        assert serving(app).get("/").text == "sessionsession"
        opened = seen.index("open session")
        assert opened < 2
        del seen[opened]
        assert seen == ["middleware", "end", "commit session", "sent"]

    def test_that_fails_throws_its_error_in(self, serving, streaming, seen, caplog):
        error = Full()
        with suppress(Exception):  # each interface breaks the response off in its way
            serving(streaming(error=error)).get("/")
        assert eventually(lambda: seen if len(seen) == 3 else None, "the request has not ended") == [
            "open session", error, "sent",
        ]  # fmt: skip
        assert len(caplog.records) == 1

    def test_that_the_client_leaves_is_rolled_back(self, serving, streaming, seen):
        with serving(streaming(10**9)).stream("GET", "/") as response:
            next(iter(response))
        opened, broken, sent = eventually(lambda: seen if len(seen) == 3 else None, "the request has not ended")
        assert (opened, sent) == ("open session", "sent")
        assert isinstance(broken, ClientDisconnected | asyncio.CancelledError)

    def test_that_can_t_be_committed_is_logged_with_the_source(self, serving, streaming, seen, caplog):
        assert serving(streaming(fails=Full("the disk is full"))).get("/").text == "sessionsession"
        assert eventually(lambda: caplog.text or None, "nothing is logged").count("the disk is full") == 1
        assert "'session'" in caplog.text
        assert __file__ in caplog.text
        assert seen == ["open session", "end", "commit session", "sent"]

    @rows("method", ["GET", "HEAD"])
    @rows("status", [204, 304, 200])
    def test_that_is_not_sent_is_none(self, serving, streaming, seen, other, method, status):
        seen.clear()
        app = streaming()

        def replace(request, response):
            response.status = status

        app.after_request(other(replace))
        serving(app).request(method, "/")
        eventually(lambda: "sent" in seen or None, "the request has not ended")
        is_sent = (method, status) == ("GET", 200)
        assert seen == ["open session", *["end"] * is_sent, "commit session", "sent"]

    @pytest.mark.parametrize("error", [None, Full()], ids=["an answer", "an error"])
    @pytest.mark.parametrize("is_changed", [True, False], ids=["in place", "by another"])
    def test_that_another_answer_replaces_closes_before_it(self, serving, streaming, seen, other, error, is_changed):
        app = streaming()

        def replace(request, response):
            if error is not None:
                raise error
            if is_changed:
                response.body = "instead"
            return None if is_changed else "instead"

        app.middleware(other.around(after=lambda request, response: seen.append(response.is_streamed)))
        app.middleware(other.around(after=replace))
        assert serving(app).get("/").status == (200 if error is None else 500)
        assert seen[:3] == ["open session", error or "commit session", False]

    def test_to_an_error_has_the_error_thrown_in_at_its_end(self, serving, style, kind, seen):
        app, error = App(), Full()
        kind.provide(app, seen)
        app.errorhandler(Full)(lambda request, error: Response.stream(iter(["f", "ull"])))
        app.get("/")(reading(style, raising(error)))
        assert serving(app).get("/").text == "full"
        assert seen == ["open session", error]


class TestWhereItIs:
    @rows("position", POSITIONS.values(), ids=lambda each: each.prefix)
    @rows("answer", ["text", "stream"])
    def test_is_the_application_that_fills_it(self, serving, style, other, kind, seen, position, answer):
        seen.clear()
        outer = App()
        inside = position.enter(outer)
        outer.middleware(other.around(after=lambda request, response: seen.append("outer")))
        kind.provide(inside if position.is_apart and isinstance(inside, App) else outer, seen)
        is_known = isinstance(inside, App) or not position.is_apart

        @inside.get("/")
        @style
        def handler(request):
            text = request[Session] if is_known else "session"
            request.after_response(lambda: seen.append("sent"))
            return text if answer == "text" else Response.stream(iter([text]))

        assert serving(outer).get(f"{position.prefix}/").text == "session"
        eventually(lambda: "sent" in seen or None, "the request has not ended")
        if is_known:
            order = ["commit session", "outer"] if answer == "text" else ["outer", "commit session"]
            assert seen == ["open session", *order, "sent"]

    def test_may_be_before_routing(self, serving, style, other, seen, app):
        KINDS[0].provide(app, seen)

        def before(request):
            request[Session]

        app.middleware(before_routing=True)(
            other.around(before, lambda request, response: seen.append(f"outer {request[Session]}"))
        )
        app.get("/")(reading(style))
        app.get("/stream")(reading(style, lambda request: Response.stream(iter("ab"))))
        client = serving(app)
        for path in ("/", "/stream", "/nowhere"):
            client.get(path)
            *notes, last = seen
            assert notes == ["open session", "outer session"]
            assert last == "commit session" or path == "/nowhere"
            seen.clear()

    def test_is_not_after_the_response(self, serving, style, kind, seen, caplog, app):
        kind.provide(app, seen)
        app.get("/")(reading(style, lambda request: request.after_response(lambda: request[Session]) and "done"))
        assert serving(app).get("/").text == "done"
        assert "'session'" in eventually(lambda: caplog.text or None, "nothing is logged")
        assert seen == ["open session", "commit session"]


class TestItsThread:
    @pytest.mark.parametrize("answer", ["text", "stream", "error"])
    def test_is_one_as_sqlite_demands(self, serving, style, other, kind, answer, tmp_path):
        app, path = App(), tmp_path / "shop.db"
        with sqlite3.connect(path) as database:
            database.execute("create table orders (name)")
        database.close()
        Database = Dependency[sqlite3.Connection]("database")
        closed = []

        def connect(request):
            connection = sqlite3.connect(path)
            try:
                with connection:
                    yield connection
            finally:
                connection.close()
                closed.append(True)

        async def connect_on_loop(request):
            with contextmanager(connect)(request) as connection:
                yield connection

        app.provide(Database, connect_on_loop if kind.name == "async" else connect, **kind.options)
        runs_there = kind.name == "async" if style.is_async else kind.name == "blocking"
        if not (runs_there or kind.is_lazy):  # the handler may not use what belongs to another thread
            style = type(style)("async def" if kind.name == "async" else "def")

        def rows(request):
            yield from (name for (name,) in request[Database].execute("select name from orders"))

        async def rows_later(request):
            for row in rows(request):
                yield row

        @app.get("/")
        @style
        def handler(request):
            request[Database].execute("insert into orders values ('tea')")
            if answer == "error":
                raise Conflict
            return "tea" if answer == "text" else Response.stream((rows_later if style.is_async else rows)(request))

        app.after_request(other(lambda request, response: None))
        response = serving(app).get("/")
        assert response.status == 409 or response.text == "tea"
        eventually(lambda: closed or None, "the database is not closed")
        with sqlite3.connect(path) as database:
            assert len(database.execute("select * from orders").fetchall()) == (answer != "error")
        database.close()


class TestItsContext:
    @pytest.mark.parametrize("answer", ["text", "stream"])
    def test_is_that_of_the_request(self, serving, style, other, kind, answer, caplog):
        app, seen = App(), []
        who, what = ContextVar("who", default="nobody"), ContextVar("what", default="nothing")

        def blocks(request):
            token = who.set("ada")
            try:
                yield "session"
            finally:
                seen.append((who.get(), what.get()))
                who.reset(token)

        async def waits(request):
            with contextmanager(blocks)(request) as value:
                yield value

        app.provide(Session, waits if kind.name == "async" else blocks, **kind.options)
        app.after_request(other(lambda request, response: seen.append(who.get()) and None))

        def tell(request):
            what.set("handler")
            assert who.get() == "ada"
            return "ada" if answer == "text" else Response.stream(iter(["a", "da"]))

        app.get("/")(reading(style, tell))
        assert serving(app).get("/").text == "ada"
        assert eventually(lambda: seen if len(seen) == 2 else None, "the dependency is not closed") == [
            "ada", ("ada", "handler"),
        ]  # fmt: skip
        assert caplog.text == ""


def never(request):
    return
    yield


async def never_later(request):
    return
    yield


def twice(request):
    yield 1
    yield 2


async def twice_later(request):
    yield 1
    yield 2


async def coroutine():
    return None


def yields_coroutine(request):
    yield coroutine()


WRONG = {
    "never": (never, {}, "ended before its yield"),
    "never, on a thread": (never, {"blocking": True}, "ended before its yield"),
    "never, async": (never_later, {}, "ended before its yield"),
    "twice": (twice, {}, "yields twice"),
    "twice, on a thread": (twice, {"blocking": True}, "yields twice"),
    "twice, async": (twice_later, {}, "yields twice"),
    "a coroutine": (yields_coroutine, {}, "await"),
}


class TestASourceThatIsWrong:
    @rows("source, options, fault", WRONG.values(), ids=WRONG)
    def test_is_an_error_that_names_it(self, serving, style, source, options, fault, caplog):
        app = App()
        app.provide(Session, source, **options)

        @app.get("/")
        @style
        def handler(request):
            return str(request[Session])

        assert serving(app).get("/").status == 500
        assert fault in caplog.text
        assert describe(source) in caplog.text

    @rows("option", ["when", "default"])
    @rows("function", [never, never_later, partial(never)], ids=["def", "async def", "partial"])
    def test_is_refused_where_nothing_is_closed(self, option, function):
        with pytest.raises(TypeError, match=rf"`{option}` .*yields") as refused:
            App().provide(Session, lambda request: "", **{option: function})
        assert describe(function) in str(refused.value)

    @rows("manager", [contextmanager(never), asynccontextmanager(never_later)])
    def test_is_refused_with_the_decorator_of_context_managers(self, manager):
        with pytest.raises(TypeError, match="contextmanager") as refused:
            App().provide(Session, manager)
        assert describe(manager) in str(refused.value)


def test_a_function_that_returns_an_iterator_gives_that_as_the_value(serving, style, app):
    app.provide(Session, lambda request: iter("ab"))
    app.get("/")(style(lambda request: "".join(request[Session])))
    assert serving(app).get("/").text == "ab"


def test_an_application_without_a_generator_pays_nothing(app):
    app.provide(Session, lambda request: "session")
    app.get("/")(lambda request: request[Session])
    plan, _ = app._freeze().find(Request.blank("/"))
    assert plan.surroundings is Surroundings.BARE


def test_a_cancellation_that_a_source_takes_back_needs_an_answer(serving, caplog, app):
    async def patient(request):
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                yield "session"

    app.provide(Session, patient)

    @app.get("/")
    async def handler(request):
        await asyncio.sleep(60)
        return request[Session]

    assert serving(app).get("/").status == 500
    assert "suppressed a cancellation" in caplog.text
    assert describe(patient) in caplog.text
