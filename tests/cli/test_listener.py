import errno
import os
import socket

import pytest

from antiphon.cli.errors import Refused
from antiphon.cli.listener import GivenSocket, given_socket, http_url, listen
from tests.helpers.rows import rows


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
