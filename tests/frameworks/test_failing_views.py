"""Views that fail: whatever surrounds them in a framework is told, as it is of the framework's own functions, and rolls
back; the client gets the same response as from an ``App``.
"""

import asyncio
import socket
import threading
from functools import partial
from importlib import import_module

import pytest

from antiphon import App, Response, abort, aget_response, get_response, view
from tests.frameworks import apps
from tests.frameworks.exchanges import asking, on_server
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.usefixtures("quiet")


class Surroundings:
    """What users put around the functions of each framework: it notes how each of them has ended."""

    def __init__(self):
        self.seen = []

    def end(self, error):
        self.seen.append("rollback" if error else "commit")

    def note(self, *_, **__):
        self.seen.append("told")

    def flask(self, functions):
        app = apps.flask()
        app.teardown_request(self.end)
        import_module("flask").got_request_exception.connect(self.note, app)
        return app

    def quart(self, functions):
        app = apps.quart()

        @app.teardown_request
        async def end(error):
            self.end(error)

        import_module("quart").got_request_exception.connect(self.note, app)
        return app

    def django_wsgi(self, functions):
        from django.core.signals import got_request_exception

        got_request_exception.connect(self.note)
        return apps.django_wsgi()

    def starlette(self, functions):
        app = apps.starlette()
        app.add_middleware(partial(AroundApplication, end=self.end))
        return app

    def fastapi(self, functions):
        from fastapi import Depends, FastAPI

        def transaction():
            try:
                yield
            except Exception as error:
                self.end(error)
                raise
            self.end(None)

        app = FastAPI(dependencies=[Depends(transaction)])
        for name, function in functions.items():
            app.add_api_route(f"/{name}", function)
        return app

    def litestar(self, functions):
        from litestar import Litestar, get

        async def told(*_):
            self.note()

        routes = [get(f"/{name}")(function) for name, function in functions.items()]
        return Litestar(routes, openapi_config=None, after_exception=[told])

    def bottle(self, functions):
        from bottle import HTTPError, HTTPResponse

        def plugin(function):
            def surrounded(**named):
                try:
                    result = function(**named)
                except HTTPError as error:
                    self.end(error)
                    raise
                except HTTPResponse:
                    self.end(None)
                    raise
                except Exception as error:
                    self.end(error)
                    raise
                self.end(None)
                return result

            return surrounded

        app = apps.bottle()
        app.install(plugin)
        return app

    def pyramid(self, functions):
        from pyramid.config import Configurator

        def tween(handler, registry):
            def joined(request):
                transaction = request.tm.get()
                transaction.addAfterCommitHook(lambda is_committed: self.end(not is_committed))
                transaction.addAfterAbortHook(lambda: self.end(True))
                return handler(request)

            return joined

        config = Configurator()
        config.include("pyramid_tm")
        pytest.importorskip("pyramid_tm").joined = tween
        config.add_tween("pyramid_tm.joined", under="pyramid_tm.tm_tween_factory")
        for name, function in functions.items():
            config.add_route(name, f"/{name}")
            config.add_view(function, route_name=name)
        return config.make_wsgi_app()

    def falcon_wsgi(self, functions):
        return self._falcon(apps.falcon_wsgi())

    def falcon_asgi(self, functions):
        return self._falcon(apps.falcon_asgi())

    def _falcon(self, app):
        class Middleware:
            def process_response(_, given, response, resource, is_successful):
                self.end(not is_successful)

            async def process_response_async(_, *given):
                self.end(not given[-1])

        app.add_middleware(Middleware())
        return app

    def sanic(self, functions):
        app = apps.sanic()
        app.signal("http.lifecycle.exception")(self._anote)
        return app

    async def _anote(self, **_):
        self.note()

    def aiohttp(self, functions):
        from aiohttp import web

        @web.middleware
        async def middleware(request, handler):
            try:
                response = await handler(request)
            except Exception as error:
                self.end(error)
                raise
            self.end(None)
            return response

        app = apps.aiohttp()
        app.middlewares.append(middleware)
        return app

    def tornado(self, functions):
        app = apps.tornado()
        for rule in app.wildcard_router.rules:
            rule.target.log_exception = self.note
        return app


class AroundApplication:
    """A middleware of Starlette."""

    def __init__(self, app, end):
        self.app = app
        self.end = end

    async def __call__(self, scope, receive, send):
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            self.end(error)
            raise
        self.end(None)


def raised(module, name, *arguments, **named):
    def abort():
        raise getattr(import_module(module), name)(*arguments, **named)

    return abort


