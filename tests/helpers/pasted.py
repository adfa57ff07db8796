"""A program that was pasted into a folder and is served by ``antiphon run``, and a client for it."""

from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path

from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.helpers.ports import HOST
from tests.helpers.processes import RUN
from tests.helpers.waiting import DEADLINE

_HOPS = {"connection", "transfer-encoding"}


def served(folder: Path, app: str, *options: str) -> ServerProcess:
    """Return a server of an app of a folder."""
    return ServerProcess((*RUN, "--grace", "1", *options), app, folder)


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
