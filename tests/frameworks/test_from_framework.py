"""Exceptions and responses of other frameworks in handlers and in views: clients get what the framework would send."""

import asyncio
import warnings

import pytest

from antiphon import App, Response, view
from antiphon.testing import Client
from tests.frameworks import apps, django_urls
from tests.frameworks.exchanges import asking, asking_views
from tests.helpers.rows import rows

pytestmark = pytest.mark.usefixtures("quiet")

COOKIE = "got.set_cookie('a', '1'); return got"
VALUES = {
    "flask": ("import flask", {
        "error": "flask.abort(404)", "text": "flask.abort(410, 'It is sold.')",
        "headers": "import werkzeug.exceptions as e; raise e.TooManyRequests(retry_after=7)",
        "redirect": "return flask.redirect('/there')", "raised redirect": "flask.abort(flask.redirect('/there'))",
        "raised response": "flask.abort(flask.Response('tea', 418))",
        "response": f"got = flask.Response('hi', 202, {{'X-Own': '1'}}); {COOKIE}",
        "stream": "return flask.Response(iter(['one', 'two']))", "returned error": "raise flask.abort(404)",
    }),
    "antiphon.dialects.flask": ("import antiphon.dialects.flask as flask", {
        "error": "flask.abort(404)", "text": "flask.abort(410, 'It is sold.')",
        "redirect": "return flask.redirect('/there')", "raised redirect": "flask.abort(flask.redirect('/there'))",
        "response": f"got = flask.Response('hi', 202, {{'X-Own': '1'}}); {COOKIE}",
        "stream": "return flask.Response(iter(['one', 'two']))",
    }),
    "antiphon.dialects.webob": ("from antiphon.dialects.webob import Response, exc", {
        "error": "raise exc.HTTPNotFound()", "text": "raise exc.HTTPGone('It is sold.')",
        "redirect": "return exc.HTTPFound(location='/there')",
        "raised redirect": "raise exc.HTTPFound(location='/there')",
        "response": f"got = Response('hi', 202, charset='utf-8'); got.headers['X-Own'] = '1'; {COOKIE}",
        "stream": "return Response(app_iter=iter([b'one', b'two']))",
    }),
    "antiphon.dialects.pyramid": ("from antiphon.dialects.pyramid import httpexceptions as exc, response", {
        "error": "raise exc.HTTPNotFound()", "text": "raise exc.HTTPGone('It is sold.')",
        "redirect": "return exc.HTTPFound('/there')", "raised redirect": "raise exc.HTTPFound('/there')",
        "response": f"got = response.Response('hi', 202, charset='utf-8'); got.headers['X-Own'] = '1'; {COOKIE}",
    }),
    "quart": ("import quart", {
        "error": "quart.abort(404)", "response": f"got = quart.Response('hi', 202, {{'X-Own': '1'}}); {COOKIE}",
        "redirect": "return quart.redirect('/there')", "stream": "return quart.Response(each('one', 'two'))",
    }),
    "django": ("from django import http; from django.core import exceptions as e", {
        "error": "raise http.Http404('no row')", "refused": "raise e.PermissionDenied('the reason')",
        "suspicious": "raise e.SuspiciousOperation('the reason')",
        "redirect": "return http.HttpResponseRedirect('/there')",
        "response": f"got = http.HttpResponse('hi', status=202, headers={{'X-Own': '1'}}); {COOKIE}",
        "stream": "return http.StreamingHttpResponse(['one', 'two'])",
        "async stream": "return http.StreamingHttpResponse(each(b'one', b'two'))",
    }),
    "rest_framework": ("from rest_framework import exceptions as e, response", {
        "error": "raise e.NotFound()", "headers": "raise e.Throttled(wait=7)",
        "text": "error = e.APIException('It is sold.'); error.status_code = 410; raise error",
        "fields": "raise e.ValidationError({'item': ['It is sold.']})",
        "own response": f"got = response.Response({{'a': [1]}}, 202, headers={{'X-Own': '1'}}); {COOKIE}",
    }),
    "starlette": ("from starlette import background, exceptions, responses", {
        "error": "raise exceptions.HTTPException(404)", "text": "raise exceptions.HTTPException(410, 'It is sold.')",
        "headers": "raise exceptions.HTTPException(429, headers={'Retry-After': '7'})",
        "redirect": "return responses.RedirectResponse('/there', 302)",
        "raised redirect": "raise exceptions.HTTPException(302, headers={'Location': '/there'})",
        "response": f"got = responses.PlainTextResponse('hi', 202, {{'X-Own': '1'}}); {COOKIE}",
        "stream": "return responses.StreamingResponse(each('one', 'two'))",
        "file": "return responses.FileResponse(__file__)",
    }),
    "fastapi": ("import fastapi; import fastapi.responses as responses", {
        "error": "raise fastapi.HTTPException(404)", "text": "raise fastapi.HTTPException(410, 'It is sold.')",
        "JSON": "raise fastapi.HTTPException(409, {'sold': True})",
        "redirect": "return responses.RedirectResponse('/there', 302)",
    }),
    "litestar": ("from litestar import exceptions, response", {
        "error": "raise exceptions.NotFoundException()",
        "text": "raise exceptions.HTTPException('It is sold.', status_code=410)",
        "headers": "raise exceptions.TooManyRequestsException(headers={'Retry-After': '7'})",
        "redirect": "return response.Redirect('/there')",
        "response": "got = response.Response('hi', status_code=202, media_type='text/plain');"
        f" got.headers['X-Own'] = '1'; {COOKIE}",
    }),
    "aiohttp": ("from aiohttp import web", {
        "error": "raise web.HTTPNotFound()", "text": "raise web.HTTPGone(text='It is sold.')",
        "headers": "raise web.HTTPTooManyRequests(headers={'Retry-After': '7'})",
        "raised redirect": "raise web.HTTPFound('/there')",
        "response": f"got = web.Response(text='hi', status=202, headers={{'X-Own': '1'}}); {COOKIE}",
    }),
    "bottle": ("import bottle", {
        "error": "bottle.abort(404, 'There is none.')", "text": "bottle.abort(410, 'It is sold.')",
        "headers": "raise bottle.HTTPError(429, **{'Retry-After': '7'})",
        "raised response": "raise bottle.HTTPResponse('tea', 418)",
        "response": f"got = bottle.HTTPResponse('hi', 202, **{{'X-Own': '1'}}); {COOKIE}",
        "stream": "return bottle.HTTPResponse(iter(['one', 'two']))",
    }),
    "pyramid": ("from pyramid import httpexceptions as exc, response", {
        "error": "raise exc.HTTPNotFound()", "text": "raise exc.HTTPGone('It is sold.')",
        "headers": "raise exc.HTTPTooManyRequests(headers={'Retry-After': '7'})",
        "redirect": "return exc.HTTPFound('/there')", "raised redirect": "raise exc.HTTPFound('/there')",
        "returned error": "return exc.HTTPNotFound()",
        "response": f"got = response.Response('hi', 202, charset='utf-8'); got.headers['X-Own'] = '1'; {COOKIE}",
        "stream": "return response.Response(app_iter=iter([b'one', b'two']))",
    }),
    "falcon": ("import falcon", {
        "error": "raise falcon.HTTPNotFound()", "text": "raise falcon.HTTPGone(description='It is sold.')",
        "headers": "raise falcon.HTTPTooManyRequests(retry_after=7)",
        "raised redirect": "raise falcon.HTTPFound('/there')",
        "raised response": "raise falcon.HTTPStatus(418, text='tea')",
    }),
    "sanic": ("from sanic import exceptions, response", {
        "error": "raise exceptions.NotFound()", "text": "raise exceptions.SanicException('It is sold.', 410)",
        "headers": "raise exceptions.SanicException('Later.', 429, headers={'Retry-After': '7'})",
        "redirect": "return response.redirect('/there')",
        "response": "got = response.text('hi', 202, {'X-Own': '1'}); got.add_cookie('a', '1'); return got",
    }),
    "tornado": ("from tornado import web", {
        "error": "raise web.HTTPError(404, 'the reason')", "refused": "raise web.HTTPError(403, 'the reason')",
    }),
}  # fmt: skip
"""What code of each framework is imported with, and what its functions raise and return."""
SENT = {
    "error": (404,), "returned error": (404,), "refused": (403,), "suspicious": (400,),
    "JSON": (409, '{"detail":{"sold":true}}'), "fields": (400, '\n\n{"item":["It is sold."]}'),
    "own response": (202, "x-own: 1", "set-cookie: a=1", "content-type: application/json", '\n\n{"a":[1]}'),
    "text": (410, "It is sold."), "headers": (429, "retry-after: 7"), "raised response": (418, "tea"),
    "redirect": (302, "/there"), "raised redirect": (302, "/there"), "file": (200, "urlpatterns"),
    "response": (202, "x-own: 1", "set-cookie: a=1", "\n\nhi"), "stream": (200, "onetwo"),
    "async stream": (200, "onetwo"),
}  # fmt: skip
"""The status, and what the header fields or the content contain."""
HIDDEN = "the reason"
"""A text for logs, which the framework doesn't send."""


