"""A program that was pasted into a folder and is served by ``antiphon run``, and a client for it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from socket import create_connection

from antiphon.testing import Client
from tests.helpers import zygote
from tests.helpers.ports import HOST, free_port
from tests.helpers.waiting import DEADLINE, eventually

_HOPS = {"connection", "transfer-encoding"}


@contextmanager
def served(folder: Path, app: str, *options: str) -> Iterator[tuple[int, Path]]:
    """Serve an app of a folder: its port, and the file with what the server writes."""
    port = free_port()
    log = folder / f"server-{port}.log"
    with log.open("wb") as out:
        server = zygote.start(
            ["-m", "antiphon", "run", app, "--port", str(port), "--grace", "1", *options],
            cwd=folder, stdout=out, stderr=out,
        )  # fmt: skip
        try:
            eventually(lambda: _is_open(port, server, log), "the server did not start")
            yield port, log
        finally:
            if server.poll() is None:
                os.kill(server.pid, signal.SIGTERM)
            server.wait(DEADLINE)


def _is_open(port, server, log):
    assert server.poll() is None, log.read_text()
    try:
        create_connection((HOST, port), DEADLINE).close()
    except OSError:
        return None
    return True


def client_of(ports):
    """Return what makes clients of servers in place of ``Client(app)``: each request goes to the next one."""
    ahead = cycle(ports)

    def forward(environ, start_response):
        connection = HTTPConnection(HOST, next(ahead), timeout=DEADLINE)
        try:
            query = environ.get("QUERY_STRING")
            target = environ.get("RAW_URI") or environ["PATH_INFO"] + (f"?{query}" if query else "")
            fields = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
            if environ.get("CONTENT_TYPE"):
                fields["content-type"] = environ["CONTENT_TYPE"]
            connection.request(environ["REQUEST_METHOD"], target, environ["wsgi.input"].read() or None, fields)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        sent = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOPS]
        start_response(f"{response.status} {response.reason}", sent)
        return [content]

    return lambda _app, interface="", **options: Client(forward, "wsgi", **options)
