"""Spans and durations of requests, as OpenTelemetry's SDK gets them."""

import asyncio
import builtins
import sys

import pytest
from opentelemetry import baggage, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from antiphon import App, Response, abort
from antiphon.features import OpenTelemetry
from antiphon.testing import BrokenResponse, Client

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = PARENT[:-1] + "0"


class Recorded:
    """A provider of tracers and one of meters, and what they were given."""

    def __init__(self):
        self._exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._reader = InMemoryMetricReader()
        self.meters = MeterProvider([self._reader])

    def feature(self, **options):
        return OpenTelemetry(tracer_provider=self.tracers, meter_provider=self.meters, **options)

    @property
    def spans(self):
        return list(self._exporter.get_finished_spans())

    @property
    def durations(self):
        data = self._reader.get_metrics_data()
        [metric] = [each for resource in data.resource_metrics for each in resource.scope_metrics[0].metrics]
        assert (metric.name, metric.unit) == ("http.server.request.duration", "s")
        return list(metric.data.data_points)


@pytest.fixture
def recorded():
    return Recorded()


def current():
    return trace.get_current_span().get_span_context()


@pytest.fixture
def app(recorded):
    app = App()
    app.use(recorded.feature())
    app.get("/users/<int:id>")(lambda request: "Ada")

    @app.get("/fails")
    async def fails(request):
        raise LookupError("boom")

    @app.get("/busy")
    def busy(request):
        return Response("busy", 503)

    @app.get("/down")
    def down(request):
        abort(502)

    @app.get("/breaks")
    def breaks(request):
        yield "some"
        raise LookupError("boom")

    app.errorhandler(ZeroDivisionError)(lambda request, error: ("handled", 400))

    @app.get("/handled")
    def handled(request):
        return 1 / 0

    inner = App()
    inner.get("/items/<name>")(lambda request: "lamp")
    app.mount("/shop", inner)
    return app


@pytest.mark.parametrize(
    ("method", "path", "name", "route", "status", "error", "recorded_error"),
    [
        ("GET", "/users/7?token=secret", "GET /users/<int:id>", "/users/<int:id>", 200, None, None),
        ("HEAD", "/users/7", "HEAD /users/<int:id>", "/users/<int:id>", 200, None, None),
        ("GET", "/shop/items/lamp", "GET /shop/items/<name>", "/shop/items/<name>", 200, None, None),
        ("GET", "/missing", "GET", None, 404, None, None),
        ("PURGE", "/users/7", "HTTP", None, 405, None, None),
        ("GET", "/handled", "GET /handled", "/handled", 400, None, None),
        ("GET", "/busy", "GET /busy", "/busy", 503, "503", None),
        ("GET", "/down", "GET /down", "/down", 502, "antiphon.http.errors.BadGateway", "BadGateway"),
        ("GET", "/fails", "GET /fails", "/fails", 500, "LookupError", "LookupError"),
        ("GET", "/breaks", "GET /breaks", "/breaks", 200, "LookupError", "LookupError"),
    ],
)
def test_a_request_is_a_span(app, interface, recorded, method, path, name, route, status, error, recorded_error):
    client = Client(app, interface, raise_errors=False)
    try:
        client.request(method, path, headers={"user-agent": "Test/1"})
    except (BrokenResponse, LookupError):
        assert path == "/breaks"
    [span] = recorded.spans
    assert (span.name, span.kind, span.parent) == (name, SpanKind.SERVER, None)
    known = {} if name != "HTTP" else {"http.request.method_original": method}
    expected = {
        "http.request.method": method if not known else "_OTHER", "url.path": path.partition("?")[0],
        "url.scheme": "http", "http.route": route, "http.response.status_code": status,
        "server.address": "testserver", "server.port": 80, "client.address": "127.0.0.1",
        "user_agent.original": "Test/1", "network.protocol.version": "1.1", "error.type": error,
    }  # fmt: skip
    assert dict(span.attributes) == {key: value for key, value in expected.items() if value is not None} | known
    assert span.status.status_code == (StatusCode.UNSET if error is None else StatusCode.ERROR)
    events = [event.attributes["exception.type"] for event in span.events]
    assert [kind.rpartition(".")[2] for kind in events] == ([] if recorded_error is None else [recorded_error])


def test_a_duration_is_measured_with_few_labels(app, interface, recorded):
    client = Client(app, interface, raise_errors=False)
    for path in ("/users/7", "/users/8", "/fails"):
        client.get(path)
    points = {tuple(sorted(point.attributes.items())): point.count for point in recorded.durations}
    common = {"http.request.method": "GET", "url.scheme": "http", "network.protocol.version": "1.1"}
    users = common | {"http.route": "/users/<int:id>", "http.response.status_code": 200}
    fails = common | {"http.route": "/fails", "http.response.status_code": 500, "error.type": "LookupError"}
    assert points == {tuple(sorted(users.items())): 2, tuple(sorted(fails.items())): 1}
    assert recorded.durations[0].explicit_bounds[:2] == (0.005, 0.01)


