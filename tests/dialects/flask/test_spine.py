"""The application over WSGI, in process."""

import pytest

from antiphon.dialects.flask import Flask, request
from antiphon.dialects.werkzeug.test import Client


def views() -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.get("/hello/<name>")
    def hello(name: str) -> str:
        return f"Hello, {name}, from {request.path}!"

    @app.get("/async/<name>")
    async def hello_async(name: str) -> str:
        return f"Hello, {name}, from {request.path}!"

    return app


@pytest.mark.parametrize("path", ["/hello/Zoe", "/async/Zoe"])
def test_a_view_answers(path: str) -> None:
    response = Client(views()).get(path)
    assert (response.status, response.text) == ("200 OK", f"Hello, Zoe, from {path}!")
    assert response.mimetype == "text/html"
