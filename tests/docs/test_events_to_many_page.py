"""The page on events to many: its app in two processes, with a real Valkey, clients that leave and servers that end."""

import re
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from antiphon.http import parse_events
from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.processes import RUN
from tests.helpers.system_programs import required_program
from tests.helpers.valkey import ValkeyServer
from tests.helpers.waiting import eventually

PAGE = (Path(__file__).parents[2] / "docs/how-to/events-to-many.md").read_text()
APP = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
FORM = "Content-Type", "application/x-www-form-urlencoded"

_valkey_server = required_program("valkey-server", "redis-server")


def made():
    page: dict = {"__name__": "news"}
    exec(APP, page)
    return page["app"]


def send(server, text):
    return server.respond(SentRequest("POST", "/news", (FORM,), urlencode({"text": text}).encode())).status


def read(response, text):
    received = b""
    while text not in received:
        received += next(response)
    return received.decode()


def listen(server):
    connection = server.connect()
    connection.send(SentRequest("GET", "/news").encoded)
    connection.wait_for(b": \n\n")
    return connection


@pytest.fixture
def valkey(request, tmp_path, monkeypatch):
    with ValkeyServer(request.getfixturevalue("valkey-server"), tmp_path) as server:
        monkeypatch.setenv("VALKEY_URL", server.url)
        yield server


@pytest.mark.processes
def test_two_processes_send_to_all_clients(valkey, tmp_path, monkeypatch):
    """One is a server, and the other this process."""
    (tmp_path / "news.py").write_text(APP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with ServerProcess(RUN, "news:app") as server, Client(made()) as here:
        ada, eve = listen(server), listen(server)
        with closing(ada), here.stream("GET", "/news") as bob:
            assert read(bob, b": \n\n").startswith("retry: 1000\n\n")
            assert here.post("/news", form={"text": "Tea!"}).status == 202
            for client in (ada, eve):
                client.wait_for(b"data: Tea!\n")
            eve.reset()
            assert send(server, "More tea!") == 202
            last_id = re.search(rb"id: (.*)", ada.wait_for(b"data: More tea!\n"))[1].decode()
            assert [event.data for event in parse_events(read(bob, b"More tea!\n\n"))] == ["Tea!", "More tea!"]
            assert server.terminate() == 0
            ada.wait_for(b"0\r\n\r\n")  # the end of a body in chunks: it was not cut off
        here.post("/news", form={"text": "Cake!"})
        with here.stream("GET", "/news", headers={"last-event-id": last_id}) as back:
            assert "tea!" not in read(back, b"data: Cake!\n").lower()
        with here.stream("GET", "/news", headers={"last-event-id": "yesterday"}) as lost:
            assert "event: missed\n" in read(lost, b"data: Cake!\n")


@pytest.mark.processes
def test_a_process_that_starts_knows_what_was_sent_before(valkey):
    with Client(made()) as earlier:
        assert earlier.post("/news", form={"text": "Before."}).status == 202
    with Client(made()) as later, later.stream("GET", "/news", headers={"last-event-id": "0-1"}) as response:
        read(response, b"data: Before.\n")


@pytest.mark.processes
def test_a_valkey_that_comes_back_is_used_again(valkey):
    with Client(made()) as client, client.stream("GET", "/news") as response:
        read(response, b": \n\n")
        valkey.stop()
        assert client.post("/news", form={"text": "Lost."}).status == 503
        valkey.start()
        eventually(lambda: client.post("/news", form={"text": "Again!"}).status == 202 or None, "nothing is sent")
        read(response, b"data: Again!\n")


def test_a_client_of_a_process_without_valkey_is_told_and_comes_back(tmp_path, monkeypatch):
    monkeypatch.setenv("VALKEY_URL", f"unix://{tmp_path}/valkey.sock")
    with Client(made(), raise_errors=False) as client, client.stream("GET", "/news") as response:
        received = read(response, b'"status":503')
        assert received.startswith("retry: 1000\n\n")
        assert "event: error\n" in received
