"""WebSockets of ours and of mounted applications over real servers: other sites' pages, attacks, and the end."""

import json
import socket as sockets
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from antiphon.testing import Client, HandshakeRefused
from tests.contract.process import ServerProcess
from tests.contract.servers import SOCKET_SERVERS, WSGI_SOCKETS, Server
from tests.contract.sockets.cases import HANDSHAKE, opened, status
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE

pytestmark = [pytest.mark.processes, pytest.mark.once]
APPLICATION = "tests.helpers.served.mounted_sockets:app"
PLACES = ("native", "starlette", "microdot", "flask")
OVER_WSGI = "Gunicorn, gthread"
"""The WSGI server that stands for all: Antiphon itself reads and writes the frames there."""
SERVERS = {
    server.name: server
    for server in SOCKET_SERVERS
    if not server.gaps.items() >= WSGI_SOCKETS.items() or server.name == OVER_WSGI
}


@pytest.fixture(scope="module", params=SERVERS.values(), ids=SERVERS)
def served(request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    with ServerProcess(request.param.command, APPLICATION) as process:
        yield process


def handshakes_of_other_sites(host: str) -> list[dict[str, str]]:
    """Return the fields of handshakes: twenty of each kind."""
    foreign = [f"https://evil{number}.example" for number in range(18)]
    foreign += [f"http://{host.partition(':')[0]}.evil.example", "http://127.0.0.1:1"]
    sub_domains = [f"http://{name}.{host}" for name in "abcdefghijklmnopqrst"]
    opaque = [{"Origin": "null", "Cookie": f"session={number}"} for number in range(20)]
    without = [{"Cookie": f"session={number}"} for number in range(20)]
    return [*({"Origin": origin} for origin in (*foreign, *sub_domains)), *opaque, *without]


def answers(process: ServerProcess, fields: dict[str, str], place: str) -> str:
    """Return the status that answers a handshake, which is sent by itself."""
    lines = [f"GET /{place}/echo HTTP/1.1", f"Host: 127.0.0.1:{process.port}"]
    lines += [f"{name}: {value}" for name, value in (*HANDSHAKE, *fields.items())]
    with sockets.create_connection(("127.0.0.1", process.port), DEADLINE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection.recv(12).decode()[-3:]


def test_pages_of_other_sites_open_no_socket(served: ServerProcess) -> None:
    handshakes = handshakes_of_other_sites(f"127.0.0.1:{served.port}")
    assert len(handshakes) == 80
    places = PLACES * 20
    assert {answers(served, *each) for each in zip(handshakes, places, strict=True)} == {"403"}
    assert [answers(served, {"Origin": f"http://127.0.0.1:{served.port}"}, place) for place in PLACES] == ["101"] * 4


@rows("interface", ["asgi", "rsgi"])
def test_the_client_plays_each_of_them(interface: str) -> None:
    from tests.helpers.served.mounted_sockets import app

    with Client(app, interface) as client:
        for number, fields in enumerate(handshakes_of_other_sites("testserver")):
            with (
                pytest.raises(HandshakeRefused) as refused,
                client.websocket(f"/{PLACES[number % 4]}/echo", headers=fields, origin=None),
            ):
                pass
            assert refused.value.response.status == 403


@rows("place", PLACES)
def test_mounted_applications_talk(served: ServerProcess, place: str) -> None:
    with opened(served, f"/{place}/echo") as socket:
        for text in ("hello", "x" * 15_000):
            socket.send(text)
            assert socket.recv(DEADLINE) == text


ENDING = {name: server for name, server in SERVERS.items() if server.gaps.get("End at SIGTERM") != "nothing"}


@rows("server", ENDING.values(), ids=ENDING)
def test_sigterm_reaches_mounted_applications(server: Server, tmp_path: Path) -> None:
    with ServerProcess(server.command, APPLICATION) as process, ExitStack() as stack:
        for place in PLACES[1:]:
            socket = stack.enter_context(opened(process, f"/{place}/echo?path={tmp_path / place}"))
            socket.send("a")
            assert socket.recv(DEADLINE) == "a"
        process.end()
        ends = {place: (tmp_path / place).read_text() for place in PLACES[1:]}
        assert ends == {"starlette": "1012", "microdot": "told", "flask": "1012"}
        assert "Error" not in process.stderr


class TestAttacks:
    """A server that is attacked answers others all the same."""

    @pytest.fixture(autouse=True)
    def answers_others(self, served: ServerProcess) -> Iterator[None]:
        yield
        with opened(served, "/native/echo") as socket:
            socket.send("still here")
            assert socket.recv(DEADLINE) == "still here"

    def test_frame_of_which_the_head_promises_an_exabyte(self, served: ServerProcess) -> None:
        with opened(served, "/native/echo") as socket:
            socket.socket.sendall(b"\x82\xff" + (1 << 60).to_bytes(8, "big") + b"mask" + b"x" * 100_000)
            before = served.resident
            with suppress(ConnectionClosed, TimeoutError):
                socket.recv(1)
            assert served.resident < before + (64 << 20)
            socket.socket.close()

    def test_messages_in_frames_that_never_end(self, served: ServerProcess) -> None:
        with opened(served, "/native/echo") as socket:
            before = served.resident
            with suppress(OSError):
                for number in range(512):
                    opcode = b"\x00" if number else b"\x02"
                    socket.socket.sendall(opcode + b"\xff" + (1 << 18).to_bytes(8, "big") + bytes(4 + (1 << 18)))
            assert served.resident < before + (96 << 20)  # of the 128 MiB that were sent
            socket.socket.close()

    def test_handshakes_that_never_end(self, served: ServerProcess) -> None:
        with ExitStack() as stack:
            for _ in range(50):
                connection = stack.enter_context(sockets.create_connection(("127.0.0.1", served.port)))
                connection.sendall(b"GET /native/echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n")
            assert status(served, "/native/echo") == "101"

    def test_what_is_no_json(self, served: ServerProcess) -> None:
        with opened(served, "/native/numbers") as socket:
            for wrong in ("{", "[" * 10_000, '"a"', "1e999", b"\xff", "", "null", '{"a":' * 5_000):
                socket.send(wrong)
                assert json.loads(socket.recv(DEADLINE))["status"] in (400, 422)
            socket.send("41")
            assert socket.recv(DEADLINE) == "42"

    @pytest.mark.parametrize("place", ["native", "starlette"])
    def test_flood_by_a_client_that_takes_nothing(self, served: ServerProcess, place: str) -> None:
        """The answers stop when the client takes none, and so does the reading of what it sends."""
        with opened(served, f"/{place}/echo", max_queue=1) as socket:
            before = served.resident
            _flood(socket, b"x" * 15_000)
            assert served.resident < before + (32 << 20)  # of the 75 MB that are sent at most
            socket.socket.close()


def _flood(socket: ClientConnection, payload: bytes) -> None:
    """Send a message up to 5,000 times, as long as the server takes it, and read nothing."""
    frame = b"\x81\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload
    socket.socket.settimeout(1)
    with suppress(OSError):
        for _ in range(5_000):
            socket.socket.sendall(frame)
