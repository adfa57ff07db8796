"""Early hints over sockets: the client has them while the handler still works, over HTTP/1.1 and HTTP/2."""

import socket

import h2.config
import h2.connection
import h2.events
import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import SentRequest
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.once

APPLICATION = "tests.helpers.served.early_hints:app"
KINDS = ("def", "async")


@pytest.mark.parametrize("name", ["Gunicorn, gthread", "Gunicorn, gevent"])
def test_hints_arrive_while_the_handler_works(name):
    with ServerProcess(server(name).command, APPLICATION) as process:
        for kind in KINDS:
            with process.connect() as connection:
                connection.send(SentRequest("GET", f"/{kind}/{kind}").encoded)
                assert connection.wait_for(b"\r\n\r\n") == (
                    b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"
                )
                process.respond(SentRequest("POST", f"/arrived/{kind}", body=b""))
                response = connection.receive()
                assert (response.status, response.body, connection.reusable) == (200, b"page", True)


def test_hypercorn_sends_hints_over_http_2():
    with ServerProcess(server("Hypercorn").command, APPLICATION) as process:
        for kind in KINDS:
            with HTTP2Client(process.port) as client:
                client.get(f"/{kind}/{kind}")
                hints = client.wait_for(h2.events.InformationalResponseReceived, h2.events.ResponseReceived)
                assert dict(hints.headers)[b":status"] == b"103"
                assert dict(hints.headers)[b"link"] == b"</style.css>; rel=preload; as=style"
                process.respond(SentRequest("POST", f"/arrived/{kind}", body=b""))
                response = client.wait_for(h2.events.InformationalResponseReceived, h2.events.ResponseReceived)
                assert dict(response.headers)[b":status"] == b"200"


class HTTP2Client:
    """A connection that speaks HTTP/2 from its first byte (RFC 9113 §3.3), for one request."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self._connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self._connection.initiate_connection()
        self._events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def get(self, path):
        head = [(":method", "GET"), (":scheme", "http"), (":authority", "contract.example"), (":path", path)]
        self._connection.send_headers(1, head, end_stream=True)
        self._socket.sendall(self._connection.data_to_send())

    def wait_for(self, *kinds):
        """Return the next event of some kinds."""
        while True:
            while self._events:
                if isinstance(event := self._events.pop(0), kinds):
                    return event
            data = self._socket.recv(64 << 10)
            assert data, "the server has closed the connection"
            self._events += self._connection.receive_data(data)
            self._socket.sendall(self._connection.data_to_send())