async def each(*chunks):
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


def function_of(framework, kind):
    """A handler that raises or returns a value of a framework, or skip the row if the framework is not installed."""
    imports, values = VALUES[framework]
    given = {"__name__": __name__, "__file__": django_urls.__file__, "each": each}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(imports.split()[1].strip(";"))
        exec(f"{imports}\ndef function(request):\n    {values[kind]}", given)
    return given["function"]


def check(kind, status, fields, text):
    expected, *parts = SENT[kind]
    whole = "\n".join([*(f"{name.lower()}: {value}" for name, value in fields), f"\n{text}"])
    assert status == expected, whole
    assert [part for part in parts if part not in whole] == [], whole
    assert HIDDEN not in whole


CASES = [(framework, kind) for framework, (_, values) in VALUES.items() for kind in values]


@rows("framework, kind", CASES)
@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_handlers_raise_and_return_them(framework, kind, interface):
    function = function_of(framework, kind)
    app = App()
    app.get("/")(function)

    @app.get("/async")
    async def handler(request):
        return function(request)

    with Client(app, follow_redirects=False, interface=interface) as client:
        for path in ("/", "/async"):
            sent = client.get(path)
            check(kind, sent.status, sent.headers.items(), sent.text)


IN_VIEWS = {
    "flask": apps.flask, "quart": apps.quart, "django": apps.django_wsgi, "rest_framework": apps.django_wsgi,
    "starlette": apps.starlette, "fastapi": apps.fastapi, "litestar": apps.litestar, "bottle": apps.bottle,
    "pyramid": apps.pyramid, "falcon": apps.falcon_wsgi, "sanic": apps.sanic,
    "aiohttp": apps.aiohttp, "tornado": apps.tornado,
}  # fmt: skip
"""Each framework calls views that raise and return its own values, and those of the next one."""


