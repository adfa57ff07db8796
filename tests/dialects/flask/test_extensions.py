"""Habits of Flask that extensions rely on, each found by running an extension's own tests."""

import sys
from abc import ABC
from inspect import iscoroutinefunction

import pytest

from antiphon.cli.target import Target
from antiphon.dialects.flask import Flask, Response, request, stream_with_context
from antiphon.dialects.werkzeug import serving
from antiphon.dialects.werkzeug.test import create_environ
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


class Closing:
    """An iterator that is no generator, and notes that it is closed."""

    def __init__(self, values):
        self.values = iter(values)
        self.closed_in = []

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.values)

    def close(self):
        self.closed_in.append(request.path)


def test_an_iterator_is_closed_at_its_end_in_the_context_of_the_request():
    app = Flask(__name__)
    iterator = Closing("ab")

    @app.get("/stream")
    def stream():
        return Response(stream_with_context(iterator))

    with app.request_context(create_environ("/stream")):
        assert list(app.make_response(stream()).response) == ["a", "b"]
    assert iterator.closed_in == ["/stream"]


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows(
    "place",
    ["on the class", "in a subclass", "in an abstract subclass", "in a mixin", "on the class of an application"],
)
def test_a_call_that_is_replaced_by_one_for_wsgi_is_asked_over_each_interface(place, interface, monkeypatch):
    original = Flask.__call__

    def instrumented(self, environ, start_response):
        environ["trace"] = "7"
        return original(self, environ, start_response)

    match place:
        case "on the class":
            monkeypatch.setattr(Flask, "__call__", instrumented)
            app = Flask(__name__)
        case "in a subclass":
            app = type("Traced", (Flask,), {"__call__": instrumented})(__name__)
        case "in a mixin":
            app = type("Traced", (type("Mixin", (), {"__call__": instrumented}), Flask), {})(__name__)
        case "on the class of an application":
            app = Flask(__name__)
            monkeypatch.setattr(Flask, "__call__", instrumented)
            monkeypatch.setattr(sys.modules[__name__], "made_before", app, raising=False)
            assert Target(__name__, "made_before").load(None) is app
        case _:

            class Traced(Flask, ABC):
                __call__ = instrumented

            app = Traced(__name__)
    app.add_url_rule("/", view_func=lambda: request.environ["trace"])
    assert iscoroutinefunction(app.__call__)  # by which servers of ASGI recognize it
    with Client(app, interface) as client:
        assert client.get("/").text == "7"
    monkeypatch.undo()
    assert Flask.__call__ is original


def test_a_server_that_a_program_puts_in_place_of_run_simple_is_used(monkeypatch):
    calls = []
    monkeypatch.setattr(serving, "run_simple", lambda *args, **options: calls.append((args, options["use_reloader"])))
    app = Flask(__name__)
    app.run(port=5001, debug=True, load_dotenv=False)
    assert calls == [(("127.0.0.1", 5001, app), True)]


@rows("interface", ["asgi", "rsgi"])
def test_whitespace_around_a_header_s_value_is_left_out(interface):
    """A server of WSGI sends it. It is no part of the value (RFC 9110 §5.5)."""
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "index", lambda: ("", {"X-Policy": "default-src 'self'; "}))
    with Client(app, interface) as client:
        assert client.get("/").headers["x-policy"] == "default-src 'self';"
