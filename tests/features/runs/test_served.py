"""Runs over several processes, over each interface, while these are replaced, killed and told to end."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

import pytest
from websockets.sync.client import connect

from antiphon.http import parse_events
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.processes import RUN
from tests.helpers.rows import rows
from tests.helpers.stores import SHARED, place_of
from tests.helpers.waiting import DEADLINE, in_time

pytestmark = [pytest.mark.once, pytest.mark.processes]

APPLICATION = "tests.helpers.served.runs:app"
GRACE = ("--grace", "2")
ASGI = (*RUN, "--interface", "asgi", *GRACE)
RSGI = (*RUN, "--interface", "rsgi", *GRACE)
WSGI = (*RUN, "--interface", "wsgi", *GRACE)
LEASE = 1.5


@pytest.fixture
def serve(monkeypatch):
    with ExitStack() as stack:

        def serve(store, *commands):
            monkeypatch.setenv("STORE", str(store))
            monkeypatch.setenv("LEASE", str(LEASE))
            return [stack.enter_context(ServerProcess(command, APPLICATION)) for command in commands]

        yield serve


def ask(server, method, path, **fields):
    response = server.respond(
        SentRequest(method, path, [(name.replace("_", "-"), text) for name, text in fields.items()])
    )
    return response.status, json.loads(response.body) if response.body[:1] in (b"{", b"[") else response.body


def start(server, count, pause=0.02, source="async", path="/runs", **fields):
    status, run = ask(server, "POST", f"{path}?count={count}&pause={pause}&source={source}", **fields)
    assert status == 202, run
    return run


class Follower:
    """A client that comes back with the id of its last event, to one server after the other."""

    def __init__(self, servers, id_, path="/runs"):
        self.servers = servers
        self.path = f"{path}/{id_}"
        self.values = []
        self.missed = []
        self.end = None
        self.last_id = None
        self.connections = 0

    def follow(self, at_once=10**9):
        """Follow to the end, or leave and come back after a number of values."""
        end = time.monotonic() + 2 * DEADLINE
        while self.end is None:
            assert time.monotonic() < end, f"no end after {len(self.values)} values"
            server = self.servers[self.connections % len(self.servers)]
            self.connections += 1
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
            with closing(connection), suppress(OSError, http.client.HTTPException):
                headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
                connection.request("GET", self.path, headers=headers)
                self._read(connection.getresponse(), at_once)
            time.sleep(0.05)  # as clients do; without it, a worker that drains would be asked all the time
        return self

    def _read(self, response, at_once):
        assert response.status == 200
        block = ""
        count = len(self.values)
        while self.end is None and len(self.values) < count + at_once and (line := response.readline().decode()):
            block += line
            if line == "\n":
                for event in parse_events(block):
                    self._note(event)
                block = ""

    def _note(self, event):
        self.last_id = event.id or self.last_id
        if event.event == "missed":
            self.missed.append(json.loads(event.data))
        elif event.event:
            self.end = event.event, json.loads(event.data)
        elif event.data is not None:
            self.values.append(json.loads(event.data))

    @property
    def numbers(self):
        return [value["n"] for value in self.values]


@rows("kind", SHARED)
def test_clients_of_three_processes_get_each_value_once_and_in_order(serve, tmp_path, request, kind):
    """One process for each interface. Each produces, and each is followed, by clients that come and go."""
    store = place_of(kind, request, tmp_path)
    servers = serve(store, WSGI, ASGI, RSGI)
    for turn, server in enumerate(servers):
        for source, path in (("async", "/runs"), ("def", "/runs-now")):
            run = start(server, 30, source=source, path=path)
            for number, at_once in ((turn, 7), (turn + 1, 10**9)):
                follower = Follower(servers[number % 3 :] + servers[: number % 3], run["id"], path).follow(at_once)
                assert (follower.numbers, follower.missed) == ([*range(1, 31)], [])
                assert {value["pid"] for value in follower.values} == {run["pid"]}
                assert follower.end == ("done", {"total": 30})


@rows("command", [ASGI, WSGI])
def test_a_run_is_stopped_over_another_process(serve, tmp_path, command):
    here, there = serve(tmp_path / "runs.db", command, command)
    for source, path in (("async", "/runs"), ("def", "/runs-now")):
        run = start(here, 1000, source=source)
        assert ask(there, "DELETE", f"{path}/{run['id']}") == (200, {"stopped": True})
        assert ask(there, "DELETE", f"{path}/{run['id']}") == (200, {"stopped": False})
        assert in_time(Follower([here], run["id"]).follow).end[0] == "stopped"


def test_an_attacker_learns_nothing_and_stops_nothing(serve, tmp_path):
    """Eve knows the id of Ann's run, and the ids of its events; or guesses."""
    [server] = serve(tmp_path / "runs.db", ASGI)
    run = start(server, 60, pause=0.05, x_user="ann")
    own = start(server, 3, x_user="eve")
    following = Follower([server], run["id"])
    event_id = f"{run['id'][:8]}.1-1"
    for id_ in (
        run["id"], run["id"].lower(), run["id"][:-1], own["id"] + "x", "..%2f" + own["id"], "%00", "%ff", "x" * 4000,
    ):  # fmt: skip
        for method, path in (("GET", "runs"), ("GET", "lines"), ("GET", "ui"), ("DELETE", "runs"),
                             ("DELETE", "runs-now"), ("GET", "runs-now")):  # fmt: skip
            status, _ = ask(server, method, f"/{path}/{id_}", x_user="eve", last_event_id=event_id)
            assert status == 404 or (id_ in ("%00", "%ff") and status == 400), (method, path, id_)
    with (
        pytest.raises(Exception, match="404"),
        connect(f"ws://127.0.0.1:{server.port}/sockets/{run['id']}", additional_headers={"X-User": "eve"}),
    ):
        pass
    _, body = ask(server, "GET", f"/runs/{own['id']}", x_user="eve", last_event_id=event_id)  # it begins at the start
    assert next(event.data for event in parse_events(body.decode()) if event.id).startswith('{"n":1,')
    assert ask(server, "GET", "/runs", x_user="eve")[1] == [{"id": own["id"], "state": "done"}]
    assert following.follow().end == ("done", {"total": 60})


