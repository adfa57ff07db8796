"""One page for many who ask two processes at once, of which one may be killed."""

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.stores import SHARED, place_of
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.axes("interface")]

RUN = "-m", "antiphon", "run", "{app}", "--port", "{port}", "--interface"
VISITORS = 50


class Site:
    """Two servers of one app, which share a cache."""

    def __init__(self, folder, servers):
        self.page = SentRequest("GET", f"/page?{folder.name}")  # a server of Valkey is that of other tests, too
        self.large = SentRequest("GET", "/large")
        self.files = Path(os.environ["STORE"] + "-files")
        self.go = folder / "go"
        self._calls = folder / "calls"
        self.servers = servers

    @property
    def callers(self):
        """The processes that have called the handler."""
        return [int(line) for line in self._calls.read_text().split()] if self._calls.exists() else []

    def get(self, number=0):
        return self.servers[number % 2].respond(self.page)

    def show(self):
        """Have another page of the route stored, so that visitors of one process wait for the other."""
        self.go.touch()
        self.servers[0].respond(SentRequest("GET", f"/page?other-{self.page.target}"))
        self.go.unlink()
        self._calls.unlink()


@pytest.fixture
def site(request, kind, fresh, tmp_path, monkeypatch, interface):
    store = place_of(kind, request, tmp_path)
    for name, value in {"STORE": store, "CALLS": tmp_path / "calls", "GO": tmp_path / "go", "FRESH": fresh}.items():
        monkeypatch.setenv(name, str(value))
    app, run = "tests.helpers.served.cached:app", (*RUN, interface)
    with ServerProcess(run, app) as one, ServerProcess(run, app) as other:
        yield Site(tmp_path, [one, other])


@pytest.mark.parametrize(("kind", "fresh"), [(kind, 60) for kind in SHARED])
def test_fifty_who_miss_at_once_have_the_handler_called_once(site):
    site.show()
    with ThreadPoolExecutor(VISITORS) as visitors:
        answers = [visitors.submit(site.get, number) for number in range(VISITORS)]
        eventually(lambda: site.callers or None, "nobody calls the handler")
        time.sleep(0.3)  # for others to call it, too, if they would
        site.go.touch()
        bodies = Counter(answer.result(30).body for answer in answers)
    assert len(site.callers) == 1
    assert bodies == {f"made by {site.callers[0]}".encode(): VISITORS}


@pytest.mark.parametrize(("kind", "fresh"), [("sqlite", 60)])
def test_a_process_that_is_killed_while_it_makes_a_page_holds_up_nobody(site):
    site.show()
    with ThreadPoolExecutor(4) as visitors:
        lost = visitors.submit(site.get)
        killed = eventually(lambda: site.callers[0] if site.callers else None, "nobody calls the handler")
        waiting = [visitors.submit(site.get, 1) for _ in range(2)]
        os.kill(killed, signal.SIGKILL)
        site.go.touch()
        assert {answer.result(30).status for answer in waiting} == {200}
        assert lost.exception(30) is not None
    assert killed not in site.callers[1:]


@pytest.mark.parametrize(("kind", "fresh"), [("valkey", 1)])
def test_a_refresh_that_is_killed_loses_nothing_and_blocks_nobody(site):
    site.go.touch()
    first = site.get()
    site.go.unlink()
    time.sleep(1.1)  # until the page is stale
    assert site.get().body == first.body
    killed = eventually(lambda: site.callers[1] if len(site.callers) > 1 else None, "nobody makes a new page")
    os.kill(killed, signal.SIGKILL)
    survivor = site.servers[1]
    assert {survivor.respond(site.page).body for _ in range(5)} == {first.body}
    site.go.touch()
    eventually(lambda: survivor.respond(site.page).body != first.body or None, "the page stays as it is")


LARGE = b"a" * (1 << 20) + b"b" * (1 << 20)


@pytest.mark.parametrize(("kind", "fresh"), [("sqlite", 60)])
def test_a_file_that_was_half_written_by_a_killed_process_is_not_served(site, interface):
    with ThreadPoolExecutor(1) as visitors:
        lost = visitors.submit(site.servers[0].respond, site.large)
        part = eventually(lambda: next(site.files.glob("*.part"), None), "nothing is written")
        eventually(lambda: part.stat().st_size or None, "the file stays empty")
        os.kill(site.callers[0], signal.SIGKILL)
        assert lost.exception(30) is not None or lost.result().body != LARGE
    site.go.touch()
    survivor = site.servers[1]
    assert survivor.respond(site.large).body == LARGE
    site.go.unlink()  # the page is made no more
    with ServerProcess((*RUN, interface), "tests.helpers.served.cached:app") as third:
        eventually(lambda: True if not part.exists() else None, "the half of a file stays")
        site.go.touch()
        eventually(lambda: _is_hit(third.respond(site.large)) or None, "never stored")
        assert [third.respond(site.large).body, survivor.respond(site.large).body] == [LARGE, LARGE]
    assert [file.stat().st_size for file in site.files.iterdir()] == [len(LARGE)]


def _is_hit(answer):
    return "hit" in dict(answer.fields)["cache-status"]
