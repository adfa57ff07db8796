"""Streams of values: iterators whose annotation names the type of their items, over every interface."""

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, NewType, TypeVar

import pytest

from antiphon import App, to_app
from antiphon.app.dispatch.declared import FORMATS, Gives
from antiphon.concurrency.process import Announcement
from antiphon.http.errors import Conflict
from antiphon.http.event import Event, parse_events
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.testing import BrokenResponse, Client
from tests.helpers.deferred_annotations import define
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

NDJSON, EVENTS, JSON = FORMATS
T = TypeVar("T")
Chunk = NewType("Chunk", bytes)


@dataclass
class Row:
    n: int


def blocking(request) -> Iterator[Row]:
    yield Row(1)
    yield Row(2)


async def waiting(request) -> AsyncIterator[Row]:
    yield Row(1)
    await asyncio.sleep(0)
    yield Row(2)


def returned(request) -> Iterator[Row]:
    return (Row(n) for n in (1, 2))


async def returned_by_coroutine(request) -> AsyncIterator[Row]:
    return waiting(request)


def waiting_from_thread(request) -> AsyncIterator[Row]:
    return waiting(request)


deferred = define("""
from collections.abc import Iterator
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from antiphon import Request

def make():
    class Row(dict):
        pass

    def made(request: Request) -> Iterator[Row]:
        yield Row(n=1)
        yield Row(n=2)

    return made

made = make()
""")


@rows(
    "handler",
    [
        pytest.param(each, id=each.__name__)
        for each in (blocking, waiting, returned, returned_by_coroutine, waiting_from_thread, deferred)
    ],
)
def test_values_are_streamed_in_the_format_that_the_client_accepts(interface, handler):
    app = App()
    app.get("/")(handler)
    client = Client(app, interface)
    for accept, media, body in (
        (None, NDJSON, '{"n":1}\n{"n":2}\n'), ("*/*", NDJSON, '{"n":1}\n{"n":2}\n'),
        ("application/json, text/plain, */*", NDJSON, '{"n":1}\n{"n":2}\n'),
        ("text/html", NDJSON, '{"n":1}\n{"n":2}\n'),
        ("text/event-stream", EVENTS, 'data: {"n":1}\n\ndata: {"n":2}\n\n'),
        ("application/json", JSON, '[{"n":1},{"n":2}]'), ("application/json, */*;q=0.1", JSON, '[{"n":1},{"n":2}]'),
    ):  # fmt: skip
        response = client.get("/", headers={} if accept is None else {"accept": accept})
        told = (response.content_type, response.text, response.headers["vary"].lower())
        assert told == (media, body, "accept"), accept
        assert (response.headers["incremental"], response.headers["x-accel-buffering"]) == ("?1", "no")
        assert response.headers.get("cache-control") == ("no-store" if media == EVENTS else None)


def none_at_all(request) -> Iterator[Row]:
    return iter(())


def with_status(request) -> tuple[Iterator[Row], Literal[202], dict[str, str]]:
    return iter([Row(1)]), 202, {"incremental": "?0", "x-row": "1"}


def or_response(request) -> Iterator[Row] | Response:
    return iter([Row(1)]) if "row" in request.args else Response("none")


def text_too(request) -> Iterator[Row | str]:
    yield "a\nb"


def money(request) -> Iterator[Decimal]:
    yield Decimal("1.5")


def events(request) -> Iterator[Event | Row]:
    yield Event("a", id="1")
    yield Row(1)


@rows(
    "handler, accept, status, media, body",
    (none_at_all, None, 200, NDJSON, ""),
    (none_at_all, JSON, 200, JSON, "[]"),
    (with_status, None, 202, NDJSON, '{"n":1}\n'),
    (or_response, None, 200, "text/plain; charset=utf-8", "none"),
    (text_too, EVENTS, 200, EVENTS, 'data: "a\\nb"\n\n'),
    (money, JSON, 200, JSON, '["1.5"]'),
    (events, JSON, 200, EVENTS, 'id: 1\ndata: a\n\ndata: {"n":1}\n\n'),
)
def test_what_else_an_annotation_says(interface, handler, accept, status, media, body):
    response = Client(to_app(handler), interface).get("/", headers={"accept": accept} if accept else {})
    assert (response.status, response.content_type, response.text) == (status, media, body)


def test_a_header_of_the_handler_stays(interface):
    response = Client(to_app(with_status), interface).get("/")
    assert (response.headers["incremental"], response.headers["x-row"]) == ("?0", "1")


