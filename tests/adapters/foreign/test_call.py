"""Any application, called as a function."""

import asyncio
import json
import sys
from contextlib import closing
from contextvars import Context, ContextVar
from copy import copy

import pytest

from antiphon import App, Limits, Request, Response, aget_response, current_request, get_response, to_app
from antiphon.request.route import NO_ROUTE
from antiphon.testing import Client
from tests.body.forms_in_parts import BOUNDARY, print_form
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.rows import rows

variable = ContextVar("variable", default="outside")


def ask(application, request, interface=None):
    """The response, its body read to the end, asked for on a thread."""
    response = get_response(application, request, interface)
    return response, response.body if isinstance(response.body, bytes) else b"".join(response.body)


def aask(application, request, interface=None):

    async def main():
        response = await aget_response(application, request, interface)
        body = response.body
        return response, body if isinstance(body, bytes) else b"".join([chunk async for chunk in body])

    return asyncio.run(main())


both = pytest.mark.parametrize("ask", [ask, aask], ids=["thread", "loop"])


def wsgi(environ, start_response):
    start_response("201 Created", [("X-Path", environ["SCRIPT_NAME"] + environ["PATH_INFO"])])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]


async def asgi(scope, receive, send):
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 201, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": scope["method"].encode() + b" ", "more_body": True})
    await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": body})


@to_app
def blocking(request):
    return Response(f"{request.method} {request.text}", 201, {"x-path": request.path})


@to_app
async def waiting(request):
    await asyncio.sleep(0)
    return Response(f"{request.method} {request.text}", 201, {"x-path": request.path})


app = App()


@app.put("/<name>")
async def answer(request):
    await asyncio.sleep(0)
    return f"{request.method} {request.text}", 201, {"x-path": request.path}


@app.middleware
def around(request):
    response = yield
    response.headers["x-around"] = "yes"


APPLICATIONS = [wsgi, asgi, blocking, waiting, app]


@both
@rows("application", APPLICATIONS, ids=["wsgi", "asgi", "def", "async def", "app"])
def test_every_application_answers(ask, application):
    response, body = ask(application, Request.blank("/x", "PUT", body=b"body"))
    assert (response.status, response.headers["x-path"], body) == (201, "/x", b"PUT body")


@both
def test_one_whose_style_does_not_tell_is_asked_as_the_caller_says(ask):
    def without_style(scope, receive, send):
        return asgi(scope, receive, send)

    response, _ = ask(without_style, Request.blank("/x", "PUT"), "asgi")
    assert response.status == 201


@both
@rows("application", APPLICATIONS, ids=["wsgi", "asgi", "def", "async def", "app"])
@rows("unknown", ["foo", "WSGI", "rsgi", ""])
def test_an_interface_that_nobody_knows_is_an_error_that_names_those_that_are(ask, application, unknown):
    with pytest.raises(ValueError, match=f"'wsgi' or 'asgi', not '{unknown}'"):
        ask(application, Request.blank("/x", "PUT"), unknown)


@both
def test_what_a_foreign_application_raises_is_raised(ask):
    def broken(environ, start_response):
        raise LookupError("broken")

    async def abroken(scope, receive, send):
        raise LookupError("broken")

    for application in (broken, abroken):
        with pytest.raises(LookupError, match="broken"):
            ask(application, Request.blank())


@both
def test_the_caller_s_request_and_context_stay_as_they_are(ask):
    @to_app
    def leaves_things_behind(request):
        variable.set("inside")
        request.after_response(lambda: None)
        request.limits = Limits(body=1)
        return Response()

    request = Request.blank("/x", "PUT", body=b"body")
    before = vars(request).copy()

    def ask_both():
        ask(leaves_things_behind, request)
        ask(app, request)
        with pytest.raises(RuntimeError):
            current_request()
        return variable.get()

    assert Context().run(ask_both) == "outside"
    assert {key: value for key, value in vars(request).items() if key != "content"} == {
        key: value for key, value in before.items() if key != "content"
    }
    assert (request.route, request._deferred, request.body) == (NO_ROUTE, (), b"body")


@both
def test_a_stream_reads_the_context_of_its_application(ask):
    inner = App()

    @inner.get("/")
    async def streamed(request):
        variable.set("inside")

        async def chunks():
            yield variable.get()
            await asyncio.sleep(0)
            yield current_request().path

        return Response.stream(chunks())

    assert ask(inner, Request.blank())[1] == b"inside/"


def test_on_a_loop_the_blocking_way_is_an_error_that_names_the_other():
    async def main():
        get_response(blocking, Request.blank())

    with pytest.raises(RuntimeError, match="await aget_response"):
        asyncio.run(main())


# After the response


