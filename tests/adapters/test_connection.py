import asyncio
import os
import resource
import socket
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from types import SimpleNamespace

import pytest

from antiphon.adapters import connection as connections
from antiphon.adapters.connection import Connection, Pace, client_watch, explain_few_descriptors
from antiphon.http.head import Address
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@pytest.fixture
def pair():
    """A client's socket, and the one that a server has accepted for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with closing(client), closing(server):
        yield client, server


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


LEAVING = {
    "stays": (lambda client, server: None, False),
    "has sent more": (lambda client, server: client.sendall(b"GET / HTTP/1.1"), False),
    "closes": (lambda client, server: client.close(), True),
    "resets": (lambda client, server: reset(client), True),
    "sends no more": (lambda client, server: client.shutdown(socket.SHUT_WR), True),
    "is closed by the server": (lambda client, server: server.close(), True),
}


def environs(client, server):
    host, port = client.getsockname()
    return {
        "by Gunicorn's socket": {"gunicorn.socket": server},
        "by the client's address": {"REMOTE_ADDR": host, "REMOTE_PORT": str(port)},
        "by gevent's stream": {
            "SERVER_SOFTWARE": "gevent/1.0",
            "wsgi.input": SimpleNamespace(raw=SimpleNamespace(_sock=server)),
        },
    }


@pytest.mark.parametrize("event", LEAVING)
@pytest.mark.parametrize("way", ["by Gunicorn's socket", "by the client's address", "by gevent's stream"])
def test_a_client_that_has_left_is_seen_by_a_look_at_its_connection(pair, way, event):
    leave, expected = LEAVING[event]
    is_left = client_watch(environs(*pair)[way])
    leave(*pair)
    assert is_left() is expected


@pytest.mark.parametrize(("event", "expected"), [("stays", False), ("closes", True), ("resets", True)])
def test_systems_that_announce_no_end_are_asked_for_the_next_byte(pair, event, expected, monkeypatch):
    monkeypatch.setattr(connections, "_HUNG_UP", 0)
    is_left = Connection.of_descriptor(pair[1].fileno()).is_left
    LEAVING[event][0](*pair)
    assert is_left() is expected


def test_a_connection_whose_descriptor_is_closed_has_been_left(pair):
    descriptor = pair[1].fileno()
    pair[1].close()
    connection = Connection.of_descriptor(descriptor)
    assert connection.is_left()
    assert not connection.is_full()
    assert connection.count_written() is None


@rows("environ", [{}, {"REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "1"}, {"REMOTE_ADDR": "127.0.0.1"}], ids=str)
def test_nothing_is_known_of_a_client_whose_connection_is_not_found(environ):
    assert client_watch(environ) is None
    assert client_watch(environ | {"waitress.client_disconnected": lambda: True})() is True


def test_a_client_that_has_two_connections_from_one_port_is_not_confused():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        clients = [socket.socket(), socket.socket()]
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        clients[0].bind(("127.0.0.1", 0))
        clients[1].bind(clients[0].getsockname())
        clients[0].connect(one.getsockname())
        clients[1].connect(other.getsockname())
        (first, address), (second, same) = one.accept(), other.accept()
        assert address == same
        with closing(first), closing(second), closing(clients[0]), closing(clients[1]):
            assert client_watch({"REMOTE_ADDR": address[0], "REMOTE_PORT": str(address[1])}) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [("HTTP_X_FORWARDED_FOR", "192.0.2.1, {host}"), ("HTTP_FORWARDED", 'for="{host}"'), ("HTTP_X_REAL_IP", "{host}")],
)
def test_an_address_that_a_proxy_names_is_no_client_of_this_process(pair, key, value):
    host, port = pair[0].getsockname()
    environ = {"REMOTE_ADDR": host, "REMOTE_PORT": str(port)}
    assert client_watch(environ | {key: value.format(host=host)}) is None
    assert client_watch(environ | {key: "192.0.2.1"}) is not None


def test_a_connection_in_waitress_is_found_whatever_address_a_proxy_names(pair):
    class Channel:
        socket = pair[1]

        def check_client_disconnected(self):
            """Waitress doesn't read, and sees nothing."""

    asked = Channel().check_client_disconnected
    is_left = client_watch({"REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "1", "waitress.client_disconnected": asked})
    assert not is_left()
    pair[0].close()
    assert is_left()


def test_a_loop_goes_on_while_a_connection_is_sought(pair, monkeypatch):
    asked = []
    seek = Connection.of_client
    monkeypatch.setattr(
        Connection, "of_client", lambda *those: asked.append(threading.current_thread()) or seek(*those)
    )

    async def pace():
        pace = Pace(Address(*pair[0].getsockname()))
        await pace.wait(1 << 16)
        await pace.wait(1 << 16)

    asyncio.run(pace())
    assert len(asked) == 1
    assert asked[0] is not threading.current_thread()


def test_connections_are_found_while_other_threads_look_for_theirs():
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        clients, servers = [], {}
        for _ in range(60):
            clients.append(stack.enter_context(socket.create_connection(listener.getsockname())))
            server, address = listener.accept()
            servers[address] = stack.enter_context(server).fileno()
        addresses = [client.getsockname() for client in clients] * 5
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda each: Connection.of_client(Address(*each)), addresses))
        wrong = [
            address
            for address, each in zip(addresses, found, strict=True)
            if each is None or each.is_left() or each._descriptor != servers[address]
        ]
        assert wrong == []