def test_a_trace_is_continued(app, interface, recorded):
    Client(app, interface).get("/users/7", headers={"traceparent": PARENT, "tracestate": "vendor=x"})
    [span] = recorded.spans
    assert f"{span.context.trace_id:032x}-{span.parent.span_id:016x}" == PARENT[3:-3]
    assert span.parent.is_remote
    assert span.context.trace_state.to_header() == "vendor=x"


def test_a_trace_that_is_not_sampled_costs_no_span(app, interface, recorded):
    Client(app, interface).get("/users/7", headers={"traceparent": UNSAMPLED})
    assert recorded.spans == []
    assert [point.count for point in recorded.durations] == [1]


def test_trusted_proxies_are_believed_as_far_as_the_server_can_be(interface, recorded):
    app = App(trusted_proxies=["127.0.0.1"])
    app.use(recorded.feature())
    seen = []
    app.get("/")(lambda request: seen.append((request.host, request.scheme, request.ip)) or "x")
    headers = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
    Client(app, interface).get("/", headers=headers)
    attributes = recorded.spans[0].attributes
    assert tuple(map(attributes.get, ("server.address", "url.scheme", "client.address"))) == seen[0]
    if interface != "wsgi":
        assert seen == [("testserver", "https", "203.0.113.7")]


class TestTheSpan:
    @pytest.fixture
    def traced(self, recorded):
        """An application that notes the span that is current in each of its parts."""
        app = App()
        app.use(recorded.feature())
        app.seen = []

        def note(part):
            app.seen.append((part, current().span_id, baggage.get_baggage("user")))

        @app.middleware
        def around(request):
            note("opens")
            yield
            note("closes")

        def parts():
            note("stream")
            yield "x"

        async def parts_async():
            note("stream")
            yield "x"

        @app.get("/")
        def index(request):
            note("handler")
            request.after_response(note, "after")
            return parts()

        @app.get("/async")
        async def index_async(request):
            note("handler")
            request.after_response(note, "after")
            return parts_async()

        return app

    @pytest.mark.parametrize("path", ["/", "/async"])
    def test_is_the_current_one_in_all_that_answers(self, traced, interface, recorded, path):
        Client(traced, interface).get(path, headers={"baggage": "user=ada"})
        [span] = recorded.spans
        parts = ["opens", "handler", "closes", "stream", "after"]
        assert traced.seen == [(part, span.context.span_id, "ada") for part in parts]

    def test_ends_with_the_stream_and_not_before(self, recorded, interface):
        app = App()
        app.use(recorded.feature())
        ended = []

        @app.get("/")
        def stream(request):
            for part in ("one", "two"):
                ended.append(len(recorded.spans))
                yield part

        Client(app, interface).get("/")
        assert ended == [0, 0]
        assert len(recorded.spans) == 1

    def test_that_the_client_leaves_is_no_error(self, recorded, interface):
        app = App()
        app.use(recorded.feature())

        @app.get("/")
        def stream(request):
            while True:
                yield "tick"

        with Client(app, interface) as client, client.stream("GET", "/") as response:
            next(response)
        [span] = recorded.spans
        assert span.status.status_code == StatusCode.UNSET
        assert "error.type" not in span.attributes


def test_a_caller_in_the_same_task_has_its_own_span_again(app, recorded):
    async def call():
        messages = []

        async def send(message):
            messages.append(message)

        async def receive():
            return {"type": "http.request"}

        scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/", "headers": [(b"host", b"x")]}
        with trace.use_span(recorded.tracers.get_tracer("test").start_span("outer"), end_on_exit=True):
            before = current()
            for _ in range(2):
                await app(scope, receive, send)
                assert current() == before

    asyncio.run(call())
    *inner, outer = recorded.spans
    assert [span.parent.span_id for span in inner] == [outer.context.span_id] * 2


def test_requests_may_be_left_out(interface, recorded):
    app = App()
    app.use(recorded.feature(skip=lambda request: request.path == "/healthz"))
    client = Client(app, interface, raise_errors=False)
    for path in ("/healthz", "/other"):
        client.get(path)
    assert [span.attributes["url.path"] for span in recorded.spans] == ["/other"]


def test_without_the_package_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments):
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match="pip install opentelemetry-api"):
        OpenTelemetry()
    assert "opentelemetry" in sys.modules