@rows("source", [SyncValues, AsyncValues])
@rows("read", [0, 1])
def test_a_stream_is_closed_once_on_a_thread(source, read):
    chunks, called = source(), []

    @to_app
    def streamed(request):
        request.after_response(lambda: called.append(chunks.closed))
        return Response.stream(chunks)

    response = get_response(streamed, Request.blank())
    with closing(response.body) as body:
        assert [next(body) for _ in range(read)] == [b"a"][:read]
        assert (chunks.closed, called) == (0, [])
    body.close()
    assert list(body) == []
    assert (chunks.closed, called) == (1, [1])


@rows("source", [SyncValues, AsyncValues])
@rows("read", [0, 1])
def test_a_stream_is_closed_once_on_a_loop(source, read):
    chunks, called = source(), []

    @to_app
    async def streamed(request):
        request.after_response(lambda: called.append(chunks.closed))
        return Response.stream(chunks)

    async def main():
        body = (await aget_response(streamed, Request.blank())).body
        assert [await anext(body) for _ in range(read)] == [b"a"][:read]
        assert (chunks.closed, called) == (0, [])
        await body.aclose()
        await body.aclose()
        assert [chunk async for chunk in body] == []

    asyncio.run(main())
    assert (chunks.closed, called) == (1, [1])


@both
@rows("source", [SyncValues, AsyncValues])
def test_a_stream_that_fails_is_closed_and_raises(ask, source):
    chunks, called = source(error=LookupError("lost")), []

    @to_app
    def streamed(request):
        request.after_response(lambda: called.append(chunks.closed))
        return Response.stream(chunks)

    with pytest.raises(LookupError, match="lost"):
        ask(streamed, Request.blank())
    assert (chunks.closed, called) == (1, [1])


@both
def test_a_response_that_an_application_shares_is_left_alone(ask):
    chunks = ["a", "b"]
    shared = Response(chunks)
    application = to_app(lambda request: shared)
    assert [ask(application, Request.blank())[1] for _ in range(2)] == [b"ab", b"ab"]
    assert shared.body is chunks
    assert copy(shared).body is chunks


def test_a_reader_that_is_cancelled_closes_the_stream():
    class Endless(AsyncValues):
        async def __anext__(self):
            await asyncio.sleep(60)

    chunks = Endless()

    async def main():
        body = (await aget_response(to_app(lambda request: Response.stream(chunks)), Request.blank())).body
        reader = asyncio.ensure_future(anext(body))
        await asyncio.sleep(0.01)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader

    asyncio.run(main())
    assert chunks.closed == 1


def test_one_who_asks_and_is_cancelled_takes_the_application_along():
    seen, started = [], asyncio.Event()

    @to_app
    async def endless(request):
        request.after_response(lambda: seen.append("after"))
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def main():
        asking = asyncio.ensure_future(aget_response(endless, Request.blank()))
        await started.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(main())
    assert seen == ["cancelled", "after"]


# Inside of another application


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("application", APPLICATIONS, ids=["wsgi", "asgi", "def", "async def", "app"])
def test_handlers_of_both_styles_ask(interface, application):
    outer = App(cross_site_writes=True)

    @outer.put("/blocking")
    def ask_blocking(request):
        response = get_response(application, request)
        body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
        assert current_request() is request
        return body, response.status

    @outer.put("/waiting")
    async def ask_waiting(request):
        response = await aget_response(application, request)
        body = response.body
        assert current_request() is request
        return body if isinstance(body, bytes) else b"".join([chunk async for chunk in body]), response.status

    client = Client(outer, interface=interface)
    for path in ("/blocking", "/waiting"):
        response = client.put(path, body=b"body")
        assert (response.status, response.body) == (201, b"PUT body")


@rows("before", ["nothing", "form"])
@rows("size", [5, 100 << 10, 700 << 10, 3 << 20])
@rows("interface", ["wsgi", "asgi"])
def test_a_form_is_there_for_the_one_who_is_asked_too(interface, size, before):
    inner, outer = App(), App()
    few = App(limits=Limits(files=1))

    @inner.post("/")
    @few.post("/")
    def read(request: Request):
        return {"title": request.form["title"], "size": request.files["f"].size}

    @outer.post("/")
    async def pass_on(request: Request):
        if before == "form":
            assert len(request.form) == 1
        told = await aget_response(inner, request)
        refused = await aget_response(few, request)
        return json.loads(told.body) | {"refused": refused.status, "own": request.files["f"].size}

    file = (b"f", b"f", None, bytes(size))
    sent = print_form([(b"title", None, None, b"tea"), (b"f", b"f", None, b""), file])
    content_type = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    told = Client(outer, interface, raise_errors=True).post("/", body=sent, content_type=content_type)
    assert told.json == {"title": "tea", "size": size, "refused": 413, "own": size}


@both
def test_one_of_ours_is_started_first(ask):
    started = []
    other = App()
    other.on_startup(lambda: started.append(True))
    other.get("/")(lambda request: "x")
    ask(other, Request.blank())
    assert started == [True]


@pytest.mark.processes
def test_importing_it_stays_light():
    import subprocess

    heavy = "import sys, antiphon.adapters.foreign.call; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", heavy], check=False).returncode == 0
