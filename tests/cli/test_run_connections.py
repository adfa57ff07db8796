"""`antiphon run` with more connections, and more on a connection, than is good for it."""

import re
import resource
import struct
import threading
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.contract.http2 import USUAL, HTTP2Client
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

APP = """
from asyncio import sleep
from antiphon import App, Response
from antiphon.features import Health

app = App()
app.use(Health())


@app.get("/")
async def index(request):
    return "hello"


@app.post("/")
async def receive(request):
    return request.body


@app.get("/events")
async def events(request):
    return Response.events(forever())


async def forever():
    yield "begin"
    while True:
        await sleep(600)


@app.get("/endless")
async def endless(request):
    return Response(chunks())


async def chunks():
    while True:
        yield bytes(64 << 10)


@app.get("/large")
async def large(request):
    return bytes(16 << 20)


@app.websocket("/socket")
async def listen(request, socket):
    async for message in socket:
        await socket.send(message)
"""
IMPATIENT = """
from antiphon.cli.workers import connections

connections.IDLE, connections._RARELY = 0.3, 0.1
"""
"""What makes a worker close idle connections soon."""
INTERFACES = ("asgi", "rsgi", "wsgi")
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
EVENTS = GET.replace(b"/", b"/events", 1)
HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SETTINGS = b"\0\0\0\4\0\0\0\0\0"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MIB = 1 << 20


@pytest.fixture
def serve(antiphon, tmp_path):
    """Runs `antiphon run` with the application above."""

    def run(*arguments, more=""):
        return antiphon("crowded:app", "--grace", "0.2", "--no-access-log", *arguments, crowded=APP + more).serving()

    return run


def status(connect, path):
    """The status of a response on a connection of its own."""
    with connect() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(4096)[9:12].decode()


def worker(command):
    """The process of the only worker."""
    children = Path(f"/proc/{command.process.pid}/task/{command.process.pid}/children").read_text()
    return int(children.split()[-1])


def memory(process):
    """The bytes that a process has in memory."""
    return int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{process}/status").read_text())[1]) << 10


