"""Bodies that nobody reads, over servers with an event loop: the answer arrives, and the server ends when asked to."""

import time

import h2.events
import pytest

from tests.contract.http2 import USUAL, HTTP2Client
from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS
from tests.contract.wire import SentRequest
from tests.helpers.rows import rows

pytestmark = [pytest.mark.processes, pytest.mark.once]

LOOPS = {"Granian, ASGI", "Granian, RSGI", "Uvicorn, h11", "Uvicorn, httptools", "Hypercorn"}
MIB = 1 << 20
WAITING_TO_BE_ASKED = (("Expect", "100-continue"),)
AT_ONCE = 4.0
"""Seconds, fewer than those for which the rest of a body is received."""
REFUSALS = [("/nowhere", 404), ("/forbidden", 403), ("/refused", 422), ("/def/limited/digest", 413)]
on_each = pytest.mark.parametrize(
    "server", [each for each in SERVERS if each.name in LOOPS], ids=lambda each: each.name
)


@on_each
def test_a_refusal_is_received_and_the_server_ends(server):
    with ServerProcess(server.command, "tests.helpers.served.uploads:app") as process:
        for body in (bytes(22 * MIB), (bytes(MIB),) * 22):
            with process.connect() as connection:  # of a client that listens when it has sent all
                connection.send(SentRequest("POST", "/forbidden", WAITING_TO_BE_ASKED, body).encoded)
                assert connection.receive("POST").status == 403
        for _ in range(3):
            assert process.respond(SentRequest("POST", "/unread", (), (bytes(2000),) * 5000)).body == b"unread"
        process.terminate()  # raises where the server doesn't end


@on_each
def test_a_refusal_does_not_wait_for_the_body(server):
    """The connection is kept if the client then sends the rest."""
    with ServerProcess(server.command, "tests.helpers.served.uploads:app") as process:
        for path, status in REFUSALS:
            sent = SentRequest("POST", path, (), bytes(2 * MIB))
            with process.connect(AT_ONCE) as connection:
                connection.send(sent.head + sent.content[:1000])
                assert connection.receive("POST").status == status
                connection.send(sent.content[1000:] + SentRequest("GET", "/hello").encoded)
                assert connection.receive().body == b"hello"


@rows("name, ends", [("Granian, ASGI", True), ("Granian, RSGI", True), ("Hypercorn", False)])
def test_a_refusal_does_not_wait_for_the_body_over_http_2(name, ends):
    """Hypercorn takes no more of a body once a response has ended, so there, it ends after the body."""
    command = next(server.command for server in SERVERS if server.name == name)
    with ServerProcess(command, "tests.helpers.served.uploads:app") as process:
        for path, status in REFUSALS:
            head = [(":method", "POST"), *USUAL[1:-1], (":path", path), ("content-length", str(2 * MIB))]
            with HTTP2Client(process.port) as client:
                began = time.monotonic()
                client.send(head, bytes(1000))
                response = client.wait_for(h2.events.ResponseReceived)
                client.wait_for(h2.events.StreamEnded if ends else h2.events.DataReceived)
                assert (dict(response.headers)[b":status"], time.monotonic() - began < AT_ONCE) == (
                    b"%d" % status,
                    True,
                )
