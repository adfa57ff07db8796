"""Hooks and middleware that do nothing change nothing that can be observed, however many there are, of any style."""

import asyncio
import functools
import itertools
import re
from contextvars import ContextVar

import pytest

from antiphon import App, Response
from antiphon.http.errors import BadRequest, IncompleteBody, NotFound
from antiphon.http.limits import Limits
from antiphon.testing import AsyncClient, Client
from tests.helpers.noop_hooks import after, after_async, around, around_async, before, before_async
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.registration_positions import POSITIONS
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")

outer_variable = ContextVar("outer_variable", default="unset")
inner_variable = ContextVar("inner_variable", default="unset")

LARGE = bytes(200_000)


LAYERS = {
    "before, def": lambda app: app.before_request(before),
    "before, async def": lambda app: app.before_request(before_async),
    "before, blocking": lambda app: app.before_request(blocking=True)(before),
    "after, def": lambda app: app.after_request(after),
    "after, async def": lambda app: app.after_request(after_async),
    "after, blocking": lambda app: app.after_request(blocking=True)(after),
    "middleware, def": lambda app: app.middleware(around),
    "middleware, async def": lambda app: app.middleware(around_async),
    "middleware, blocking": lambda app: app.middleware(blocking=True)(around),
}
"""What does nothing: how one of each kind is registered."""


def of_style(name):
    return tuple(itertools.islice(itertools.cycle([layer for key, layer in LAYERS.items() if key.endswith(name)]), 20))


STACKS = {
    "none": (),
    **{f"one {name}": (layer,) for name, layer in LAYERS.items()},
    "20 of def": of_style(", def"),
    "20 of async def": of_style(", async def"),
    "20 that block": of_style(", blocking"),
    "20 of all kinds": tuple(itertools.islice(itertools.cycle(LAYERS.values()), 20)),
}
"""Layers, in the order in which they are registered. Without any, all that is asserted here holds, too."""


TELLING = ("none", "20 of all kinds")
"""The stacks that are tried in every position, not in an app alone."""

ROWS = {
    f"{stack} {position}": (STACKS[stack], POSITIONS[position])
    for position in POSITIONS
    for stack in (STACKS if position == "in the app" else TELLING)
}


# What does nothing between the outermost middleware and the routes, and the position of both.
in_every_position = rows("stack, position", ROWS.values(), ids=ROWS)


def woven(stack, position, routes, outermost=None):
    """An app of its outermost middleware, layers, and routes, which a function registers."""
    app = App()
    if outermost is not None:
        app.middleware(outermost)
    inside = position.enter(app)
    for layer in stack:
        layer(inside)
    routes(inside)
    return app


REQUESTS = {
    "text": ("GET", "/text", {}),
    "HEAD of text": ("HEAD", "/text", {}),
    "OPTIONS": ("OPTIONS", "/text", {}),
    "JSON": ("POST", "/json", {"json": {"a": [1]}}),
    "malformed JSON": ("POST", "/json", {"body": b"{", "content_type": "application/json"}),
    "another media type": ("POST", "/json", {"body": b"{}", "content_type": "text/plain"}),
    "a large body": ("POST", "/size", {"body": LARGE}),
    "a large body in chunks": ("POST", "/size", {"body": [LARGE, LARGE]}),
    "too large a body": ("POST", "/small", {"body": LARGE}),
    "too large a body in chunks": ("POST", "/small", {"body": [b"abcdef", b"abcdef"]}),
    "cookies and a status": ("GET", "/cookies", {}),
    "no content": ("GET", "/nothing", {}),
    "a redirect": ("GET", "/elsewhere", {}),
    "a stream": ("GET", "/stream", {}),
    "HEAD of a stream": ("HEAD", "/stream", {}),
    "an unknown path": ("GET", "/nowhere", {}),
    "an unknown path, as a page": ("GET", "/nowhere", {"headers": {"accept": "text/html"}}),
    "another method": ("DELETE", "/text", {}),
    "a write from another site": ("POST", "/json", {"json": 1, "headers": {"origin": "https://evil.example"}}),
    "a handler that fails": ("GET", "/fails", {}),
    "a handler that raises": ("GET", "/forbidden", {}),
    "a handler that forgets": ("GET", "/forgets", {}),
}


