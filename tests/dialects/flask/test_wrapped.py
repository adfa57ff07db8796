"""Applications whose `wsgi_app` is wrapped by middleware of WSGI, behind each interface."""

import asyncio

import pytest

from antiphon.dialects.flask import Flask, request
from antiphon.dialects.werkzeug.middleware.proxy_fix import ProxyFix
from antiphon.testing import Client
from tests.adapters.conftest import scope
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


@rows("limit, size, status", [(None, 3, 200), (None, 3_000_000, 200), (5_000_000, 3_000_000, 200), (10, 11, 413)])
def test_a_wrapped_application_reads_bodies(interface, limit, size, status):
    app = Flask("wrapped")
    app.config["MAX_CONTENT_LENGTH"] = limit
    app.wsgi_app = ProxyFix(app.wsgi_app)
    app.add_url_rule("/", "index", lambda: f"{len(request.get_data())} {request.remote_addr}", methods=["POST"])
    with Client(app, interface) as client:
        answer = client.post("/", body=b"x" * size, headers={"x-forwarded-for": "10.1.2.3"})
    assert answer.status == status
    if status == 200:
        assert answer.text == f"{size} 10.1.2.3"


@pytest.mark.parametrize("is_wrapped", [True, False])
def test_a_body_that_was_refused_is_received_to_its_end(is_wrapped):
    """Many clients listen only when they have sent all."""

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    app = Flask("wrapped")
    app.config["MAX_CONTENT_LENGTH"] = 10
    if is_wrapped:
        app.wsgi_app = ProxyFix(app.wsgi_app)
    app.add_url_rule("/", "index", lambda: str(len(request.get_data())), methods=["POST"])
    messages = [{"type": "http.request", "body": b"x" * 100_000, "more_body": left > 0} for left in reversed(range(5))]
    sent = []
    headers = [(b"host", b"localhost"), (b"content-type", b"text/plain"), (b"transfer-encoding", b"chunked")]
    asyncio.run(app(scope("POST", headers=headers), receive, send))
    assert (sent[0]["status"], messages) == (413, [])
