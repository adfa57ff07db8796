"""OpenTelemetry's instrumentation of Flask, as its users set it up.

`python -m tests.dialects.compat opentelemetry-instrumentation-flask` runs this.
"""

import flask
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode


class Telemetry:
    """Providers, and what they were told."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider(metric_readers=[self.reader])

    @property
    def providers(self):
        return {"tracer_provider": self.tracer_provider, "meter_provider": self.meter_provider}

    def spans(self):
        return self.exporter.get_finished_spans()

    def metrics(self):
        (resource,) = self.reader.get_metrics_data().resource_metrics
        return {metric.name for scope in resource.scope_metrics for metric in scope.metrics}


@pytest.fixture
def telemetry():
    return Telemetry()


def add_views(app):
    @app.get("/users/<int:number>")
    def show_user(number):
        return {"span": trace.get_current_span().get_span_context().span_id}

    @app.get("/broken")
    def broken():
        raise LookupError("no lute")

    @app.get("/copied")
    def copied():
        return flask.copy_current_request_context(lambda: flask.request.path)()


@pytest.fixture(params=["one app", "every app"])
def client(request, telemetry):
    if request.param == "one app":
        app = flask.Flask(__name__)
        FlaskInstrumentor().instrument_app(app, **telemetry.providers)
        add_views(app)
        yield app.test_client()
    else:
        FlaskInstrumentor().instrument(**telemetry.providers)
        app = flask.Flask(__name__)
        add_views(app)
        yield app.test_client()
        FlaskInstrumentor().uninstrument()


def test_a_request_is_a_span_named_by_its_route(client, telemetry):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answered = client.get("/users/7", headers={"traceparent": parent}).get_json()
    (span,) = telemetry.spans()
    assert (span.name, span.kind) == ("GET /users/<int:number>", SpanKind.SERVER)
    assert answered == {"span": span.context.span_id}
    assert f"{span.parent.span_id:x}" == "b7ad6b7169203331"
    assert span.attributes["http.route"] == "/users/<int:number>"
    assert span.attributes["http.status_code"] == 200
    assert {"http.server.duration", "http.server.active_requests"} <= telemetry.metrics()


def test_an_error_is_a_span_with_that_status(client, telemetry):
    assert client.get("/broken").status_code == 500
    (span,) = telemetry.spans()
    assert span.attributes["http.status_code"] == 500
    assert span.status.status_code is StatusCode.ERROR


def test_a_path_that_no_route_has_is_a_span_too(client, telemetry):
    assert client.get("/nowhere").status_code == 404
    (span,) = telemetry.spans()
    assert span.attributes["http.status_code"] == 404


def test_a_copied_context_ends_no_span(client, telemetry):
    assert client.get("/copied").text == "/copied"
    (span,) = telemetry.spans()
    assert span.name == "GET /copied"