@pytest.mark.parametrize("name", IN_VIEWS)
def test_views_raise_and_return_them(name):
    names = [*IN_VIEWS]
    other = names[(names.index(name) + 1) % len(names)]
    cases = [(each, kind) for each in (name, other) for kind in VALUES[each][1]]
    if name == "starlette":
        cases.remove(("fastapi", "JSON"))  # its handler is FastAPI's

    def views(interface=None):
        found = {}
        for number, (framework, kind) in enumerate(cases):
            function = function_of(framework, kind)
            function.__name__ = f"view{number}"
            found[function.__name__] = view(interface=interface)(function)
        return found

    make = IN_VIEWS[name]
    with asking_views(make, views) as ask:

        @rows("framework, kind", cases)
        def responds(framework, kind):
            status, fields, text = ask("GET", f"/view{cases.index((framework, kind))}", {}, b"")
            check(kind, status, fields, text)

        responds()


def test_handlers_of_errors_see_them():
    """By their own class, by their status, and by no more than the former for what isn't an error."""
    exceptions = pytest.importorskip("starlette.exceptions")
    app, seen = App(), []

    @app.get("/<int:status>")
    def handler(request, status):
        raise exceptions.HTTPException(status, headers={"location": "/"})

    @app.errorhandler(404)
    def by_status(request, error):
        seen.append(type(error).__name__)
        return "not here"

    @app.middleware
    def watch(request):
        response = yield
        seen.append(response.error and type(response.error).__name__)

    with Client(app, follow_redirects=False) as client:
        assert (client.get("/404").status, client.get("/404").text) == (404, "not here")
        assert client.get("/302").status == 302
    assert seen == ["HTTPException"] * 4 + [None]


def test_a_response_is_converted():
    django = pytest.importorskip("django.http")
    given = django.HttpResponse("hi", status=202, headers={"X-Own": "1"})
    given.set_cookie("a", "1")
    made = Response.from_framework(given)
    assert (made.status, made.body, made.headers["x-own"]) == (202, b"hi", "1")
    assert made.headers["set-cookie"] == "a=1; Path=/"
    with pytest.raises(TypeError, match=r"a response can't be made from a builtins\.str"):
        Response.from_framework("hi")


def test_an_internal_failure_is_not_told():
    exceptions = pytest.importorskip("starlette.exceptions")
    app = App()

    @app.get("/")
    def handler(request):
        raise exceptions.HTTPException(500, "table payments is locked")

    with Client(app, raise_errors=False) as client:
        sent = client.get("/")
    assert (sent.status, "payments" in sent.text) == (500, False)


class SoldError(Exception):
    """An error to which the applications respond themselves."""


def sold(*_):
    return "It is sold.", 410


async def asold(*_):
    responses = pytest.importorskip("starlette.responses")
    return responses.PlainTextResponse("It is sold.", 410)


@rows("make, add, handler", [
    (apps.flask, "register_error_handler", sold), (apps.quart, "register_error_handler", sold),
    (apps.starlette, "add_exception_handler", asold), (apps.fastapi, "add_exception_handler", asold),
])  # fmt: skip
def test_handlers_of_the_app_respond_to_its_own_exceptions(make, add, handler):
    def fails(request):
        raise SoldError

    def views(interface=None):
        return {"fails": view(interface=interface)(fails)}

    with apps.application(make, views) as app, asking(app, make.__name__) as ask:
        getattr(app, add)(SoldError, handler)
        status, _, text = ask("GET", "/fails", {}, b"")
    assert (status, text) == (410, "It is sold.")
