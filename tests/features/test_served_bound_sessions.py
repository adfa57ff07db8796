"""Sessions bound to the device in two workers, over each interface: what both are asked for at once is done once."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.http import SetCookie
from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, SentRequest
from tests.helpers.bound_browser import EC_KEY, proof
from tests.helpers.processes import RUN
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes, pytest.mark.axes("shared_store")]

APP = "tests.helpers.served.bound_logins:app"
RUN_TWO = *RUN, "--workers", "2", "--interface"
SERVERS = {"asgi": (*RUN_TWO, "asgi"), "rsgi": (*RUN_TWO, "rsgi"), "wsgi": (*RUN_TWO, "wsgi")}


@pytest.fixture(autouse=True)
def bound(monkeypatch):
    monkeypatch.setenv("BOUND", "600")


@pytest.mark.parametrize("interface", SERVERS)
def test_a_proof_counts_once_and_for_all_workers(shared_store, interface):
    with ServerProcess(SERVERS[interface], APP) as server, ThreadPoolExecutor(8) as threads:

        def send(method, path, **fields):
            return server.respond(
                SentRequest(method, path, [(name.replace("_", "-"), fields[name]) for name in fields])
            )

        def at_once(**fields):
            """Send a proof eight times, and return the one response that accepts it."""
            sent = [threads.submit(send, "POST", "/bound-session", **fields) for _ in range(8)]
            accepted = [each.result() for each in sent if each.result().status != 403]
            assert [each.status for each in accepted] == [200]
            return accepted[0]

        def renewed(**named):
            """Renew the proof, which all workers accept."""
            asked = dict(send("POST", "/bound-session", **named).fields)
            challenge = asked["secure-session-challenge"].split('"')[1]
            response = at_once(**named, secure_session_response=proof(challenge, EC_KEY))
            both = f"{session}; {SetCookie.parse(dict(response.fields)['set-cookie']).pair}"
            assert {send("GET", "/vault", cookie=both).body for _ in range(8)} == {b"gold"}
            return both

        login = dict(send("POST", "/login").fields)
        session = SetCookie.parse(login["set-cookie"]).pair
        challenge = login["secure-session-registration"].split('challenge="')[1][:-1]
        begun = at_once(secure_session_response=proof(challenge, EC_KEY, is_registration=True))
        named = {"sec_secure_session_id": json.loads(begun.body)["session_identifier"]}
        both = renewed(**named)
        pids = eventually(lambda: _two(int(send("GET", "/pid").body) for _ in range(20)), "there are no two workers")
        os.kill(pids.pop(), signal.SIGKILL)
        eventually(lambda: _is_served(send), "no worker is left")
        renewed(**named)

        def ask():
            return {send("POST", "/bound-session", **named).status for _ in range(20)}

        if shared_store is not None:
            shared_store.freeze()
            assert send("POST", "/bound-session", **named).status == 503
            shared_store.thaw()
            eventually(lambda: ask() == {403} or None, "the store is not back for both workers")
        assert send("POST", "/logout?everywhere", cookie=both).status == 200
        assert ask() == {404}


def _two(pids):
    found = {*pids}
    return found if len(found) == 2 else None


def _is_served(send):
    try:
        return send("GET", "/pid").status == 200
    except (OSError, Closed):  # what was in the queue of the one that was killed
        return None
