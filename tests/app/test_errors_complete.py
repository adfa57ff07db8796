"""Errors are complete, wherever they come from: told to the client, to the log and to nobody else, and over."""

import asyncio
import itertools
import logging
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from antiphon import App, Response
from antiphon.features.cors import CORS
from antiphon.http.errors import BadGateway, InternalServerError
from antiphon.http.limits import Limits
from antiphon.testing import BrokenResponse
from tests.helpers.as_httptools import as_httptools
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.registration_positions import POSITIONS
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "position", "style", "other")]

SHOP = "https://shop.example.com"
SECRET = "the password is hunter2"
ID = re.compile(r"[0-9a-f]{32}")

FORMATS = {"application/json": "application/problem+json", "text/html": "text/html; charset=utf-8"}
"""What a client accepts, and the content type of an error's answer then."""


class Failure(NamedTuple):
    """One way to fail: ``arrange`` gets what to register with, the style of the handler and that of what is around."""

    arrange: Callable[..., object]
    status: int
    logged: type[BaseException] | None = None
    """The class of the exception that is logged with its traceback; None when nothing is logged."""
    method: str = "GET"
    path: str = "/fails"
    options: Mapping[str, Any] = MappingProxyType({})
    origins: str | tuple[str, ...] = (SHOP,)
    serve: Callable[[App], object] = lambda app: app
    """Makes what a client calls."""
    interfaces: tuple[str, ...] = ("wsgi", "asgi", "rsgi")

    def status_over(self, interface):
        """RSGI tells of a client that has left as of a body that ends."""
        return 400 if (self.status, interface) == (499, "rsgi") else self.status


def works(app, style, other=None):
    app.route("/fails", ["GET", "POST"])(style(lambda request: "x"))


def fail(request, *rest):
    """Fail where it is called for the path that is to fail."""
    if request.path.endswith("/fails"):
        raise LookupError(SECRET)


def answers_with(function, **options):
    return lambda app, style, other: app.route("/fails", ["GET", "POST"], **options)(style(function))


def fails_before(app, style, other):
    works(app, style)
    app.before_request(other(fail))


def fails_after(app, style, other):
    works(app, style)
    app.after_request(other(fail))


def fails_to_open(app, style, other):
    works(app, style)
    app.middleware(other.around(before=fail))


def fails_to_close(app, style, other):
    works(app, style)
    app.middleware(other.around(after=fail))


