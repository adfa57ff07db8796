"""Streams that wait over WSGI, and whose clients leave: they give their server's threads back."""

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import SentRequest
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

THREADS = {"Granian, WSGI": 64, "Gunicorn, gthread": 4, "Waitress": 4}
"""Servers, and at least as many streams as they have threads."""


@pytest.fixture(scope="module", params=THREADS)
def process(request):
    with ServerProcess(server(request.param).command, "tests.helpers.served.waiting_streams:app") as process:
        yield process, THREADS[request.param]


@pytest.mark.axes("process")
@rows("path", ["/native", "/native/async", "/events", "/microdot/sse", "/asgi/"])
def test_the_threads_of_streams_whose_clients_have_left_answer_others(process, path):
    process, threads = process
    for _ in range(threads):
        process.leave(SentRequest("GET", path), b"tick")
    said = eventually(lambda: process.respond(SentRequest("GET", "/hello")).body, "nobody is answered")
    assert said == b"hello"
