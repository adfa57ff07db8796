"""The table of what frameworks can't give to a view, on the page for authors of libraries: each cell is measured."""

import asyncio
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest

from antiphon import Limits, Request, Response, Views, get_response, view
from antiphon.frameworks.recognition import _named
from antiphon.http import Link
from tests.frameworks import apps
from tests.frameworks.exchanges import on_server
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PAGE = Path(__file__).parents[2] / "docs/how-to/for-library-authors.md"
COLUMNS = ("async def", "def", "streams", "unread", "hints", "user", "session", "csrf_token", "add_to")
WAIT = 0.8
"""Seconds until a client that is not seen to leave counts as unseen: longer than the pause between two looks."""
REFUSAL = 0.4
"""Seconds until a server that has not refused a body counts as one that waits for it."""


def rows_of_page() -> dict[str, dict[str, bool]]:
    table = PAGE.read_text().partition("## What frameworks can't give")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([A-Z]?\w+(?: over \w+)?) \|(.*)\|$", table, re.MULTILINE)
    cells = {name: [cell.strip() for cell in row.split("|")] for name, row in rows}
    assert all(set(row) <= {"yes", "no"} for row in list(cells.values())[1:])
    return {
        name.lower().replace(" over ", "_"): dict(zip(COLUMNS, [cell == "yes" for cell in row], strict=True))
        for name, row in list(cells.items())[1:]
    }


class Look:
    """A view that looks for some time whether its client has left."""

    def __init__(self, wait: float) -> None:
        self._wait = wait
        self.begun, self.gone, self.done = [threading.Event() for _ in range(3)]

    def pauses(self, request: Request) -> Iterator[float]:
        self.begun.set()
        until = time.monotonic() + self._wait
        try:
            while time.monotonic() < until and not request.lifetime.is_client_gone:
                yield 0.02
        finally:
            if request.lifetime.is_client_gone:
                self.gone.set()
            self.done.set()


class Probe:
    """Views that find out about their framework, and the events that they set."""

    def __init__(self, wait: float) -> None:
        self.wait = wait
        self.looks = {"look": Look(wait), "alook": Look(wait)}
        self.received = threading.Event()

    def views(self, interface=None):
        def look(request: Request):
            for pause in self.looks["look"].pauses(request):
                time.sleep(pause)
            return "looked"

        async def alook(request: Request):
            with closing(self.looks["alook"].pauses(request)) as pauses:
                for pause in pauses:
                    await asyncio.sleep(pause)
            return "looked"

        def stream(request: Request):
            def chunks():
                yield b"one "
                yield b"two" if self.received.wait(WAIT) else b"late"

            return Response.stream(chunks())

        def hint(request: Request):
            request.send_early_hints(Link("/style.css", rel="preload"))
            return "hinted"

        def body(request: Request):
            return "read"

        made = {each.__name__: view(interface=interface)(each) for each in (look, alook, stream, hint)}
        return {**made, "body": view(interface=interface, limits=Limits(body=10))(body)}


@contextmanager
def wsgi_served(app):

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    server = WSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(app)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(DEADLINE)


def sends_hints(app, interface) -> bool:
    """Return True if early hints of a view get to a server that takes them."""
    hinted = []
    request = Request.blank("http://localhost/hint", headers={"host": "localhost"})
    if interface == "wsgi":

        def with_hints(environ, respond):
            return app({**environ, "wsgi.early_hints": hinted.append}, respond)

        get_response(with_hints, request, "wsgi").freeze()
    else:

        async def with_hints(scope, receive, send):
            async def sent(message):
                hinted.append(message) if message["type"] == "http.response.early_hint" else await send(message)

            await app({**scope, "extensions": {"http.response.early_hint": {}}}, receive, sent)

        get_response(with_hints, request, "asgi").freeze()
    return bool(hinted)


def see_leaving(probe: Probe, port: int) -> list[bool]:
    """Return True for each view that sees its client leave. They look at the same time."""
    for name, look in probe.looks.items():
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
            client.sendall(f"GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert look.begun.wait(DEADLINE)
    assert all(look.done.wait(DEADLINE) for look in probe.looks.values())
    return [look.gone.is_set() for look in probe.looks.values()]


def streams(probe: Probe, port: int) -> bool:
    probe.received.clear()
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        client.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        data = b""
        while b"two" not in data and b"late" not in data:
            data += client.recv(4096)
            if b"one" in data:
                probe.received.set()
    return b"two" in data


def refuses_unread(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), REFUSAL) as client:
        client.sendall(
            b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 900000\r\n\r\n"
        )
        try:
            return b" 413 " in client.recv(4096)
        except TimeoutError:
            return False


def makes_applications(name: str) -> bool:
    """Return True if views can be added: WebOb and Werkzeug have no applications."""
    if name not in ("webob", "werkzeug"):
        return True  # tests/frameworks/test_added_views.py adds them
    app = type("App", (), {"__module__": name})()
    with pytest.raises(TypeError, match="call them there"):
        Views({"/": lambda request: ""}).add_to(app)
    return False


@pytest.mark.parametrize("make", [*apps.WSGI, *apps.ASGI, *apps.SERVED])
def test_each_cell_is_as_it_is_measured(make, caplog):
    caplog.set_level(logging.CRITICAL)
    probe, name = Probe(0.1 if make in apps.WSGI else WAIT), make.__name__
    with (
        apps.application(make, probe.views) as app,
        wsgi_served(app) if make in apps.WSGI else on_server(app, name) as port,
    ):
        framework = _named(name.partition("_")[0])
        measured = {
            **dict(zip(("def", "async def"), see_leaving(probe, port), strict=True)),
            "streams": streams(probe, port),
            "unread": refuses_unread(port),
            "hints": make not in (*apps.SERVED, apps.sanic)
            and sends_hints(app, "wsgi" if make in apps.WSGI else "asgi"),
            **{value: value in framework.gives for value in ("user", "session", "csrf_token")},
            "add_to": makes_applications(name),
        }
    assert rows_of_page().get(name) == measured


def test_the_table_has_each_framework():
    assert rows_of_page().keys() == {make.__name__ for make in (*apps.WSGI, *apps.ASGI, *apps.SERVED)}
