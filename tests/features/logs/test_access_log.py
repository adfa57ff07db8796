"""The access log: one record for each request, when all of its response was sent."""

import asyncio
import json
import logging
from contextlib import suppress

import pytest

from antiphon import App, Response
from antiphon.features import AccessLog
from antiphon.logs import JSONFormatter, RequestIDFilter
from antiphon.testing import BrokenResponse, Client
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]


@pytest.fixture
def records(caplog):
    """The records of the access log."""
    caplog.set_level(logging.INFO, "antiphon.access")
    return lambda: [record for record in caplog.records if record.name == "antiphon.access"]


@pytest.fixture
def app():
    app = App()
    app.use(AccessLog())
    app.get("/users/<int:number>")(lambda request, number: Response.json({"id": request.id}))

    @app.get("/stream")
    def stream(request):
        yield "one "
        yield "two"

    @app.get("/fails")
    def fails(request):
        raise LookupError("boom")

    @app.get("/breaks")
    async def breaks(request):
        yield "some"
        raise LookupError("boom")

    @app.get("/endless")
    async def endless(request):
        while True:
            yield "tick"
            await asyncio.sleep(0.001)

    return app


@pytest.mark.parametrize(
    ("method", "path", "status", "size", "message"),
    [
        ("GET", "/users/7", 200, 41, "GET /users/7 200 41 bytes TIME ms /users/<int:number>"),
        ("HEAD", "/users/7", 200, 0, "HEAD /users/7 200 0 bytes TIME ms /users/<int:number>"),
        ("GET", "/users/7?token=secret", 200, 41, "GET /users/7 200 41 bytes TIME ms /users/<int:number>"),
        ("GET", "/stream", 200, 7, "GET /stream 200 7 bytes TIME ms /stream"),
        ("GET", "/missing", 404, None, "GET /missing 404 SIZE bytes TIME ms"),
        ("GET", "/caf%C3%A9%0A", 404, None, "GET /caf%C3%A9%0A 404 SIZE bytes TIME ms"),
        ("POST", "/stream", 405, None, "POST /stream 405 SIZE bytes TIME ms"),
        ("GET", "/fails", 500, None, "GET /fails 500 SIZE bytes TIME ms /fails"),
    ],
)
def test_a_record_has_what_was_asked_and_answered(app, interface, records, method, path, status, size, message):
    response = Client(app, interface, raise_errors=False).request(method, path)
    [record] = records()
    assert (record.method, record.status, record.bytes) == (method, status, len(response.body))
    assert size in (None, record.bytes)
    assert record.milliseconds > 0
    assert len(record.request_id) == 32
    assert record.disconnected is False
    assert record.levelno == logging.INFO
    wanted = message.replace("TIME", f"{record.milliseconds:.1f}").replace("SIZE", str(record.bytes))
    assert record.getMessage() == wanted


def test_an_error_is_logged_once_with_the_same_id(app, interface, caplog, records):
    Client(app, interface, raise_errors=False).get("/fails")
    [failure] = [record for record in caplog.records if record.exc_info]
    assert failure.name == "antiphon"
    assert records()[0].request_id in failure.getMessage()
    assert not records()[0].exc_info


def test_a_stream_that_breaks_keeps_its_status_and_is_not_the_client_s_fault(app, interface, records):
    with suppress(LookupError, BrokenResponse):  # RSGI ends it like any other
        Client(app, interface, raise_errors=False).get("/breaks")
    assert (records()[0].status, records()[0].bytes, records()[0].disconnected) == (200, 4, False)


def test_a_stream_that_the_client_leaves_keeps_its_status_and_is_marked(app, interface, records):
    with Client(app, interface) as client, client.stream("GET", "/endless") as response:
        next(response)
    [record] = records()
    assert (record.status, record.disconnected) == (200, True)
    assert record.getMessage().endswith(" /endless disconnected")


def test_attributes_of_one_s_own_are_added(interface, records):
    app = App()
    app.use(AccessLog(extra=lambda exchange: {"shop": exchange.request.path_params.get("shop"), "status": "mine"}))
    app.get("/<shop>")(lambda request: "x")
    Client(app, interface).get("/lamps")
    assert records()[0].shop == "lamps"
    assert records()[0].status == "mine"
    assert " 200 1 bytes" in records()[0].getMessage()


