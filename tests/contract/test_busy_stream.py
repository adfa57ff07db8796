"""Tests of a stream that never suspends, over servers with an event loop; some accept chunks after a disconnect."""

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS
from tests.contract.wire import SentRequest
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.once]

LOOPS = {"Granian, ASGI", "Granian, RSGI", "Uvicorn, h11", "Uvicorn, httptools", "Hypercorn"}


@pytest.mark.parametrize("server", [server for server in SERVERS if server.name in LOOPS], ids=lambda each: each.name)
def test_others_are_answered_and_it_is_closed_when_the_client_leaves(server):
    with ServerProcess(server.command, "tests.helpers.served.endless_streams:app") as process:
        process.leave(SentRequest("GET", "/async"), b"xxx")

        def is_closed():
            return process.respond(SentRequest("GET", "/closed")).body == b"1" or None

        assert eventually(is_closed, "the stream goes on although the client has gone")
