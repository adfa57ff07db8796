"""Errors that an application of WSGI raises: a 500 with a body, over every interface, and one traceback in the log. And
those of the disk that the command's output goes to.
"""

import http.client
import signal
import subprocess
import sys
from contextlib import closing, suppress

import pytest

from tests.helpers.ports import free_port
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

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


@pytest.mark.once
@pytest.mark.processes
@rows(
    "arguments", ["routes apps:app", "openapi apps:app", "explain", "docs", "doctor", "new x", "--help", "run --help"]
)
def test_output_that_can_not_be_written_is_told_in_a_line(tmp_path, arguments):
    (tmp_path / "apps.py").write_text("from antiphon import App\n\napp = App()\napp.get('/')(lambda request: '')\n")
    command = [sys.executable, "-m", "antiphon", *arguments.split()]
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert (run.returncode, run.stderr) == (3, "Error: The output can't be written: No space left on device.\n")


@pytest.mark.once
@pytest.mark.processes
def test_a_server_goes_on_although_its_output_can_not_be_written(tmp_path):
    (tmp_path / "plain.py").write_text(PID)
    port = free_port()
    command = [sys.executable, "-m", "antiphon", "run", "--port", str(port), "plain:app"]
    with open("/dev/full", "w") as full, subprocess.Popen(command, cwd=tmp_path, stdout=full, stderr=full) as server:
        try:
            old: set[bytes] = set()
            for _ in range(3):
                old.add(eventually(lambda: worker_at(port, old), "no new worker serves"))
                server.send_signal(signal.SIGUSR2)  # it tells that all workers were replaced
            assert server.poll() is None
        finally:
            server.terminate()
        assert server.wait(60) in (0, 120)  # Python's own, if it can't flush what it has not written


PID = """
import os

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"%d" % os.getpid()]
"""


def worker_at(port, old):
    with suppress(OSError), closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", "/")
        worker = connection.getresponse().read()
        return None if worker in old else worker
    return None
