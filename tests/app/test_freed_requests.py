"""Requests and applications are freed when they have ended, whatever is still scheduled for them."""

import asyncio
import gc
import threading
from weakref import ref

import pytest

from antiphon import App, Request, Response, aget_response, get_response
from antiphon.features import MemoryStore, Runs
from antiphon.http import Event
from antiphon.testing import AsyncClient, Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


async def with_deadline(request):
    await asyncio.sleep(0.001)
    return "in time"


async def waiting_for_its_end(request):
    waiting = asyncio.ensure_future(request.lifetime.ended())
    await asyncio.sleep(0.001)
    waiting.cancel()
    return "not ended"


async def with_heartbeats(request):
    async def events():
        await asyncio.sleep(0.001)
        yield Event("event")

    return Response.events(events())


is_checked = asyncio.Event()
runs = Runs(MemoryStore())


async def with_a_run(request):
    async def values():
        await is_checked.wait()
        yield 1

    run = await runs.astart(values())
    return run.id


@rows("handler", [with_deadline, waiting_for_its_end, with_heartbeats, with_a_run])
def test_a_request_is_freed_before_its_timers_are_due(handler):
    app, requests = App(deadline=600), []
    app.use(runs)

    @app.get("/")
    async def handle(request):
        requests.append(ref(request))
        return await handler(request)

    async def send():
        is_checked.clear()
        async with AsyncClient(app) as client:
            for _ in range(3):
                await client.get("/")
            await asyncio.sleep(0.05)
            gc.collect()
            is_checked.set()
            return [each() for each in requests]

    assert asyncio.run(send()) == [None] * 3


def served_once(app):
    Client(app, "wsgi").get("/")


def served_by_name(app):
    get_response(app, Request.blank("/"))


def served_and_stopped(app):
    app.on_shutdown(lambda: None)
    with Client(app, "wsgi") as client:
        client.get("/")


@rows("serve", [served_once, served_by_name, served_and_stopped])
def test_an_application_over_wsgi_is_freed(serve):
    app = App()
    app.get("/")(lambda request: "found")
    found = ref(app)
    serve(app)
    del app
    gc.collect()
    assert found() is None


def test_a_client_over_wsgi_shuts_the_application_down():
    app, called = App(store=MemoryStore()), []
    app.use(Runs())
    app.on_shutdown(lambda: called.append("shutdown"))
    others = {*threading.enumerate()}
    with Client(app, "wsgi") as client:
        client.get("/")
        watching = [each for each in {*threading.enumerate()} - others if each.name == "antiphon-runs"]
    for thread in watching:
        thread.join(30)
    assert called == ["shutdown"]
    assert not any(thread.is_alive() for thread in watching)
    assert len({*threading.enumerate()} - others) <= 1  # the background loop


def test_a_mounted_application_is_shut_down_with_the_loop(caplog, app):
    heard = []

    async def mounted(scope, receive, send):
        if scope["type"] == "lifespan":
            heard.append((await receive())["type"])
            await send({"type": "lifespan.startup.complete"})
            heard.append((await receive())["type"])
            await send({"type": "lifespan.shutdown.complete"})

    app.mount("/mounted", mounted)
    asyncio.run(aget_response(app, Request.blank("/")))
    assert heard == ["lifespan.startup", "lifespan.shutdown"]
    assert not caplog.records
