"""What a host does around each request of another framework, over each interface."""

import logging

import pytest

from antiphon import Limits, Request, Response, current_request
from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.embedding import ON_LOOP, ON_THREAD, EnvironHost, Host, is_on_loop, make_environ
from antiphon.http import Conflict
from antiphon.testing import Client
from tests.helpers.as_httptools import as_httptools
from tests.helpers.rows import rows

FORM = {"content-type": "multipart/form-data; boundary=b"}
FILE = b'--b\r\nContent-Disposition: form-data; name=f; filename="a.txt"\r\n\r\noil\r\n--b--\r\n'

pytestmark = pytest.mark.axes("interface")


class Lute(Host):
    request_limits = Limits(body=1000)

    async def respond_to_request(self, request):
        self.request = request
        match request.path:
            case "/current":
                await ON_THREAD
                return Response(str(current_request() is request))
            case "/places":
                await ON_THREAD
                on_thread = is_on_loop()
                await ON_LOOP
                return Response(f"{on_thread} {is_on_loop()}")
            case "/form":
                return Response(request.files["f"].read())
            case "/conflict":
                raise Conflict("Taken.")
        raise ValueError("a secret")


@pytest.fixture
def lute():
    return Lute()


@pytest.fixture
def client(lute, interface):
    return Client(lute, interface)


def test_the_request_is_the_current_one(client):
    assert client.get("/current").text == "True"


def test_steps_change_between_a_thread_and_the_loop(client):
    assert client.get("/places").text == "False True"


def test_the_body_is_whole_and_its_files_are_freed_at_the_end(client, lute):
    assert client.post("/form", headers=FORM, body=FILE).text == "oil"
    assert lute.request.content.is_complete
    assert lute.request.content.failure is None


@rows(
    "path, headers, body, status",
    pytest.param("/form", FORM, bytes(1001), 413, id="too large"),
    pytest.param("/form", FORM, b"--b\r\n", 400, id="cut off"),
    pytest.param("/form", FORM | {"content-encoding": "none"}, FILE, 415, id="in an unknown coding"),
    pytest.param("/conflict", {}, b"", 409, id="an HTTP error"),
    pytest.param("/current", {"host": "a@b"}, b"", 400, id="a malformed host"),
)
def test_what_is_wrong_is_answered_by_its_status(client, path, headers, body, status):
    assert client.request("POST" if body else "GET", path, headers=headers, body=body).status == status


def test_an_error_is_logged_and_told_to_nobody(client, caplog):
    with caplog.at_level(logging.ERROR):
        response = client.get("/")
    assert (response.status, "secret" in response.text) == (500, False)
    assert "a secret" in caplog.text


class Raising(Lute):
    propagates_errors = True


def test_an_error_is_raised_where_a_test_is_to_see_it(interface):
    with pytest.raises(ValueError, match="a secret"):
        Client(Raising(), interface).get("/")


class Shawm(EnvironHost):
    def respond_to_environ(self, environ, start_response):
        start_response("200 OK", [("content-type", "text/plain")])
        return [environ.get("HTTP_CONTENT_ENCODING", "").encode(), environ["wsgi.input"].read()]


class Bounded(Shawm):
    request_limits = Limits(body=1000, query=500)


@rows(
    "options, status",
    pytest.param({"body": bytes(1000)}, 200, id="the longest body"),
    pytest.param({"body": bytes(1001)}, 413, id="a longer one"),
    pytest.param({"chunks": [bytes(600)] * 2}, 413, id="a longer one in chunks"),
    pytest.param({"chunks": [bytes(20_000)] * 10}, 413, id="a long one in chunks"),
    pytest.param({"query": "a" * 500}, 200, id="the longest query"),
    pytest.param({"query": "a" * 501}, 414, id="a longer query"),
)
def test_an_environ_is_within_the_limits(options, status, interface):
    options = dict(options)
    if "chunks" in options:
        options["body"] = iter(options.pop("chunks"))
    target = f"/?{options.pop('query', '')}"
    assert Client(Bounded(), interface).request("POST", target, **options).status == status


@rows("kind", [Lute, Bounded, BridgedApplication])
def test_a_header_section_is_within_the_limit_where_the_server_has_none(kind):
    application = BridgedApplication(Shawm()) if kind is BridgedApplication else kind()
    client = Client(as_httptools(application), "asgi")
    assert client.get("/current", headers={"x": "a" * 60_000}).status == 200
    assert client.get("/current", headers={"x": "a" * 70_000}).status == 431


