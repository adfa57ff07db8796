"""Context variables of a request: its setup and its teardown see one context, and the next request sees none of it.

All requests of a program are handled by one thread or loop, as those of a worker are.
"""

import socket
from contextlib import closing
from contextvars import ContextVar

import pytest

from antiphon import App, Response
from antiphon.adapters.foreign.environ_host import BridgedApplication
from tests.dialects.programs import served
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.once

visitor = ContextVar("visitor", default=None)
left = ContextVar("left", default=None)
KINDS = ["plain", "stream", "error", "leaves"]
ENDLESS = 10_000


class Log(list):
    """The outcome of each setup and teardown, and the token between them."""

    token = None

    def set_up(self, *_):
        self.append(("found", visitor.get(), left.get()))
        self.token = visitor.set("somebody")
        left.set("somebody's")

    def tear_down(self, _=None, response=None):
        try:
            visitor.reset(self.token)
        except ValueError as error:
            self.append(str(error))
        self.append("torn down")
        return response


log = Log()


def chunks(kind):
    for _ in range(ENDLESS if kind == "leaves" else 3):
        yield f"{visitor.get()} ".encode() * (5000 if kind == "leaves" else 1)


async def async_chunks(kind):
    for chunk in chunks(kind):
        yield chunk


def result(kind, stream=chunks):
    if kind == "error":
        raise ZeroDivisionError
    return str(visitor.get()) if kind == "plain" else stream(kind)


async def aresult(kind):
    return result(kind)


def _flask(view, is_async=False):
    from antiphon.dialects.flask import Flask, stream_with_context

    app = Flask(__name__)
    app.logger.disabled = True

    async def set_up():
        log.set_up()

    async def tear_down(_):
        log.tear_down()

    app.before_request(set_up if is_async else log.set_up)
    app.teardown_request(tear_down if is_async else log.tear_down)

    def respond(kind):
        made = view(kind)
        return made if isinstance(made, str) else stream_with_context(made)

    async def arespond(kind):
        return respond(kind)

    app.get("/<kind>")(arespond if is_async else respond)
    return app


def flask():
    return _flask(result)


def async_flask():
    return _flask(result, is_async=True)


def mixed_flask():
    app = _flask(result)
    app.before_request(_nothing)
    return app


async def _nothing():
    pass


def pyramid():
    from antiphon.dialects.pyramid.config import Configurator
    from antiphon.dialects.pyramid.events import NewRequest
    from antiphon.dialects.pyramid.response import Response

    def view(request):
        made = result(request.matchdict["kind"])
        return Response(made) if isinstance(made, str) else Response(app_iter=made)

    def set_up(event):
        log.set_up()
        event.request.add_finished_callback(log.tear_down)

    config = Configurator()
    config.add_subscriber(set_up, NewRequest)
    config.add_route("kind", "/{kind}")
    config.add_view(view, route_name="kind")
    return config.make_wsgi_app()


def _microdot(hook, view):
    from antiphon.dialects.microdot import Microdot

    app = Microdot()
    app.before_request(hook(log.set_up))
    app.after_request(hook(log.tear_down))
    app.after_error_request(hook(log.tear_down))
    app.get("/<kind>")(view)
    return app


def _as_def(function):
    return function


def _as_async(function):
    async def call(*arguments):
        return function(*arguments)

    return call


def microdot():
    return _microdot(_as_def, lambda request, kind: result(kind))


def async_microdot():
    return _microdot(_as_async, lambda request, kind: aresult(kind))


def mixed_microdot():
    async def view(request, kind):
        return result(kind, async_chunks)

    return _microdot(_as_def, view)


class _KayMiddleware:
    def process_request(self, request):
        log.set_up()

    def process_response(self, request, response):
        return log.tear_down(response=response)

    def process_exception(self, request, error):
        log.tear_down()


def kay():
    from antiphon.dialects.kay.app import KayApp
    from antiphon.dialects.kay.routing import Rule, ViewGroup
    from antiphon.dialects.kay.werkzeug.wrappers import Response

    def view(request, kind):
        return Response(result(kind))

    rule = Rule("/<kind>", endpoint="kind", view=view)
    settings = {"MIDDLEWARE_CLASSES": [f"{__name__}._KayMiddleware"]}
    return BridgedApplication(KayApp(settings, [ViewGroup(rule)]))


def _native(hooks, view):
    app = App()
    app.middleware(hooks)
    app.get("/<kind>")(view)
    return app


def native():
    def hooks(request):
        log.set_up()
        request.after_response(log.tear_down)
        yield

    return _native(hooks, lambda request, kind: Response(result(kind)))


def mixed_native():
    def hooks(request):
        log.set_up()
        yield
        log.tear_down()

    async def view(request, kind):
        return Response(result(kind, async_chunks))

    return _native(hooks, view)


PROGRAMS = [
    flask, async_flask, mixed_flask, pyramid, microdot, async_microdot, mixed_microdot, kay, native, mixed_native,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("program", PROGRAMS)
def test_nothing_of_a_request_is_left_for_the_next(program, interface):
    log.clear()
    with served(program, interface, threads=1) as address:
        for number, kind in enumerate([*KINDS, *KINDS], 1):
            with closing(socket.create_connection(address, DEADLINE)) as client:
                client.sendall(b"GET /%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % kind.encode())
                if kind == "leaves":
                    client.recv(100)
                else:
                    with client.makefile("rb") as received:
                        received.read()
            eventually(lambda count=number: log.count("torn down") >= count or None, f"{kind} has no end: {log}")
    assert log == [("found", None, None), "torn down"] * number
