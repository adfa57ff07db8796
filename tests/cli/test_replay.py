"""The replay of a kept request: what is said about where the run differs, and about what can't be restored."""

import re
import socket
import sys
from contextlib import suppress
from threading import Thread
from unittest.mock import patch

import msgspec
import pytest

from antiphon import App, Dependency, WebSocketClosed, abort
from antiphon.cli.replay import Restored, compared, lacks, replay, send_to
from antiphon.features import MemoryStore, Recorder, Sessions
from antiphon.testing import Client, HandshakeRefused
from tests.helpers.rows import rows

pytest.importorskip("cryptography")
pytestmark = pytest.mark.once

KEYS = ["0123456789abcdef0123456789abcdef"]


def price_of(order):
    return order["price"]


def total_of(order):
    return order["total"]


HANDLERS = {
    "as it did": (lambda request: price_of({}), r"It fails as it did: KeyError: 'price' at .*test_replay.py:\d+\."),
    "no longer": (lambda request: "fine", r"It no longer fails: the status is 200, and was 500\."),
    "with a status": (lambda request: abort(503), r"It was KeyError: 'price' at .*, and is .*ServiceUnavailable.* at "),
    "elsewhere": (lambda request: total_of({}), r"The runs differ first in total_of \(.*\), which was price_of \("),
    "otherwise": (lambda request: int("x"), r"and is ValueError: .*The runs are the same up to <lambda> \("),
}
"""What the handler does today, and what is said of the replay."""


def application(handler):
    app, keep = App(secret_keys=KEYS), Recorder(MemoryStore())
    app.use(keep)
    app.get("/")(handler)
    return app, keep


def kept_by(app, keep):
    Client(app, raise_errors=False).get("/")
    keep.flush()
    [kept] = keep.all()
    return kept.last


@rows("case", [*HANDLERS])
def test_a_replay_tells_where_it_differs_first(case):
    handler, told = HANDLERS[case]
    record = kept_by(*application(lambda request: price_of({})))
    app, keep = application(handler)
    assert re.search(told, compared(record, replay(app, keep, record)))


def test_a_status_that_comes_again_is_told():
    app, keep = App(secret_keys=KEYS), Recorder(MemoryStore(), errors=False, statuses={500})
    app.use(keep)
    app.get("/")(lambda request: ("broken", 500))
    record = kept_by(app, keep)
    assert compared(record, replay(app, keep, record)) == "The status is 500 again."


def test_a_websocket_that_is_refused_today_has_the_status_of_the_refusal():
    def chat_of(handler):
        app, keep = App(secret_keys=KEYS), Recorder(MemoryStore())
        app.use(keep)
        app.websocket("/chat")(handler)
        return app, keep

    app, keep = chat_of(lambda request, socket: price_of({}))
    refused = suppress(WebSocketClosed, HandshakeRefused)
    with Client(app, "asgi", raise_errors=False) as client, refused, client.websocket("/chat") as socket:
        list(socket)
    keep.flush()
    [kept] = keep.all()
    app, keep = chat_of(lambda request, socket: abort(403))
    assert replay(app, keep, kept.last).status == 403


def test_what_a_replay_can_not_restore_is_told():
    record = kept_by(*application(lambda request: price_of({})))
    lacking = msgspec.structs.replace(
        record, lack="the body was streamed, and not kept", user="7", session={"cart": "list"}, is_socket=True
    )
    with patch.dict(sys.modules, {"time_machine": None}):
        told = " ".join(lacks(lacking, Restored(), is_app=True))
        assert compared(record, replay(*application(lambda request: "fine"), record)).startswith("It no longer fails")
    for part in ("The body was streamed", "The user '7' is not logged in", "cart", "last messages", "time-machine"):
        assert part in told
    assert "The session had these names: cart." in [*lacks(lacking, Restored(clock=False), is_app=False)]


def test_a_replay_has_the_kept_dependencies_and_the_names_of_the_session():
    tenant = Dependency[str]("tenant", recorded=True)

    def fail(request):
        request.session["cart"] = [1]
        raise LookupError(request[tenant])

    def application():
        app, keep = App(secret_keys=KEYS), Recorder(MemoryStore())
        app.use(keep)
        app.use(Sessions(MemoryStore()))
        app.provide(tenant, lambda request: request.args.get("tenant", "acme"))
        app.get("/")(fail)
        return app, keep

    record = kept_by(*application())
    assert record.dependencies == {"tenant": "acme"}
    app, keep = application()
    error = replay(app, keep, msgspec.structs.replace(record, dependencies={"tenant": "other"})).error
    assert repr(error) == "LookupError('other')"


def test_a_request_is_sent_to_a_server_with_its_own_host_if_it_had_none():
    record = kept_by(*application(lambda request: price_of({})))
    received = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def respond():
            connection, _ = listener.accept()
            with connection:
                received.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nX-Place: there\r\nContent-Length: 4\r\n\r\ngone")

        server = Thread(target=respond)
        server.start()
        without_host = msgspec.structs.replace(record, fields=[field for field in record.fields if field[0] != "host"])
        outcome = send_to(f"http://127.0.0.1:{listener.getsockname()[1]}", without_host)
        server.join()
    assert (outcome.status, outcome.body) == (404, b"gone")
    assert ("x-place", "there") in outcome.fields
    assert b"\r\nhost: testserver\r\n" in received[0].lower()