@contextmanager
def soft_limit(most):
    """Let this process, and those that it starts, open so many descriptors."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


# Many connections


def test_more_clients_than_the_backlog_holds_and_the_soft_limit_allows_are_served(serve):
    with soft_limit(600):
        command = serve()
    with soft_limit(4096), ExitStack() as stack:
        for number in range(1100):
            connection = stack.enter_context(command.connect())
            connection.sendall(EVENTS if number % 2 else GET)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
        assert status(command.connect, "/healthz") == "200"
    assert command.err == ""


FULL = {
    "idle over HTTP/1.1": (GET, None, "200"), "silent": (b"", None, "200"),
    "half a preface": (PREFACE[:10], None, "200"), "idle over HTTP/2": (PREFACE + SETTINGS, None, "200"),
    "events": (EVENTS, b"HTTP/1.1 200", "503"), "WebSockets": (HANDSHAKE, b"HTTP/1.1 101", "503"),
}  # fmt: skip


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_a_full_worker_closes_what_is_idle_or_refuses_all_but_probes(serve, interface):
    command = serve("--interface", interface, "--max-connections", "20")
    for kind, (sent, begin, others) in FULL.items():
        with ExitStack() as stack:
            clients = []
            for _ in range(100):
                clients.append(stack.enter_context(command.connect()))
                clients[-1].sendall(sent)
            if begin is not None:
                assert 0 < sum(each.recv(4096).startswith(begin) for each in clients) <= 20, kind
            assert status(command.connect, "/healthz") == "200", kind
            eventually(lambda others=others: status(command.connect, "/") == others or None, f"{others}, {kind}")
        eventually(lambda: status(command.connect, "/") == "200" or None, f"others after {kind}")
    assert command.err.count("--max-connections") == 1


FEW_DESCRIPTORS = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))\n"


def test_a_worker_with_few_descriptors_uses_them_and_says_what_lacks(serve):
    command = serve(more=FEW_DESCRIPTORS)
    with ExitStack() as stack:
        streams = [stack.enter_context(command.connect()) for _ in range(60)]
        for each in streams:
            each.sendall(EVENTS)
        assert sum(each.recv(4096).startswith(b"HTTP/1.1 200") for each in streams) == 48
        assert status(command.connect, "/healthz") == "200"
        eventually(lambda: "may have 48 (ulimit -n)" in command.err or None, "the reason")
    assert "--max-connections" not in command.err


@pytest.mark.parametrize("interface", INTERFACES)
def test_idle_connections_are_closed_and_streams_are_not(serve, interface):
    command = serve("--interface", interface, more=IMPATIENT)
    with ExitStack() as stack:

        def send(data):
            connection = stack.enter_context(command.connect())
            connection.sendall(data)
            return connection

        kept = [send(EVENTS)] if interface == "wsgi" else [send(EVENTS), send(HANDSHAKE)]
        assert all(each.recv(4096) for each in kept)
        silent = [b"", PREFACE[:10], PREFACE + SETTINGS, GET]
        for idle in map(send, [] if interface == "wsgi" else silent):
            while idle.recv(4096):
                pass
        for each in kept:
            assert is_open(each)
            each.close()
        # Over WSGI, clients' ports are unknown: an open stream keeps all connections from its address.
        assert send(b"").recv(4096) == b""


def is_open(connection):
    connection.setblocking(False)
    with suppress(BlockingIOError):
        while connection.recv(4096):
            pass
        return False
    return True


def test_a_connection_on_which_a_response_is_read_slowly_is_not_idle(serve):
    with serve(more=IMPATIENT).connect() as connection:
        connection.sendall(GET.replace(b"/", b"/large", 1))
        received = 0
        for _ in range(60):
            received += len(connection.recv(64 << 10))
            time.sleep(0.02)
        while data := connection.recv(MIB):
            received += len(data)
            if received > 16 * MIB:
                break
        assert received > 16 * MIB


@pytest.mark.parametrize("interface", INTERFACES)
def test_headers_have_a_limit_over_http2(serve, interface):
    command, found = serve("--interface", interface), {}
    for size in (60, 100, 1000):
        with HTTP2Client(command.port) as client:
            client.send([*USUAL, *((f"x-{number}", "x" * 980) for number in range(size))])
            found[size], _ = client.outcome()
    assert found == {60: 200, 100: 431, 1000: None}


# HTTP/2 (RFC 9113, 7541)


def frame(kind, flags, stream, data=b""):
    return struct.pack(">I", len(data))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + data


def integer(value, first=0, most=127):
    if value < most:
        return bytes([first | value])
    encoded, value = [first | most], value - most
    while value >= 128:
        encoded.append(value % 128 | 128)
        value //= 128
    return bytes([*encoded, value])


def text(value):
    return integer(len(value)) + value


def head(path, method=b"\x82"):
    return method + b"\x86\x04" + text(path) + b"\x01" + text(b"example.com")


def headers(stream, block, ends=True):
    """HEADERS and as many CONTINUATIONs as a block needs."""
    parts = [block[at : at + 16384] for at in range(0, len(block), 16384)]
    return b"".join(
        frame(9 if n else 1, (4 if n == len(parts) - 1 else 0) | (ends and not n), stream, part)
        for n, part in enumerate(parts)
    )


def streams(block, count, ends=True, first=3):
    return b"".join(headers(first + 2 * n, block, ends) for n in range(count))


NO_WINDOW = frame(4, 0, 0, struct.pack(">HI", 4, 0))
POST = b"\x83"
FAT = head(b"/") + b"\x40" + text(b"x-a") + text(b"a" * 3900)
THIN = head(b"/") + b"\x40" + text(b"a") + text(b"b")
LAST = b"\xbe"
"""A reference to the field that was added last to the dynamic table."""
MANY = PREFACE + SETTINGS + headers(1, FAT)


class Attack:
    """What clients send at first, and then until they are cut off, or ``times``; and what the worker may take more."""

    def __init__(self, first, again=b"", *, clients=5, times=50, pause=0, most=16, holds_threads=False):
        self.first, self.again, self.clients, self.times = first, again, clients, times
        self.pause, self.most = pause, most << 20
        self.holds_threads = holds_threads
        """True if open requests keep the threads of a WSGI server, which Granian doesn't free when clients leave."""

    def play(self, command):
        with ExitStack() as stack:
            clients = [stack.enter_context(closing(command.connect(5))) for _ in range(self.clients)]
            for client in clients:
                with suppress(OSError):
                    client.sendall(self.first)
            for number in range(self.times if self.again else 0):
                again = self.again(number) if callable(self.again) else self.again
                for client in [*clients]:
                    try:
                        client.setblocking(False)
                        with suppress(BlockingIOError):
                            client.recv(64 << 10)
                        client.settimeout(5)
                        client.sendall(again)
                    except OSError:
                        clients.remove(client)
            time.sleep(self.pause)
            yield


