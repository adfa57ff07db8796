"""Large and coded bodies reach what is mounted, and what is asked, whole and decoded."""

import asyncio
import gzip
import hashlib

import pytest

from antiphon import App, Limits, Request, Response, aget_response, get_response
from antiphon.testing import Client

pytestmark = pytest.mark.axes("interface", "style")

LARGE = bytes(range(256)) * 8192  # 2 MiB


def told(data, length, coding):
    return f"{len(data)} {hashlib.sha256(data).hexdigest()} {length} {coding}"


def wsgi(environ, start_response):
    start_response("200 OK", [])
    data = b"".join(iter(lambda: environ["wsgi.input"].read(100_000), b""))
    return [told(data, environ["CONTENT_LENGTH"], environ.get("HTTP_CONTENT_ENCODING")).encode()]


async def asgi(scope, receive, send):
    data, more = b"", True
    while more:
        message = await receive()
        assert len(message["body"]) <= 256 << 10
        data, more = data + message["body"], message["more_body"]
    headers = dict(scope["headers"])
    coding = headers.get(b"content-encoding")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = told(data, int(headers.get(b"content-length", len(data))), coding)
    await send({"type": "http.response.body", "body": body.encode()})


own = App(limits=Limits(body=4 << 20))


@own.post("/<path:anything>")
def ours(request):
    return told(request.body, request.content.size, None)


applications = pytest.mark.parametrize("application", [wsgi, asgi, own], ids=["WSGI", "ASGI", "Antiphon"])
coded = pytest.mark.parametrize("coding", [None, "gzip"])
EXPECTED = told(LARGE, len(LARGE), None)


def sent(coding):
    return (gzip.compress(LARGE, 1), {"content-encoding": "gzip"}) if coding else (LARGE, {})


@applications
@coded
def test_a_large_body_reaches_what_is_mounted(interface, application, coding):
    app = App(limits=Limits(body=4 << 20))
    app.mount("/in", application)
    body, headers = sent(coding)
    assert Client(app, interface=interface).post("/in/x", body=body, headers=headers).text == EXPECTED


@applications
@coded
@pytest.mark.parametrize("style", ["def", "async def"])
def test_a_large_body_reaches_what_is_asked(interface, application, coding, style):
    app = App(limits=Limits(body=4 << 20))

    def ask(request):
        answer = get_response(application, request).freeze()
        return Response(answer.body + b" " + str(len(request.body)).encode())

    async def ask_and_wait(request):
        answer = await (await aget_response(application, request)).afreeze()
        return Response(answer.body + b" " + str(len(request.body)).encode())

    app.post("/x")(ask if style == "def" else ask_and_wait)
    body, headers = sent(coding)
    response = Client(app, interface=interface).post("/x", body=body, headers=headers)
    assert response.text == f"{EXPECTED} {len(LARGE)}"


def test_what_is_asked_does_not_free_the_body():
    request = Request.blank("/x", "POST", body=LARGE)
    assert get_response(wsgi, request).freeze().body.decode() == EXPECTED
    assert asyncio.run(aget_response(asgi, request)).freeze().body.decode() == EXPECTED
    assert request.body == LARGE
