"""HTTP/2 as a client's side of the wire, from its first byte (RFC 9113 §3.3)."""

import socket
from contextlib import suppress
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events

from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, ReceivedResponse, SentRequest
from tests.helpers.waiting import DEADLINE

USUAL = [(":method", "GET"), (":scheme", "http"), (":authority", "contract.example"), (":path", "/")]

GOAWAY, NO_ERROR = 7, bytes(4)


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
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def get(self, path):
        self.send([*USUAL[:-1], (":path", path)])

    def send(self, head, beginning=b""):
        """Send a request without a body, or with the beginning of one."""
        self._connection.send_headers(1, head, end_stream=not beginning)
        if beginning:
            self._connection.send_data(1, beginning)
        self._socket.sendall(self._connection.data_to_send())

    def exchange(self, request: SentRequest, trailers=()) -> ReceivedResponse:
        """Send a request with its body and return the response. It is not whole if the server has reset the stream."""
        self.begin(request, trailers)
        head, chunks = None, []
        ends = h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated
        try:
            while not isinstance(
                event := self.wait_for(h2.events.ResponseReceived, h2.events.DataReceived, *ends), ends
            ):
                if isinstance(event, h2.events.ResponseReceived):
                    head = [(name.decode(), value.decode("latin-1")) for name, value in event.headers]
                else:
                    chunks.append(event.data)
        except ConnectionError as error:
            event = error
        if head is None:
            raise Closed(f"no response, but {event}")
        is_whole = isinstance(event, h2.events.StreamEnded)
        return ReceivedResponse(int(head[0][1]), tuple(head[1:]), b"".join(chunks), is_whole)

    def begin(self, request: SentRequest, trailers=()):
        """Send a request with its body, as far as the server takes it: it may respond before."""
        named = [(name.lower(), value.strip()) for name, value in request.all_fields if name != "Transfer-Encoding"]
        url = urlsplit(request.target)  # a whole URL's authority replaces the Host (RFC 9113 §8.3.1)
        authority, path = url.netloc or named[0][1], request.target.removeprefix(f"{url.scheme}://{url.netloc}")
        pseudo = [(":method", request.method), (":scheme", "http"), (":authority", authority), (":path", path)]
        head = [(name.encode(), value.encode("latin-1")) for name, value in [*pseudo, *named[1:]]]
        self._connection.send_headers(1, head, end_stream=request.body is None)
        left = [request.body] if isinstance(request.body, bytes) else list(request.body or ())
        while left and not self._has_responded:
            room = min(self._connection.local_flow_control_window(1), self._connection.max_outbound_frame_size)
            if not room:
                self._receive()
            elif left[0]:
                self._connection.send_data(1, left[0][:room])
                left[0] = left[0][room:]
                self._flush()
            else:
                del left[0]
        if request.body is not None and not self._has_responded:
            self._connection.send_headers(1, trailers, end_stream=True) if trailers else self._connection.end_stream(1)
        self._flush()

    @property
    def _has_responded(self):
        """True once the server has ended or reset the stream."""
        return any(isinstance(each, h2.events.StreamEnded | h2.events.StreamReset) for each in self._events)

    def wait_for(self, *kinds):
        """Return the next event of some kinds."""
        while True:
            while self._events:
                if isinstance(event := self._events.pop(0), kinds):
                    return event
            self._receive()

    def _receive(self):
        data = self._socket.recv(64 << 10)
        if not data:
            raise Closed("the server has closed the connection")
        events = self._connection.receive_data(self._without_farewells(data))
        for event in events:
            if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        self._events += events
        self._flush()

    def _without_farewells(self, data):
        """Return whole frames, but no GOAWAY that lets the stream end (RFC 9113 §6.8): h2 would read no more."""
        self._unread, found = self._unread + data, b""
        while len(self._unread) >= 9 and len(self._unread) >= (end := 9 + int.from_bytes(self._unread[:3])):
            frame, self._unread = self._unread[:end], self._unread[end:]
            is_farewell = frame[3] == GOAWAY and frame[13:17] == NO_ERROR and int.from_bytes(frame[9:13]) >= 1
            found += b"" if is_farewell else frame
        return found

    def _flush(self):
        with suppress(ConnectionError):  # the server has closed the connection, and said so in what it sent
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


class HTTP2Peer(ServerProcess):
    def respond(self, request: SentRequest) -> ReceivedResponse:
        with HTTP2Client(self.port) as client:
            return client.exchange(request)

    def leave(self, request: SentRequest, after: bytes) -> None:
        with HTTP2Client(self.port) as client:
            client.begin(request)
            received = b""
            while after not in received:
                received += client.wait_for(h2.events.DataReceived).data
