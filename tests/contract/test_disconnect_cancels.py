"""Handlers whose clients leave, where that is known: cancelled behind middleware, or left to end by themselves."""

import json

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS
from tests.contract.wire import SentRequest
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.once]

SILENT = {"Granian, WSGI", "Gunicorn, sync"}
"""Servers that show nothing of a client that leaves, or answer nobody else in the meantime."""


@pytest.fixture(
    scope="module", params=[each for each in SERVERS if each.name not in SILENT], ids=lambda each: each.name
)
def process(request):
    with ServerProcess(request.param.command, "tests.helpers.served.waiting_handlers:app") as process:
        yield process


@pytest.mark.axes("process")
@rows(
    "method, path, expected",
    ("GET", "/wait", ["GET waits", "GET ends", "GET 499"]),
    ("HEAD", "/wait", ["HEAD waits", "HEAD ends", "HEAD 499"]),
    ("POST", "/wait/cancelled", ["POST waits", "POST ends", "POST 499"]),
    ("GET", "/wait/def", ["def waits", "def ends", "GET 200"]),
    ("GET", "/wait/shielded", ["GET waits", "is shielded", "GET 499"]),
)
def test_what_has_become_of_a_handler_whose_client_leaves(process, method, path, expected):
    assert told_when_it_leaves(process, method, path, len(expected)) == expected


@pytest.mark.axes("process")
@pytest.mark.parametrize(("method", "path"), [("POST", "/wait"), ("GET", "/wait/on")])
def test_a_write_goes_on_unless_its_route_says_otherwise(process, method, path):
    leave(process, method, path)
    with process.connect() as connection:  # by the time that this one is found to have left, the other would be
        connection.send(SentRequest("GET", "/wait/def").encoded)
        eventually(lambda: "def waits" in told(process) or None, "/wait/def is not called")
    eventually(lambda: "def ends" in told(process) or None, "/wait/def does not end")
    assert f"{method} ends" not in told(process)
    process.respond(SentRequest("GET", "/go"))
    eventually(lambda: f"{method} ends" in told(process) or None, f"{path} does not end")


def told_when_it_leaves(process, method, path, count):
    leave(process, method, path)
    eventually(lambda: len(told(process)) >= count or None, f"{path} does not end")
    return told(process)


def leave(process, method, path):
    process.respond(SentRequest("GET", "/clear"))
    with process.connect() as connection:
        connection.send(SentRequest(method, path).encoded)
        eventually(lambda: told(process) or None, f"{path} is not called")


def told(process):
    return json.loads(process.respond(SentRequest("GET", "/told")).body)
