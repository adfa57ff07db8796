"""Tests of a slow upload over one socket, watched over another one by server-sent events."""

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS

pytestmark = [pytest.mark.processes, pytest.mark.once]

ID = "0b7d2a4e-9f1c-4c63-8a55-d1e2f3a4b5c6"
CHUNK = b"x" * (128 << 10)
"""A chunk of at least the size in which WSGI applications read."""
CHUNKS = 5
WHOLE = len(CHUNK) * CHUNKS

HEAD = f"POST /upload HTTP/1.1\r\nHost: localhost\r\nX-Progress-Id: {ID}\r\nContent-Length: {WHOLE}\r\n\r\n"
WATCH = f"GET /progress/{ID} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"

SERVING = [
    (server, application)
    for server in SERVERS
    if server.name not in {"Waitress", "Gunicorn, sync"}  # gives an upload when it is complete; has one thread
    for application in ("progress_app", "async_progress_app")
]


@pytest.mark.parametrize(("server", "application"), SERVING, ids=lambda value: getattr(value, "name", value))
def test_a_slow_upload_is_watched_while_it_grows(server, application):
    with (
        ServerProcess(server.command, f"tests.helpers.served.uploads:{application}") as process,
        process.connect() as watcher,
        process.connect() as uploader,
    ):
        watcher.send(WATCH.encode())
        uploader.send(HEAD.encode())
        for number in range(CHUNKS):
            uploader.send(CHUNK)
            watcher.wait_for(b'"received":%d,' % ((number + 1) * len(CHUNK)))
        answer = uploader.receive()
        assert (answer.status, answer.body) == (200, str(WHOLE).encode())
