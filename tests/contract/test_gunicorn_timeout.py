"""Requests that Gunicorn's sync workers break off, since they take too long: the worker ends."""

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import SentRequest
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes


@pytest.mark.once
@pytest.mark.parametrize("path", ["/", "/stream"])
def test_an_async_handler_cleans_up_before_the_worker_ends(path):
    command = (*server("Gunicorn, sync").command, "--timeout", "1")
    with ServerProcess(command, "tests.helpers.served.interrupted:app") as process, process.connect() as connection:
        connection.send(SentRequest("GET", path).encoded)
        eventually(lambda: "WORKER TIMEOUT" in process.stderr or None, "the worker goes on")
        eventually(lambda: "cleaned up" in process.stderr or None, "nothing was cleaned up", 5)
