"""The end of a user in two processes, over each interface: nothing that was under way survives."""

import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from itertools import product
from urllib.parse import urlencode, urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from antiphon.http import SetCookie
from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, SentRequest
from tests.helpers.authenticator import Authenticator
from tests.helpers.processes import RUN
from tests.helpers.stores import SHARED, place_of
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.once, pytest.mark.processes, pytest.mark.axes("serve")]

APP = "tests.helpers.served.ended:app"
COMMANDS = {name: (*RUN, "--interface", name) for name in ("asgi", "rsgi", "wsgi")}
COMMANDS["uvicorn"] = ("-m", "uvicorn", "{app}", "--port", "{port}")
COMMANDS["hypercorn"] = ("-m", "hypercorn", "{app}", "--bind", "127.0.0.1:{port}")
COMMANDS["gunicorn"] = ("-m", "gunicorn", "{app}", "--threads", "32", "--bind", "127.0.0.1:{port}")
STREAMS = ["/events", "/silent", "/events-of-def", "/lines"]
SOCKETS = ["/feed", "/feed-of-def"]
FORM = "Content-Type", "application/x-www-form-urlencoded"


@pytest.fixture(params=SHARED)
def serve(request, tmp_path, monkeypatch):
    """A function that starts servers, all on one store."""
    url = place_of(request.param, request, tmp_path)
    monkeypatch.setenv("STORE", url)
    monkeypatch.setenv("HOLD", str(tmp_path / "hold"))
    monkeypatch.setenv("DIE", str(tmp_path / "die"))
    monkeypatch.setenv("FOLDER", str(tmp_path / "uploads"))
    with ExitStack() as stack:
        yield lambda *names, app=APP: [stack.enter_context(ServerProcess(COMMANDS[name], app)) for name in names]


def send(server, method, target, *fields, **form):
    body = urlencode(form).encode() if form else None
    return server.respond(SentRequest(method, target, [*fields, *[FORM] * bool(form)], body))


def log_in(server, who, target="/login"):
    """Return the field with the session's cookie, an API key and a refresh token."""
    response = send(server, "POST", f"{target}/{who}")
    cookie = SetCookie.parse(dict(response.fields)["set-cookie"])
    given = json.loads(response.body)
    return ("Cookie", cookie.pair), ("X-API-Key", given["key"]), given["token"]


def open_socket(server, target, field):
    fields = dict([field, ("Origin", f"http://127.0.0.1:{server.port}")])
    opened = connect(f"ws://127.0.0.1:{server.port}{target}", additional_headers=fields, legacy=True)
    assert opened.recv(DEADLINE) == "open"
    return opened


