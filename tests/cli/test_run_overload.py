"""`antiphon run` under more load than a worker can answer: who is answered, who is refused, and what goes on."""

import socket
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager

import pytest

from antiphon.cli.workers.shedding import CALM, TICK, UNWATCHED
from antiphon.cli.workers.worker import WSGI_THREADS
from antiphon.concurrency.workers import WORKERS
from tests.cli.conftest import DEADLINE, receive_until

pytestmark = [pytest.mark.once, pytest.mark.processes]

BLOCKING = """
import time
from pathlib import Path


def note(name):
    with open("begun", "a") as file:
        file.write(f"{name}\\n")


def block(name):
    note(name)
    while not Path("go").exists():
        time.sleep(0.01)
    return name
"""
"""Functions of all applications below: one notes that a handler has begun, one blocks until it is allowed to end."""

APP = (
    BLOCKING
    + """
import asyncio
import gc
from antiphon import App, Blueprint
from antiphon.concurrency.process import wait_observers
from antiphon.features import Health, Metrics

app = App(queue_by=lambda request: request.cookies.get("user"))
app.use(Health())
app.use(Metrics())


@app.get("/block")
async def block_loop(request):
    return block("block")


@app.get("/burn")
async def burn(request):
    time.sleep(0.05)
    return "burnt"


@app.get("/nap")
async def nap(request):
    time.sleep(0.02)
    return "napped"


@app.get("/note")
async def take_note(request):
    note(request.args["name"])
    return "noted"


@app.get("/low", priority="low")
async def take_low_note(request):
    note(request.args["name"])
    time.sleep(0.05)
    return "noted"


@app.get("/burn-thread")
def burn_on_thread(request):
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        sum(range(1000))
    return "burnt"


@app.get("/block-thread")
def block_thread(request):
    return block("block")


@app.post("/note-thread")
def take_note_on_thread(request):
    note(request.args["name"])
    return "noted"


inside = Blueprint("inside", prefix="/inside")


@inside.before_request
async def wait(request):
    await asyncio.sleep(0)


inside.post("/note-thread")(take_note_on_thread)
app.register(inside)


@app.get("/kept")
async def count_kept(request):
    gc.collect()
    return str(sum(type(each) is type(request) and each.method == "POST" for each in gc.get_objects()))


left = []
wait_observers.add(lambda outcome, seconds: left.append(seconds) if outcome == "left" else None)


@app.get("/left")
async def count_left(request):
    return str(len(left))


@app.websocket("/echo")
async def echo(request, socket):
    async for message in socket:
        await socket.send(message)
"""
)

DIALECTS = {
    "flask": """
from antiphon.dialects.flask import Flask, request

app = Flask(__name__)
app.before_request(lambda: note("before"))
app.teardown_request(lambda error: note("teardown"))
app.errorhandler(Exception)(lambda error: note("error"))


@app.get("/block-thread")
def block_thread():
    return block("block")


@app.post("/note-thread")
def take_note_on_thread():
    note(request.args["name"])
    return "noted"
""",
    "microdot": """
from antiphon.dialects.microdot import Microdot
from antiphon.dialects.microdot.multipart import with_form_data

app = Microdot()
app.before_request(lambda request: note("before"))
app.after_error_request(lambda request, response: note("teardown"))
app.errorhandler(Exception)(lambda request, error: note("error"))


@app.get("/block-thread")
def block_thread(request):
    return block("block")


@app.post("/note-thread")
def take_note_on_thread(request):
    note(request.args["name"])
    return "noted"
""",
}
DIALECTS["microdot, inside a decorator"] = (
    DIALECTS["microdot"]
    .replace('app.before_request(lambda request: note("before"))\n', "")
    .replace("def take_note", "@with_form_data\ndef take_note")
)


@pytest.fixture
def shop(antiphon, tmp_path):
    def serve(*arguments, app=APP):
        options = " ".join(arguments).replace("--interface uvicorn", "--server uvicorn").split()
        return antiphon("shop:app", *options, shop=app).serving()

    return serve


def status_of(connection):
    """The status of a response that has no more than a few lines, and its Retry-After."""
    connection.settimeout(DEADLINE)
    head = receive_until(connection, b"\r\n\r\n").decode().lower()
    retry = next((line.partition(": ")[2] for line in head.splitlines() if line.startswith("retry-after")), None)
    return int(head[9:12]), retry


@contextmanager
def blocked(command):
    """A worker whose loop is blocked in the block, for longer than a request waits before its client is looked at."""
    for name in ("begun", "go"):
        (command.folder / name).unlink(missing_ok=True)
    with closing(command.send("/block")) as connection:
        command.wait_until((command.folder / "begun").exists)
        yield
        time.sleep(UNWATCHED + 5 * TICK)
        (command.folder / "go").touch()
        assert status_of(connection)[0] == 200