OWN = {
    apps.flask: (0, raised("werkzeug.exceptions", "Conflict")),
    apps.quart: (0, raised("werkzeug.exceptions", "Conflict")),
    apps.django_wsgi: (1, raised("django.http", "Http404")),
    apps.starlette: (1, raised("starlette.exceptions", "HTTPException", 409)),
    apps.fastapi: (0, raised("fastapi", "HTTPException", 409)),
    apps.litestar: (0, raised("litestar.exceptions", "HTTPException", status_code=409)),
    apps.bottle: (0, raised("bottle", "HTTPError", 409)),
    apps.pyramid: (1, raised("pyramid.httpexceptions", "HTTPConflict")),
    apps.falcon_wsgi: (2, raised("falcon", "HTTPConflict")),
    apps.falcon_asgi: (2, raised("falcon", "HTTPConflict")),
    apps.sanic: (1, raised("sanic.exceptions", "SanicException", "taken", status_code=409)),
    apps.aiohttp: (1, raised("aiohttp.web", "HTTPConflict")),
    apps.tornado: (1, raised("tornado.web", "HTTPError", 409)),
}
"""The number of arguments of a framework's own functions, and its way to respond with a client's error."""


def fail(*_):
    raise LookupError("a bug")


def own_functions(make, interface=None):
    """A framework's own functions that fail."""
    count, own_abort = OWN[make]
    parameters = ", ".join(("given", "filled")[:count])
    given = {"__name__": __name__, "fail": fail, "own_abort": own_abort}
    is_async = make not in apps.WSGI
    for name, function in (("raises", "fail"), ("aborts", "own_abort")):
        exec(f"{'async ' * is_async}def {name}({parameters}) -> None:\n    {function}()", given)
    return {name: given[name] for name in ("raises", "aborts")}


inner = App(deadline=0.01)


@inner.get("/<any>")
async def mounted(request, any):
    if any == "deadline":
        await asyncio.sleep(10)
    raise LookupError("a bug")


def views(make, interface=None):
    """Views that fail in the same ways, and in those of an application that they call."""

    def raises(request):
        fail()

    def aborts(request):
        abort(409, "It is taken.")

    def theirs(request):
        OWN[make][1]()

    def returned(request):
        return Response.text("It is taken.", 409)

    def calls(request):
        return get_response(inner, request)

    async def acalls(request):
        return await aget_response(inner, request)

    async def deadline(request):
        return await aget_response(inner, request)

    functions = [raises, aborts, theirs, returned]
    functions += [calls] if make in apps.WSGI else [acalls, deadline]
    return {each.__name__: view(interface=interface)(each) for each in functions}


def ends(make, functions_of):
    """Return the response to each function of an application, and what its surroundings have noted."""
    surroundings, found = Surroundings(), {}
    surround = getattr(surroundings, make.__name__)

    def named(interface=None):
        return {**functions_of(make, interface)}

    with apps.application(make, named):
        app = surround(named("asgi" if make in (apps.aiohttp, apps.quart, apps.litestar, apps.falcon_asgi) else None))
        with asking(app, make.__name__) as ask_app:
            for name in named():
                surroundings.seen.clear()
                try:
                    response = ask_app("GET", f"/{name}", {}, b"")
                except LookupError:  # Pyramid leaves its own to the server
                    response = 500, [], ""
                found[name] = response, [*surroundings.seen]
    return found


def _renamed(response):
    """The response at another path, which some pages show."""
    status, fields, body = response
    return status, fields, body.replace("aborts", "theirs")


AS_OWN = {
    "raises": ("raises", 500), "aborts": ("aborts", 409), "theirs": ("aborts", None), "calls": ("raises", 500),
    "acalls": ("raises", 500), "deadline": ("raises", 504),
}  # fmt: skip
"""The framework's own function that ends as a view does, and the status of the view's response."""


@pytest.mark.parametrize("make", [*OWN])
def test_a_framework_sees_a_view_that_fails_as_its_own_function(make):
    apps.need(make)
    own, ours = ends(make, own_functions), ends(make, views)
    (_, returned), (theirs, _) = ours.pop("returned"), ours["theirs"]
    assert {name: seen for name, (_, seen) in ours.items()} == {name: own[AS_OWN[name][0]][1] for name in ours}
    assert {"rollback", "told"} & {*own["raises"][1]}
    assert (own["raises"][0][0], own["aborts"][0][0]) in ((500, 404), (500, 409))
    assert not {"rollback", "told"} & {*returned}
    assert theirs == _renamed(own["aborts"][0])
    del ours["theirs"]
    assert {name: response[0] for name, (response, _) in ours.items()} == {name: AS_OWN[name][1] for name in ours}
    assert all('"request_id":"ID"' in body for (_, _, body), _ in ours.values())


def test_a_dependency_of_fastapi_sees_a_client_that_leaves_and_a_stream_that_fails():
    apps.need(apps.fastapi)
    has_begun = threading.Event()

    async def waits(request):
        has_begun.set()
        await asyncio.sleep(60)

    def stream(request):
        def chunks():
            has_begun.set()
            yield b"one"
            fail()

        return Response.stream(chunks())

    @rows("name", ["waits", "stream"])
    def is_rolled_back(name):
        surroundings.seen.clear()
        has_begun.clear()
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
            client.sendall(f"GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert has_begun.wait(DEADLINE)
        assert eventually(lambda: surroundings.seen[:1] or None, "the dependency has not ended") == ["rollback"]

    surroundings = Surroundings()
    with on_server(surroundings.fastapi({"waits": view(waits), "stream": view(stream)}), "fastapi") as port:
        is_rolled_back()
