"""Live blocks of several processes: a write in one of them is seen by those who watch another one."""

import http.client
import ssl
from contextlib import ExitStack
from urllib.parse import urlencode

import httpx
import pytest

from tests.contract.process import ServerProcess
from tests.features.live.conftest import EVENTS, Stream
from tests.helpers.authority import Authority
from tests.helpers.postgres import execute
from tests.helpers.processes import RUN
from tests.helpers.stores import place_of
from tests.helpers.waiting import DEADLINE

pytestmark = [pytest.mark.once, pytest.mark.processes]

TRIGGER = """
create function antiphon_live() returns trigger language plpgsql as $$
begin perform pg_notify('antiphon_live', tg_table_name); return null; end $$;
create trigger antiphon_live after insert or update or delete or truncate on orders
    for each statement execute function antiphon_live();
"""


@pytest.fixture(params=["sqlite", "valkey", "postgres"])
def database(request, tmp_path, monkeypatch):
    """The store of the served applications, and a database in SQLite, except beside PostgreSQL; return its URL."""
    if request.param != "postgres":
        monkeypatch.setenv("DATABASE", f"sqlite:///{tmp_path / 'shop.db'}")
        monkeypatch.setenv("STORE", place_of(request.param, request, tmp_path))
        return None
    server = request.getfixturevalue("postgres_server")
    url = server.database()
    monkeypatch.setenv("DATABASE", url.replace("postgresql:", "postgresql+psycopg:"))
    monkeypatch.setenv("STORE", server.database())
    monkeypatch.setenv("LISTEN", url)
    return url


class Watcher(Stream):
    """A client that watches the orders of a server."""

    def __init__(self, stack, server, **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
        stack.callback(self.connection.close)
        self.connection.request("GET", "/", headers={"Accept": "text/event-stream", **headers})
        response = self.connection.getresponse()
        assert response.status == 200
        super().__init__(iter(lambda: response.read1() or None, None))

    def wait_for(self, name):
        """Return the id of the first event with an order."""
        while (event := self.next()) is not None:
            if f">{name}</li>" in event["data"]:
                return event["id"]
        pytest.fail(f"the stream ended before {name}")


def order(server, name):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    connection.request("POST", "/", urlencode({"name": name}), {"Content-Type": "application/x-www-form-urlencoded"})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_write_in_one_process_is_seen_in_another_also_after_one_was_killed(database):
    with ExitStack() as stack:
        start = lambda interface: stack.enter_context(  # noqa: E731
            ServerProcess((*RUN, "--interface", interface), "tests.helpers.served.live:app")
        )
        one, other = start("asgi"), start("rsgi")
        watchers = [Watcher(stack, one), Watcher(stack, other)]
        order(other, "Tea")
        tag, same = (watcher.wait_for("Tea") for watcher in watchers)
        assert tag == same
        if database is not None:
            execute(database, TRIGGER)
            execute(database, "insert into orders (name) values ('by another program')")
            assert {watcher.wait_for("by another program") for watcher in watchers} != {tag}
            assert ("antiphon live",) in execute(database, "select application_name from pg_stat_activity")
        one.kill()
        order(other, "Milk")
        back = Watcher(stack, other, **{"Last-Event-ID": tag})
        back.wait_for("Milk")
        order(other, "Rice")
        assert back.wait_for("Rice") == watchers[1].wait_for("Rice")
        other.end()
        assert back.next() is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("database")
def test_streams_share_a_connection_over_http2(tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("127.0.0.1")
    command = (*RUN, "--tls-certificate", certificate, "--tls-key", key)
    trusted = ssl.create_default_context(cafile=authority.ca_file)
    with ExitStack() as stack:
        server = stack.enter_context(ServerProcess(command, "tests.helpers.served.live:app"))
        client = stack.enter_context(httpx.Client(http1=False, http2=True, verify=trusted, timeout=DEADLINE))
        url = f"https://127.0.0.1:{server.port}/"
        opened = [stack.enter_context(client.stream("GET", url, headers=EVENTS)) for _ in range(9)]
        assert {response.http_version for response in opened} == {"HTTP/2"}
        streams = [Stream(response.iter_bytes()) for response in opened]
        assert {"Tea" in stream.data() for stream in streams} == {False}
        assert client.post(url, data={"name": "Tea"}).http_version == "HTTP/2"
        assert {"Tea" in stream.data() for stream in streams} == {True}