def flood(command, path, count):
    """The statuses of many requests that arrive together, and the values of Retry-After."""
    with ExitStack() as stack:
        with blocked(command):
            sent = [stack.enter_context(closing(command.send(path))) for _ in range(count)]
        answers = [status_of(each) for each in sent]
    return Counter(status for status, _ in answers), {retry for status, retry in answers if status == 503}


@pytest.mark.parametrize(
    ("interface", "path"), [("asgi", "/burn"), ("rsgi", "/burn"), ("uvicorn", "/burn"), ("asgi", "/burn-thread")]
)
def test_requests_that_would_wait_too_long_are_refused_and_the_rest_answered(shop, interface, path):
    command = shop("--interface", interface, "--queue-timeout", "0.4")
    statuses, retries = flood(command, path, 100)
    assert {*statuses} == {200, 503}
    assert {int(retry) for retry in retries} <= {1, 2}
    assert "the worker is overloaded: refused" in command.log


@pytest.mark.parametrize("interface", ["asgi", "rsgi", "uvicorn"])
def test_probes_are_answered_while_others_are_refused(shop, interface):
    command = shop("--interface", interface, "--queue-timeout", "0.4")
    with ExitStack() as stack:
        with blocked(command):
            sent = [stack.enter_context(closing(command.send("/burn"))) for _ in range(60)]
            probes = [stack.enter_context(closing(command.send("/healthz"))) for _ in range(5)]
        assert [status_of(each)[0] for each in probes] == [200] * 5
        statuses = Counter(status_of(each)[0] for each in sent)
    assert statuses[503] > 0


def test_without_patience_nothing_is_refused(shop):
    statuses, _ = flood(shop("--queue-timeout", "0"), "/burn", 40)
    assert statuses == {200: 40}


@pytest.mark.parametrize("interface", ["asgi", "rsgi", "uvicorn"])
def test_a_request_whose_client_has_left_is_never_begun(shop, tmp_path, interface):
    command = shop("--interface", interface, "--queue-timeout", "10")
    with ExitStack() as stack:
        with blocked(command):
            for number in range(5):
                command.send(f"/note?name=gone{number}").close()
            sent = [stack.enter_context(closing(command.send(f"/note?name=here{number}"))) for number in range(5)]
        assert [status_of(each)[0] for each in sent] == [200] * 5
    begun = (tmp_path / "begun").read_text()
    assert "here0" in begun
    assert "gone" not in begun


@contextmanager
def blocked_threads(command, number=WORKERS):
    """A worker whose threads all wait, each for its own handler."""
    with ExitStack() as stack:
        sent = [stack.enter_context(closing(command.send("/block-thread"))) for _ in range(number)]
        begun = command.folder / "begun"
        command.wait_until(lambda: begun.exists() and begun.read_text().count("block") == number)
        yield
        (command.folder / "go").touch()
        assert {status_of(each)[0] for each in sent} == {200}