def fails_to_handle(app, style, other):
    def handle(request, error):
        raise LookupError(SECRET)

    app.errorhandler(ZeroDivisionError)(other(handle))
    answers_with(lambda request: 1 // 0)(app, style, other)


def fails_twice(app, style, other):
    app.middleware(other.around(after=fail))
    answers_with(fail)(app, style, other)


def yields_twice(app, style, other):
    works(app, style)

    def blocking(request):
        yield
        if request.path.endswith("/fails"):
            yield
            yield SECRET

    async def waiting(request):
        yield
        if request.path.endswith("/fails"):
            yield
            yield SECRET

    app.middleware(waiting if other.is_async else blocking)


def answers_early_with_nonsense(app, style, other):
    works(app, style)
    app.before_request(other(lambda request: Nonsense() if request.path.endswith("/fails") else None))


class Nonsense:
    """No response can be made of it."""

    def __repr__(self):
        return SECRET


def converts(app, style, other):
    def to_python(segment):
        raise LookupError(SECRET)

    app.converter("bad", to_python)
    app.get("/fails/<bad:name>")(style(lambda request: "x"))


def has_number(app, style, other):
    app.get("/fails/<int:number>")(style(lambda request: "x"))


def raises_bad_gateway(request):
    raise BadGateway("Back at noon.", headers={"retry-after": "60"})


def sets_bad_header(request):
    response = Response("x")
    response.headers["x-a"] = f"{SECRET}\r\nset-cookie: a=1"
    return response


def stops(request):
    raise StopIteration(SECRET)


def breaks_off(declared):
    """A body during which the client goes away."""

    def chunks():
        yield b"abc"
        raise ConnectionResetError(SECRET)

    return {"body": chunks, "headers": {"content-length": str(declared)}}


reads_json = answers_with(lambda request: {"got": request.json})
reads_a_little = answers_with(lambda request: str(len(request.body)), limits=Limits(body=10))
JSON = {"content_type": "application/json"}

FAILURES = {
    "an unknown path": Failure(works, 404, path="/nowhere"),
    "a wrong method": Failure(works, 405, method="DELETE"),
    "a parameter that is none": Failure(has_number, 404, path="/fails/x"),
    "a converter": Failure(converts, 500, InternalServerError, path="/fails/x"),
    "malformed JSON": Failure(reads_json, 400, method="POST", options={"body": b'{"a":'} | JSON),
    "a wrong media type": Failure(reads_json, 415, method="POST", options={"body": b"a=1", "content_type": "a/b"}),
    "a body that does not fit": Failure(
        answers_with(lambda request: request.json_as(list[int])), 422, method="POST", options={"json": ["x"]}
    ),
    "a declared body that is too large": Failure(reads_a_little, 413, method="POST", options={"body": bytes(11)}),
    "a large body that is too large": Failure(reads_a_little, 413, method="POST", options={"body": bytes(200_000)}),
    "a body in chunks that is too large": Failure(
        reads_a_little, 413, method="POST", options={"body": [b"abcdef", b"abcdef"]}
    ),
    "a query that is too long": Failure(
        answers_with(lambda request: request.args["a"], limits=Limits(query=10)), 414, path="/fails?a=0123456789"
    ),
    "too many fields": Failure(
        answers_with(lambda request: request.form["a"], limits=Limits(fields=1)),
        413,
        method="POST",
        options={"form": [("a", "1"), ("b", "2")]},
    ),
    "a missing field": Failure(
        answers_with(lambda request: request.form["a"]), 400, method="POST", options={"form": {"b": "2"}}
    ),
    "a header section that is too large": Failure(
        works, 431, options={"headers": {"x-a": "a" * 70_000}}, serve=as_httptools, interfaces=("asgi",)
    ),
    "a write from another site": Failure(
        works, 403, method="POST", options={"headers": {"origin": "https://evil.example"}}, origins="*"
    ),
    "a client that leaves during a small body": Failure(works, 499, method="POST", options=breaks_off(10)),
    "a client that leaves during a large body": Failure(works, 499, method="POST", options=breaks_off(200_000)),
    "before_request": Failure(fails_before, 500, LookupError),
    "after_request": Failure(fails_after, 500, LookupError),
    "a middleware before its yield": Failure(fails_to_open, 500, LookupError),
    "a middleware after its yield": Failure(fails_to_close, 500, LookupError),
    "a middleware that yields twice": Failure(yields_twice, 500, RuntimeError),
    "an early answer that is none": Failure(answers_early_with_nonsense, 500, TypeError),
    "the handler": Failure(answers_with(fail), 500, LookupError),
    "the handler, with StopIteration": Failure(answers_with(stops), 500, Exception),
    "the handler, with an HTTPError": Failure(answers_with(raises_bad_gateway), 502, BadGateway),
    "a header that cannot be": Failure(answers_with(sets_bad_header), 500, ValueError),
    "an error handler": Failure(fails_to_handle, 500, LookupError),
    "an unserialisable value": Failure(answers_with(lambda request: {"a": Nonsense()}), 500, TypeError),
    "what no response is made of": Failure(answers_with(lambda request: Nonsense()), 500, TypeError),
    "a status that is none": Failure(answers_with(lambda request: ("x", 99)), 500, TypeError),
    "a forgotten return": Failure(answers_with(lambda request: None), 500, TypeError),
}


@pytest.fixture(params=["in the app", "in a blueprint", "in a mounted app"])
def position(request):
    return POSITIONS[request.param]


@pytest.fixture
def log(caplog):
    """The project's own records about requests, and the warnings of others."""
    caplog.set_level(logging.DEBUG, "antiphon")

    def log():
        records = [record for record in caplog.records if record.funcName != "give"]  # which names a setting once
        return [record for record in records if record.name == "antiphon" or record.levelno >= logging.WARNING]

    return log


def failing(position, style, other, failure):
    app = App()
    app.use(CORS(failure.origins))
    inside = position.enter(app)
    failure.arrange(inside, style, other)
    inside.get("/fine", name="fine")(style(lambda request: "fine"))
    return failure.serve(app)


def send(client, position, failure, accept, method=None):
    options = dict(failure.options)
    if callable(options.get("body")):
        options["body"] = options["body"]()
    headers = {"origin": SHOP, "accept": accept} | options.pop("headers", {})
    return client.request(method or failure.method, position.prefix + failure.path, headers=headers, **options)


@pytest.mark.parametrize(
    ("failure", "interface"),
    [
        pytest.param(failure, interface, id=f"{name}-{interface}")
        for name, failure in FAILURES.items()
        for interface in failure.interfaces
    ],
)
def test_a_failure_is_told_logged_and_over(serving, interface, position, style, other, failure, log):
    client = serving(failing(position, style, other, failure))
    for accept, content_type in FORMATS.items():
        records_before = len(log())
        response = send(client, position, failure, accept)
        assert response.content_type == content_type
        check_that_it_tells(response, failure.status_over(interface))
        check_that_pages_may_read(response, failure)
        check_that_it_gives_nothing_away(response)
        records = log()
        check_the_log(records[records_before:], failure, response.headers["x-request-id"])
        assert client.get(f"{position.prefix}/fine").text == "fine"
        assert log() == records


def check_that_it_tells(response, status):
    request_id = response.headers["x-request-id"]
    assert response.status == status
    assert response.headers["cache-control"] == "no-store"
    assert ID.findall(response.text) == [request_id]
    if response.content_type == "application/problem+json":
        assert (response.json["status"], response.json["request_id"]) == (status, request_id)
        assert response.json["title"]
    else:
        assert response.text.startswith("<!doctype html>")
        assert f"<title>{status} " in response.text


def check_that_pages_may_read(response, failure):
    everyone = failure.origins == "*"
    varies = {name.strip() for name in response.headers["vary"].split(",")}
    assert response.headers["access-control-allow-origin"] == ("*" if everyone else SHOP)
    assert varies == ({"accept"} if everyone else {"accept", "origin"})


def check_that_it_gives_nothing_away(response):
    sent = f"{response.headers.items()} {response.text}"
    for leaked in (SECRET, "hunter2", "Traceback", __file__, "LookupError"):
        assert leaked not in sent


def check_the_log(records, failure, request_id):
    if failure.logged is None:
        assert records == []
        return
    (record,) = records
    assert (record.name, record.levelname) == ("antiphon", "ERROR")
    assert record.getMessage().endswith(request_id)
    assert failure.path.partition("?")[0] in record.getMessage()
    assert isinstance(record.exc_info[1], failure.logged)
    assert record.exc_info[2] is not None


def test_two_failures_of_one_request_are_two_records_with_one_id(serving, position, style, other, log):
    client = serving(failing(position, style, other, Failure(fails_twice, 500)))
    response = client.get(f"{position.prefix}/fails")
    assert response.status == 500
    request_id = response.headers["x-request-id"]
    assert [record.getMessage().endswith(request_id) for record in log()] == [True, True]
    assert client.get(f"{position.prefix}/fine").text == "fine"
    assert len(log()) == 2


class CannotBegin(SyncValues):
    def __iter__(self):
        raise LookupError(SECRET)


class CannotBeginToWait(AsyncValues):
    def __aiter__(self):
        raise LookupError(SECRET)


@pytest.mark.parametrize("kind", [SyncValues, AsyncValues])
@pytest.mark.parametrize("point", ["after_request", "middleware"])
def test_a_stream_is_closed_unread_when_something_around_it_fails(serving, position, style, other, kind, point, log):
    source = kind()

    def arrange(app, style, other):
        if point == "middleware":
            app.middleware(other.around(after=fail))
        else:
            app.after_request(other(fail))
        answers_with(lambda request: Response.stream(source))(app, style, other)

    client = serving(failing(position, style, other, Failure(arrange, 500)))
    assert client.get(f"{position.prefix}/fails").status == 500
    assert (source.read, source.closed) == (0, 1)
    assert len(log()) == 1


class TestAStreamThatFails:
    @pytest.fixture
    def streaming(self, serving, position, style):
        """Serves a stream: a client, its path, and the ids of the requests that were answered by it."""

        def streaming(source, **options):
            ids = []

            def handler(request):
                ids.append(request.id)
                return source

            failure = Failure(answers_with(handler), 200)
            return serving(failing(position, style, style, failure), **options), f"{position.prefix}/fails", ids

        return streaming

    @pytest.mark.parametrize("kind", [SyncValues, AsyncValues])
    @pytest.mark.parametrize("chunks", [0, 1, 2])
    def test_is_cut_logged_once_and_over(self, streaming, interface, position, kind, chunks, log):
        error = LookupError(SECRET)
        source = kind(["a", "b"][:chunks], error)
        client, path, ids = streaming(source)
        got, allowed = [], []

        def read():
            with client.stream("GET", path, headers={"origin": SHOP}) as response:
                allowed.append(response.headers["access-control-allow-origin"])
                got.extend(response)

        with pytest.raises(LookupError) as raised:
            read()
        assert raised.value is error
        assert b"ab".startswith(b"".join(got))
        assert allowed == ([] if interface == "wsgi" and chunks == 0 else [SHOP])
        assert source.closed == 1
        (record,) = log()
        assert (record.name, record.levelname) == ("antiphon", "ERROR")
        assert record.getMessage().endswith(ids[0])
        assert record.exc_info[1] is error
        assert client.get(f"{position.prefix}/fine").text == "fine"
        assert len(log()) == 1

    @pytest.mark.parametrize("kind", [SyncValues, AsyncValues])
    @pytest.mark.parametrize("chunks", [0, 1])
    def test_gives_nothing_away(self, streaming, interface, kind, chunks):
        client, path, _ = streaming(kind(["a"][:chunks], LookupError(SECRET)), raise_errors=False)
        got = []
        try:
            with client.stream("GET", path) as response:
                got.extend(response)
        except BrokenResponse:
            assert interface != "rsgi" or chunks == 0
        assert SECRET.encode() not in b"".join(got)

    @pytest.mark.parametrize("kind", [SyncValues, AsyncValues])
    def test_because_its_chunk_is_none_is_logged_too(self, streaming, position, kind, log):
        client, path, ids = streaming(kind(["a", 5]))
        with pytest.raises(TypeError):
            client.get(path)
        (record,) = log()
        assert record.getMessage().endswith(ids[0])
        assert client.get(f"{position.prefix}/fine").text == "fine"

    @pytest.mark.parametrize("kind", [CannotBegin, CannotBeginToWait])
    def test_because_it_cannot_begin_is_logged_and_closed(self, streaming, position, kind, log):
        source = kind()
        client, path, ids = streaming(source)
        with pytest.raises(LookupError):
            client.get(path)
        (record,) = log()
        assert record.getMessage().endswith(ids[0])
        assert source.closed == 1
        assert client.get(f"{position.prefix}/fine").text == "fine"

    @pytest.mark.parametrize("kind", [SyncValues, AsyncValues])
    def test_is_no_stream_that_the_client_leaves(self, streaming, position, kind, log):
        source = kind(itertools.repeat("a"))
        client, path, _ = streaming(source)
        with client.stream("GET", path) as response:
            assert next(response) == b"a"
        assert source.closed == 1
        assert client.get(f"{position.prefix}/fine").text == "fine"
        assert log() == []


def test_what_fails_after_the_response_is_logged_and_keeps_nobody_from_it(serving, position, style, other, log):
    called, ids = [], []

    def handler(request):
        ids.append(request.id)
        for function in (lambda: called.append(1), lambda: 1 // 0, lambda: called.append(2)):
            request.after_response(other(function))
        return "x"

    client = serving(failing(position, style, other, Failure(answers_with(handler), 200)))
    response = client.get(f"{position.prefix}/fails")
    assert (response.status, response.text, called) == (200, "x", [1, 2])
    (record,) = log()
    assert (record.name, record.levelname) == ("antiphon", "ERROR")
    assert record.getMessage().endswith(ids[0])
    assert isinstance(record.exc_info[1], ZeroDivisionError)
    assert client.get(f"{position.prefix}/fine").text == "fine"
    assert len(log()) == 1


class Fatal(BaseException):
    """What ends a task or the process, such as SystemExit, or what servers raise into workers that take too long."""


def test_what_breaks_the_request_off_keeps_nobody_from_what_was_left_for_after(serving, position, style, seen):
    def handler(request):
        request.after_response(lambda: seen.append("after"))
        raise Fatal

    client = serving(failing(position, style, style, Failure(answers_with(handler), 200)))
    with pytest.raises(Fatal):
        client.get(f"{position.prefix}/fails")
    assert seen == ["after"]
    assert client.get(f"{position.prefix}/fine").text == "fine"


class TestACancellation:
    def test_that_a_middleware_asked_for_ends_there(self, serving, position, style, log, app):
        # As asyncio.timeout does when it expires: it cancels the task, and takes that back when it is left.
        seen, scopes = [], []

        @app.middleware
        async def limit(request):
            async with asyncio.timeout(None) as scope:
                scopes.append((asyncio.get_running_loop(), scope))
                response = yield
            seen.append(type(response.error))
            if scope.expired():
                yield Response("too slow", 503)

        def expire():
            loop, scope = scopes[0]
            loop.call_soon_threadsafe(lambda: scope.reschedule(loop.time()))
            return scope

        async def waits(request):
            expire()
            await asyncio.Event().wait()

        def blocks(request):
            scope = expire()
            eventually(lambda: scope.expired() or None, "it does not expire")
            return "late"

        position.enter(app).get("/")(waits if style.is_async else blocks)
        response = serving(app).get(f"{position.prefix}/")
        assert (response.status, response.text) == (503, "too slow")
        assert seen == [asyncio.CancelledError if style.is_async else type(None)]
        assert log() == []

    def test_that_nobody_asked_for_is_an_error_like_others(self, serving, position, style, log, app, seen):
        @app.middleware
        def around(request):
            response = yield
            seen.append((response.status, type(response.error)))

        async def cancelled():
            job = asyncio.create_task(asyncio.sleep(10))
            job.cancel()
            await job

        def blocks(request):
            asyncio.run(cancelled())

        async def waits(request):
            await cancelled()

        position.enter(app).get("/")(waits if style.is_async else blocks)
        response = serving(app).get(f"{position.prefix}/", headers={"accept": "application/json"})
        assert response.status == 500
        assert seen == [(500, asyncio.CancelledError)]
        (record,) = log()
        assert record.getMessage().endswith(response.json["request_id"])


def test_there_are_failures_of_all_kinds():
    statuses = {failure.status for failure in FAILURES.values()}
    assert statuses >= {400, 403, 404, 405, 413, 414, 415, 422, 431, 499, 500, 502}
    assert len(FAILURES) >= 30
    assert all((failure.status >= 500) == (failure.logged is not None) for failure in FAILURES.values())
