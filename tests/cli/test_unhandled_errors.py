"""Errors that an application of WSGI raises: a 500 with a body, over every interface, and one traceback in the log."""

import http.client
from contextlib import closing

import pytest

PLAIN = """
def app(environ, start_response):
    if environ["PATH_INFO"] == "/late":
        start_response("200 OK", [("X-Lost", "1")])
    if environ["PATH_INFO"] != "/":
        raise LookupError("lost")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
PYRAMID = """
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response

def view(request):
    if request.path != "/":
        raise LookupError("lost")
    return Response("ok")

config = Configurator()
config.add_route("all", "/*rest")
config.add_view(view, route_name="all")
app = config.make_wsgi_app()
"""


@pytest.mark.processes
@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
@pytest.mark.parametrize("program", [PLAIN, PYRAMID], ids=["plain", "pyramid"])
def test_an_unhandled_error_is_a_500_with_a_body_and_a_type(antiphon, tmp_path, program, interface):
    (tmp_path / "failing.py").write_text(program)
    command = antiphon("failing:app", "--interface", interface).serving()
    paths = ("/fail", "/late", "/")
    with closing(http.client.HTTPConnection("localhost")) as connection:
        connection.sock = command.connect()
        for path in paths:
            connection.request("GET", path, headers={"accept": "text/html"})
            response = connection.getresponse()
            body = response.read()
            if path == "/":
                assert (response.status, body) == (200, b"ok")
                continue
            assert (response.status, response.getheader("content-type")) == (500, "text/html; charset=utf-8")
            assert b"500 Internal Server Error" in body
            assert b"lost" not in body
            assert response.getheader("x-lost") is None
    command.wait_until(lambda: command.err.count("LookupError: lost") == 2)
