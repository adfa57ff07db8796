"""Programs of the kind that Microdot's users write answer the same with Microdot and with the dialect."""

import json

import pytest

from antiphon.testing import Client
from tests.dialects.microdot.loading import DIALECT, PROGRAMS, loaded
from tests.helpers.rows import rows

NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))
NOT_COMPARED = {"content-length", "connection", "date", "server"}


def answers(program, package, interface):
    with loaded(program, package) as module, Client(module.app, interface, follow_redirects=False) as client:
        return [answer(client, *request) for request in module.REQUESTS]


def answer(client, method, url, headers=(), body=None):
    client.cookies.clear()
    response = client.request(method, url, headers=dict(headers), **({} if body is None else {"body": body}))
    return method, url, response.status, compared_headers(response), compared_body(response)


def compared_headers(response):
    fields = [(name, value) for name, value in response.headers.items() if name not in NOT_COMPARED]
    return sorted(
        (name, ", ".join(sorted(value.lower().split(", "))) if name == "vary" else value) for name, value in fields
    )


def compared_body(response):
    if (response.content_type or "").startswith("application/json") and response.body:
        return json.loads(response.body)
    if (response.content_type or "").startswith("text/event-stream"):
        return [
            sorted(block.splitlines())
            for block in response.text.replace('": ', '":').replace(', "', ',"').split("\n\n")
        ]
    return response.body


@pytest.fixture(scope="module")
def original():
    return {}


@rows("interface", ["asgi", "wsgi", "rsgi"])
@rows("program", NAMES)
def test_a_program_answers_the_same(program, interface, original):
    if program not in original:
        original[program] = answers(program, "microdot", "asgi")
    ours = answers(program, DIALECT, interface)
    for theirs, mine in zip(original[program], ours, strict=True):
        assert mine == theirs