def usual_routes(style):
    def routes(app):
        def route(method, path, **options):
            return lambda function: app.route(path, [method], **options)(style(function))

        @route("GET", "/text")
        def text(request):
            return "text"

        @route("POST", "/json")
        def json(request):
            return {"got": request.json}

        @route("POST", "/size")
        def size(request):
            return str(len(request.body))

        route("POST", "/small", limits=Limits(body=10), name="small")(size)

        @route("GET", "/cookies")
        def cookies(request):
            response = Response("", 201, [("x-a", "1"), ("x-a", "2")])
            response.set_cookie("a", "1")
            response.set_cookie("b", "2", max_age=5)
            return response

        @route("GET", "/nothing")
        def nothing(request) -> None:
            return None

        @route("GET", "/elsewhere")
        def elsewhere(request):
            return Response.redirect("/text")

        @route("GET", "/stream")
        def stream(request):
            return iter(["a", b"", "b"])

        @route("GET", "/fails")
        def fails(request):
            raise LookupError("boom")

        @route("GET", "/forbidden")
        def forbidden(request):
            raise NotFound("by the handler", headers={"x-b": "1"}, member=1)

        @route("GET", "/forgets")
        def forgets(request):
            pass

    return routes


def answers(client, position):
    """What is answered to each request: status, header lines and bytes; ids of requests are all the same."""
    return {
        name: answer(client, method, position.prefix + path, options)
        for name, (method, path, options) in REQUESTS.items()
    }


def answer(client, method, path, options):
    response = client.request(method, path, **options)
    fields = [(name, "id" if name == "x-request-id" else value) for name, value in response.headers.items()]
    return response.status, fields, re.sub(rb"[0-9a-f]{32}", b"id", response.body)


@functools.cache
def usual_answers(interface, style, position):
    client = Client(woven((), position, usual_routes(style)), interface, follow_redirects=False, timeout=10.0)
    try:
        return answers(client, position)
    finally:
        client.close()


@in_every_position
def test_status_headers_and_bytes_are_the_same(serving, interface, stack, position, style):
    usual = usual_answers(interface, style, position)
    assert answers(serving(woven(stack, position, usual_routes(style))), position) == usual
    assert {status for status, _, _ in usual.values()} >= {200, 201, 204, 303, 400, 403, 404, 405, 413, 415, 500}


class TestADisconnect:
    @in_every_position
    def test_while_the_body_is_read_keeps_the_handler_from_being_called(
        self, serving, interface, stack, position, style, caplog
    ):
        seen = []

        def outermost(request):
            request.after_response(lambda: seen.append("after"))
            response = yield
            seen.append(type(response.error))

        def routes(app):
            app.post("/")(style(lambda request: seen.append("handler")))

        def chunks():
            yield b"abc"
            raise ConnectionResetError

        client = serving(woven(stack, position, routes, outermost))
        for declared in (10, len(LARGE)):
            client.post(f"{position.prefix}/", body=chunks(), headers={"content-length": str(declared)})
        # RSGI tells of a client that has left as of a body that ends.
        assert seen == [BadRequest if interface == "rsgi" else IncompleteBody, "after"] * 2
        assert caplog.records == []

    @in_every_position
    @pytest.mark.parametrize("interface", ["asgi", "rsgi"])
    def test_of_a_client_that_hangs_up_cancels_a_waiting_handler(self, interface, stack, position, other):
        seen = []
        begun = asyncio.Event()

        around = other.around(after=lambda request, response: seen.append(type(response.error)))

        def routes(app):
            @app.get("/")
            async def handler(request):
                begun.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    await asyncio.sleep(0)
                    seen.append("cleaned up")

        app = woven(stack, position, routes, around)

        async def main():
            client = AsyncClient(app, interface, timeout=10.0)
            task = asyncio.create_task(client.get(f"{position.prefix}/"))
            await begun.wait()
            task.cancel()
            await asyncio.wait([task])
            return task.cancelled()

        assert asyncio.run(main())
        assert seen == ["cleaned up", asyncio.CancelledError]


class TestWhatIsLeftForAfter:
    @rows("kind", [SyncValues, AsyncValues])
    @in_every_position
    def test_is_called_once_in_order_when_the_stream_is_closed(self, serving, stack, position, style, kind):
        seen = []

        class Source(kind):
            def _next(self, end):
                try:
                    value = super()._next(end)
                except (StopIteration, StopAsyncIteration):
                    seen.append("end")
                    raise
                seen.append(value)
                return value

            def close(self):
                seen.append("closed")

            async def aclose(self):
                seen.append("closed")

        def outermost(request):
            request.after_response(lambda: seen.append("first"))
            yield
            request.after_response(lambda: seen.append("third"))

        def routes(app):
            @app.get("/")
            @style
            def handler(request):
                @request.after_response
                async def second():
                    await asyncio.sleep(0)
                    seen.append("second")

                return Source(["a", "b"])

        app = woven(stack, position, routes, outermost)
        assert serving(app).get(f"{position.prefix}/").text == "ab"
        assert seen == ["a", "b", "end", "closed", "first", "second", "third"]
