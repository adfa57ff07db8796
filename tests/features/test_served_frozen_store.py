"""A Valkey that answers nothing any more, under a server: who has to wait for it, and how often."""

import select
from contextlib import ExitStack

import pytest

from antiphon.http import SetCookie
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.processes import RUN
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

VISITORS = 80


@pytest.fixture
def frozen(server):
    return server


@pytest.fixture
def serving(frozen, monkeypatch):
    """Serve visitors whose store has a timeout, and return the server with a visitor's cookie."""
    with ExitStack() as stack:

        def serve(timeout):
            monkeypatch.setenv("STORE", frozen.url)
            monkeypatch.setenv("TIMEOUT", str(timeout))
            server = stack.enter_context(ServerProcess(RUN, "tests.helpers.served.visitors:app"))
            begun = server.respond(SentRequest("GET", "/begin"))
            return server, ("Cookie", SetCookie.parse(dict(begun.fields)["set-cookie"]).pair)

        yield serve


def test_visitors_without_a_session_do_not_wait_behind_those_with_one(frozen, serving):
    server, cookie = serving(timeout=60)
    frozen.freeze()
    with ExitStack() as stack:
        waiting = [stack.enter_context(server.connect()) for _ in range(VISITORS)]
        for connection in waiting:
            connection.send(SentRequest("GET", "/name", [cookie]).encoded)
        for _ in range(10):
            assert server.respond(SentRequest("GET", "/page")).body == b"a page"
        assert not select.select([connection._socket for connection in waiting], [], [], 0)[0]
        frozen.thaw()
        assert {connection.receive().body for connection in waiting} == {b"Ada"}


@pytest.mark.parametrize("path", ["/name", "/limited"])
def test_few_requests_wait_for_it(frozen, serving, path):
    server, cookie = serving(timeout=0.5)
    frozen.freeze()
    answers = [server.respond(SentRequest("GET", path, [cookie])) for _ in range(100)]
    assert server.stderr.count("is not available: Timeout") < 50  # each that waits is logged
    assert {answer.status for answer in answers} == {503 if path == "/name" else 200}
    frozen.thaw()
    if path == "/limited":
        eventually(lambda: server.respond(SentRequest("GET", path)).status == 429 or None, "nobody is limited")
    else:
        answer = eventually(
            lambda: found if (found := server.respond(SentRequest("GET", path, [cookie]))).status == 200 else None,
            "the session does not come back",
        )
        assert answer.body == b"Ada"
