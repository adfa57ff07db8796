"""The application over every interface, in process."""

from typing import Literal

import pytest

from antiphon.dialects.flask import Flask, request
from antiphon.testing import Client


def views() -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.get("/hello/<name>")
    def hello(name: str) -> str:
        return f"Hello, {name}, from {request.path}!"

    @app.get("/async/<name>")
    async def hello_async(name: str) -> str:
        return f"Hello, {name}, from {request.path}!"

    return app


@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
def test_views_answer(interface: Literal["wsgi", "asgi", "rsgi"]) -> None:
    with Client(views(), interface) as client:
        for path in ("/hello/Zoe", "/async/Zoe"):
            response = client.get(path)
            assert (response.status, response.text) == (200, f"Hello, Zoe, from {path}!")
            assert response.headers["content-type"] == "text/html; charset=utf-8"
