"""What a view returns, and changes of it: the rows of the table, word for word."""

import pytest

from antiphon.dialects.flask import (
    Flask,
    Response,
    after_this_request,
    has_request_context,
    jsonify,
    make_response,
    redirect,
    request,
    stream_with_context,
)
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def make_app():
    app = Flask(__name__)
    app.testing = True
    return app


@pytest.fixture
def app():
    return make_app()


def answer_of(app, made):
    app.add_url_rule("/", view_func=made, endpoint="index")
    return app.test_client().get("/")


@pytest.mark.feature("flask-046", "flask-049", "flask-050", "flask-051", "flask-052", "flask-053")
@rows(
    "made, status, mimetype, fields, body",
    [
        (lambda: "Hello, ü!", 200, "text/html", {}, "Hello, ü!"),
        (lambda: Response("own", 203, {"X-A": "b"}), 203, "text/html", {"X-A": "b"}, "own"),
        (lambda: Response("plain", mimetype="text/plain"), 200, "text/plain", {}, "plain"),
        (lambda: ("Resource created", 201), 201, "text/html", {}, "Resource created"),
        (lambda: ("OK", 200, {"X-Custom": "value"}), 200, "text/html", {"X-Custom": "value"}, "OK"),
        (lambda: ("OK", {"Location": "/a"}), 200, "text/html", {"Location": "/a"}, "OK"),
        (lambda: (jsonify(a=1), 404), 404, "application/json", {}, '{"a":1}\n'),
    ],
)
def test_what_a_view_returns(made, status, mimetype, fields, body):
    app = make_app()
    response = answer_of(app, made)
    assert (response.status_code, response.mimetype, response.text) == (status, mimetype, body)
    assert {name: response.headers[name] for name in fields} == fields


def changed(change):
    response = Response("x")
    change(response)
    return response


@pytest.mark.feature("flask-055", "flask-056", "flask-057", "flask-058", "flask-059")
@rows(
    "change, read, expected",
    [
        (lambda it: setattr(it, "status_code", 404), lambda it: (it.status, it.status_code), ("404 NOT FOUND", 404)),
        (lambda it: setattr(it, "status", "201 MADE"), lambda it: (it.status, it.status_code), ("201 MADE", 201)),
        (lambda it: it.headers.__setitem__("x-custom", "b"), lambda it: it.headers["X-Custom"], "b"),
        (
            lambda it: it.headers.__setitem__("Content-Type", "application/json"),
            lambda it: (it.mimetype, it.headers.getlist("content-type")),
            ("application/json", ["application/json"]),
        ),
        (
            lambda it: setattr(it, "mimetype", "text/plain"),
            lambda it: it.headers["Content-Type"],
            "text/plain; charset=utf-8",
        ),
        (lambda it: None, lambda it: it.content_type, "text/html; charset=utf-8"),
    ],
)
def test_a_response_is_changed(change, read, expected):
    app = make_app()
    assert read(changed(change)) == expected
    assert read(answer_of(app, lambda: changed(change))) == expected


@pytest.mark.feature("flask-060", "flask-061", "flask-062", "flask-063", "flask-064", "flask-065")
@rows(
    "named, expected",
    [
        ({}, "session_id=abc123; Path=/"),
        ({"secure": True}, "session_id=abc123; Secure; Path=/"),
        ({"httponly": True}, "session_id=abc123; HttpOnly; Path=/"),
        ({"samesite": "Lax"}, "session_id=abc123; Path=/; SameSite=Lax"),
        (
            {"secure": True, "httponly": True, "samesite": "Strict"},
            "session_id=abc123; Secure; HttpOnly; Path=/; SameSite=Strict",
        ),
    ],
)
def test_cookies(named, expected):
    app = make_app()

    def view():
        response = make_response(redirect("/dashboard"))
        response.set_cookie("session_id", "abc123", **named)
        return response

    response = answer_of(app, view)
    assert (response.status_code, response.headers.getlist("Set-Cookie")) == (302, [expected])


@pytest.mark.feature("flask-061", "flask-065")
def test_cookies_that_end(app):
    def view():
        response = make_response("")
        response.set_cookie("a", "1", max_age=3600)
        response.delete_cookie("b")
        return response

    kept, deleted = answer_of(app, view).headers.getlist("Set-Cookie")
    assert "Max-Age=3600" in kept
    assert deleted == "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/"


def pieces(response):
    """The pieces as they were sent, each taken before the next is made."""
    return [bytes(piece) for piece in response.iter_encoded()]


@pytest.mark.feature("flask-074", "flask-075")
def test_a_generator_is_sent_piece_by_piece(app):
    made = []

    def events():
        for number in range(3):
            made.append(number)
            yield f"data: {number}\n\n"

    app.add_url_rule("/", view_func=lambda: Response(events(), mimetype="text/event-stream"), endpoint="events")
    response = app.test_client().get("/", buffered=False)
    sent = iter(response.response)
    assert (next(sent), made) == (b"data: 0\n\n", [0])
    assert b"".join(sent) == b"data: 1\n\ndata: 2\n\n"
    assert (response.mimetype, "Content-Length" in response.headers) == ("text/event-stream", False)


@pytest.mark.feature("flask-076", "flask-092")
@rows(
    "wrap, expected",
    [(stream_with_context, "True /?name=World"), (lambda generator: generator, "False ")],
    ids=["with the context", "without"],
)
def test_the_request_in_a_generator(wrap, expected):
    app = make_app()

    def parts():
        yield f"{has_request_context()} "
        if has_request_context():
            yield request.full_path

    app.add_url_rule("/", view_func=lambda: Response(wrap(parts())), endpoint="index")
    assert app.test_client().get("/?name=World").text == expected


@pytest.mark.feature("flask-086", "flask-087")
def test_responses_are_changed_after_the_view(app):
    @app.after_request
    def add_header(response):
        response.headers["X-Custom-Header"] = "value"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.route("/special")
    def special():
        @after_this_request
        def add_special_header(response):
            response.headers["X-Special"] = "true"
            return response

        return "Special page"

    app.add_url_rule("/", view_func=lambda: "plain", endpoint="plain")
    client = app.test_client()
    for path, is_special in (("/special", True), ("/", False), ("/nowhere", False)):
        headers = client.get(path).headers
        assert (headers["X-Custom-Header"], headers["Cache-Control"]) == ("value", "no-store")
        assert ("X-Special" in headers) is is_special
