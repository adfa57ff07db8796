"""The store of an application in two workers, over each interface: one of them is killed, or the store hangs."""

import pytest

from antiphon.http import SetCookie
from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, SentRequest
from tests.helpers.processes import RUN
from tests.helpers.valkey import ValkeyServer
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes, pytest.mark.axes("shared_store")]

APP = "tests.helpers.served.one_store:app"
RUN_TWO = *RUN, "--workers", "2", "--interface"
SERVERS = {
    "asgi": (*RUN_TWO, "asgi"),
    "rsgi": (*RUN_TWO, "rsgi"),
    "wsgi": ("-m", "gunicorn", "{app}", "--workers", "2", "--bind", "127.0.0.1:{port}"),
}


@pytest.mark.parametrize("interface", SERVERS)
def test_workers_share_it_and_lose_nothing_when_one_is_killed(shared_store, interface):
    with ServerProcess(SERVERS[interface], APP) as server:

        def visit(path, *fields, method="GET"):
            return server.respond(SentRequest(method, path, [*fields]))

        first = visit("/visits")
        cookie = "Cookie", SetCookie.parse(dict(first.fields)["set-cookie"]).pair
        paid = visit("/pay", ("Idempotency-Key", '"1"'), method="POST")
        assert [visit("/visits", cookie).body for _ in range(8)] == [b"%d" % (2 + number) for number in range(8)]
        assert [visit("/a").status for _ in range(4)] == [200, 200, 200, 429]
        eventually(lambda: len({visit("/pid").body for _ in range(20)}) == 2 or None, "there are no two workers")
        with pytest.raises(Closed):
            visit("/die", method="POST")
        assert eventually(lambda: _body(visit, "/visits", cookie), "no worker is left") == b"10"
        assert visit("/pay", ("Idempotency-Key", '"1"'), method="POST").body == paid.body
        assert [visit("/b").status for _ in range(4)] == [200, 200, 200, 429]
        assert visit("/a").status == 429


def _body(visit, *arguments):
    try:
        return visit(*arguments).body
    except (OSError, Closed):  # what was in the queue of the one that was killed
        return None


@pytest.mark.parametrize("interface", SERVERS)
def test_a_store_that_hangs_stops_only_what_needs_it(interface, request, tmp_path, monkeypatch):
    with ValkeyServer(request.getfixturevalue("valkey-server"), tmp_path) as valkey:
        monkeypatch.setenv("STORE", valkey.url)
        with ServerProcess(SERVERS[interface], APP) as server:
            begun = server.respond(SentRequest("GET", "/visits"))
            cookie = "Cookie", SetCookie.parse(dict(begun.fields)["set-cookie"]).pair
            valkey.freeze()
            statuses = {
                path: server.respond(SentRequest(method, path, fields)).status
                for method, path, fields in [
                    ("GET", "/visits", [cookie]),
                    ("POST", "/pay", [("Idempotency-Key", '"1"')]),
                    ("GET", "/a", []),
                    ("GET", "/b", []),
                    ("GET", "/pid", []),
                ]
            }
            valkey.thaw()
            assert statuses == {"/visits": 503, "/pay": 503, "/a": 200, "/b": 200, "/pid": 200}
            eventually(lambda: server.respond(SentRequest("GET", "/visits", [cookie])).body == b"2" or None, "no store")
