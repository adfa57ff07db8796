"""The contract as pytest classes, from which the tests of a server or an interface derive.

``AdapterContract`` is for anything that answers requests, ``ServerContract`` for a server that is started by a command.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from tests.contract.application.connections import ROWS
from tests.contract.application.errors import SECRET
from tests.contract.bad_input import BAD_INPUTS, CLOSED, BadInput
from tests.contract.exchanges import EXCHANGES, EXCHANGES_BY_TOPIC, seen
from tests.contract.probes import PROBES, STREAMS, Probe, where_closed
from tests.contract.process import ServerProcess
from tests.contract.servers import Server, server
from tests.contract.wire import Closed, Connection, Peer, ReceivedResponse, SentRequest
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

TEXT = SentRequest("GET", "/def/text")
SMUGGLED = b"GET /def/dict HTTP/1.1\r\nHost: contract.example\r\n\r\n" * 4000
"""A body that holds requests, which no server may answer."""


def _name(value: Any) -> str:
    return str(getattr(value, "name", value))


def _next_response(connection: Connection, request: SentRequest) -> ReceivedResponse | None:
    """Send a further request on a connection; None when the server has closed it, as it may at any time."""
    if not connection.reusable:
        return None
    connection.send(request.encoded)
    try:
        return connection.receive(request.method)
    except Closed:
        connection.reusable = False
        return None


each_handler = rows("handler", ["def", "async"])


class AdapterContract:
    """Tests of the responses of the contract's application, on any server. Override ``serve``."""

    peer: ClassVar[Peer]
    http_version: ClassVar[str] = "1.1"

    @classmethod
    def serve(cls) -> AbstractContextManager[Peer]:
        """Serve the application until the context ends, for all tests of the class."""
        raise NotImplementedError

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _served(cls) -> Iterator[None]:
        with cls.serve() as cls.peer:
            yield

    def json_of(self, target: str) -> Any:
        response = self.peer.respond(SentRequest("GET", target))
        assert response.status == 200, response
        return json.loads(response.body)

    @rows("topic", EXCHANGES_BY_TOPIC)
    def test_exchanges(self, topic: str) -> None:
        exchanges = [exchange.over(self.http_version) for exchange in EXCHANGES_BY_TOPIC[topic]]
        responses = {exchange.name: self.peer.respond(exchange.request) for exchange in exchanges}
        assert [name for name, response in responses.items() if not response.whole] == []
        received = {exchange.name: exchange.received(responses[exchange.name]) for exchange in exchanges}
        expected = {
            exchange.name: exchange.expected for exchange in exchanges if exchange.expected != received[exchange.name]
        }
        # Only those that differ are compared: pytest would take minutes to show all.
        assert {name: received[name] for name in expected} == expected

    @each_handler
    def test_a_failure_is_a_page_without_details_for_clients_that_accept_html(self, handler: str) -> None:
        response = self.peer.respond(SentRequest("GET", f"/{handler}/fails", (("Accept", "text/html"),)))
        assert (response.status, response.values("content-type")) == (500, ["text/html; charset=utf-8"])
        assert response.values("x-request-id")[0].encode() in response.body
        assert SECRET.encode() not in response.body
        assert b"Traceback" not in response.body

    @each_handler
    def test_functions_for_after_the_response_run_in_order(self, handler: str) -> None:
        name = f"{type(self).__name__}-{handler}"
        assert self.peer.respond(SentRequest("GET", f"/{handler}/after/{name}")).body == b"later\n"

        def done() -> list[str] | None:
            entries: list[str] = self.json_of(f"/{handler}/after/{name}/done")
            return entries if len(entries) == 2 else None

        assert eventually(done, "the functions for after the response have not run") == [f"{name} def", f"{name} async"]

    @rows("size", [10, 200_000])
    def test_a_request_stays_on_its_thread(self, size: int) -> None:
        """Large bodies are received on a loop, and at last the loop writes what a generator gives on its thread."""
        names = [f"{type(self).__name__}-{size}-{each}" for each in range(8)]

        def post(name: str) -> ReceivedResponse:
            return self.peer.respond(SentRequest("POST", f"/def/database/{name}", (), bytes(size)))

        with ThreadPoolExecutor(4) as pool:
            assert {response.body.decode() for response in pool.map(post, names)} == {ROWS}

        def closed() -> set[str] | None:
            told = {self.json_of(f"/def/database/{name}")["closed"] for name in names}
            return None if None in told else told

        assert eventually(closed, "connections were left open") == {"closed"}

    @rows("size, status", (1000, 200), (5000, 431))
    def test_a_header_limit_that_was_set_binds_below_the_servers(self, size: int, status: int) -> None:
        fields = ("X-A", "x" * size), ("X-B", "x" * size)
        assert self.peer.respond(SentRequest("GET", "/bounded/text", fields)).status == status

    def test_startup_ran_once_before_the_first_request(self) -> None:
        told = self.json_of("/def/startup")
        pid = told["pid"]
        assert told["started"] == [f"def in {pid} after 0 requests", f"async in {pid} after 0 requests"]

    def test_async_handlers_find_the_same_loop_each_time(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(self.json_of, ["/async/loop"] * 12))
        assert len({(answer["pid"], answer["loop"]) for answer in told}) == 1

    @rows("handler, iterator", STREAMS)
    def test_a_stream_that_the_client_leaves_is_closed(self, handler: str, iterator: str) -> None:
        assert where_closed(self.peer, handler, iterator) in ("at a chunk", "while it waits")

    @rows("handler, iterator", STREAMS)
    def test_a_stream_that_never_waits_is_closed_when_the_client_leaves(self, handler: str, iterator: str) -> None:
        assert where_closed(self.peer, handler, iterator, "quick") == "at a chunk"