class Listener(threading.Thread):
    """A client that reads a stream to its end."""

    def __init__(self, server, target, field):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
        self.connection.request("GET", target, headers={"Accept": "text/event-stream", **dict([field])})
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        self.target = target
        self.received = b""
        self.start()

    def run(self):
        with closing(self.connection), self.response, suppress(OSError, http.client.HTTPException):  # it is cut off
            while chunk := self.response.read1(100):
                self.received += chunk

    def leave(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.join(DEADLINE)

    def is_over(self):
        self.join(0)
        return None if self.is_alive() else True


def is_refused(server, target, field):
    return True if send(server, "GET", target, field).status == 401 else None


@pytest.mark.parametrize(("pair", "by"), [
    (("asgi", "rsgi"), "session"),
    (("wsgi", "asgi"), "key"),
    (("rsgi", "wsgi"), "token"),
    (("uvicorn", "hypercorn"), "administrator"),
    (("gunicorn", "uvicorn"), "session"),
])  # fmt: skip
def test_what_is_under_way_ends_in_both(serve, pair, by):
    one, other = servers = serve(*pair)
    cookie, key, token = log_in(one, 7)
    bens, _, _ = log_in(other, 8)
    run = [send(server, "POST", "/run/7").body.decode() for server in servers]
    open_streams = [
        Listener(server, target, field) for server in servers for target in STREAMS for field in (cookie, key)
    ]
    others = [Listener(server, target, bens) for server in servers for target in STREAMS]
    with_sockets = [server for server, name in zip(servers, pair, strict=True) if name != "wsgi"]
    sockets = [
        (server, open_socket(server, *each)) for server in with_sockets for each in product(SOCKETS, (cookie, key))
    ]
    kept = [open_socket(server, "/feed", bens) for server in with_sockets]
    for each in (*open_streams, *others):
        eventually(lambda each=each: each.received or None, f"{each.target} did not begin")
    given = {"session": cookie, "key": key, "token": ("Authorization", "Bearer 7")}
    ended = send(one, "POST", "/end/7") if by == "administrator" else send(one, "POST", "/logout", given[by])
    assert ended.status == 200, ended.body
    for each in open_streams:
        eventually(each.is_over, f"{each.target} goes on")
    for server, each in sockets:
        with pytest.raises(ConnectionClosed) as closed:
            each.recv(DEADLINE)
        assert closed.value.rcvd.code == (1005 if "rsgi" in server.command else 1008)  # RSGI has no codes
    for server in servers:
        assert is_refused(server, "/me", cookie)
        assert is_refused(server, "/me", key)
        assert send(server, "POST", "/token", token=token).status == 400
        assert send(server, "GET", "/me", bens).body == b"8"
        assert [send(server, "GET", f"/run/7/{each}").body for each in run] == [b"stopped"] * 2
    assert not any(each.is_over() for each in others)
    for each in kept:
        each.send("still here")
        assert each.recv(DEADLINE) == "still here"
        each.close()
    for each in others:
        each.leave()


@pytest.mark.parametrize("pair", [("asgi", "wsgi"), ("rsgi", "uvicorn"), ("gunicorn", "asgi")], ids="-".join)
def test_who_is_disconnected_loses_what_is_open_in_both_and_stays_logged_in(serve, pair):
    one, other = servers = serve(*pair)
    (cookie, key, _), (bens, _, _) = log_in(one, 7), log_in(other, 8)
    streams = [Listener(server, target, field) for server in servers for target in STREAMS for field in (cookie, key)]
    others = [Listener(server, target, bens) for server in servers for target in STREAMS]
    sockets = [open_socket(servers[pair.index("asgi" if "asgi" in pair else "rsgi")], each, key) for each in SOCKETS]
    for each in (*streams, *others):
        eventually(lambda each=each: each.received or None, f"{each.target} did not begin")
    assert send(one, "POST", "/disconnect/7").status == 200
    for each in streams:
        eventually(each.is_over, f"{each.target} goes on")
    for each in sockets:
        with pytest.raises(ConnectionClosed):
            each.recv(DEADLINE)
    assert not any(each.is_over() for each in others)
    for server in servers:
        assert [send(server, "GET", "/me", field).body for field in (cookie, key)] == [b"7"] * 2
    for each in others:  # Uvicorn waits for them when it ends
        each.leave()


@pytest.mark.parametrize("pair", [("asgi", "rsgi"), ("wsgi", "uvicorn")], ids="-".join)
@pytest.mark.parametrize("target", ["/login", "/alogin"])
def test_a_login_under_way_comes_too_late_and_the_next_one_lives(serve, pair, target, tmp_path):
    one, other = serve(*pair)
    hold = tmp_path / "hold"
    for began, ending in [(one, other), (other, one)]:
        hold.touch()
        with began.connect() as connection:
            connection.send(SentRequest("POST", f"{target}/7?waits=1").encoded)
            eventually(lambda: hold.with_suffix(".waits").exists() or None, "no login waits")
            assert send(ending, "POST", "/end/7").status == 200
            hold.unlink()
            hold.with_suffix(".waits").unlink()
            late = connection.receive("POST")
        assert "set-cookie" not in dict(late.fields)
        assert late.status == {"/login": 401, "/alogin": 200}[target]
        cookie, _, _ = log_in(began, 7)
        assert send(ending, "GET", "/me", cookie).body == b"7"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("pair", [("asgi", "wsgi"), ("rsgi", "asgi")], ids="-".join)
def test_a_client_whose_server_is_killed_gets_its_next_token(serve, pair, moment, tmp_path):
    one, other = serve(*pair)
    _, _, token = log_in(one, 7)
    (tmp_path / "die").write_text(moment)
    with pytest.raises(Closed):
        send(one, "POST", "/token", token=token)
    one.kill()
    second = json.loads(send(other, "POST", "/token", token=token).body)["token"]
    assert json.loads(send(other, "POST", "/token", token=token).body)["token"] == second
    assert send(other, "POST", "/token", token=second).status == 200
    assert send(other, "POST", "/token", token=token).status == 400  # used again, and its successor was used, too
    assert "may have been stolen" in other.stderr


@pytest.mark.parametrize("pair", [("asgi", "rsgi"), ("wsgi", "asgi")], ids="-".join)
def test_a_token_that_two_processes_get_at_once_has_one_successor(serve, pair):
    servers = serve(*pair)
    _, _, token = log_in(servers[0], 7)
    for _ in range(5):
        with ThreadPoolExecutor(6) as threads:
            sent = [threads.submit(send, server, "POST", "/token", token=token) for server in servers * 3]
            found = [each.result(DEADLINE).body for each in sent]
        assert len({*found}) == 1
        token = json.loads(found[0])["token"]


KINDS = (
    "session", "key", "token", "passkey", "registration", "half a login", "session as another", "role", "upload",
    "agreement", "run", "job", "stream", "stream by key", "stream as another", "socket", "presence", "live block",
)  # fmt: skip
ENDS_OF = {
    "end": {*KINDS} - {"job"},
    "password": {*KINDS} - {"job"},
    "new-key": {"key", "stream by key"},
    "demoted": {"role"},
    "disconnect": {"stream", "stream by key", "stream as another", "socket", "presence"},
    "gone": {*KINDS} - {"run", "job"},
}
"""What ends within seconds, in every process, or within a minute once the user is gone; all the rest goes on."""


PROTOCOL = "io.modelcontextprotocol/"
CLIENT = {f"{PROTOCOL}protocolVersion": "2026-07-28", f"{PROTOCOL}clientCapabilities": {"elicitation": {"form": {}}}}
TOOL_CALL = [
    ("Mcp-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "pay"),
    ("Accept", "application/json, text/event-stream"),
]  # fmt: skip
AGREED = {"confirmation": {"action": "accept", "content": {}}}


def cookie_of(response):
    return "Cookie", SetCookie.parse(dict(response.fields)["set-cookie"]).pair


class Held:
    """One of everything that a user can hold, begun on both servers. It says what has ended."""

    def __init__(self, servers, who):
        self.one, self.other, self.who = *servers, who
        response = send(self.one, "POST", f"/login/{who}")
        self.session, made = cookie_of(response), json.loads(response.body)
        self.key, self.token = ("X-API-Key", made["key"]), made["token"]
        self.device, self.second = Authenticator(), Authenticator()
        begun = self.post("/passkeys/register", self.session, {"name": "ada"})
        kept = cookie_of(begun) if "set-cookie" in dict(begun.fields) else self.session
        assert self.post("/passkeys/register", kept, self.device.create(json.loads(begun.body))).status == 200
        self.registering = json.loads(self.post("/passkeys/register", self.session, {"name": "ada"}).body)
        self.half = cookie_of(send(self.other, "POST", f"/half/{who}"))
        administrator = cookie_of(send(self.other, "POST", f"/login/{who}"))
        self.as_another = cookie_of(send(self.other, "POST", "/as/99", administrator))
        self.run = send(self.one, "POST", f"/run/{who}").body.decode()
        send(self.one, "POST", f"/job/{who}")
        incomplete = [self.session, ("Upload-Complete", "?0"), ("Upload-Draft-Interop-Version", "8")]
        self.upload = dict(send(self.one, "POST", "/upload", *incomplete).fields)["location"]
        self.agreed = {"requestState": self.call_tool()["requestState"], "inputResponses": AGREED}
        self.open = {
            "stream": Listener(self.other, "/stream", self.session),
            "stream by key": Listener(self.one, "/stream", self.key),
            "stream as another": Listener(self.other, "/stream?as=99", self.session),
            "live block": Listener(self.other, "/live", self.session),
        }
        self.socket = open_socket(self.other, "/socket", self.session)
        for name, each in self.open.items():
            eventually(lambda each=each: each.received or None, f"{name} did not begin")

    def post(self, target, field, content, *more):
        fields = [field, ("Content-Type", "application/json"), *more]
        return self.other.respond(SentRequest("POST", target, fields, json.dumps(content).encode()))

    def call_tool(self, **agreed):
        params = {"_meta": CLIENT, "name": "pay", "arguments": {}, **agreed}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return json.loads(self.post("/mcp", self.session, message, *TOOL_CALL).body).get("result", {})

    def can_sign_in(self, device):
        begun = self.post("/passkeys/sign-in", ("X", "y"), {})
        return self.post("/passkeys/sign-in", cookie_of(begun), device.get(json.loads(begun.body))).status == 200

    def registers(self):
        sent = self.post("/passkeys/register", self.session, self.second.create(self.registering))
        return sent.status == 200 and self.can_sign_in(self.second)

    def logs_in(self):
        finished = send(self.other, "POST", "/code", self.half)
        if finished.status != 200 or "set-cookie" not in dict(finished.fields):
            return False
        return send(self.other, "GET", "/me", cookie_of(finished)).status == 200

    def part_is_taken(self):
        fields = [("Content-Type", "application/partial-upload"), ("Upload-Complete", "?0"), ("Upload-Offset", "0")]
        target = urlsplit(self.upload).path
        sent = self.other.respond(SentRequest("PATCH", target, [self.session, *fields], b"x"))
        return sent.status == 204

    def echoes(self):
        with suppress(ConnectionClosed):
            self.socket.send("still here")
            return bool(self.socket.recv(DEADLINE))
        return False

    def is_away(self):
        return True if send(self.one, "GET", f"/present/{self.who}").body == b"away" else None

    def works(self):
        """Return True if the job counts its turns."""
        first = int(self.turns())
        return eventually(lambda: int(self.turns()) > first or None, "the job does not go on")

    def turns(self):
        return send(self.other, "GET", f"/job/{self.who}").body

    def going_on(self):
        """Return what goes on, by requests to the other process."""
        get = partial(send, self.other, "GET")
        checks = {
            "session": lambda: get("/me", self.session).status == 200,
            "key": lambda: get("/me", self.key).status == 200,
            "role": lambda: get("/admin", self.session).status == 200,
            "token": lambda: send(self.other, "POST", "/token", token=self.token).status == 200,
            "upload": self.part_is_taken,
            "agreement": lambda: self.call_tool(**self.agreed).get("isError") is False,
            "run": lambda: get(f"/run/{self.who}/{self.run}").body == b"running",
            "job": self.works,
            "socket": self.echoes,
            "presence": lambda: get(f"/present/{self.who}").body == b"present",
            "half a login": self.logs_in,
            "session as another": lambda: get("/me", self.as_another).status == 200,
            "passkey": lambda: self.can_sign_in(self.device),
            "registration": self.registers,
        }
        return {name for name, check in checks.items() if check()} | {
            name for name, each in self.open.items() if not each.is_over()
        }

    def leave(self):
        self.socket.close()
        send(self.one, "POST", f"/stop/{self.who}/{self.run}")
        for each in self.open.values():
            if not each.is_over():
                each.leave()


@pytest.mark.parametrize("how", ENDS_OF)
def test_the_table_of_what_ends(serve, how, postgres, monkeypatch):
    """Each cell, in two processes. What a role opens is the application's check of each request."""
    pytest.importorskip("webauthn")
    pytest.importorskip("dbos")
    monkeypatch.setenv("DATABASE", postgres)
    monkeypatch.setenv("RENEWED_FOR", "0.5")  # instead of a minute
    servers = serve("asgi", "uvicorn", app="tests.helpers.served.held:app")
    held, of_other = (Held(servers, who) for who in (7, 8))
    assert send(servers[0], "POST", f"/{how}/7").status == 200
    for name in ENDS_OF[how] & held.open.keys():
        eventually(held.open[name].is_over, f"{name} goes on")
    if "presence" in ENDS_OF[how]:
        eventually(held.is_away, "the user is still present")
    assert {*KINDS} - held.going_on() == ENDS_OF[how]
    assert of_other.going_on() == {*KINDS}
    for each in (held, of_other):
        each.leave()
