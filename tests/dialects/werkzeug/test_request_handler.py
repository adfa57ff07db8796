"""Request handlers and servers of a program's own, as Werkzeug's development server takes them."""

import threading
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
import werkzeug.serving

from antiphon.dialects.werkzeug import serving
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE


def application(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise ZeroDivisionError("on purpose")
    if environ["PATH_INFO"] == "/late":
        start_response("200 OK", [])
        raise ZeroDivisionError("on purpose")
    if environ["PATH_INFO"] == "/lazy":
        return lazy(start_response)
    start_response("200 OK", [("Server", "own")] if environ["PATH_INFO"] == "/named" else [])
    return [repr(environ.get("own")).encode()]


def lazy(start_response):
    start_response("202 Accepted", [])
    yield b"lazy"


@contextmanager
def served(server):
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(DEADLINE)
        assert not thread.is_alive()


@contextmanager
def made(library, handler=None, threaded=True):
    with served(library.make_server("127.0.0.1", 0, application, threaded, request_handler=handler)) as server:
        yield server


def ask(server, path="/", headers=()):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    try:
        connection.putrequest("GET", path)
        for field in headers:
            connection.putheader(*field)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers
    finally:
        connection.close()


LIBRARIES = rows("library", [serving, werkzeug.serving], ids=["dialect", "original"])


@LIBRARIES
@rows("threaded", [True, False])
def test_a_request_handler_makes_the_environ_of_all_fields(library, threaded):
    class Handler(library.WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def make_environ(self):
            environ = super().make_environ()
            fields = {name.lower(): value for name, value in self.headers.items() if "_" in name}
            known = self.server.app is application, self.client_address[0], self.command, self.path
            environ["own"] = fields, known, environ["SERVER_SOFTWARE"], "HTTP_X_A" in environ
            return environ

    with made(library, Handler, threaded) as server:
        status, body, _ = ask(server, "/a%20b?c", [("X_A", "1"), ("X-B", "2")])
    own = {"x_a": "1"}, (True, "127.0.0.1", "GET", "/a%20b?c"), "Werkzeug/3.1.9", False
    assert (status, body) == (200, repr(own))


@LIBRARIES
@rows("path, status", [("/a%00?c", 200), ("/fail", 500), ("/late", 500), ("/lazy", 202)])
def test_each_request_is_logged_once_by_methods_that_may_be_overridden(library, path, status):
    lines = []

    class Handler(library.WSGIRequestHandler):
        def log_request(self, code="-", size="-"):
            lines.append((self.requestline, str(code), size))
            super().log_request(code, size)

        def log(self, type, message, *args):
            lines.append((type, self.address_string(), str(code) if (code := args[1]) else None))

    with made(library, Handler) as server:
        assert ask(server, path)[0] == status
    assert lines == [(f"GET {path} HTTP/1.1", str(status), "-"), ("info", "127.0.0.1", str(status))]


@LIBRARIES
def test_a_request_handler_says_the_name_of_the_server(library):
    class Handler(library.WSGIRequestHandler):
        server_version = "Mine/1"
        sys_version = ""

    with made(library, Handler) as server:
        assert ask(server)[2]["Server"].strip() == "Mine/1"


@rows("threaded", [True, False])
def test_what_a_request_handler_raises_is_handed_to_the_server(threaded):
    errors = []

    class Handler(serving.WSGIRequestHandler):
        def make_environ(self):
            raise ZeroDivisionError

    class Server(serving.ThreadedWSGIServer if threaded else serving.BaseWSGIServer):
        def handle_error(self, request, client_address):
            errors.append(client_address[0])

    with served(Server("127.0.0.1", 0, application, Handler)) as server:
        assert ask(server)[0] == 500
        assert ask(server)[0] == 500
    assert errors == ["127.0.0.1"] * 2


def test_a_subclass_that_fails_to_bind_keeps_no_socket():
    sockets = []

    class Server(serving.BaseWSGIServer):
        def server_bind(self):
            sockets.append(self.socket)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Server("127.0.0.1", 0, application)
    assert sockets[0].fileno() == -1


@rows(
    "base, overrides, reason",
    (serving.WSGIRequestHandler, {"handle": None}, "Own.handle has no effect.+WSGI middleware"),
    (serving.WSGIRequestHandler, {"send_header": None}, "Own.send_header has no effect.+WSGI middleware"),
    (serving.WSGIRequestHandler, {"do_GET": None}, "Own.do_GET has no effect.+WSGI middleware"),
    (serving.WSGIRequestHandler, {"connection_dropped": None}, "give the response's body a close"),
    (serving.WSGIRequestHandler, {"timeout": 5}, "its own timeouts"),
    (serving.WSGIRequestHandler, {"protocol_version": "HTTP/1.0"}, "'HTTP/1.0'.+remove it"),
    (serving.WSGIRequestHandler, {"send_error": None}, "Own.send_error has no effect.+WSGI middleware"),
    (serving.WSGIRequestHandler, {"run_wsgi": None}, "Own.run_wsgi has no effect.+WSGI middleware"),
    (serving.BaseWSGIServer, {"verify_request": None}, "Own.verify_request has no effect.+WSGI middleware"),
    (serving.ThreadedWSGIServer, {"service_actions": None}, "your own thread"),
    ids=lambda value: str(value)[:30],
)
def test_what_can_not_be_honoured_is_a_warning_for_a_class_and_refused_when_it_serves(base, overrides, reason):
    with pytest.warns(RuntimeWarning, match=reason) as warned:
        own = type("Own", (base,), overrides)
    assert warned[0].filename == __file__
    handler, server = (own, serving.BaseWSGIServer) if base is serving.WSGIRequestHandler else (None, own)
    with pytest.raises(NotImplementedError, match=reason):
        server("127.0.0.1", 0, application, handler)


def test_one_request_is_not_served_alone():
    server = serving.make_server("127.0.0.1", 0, application)
    with server, pytest.raises(NotImplementedError, match="serve_forever"):
        server.handle_request()