def test_followers_learn_that_a_process_was_killed(serve, tmp_path):
    here, there = serve(tmp_path / "runs.db", ASGI, ASGI)
    run = start(here, 1000)
    follower = Follower([there], run["id"])
    here.kill()
    assert in_time(follower.follow).end[0] == "interrupted"
    assert follower.numbers == [*range(1, len(follower.values) + 1)]
    assert ask(there, "GET", "/runs")[1] == [{"id": run["id"], "state": "interrupted"}]


def test_a_run_that_may_be_started_again_is_finished_by_another_process(serve, tmp_path):
    here, there = serve(tmp_path / "runs.db", ASGI, WSGI)
    run = start(here, 40, pause=0.05, source="again")
    follower = Follower([there], run["id"])
    in_time(partial(_until, there, run["id"], 5))
    here.kill()
    assert in_time(follower.follow).end == ("done", {"total": 40})
    assert follower.numbers == [*range(1, 41)]
    assert len({value["pid"] for value in follower.values}) == 2


def _until(server, id_, number):
    """Wait until a run has given some values."""
    follower = Follower([server], id_)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)) as connection:
        connection.request("GET", f"/runs/{id_}")
        follower._read(connection.getresponse(), number)


@rows("command", [ASGI, WSGI])
def test_a_worker_that_ends_lets_runs_finish_within_the_grace(serve, tmp_path, command):
    here, there = serve(tmp_path / "runs.db", command, command)
    short, long, again = [
        start(here, count, pause=0.05, source=source)
        for count, source in ((20, "async"), (400, "async"), (70, "again"))
    ]
    here.send_signal(signal.SIGTERM)
    for run, end in ((short, "done"), (long, "interrupted"), (again, "done")):
        follower = in_time(Follower([there], run["id"]).follow)
        assert follower.end[0] == end
        assert follower.numbers == [*range(1, follower.end[1]["total"] + 1)]
    assert follower.numbers == [*range(1, 71)]
    here.end()


def test_a_worker_that_is_replaced_hands_on_its_runs(serve, tmp_path):
    [server] = serve(tmp_path / "runs.db", ASGI)
    short, again = [
        start(server, count, pause=0.05, source=source) for count, source in ((30, "async"), (200, "again"))
    ]
    server.send_signal(signal.SIGUSR2)
    for run, count in ((short, 30), (again, 200)):
        follower = in_time(Follower([server], run["id"]).follow)
        assert (follower.end, follower.missed) == (("done", {"total": count}), [])
        assert follower.numbers == [*range(1, count + 1)]
    assert len({value["pid"] for value in follower.values}) == 2


def test_streams_for_other_readers(serve, tmp_path):
    [server] = serve(tmp_path / "runs.db", ASGI)
    run = start(server, 3, source="words")
    follower = connect(f"ws://127.0.0.1:{server.port}/sockets/{run['id']}")
    with follower as socket:
        received = [json.loads(message) for message in socket]
    assert [each.get("data") for each in received] == ["1 ", "2 ", "3 ", '{"total":3}']
    assert [each.get("event") for each in received] == [None, None, None, "done"]
    with connect(f"ws://127.0.0.1:{server.port}/sockets/{run['id']}?since={received[1]['id']}") as socket:
        assert json.loads(socket.recv(DEADLINE))["data"] == "3 "
    assert ask(server, "GET", f"/lines/{run['id']}")[1] == b'"1 "\n"2 "\n"3 "\n'
    ui = [event.data for event in parse_events(ask(server, "GET", f"/ui/{run['id']}")[1].decode()) if event.data]
    assert [json.loads(each) for each in ui[:-1]] == [
        {"type": "start", "messageId": run["id"]},
        {"type": "text-start", "id": "1"},
        *({"type": "text-delta", "id": "1", "delta": f"{n} "} for n in (1, 2, 3)),
        {"type": "text-end", "id": "1"},
        {"type": "finish"},
    ]
    assert ui[-1] == "[DONE]"


