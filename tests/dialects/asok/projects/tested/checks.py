"""A project's own tests, as its authors wrote them for Asok: `pytest checks.py`."""

import io
from urllib.parse import urlencode

import pytest
from asok import Form, Request, TestClient, Validator
from asok.testing import TestClient as SameClient
from asok.testing import TestResponse
from wsgi import app


@pytest.fixture
def client():
    return TestClient(app)


def test_the_client_is_where_asok_has_it(client):
    assert SameClient is TestClient
    assert client.app is app
    assert client.cookies == {}


def test_a_page(client):
    response = client.get("/greeting?name=Ada%20L", headers={"X-Own": "1"})
    assert isinstance(response, TestResponse)
    assert (response.status_code, response.status[:6], response.text) == (200, "200 OK", "Hello, Ada L!")
    assert response.body == b"Hello, Ada L!"
    assert "Ada" in response
    assert "Bob" not in response
    assert isinstance(response.headers, dict)
    assert response.headers["X-Own"] == "GET"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert client.get("/nowhere").status_code == 404


def test_a_form_needs_its_token(client):
    assert client.post("/greeting", data={"name": "Ada"}).status_code == 403
    token = client.get("/token").text
    assert client.post("/greeting", data={"name": "Ada Ü", "csrf_token": token}).text == "Posted by Ada Ü"
    headers = {"X-CSRF-Token": client.cookies["asok_csrf"]}
    assert client.post("/greeting", data={"name": "Ada"}, headers=headers).text == "Posted by Ada"


def test_json_and_other_methods(client):
    client.get("/token")
    headers = {"X-CSRF-Token": client.cookies["asok_csrf"]}
    for method in ("put", "patch", "delete"):
        response = getattr(client, method)("/data", json_body={"a": [1, None]}, headers=headers)
        expected = {"method": method.upper(), "data": {"a": [1, None]}, "type": "application/json"}
        assert response.json == expected
    response = client.post("/data", data={"a": "1"}, content_type="text/x-own", headers=headers)
    assert response.json["type"] == "text/x-own"


def test_cookies_are_kept_until_they_are_deleted(client):
    assert [client.get("/count").json["count"] for _ in range(2)] == [1, 2]
    client.get("/token")
    assert "asok_csrf" in client.cookies
    assert client.get("/token?logout=1").text == "gone"
    assert "asok_csrf" not in client.cookies
    client.cookies.clear()
    assert client.get("/count").json == {"count": 1}


def test_any_wsgi_application_may_be_asked():
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=b; Path=/"), ("Set-Cookie", "c=d")])
        return [environ.get("HTTP_COOKIE", "none").encode()]

    client = TestClient(application)
    assert client.get("/").text == "none"
    assert client.get("/").text == "a=b; c=d"
    assert TestResponse("404 Not Found", [("A", "b")], b'{"a": 1}').json == {"a": 1}


def environ_of(method="GET", data=None, **keys):
    body = urlencode(data or {}).encode()
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": "/contact",
        "QUERY_STRING": "q=1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded" if data else "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **keys,
    }


def test_a_request_of_an_environ():
    environ = environ_of("POST", {"name": "Ada"}, HTTP_COOKIE="a=b", HTTP_USER_AGENT="Own/1.0", HTTP_HOST="localhost")
    request = Request(environ)
    assert (request.method, request.path, request.args["q"]) == ("POST", "/contact", "1")
    assert (request.form["name"], request.cookies_dict, request.user_agent) == ("Ada", {"a": "b"}, "Own/1.0")
    assert request.environ is environ
    assert request.params == {}


@pytest.mark.parametrize("environ", [{}, {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, {"wsgi.input": None}])
def test_an_environ_may_have_next_to_nothing(environ):
    request = Request(environ)
    assert (request.method, request.path, dict(request.args), dict(request.form)) == ("GET", "/", {}, {})
    assert request.json_body is None


def test_a_form_of_such_a_request():
    fields = {"name": Form.text("Name", "required|min:2")}
    form = Form(fields, Request(environ_of("POST", {"name": "A"})))
    assert not form.validate(csrf=False)
    assert "name" in form.errors
    assert Form(fields, Request(environ_of("POST", {"name": "Ada"}))).validate(csrf=False)
    assert not Validator({"age": "x"}).rule("age", "integer")


def test_a_session_of_such_a_request():
    request = Request(environ_of(**{"asok.app": app}))
    request.flash("info", "said")
    assert [message.message for message in request.get_flashed_messages()] == ["said"]
