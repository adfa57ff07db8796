"""Bodies in a content coding: a program whose own interface is WSGI gets them as they were sent."""

import gzip
import random
from functools import cache

import pytest

from antiphon.testing import Client
from tests.dialects import programs
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]


@cache
def made(coding, size):
    content = random.Random(1).randbytes(size)
    return gzip.compress(content) if coding == "gzip" else content


@rows("size", [100, 3 << 20])
@rows("coding", ["gzip", "own"])
@rows("program, path", [
    (programs.flask, "/read"), (programs.flask, "/aread"), (programs.kay, "/read"), (programs.pyramid, "/read"),
    (programs.webob, "/read"), (programs.werkzeug, "/read"),
])  # fmt: skip
def test_a_coded_body_is_given_as_it_was_sent(program, path, coding, size, interface):
    body = made(coding, size)
    with Client(program(), interface) as client:
        answer = client.post(path, body=body, headers={"content-encoding": coding})
    assert (answer.status, answer.text) == (200, str(len(body)))
