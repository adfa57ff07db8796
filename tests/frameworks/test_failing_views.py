"""Views that fail: whatever surrounds them in a framework is told, as it is of the framework's own functions, and rolls
back; the client gets the same response as from an ``App``.
"""

import asyncio
import socket
import threading
from contextlib import contextmanager
from functools import partial
from importlib import import_module

import pytest

from antiphon import App, Request, Response, abort, aget_response, get_response, view
from tests.frameworks import apps
from tests.frameworks.exchanges import ask, ask_by_socket, asking, on_server
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


SHOWN_ASYNC = (apps.aiohttp, apps.quart, apps.litestar, apps.falcon_asgi)


def own_functions(make, interface=None):
    """A framework's own functions that fail."""
    count, own_abort = OWN[make]
    parameters = ", ".join(("given", "filled")[:count])
    given = {"__name__": __name__, "fail": fail, "own_abort": own_abort}
    is_async = make not in apps.WSGI
    for name, function in (("raises", "fail"), ("aborts", "own_abort")):
        exec(f"{'async ' * is_async}def {name}({parameters}) -> None:\n    {function}()", given)
    return {name: given[name] for name in ("raises", "aborts")}


FAILURES = {"raises": fail, "aborts": partial(abort, 409, "It is taken.")}
"""The ways to fail at once, with the framework's own, under test, as "theirs"."""
inner = App(deadline=0.01)


@inner.get("/<name>")
async def inner_handler(request, name):
    if (kind := name.partition("_")[2]) == "deadline":
        await asyncio.sleep(10)
    FAILURES[kind]()


KINDS = ("raises", "aborts", "theirs", "deadline")


def views(make, interface=None):
    """Views that fail in the same ways, and in those of an application that they call."""

    def raises(request):
        fail()

    def aborts(request):
        abort(409, "It is taken.")

    def theirs(request):
        FAILURES["theirs"]()

    def returned(request):
        return Response.text("It is taken.", 409)

    def calls(request):
        return get_response(inner, request)

    async def acalls(request):
        return await aget_response(inner, request)

    found = {each.__name__: view(interface=interface)(each) for each in (raises, aborts, theirs, returned)}
    call = calls if make in apps.WSGI else acalls
    return {**found, **{f"app_{kind}": named(view(interface=interface)(call), f"app_{kind}") for kind in KINDS}}


def named(function, name):
    function.__name__ = name
    return function


GIVEN = {
    apps.flask: ("", "import_module('flask').request"), apps.quart: ("", "import_module('quart').request"),
    apps.bottle: ("", "import_module('bottle').request"),
    apps.fastapi: ("given: import_module('fastapi').Request", "given"),
    apps.litestar: ("request: import_module('litestar').Request", "request"),
}  # fmt: skip
"""The parameters of a framework's own function that needs its request, and that request."""


def handing_on(make, interface=None):
    """A framework's own functions, which call an application."""
    parameters, request = GIVEN.get(make, ("given", "given"))
    is_async, found = make not in apps.WSGI, {**globals(), "from_framework": Request.from_framework}
    called = f"{'(await a' * is_async}get_response(inner, from_framework({request})){')' * is_async}"
    for kind in KINDS:
        head = f"{'async ' * is_async}def app_{kind}({parameters}) -> None"
        exec(f"{head}:\n    return {called}.to_framework({request})", found)
    return {f"app_{kind}": found[f"app_{kind}"] for kind in KINDS}


@pytest.fixture(scope="module", autouse=True)
def started():
    """The applications, on a loop that outlives those of the servers."""
    for app in inner, lasting:
        app.start()
    yield
    for app in inner, lasting:
        app.stop()


def ends(make, functions_of):
    """Return the response to each function of an application, and what its surroundings have noted."""
    FAILURES["theirs"] = OWN[make][1]
    surroundings, found = Surroundings(), {}
    surround = getattr(surroundings, make.__name__)

    def made(interface=None):
        return {**functions_of(make, interface)}

    with apps.application(make, made):
        app = surround(made("asgi" if make in SHOWN_ASYNC else None))
        with asking(app, make.__name__) as ask_app:
            for name in made():
                surroundings.seen.clear()
                try:
                    response = ask_app("GET", f"/{name}", {}, b"")
                except LookupError:  # Pyramid leaves its own to the server
                    response = 500, [], ""
                found[name] = response, [*surroundings.seen]
    return found


