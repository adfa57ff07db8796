"""Where nothing has to wait, a server's thread or loop has the response at once, without a coroutine."""

import asyncio
from contextvars import copy_context
from dataclasses import dataclass

import pytest

from antiphon import App, Request, Response
from antiphon.handler.drive import run_async, run_sync
from antiphon.http.head import RequestHead
from antiphon.response.response import seen
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


class OnLoop(RequestHead):
    """A head whose body comes in one chunk on a server's loop, at once or late."""

    blocks = False
    is_late = False

    async def receive(self):
        if self.is_late:
            await asyncio.sleep(0)
        return super().receive()


class Late(OnLoop):
    is_late = True


def request(method="GET", body=b"", head=OnLoop):
    fields = {"host": "example.com"} | ({"content-length": str(len(body))} if body else {})
    return Request(head(method, "/", headers=fields, content=body))


async def at_once(request):
    return request.text or "nothing"


async def after_a_while(request):
    await asyncio.sleep(0)
    return request.text or "nothing"


async def made_later(request):
    return Later()


class Later:
    async def __response__(self, request):
        await asyncio.sleep(0)
        return Response("nothing")


def around(request):
    yield


def replaces(request):
    response = yield
    return Response(response.body)


async def around_async(request):
    yield


async def opens_later(request):
    await asyncio.sleep(0)
    yield


async def closes_later(request):
    yield
    await asyncio.sleep(0)


@rows(
    "handler, middleware, asked, is_at_once",
    (at_once, None, {}, True),
    (at_once, around, {}, True),
    (at_once, replaces, {}, True),
    (at_once, None, {"method": "POST", "body": b"text"}, True),
    (at_once, None, {"method": "PUT"}, True),
    (at_once, around_async, {}, True),
    (at_once, opens_later, {}, False),
    (at_once, closes_later, {}, False),
    (after_a_while, around_async, {}, False),
    (at_once, None, {"method": "POST", "body": b"text", "head": Late}, False),
    (after_a_while, None, {}, False),
    (after_a_while, around, {"method": "POST", "body": b"text"}, False),
    (made_later, around, {}, False),
    (lambda request: "nothing", None, {}, False),
)
def test_a_loop_has_the_response_at_once_unless_something_waits(handler, middleware, asked, is_at_once):
    app = App(cross_site_writes=True)
    app.route("/", methods=["GET", "POST"])(handler)
    if middleware:
        app.middleware(middleware)

    async def answer():
        given = seen(app._respond_on_loop(request(**asked)))
        return isinstance(given, Response), given if isinstance(given, Response) else await given

    was_at_once, response = asyncio.run(answer())
    assert was_at_once is is_at_once
    expected = {"PUT": 405}.get(asked.get("method"), 200)
    assert response.status == expected
    assert expected == 405 or response.body == (asked.get("body") or b"nothing")


@rows(
    "handler, middleware, asked, is_at_once",
    (at_once, around, {}, True),
    (at_once, replaces, {}, True),
    (at_once, around_async, {}, True),
    (at_once, around, {"method": "POST", "body": b"text"}, False),
    (at_once, opens_later, {}, False),
    (at_once, closes_later, {}, False),
    (after_a_while, around, {}, False),
    (made_later, around, {}, False),
    (lambda request: "nothing", around, {}, False),
)
def test_middleware_before_routing_has_the_response_at_once_unless_something_waits_or_has_a_body(
    handler, middleware, asked, is_at_once
):
    app = App(cross_site_writes=True)
    app.route("/", methods=["GET", "POST"])(handler)
    app.get("/async")(at_once)  # so that middleware runs on the loop
    app.middleware(middleware, before_routing=True)
    app.middleware(around)

    async def answer():
        given = seen(app._respond_on_loop(request(**asked)))
        return isinstance(given, Response), given if isinstance(given, Response) else await given

    was_at_once, response = asyncio.run(answer())
    assert was_at_once is is_at_once
    assert response.body == (asked.get("body") or b"nothing")


@dataclass
class Lamp:
    name: str


def reads_accept(request):
    request.accept.best(["text/plain"])
    return "text"


def calls_back(request):
    request.on_response(lambda request, response: None)
    return "text"


def finished(result):
    result = seen(result)
    return result if isinstance(result, Response) else run_sync(result, copy_context())


def gone(request) -> None:
    return None


@rows(
    "handler, has_message",
    (lambda request: "text", True),
    (lambda request: b"bytes", True),
    (lambda request: {"a": 1}, True),
    (lambda request: [1], True),
    (lambda request: Lamp("a"), True),
    (gone, True),
    (lambda request: ("text", 201), True),
    (lambda request: ({"a": 1}, {"content-length": "3"}), True),
    (lambda request: ([1], 404, {"content-type": "text/x", "transfer-encoding": "chunked"}), True),
    (lambda request: ("text", 204), False),
    (lambda request: ("text", True), False),
    (lambda request: (None, 204), True),
    (lambda request: Response("text"), False),
    (lambda request: iter(["text"]), False),
    (lambda request: 1 / 0, False),
    (reads_accept, True),
    (calls_back, False),
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_response_is_made_that_no_code_sees(handler, has_message, method):
    bare, seeing = App(), App()
    bare.get("/")(handler)
    seeing.get("/")(handler)
    seeing.middleware(around)
    given = bare._respond_on_thread(request(method, head=RequestHead))
    assert (type(given) is tuple) is has_message
    response = finished(seeing._respond_on_thread(request(method, head=RequestHead)))
    assert finished(given).status == response.status
    if has_message:
        assert given == response._message(method)


def test_a_subclass_answers_a_loop_by_an_answer_of_its_own():
    class Own(App):
        def _respond(self, request):
            return run_async(self._handle(request))

        async def _handle(self, request):
            return Response("own")

    async def answer():
        return await Own()._respond_on_loop(request())

    assert asyncio.run(answer()).body == b"own"


def test_a_plan_has_no_more_attributes_than_are_read_quickly(app):
    """Python keeps up to 30 in the object itself, less one for each object made before all of the first one's are set.

    Those of an object with more are in a dict.
    """
    app.get("/")(at_once)
    plan, _ = app._freeze().find(request())
    assert plan.for_wsgi is not plan
    assert len(vars(plan)) < 30
