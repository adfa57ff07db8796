"""Channels of several processes, over each interface, while processes are replaced."""

import http.client
import json
import threading
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.processes import RUN
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

JSON = [("Content-Type", "application/json")]
APPLICATION = "tests.helpers.served.news:app"
ASGI = (*RUN, "--interface", "asgi")
RSGI = (*RUN, "--interface", "rsgi")
WSGI = (*RUN, "--interface", "wsgi")


@pytest.fixture
def serve(monkeypatch):
    with ExitStack() as stack:

        def serve(store, *commands):
            monkeypatch.setenv("STORE", str(store))
            return [stack.enter_context(ServerProcess(command, APPLICATION)) for command in commands]

        yield serve


def send(server, value, path="/send"):
    """Send a message, and return its id; None if the server does not say that it was sent."""
    try:
        response = server.respond(SentRequest("POST", path, JSON, json.dumps(value).encode()))
    except OSError:
        return None
    return response.body.decode() if response.status == 200 else None


class Browser(threading.Thread):
    """A client that comes back, with the id of its last event, as long as it is wanted."""

    def __init__(self, servers, path="/events"):
        super().__init__(daemon=True)
        self.servers = servers
        self.path = path
        self.received = []
        self.missed = []
        self.last_id = None
        self.listens = threading.Event()
        self.is_wanted = True

    def run(self):
        turn = 0
        while self.is_wanted:
            connection = http.client.HTTPConnection("127.0.0.1", self.servers[turn % len(self.servers)].port)
            turn += 1
            try:
                headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
                connection.request("GET", self.path, headers=headers)
                self._read(connection.getresponse())
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()

    def _read(self, response):
        event = {}
        while line := response.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name == ":" or name == "":
                self._dispatch(event)
                event = {}
            else:
                event[name] = value
            if line.startswith(":"):
                self.listens.set()

    def _dispatch(self, event):
        if event.get("event") == "missed":
            self.missed.append(json.loads(event["data"]))
        elif "id" in event:
            self.last_id = event["id"]
            self.received.append(json.loads(event["data"]))

    def has(self, sent):
        eventually(lambda: len(self.received) >= len(sent) or None, f"messages are missing: {self.received}")
        assert (self.received, self.missed) == (sent, [])
        self.is_wanted = False


def test_clients_of_three_processes_get_each_message_once_and_in_order(serve, valkey, tmp_path):
    """One process for each interface. The sockets listen beside the streams."""
    servers = serve(valkey.url, WSGI, ASGI, RSGI)
    browsers = [Browser([server], path) for server in servers for path in ("/events", "/events-of-def")]
    for each in browsers:
        each.start()
        assert each.listens.wait(DEADLINE)
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(connect(f"ws://127.0.0.1:{server.port}/room?name=ann")) for server in servers[1:]
        ]
        assert [socket.recv(DEADLINE) for socket in sockets] == ["listening"] * 2
        sent = [*range(30)]
        ids = [send(servers[n % 3], n, "/send" if n % 2 else "/send-now") for n in sent]
        for socket in sockets:
            assert [json.loads(socket.recv(DEADLINE)) for _ in sent] == [
                list(each) for each in zip(ids, sent, strict=True)
            ]
        for each in browsers:
            each.has(sent)
        assert json.loads(servers[0].respond(SentRequest("GET", "/who")).body) == ["ann"]
    eventually(
        lambda: json.loads(servers[1].respond(SentRequest("GET", "/who")).body) == [] or None, "ann has not left"
    )


def test_a_socket_is_told_that_its_process_restarts(serve, tmp_path):
    servers = serve(tmp_path / "store.db", RUN)
    with connect(f"ws://127.0.0.1:{servers[0].port}/room?name=ann") as socket:
        assert socket.recv(DEADLINE) == "listening"
        ending = threading.Thread(target=servers[0].end)
        ending.start()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(DEADLINE)
        ending.join()
    assert closed.value.rcvd.code == 1012


def test_those_of_a_killed_process_are_present_no_more(serve, tmp_path):
    servers = serve(tmp_path / "store.db", RUN, RUN)

    def who():
        return json.loads(servers[0].respond(SentRequest("GET", "/who")).body)

    with (
        connect(f"ws://127.0.0.1:{servers[0].port}/room?name=ann") as ann,
        connect(f"ws://127.0.0.1:{servers[1].port}/room?name=bob") as bob,
    ):
        assert [each.recv(DEADLINE) for each in (ann, bob)] == ["listening"] * 2
        assert who() == ["ann", "bob"]
        servers[1].kill()
        eventually(lambda: who() == ["ann"] or None, "bob has not left")
