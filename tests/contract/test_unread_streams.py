"""Streams whose clients read nothing: what makes their chunks waits, on each server."""

import time

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS
from tests.contract.wire import SentRequest
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.once]

MOST = 64 << 20
"""Bytes that a stream may make for a client that reads nothing: system and server keep a few MB."""


@pytest.fixture(
    scope="module", params=[each for each in SERVERS if each.name != "Gunicorn, sync"], ids=lambda each: each.name
)
def process(request):
    with ServerProcess(request.param.command, "tests.helpers.served.endless_streams:app") as process:
        yield process


@pytest.mark.axes("process")
@rows("path", ["/sync", "/async", "/sync/async", "/microdot/sse", "/wsgi/", "/asgi/"])
def test_a_stream_waits_for_a_client_that_reads_nothing(process, path):
    def made():
        return int(process.respond(SentRequest("GET", "/made")).body)

    def has_stopped():
        before = made()
        time.sleep(0.2)
        after = made()
        assert after < MOST
        return before == after or None

    with process.connect() as connection:
        connection.send(SentRequest("GET", path).encoded)
        eventually(has_stopped, "the stream goes on")
