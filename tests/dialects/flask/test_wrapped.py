"""Applications whose `wsgi_app` is wrapped by middleware of WSGI, behind each interface."""

import pytest

from antiphon.dialects.flask import Flask, request
from antiphon.dialects.werkzeug.middleware.proxy_fix import ProxyFix
from antiphon.testing import Client

pytestmark = pytest.mark.axes("interface")


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def interface(request):
    return request.param


@pytest.mark.parametrize(
    ("limit", "size", "status"), [(None, 3, 200), (None, 3_000_000, 200), (5_000_000, 3_000_000, 200), (10, 11, 413)]
)
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