def post(command, path):
    connection = command.connect()
    connection.sendall(f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\nbody".encode())
    return connection


def text_of(command, path):
    with closing(command.send(path)) as connection, connection.makefile("rb") as lines:
        while lines.readline() not in (b"\r\n", b""):
            pass
        return lines.read(1 if path in ("/kept", "/left") else 5).decode()


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
@pytest.mark.parametrize("pause", [0, CALM + 5 * TICK], ids=["controlled", "open"])
def test_a_request_whose_client_left_while_it_waited_for_a_thread_is_never_begun(shop, tmp_path, interface, pause):
    command = shop("--interface", interface, "--queue-timeout", "20")
    text_of(command, "/kept")
    time.sleep(pause)
    with ExitStack() as stack:
        with blocked_threads(command):
            for path in ("/note-thread", "/inside/note-thread"):
                for number in range(3):
                    with closing(post(command, f"{path}?name=gone{number}")):
                        time.sleep(TICK)
            sent = stack.enter_context(closing(post(command, "/note-thread?name=here")))
            command.wait_until(lambda: text_of(command, "/left") == "6")
            command.wait_until(lambda: text_of(command, "/kept") in "01")
        assert status_of(sent)[0] == 200
    assert (tmp_path / "begun").read_text().replace("block\n", "") == "here\n"


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_a_request_that_waits_too_long_for_a_thread_is_refused(shop, tmp_path, interface):
    command = shop("--interface", interface, "--queue-timeout", "2")
    with blocked_threads(command), ExitStack() as stack:
        sent = [stack.enter_context(closing(post(command, "/note-thread?name=late"))) for _ in range(3)]
        statuses = [status_of(each) for each in sent]
        assert {status for status, _ in statuses} == {503}
        assert {int(retry) for _, retry in statuses} <= {1, 2, 3, 4}
        assert text_of(command, "/note?name=loop") == "noted"
    assert "late" not in (tmp_path / "begun").read_text()


def test_over_wsgi_requests_that_wait_for_a_thread_are_refused_and_probes_are_not(shop, tmp_path):
    command = shop("--interface", "wsgi", "--queue-timeout", "1")
    with blocked_threads(command, WSGI_THREADS), ExitStack() as stack:
        sent = [stack.enter_context(closing(post(command, "/note-thread?name=late"))) for _ in range(3)]
        probe = stack.enter_context(closing(command.send("/healthz")))
        assert [status_of(each)[0] for each in (probe, *sent)] == [200, 503, 503, 503]
    assert "late" not in (tmp_path / "begun").read_text()


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
@pytest.mark.parametrize("name", DIALECTS)
def test_nothing_of_a_request_to_a_dialect_runs_if_it_gets_no_thread(shop, tmp_path, name, interface):
    command = shop("--interface", interface, "--queue-timeout", "2", app=BLOCKING + DIALECTS[name])
    with blocked_threads(command), ExitStack() as stack:
        sent = [stack.enter_context(closing(post(command, "/note-thread?name=late"))) for _ in range(3)]
        assert {status_of(each)[0] for each in sent} == {503}
        begun = Counter((tmp_path / "begun").read_text().split())
    assert {*begun.items()} <= {("block", WORKERS), ("before", WORKERS)}


def send_as(client, command, path):
    """A connection from an address of this machine, or of a user, on which a request was sent."""
    is_address = client.startswith("127.")
    connection = socket.create_connection(("127.0.0.1", command.port), DEADLINE, (client if is_address else "", 0))
    cookie = "" if is_address else f"cookie: user={client}\r\n"
    connection.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{cookie}\r\n".encode())
    return connection


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, a machine has one address of its own")
@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
@pytest.mark.parametrize("name", ["127.0.1.{}", "user{}"])
def test_a_client_that_sends_a_hundred_does_not_take_the_place_of_the_others(shop, name, interface):
    command = shop("--interface", interface, "--queue-timeout", "2")
    with ExitStack() as stack:
        with blocked(command):
            greedy = [stack.enter_context(closing(send_as(name.format(1), command, "/nap"))) for _ in range(100)]
            others = [stack.enter_context(closing(send_as(name.format(i), command, "/nap"))) for i in range(2, 12)]
        assert Counter(status_of(each)[0] for each in others) == {200: 10}
        assert {status_of(each)[0] for each in greedy} == {200, 503}


def test_low_priority_waits_for_others(shop, tmp_path):
    command = shop("--queue-timeout", "10")
    with ExitStack() as stack:
        with blocked(command):
            sent = [stack.enter_context(closing(command.send("/low?name=low"))) for _ in range(4)]
            sent += [stack.enter_context(closing(command.send("/note?name=normal"))) for _ in range(4)]
        assert {status_of(each)[0] for each in sent} == {200}
    begun = (tmp_path / "begun").read_text().split()[1:]
    assert begun[-3:] == ["low"] * 3  # the first one of all may begin at once


def test_metrics_tell_who_waited(shop):
    command = shop("--queue-timeout", "0.4")
    flood(command, "/burn", 60)
    with closing(command.send("/metrics")) as connection, connection.makefile("rb") as lines:
        shown = [line.decode() for line in lines if b"antiphon_request_wait_seconds_count" in line or line == b"0\r\n"]
    assert any('outcome="refused"' in line for line in shown)
    assert any('outcome="begun"' in line for line in shown)


def test_a_busy_worker_is_not_ended(shop):
    command = shop("--queue-timeout", "0", "--worker-timeout", "0.5")
    statuses, _ = flood(command, "/burn-thread", 60)
    assert statuses == {200: 60}
    assert "--worker-timeout" not in command.log


def test_afterwards_all_is_as_before(shop):
    command = shop("--queue-timeout", "0.4")
    flood(command, "/burn", 40)
    command.wait_until(lambda: flood(command, "/note?name=x", 3)[0] == {200: 3})


def test_a_bad_patience_is_refused(antiphon):
    command = antiphon("apps:asgi", "--queue-timeout", "-1")
    assert command.exit_code() == 2
    assert "--queue-timeout" in command.err


def test_handshakes_wait_like_requests(shop):
    command = shop("--queue-timeout", "0.4")
    request = (
        b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with ExitStack() as stack:
        with blocked(command):
            sent = [stack.enter_context(closing(command.send("/burn"))) for _ in range(40)]
            opened: list[socket.socket] = []
            for _ in range(3):
                opened.append(stack.enter_context(closing(command.connect())))
                opened[-1].sendall(request)
        assert {status_of(each)[0] for each in opened} <= {101, 403, 503}
        assert {status_of(each)[0] for each in sent} == {200, 503}
