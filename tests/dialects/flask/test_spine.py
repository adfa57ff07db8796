"""The application over every interface, in process."""

from typing import Literal

from antiphon.dialects.flask import Flask, request
from antiphon.testing import Client
from tests.helpers.rows import rows


def views() -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.get("/hello/<name>")
    def hello(name: str) -> str:
        return f"Hello, {name}, from {request.path}!"

    @app.get("/async/<name>")
    async def hello_async(name: str) -> str:
        return f"Hello, {name}, from {request.path}!"

    return app


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_views_answer(interface: Literal["wsgi", "asgi", "rsgi"]) -> None:
    with Client(views(), interface) as client:
        for path in ("/hello/Zoe", "/async/Zoe"):
            response = client.get(path)
            assert (response.status, response.text) == (200, f"Hello, Zoe, from {path}!")
            assert response.headers["content-type"] == "text/html; charset=utf-8"


@rows("interface", ["asgi", "rsgi"])
def test_whitespace_around_a_header_s_value_is_left_out(interface: Literal["asgi", "rsgi"]) -> None:
    """A server of WSGI sends it. It is no part of the value (RFC 9110 §5.5)."""
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "index", lambda: ("", {"X-Policy": "default-src 'self'; "}))
    with Client(app, interface) as client:
        assert client.get("/").headers["x-policy"] == "default-src 'self';"
