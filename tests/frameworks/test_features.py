"""What works in a view of any framework, without an application of Antiphon's."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from antiphon import Limits, Request, Response, Signer, get_response, view
from antiphon.embedding import make_environ
from antiphon.features import Form
from antiphon.http import Event
from tests.frameworks import apps, servers

SIGNER = Signer(["a key of sixteen bytes or more"], salt="orders")


@dataclass
class Order:
    item: str
    count: int = 1


def typed_form(request):
    return request.form_as(Order)


def shown_form(request):
    form = Form(Order, request)
    return (form, form.status) if not form.validate() else form.data


def signed(request):
    return SIGNER.unsign(SIGNER.sign("7"), max_age=timedelta(hours=1))


def events(request):
    return Response.events(iter([Event("one")]), retry=2)


async def sent_later(request):
    await asyncio.sleep(0)
    return Response.json({"ip": request.ip}, headers={"vary": "x-own"})


def streamed_body(request):
    return b"".join(request.stream)


def negotiated(request):
    return request.accept.best(["text/plain", "application/json"])


CASES = {
    typed_form: (b"item=tea&count=2", 200, '{"item":"tea","count":2}'),
    shown_form: (b"count=x", 422, None),
    signed: (b"", 200, "7"),
    events: (b"", 200, None),
    sent_later: (b"", 200, None),
    streamed_body: (b"item=tea", 200, "item=tea"),
    negotiated: (b"", 200, "text/plain"),
}


@pytest.mark.parametrize("make", [apps.flask, apps.bottle, apps.starlette, apps.quart])
def test_they_work(make, monkeypatch):
    if not apps.is_installed(make):
        pytest.skip(f"{make.__name__} is not installed")
    monkeypatch.setattr(apps, "views", lambda interface=None: {f.__name__: view(interface=interface)(f) for f in CASES})
    app = make()
    for function, (body, status, text) in CASES.items():
        fields = {
            "host": "localhost",
            "accept": "text/plain",
            "content-type": "application/x-www-form-urlencoded",
            "content-length": str(len(body)),
        }
        request = Request.blank(f"http://localhost/{function.__name__}", "POST", fields, body)
        answer = get_response(app, request, "asgi" if make in apps.ASGI else "wsgi").freeze()
        assert (answer.status, text or answer.text) == (status, answer.text), function.__name__
    assert answer.headers["vary"] == "accept"


def test_limits_of_a_view_hold():
    @view(limits=Limits(fields=1))
    def form(request):
        return request.form

    fields = {"content-type": "application/x-www-form-urlencoded"}
    environ = make_environ(Request.blank("http://localhost/", "POST", fields, b"a=1&b=2"))
    assert form(environ).status == 413


@pytest.mark.skipif(not apps.is_installed(apps.tornado), reason="tornado is not installed")
def test_default_headers_of_a_tornado_handler_stay():
    from tornado.web import Application, RequestHandler

    class Page(RequestHandler):
        get = view(lambda request: Response.text("tea", headers={"x-own": "ours"}))

        def set_default_headers(self):
            self.set_header("X-Frame-Options", "DENY")
            self.set_header("X-Own", "a default")
            self.set_header("Content-Type", "text/html")

    async def ask():
        port, stop = await servers.START["tornado"](Application([("/", Page)]))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await stop()
        return answer.decode().lower().splitlines()

    lines = asyncio.run(ask())
    assert "x-frame-options: deny" in lines
    assert sorted(line for line in lines if line.startswith(("x-own", "content-type"))) == [
        "content-type: text/plain; charset=utf-8",
        "x-own: ours",
    ]