@rows(
    "command, number", [(ASGI, signal.SIGTERM), (RSGI, signal.SIGUSR2), (WSGI, signal.SIGTERM), (ASGI, signal.SIGUSR2)]
)
def test_chat_components_see_a_whole_answer_or_an_error_when_a_worker_ends(serve, tmp_path, command, number):
    """The short run ends within the grace. The long one is in the other process, where it goes on."""
    here, there = serve(tmp_path / "runs.db", command, ASGI)
    short, long = start(here, 30, source="words"), start(there, 10_000, source="words")
    with ThreadPoolExecutor() as pool:
        followed = [
            (run, opened := Stream(here, f"/ui/{run['id']}"), pool.submit(opened.read_all)) for run in (short, long)
        ]
        for _, stream, _ in followed:
            assert stream.has_text.wait(DEADLINE)
        here.send_signal(number)
        ends = {run["id"]: read.result(2 * DEADLINE) for run, _, read in followed}
    text = lambda parts: "".join(part.get("delta", "") for part in parts)  # noqa: E731
    whole = {run["id"]: "".join(f"{n} " for n in range(1, count + 1)) for run, count in ((short, 30), (long, 10_000))}
    for id_, parts in ends.items():
        is_whole = id_ == short["id"]
        last = {"type": "finish"} if is_whole else {"type": "error", "errorText": "The answer was interrupted."}
        assert whole[id_].startswith(text(parts))
        assert (parts[-1], text(parts) == whole[id_]) == (last, is_whole)
    received = text(ends[long["id"]])
    resumed = Stream(there, f"/ui/{long['id']}")
    assert text(resumed.read_all(len(received))) == received
    assert ask(there, "DELETE", f"/runs/{long['id']}") == (200, {"stopped": True})
    assert "Traceback" not in here.stderr


class Stream:
    """The stream of a chat component: its parts, until it ends or is cut off."""

    def __init__(self, server, path):
        self.has_text = threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
        self._connection.request("GET", path)

    def read_all(self, most=10**9):
        parts = []
        response = self._connection.getresponse()
        while most > 0 and (line := response.readline()):
            if line.startswith(b"data: {"):
                parts.append(json.loads(line[6:]))
                if "delta" in parts[-1]:
                    self.has_text.set()
                    most -= len(parts[-1]["delta"])
        self._connection.close()
        return parts


TOOLS = Path(os.environ.get("API_CLIENTS", Path(__file__).parents[3] / "var" / "api-clients"))
"""The folder with the packages of npm, which `scripts/weekly api-clients` fetches."""
RESUME = """
import { DefaultChatTransport, readUIMessageStream } from "ai";
const prepareReconnectToStreamRequest = ({ id }) => ({ api: `${process.argv[2]}/ui/${id}` });
const transport = new DefaultChatTransport({ prepareReconnectToStreamRequest });
for (let turn = 0; turn < 2; turn++) {
  const stream = await transport.reconnectToStream({ chatId: process.argv[3] });
  let last;
  for await (const message of readUIMessageStream({ stream, terminateOnError: true })) last = message;
  console.log(last.id, last.parts.map((part) => part.text).join(""));
}
"""


def test_the_ai_sdk_resumes_a_run(serve, tmp_path):
    if not (TOOLS / "node_modules" / "ai").is_dir():
        pytest.skip("scripts/weekly api-clients fetches the generators")
    [server] = serve(tmp_path / "runs.db", ASGI)
    run = start(server, 20, source="words")
    (tmp_path / "resume.mjs").write_text(RESUME)
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    command = ["node", "resume.mjs", f"http://127.0.0.1:{server.port}", run["id"]]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [f"{run['id']} {''.join(f'{n} ' for n in range(1, 21))}"] * 2


def test_typed_values_are_answered_as_the_client_prefers_and_documented(serve, tmp_path):
    [server] = serve(tmp_path / "runs.db", ASGI)
    run = start(server, 2)
    values = [{"n": n, "pid": run["pid"]} for n in (1, 2)]
    assert ask(server, "GET", f"/values/{run['id']}", accept="application/json") == (200, values)
    lines = server.respond(SentRequest("GET", f"/values/{run['id']}")).body
    assert [json.loads(line) for line in lines.splitlines()] == values
    content = json.loads(server.respond(SentRequest("GET", "/openapi.json")).body)
    [answer] = [each for path, each in content["paths"].items() if path.startswith("/values")]
    assert answer["get"]["responses"]["200"]["content"]["application/x-ndjson"]["itemSchema"] == {
        "$ref": "#/components/schemas/Counted"
    }
