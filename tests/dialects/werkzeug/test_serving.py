"""The development server: an application over a socket, in this process and as a program that starts again."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler

import pytest

from antiphon.dialects.werkzeug import serving
from antiphon.dialects.werkzeug.exceptions import ClientDisconnected
from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.helpers.rows import rows


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['PATH_INFO']} {environ['QUERY_STRING']} {environ['wsgi.multithread']}".encode()]


def get(port, path="/"):
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@pytest.fixture
def serve():
    """Serves an application on a thread. Gives the server."""
    running = []

    def start(app=application, **options):
        server = serving.make_server("127.0.0.1", 0, app, **options)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join(5)
        assert not thread.is_alive()
        assert server.fileno() == -1


@rows("threaded, most", [(False, 1), (True, 3)])
def test_requests_are_answered_one_by_one_unless_there_are_threads(serve, threaded, most):
    present, seen = [], []
    together = threading.Barrier(most)

    def slow(environ, start_response):
        present.append(1)
        together.wait(5)
        seen.append(len(present))
        present.pop()
        return application(environ, start_response)

    server = serve(slow, threaded=threaded)
    clients = [threading.Thread(target=get, args=(server.port,)) for _ in range(3)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(10)
    assert len(seen) == 3
    assert max(seen) == most


def test_the_environ_tells_of_the_server_the_client_and_the_target_as_sent(serve):
    seen = {}

    def keep(environ, start_response):
        seen.update(environ)
        return application(environ, start_response)

    server = serve(keep)
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/a%2Fb?c=%20", headers={"Host": "elsewhere"})
    client = connection.sock.getsockname()
    connection.getresponse().read()
    connection.close()
    assert {key: seen[key] for key in ("REQUEST_URI", "RAW_URI")} == dict.fromkeys(
        ("REQUEST_URI", "RAW_URI"), "/a%2Fb?c=%20"
    )
    assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == client
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("127.0.0.1", str(server.port))


def test_a_body_with_a_length_is_known_to_have_broken_off(serve):
    def close_and_read(environ, start_response):
        environ["wsgi.input"].close()
        try:
            Request(environ).get_data()
        except ClientDisconnected:
            return Response("told")(environ, start_response)

    connection = HTTPConnection("127.0.0.1", serve(close_and_read).port, timeout=5)
    connection.request("POST", "/", body=b"body")
    assert connection.getresponse().read() == b"told"
    connection.close()


@rows(
    "status, headers, answered",
    ("200 OK", [("Transfer-Encoding", "chunked")], 200),
    ("200 OK", [("Connection", "keep-alive"), ("Keep-Alive", "5")], 200),
    ("abc", [], 500), ("0 abc", [], 500), ("9999 Far", [], 500), ("200 OK", [("X-Bad", "a\r\nb")], 500),
    ids=str,
)  # fmt: skip
def test_an_application_that_breaks_the_rules_is_answered_and_so_is_the_next_request(serve, status, headers, answered):
    def careless(environ, start_response):
        if environ["PATH_INFO"] == "/good":
            return application(environ, start_response)
        start_response(status, headers)
        return [b"body"]

    server = serve(careless)
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert response.status == answered
    assert (response.read() == b"body") == (answered == 200)
    connection.close()
    assert get(server.port, "/good").startswith("/good")


def test_without_threads_every_request_is_answered_on_one_thread(serve):
    threads = set()

    def note(environ, start_response):
        threads.add(threading.get_ident())
        start_response("200 OK", [])
        return (threads.add(threading.get_ident()) or b"x" for _ in range(3))

    server = serve(note)
    clients = [threading.Thread(target=get, args=(server.port,)) for _ in range(5)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(10)
    assert len(threads) == 1


def test_a_taken_port_ends_the_program(serve):
    server = serve()
    with pytest.raises(SystemExit, match=f"Port {server.port} is in use"):
        serving.make_server("127.0.0.1", server.port, application)


@rows(
    "options",
        {"processes": 2}, {"passthrough_errors": True}, {"ssl_context": "adhoc"},
        {"request_handler": type("Own", (BaseHTTPRequestHandler,), {})},
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_what_is_not_offered_says_so(options):
    with pytest.raises(NotImplementedError):
        serving.run_simple("127.0.0.1", 0, application, **options)


def test_unix_sockets_are_not_offered():
    with pytest.raises(NotImplementedError):
        serving.make_server("unix:///tmp/x", 0, application)


def test_a_port_is_a_number():
    with pytest.raises(TypeError):
        serving.run_simple("127.0.0.1", "80", application)


PROGRAM = """
from antiphon.dialects.werkzeug.serving import is_running_from_reloader, run_simple

