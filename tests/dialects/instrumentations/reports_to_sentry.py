"""Sentry's integration with Flask, as its users set it up: `python -m tests.dialects.compat sentry-sdk` runs this."""

import flask
import pytest
import sentry_sdk
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.transport import Transport


class Sent(Transport):
    """What would be sent to Sentry."""

    def __init__(self):
        super().__init__()
        self.items = []

    def capture_envelope(self, envelope):
        self.items += [item.payload.json for item in envelope.items]


@pytest.fixture
def sent():
    transport = Sent()
    sentry_sdk.init(
        dsn="https://key@sentry.invalid/1",
        integrations=[FlaskIntegration()],
        traces_sample_rate=1.0,
        send_default_pii=True,
        transport=transport,
    )
    yield transport.items
    sentry_sdk.get_client().close()


@pytest.fixture
def client():
    app = flask.Flask(__name__)

    @app.get("/users/<int:number>")
    def show_user(number):
        return flask.render_template_string("{{ sentry_trace_meta }}")

    @app.post("/orders")
    def order():
        raise LookupError(f"no {flask.request.json['thing']}")

    @app.get("/stream")
    def stream():
        return iter(["a", "b"])

    return app.test_client()


def of_type(sent, kind):
    return [item for item in sent if item.get("type", "event") == kind]


def test_a_request_is_a_transaction_named_by_its_endpoint(sent, client):
    response = client.get("/users/7?a=b", headers={"X-Own": "yes"})
    assert 'name="sentry-trace"' in response.text
    (transaction,) = of_type(sent, "transaction")
    assert transaction["transaction"] == "show_user"
    assert transaction["transaction_info"] == {"source": "component"}
    assert transaction["contexts"]["trace"]["op"] == "http.server"
    assert transaction["contexts"]["trace"]["status"] == "ok"
    assert transaction["request"]["url"] == "http://localhost/users/7"
    assert transaction["request"]["query_string"] == "a=b"
    assert transaction["request"]["headers"]["X-Own"] == "yes"


def test_an_error_is_an_event_with_the_request_and_its_json(sent, client):
    assert client.post("/orders", json={"thing": "lute"}).status_code == 500
    (event,) = of_type(sent, "event")
    (raised,) = event["exception"]["values"]
    assert (raised["type"], raised["value"]) == ("LookupError", "no lute")
    assert raised["mechanism"] == {"type": "flask", "handled": False}
    assert event["transaction"] == "order"
    assert event["request"]["method"] == "POST"
    assert event["request"]["data"] == {"thing": "lute"}
    (transaction,) = of_type(sent, "transaction")
    assert transaction["contexts"]["trace"]["status"] == "internal_error"
    assert transaction["contexts"]["trace"]["trace_id"] == event["contexts"]["trace"]["trace_id"]


def test_a_message_inside_of_a_stream_is_of_its_request(sent, client):
    assert client.get("/stream").text == "ab"
    (transaction,) = of_type(sent, "transaction")
    assert transaction["transaction"] == "stream"
