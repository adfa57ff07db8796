"""`antiphon run` as a service of systemd: on a socket that systemd holds, and ready when it says so."""

import os
import socket
from contextlib import ExitStack, closing
from functools import partial

import pytest

from tests.cli.conftest import receive_until
from tests.helpers.systemd import notifications

pytestmark = [pytest.mark.processes, pytest.mark.once]


@pytest.fixture(params=["port", "path"])
def listener(request, tmp_path):
    """A socket on which systemd listens."""
    if request.param == "port":
        opened = socket.create_server(("127.0.0.1", 0))
    else:
        opened = socket.socket(socket.AF_UNIX)
        opened.bind(os.fspath(tmp_path / "shop.sock"))
        opened.listen()
    with closing(opened):
        yield opened


def address(listener):
    name = listener.getsockname()
    return f"unix:{name}" if isinstance(name, str) else "http://{}:{}".format(*name)


def test_it_serves_on_the_socket_that_it_was_given(antiphon, listener):
    command = antiphon("apps:asgi", listeners=[listener]).serving()
    assert f"Antiphon serves apps:asgi on {address(listener)} (" in command.out
    assert command.get().startswith("asgi")


def test_a_request_that_comes_between_two_runs_is_answered_by_the_second(antiphon, listener):
    first = antiphon("apps:asgi", listeners=[listener]).serving()
    first.process.terminate()
    assert first.exit_code() == 0
    with first.send("/") as connection:
        second = antiphon("apps:asgi", listeners=[listener]).serving()
        receive_until(connection, b"asgi")
    second.process.terminate()
    assert second.exit_code() == 0
    assert first.err == second.err == ""


def test_two_serve_on_one_socket_and_one_ends(antiphon, listener):
    ends = antiphon("apps:asgi", "--workers", "2", listeners=[listener]).serving()
    stays = antiphon("apps:asgi", listeners=[listener]).serving()
    ends.process.terminate()
    assert ends.exit_code() == 0
    for _ in range(5):
        assert stays.get().startswith("asgi")


@pytest.mark.parametrize("name", ["{folder}/notify", "@antiphon-{process}"], ids=["path", "abstract"])
def test_systemd_is_told_when_requests_are_answered(antiphon, monkeypatch, tmp_path, name):
    name = name.format(folder=tmp_path, process=os.getpid())
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with notifications(name) as receiver:
        command = antiphon("apps:asgi")
        assert receiver.recv(100) == b"READY=1"
        command.serving().get()


def test_an_application_that_fails_is_never_ready(antiphon, monkeypatch, tmp_path):
    monkeypatch.setenv("NOTIFY_SOCKET", name := f"{tmp_path}/notify")
    with notifications(name) as receiver:
        assert antiphon("nowhere:app").exit_code() == 2
        receiver.setblocking(False)
        with pytest.raises(BlockingIOError):
            receiver.recv(100)


def test_a_systemd_that_does_not_listen_is_no_reason_to_end(antiphon, monkeypatch, tmp_path):
    monkeypatch.setenv("NOTIFY_SOCKET", f"{tmp_path}/nobody")
    command = antiphon("apps:asgi").serving()
    assert command.get().startswith("asgi")
    assert command.err == ""


def test_sockets_for_another_process_are_left_alone(antiphon, monkeypatch):
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", "1")
    assert antiphon("apps:asgi").serving().get().startswith("asgi")


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ([socket.socket, socket.socket], "systemd passes 2 sockets, but only one is supported: name one ListenStream"),
        ([socket.socket], "does not listen: name a ListenStream, without Accept=yes"),
        ([partial(socket.socket, type=socket.SOCK_DGRAM)], "does not listen: name a ListenStream"),
    ],
    ids=["two", "no listener", "datagrams"],
)
def test_other_sockets_are_refused(antiphon, kinds, message):
    with ExitStack() as stack:
        opened = [stack.enter_context(kind()) for kind in kinds]
        command = antiphon("apps:asgi", listeners=opened)
        assert command.exit_code() == 3
    assert message in command.err


@pytest.mark.parametrize("flag", ["--port=81", "--host=::1", "--uds=a.sock"])
def test_a_flag_that_says_otherwise_is_a_mistake(antiphon, flag):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = antiphon("apps:asgi", flag, listeners=[listener])
        assert command.exit_code() == 2
    assert f"systemd determines where to listen: leave out {flag.partition('=')[0]}" in command.err