def test_a_descriptor_that_belongs_to_another_file_by_now_is_a_client_that_has_left(pair):
    connection = Connection.of_descriptor(descriptor := pair[1].fileno())
    pair[1].close()
    with open(os.devnull) as other:
        os.dup2(other.fileno(), descriptor)
        assert connection.is_left()
        os.close(descriptor)


def test_a_sender_waits_while_the_client_does_not_read(pair):
    client, server = pair
    server.setblocking(False)
    pace = Pace(Address(*client.getsockname()))

    async def fill():
        """Write until the sender has to wait, and return the bytes so far."""
        sent = 0
        while True:
            try:
                await asyncio.wait_for(pace.wait(1 << 16), 0.1)
            except TimeoutError:
                return sent
            sent += server.send(b"x" * (1 << 16))

    async def goes_on(size):
        while size > 0:
            size -= len(client.recv(1 << 16))
        await asyncio.wait_for(pace.wait(1 << 16), 10)

    async def both():
        size = await fill()
        assert 0 < size < 64 << 20
        await goes_on(size)

    asyncio.run(both())


def test_a_sender_does_not_wait_for_a_client_that_is_not_found():
    pace = Pace(Address("192.0.2.1", 1))
    asyncio.run(pace.wait(1 << 20))
    asyncio.run(pace.wait(1 << 20))


def test_a_chunk_is_given_however_large_it_is(pair):
    pace = Pace(Address(*pair[0].getsockname()))

    async def give():
        await pace.wait(1 << 16)
        await asyncio.wait_for(pace.wait(3 << 20), 10)

    asyncio.run(give())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems don't count")
def test_a_sender_waits_for_a_server_that_keeps_what_it_is_given(pair):
    client, server = pair
    server.sendall(b"head")
    assert client.recv(4) == b"head"
    pace = Pace(Address(*client.getsockname()))

    async def give():
        for given in range(0, 8 << 20, 1 << 16):
            try:
                await asyncio.wait_for(pace.wait(1 << 16), 0.5)
            except TimeoutError:
                return given
        return None

    assert (given := asyncio.run(give())) is not None
    assert given <= 2 << 20


def test_a_sender_does_not_wait_where_the_system_counts_no_bytes(pair, monkeypatch):
    monkeypatch.setattr(socket, "TCP_INFO", socket.TCP_KEEPCNT, raising=False)
    pair[1].sendall(b"head")
    pace = Pace(Address(*pair[0].getsockname()))

    async def give():
        for _ in range(64):
            await asyncio.wait_for(pace.wait(1 << 16), 10)

    asyncio.run(give())


@rows("limit, room", (64, 1), (128, 48), (256, None), (1024, None))
def test_a_limit_that_leaves_room_for_few_connections_is_told(monkeypatch, limit, room):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    told = explain_few_descriptors()
    assert told.startswith(f"ulimit -n is {limit}, which leaves room for {room} connections") if room else told == ""
