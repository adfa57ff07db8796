"""The application over every interface, in process."""

from typing import Literal

from antiphon.dialects.flask import Flask
from antiphon.testing import Client
from tests.helpers.rows import rows


@rows("interface", ["asgi", "rsgi"])
def test_whitespace_around_a_header_s_value_is_left_out(interface: Literal["asgi", "rsgi"]) -> None:
    """A server of WSGI sends it. It is no part of the value (RFC 9110 §5.5)."""
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "index", lambda: ("", {"X-Policy": "default-src 'self'; "}))
    with Client(app, interface) as client:
        assert client.get("/").headers["x-policy"] == "default-src 'self';"
