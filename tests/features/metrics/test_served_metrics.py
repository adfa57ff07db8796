"""Metrics of servers with several processes, of which some are killed while they answer."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, SentRequest
from tests.helpers.figures import Figures
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.once]

REQUESTS = int(os.environ.get("METRICS_REQUESTS", "1200"))
CLIENTS = 4
ANTIPHON = "-m", "antiphon", "run", "{app}", "--workers", "4", "--port", "{port}", "--no-access-log"
OTHERS = {
    "gunicorn-preloaded": ("-m", "gunicorn", "{app}", "--preload", "--workers", "2", "--bind", "127.0.0.1:{port}"),
    "uvicorn": ("-m", "uvicorn", "{app}", "--workers", "2", "--port", "{port}"),
    "granian": (
        "-m",
        "granian",
        "{app}",
        "--interface",
        "rsgi",
        "--workers",
        "2",
        "--port",
        "{port}",
        "--respawn-failed-workers",
    ),
}
APP = "tests.helpers.served.measured:app"


class Visitors:
    """Clients that visit, and remember what they were told: how many answers there were, and from which processes."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.answers: list[int] = []
        self.unanswered = 0

    def visit(self, name: str) -> None:
        try:
            answer = self._server.respond(SentRequest("GET", f"/visits/{name}"))
        except (Closed, OSError):
            self.unanswered += 1
        else:
            assert answer.status == 200
            self.answers.append(int(answer.body))


def figures(server: ServerProcess) -> Figures:
    """The figures of a page, of whichever process. One that is just being killed has no answer."""

    def read() -> Figures | None:
        try:
            answer = server.respond(
                SentRequest("GET", "/metrics", [("Accept", "application/openmetrics-text;version=1.0.0")])
            )
        except (Closed, OSError):
            return None
        assert answer.status == 200
        return Figures(answer.body.decode())

    return eventually(read, "no page of metrics")


def check(server: ServerProcess, visitors: Visitors, killed: int) -> None:
    """A killed process may have answered one more than it counted, or counted what it could not answer any more.

    Others count right after they have answered, which a page of another process may come before.
    """
    answered = len(visitors.answers)

    def is_right() -> bool | None:
        page = figures(server)
        counts = page.requests(route="/visits/<name>"), page.sum("shop_visits_total")
        assert max(counts) <= answered + visitors.unanswered
        is_idle = page.sum("http_server_active_requests") == 1  # the one for this page: dead processes have none
        return (is_idle and min(counts) >= answered - killed) or None

    eventually(is_right, f"fewer than {answered} requests are counted, or others are open")


def test_no_answer_is_lost_or_counted_twice_when_workers_are_killed():
    with ServerProcess(ANTIPHON, APP) as server:
        visitors = Visitors(server)
        with ThreadPoolExecutor(CLIENTS) as threads:
            visiting = [threads.submit(visitors.visit, f"name-{number % 3}") for number in range(REQUESTS)]
            killed = set()
            for part in (4, 2):  # a worker, and later another one, perhaps that which took the place of the first
                eventually(lambda part=part: len(visitors.answers) > REQUESTS / part or None, "no answers", 60.0)
                killed.add(victim := visitors.answers[-1])
                os.kill(victim, signal.SIGKILL)
            for each in visiting:
                each.result()
        assert visitors.unanswered <= CLIENTS * len(killed)
        check(server, visitors, len(killed))
        eventually(
            lambda: figures(server).sum("antiphon_processes") == 4 or None, "the workers were not replaced", 60.0
        )
        assert figures(server).sum("shop_present") <= 4
        check(server, visitors, len(killed))


@rows("command", OTHERS.values(), ids=OTHERS)
def test_each_process_of_another_server_shows_the_figures_of_all(command):
    with ServerProcess(command, APP) as server:
        visitors = Visitors(server)
        with ThreadPoolExecutor(CLIENTS) as threads:
            [*threads.map(visitors.visit, ["ann"] * 100)]
        old = {*visitors.answers}
        os.kill(visitors.answers[-1], signal.SIGKILL)

        def visit_new() -> bool | None:
            visitors.visit("bob")
            return visitors.answers[-1] not in old or None

        eventually(visit_new, "no new process answers", 60.0)
        check(server, visitors, 1)
        assert figures(server).sum("shop_visits_total", by="ann") == 100
        eventually(lambda: figures(server).sum("antiphon_processes") == 2 or None, "one process is missing", 60.0)
        server.leave(SentRequest("GET", "/stream"), b"tick")
        eventually(lambda: None if figures(server).sum("antiphon_open_streams") else True, "the stream is open still")
        assert figures(server).sum("antiphon_http_broken_responses_total", by="client") == 1
        server.terminate()  # Uvicorn's exit code is another one with several workers
