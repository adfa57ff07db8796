import errno
import os
import select
import socket
import struct
import sys
from array import array
from contextlib import ExitStack

import pytest

from antiphon.cli import listener as module
from antiphon.cli.errors import Refused
from antiphon.cli.listener import GivenSocket, given_socket, http_url, listen
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE


def test_port_zero_is_a_free_port_that_others_then_find_taken():
    with listen("127.0.0.1", 0)[0] as listener:
        port = listener.getsockname()[1]
        assert port > 0
        with pytest.raises(Refused, match=f"127.0.0.1:{port} is taken"):
            listen("127.0.0.1", port)
    listen("127.0.0.1", port)[0].close()


def test_a_port_is_free_again_although_connections_of_it_linger():
    with listen("127.0.0.1", 0)[0] as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()  # the side that closes first keeps the address in TIME_WAIT
    listen("127.0.0.1", port)[0].close()


def test_nobody_can_share_the_port():
    with listen("127.0.0.1", 0)[0] as listener, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(listener.getsockname())


SO_ATTACH_FILTER = 26


def disappear(client):
    """Let the kernel drop all that a client would receive, as if its machine were gone."""
    code = array("B", struct.pack("=HBBI", 0x06, 0, 0, 0))
    client.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, code.buffer_info()[0]))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other options")
@rows("number, is_sent", [(1, False), (1, True), (2, False)])
def test_a_connection_ends_when_its_client_has_disappeared(monkeypatch, number, is_sent):
    options = module._OF_CONNECTIONS
    assert options["TCP_KEEPIDLE"] + options["TCP_KEEPINTVL"] * options["TCP_KEEPCNT"] == 60
    assert options["TCP_USER_TIMEOUT"] == 60_000
    for name, seconds in (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_USER_TIMEOUT", 1000)):
        monkeypatch.setitem(options, name, seconds)  # nobody waits for a minute
    with ExitStack() as closed:
        listeners = [closed.enter_context(each) for each in listen("127.0.0.1", 0, number)]
        client = closed.enter_context(socket.create_connection(listeners[0].getsockname()))
        (ready, *_), _, _ = select.select(listeners, [], [], DEADLINE)
        accepted = closed.enter_context(ready.accept()[0])
        disappear(client)
        if is_sent:
            accepted.sendall(b"x")
        accepted.settimeout(DEADLINE)
        with pytest.raises(OSError, check=lambda error: error.errno == errno.ETIMEDOUT):
            accepted.recv(1)


@rows(
    "number, words",
    (errno.EACCES, "is not allowed to listen on 127.0.0.1:80. Choose a port above 1023"),
    (errno.ENOBUFS, "127.0.0.1:80 cannot be bound: No buffer space"),
    (None, "127.0.0.1:80 cannot be bound: refused"),
)
def test_other_refusals_are_told(monkeypatch, number, words):
    def refuse(*arguments, **options):
        raise OSError(number, "refused") if number else OSError("refused")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(Refused, match=words):
        listen("127.0.0.1", 80)


@rows(
    "host, family, authority",
    ("127.0.0.1", socket.AF_INET, "127.0.0.1"), ("localhost", socket.AF_INET, "localhost"),
    ("0.0.0.0", socket.AF_INET, "0.0.0.0"), ("::1", socket.AF_INET6, "[::1]"),
)  # fmt: skip
def test_hosts(host, family, authority):
    with listen(host, 0)[0] as listener:
        assert listener.family == family
        assert http_url(host, listener) == f"http://{authority}:{listener.getsockname()[1]}"


def test_connections_send_what_is_small_at_once():
    with listen("127.0.0.1", 0)[0] as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_number_of_passed_sockets_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "one")
    with pytest.raises(Refused, match="LISTEN_FDS must be the number of passed sockets, not 'one'"):
        given_socket()


def test_a_passed_descriptor_must_be_a_socket(tmp_path):
    with (
        (tmp_path / "file").open("w") as file,
        pytest.raises(Refused, match=r"LISTEN_FDS is 1, but descriptor \d+ is not a socket"),
    ):
        GivenSocket(file.fileno()).listen()
