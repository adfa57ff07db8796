"""The pace that an application demands of bodies, wherever it receives them."""

import asyncio
import json

import pytest

from antiphon import App, Limits

SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "path": "/x",
    "query_string": b"",
    "headers": [(b"host", b"example.com"), (b"content-length", b"6"), (b"accept", b"application/json")],
}


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
    """The answer to a body of which half comes, and then no more."""
    chunks, sent = [b"abc"], []

    async def receive():
        if not chunks:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": chunks.pop(), "more_body": True}

    async def send(message):
        sent.append(message)

    await app(SCOPE, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"]).get("limit")


@pytest.mark.parametrize(
    "app",
    [
        answering,
        lambda limits: answering(limits, middleware=nothing),
        lambda limits: answering(limits, mounted=answering(Limits())),
        lambda limits: answering(limits, mounted=answering(Limits()), middleware=nothing),
    ],
    ids=["routed", "before routing", "mounted", "before routing and mounted"],
)
def test_a_small_body_is_held_to_the_pace_of_who_receives_it(app):
    assert asyncio.run(stalled(app(Limits(timeout=0.01, rate=0)))) == (408, "timeout")
