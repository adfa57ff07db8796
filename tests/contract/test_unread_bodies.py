"""Bodies that nobody reads, over servers with an event loop: the answer arrives, and the server ends when asked to."""

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS
from tests.contract.wire import SentRequest

pytestmark = [pytest.mark.processes, pytest.mark.once]

LOOPS = {"Granian, ASGI", "Granian, RSGI", "Uvicorn, h11", "Uvicorn, httptools", "Hypercorn"}
MIB = 1 << 20
WAITING_TO_BE_ASKED = (("Expect", "100-continue"),)


@pytest.mark.parametrize("server", [server for server in SERVERS if server.name in LOOPS], ids=lambda each: each.name)
def test_a_refusal_is_received_and_the_server_ends(server):
    with ServerProcess(server.command, "tests.helpers.served.uploads:app") as process:
        for body in (bytes(22 * MIB), (bytes(MIB),) * 22):
            with process.connect() as connection:  # of a client that listens when it has sent all
                connection.send(SentRequest("POST", "/forbidden", WAITING_TO_BE_ASKED, body).encoded)
                assert connection.receive("POST").status == 403
        for _ in range(3):
            assert process.respond(SentRequest("POST", "/unread", (), (bytes(2000),) * 5000)).body == b"unread"
        process.terminate()  # raises where the server doesn't end