def _renamed(response, name):
    """The response at another path, which some pages show."""
    status, fields, body = response
    return status, [each for each in fields if each[0] != "content-length"], body.replace(name, "aborts")


AS_OWN = {
    "raises": ("raises", 500), "aborts": ("aborts", 409), "theirs": ("aborts", None), "deadline": ("raises", 504),
}  # fmt: skip
"""The framework's own function that ends as a view does, and the status of the view's response."""


def check_as_own(own, ours):
    """Check that what is around has seen the same, and that the responses are ours, but to the framework's error."""
    for name, (response, seen) in ours.items():
        as_own, status = AS_OWN[name.rpartition("_")[2]]
        assert (name, seen) == (name, own[as_own][1])
        if status is None:
            assert _renamed(response, name) == _renamed(own[as_own][0], name)
        else:
            assert (name, response[0]) == (name, status)
            assert '"request_id":"ID"' in response[2]


@pytest.mark.parametrize("make", [*OWN])
def test_a_framework_sees_a_view_that_fails_as_its_own_function(make):
    apps.need(make)
    own, ours = ends(make, own_functions), ends(make, views)
    _, returned = ours.pop("returned")
    check_as_own(own, ours)
    assert {"rollback", "told"} & {*own["raises"][1]}
    assert (own["raises"][0][0], own["aborts"][0][0]) in ((500, 404), (500, 409))
    assert not {"rollback", "told"} & {*returned}


@pytest.mark.parametrize("make", [make for make in OWN if make not in (apps.falcon_wsgi, apps.falcon_asgi)])
def test_a_framework_sees_an_application_fail_that_its_own_function_calls(make):
    apps.need(make)
    check_as_own(ends(make, own_functions), ends(make, handing_on))


def calling_middleware(_):
    return lambda given: get_response(inner, Request.from_framework(given)).to_framework(given)


def test_middleware_of_django_that_calls_an_application_sends_its_responses():
    apps.need(apps.django_wsgi)
    from django.core.signals import got_request_exception

    seen = []
    note = lambda **given: seen.append(given)  # noqa: E731 - signals keep no strong reference
    got_request_exception.connect(note)

    @rows("kind, status, told", ("raises", 500, 1), ("aborts", 409, 0), ("deadline", 504, 1))
    def responds(kind, status, told):
        seen.clear()
        found, _, body = ask(apps.django_wsgi(), "wsgi", "GET", f"/app_{kind}", {}, b"")
        assert (found, len(seen), '"request_id":"ID"' in body) == (status, told, True)

    with apps.urls_of_django([], MIDDLEWARE=[f"{__name__}.calling_middleware"]):
        responds()


ENDS = {
    apps.quart: ("rollback", "commit"), apps.starlette: ("rollback",) * 2, apps.fastapi: ("rollback",) * 2,
    apps.litestar: ("told", None), apps.falcon_asgi: ("rollback", "commit"), apps.sanic: ("told", "told"),
    apps.aiohttp: ("rollback", "commit"), apps.tornado: ("told", "told"),
}  # fmt: skip
"""What a framework sees of a client that leaves, and of a stream that fails: nothing, if all has ended before it."""
HAS_BEGUN = threading.Event()


async def waits(request):
    HAS_BEGUN.set()
    await asyncio.sleep(60)


def stream(request):
    def chunks():
        yield b"one"
        fail()

    return Response.stream(chunks())


async def app_waits(request):
    return await aget_response(lasting, request)


async def app_stream(request):
    return await aget_response(lasting, request)


lasting = App()
for each in waits, stream:
    lasting.get(f"/{each.__name__}")(each)
    lasting.get(f"/app_{each.__name__}")(each)


@contextmanager
def asked(port, path):
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        yield client


def leave(port, path):
    """Leave while a handler waits."""
    HAS_BEGUN.clear()
    with asked(port, path):
        assert HAS_BEGUN.wait(DEADLINE)