def test_a_refused_environ_never_reaches_the_application(interface):
    called = []

    class Noting(Bounded):
        def respond_to_environ(self, environ, start_response):
            called.append(environ)
            return super().respond_to_environ(environ, start_response)

    client = Client(Noting(), interface)
    assert client.post("/", body=bytes(1001)).status == 413
    for headers in ([("host", "a"), ("host", "b")], [("host", "")], [("host", "a@b")]):
        assert client.get("/", headers=headers).status == 400
    assert not called


def test_an_environ_has_the_body_as_it_was_sent(interface):
    response = Client(Shawm(), interface).post("/", headers={"content-encoding": "gzip"}, body=b"not gzip")
    assert response.text == "gzipnot gzip"


@rows("size", [1000, 100_000])
@rows("first, second", [("form", "input"), ("body", "input"), ("input", "input"), ("of", "input")])
def test_what_the_request_has_read_can_be_read_from_the_environ(first, second, size, interface):
    class Both(EnvironHost):
        def respond_to_environ(self, environ, start_response):
            lengths = {
                "form": lambda: len(current_request().form["a"]) + 2,
                "body": lambda: len(current_request().body),
                "of": lambda: len(Request.from_framework(environ).body),
                "input": lambda: len(environ["wsgi.input"].read(600)) + len(environ["wsgi.input"].read()),
            }
            found = [lengths[first](), lengths[second]()]
            start_response("200 OK", [])
            return [repr(found).encode()]

    once = first == second
    assert Client(Both(), interface).post("/", form={"a": "x" * size}).json == [size + 2, 0 if once else size + 2]


@rows("way", ["form", "of"])
def test_a_large_body_that_was_read_from_the_environ_is_gone(way, interface, caplog):
    class Late(EnvironHost):
        def respond_to_environ(self, environ, start_response):
            environ["wsgi.input"].read()
            return (current_request() if way == "form" else Request.from_framework(environ)).form

    assert Client(Late(), interface).post("/", form={"a": "x" * 100_000}).status == 500
    assert "read the whole body before" in caplog.text


@rows("base, name", [(Host, "_handle"), (Host, "_respond"), (EnvironHost, "_respond_on_loop")])
def test_is_refused_if_it_replaces_a_method_that_hosts_have_for_themselves(base, name):
    with pytest.raises(TypeError, match=rf"Fiddle defines {name}, which \w+ reserves: rename it"):
        type("Fiddle", (base,), {name: lambda self: None, "__module__": "fiddle"})


def test_has_other_names_with_an_underscore_for_itself():
    assert type("Fiddle", (Host,), {"_strings": 4, "__module__": "fiddle"})()._strings == 4


def test_a_wsgi_server_sends_the_reason_phrase_of_the_application(app):
    lines = []

    class Odd(EnvironHost):
        def respond_to_environ(self, environ, start_response):
            start_response(environ["PATH_INFO"][1:], [])
            return []

    app.mount("/inner", Odd())

    @app.after_request
    def change(request, response):
        if request.args:
            response.status = 298

    for application, target, line in (
        (Odd(), "/299 Odd", "299 Odd"),
        (Odd(), "/299 O\x01d", "299 Success"),
        (Odd(), "/200 Fine", "200 Fine"),
        (app, "/inner/299 Odd", "299 Odd"),
        (app, "/inner/299 Odd?changed=yes", "298 Success"),
    ):
        path, _, query = target.partition("?")
        environ = make_environ(Request.blank("http://a/"))
        environ |= {"PATH_INFO": path, "QUERY_STRING": query}
        application(environ, lambda status, headers: lines.append(status)).close()
        assert lines.pop() == line


@rows("broken", ["an error", "no status", "a malformed status", "no body"])
def test_what_an_environ_host_gets_wrong_is_a_500(broken, interface):
    class Broken(EnvironHost):
        def respond_to_environ(self, environ, start_response):
            if broken == "an error":
                raise ValueError("a secret")
            if broken != "no status":
                start_response("fine" if broken == "a malformed status" else "200 OK", [])
            return None if broken == "no body" else [b"body"]

    assert Client(Broken(), interface).get("/").status == 500
    with pytest.raises((ValueError, RuntimeError, TypeError)):
        Client(Broken(), interface, raise_errors=True).get("/")
