"""A body that nobody has read when its request is refused: it is heard out after the response, and not before."""

import asyncio

import pytest

from antiphon import App, Limits, Request, Response
from antiphon.http.errors import Forbidden
from tests.adapters.conftest import environ, scope
from tests.helpers.rows import rows

CHUNK = bytes(50_000)
CHUNKS = 4
SIZE = len(CHUNK) * CHUNKS


def hooked(app):
    @app.before_request
    def refuse(request):
        raise Forbidden

    app.post("/")(lambda request: "x")


def wrapped(app):
    @app.middleware
    async def refuse(request):
        yield Response("no", 401)

    app.post("/")(lambda request: "x")


def lazy(status):
    def build(app):
        app.post("/", receive="lazy")(lambda request: Response("x", status))

    return build


def begun(status):
    def build(app):
        @app.post("/", receive="stream")
        def reads_a_chunk(request):
            assert next(iter(request.stream))
            return Response("x", status)

    return build


def fails(app):
    @app.post("/", receive="lazy")
    async def handler(request):
        raise ZeroDivisionError


def mounted(app):
    app.mount("", App())


def another_method(app):
    app.get("/")(lambda request: "x")


def nothing(app):
    """Has no route."""


def too_long(app):
    app.post("/", limits=Limits(body=9))(lambda request: "x")


def another_host(app):
    app.post("/", host="another.example")(lambda request: "x")


def plain(app):
    app.post("/")(lambda request: "x")


BY_THE_HEAD = {
    "no route": (nothing, 404, {}),
    "no such method": (another_method, 405, {}),
    "its length": (too_long, 413, {}),
    "its coding": (plain, 415, {"content-encoding": "mystery"}),
    "its host": (another_host, 404, {}),
    "the page that makes it": (plain, 403, {"sec-fetch-site": "cross-site"}),
    "an app that is mounted": (mounted, 404, {}),
}
"""Refusals for which the head is enough."""
REFUSING = {
    "a hook": (hooked, 403), "a middleware": (wrapped, 401), "a handler": (lazy(400), 400),
    "a handler that has read some of it": (begun(422), 422), "a handler that fails": (fails, 500),
}  # fmt: skip
NOT_REFUSING = {"a handler that does not read": (lazy(200), 200), "a redirect": (lazy(303), 303)}


class Asked:
    """An application that is asked by a request with a large body; ``left`` is what it left of it, and ``left_then``
    what it had left when it responded.
    """

    def __init__(self, build, interface, size=SIZE, **fields):
        self.app, self.interface = App(), interface
        self.fields = {"host": "a", "content-length": str(size), **fields}
        build(self.app)
        self.left = size

    def read(self, size=-1):
        assert size > 0
        size = min(size, self.left)
        self.left -= size
        return bytes(size)

    async def receive(self):
        if not self.left:  # the client stays
            await asyncio.Event().wait()
        chunk = self.read(len(CHUNK))
        return {"type": "http.request", "body": chunk, "more_body": self.left > 0}

    def status(self):
        return self.over_wsgi() if self.interface == "wsgi" else asyncio.run(self.over_asgi())

    def over_wsgi(self):
        statuses = []
        fields = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in self.fields.items()}
        given = environ("POST", CONTENT_LENGTH=self.fields["content-length"], **{"wsgi.input": self}, **fields)
        response = self.app(given, lambda status, headers: statuses.append(int(status[:3])))
        list(response)
        self.left_then = self.left
        getattr(response, "close", list)()
        return statuses[0]

    async def over_asgi(self):
        sent = []

        async def send(message):
            sent.append(message)
            self.left_then = self.left

        headers = [(name.encode(), value.encode()) for name, value in self.fields.items()]
        await self.app(scope("POST", headers=headers), self.receive, send)
        return sent[0]["status"]


@pytest.fixture(params=["wsgi", "asgi"])
def ask(request):
    return lambda build, size=SIZE, **fields: Asked(build, request.param, size, **fields)


@rows("build, status", REFUSING.values(), ids=REFUSING)
def test_is_received_after_the_response(ask, build, status):
    asked = ask(build)
    assert asked.status() == status
    assert (asked.left_then > SIZE - 2 * len(CHUNK) - 1, asked.left) == (True, 0)


@rows("build, status, fields", BY_THE_HEAD.values(), ids=BY_THE_HEAD)
@rows("size", [10, SIZE])
def test_of_which_the_head_is_enough_holds_no_thread_of_a_server(ask, build, status, fields, size):
    asked = ask(build, size, **fields)
    assert asked.status() == status
    assert asked.left == (size if asked.interface == "wsgi" else 0)


@rows("build, status", NOT_REFUSING.values(), ids=NOT_REFUSING)
def test_is_left_where_it_is_not_refused(ask, build, status):
    asked = ask(build)
    assert asked.status() == status
    assert asked.left == SIZE


def test_is_there_for_what_streams_the_answer(ask):
    read = []

    def build(app):
        @app.post("/", receive="lazy")
        def refuse(request):
            def chunks():
                read.append(len(request.body))
                yield "no"

            return Response(chunks(), 400)

    asked = ask(build)
    assert asked.status() == 400
    assert read == [SIZE]


def test_is_not_asked_for_by_a_refusal(ask):
    asked = ask(hooked, expect="100-continue")
    assert asked.status() == 403
    assert asked.left == SIZE


@rows("before_routing", [False, True])
def test_is_there_for_what_is_around_whatever_has_refused_it(ask, before_routing):
    read = []

    def build(app):
        def cascade(request: Request):
            response = yield
            assert response.status == 404
            read.append(len(request.body))
            return Response("found")

        app.middleware(cascade, before_routing=before_routing)
        mounted(app)

    asked = ask(build)
    assert (asked.status(), read, asked.left) == (200, [SIZE], 0)
