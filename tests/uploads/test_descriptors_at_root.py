"""Requests and responses are values: they can be copied and pickled."""

import pickle
from copy import copy, deepcopy

import pytest

from antiphon import App, Limits, Request, Response
from antiphon.adapters.wsgi import WSGIHead
from antiphon.http1 import format_request, format_response
from antiphon.request.route import NO_ROUTE
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def pickled(value):
    return pickle.loads(pickle.dumps(value))


everyway = pytest.mark.parametrize("again", [copy, deepcopy, pickled])


def values(request):
    head = request.head
    connection = request.scheme, head.authority, request.root_path, request.path, request.client, request.http_version
    return connection, request.raw_path, request.headers.items(), request.body


@everyway
def test_a_request_comes_back_with_its_values(again):
    request = Request.blank("https://example.com/a%20b?q=%20", "PUT", [("x-a", "1"), ("x-a", "2")], b"\0body")
    request.limits = Limits(fields=7)
    other = again(request)
    assert values(other) == values(request)
    assert format_request(other) == format_request(request)
    assert other.limits == request.limits


@everyway
def test_a_request_of_a_server_comes_back_without_the_server(again):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/x", "SERVER_NAME": "a", "SERVER_PORT": "80", "HTTP_X_A": "1",
        "wsgi.url_scheme": "http", "wsgi.input": None, "a lambda": lambda: None,
    }  # fmt: skip
    request = Request(WSGIHead(environ))
    assert values(again(request)) == values(request)


@rows("interface", ["wsgi", "asgi", "rsgi"])
@everyway
def test_a_handler_may_keep_its_request(interface, again):
    kept = []
    app = App()

    @app.get("/<name>")
    def keep(request):
        request.after_response(lambda: None)
        kept.append(again(request))
        return "kept"

    assert Client(app, interface=interface).get("/x?y").status == 200
    (request,) = kept
    assert (request.path, request.query_string, request.body) == ("/x", b"y", b"")
    assert (request.route, request._deferred, dict(request.path_params)) == (NO_ROUTE, (), {})


@everyway
@rows(
    "response",
    Response("text"),
    Response(b"\0", 404, [("set-cookie", "a=b"), ("set-cookie", "c=d")]),
    Response(None, 204),
    Response.json({"a": 1}),
)
def test_a_response_comes_back_with_its_values(again, response):
    other = again(response)
    assert format_response(other) == format_response(response)


@everyway
def test_what_a_copied_response_is_given_the_first_has_not(again):
    response = Response("x", 200, {"x-a": "1"})
    other = again(response)
    other.headers["x-b"] = "2"
    assert "x-b" not in response.headers


@rows("again", [deepcopy, pickled])
def test_the_error_behind_a_response_is_not_part_of_it(again):
    response = Response("x")
    response.error = LookupError(lambda: "no value")
    assert again(response).error is None


@rows("again", [deepcopy, pickled])
@rows("body", [iter(["a"]), ["a"]], ids=["iterator", "list"])
def test_a_streamed_response_is_no_value(again, body):
    with pytest.raises(TypeError, match="streamed"):
        again(Response.stream(body))


def test_a_copy_of_a_streamed_response_has_the_same_stream():
    response = Response.stream(["a"])
    assert copy(response).body is response.body


class Page(Response):
    __slots__ = ("__dict__", "template", "unset")


@everyway
def test_it_comes_back_with_what_a_class_of_ones_own_keeps(again):
    page = Page("x")
    page.template, page.other = "page.html", 5
    other = again(page)
    assert (type(other), other.template, other.other, hasattr(other, "unset")) == (Page, "page.html", 5, False)
