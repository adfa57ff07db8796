"""WebSockets over real servers: each case has the server's answer, and no better one."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from tests.contract.probes import Probe
from tests.contract.process import ServerProcess
from tests.contract.servers import BY_ITSELF, SOCKET_SERVERS, Server, server
from tests.contract.sockets.cases import CASES, HANDSHAKE, end, events, opened, refused, status
from tests.contract.wire import Connection, SentRequest
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes
APPLICATION = "tests.contract.sockets.application:app"
NAMES = [*(server.name for server in SOCKET_SERVERS), "Granian by itself"]


@pytest.fixture(scope="module", params=[*SOCKET_SERVERS, BY_ITSELF], ids=NAMES)
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Server, ServerProcess]]:
    with ServerProcess(request.param.command, APPLICATION) as process:
        yield request.param, process


@rows("case", CASES, ids=lambda case: case.name)
def test_case(served: tuple[Server, ServerProcess], case: Probe) -> None:
    server, process = served
    assert case.ask(process) == server.gaps.get(case.name, case.best)


def test_client_that_leaves_before_the_handshake_is_answered(served: tuple[Server, ServerProcess]) -> None:
    _, process = served
    said, case = process.stderr, uuid4().hex
    with Connection(process.port) as client:
        client.send(SentRequest("GET", f"/late?case={case}", HANDSHAKE).encoded)
        eventually(lambda: "waits" in events(process, case) or None, "the handler was not called")
        client.reset()
    process.respond(SentRequest("GET", f"/left?case={case}"))
    eventually(lambda: "ended" in events(process, case) or None, "the handler waits for ever")
    assert process.respond(SentRequest("GET", "/page")).status == 200
    assert "Traceback" not in process.stderr[len(said) :]


AT_ONCE = 21
"""Sockets that are open at the end."""


ENDING = [server for server in SOCKET_SERVERS if server.gaps.get("End at SIGTERM") != "nothing"]


@pytest.mark.parametrize("server", ENDING, ids=lambda server: server.name)
def test_sigterm_ends_each_socket_and_lets_its_handler_finish(server: Server, tmp_path: Path) -> None:
    """Some handlers wait for the client, on the loop or on a thread, others for something else."""
    path = tmp_path / "shutdown"
    with ServerProcess(server.command, APPLICATION) as process, ExitStack() as stack:
        paths = [f"/until-shutdown?path={path}", "/echo", "/sync"] * (AT_ONCE // 3)
        sockets = [stack.enter_context(opened(process, each)) for each in paths]
        for socket in sockets:
            socket.send("ready")
            assert socket.recv() == "ready"
        process.end()
        assert {end(socket)[:4] for socket in sockets} == {server.gaps.get("End at SIGTERM", "1012")}
        assert "Error" not in process.stderr
    assert (path.read_text(), Path(f"{path}.handler").read_text()) == ("called", "ended")


@pytest.mark.parametrize("options", [(), ("--no-access-log",)])
def test_granian_survives_the_refusals_of_other_applications(options: tuple[str, ...]) -> None:
    with ServerProcess(SOCKET_SERVERS[0].command + options, f"{APPLICATION.partition(':')[0]}:refusing") as process:
        response = process.respond(SentRequest("GET", "/", HANDSHAKE))
        assert (response.status, response.values("link"), response.values("set-cookie")) == (
            403,
            ["</a>, </b>"],
            ["a=1"],
        )


def test_each_refusal_and_each_socket_is_in_the_access_log() -> None:
    with ServerProcess(SOCKET_SERVERS[0].command, APPLICATION) as process:
        with opened(process, "/echo") as socket:
            socket.send("abc")
            socket.recv()
            socket.close(4000)
        assert process.respond(SentRequest("GET", "/echo")).status == 426
        log = eventually(lambda: process.stderr if " 426 " in process.stderr else None, "nothing is logged")
    assert "GET /echo 101 3 bytes" in log
    assert "closed with 4000, 1 messages in, 1 out" in log


def socket_server(name: str) -> Server:
    return next(server for server in SOCKET_SERVERS if server.name == name)


def test_hypercorn_tells_sockets_nothing_at_sigterm() -> None:
    with ServerProcess(socket_server("Hypercorn").command, APPLICATION) as process, opened(process, "/echo") as socket:
        process.send_signal(signal.SIGTERM)
        with pytest.raises(TimeoutError):
            socket.recv(1)
        socket.close()


def test_ctrl_c_ends_each_socket() -> None:
    with ServerProcess(socket_server("Werkzeug").command, APPLICATION) as process, opened(process, "/sync") as socket:
        socket.send("ready")
        assert socket.recv() == "ready"
        process.send_signal(signal.SIGINT)
        assert end(socket)[:4] == "1012"
        eventually(lambda: not process.is_running or None, "the server stays")
        process.kill()


def test_gunicorn_keeps_a_thread_for_other_requests() -> None:
    command = [part if part != "64" else "3" for part in socket_server("Gunicorn, gthread").command]
    with ServerProcess(command, APPLICATION) as process, opened(process, "/echo"), opened(process, "/sync"):
        assert status(process) == "503"
        assert process.respond(SentRequest("GET", "/page")).status == 200


@pytest.mark.parametrize("options", [(), ("--worker-class", "gthread", "--threads", "1")])
def test_gunicorn_with_one_thread_has_no_sockets(options: tuple[str, ...]) -> None:
    with ServerProcess(server("Gunicorn, sync").command + options, APPLICATION) as process:
        response = refused(process, "/echo")
        assert (response.status_code, b"several threads" in response.body) == (501, True)