class ServerContract(AdapterContract):
    """The tests of ``AdapterContract`` over sockets, and more. ``server`` has exactly its listed gaps."""

    server: ClassVar[Server]
    process: ClassVar[ServerProcess]

    @classmethod
    def serve(cls) -> AbstractContextManager[Peer]:
        """Start the server in a process of its own."""
        cls.process = ServerProcess(cls.server.command)
        return cls.process

    @pytest.fixture(autouse=True)
    def _stderr(self) -> Iterator[None]:
        """Print what the server writes during a test; pytest shows that if the test fails."""
        before = len(self.process.stderr)
        yield
        print(self.process.stderr[before:])  # noqa: T201 - for pytest to capture

    def test_every_response_ends_where_the_next_begins(self) -> None:
        text = seen(self.process.respond(TEXT))
        connection = self.process.connect()
        for exchange in EXCHANGES:
            connection.send(exchange.request.encoded)
            if connection.receive(exchange.request.method).status == 413:
                connection.reusable = False  # what is left of the body is the probes' business
            after = _next_response(connection, TEXT)
            assert after is None or seen(after) == text, f"after {exchange.name}"
            if not connection.reusable:
                connection.close()
                connection = self.process.connect()
        connection.close()

    @rows("chunked", [False, True])
    @rows("path", ["nowhere", "limited", "text", "unread"])
    def test_what_is_left_of_a_body_is_not_taken_for_a_request(self, path: str, chunked: bool) -> None:
        body = (SMUGGLED,) if chunked else SMUGGLED
        with self.process.connect() as connection:
            connection.send(SentRequest("POST", f"/def/{path}", (), body).encoded)
            connection.receive()
            after = _next_response(connection, TEXT)
        assert after is None or after.body == "Grüße\n".encode()

    def test_a_request_knows_its_http_version(self) -> None:
        with self.process.connect() as connection:
            connection.send(b"GET /def/about HTTP/1.0\r\n\r\n")
            assert json.loads(connection.receive().body)["http_version"] == "1.0"

    @rows("probe", PROBES, ids=_name)
    def test_does_what_the_table_says(self, probe: Probe) -> None:
        assert probe.ask(self.process) == self.server.gaps.get(probe.name, probe.best)

    @rows("bad_input", BAD_INPUTS, ids=_name)
    def test_refuses_bad_input_as_the_table_says(self, bad_input: BadInput) -> None:
        pid = self.json_of("/def/startup")["pid"]
        outcome = bad_input.outcome(self.process)
        assert outcome == CLOSED or int(outcome) < 500
        assert self.json_of("/def/startup")["pid"] == pid
        assert outcome == self.server.refusals.get(bad_input.name, str(bad_input.usual))


def contract_of(name: str, kind: type[AdapterContract] = ServerContract) -> type[AdapterContract]:
    return type(name.replace(", ", ""), (kind,), {"server": server(name)})
