"""Middleware of settings.py: what is called around a view, in which order, and what it may answer."""

import pytest

from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.utils import url_for
from antiphon.dialects.werkzeug.test import Client
from antiphon.dialects.werkzeug.utils import ImportStringError
from tests.helpers.rows import rows


def client_of(view, *classes):
    """A client of an application whose one view is at a number below the root."""
    return Client(KayApp({"MIDDLEWARE_CLASSES": classes}, [ViewGroup(Rule("/<int:number>", endpoint="x", view=view))]))


def noting(name, called):
    """A class of middleware that notes what is called."""

    class Noting:
        def process_request(self, request):
            called.append((name, "request", request.path))

        def process_view(self, request, view, **values):
            called.append((name, "view", values))

        def process_exception(self, request, exception):
            called.append((name, "exception", str(exception)))

        def process_response(self, request, response):
            called.append((name, "response", response.status_code))
            return response

    return Noting


@rows("method", ["process_request", "process_view"])
def test_answers_in_the_place_of_a_view(method):
    called = []
    answering = type("Answering", (), {method: lambda *_, **__: Response("closed", 503)})
    answer = client_of(lambda *_, **__: Response("open"), noting("outer", called), answering).get("/7")
    assert (answer.text, answer.status_code, called[-1]) == ("closed", 503, ("outer", "response", 503))


def test_answers_what_a_view_raises():
    called = []

    class Apologizing:
        def process_exception(self, request, exception):
            return Response(f"{type(exception).__name__} at {url_for('x', number=1)}", 500)

    def broken(request, number):
        return Response(str(1 // (number - 7)))

    answer = client_of(broken, Apologizing, noting("inner", called)).get("/7")
    assert (answer.text, answer.status_code) == ("ZeroDivisionError at /1", 500)
    assert [each[:2] for each in called] == [
        ("inner", "request"), ("inner", "view"), ("inner", "exception"), ("inner", "response")
    ]  # fmt: skip
    with pytest.raises(ZeroDivisionError):
        client_of(broken, noting("inner", called)).get("/7")


def test_is_one_object_for_an_application_made_of_its_class_or_its_name():
    class Counting:
        count = 0

        def process_request(self, request):
            self.count += 1
            return Response(str(self.count))

    client = client_of(None, Counting)
    assert [client.get("/1").text, client.get("/1").text] == ["1", "2"]
    with pytest.raises(ImportStringError):
        client_of(None, "no.such.Middleware")


def test_what_answers_has_to_be_a_response():
    with pytest.raises(TypeError, match="a response or a WSGI application"):
        client_of(None, type("Wrong", (), {"process_request": lambda *_: "text"})).get("/1")
    with pytest.raises(TypeError, match="a response or a WSGI application"):
        client_of(lambda *_, **__: Response("x"), type("Forgetful", (), {"process_response": lambda *_: None})).get(
            "/1"
        )
