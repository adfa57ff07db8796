"""One program on Flask and on the dialect: each request has the same answer, over every interface."""

import re
from functools import cache

import flask
from werkzeug.test import Client as TheirClient

from antiphon.dialects import flask as dialect
from antiphon.dialects.werkzeug.test import Client as OwnClient
from antiphon.testing import Client
from tests.dialects.flask.program_of_both import REQUESTS, awaited, build, plain
from tests.helpers.rows import rows

NOT_COMPARED = {"date", "server", "connection", "transfer-encoding", "content-length"}
TIMES = re.compile(r"Expires=[^;]*; |(?<=session=)([^.]*)\.[^;]*")

ids = [f"{method} {path} {len(body)}" for method, path, _, body in REQUESTS]


@cache
def program(made):
    return build(dialect, made)


def compared(status, headers, body):
    """The parts of an answer that are the same: not the time, nor the words in which a page explains a status."""
    fields = [(name.lower(), TIMES.sub(r"\1", value)) for name, value in headers if name.lower() not in NOT_COMPARED]
    fields = sorted((name, sorted(value.split(", ")) if name == "allow" else value) for name, value in fields)
    return status, fields, body.partition(b"<p>")[0]


@cache
def expected(method, path, headers, body):
    client = TheirClient(build(flask), use_cookies=False)
    response = client.open(path, "http://testserver", method=method, headers=dict(headers), data=body or None)
    return compared(response.status_code, response.headers, response.data)


@rows("method, path, headers, body", REQUESTS, ids=ids)
@rows("made", [plain, awaited], ids=["def", "async def"])
def test_over_wsgi_the_answer_is_that_of_flask(made, method, path, headers, body):
    client = OwnClient(program(made), use_cookies=False)
    response = client.open(path, "http://testserver", method=method, headers=headers, data=body or None)
    answer = compared(response.status_code, response.headers, response.data)
    assert answer == expected(method, path, tuple(headers.items()), body)


@rows("interface", ["asgi", "rsgi"])
@rows("made", [plain, awaited], ids=["def", "async def"])
def test_over_other_interfaces_too(made, interface):
    differing = []
    with Client(program(made), interface, follow_redirects=False, raise_errors=False) as client:
        for method, path, headers, body in REQUESTS:
            client.cookies.clear()
            response = client.request(method, path, headers=headers, body=body)
            answer = compared(response.status, response.headers.items(), response.body)
            if answer != (wanted := expected(method, path, tuple(headers.items()), body)):
                differing.append((method, path, answer, wanted))
    assert not differing
