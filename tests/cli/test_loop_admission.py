"""The requests that a worker's loop begins: some of the first, and others instead of those that are cancelled."""

import asyncio
from types import SimpleNamespace
from typing import Any

from antiphon import App
from antiphon.adapters.heads import RequestClass
from antiphon.cli.workers.loop_shedding import LoopAdmission
from antiphon.cli.workers.observed import Entrance
from tests.helpers.rows import rows


@rows("order", ["cancelled first", "begun first"])
def test_a_wait_that_is_cancelled_as_it_begins_gives_its_room_back(order: str):
    async def cancel_and_begin() -> tuple[int, list[object]]:
        loop, failures = asyncio.get_running_loop(), list[object]()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        admission = LoopAdmission(Entrance(print), None, 10.0, loop)
        task = asyncio.create_task(admission._begins(RequestClass("client", blocks=True), None))
        await asyncio.sleep(0)
        steps = [task.cancel, admission._pass]
        for step in steps if order == "cancelled first" else reversed(steps):
            step()
        await asyncio.wait([task])
        await asyncio.sleep(0.01)  # for the pass that was scheduled
        assert task.cancelled()
        return admission._room.running, failures

    assert asyncio.run(cancel_and_begin()) == (0, [])


def test_a_worker_does_not_begin_all_its_first_requests_at_once():
    """They may have waited while it started."""

    async def begin() -> tuple[int, int]:
        begun = list[int]()

        async def respond(scope: object, receive: object, send: object) -> None:
            begun.append(1)

        entrance, loop = Entrance(respond), asyncio.get_running_loop()
        now = loop.time()
        loop.time = lambda: now  # the next begins a millisecond later
        LoopAdmission(entrance, None, 10.0, loop)
        tasks = [asyncio.create_task(entrance.handle({"type": "http"}, None, None)) for _ in range(20)]
        for _ in range(10):
            await asyncio.sleep(0)
        del loop.time
        at_once = len(begun)
        await asyncio.wait(tasks)
        return at_once, len(begun)

    assert asyncio.run(begin()) == (1, 20)


class Fields(dict[str, str]):
    def get_all(self, name: str) -> list[str]:
        return [self[name]] if name in self else []


@rows("kind", ["http", "websocket"])
@rows("interface", ["asgi", "rsgi"])
def test_clients_behind_a_proxy_are_told_apart(interface: str, kind: str):
    """Their sockets, too: the connection is the proxy's."""
    seen = list[str | None]()
    app = App(trusted_proxies=["10.0.0.1"], queue_by=lambda request: seen.append(request.ip))
    fields = [(b"host", b"shop.example"), (b"x-forwarded-for", b"192.0.2.7")]

    async def handle() -> None:
        admission = LoopAdmission(Entrance(app), app, 10.0, asyncio.get_running_loop())
        for name in ("_has_left", "_may_begin"):
            setattr(admission, name, lambda *_: False)
        if interface == "asgi":
            scope: Any = {"type": kind, "method": "GET", "path": "/", "raw_path": b"/", "query_string": b""}
            scope |= {"headers": fields, "client": ("10.0.0.1", 5), "scheme": "http", "server": ("a", 80)}
            admission._admit_asgi(scope, None, None).close()  # type: ignore[attr-defined]
        else:
            scope = SimpleNamespace(proto="ws" if kind == "websocket" else kind, client="10.0.0.1:5", server="a:80")
            vars(scope).update(method="GET", path="/", query_string="", scheme="http", authority=None, http_version="1")
            scope.headers = Fields({name.decode(): value.decode() for name, value in fields})
            admission._admit_rsgi(scope, None).close()  # type: ignore[attr-defined]

    asyncio.run(handle())
    assert seen == ["192.0.2.7"]
