"""Contexts: what is current where, in threads, tasks, streams and one another; and when they are torn down."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from threading import Barrier

import pytest

from antiphon.adapters.asgi import ASGIHead
from antiphon.dialects.flask import (
    Flask,
    Response,
    copy_current_request_context,
    g,
    has_app_context,
    has_request_context,
    request,
    session,
    stream_with_context,
)
from antiphon.dialects.flask.globals import _cv_app
from antiphon.dialects.werkzeug.middleware.proxy_fix import ProxyFix
from antiphon.dialects.werkzeug.test import EnvironBuilder
from antiphon.embedding import BEGIN_ON_THREAD, ON_LOOP, ON_THREAD
from antiphon.request.request import Request as NativeRequest
from antiphon.testing import Client
from tests.adapters.conftest import scope
from tests.helpers.driving import drive
from tests.helpers.free_threading import INHERITS, frees_at_once
from tests.helpers.garbage import garbage_of
from tests.helpers.rows import rows


def make_app():
    app = Flask(__name__)
    app.secret_key = "the key"
    return app


@pytest.fixture
def app():
    return make_app()


def ask(app, path="/", **options):
    """The answer of a WSGI application, whose body is not read."""
    started = []
    environ = EnvironBuilder(path, **options).get_environ()
    return app(environ, lambda status, headers, exc_info=None: started.append(status))


def test_a_context_can_be_popped_elsewhere_than_it_was_pushed(app):
    ctx = app.test_request_context("/a")
    here = copy_context()
    here.run(ctx.push)
    there = here.copy()
    there.run(ctx.pop)
    assert there.run(_cv_app.get) is None


def test_a_wrong_pop_is_told(app):
    outer, inner = app.app_context(), app.app_context()
    outer.push()
    inner.push()
    with pytest.raises(AssertionError, match="wrong"):
        outer.pop()
    with pytest.raises(AssertionError, match="wrong"):
        Context().run(inner.pop)
    _cv_app.set(None)


# Streams: flask#6123


def streaming(app, ended):
    app.teardown_request(lambda error: ended.append(request.path))

    @app.route("/stream")
    def stream():
        @stream_with_context
        def parts():
            try:
                for number in range(3):
                    yield f"{number} {request.path}"
            finally:
                ended.append(f"closed in {request.path}")

        return Response(parts())


@rows("pieces", [0, 1, 4])
@rows("close", [True, False], ids=["closed", "dropped"])
def test_an_abandoned_stream_leaves_nothing_behind(pieces, close):
    app = make_app()
    ended = []
    streaming(app, ended)
    body = ask(app, "/stream")
    assert (has_request_context(), ended) == (False, [])
    parts = iter(body)
    got = [next(parts, None) for _ in range(pieces)]
    assert got == [b"0 /stream", b"1 /stream", b"2 /stream", None][:pieces]
    assert not has_request_context()
    if close:
        body.close()
    del body, parts
    gc.collect()
    assert ended == (["closed in /stream", "/stream"] if pieces else ["/stream"])
    assert not has_request_context()
    with app.test_request_context("/next"):
        assert request.path == "/next"


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_stream_is_torn_down_at_its_end_over_each_interface(interface):
    app = make_app()
    ended = []
    streaming(app, ended)
    with Client(app, interface) as client:
        assert client.get("/stream").text == "0 /stream1 /stream2 /stream"
        assert ended == ["closed in /stream", "/stream"]


# Executors: flask#5396


def test_a_copied_context_serves_many_calls_at_once(app):
    @app.route("/work")
    def work():
        session["user"] = "Ada"
        together = Barrier(4, timeout=20)

        @copy_current_request_context
        def part(number):
            together.wait()
            found = f"{number} {request.path} {session['user']} {request.args['a']}"
            together.wait()
            return found

        with ThreadPoolExecutor(4) as pool:
            for _ in range(3):  # the threads are used again
                found = list(pool.map(part, range(4)))
                assert found == [f"{number} /work Ada b" for number in range(4)]
            assert {*pool.map(lambda _: has_request_context(), range(4))} == {INHERITS}
        return found

    app.testing = True
    assert len(app.test_client().get("/work?a=b").json) == 4


# Loops: flask#4661


@rows("is_wrapped", [False, True])
@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_all_async_functions_run_on_one_loop(interface, is_wrapped):
    app = make_app()
    loops = set()

    def note(*arguments):
        loops.add(asyncio.get_running_loop())
        return arguments[0] if arguments else None

    async def noted(*arguments):
        return note(*arguments)

    async def view():
        note()
        await asyncio.sleep(0)
        return request.path

    def called_by_sync_code():
        return app.ensure_sync(view)()

    app.before_request(noted)
    app.after_request(noted)
    app.teardown_request(noted)
    app.add_url_rule("/", view_func=view, endpoint="index")
    app.add_url_rule("/sync", view_func=called_by_sync_code, endpoint="sync")
    if is_wrapped:
        app.wsgi_app = ProxyFix(app.wsgi_app)
    with Client(app, interface) as client:
        for path in ("/", "/sync", "/", "/sync"):
            assert client.get(path).text == path
    assert len(loops) == 1


@pytest.mark.feature("flask-085")
def test_async_views_run_at_the_same_time_with_contexts_of_their_own(app):
    arrived = []

    @app.route("/<n>")
    async def view(n):
        g.n = n
        arrived.append(n)
        while len(arrived) < 50:
            await asyncio.sleep(0)
        return f"{g.n} {request.path} {request.view_args['n']}"

    from antiphon.testing import AsyncClient

    async def together():
        async with AsyncClient(app) as client:
            return await asyncio.gather(*[client.get(f"/{n}") for n in range(50)])

    assert [response.text for response in asyncio.run(together())] == [f"{n} /{n} {n}" for n in range(50)]


FAULTS = ["view", "before", "after", "handler", "teardown", "response", "none"]


def failing(app, fault, ended):
    """Have one function of each kind, of which one fails."""

    def fail_if(kind):
        if kind == fault:
            raise ZeroDivisionError(kind)

    def after(response):
        fail_if("after")
        return response

    def view():
        fail_if("view")
        if fault == "handler":
            raise LookupError
        return Response(status="0 none") if fault == "response" else "fine"

    def teardown(error):
        ended.append(type(error).__name__)
        fail_if("teardown")

    app.before_request(lambda: fail_if("before"))
    app.after_request(after)
    app.register_error_handler(LookupError, lambda error: fail_if("handler"))
    for _ in range(2):
        app.teardown_request(teardown)
        app.teardown_appcontext(teardown)
    app.add_url_rule("/", view_func=view, endpoint="index")


@rows("fault", FAULTS)
@rows("propagates", [True, False])
@rows("interface", ["wsgi", "asgi"])
def test_each_teardown_function_is_called_whatever_fails(fault, propagates, interface):
    app = make_app()
    ended = []
    failing(app, fault, ended)
    app.config["PROPAGATE_EXCEPTIONS"] = propagates
    with Client(app, interface, raise_errors=False) as client:
        assert client.get("/").status == (200 if fault == "none" else 500)
    assert len(ended) == 4
    assert not has_app_context()


def test_a_cancelled_view_is_torn_down(app):
    ended = []
    app.teardown_request(lambda error: ended.append(type(error).__name__))
    app.teardown_appcontext(lambda error: ended.append(type(error).__name__))

    @app.route("/")
    async def view():
        started.set_result(None)
        await asyncio.sleep(60)

    async def cancel():
        nonlocal started
        started = asyncio.get_running_loop().create_future()
        forever = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(app(scope(), lambda: forever, lambda message: forever))
        await started
        task.cancel()
        await asyncio.wait([task], timeout=20)

    started = None
    asyncio.run(cancel())
    assert ended == ["CancelledError", "CancelledError"]


@rows(
    "view, hook, places",
    ("async", None, []), ("async", "async", []), ("def", None, [BEGIN_ON_THREAD]), ("def", "def", [BEGIN_ON_THREAD]),
    ("async", "def", [BEGIN_ON_THREAD, ON_LOOP, ON_THREAD]),
    ("def", "async", [ON_THREAD, ON_LOOP]),
)  # fmt: skip
def test_functions_change_places_only_where_they_must(view, hook, places):
    """An ``async def`` needs no thread, and all that is ``def`` is one visit to a thread."""
    app = make_app()

    def function(*arguments):
        return arguments[0] if arguments else None

    async def coroutine_function(*arguments):
        return function(*arguments)

    hooked = {"def": function, "async": coroutine_function, None: None}[hook]
    if hooked is not None:
        app.before_request(hooked)
        app.after_request(hooked)
        app.teardown_request(hooked)

    async def async_view():
        return "fine"

    app.add_url_rule("/", view_func=async_view if view == "async" else lambda: "fine", endpoint="index")
    steps = app._handle(NativeRequest(ASGIHead(scope(), None)))
    effects, response = drive(steps)
    assert response.body == b"fine"
    assert effects == places


@frees_at_once
@rows("path", ["/", "/async", "/stream", "/missing"])
def test_requests_leave_nothing_to_the_garbage_collector(path):
    app = make_app()

    async def view():
        return {"path": request.path}

    app.teardown_request(lambda error: None)
    app.add_url_rule("/", view_func=lambda: str(session.setdefault("a", 1)), endpoint="index")
    app.add_url_rule("/async", view_func=view, endpoint="async")
    streaming(app, [])

    def answered():
        body = ask(app, path)
        read = b"".join(body)
        body.close()
        return read

    assert answered()
    assert not garbage_of(answered)