def resets(number):
    each = [1 + 2 * (100 * number + n) for n in range(100)]
    return b"".join(headers(stream, head(b"/")) + frame(3, 0, stream, b"\0\0\0\x08") for stream in each)


ATTACKS = {
    "HPACK bomb": Attack(MANY + streams(head(b"/") + LAST * 4000, 50), clients=3),
    "headers below the limit, all streams": Attack(
        MANY + streams(head(b"/", POST) + LAST * 15, 99, False), most=64, holds_threads=True
    ),
    "small fields below the limit, all streams": Attack(
        PREFACE + SETTINGS + headers(1, THIN) + streams(head(b"/", POST) + LAST * 1800, 99, False),
        most=192,
        holds_threads=True,
    ),
    "rapid reset": Attack(PREFACE + SETTINGS, resets),
    "CONTINUATIONs": Attack(
        PREFACE + SETTINGS + frame(1, 0, 1, head(b"/")), frame(9, 0, 1, (b"\0" + text(b"x-b") + text(b"b" * 100)) * 100)
    ),
    "empty CONTINUATIONs": Attack(PREFACE + SETTINGS + frame(1, 0, 1, head(b"/")), frame(9, 0, 1) * 500),
    "empty DATA": Attack(
        PREFACE + SETTINGS + headers(1, head(b"/", POST), False), frame(0, 0, 1) * 500, holds_threads=True
    ),
    "PINGs": Attack(PREFACE + SETTINGS, frame(6, 0, 0, bytes(8)) * 500),
    "SETTINGS": Attack(PREFACE + SETTINGS, frame(4, 0, 0, struct.pack(">HI", 1, 4096)) * 300),
    "PRIORITYs": Attack(PREFACE + SETTINGS, frame(2, 0, 3, b"\0\0\0\1\x10") * 500),
    "WINDOW_UPDATEs": Attack(PREFACE + SETTINGS + headers(1, head(b"/events")), frame(8, 0, 1, b"\0\0\0\1") * 500),
    "no window": Attack(PREFACE + NO_WINDOW + streams(head(b"/endless"), 50), clients=1, most=128),
    "too many streams": Attack(PREFACE + SETTINGS + streams(head(b"/events"), 1000), most=32, holds_threads=True),
    "half prefaces": Attack(PREFACE[:20], clients=200),
    "slow heads": Attack(GET[:20], b"a", clients=100),
    "slow readers": Attack(GET.replace(b"/", b"/endless", 1), clients=60, pause=3, most=400),
}


@pytest.mark.parametrize("interface", INTERFACES)
def test_no_attack_takes_the_memory_of_a_worker_or_keeps_it_from_others(serve, interface):
    command = serve("--interface", interface)
    for name, attack in ATTACKS.items():
        if interface == "wsgi" and attack.holds_threads:
            continue
        before, peak, ended = memory(worker(command)), [0], threading.Event()

        def watch(peak=peak, ended=ended):
            while not ended.wait(0.01):
                peak[0] = max(peak[0], memory(worker(command)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in attack.play(command):
            if interface != "wsgi":
                assert status(command.connect, "/healthz") == "200", name
        eventually(lambda: status(command.connect, "/") == "200" or None, f"others after {name}")
        ended.set()
        watcher.join()
        assert peak[0] - before < attack.most, f"{name}: {(peak[0] - before) / MIB:.0f} MiB"