def is_whole(port, path):
    with asked(port, path) as client, client.makefile("rb") as received:
        return received.read().endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("make", [*ENDS])
def test_what_a_framework_sees_of_a_client_that_leaves_and_of_a_stream_that_fails(make):
    surroundings = Surroundings()

    def made(interface="asgi" if make in SHOWN_ASYNC else None):
        return {each.__name__: view(interface=interface)(each) for each in (waits, app_waits, stream, app_stream)}

    with apps.application(make, made):
        app = getattr(surroundings, make.__name__)(made())

    @rows("name", [*made()])
    def is_seen(name):
        surroundings.seen.clear()
        expected = ENDS[make]["stream" in name]
        if "stream" in name:
            assert is_whole(port, f"/{name}") == (make in (apps.sanic, apps.tornado))  # which end it
        else:
            leave(port, f"/{name}")
        if expected is not None:
            eventually(lambda: surroundings.seen[:1] or None, "nothing was seen")
        assert surroundings.seen[:1] == ([] if expected is None else [expected])

    with on_server(app, make.__name__) as port:
        is_seen()


@pytest.mark.parametrize("make", [apps.starlette, apps.fastapi])
def test_middleware_around_a_mounted_application_sees_its_errors(make):
    """As Starlette's middleware sees those of Starlette's own mounted applications."""
    apps.need(make)
    surroundings, app = Surroundings(), make()
    app.add_middleware(partial(AroundApplication, end=surroundings.end))
    app.mount("/inner", inner)
    app.mount("/lasting", lasting)

    @rows(
        "path, status, seen",
        ("/inner/app_raises", 500, "rollback"), ("/inner/app_aborts", 409, "commit"),
        ("/inner/app_deadline", 504, "rollback"), ("/inner/missing/too", 404, "commit"),
        ("/lasting/stream", None, "rollback"), ("/lasting/waits", "left", "rollback"),
    )  # fmt: skip
    def is_seen(path, status, seen):
        surroundings.seen.clear()
        if status is None:
            assert not is_whole(port, path)
        elif status == "left":
            leave(port, path)
        else:
            found, _, body = ask_by_socket(port, "GET", path, {}, b"")
            assert (found, '"request_id":"ID"' in body) == (status, True)
        assert eventually(lambda: [*surroundings.seen] or None, "nothing was seen") == [seen]

    with on_server(app, make.__name__) as port:
        is_seen()


def mounted_in_flask(surroundings):
    app = surroundings.flask({})
    app.wsgi_app = import_module("werkzeug.middleware.dispatcher").DispatcherMiddleware(app.wsgi_app, {"/inner": inner})
    return app


def mounted_in_bottle(surroundings):
    app = surroundings.bottle({})
    app.mount("/inner/", inner)
    return app


def mounted_in_pyramid(surroundings):
    from pyramid.wsgi import wsgiapp2

    return surroundings.pyramid({"inner/*subpath": wsgiapp2(inner)})


@pytest.mark.parametrize(("make", "mounted", "seen"), [
    (apps.flask, mounted_in_flask, []),
    (apps.bottle, mounted_in_bottle, []),
    (apps.pyramid, mounted_in_pyramid, ["rollback"]),
], ids=["flask", "bottle", "pyramid"])  # fmt: skip
def test_what_is_around_an_application_that_is_mounted_over_wsgi_sees_of_its_errors(make, mounted, seen):
    """Over WSGI, an application can raise no error beside its response, but ``pyramid_tm`` can be told."""
    surroundings = Surroundings()
    with apps.application(make, lambda *_: {}):
        app = mounted(surroundings)

    @rows("kind, status, seen", ("raises", 500, seen), ("deadline", 504, seen), ("aborts", 409, ["commit"] * len(seen)))
    def is_seen(kind, status, seen):
        surroundings.seen.clear()
        found, _, body = ask(app, "wsgi", "GET", f"/inner/app_{kind}", {}, b"")
        assert (found, '"request_id":"ID"' in body, surroundings.seen) == (status, True, seen)

    is_seen()
