"""The pace that an application demands of bodies, wherever it receives them."""

import asyncio
import json

from antiphon import App, Limits
from antiphon.concurrency.workers import RECEIVING, WORKERS
from antiphon.http.errors import ClientDisconnected
from antiphon.testing import AsyncClient
from tests.adapters.conftest import scope
from tests.helpers.rows import rows

FIELDS = [(b"host", b"example.com"), (b"content-length", b"6"), (b"accept", b"application/json")]
SCOPE = scope("POST", "/x", FIELDS)


def answering(limits, *, mounted=None, middleware=None):
    app = App(limits=limits)
    if middleware is not None:
        app.middleware(before_routing=True)(middleware)
    if mounted is not None:
        app.mount("", mounted)
    else:
        app.post("/x")(body)
    return app


async def body(request):
    return request.body


def nothing(request):
    yield


async def stalled(app):
    """The answer to a body of which half comes, and then no more; and how often more was waited for."""
    chunks, sent, waits = [b"abc"], [], []

    async def receive():
        if not chunks:
            waits.append("a wait")
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": chunks.pop(), "more_body": True}

    async def send(message):
        sent.append(message)

    await app(SCOPE, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"]).get("limit"), len(waits)


@rows(
    "app",
    answering,
    lambda limits: answering(limits, middleware=nothing),
    lambda limits: answering(limits, mounted=answering(Limits())),
    lambda limits: answering(limits, mounted=answering(Limits()), middleware=nothing),
    ids=["routed", "before routing", "mounted", "before routing and mounted"],
)
def test_a_small_body_is_held_to_the_pace_of_who_receives_it(app):
    assert asyncio.run(stalled(app(Limits(timeout=0.01, rate=0)))) == (408, "timeout", 1)


def reads_while_it_streams(app):
    @app.post("/slow", receive="stream")
    def handler(request):
        return str(sum(len(chunk) for chunk in request.stream))


def reads_by_a_hook(app):
    @app.before_request
    def read(request):
        assert request.method == "GET" or request.text

    @app.post("/slow")
    def handler(request):
        return str(len(request.body))


def streams_it_back(app):
    @app.post("/slow", receive="lazy")
    def handler(request):
        return (str(len(chunk)) for chunk in request.stream)


@rows("build", [reads_while_it_streams, reads_by_a_hook, streams_it_back])
def test_slow_bodies_leave_half_of_the_threads_to_others(build):
    app = App(limits=Limits(rate=0))
    build(app)

    @app.get("/quick")
    def quick(request):
        return "quick"

    async def main():
        asked, go_on = asyncio.Semaphore(0), asyncio.Event()

        async def slow():
            yield b"x"
            asked.release()
            await go_on.wait()
            yield b"y"

        async with AsyncClient(app, "asgi", timeout=None) as client:
            uploads = [asyncio.create_task(client.post("/slow", body=slow())) for _ in range(WORKERS + 1)]
            for _ in range(RECEIVING):
                await asked.acquire()
            quick = [answer.text for answer in await asyncio.gather(*[client.get("/quick") for _ in range(5)])]
            most = asked.locked()
            go_on.set()
            return quick, most, {answer.text for answer in await asyncio.gather(*uploads)}

    expected = "11" if build is streams_it_back else "2"
    assert asyncio.run(asyncio.wait_for(main(), 30)) == (["quick"] * 5, True, {expected})


@rows("policy", ["lazy", "stream"])
def test_a_handler_that_reads_while_the_server_cancels_fails_without_a_traceback(policy, caplog):
    app, seen = App(limits=Limits(rate=0)), []

    @app.post("/x", receive=policy)
    def handler(request):
        try:
            return str(sum(len(chunk) for chunk in request.stream))
        except ClientDisconnected as error:
            seen.append(error.detail)
            raise

    async def main():
        asked = asyncio.Event()

        async def receive():
            asked.set()
            await asyncio.Event().wait()

        async def send(message):
            pass

        tasks = [asyncio.create_task(app(SCOPE, receive, send))]
        await asked.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert seen == ["The request was cancelled."]
    assert caplog.records == []