def application(environ, start_response):
    start_response("200 OK", [])
    return [f"VERSION {is_running_from_reloader()}".encode()]

run_simple("127.0.0.1", 0, application, use_reloader=True, reloader_interval=0.1, static_files={"/me": __file__})
"""


@pytest.mark.processes
def test_a_program_starts_again_when_its_file_changes(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    command = [sys.executable, file]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as program:
        try:
            port = int(re.search(r":([0-9]+)$", program.stderr.readline().strip())[1])
            assert get(port) == "VERSION True"
            assert get(port, "/me") == PROGRAM
            file.write_text(PROGRAM.replace("VERSION", "CHANGED"))
            os.utime(file, ns=(1, time.time_ns() + 10**9))
            assert f" * {file} has changed, restarting\n" in iter(program.stderr.readline, "")
            assert get(port) == "CHANGED True"
        finally:
            os.killpg(program.pid, signal.SIGKILL)


OWN_SERVER = """
import sys
from threading import Event
from antiphon.dialects.werkzeug._reloader import run_with_reloader
from antiphon.dialects.werkzeug._reloader import inherited_socket, is_running_from_reloader

def serve(*args):
    print("VERSION", is_running_from_reloader(), inherited_socket(), file=sys.stderr, flush=True)
    Event().wait()

run_with_reloader(serve, interval=0.1)
"""


@pytest.mark.processes
def test_a_program_that_serves_by_itself_starts_again_when_its_file_changes(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(OWN_SERVER)
    with subprocess.Popen([sys.executable, file], stderr=subprocess.PIPE, text=True, start_new_session=True) as program:
        try:
            assert program.stderr.readline() == "VERSION True None\n"
            file.write_text(OWN_SERVER.replace("VERSION", "CHANGED"))
            os.utime(file, ns=(1, time.time_ns() + 10**9))
            assert program.stderr.readline() == f" * {file} has changed, restarting\n"
            assert program.stderr.readline() == "CHANGED True None\n"
        finally:
            os.killpg(program.pid, signal.SIGKILL)


STREAMS = """
import signal, time
from antiphon.dialects.werkzeug.serving import run_simple

def application(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/version":
        return [b"VERSION"]
    return forever()

def forever():
    while True:
        yield b"x"
        time.sleep(0.05)

signal.signal(signal.SIGINT, signal.default_int_handler)  # which the shell that runs the tests may ignore
run_simple("127.0.0.1", 0, application, threaded=True, use_reloader=RELOADS, reloader_interval=0.1)
print("ended")
"""


@pytest.fixture
def streams(tmp_path):
    """Runs a program that serves an endless stream, with a client that reads it. Gives the program and its port."""
    programs, connections = [], []

    def run(reloads):
        file = tmp_path / "streams.py"
        file.write_text(STREAMS.replace("RELOADS", str(reloads)))
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        programs.append(subprocess.Popen([sys.executable, file], text=True, start_new_session=True, **pipes))
        port = int(re.search(r":([0-9]+)$", programs[-1].stderr.readline().strip())[1])
        connections.append(HTTPConnection("127.0.0.1", port, timeout=10))
        connections[-1].request("GET", "/")
        assert connections[-1].getresponse().read(1) == b"x"
        return programs[-1], port, file

    yield run
    for program, connection in zip(programs, connections, strict=True):
        connection.close()
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.communicate()


@pytest.mark.processes
def test_a_program_starts_again_although_it_streams(streams):
    program, port, file = streams(reloads=True)
    file.write_text(file.read_text().replace("VERSION", "CHANGED"))
    os.utime(file, ns=(1, time.time_ns() + 10**9))
    assert f" * {file} has changed, restarting\n" in iter(program.stderr.readline, "")
    assert get(port, "/version") == "CHANGED"