@pytest.mark.parametrize("level", [logging.WARNING, logging.INFO])
def test_a_level_that_is_set_decides(app, interface, caplog, level):
    caplog.set_level(level, "antiphon.access")
    Client(app, interface).get("/users/7")
    assert len(caplog.records) == (level == logging.INFO)


def test_without_a_level_of_its_own_it_is_logged_though_others_begin_at_warnings(app, interface, caplog):
    logger, level = logging.getLogger("antiphon.access"), logging.root.level
    try:
        logging.root.setLevel(logging.WARNING)
        logger.setLevel(logging.NOTSET)
        Client(app, interface).get("/users/7")
        assert [record.name for record in caplog.records] == ["antiphon.access"]
    finally:
        logger.setLevel(logging.NOTSET)
        logging.root.setLevel(level)


@rows(
    "extra, message",
    [(logging.getLevelNamesMapping, "is called with"), ("text", "a function"), (asyncio.sleep, "write it as `def`")],
)
def test_extra_is_a_plain_function_of_the_exchange(extra, message):
    with pytest.raises(TypeError, match=message):
        AccessLog(extra=extra)


class TestTheRequestId:
    """``RequestIDFilter`` knows the request wherever something is logged for it."""

    @pytest.fixture
    def ids(self, caplog):
        caplog.set_level(logging.INFO)
        caplog.handler.addFilter(RequestIDFilter())
        yield lambda: {record.request_id for record in caplog.records}
        caplog.handler.filters.clear()

    @pytest.fixture
    def noisy(self):
        log = logging.getLogger("noisy").info
        app = App()

        @app.middleware
        def around(request):
            log("opens")
            yield
            log("closes")

        @app.after_request
        async def after(request, response):
            log("after")

        def body():
            log("stream")
            yield "x"

        async def body_async():
            log("stream")
            yield "x"

        @app.get("/")
        def index(request):
            log("handler")
            request.after_response(log, "later")
            return Response(body(), headers={"x-id": request.id})

        @app.get("/async")
        async def index_async(request):
            log("handler")

            async def later():
                log("later")

            request.after_response(later)
            return Response(body_async(), headers={"x-id": request.id})

        return app

    @pytest.mark.parametrize("path", ["/", "/async"])
    def test_is_in_every_record(self, noisy, interface, ids, caplog, path):
        response = Client(noisy, interface).get(path)
        assert sorted(caplog.messages) == ["after", "closes", "handler", "later", "opens", "stream"]
        assert ids() == {response.headers["x-id"]}


TRACE = "0af7651916cd43dd8448eb211c80319c"


@rows(
    "fields, sent, found, end",
    (["ip"], {}, {"ip": "127.0.0.1"}, "/ ip=127.0.0.1"),
    (["trace_id"], {}, {}, "/"),
    (["trace_id"], {"traceparent": f"00-{TRACE}x-b7ad6b7169203331-01"}, {}, "/"),
    (
        ("trace_id", "ip"),
        {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
        {"ip": "127.0.0.1", "trace_id": TRACE},
        f"/ ip=127.0.0.1 trace_id={TRACE}",
    ),
)
def test_the_client_and_its_trace_are_logged_by_name(interface, records, fields, sent, found, end):
    app = App()
    app.use(AccessLog(fields=fields))
    app.get("/")(lambda request: "page")
    Client(app, interface).get("/", headers=sent)
    record = records()[-1]
    assert {name: getattr(record, name) for name in ("ip", "trace_id") if hasattr(record, name)} == found
    assert record.getMessage().partition(" ms ")[2] == end
    assert json.loads(JSONFormatter().format(record)).items() >= found.items()


@rows("fields", ["ip", ["host"], ["ip", "query"]])
def test_only_these_fields_are_logged_by_name(fields):
    with pytest.raises(ValueError, match="must be a collection of ip and trace_id"):
        AccessLog(fields=fields)
