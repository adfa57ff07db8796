"""HTTP/2 as a client's side of the wire, from its first byte (RFC 9113 §3.3)."""

import socket
from contextlib import suppress

import h2.config
import h2.connection
import h2.events

from tests.helpers.waiting import DEADLINE

USUAL = [(":method", "GET"), (":scheme", "http"), (":authority", "contract.example"), (":path", "/")]


class HTTP2Client:
    """A connection for one request, whose head may be malformed."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        config = h2.config.H2Configuration(
            header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self._connection = h2.connection.H2Connection(config)
        self._connection.initiate_connection()
        self._events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def get(self, path):
        """Send a plain request for a path."""
        self.send([*USUAL[:-1], (":path", path)])

    def send(self, head):
        """Send the fields of a head as they are."""
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
            with suppress(ConnectionError):  # the server has closed the connection, and said so in these events
                self._socket.sendall(self._connection.data_to_send())

    def outcome(self):
        """Return the status and the body of the response, or (None, b"") if the server has reset the stream."""
        ends = h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated
        status, body = None, b""
        while True:
            event = self.wait_for(h2.events.ResponseReceived, h2.events.DataReceived, *ends)
            if isinstance(event, ends):
                return status, body
            if isinstance(event, h2.events.ResponseReceived):
                status = int(dict(event.headers)[b":status"])
            else:
                body += event.data
