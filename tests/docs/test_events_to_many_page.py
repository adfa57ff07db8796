"""The page on events to many: its app in two processes, with a real Valkey, clients that leave and servers that end."""

import re
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from antiphon.testing import Client, LifespanError
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.processes import RUN
from tests.helpers.system_programs import required_program
from tests.helpers.valkey import ValkeyServer
from tests.helpers.waiting import eventually

PAGE = (Path(__file__).parents[2] / "docs/how-to/events-to-many.md").read_text()
(APP,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FORM = "Content-Type", "application/x-www-form-urlencoded"

_valkey_server = required_program("valkey-server", "redis-server")


def send(server, text):
    return server.respond(SentRequest("POST", "/news", (FORM,), urlencode({"text": text}).encode())).status


def listen(server, *fields):
    connection = server.connect()
    connection.send(SentRequest("GET", "/news", fields).encoded)
    return connection


@pytest.mark.processes
def test_two_processes_send_to_all_clients(request, tmp_path, monkeypatch):
    (tmp_path / "news.py").write_text(APP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with ValkeyServer(request.getfixturevalue("valkey-server"), tmp_path) as valkey:
        monkeypatch.setenv("VALKEY_URL", valkey.url)
        with ExitStack() as stack:
            one = stack.enter_context(ServerProcess(RUN, "news:app"))
            assert send(one, "Before.") == 202
            other = stack.enter_context(ServerProcess(RUN, "news:app"))  # it knows what was sent before it began
            with closing(listen(other, ("Last-Event-ID", "0-1"))) as back:
                back.wait_for(b"data: Before.\n")
            ada, bob, eve = clients = listen(one), listen(other), listen(other)
            for client in clients:
                client.wait_for(b"retry: 1000\n\n")
            with closing(ada), closing(bob):
                assert send(other, "Tea!") == 202
                for client in clients:
                    client.wait_for(b"data: Tea!\n")
                eve.reset()
                assert send(one, "More tea!") == 202
                for client in (ada, bob):
                    client.wait_for(b"data: More tea!\n")
                one_that_ends_lets_clients_go_on_elsewhere(one, other, ada)
                a_valkey_that_comes_back_is_used_again(valkey, other, bob)
                malformed = other.respond(SentRequest("GET", "/news", (("Last-Event-ID", "yesterday"),)))
                assert malformed.status == 400
            assert other.terminate() == 0


def one_that_ends_lets_clients_go_on_elsewhere(one, other, client):
    assert send(one, "Cake!") == 202
    last_id = re.search(rb"id: (.*)", client.wait_for(b"data: Cake!\n"))[1]
    assert one.terminate() == 0
    client.wait_for(b"0\r\n\r\n")  # the end of a body in chunks: it was not cut off
    assert send(other, "More cake!") == 202
    with closing(listen(other, ("Last-Event-ID", last_id.decode()))) as back:
        assert b"data: Cake!" not in back.wait_for(b"data: More cake!\n")


def a_valkey_that_comes_back_is_used_again(valkey, server, client):
    valkey.stop()
    assert send(server, "Lost.") == 503
    valkey.start()
    eventually(lambda: send(server, "Again!") == 202 or None, "Valkey is not asked again")
    client.wait_for(b"data: Again!\n")


def test_a_process_without_valkey_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setenv("VALKEY_URL", f"unix://{tmp_path}/valkey.sock")
    page: dict = {"__name__": "news"}
    exec(APP, page)
    with pytest.raises(LifespanError, match="ConnectionError"), Client(page["app"]):
        pass
