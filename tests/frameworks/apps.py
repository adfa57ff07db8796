"""One application of each framework, with the same views."""

import importlib.util
import warnings
from contextlib import contextmanager
from types import ModuleType

import pytest

from tests.frameworks.views import views

METHODS = ["GET", "POST", "DELETE"]


def flask():
    from flask import Flask

    app = Flask("suite")
    for name, function in views("wsgi").items():
        app.add_url_rule(f"/{name}/<name>" if name == "item" else f"/{name}", name, function, methods=METHODS)
    return app


def quart():
    from quart import Quart

    app = Quart("suite")
    for name, function in views("asgi").items():
        app.add_url_rule(f"/{name}/<name>" if name == "item" else f"/{name}", name, function, methods=METHODS)
    return app


def werkzeug():
    from werkzeug.routing import Map, Rule
    from werkzeug.wrappers import Request

    known = views()
    rules = Map([Rule("/item/<name>" if name == "item" else f"/{name}", endpoint=name) for name in known])

    @Request.application
    def app(request):
        name, params = rules.bind_to_environ(request.environ).match()
        return known[name](request, **params)

    return app


def django_wsgi():
    from django.core.handlers.wsgi import WSGIHandler

    return WSGIHandler()


def django_asgi():
    from django.core.handlers.asgi import ASGIHandler

    return ASGIHandler()


def starlette():
    from starlette.applications import Starlette
    from starlette.routing import Route

    return Starlette(routes=[
        Route("/item/{name}" if name == "item" else f"/{name}", function, methods=METHODS)
        for name, function in views().items()
    ])  # fmt: skip


def fastapi():
    from fastapi import FastAPI

    app = FastAPI()
    for name, function in views().items():
        app.add_api_route("/item/{name}" if name == "item" else f"/{name}", function, methods=METHODS)
    return app


def fasthtml():
    from starlette.convertors import CONVERTOR_TYPES

    own = dict(CONVERTOR_TYPES)
    from fasthtml.common import FastHTML

    CONVERTOR_TYPES.update(own)  # it replaces Starlette's, for all applications of the process
    app = FastHTML(secret_key="a key of the tests, or it writes one into a file here")
    for name, function in views().items():
        app.route("/item/{name}" if name == "item" else f"/{name}", METHODS)(function)
    return app


def litestar():
    from litestar import HttpMethod, Litestar, route

    methods = [HttpMethod.GET, HttpMethod.POST]
    return Litestar([
        route("/item/{name:str}" if name == "item" else f"/{name}", http_method=methods, name=name)(function)
        for name, function in views("asgi").items()
    ], openapi_config=None)  # fmt: skip


def bottle():
    from bottle import Bottle

    app = Bottle()
    for name, function in views().items():
        app.route("/item/<name>" if name == "item" else f"/{name}", METHODS, function)
    return app


def pyramid():
    from pyramid.config import Configurator

    config = Configurator()
    for name, function in views().items():
        config.add_route(name, "/item/{name}" if name == "item" else f"/{name}")
        config.add_view(function, route_name=name)
    return config.make_wsgi_app()


def webob():
    from webob.dec import wsgify

    known = views()

    @wsgify
    def app(request):
        _, name, *rest = request.path_info.split("/")
        return known[name](request, **dict(zip(["name"], rest, strict=False)))

    return app


def _falcon(app, interface):
    for name, function in views(interface).items():
        responders = {f"on_{method.lower()}": staticmethod(function) for method in METHODS}
        app.add_route("/item/{name}" if name == "item" else f"/{name}", type("Resource", (), responders)())
    return app


def falcon_wsgi():
    import falcon

    return _falcon(falcon.App(), "wsgi")


def falcon_asgi():
    import falcon.asgi

    return _falcon(falcon.asgi.App(), "asgi")


def bare_sanic():
    from sanic import Sanic

    Sanic.test_mode = True
    Sanic._app_registry.clear()
    return Sanic("suite", configure_logging=False)


def sanic():
    app = bare_sanic()
    for name, function in views().items():
        app.add_route(
            function, "/item/<name:str>" if name == "item" else f"/{name}", methods=METHODS, name=name, unquote=True
        )
    return app


def aiohttp():
    from aiohttp import web

    app = web.Application()
    for name, function in views("asgi").items():
        for method in METHODS:
            app.router.add_route(method, "/item/{name}" if name == "item" else f"/{name}", function)
    return app


def tornado():
    from tornado.web import Application, RequestHandler

    def handler(function):
        return type("Handler", (RequestHandler,), dict.fromkeys(("get", "head", "post", "delete"), function))

    return Application([
        ("/item/([^/]+)" if name == "item" else f"/{name}", handler(function)) for name, function in views().items()
    ])  # fmt: skip


WSGI = (flask, werkzeug, django_wsgi, bottle, pyramid, webob, falcon_wsgi)
ASGI = (quart, django_asgi, starlette, fastapi, litestar, falcon_asgi, sanic)
SERVED = (aiohttp, tornado)


def is_installed(make) -> bool:
    return importlib.util.find_spec(make.__name__.partition("_")[0]) is not None


def need(make) -> None:
    if not is_installed(make):
        pytest.skip(f"{make.__name__.partition('_')[0]} is not installed")


def made(make):
    """Make the application of a framework, or skip the test if that is not installed."""
    need(make)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


@contextmanager
def application(make, views):
    """Make the application of a framework with other views, or skip the test if that is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.views", views)
        app = made(make)
        if make not in (django_wsgi, django_asgi):
            yield app
            return
        from django.urls import path

        with urls_of_django([path(name, function) for name, function in views().items()]):
            yield app


def urls_of_django(patterns, **settings):
    """Return a context in which Django has these URLs."""
    from django.test import override_settings

    urls = ModuleType("urls")
    urls.urlpatterns = patterns
    return override_settings(ROOT_URLCONF=urls, **settings)


def own():
    """Return the same views in an application of Antiphon's, which the others are compared with."""
    from antiphon import App
    from tests.frameworks.views import PARAMETER, PATHS

    app = App(cross_site_writes=True)
    for name, function in PATHS.items():
        app.route(f"/{name}", METHODS)(function)
    app.route("/item/<name>", METHODS)(PARAMETER)
    return app
