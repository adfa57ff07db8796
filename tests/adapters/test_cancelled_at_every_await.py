"""Requests that are broken off at each of their awaits in turn: nothing is left behind.

A server cancels the task, or the client leaves.
"""

import asyncio
import gc
import io
import logging
from contextlib import suppress

import pytest

from antiphon import App
from antiphon.concurrency.workers import workers
from tests.helpers.interruptible_apps import CASES, Ledger, Parts
from tests.helpers.interrupting import AWAITS, Interrupted, cancel, cancel_woken
from tests.helpers.open_files import is_without_files
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


@pytest.fixture(params=["asgi", "rsgi"])
def interface(request):
    """The interfaces over which a server can cancel a request."""
    return request.param


@pytest.fixture(params=[True, False], ids=["async def", "def"])
def style(request):
    return request.param


class Exchange:
    """One request of a server that plays an interface: ``steps`` answer it."""

    def __init__(self, interface, servers, app, request):
        fields = [("host", "localhost"), *request.headers.items()]
        if request.chunks:
            fields.append(("content-length", str(len(b"".join(request.chunks)))))
        method = "POST" if request.chunks else "GET"
        if interface == "rsgi":
            self.server = servers.RSGIServer(request.chunks)
            self.steps = app.__rsgi__(servers.rsgi_scope(method, request.path, fields), self.server)
        else:
            messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in request.chunks]
            self.server = servers.ASGIServer([*messages, {"type": "http.request"}])
            raw = [(name.encode(), value.encode()) for name, value in fields]
            self.steps = app(servers.scope(method, request.path, raw), self.server.receive, self.server.send)

    def leave(self, _):
        self.server.leave()


WAYS = {
    "is cancelled": lambda leave: [cancel],
    "is cancelled when it wakes up": lambda leave: [cancel_woken],
    "is cancelled twice": lambda leave: [cancel, cancel_woken],
    "is cancelled again and again": lambda leave: [cancel] * 9,
    "has a client who leaves": lambda leave: [leave],
    "is cancelled when the client has left": lambda leave: [leave, cancel],
    "is cancelled and the client leaves": lambda leave: [cancel, leave],
}
"""What happens at an await, and at the next ones."""


async def settled():
    """Let what was cancelled on the way end, and return all tasks."""
    for _ in range(20):
        await asyncio.sleep(0)
    return asyncio.all_tasks()


def returning():
    """How many tasks have worker threads to which they return."""
    return sum(worker.returning for worker in workers()._workers)


@rows("case", CASES.values(), ids=CASES)
def test_nothing_is_left_behind(interface, servers, style, case, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    app, ledger, complaints = App(upload_folder=tmp_path), Ledger(), []
    case.register(app, Parts(ledger, style))

    async def answered():
        exchange = Exchange(interface, servers, app, case)
        await asyncio.wait_for(asyncio.create_task(exchange.steps), 10)
        assert exchange.server.answer.status == case.status

    async def break_off(number, way):
        """Break one request off. Return False if that was over before."""
        exchange = Exchange(interface, servers, app, case)
        interrupted = Interrupted(number, way(exchange.leave))
        task = await interrupted.run(exchange.steps)
        is_cancelled = any(act in (cancel, cancel_woken) for act in interrupted.done)
        assert task.cancelled() == is_cancelled, (number, interrupted.done)
        assert is_cancelled or (task.result(), task.cancelling()) == (None, 0)
        return bool(interrupted.done)

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await answered()
        before = await settled(), returning()
        for name, way in WAYS.items():
            number = 1
            while await break_off(number, way):
                assert (await settled(), returning()) == before, (name, number)
                ledger.check()
                await answered()
                number += 1
                assert number < AWAITS
        await app.astop()

    asyncio.run(main())
    gc.collect()
    ledger.check()
    assert complaints == []
    assert caplog.records == []
    is_without_files(tmp_path)


def answered_over_wsgi(servers, app, request):
    """Answer a request over WSGI, and return the status, unless the request was cancelled."""
    variables = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in request.headers.items()}
    data = b"".join(request.chunks)
    if data:
        variables |= {"CONTENT_LENGTH": str(len(data)), "wsgi.input": io.BytesIO(data)}
    if content_type := variables.pop("HTTP_CONTENT_TYPE", None):
        variables["CONTENT_TYPE"] = content_type
    with suppress(asyncio.CancelledError):
        return servers.wsgi(app, servers.environ("POST" if data else "GET", request.path, **variables)).status


@rows("case", CASES.values(), ids=CASES)
def test_nothing_is_left_behind_on_the_background_loop_of_wsgi(servers, style, case, tmp_path):
    """There the application alone could cancel a task: it does, at each of its own awaits."""
    app, ledger = App(upload_folder=tmp_path), Ledger()
    case.register(app, Parts(ledger, style))
    assert answered_over_wsgi(servers, app, case) == case.status
    number = 1
    while True:
        ledger.pauses, ledger.cancels_at = 0, number
        answered_over_wsgi(servers, app, case)
        ledger.check()
        if ledger.pauses < number:
            break
        ledger.cancels_at = None
        assert answered_over_wsgi(servers, app, case) == case.status
        number += 1
        assert number < AWAITS
    app.stop()
    is_without_files(tmp_path)
