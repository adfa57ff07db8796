"""Tests of workers that are forked after the import of the application: each has its own loop and its own startup."""

import json

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import SentRequest
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def preloaded():
    command = (*server("Gunicorn, gthread").command, "--preload", "--workers", "2")
    with ServerProcess(command) as process:
        yield process


def told(process, path):
    return json.loads(process.respond(SentRequest("GET", path)).body)


def answers_of_both(process, path):
    """Return answers of both workers, several of each, by process id."""
    answers = {}

    def look():
        # The connections are open at once, so that one worker alone does not accept them all.
        connections = [process.connect() for _ in range(8)]
        for connection in connections:
            connection.send(SentRequest("GET", path).encoded)
        for connection in connections:
            answer = json.loads(connection.receive().body)
            answers.setdefault(answer["pid"], []).append(answer)
            connection.close()
        return answers if len(answers) == 2 and all(len(each) > 2 for each in answers.values()) else None

    return eventually(look, f"not both workers answer, just {list(answers)}")


def test_each_worker_has_one_loop_of_its_own(preloaded):
    answers = answers_of_both(preloaded, "/async/loop")
    for pid, of_one in answers.items():
        assert len({answer["loop"] for answer in of_one}) == 1
        assert of_one[0]["imported_in"] != pid
    assert len({answer["imported_in"] for of_one in answers.values() for answer in of_one}) == 1


@pytest.mark.parametrize("handler", ["def", "async"])
def test_each_worker_starts_up_once_before_its_first_request(preloaded, handler):
    for pid, of_one in answers_of_both(preloaded, f"/{handler}/startup").items():
        for answer in of_one:
            assert answer["started"] == [f"def in {pid} after 0 requests", f"async in {pid} after 0 requests"]


@rows("path", ["/def/text", "/async/text", "/def/stream/async/few", "/layers/async/seen"])
def test_def_and_async_def_handlers_answer(preloaded, path):
    assert preloaded.respond(SentRequest("GET", path)).status == 200