@rows(
    "annotation, formats",
    (Iterator[Row], FORMATS), (AsyncIterable[Row], FORMATS), (Generator[Row, None, None], FORMATS),
    (AsyncGenerator[int, None], FORMATS), (Iterable[dict[str, int]], FORMATS),
    (Iterator[Annotated[Row, "of the table"]], FORMATS), (Iterator[Literal[1, 2]], FORMATS),
    (Iterator[Row | None], FORMATS), (Iterator[Event], (EVENTS,)), (Iterator[str], ()), (Iterator[bytes | str], ()),
    (Iterator[Chunk], ()), (Iterator[Literal["a"]], ()), (Iterator[Any], ()), (Iterator[object], ()),
    (Iterator[T], ()), (Iterator, ()), (Generator[Response | None, Response, None], ()),
    (Generator[None, Response, None], ()), (list[Row], ()), (Row, ()), (None, ()),
)  # fmt: skip
def test_only_the_items_of_an_iterator_are_values(annotation, formats):
    assert Gives(annotation).stream[1] == formats


def test_a_handler_in_c_whose_code_has_no_annotation_streams_its_chunks(interface, app):
    app.get("/")(lru_cache(lambda request: iter(["a", "b"])))
    assert Client(app, interface).get("/").body == b"ab"


def test_an_iterator_without_a_type_says_what_to_write(caplog, interface):
    def handler(request):
        yield {"n": 1}

    with (
        Client(to_app(handler), interface, raise_errors=False).stream("GET", "/") as response,
        suppress(BrokenResponse),
    ):
        response.read()
    assert "Iterator[Row]" in caplog.text


def test_an_application_writes_what_json_lacks(interface):
    class Place:
        pass

    app = App(json_default=lambda value: "here")

    @app.get("/")
    def handler(request) -> Iterator[Place]:
        yield Place()

    assert Client(app, interface).get("/").text == '"here"\n'


def received(response):
    """What comes before the response is cut off, as it is over WSGI and ASGI."""
    data = bytearray()
    with suppress(BrokenResponse):
        for chunk in response:
            data += chunk
    return data.decode()


def test_a_stream_that_fails_is_cut_off_and_its_events_say_so(interface):
    def handler(request) -> Iterator[Row]:
        yield Row(1)
        raise Conflict("taken")

    client = Client(to_app(handler), interface, raise_errors=False)
    with client.stream("GET", "/") as response:
        assert received(response).startswith('{"n":1}\n{"error":')  # a line that no reader accepts
    with client.stream("GET", "/", headers={"accept": EVENTS}) as response:
        first, last = parse_events(received(response))
    assert (first.data, last.event, '"detail":"taken"' in last.data) == ('{"n":1}', "error", True)


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_client_that_leaves_closes_the_generator(interface, accept, is_async, app):
    closed = []

    def sync_rows(request) -> Iterator[Row]:
        try:
            while True:
                yield Row(1)
        finally:
            closed.append("sync")

    async def async_rows(request) -> AsyncIterator[Row]:
        try:
            while True:
                yield Row(1)
                await asyncio.sleep(0)
        finally:
            closed.append("async")

    app.get("/")(async_rows if is_async else sync_rows)
    gc.disable()
    try:
        with Client(app, interface).stream("GET", "/", headers={"accept": accept}) as response:
            next(response)
            next(response)
        assert closed == ["async" if is_async else "sync"]
    finally:
        gc.enable()


def test_head_makes_no_values(interface, app):
    made = []

    def handler(request) -> Iterator[Row]:
        made.append(1)
        yield Row(1)

    app.get("/")(handler)
    response = Client(app, interface).head("/")
    assert (response.content_type, made) == (NDJSON, [])


def test_a_wrong_annotation_of_middleware_makes_no_values(app):
    @app.middleware
    def early(request: Request) -> Generator[None, Response, Iterator[bytes]]:
        yield
        return iter([b"a"])

    app.get("/")(lambda request: "b")
    assert Client(app).get("/").text == "a"


@rows("method, left", [("GET", ""), ("POST", "data: 2\n\n")])
def test_events_of_a_write_are_finished_when_the_process_drains(interface, monkeypatch, method, left):
    """No EventSource reads them, so nothing would ask for the rest."""
    draining = Announcement()
    monkeypatch.setattr("antiphon.response.events.DRAINING", draining)

    async def source(request) -> AsyncIterator[Event]:
        yield Event("1")
        draining.give()
        await asyncio.sleep(0.01)
        yield Event("2")

    app = App()
    app.route("/", ["GET", "POST"])(source)
    assert Client(app, interface).request(method, "/").text == f"data: 1\n\n{left}"
