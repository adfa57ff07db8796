"""Guards around programs of each dialect, served: what they refuse never reaches the program, over any interface."""

import gzip
import json
import random
import socket
from contextlib import closing
from http.client import HTTPConnection

import pytest

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.cli.workers.options import Guards
from tests.dialects import programs
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.once

GUARDS = Guards(trusted_hosts=("localhost",), refuse_cross_site=True, max_body=100_000, security_headers=True)
ELSEWHERE = {"origin": "https://elsewhere.example"}
LARGE = bytes(200_000)


def guarded(program, guards):
    """Make a program with guards around it, a plain callable where it is one."""
    app = program()
    return guards.around(app.application if isinstance(app, BridgedApplication) else app, None, "shop:app")


def ask(address, method, path, headers, body=None):
    with closing(HTTPConnection(*address, timeout=DEADLINE)) as connection:
        connection.request(method, path, body, {"host": "localhost"} | headers, encode_chunked=True)
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("program", programs.ALL)
def test_what_the_guards_refuse_is_answered_as_natively_and_the_rest_by_the_program(program, interface):
    with programs.served(lambda: guarded(program, GUARDS), interface) as address:
        for method, path, headers, body, status, kind in (
            ("GET", "/hello", {"host": "elsewhere.example"}, None, 421, "urn:antiphon:problem:untrusted-host"),
            ("POST", "/read", ELSEWHERE, b"a=1", 403, "urn:antiphon:problem:cross-site"),
            ("POST", "/read", {"sec-fetch-site": "cross-site"}, b"a=1", 403, "urn:antiphon:problem:cross-site"),
            ("POST", "/read", {"content-length": "200000"}, LARGE, 413, "urn:antiphon:limit:body"),
            ("POST", "/read", {"transfer-encoding": "chunked"}, [LARGE], 413, "urn:antiphon:limit:body"),
        ):
            told, fields, problem = ask(address, method, path, headers, body)
            assert (told, json.loads(problem)["type"]) == (status, kind)
            assert [value for name, value in fields if name == "x-frame-options"] == ["DENY"]
        for method, path, headers, body, text in (
            ("GET", "/hello", ELSEWHERE, None, b"hello"),
            ("POST", "/read", {"sec-fetch-site": "same-origin"}, b"a=1", b"3"),
            ("POST", "/read", {"transfer-encoding": "chunked"}, [bytes(5000)] * 2, b"10000"),
        ):
            status, fields, answer = ask(address, method, path, headers, body)
            assert (status, answer) == (200, text)
            assert [value for name, value in fields if name == "x-content-type-options"] == ["nosniff"]


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("program", [programs.flask, programs.pyramid, programs.werkzeug])
def test_without_a_bound_bodies_are_those_of_the_program(program, interface):
    with programs.served(lambda: guarded(program, Guards(("localhost",))), interface) as address:
        size = (16 << 20) + 1  # more than an App takes by itself
        status, fields, answer = ask(address, "POST", "/read", ELSEWHERE, bytes(size))
        assert (status, answer) == (200, b"%d" % size)
        assert "x-frame-options" not in dict(fields)


def counting(environ, start_response):
    """Answer with how many bytes have come, as soon as some have."""
    start_response("200 OK", [("content-type", "text/plain")])
    body = environ["wsgi.input"]
    while chunk := body.read1(1 << 16):
        yield b"%d." % len(chunk)


async def counting_async(scope, receive, send):
    """Do what ``counting`` does, over ASGI."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    while (message := await receive())["more_body"]:
        await send({"type": "http.response.body", "body": b"%d." % len(message["body"]), "more_body": True})
    await send({"type": "http.response.body"})


@rows("interface", ["asgi", "rsgi"])
@rows("program", [counting, counting_async])
def test_a_program_answers_while_the_body_comes(program, interface):
    with (
        programs.served(lambda: Guards(("localhost",)).around(program, None, "shop:app"), interface) as address,
        closing(socket.create_connection(address, DEADLINE)) as client,
    ):
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        received = b""
        for part in (b"70000", b"3"):
            size = int(part)
            client.sendall(b"%x\r\n%b\r\n" % (size, bytes(size)))
            while sum(count(received)) < (70000 if size > 3 else 70003):
                received += client.recv(1 << 16)
        client.sendall(b"0\r\n\r\n")
        while not received.endswith(b"0\r\n\r\n"):
            received += client.recv(1 << 16)
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")


def echo(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])), environ["HTTP_CONTENT_ENCODING"].encode()]


async def echo_async(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    has_more = True
    while has_more:
        message = await receive()
        has_more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": True})
    await send({"type": "http.response.body", "body": dict(scope["headers"])[b"content-encoding"]})


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("program", [echo, BridgedApplication(echo), echo_async])
def test_a_coded_body_reaches_a_program_as_it_was_sent(program, interface):
    body = gzip.compress(random.Random(7).randbytes(100_000))
    with programs.served(lambda: Guards().around(program, None, "shop:app"), interface) as address:
        status, _, answer = ask(address, "POST", "/", {"content-encoding": "gzip"}, body)
        assert (status, answer) == (200, body + b"gzip")


def count(received):
    """Return the numbers in the chunks of a response, as far as they have come."""
    _, _, content = received.partition(b"\r\n\r\n")
    numbers = [line for line in content.split(b"\r\n") if line.endswith(b".")]
    return [int(number) for line in numbers for number in line.split(b".") if number]
