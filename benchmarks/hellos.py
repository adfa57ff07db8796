"""Hello in each framework, for `benchmarks.start`: each application is made when it is asked for.

A server that serves one loads nothing of the others.
"""

from typing import Any

TEXT = "Hello, world!"


def antiphon() -> Any:
    from antiphon import App, Request

    app = App()

    @app.get("/")
    async def hello(_: Request) -> str:
        return TEXT

    return app


def starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def hello(_: Request) -> PlainTextResponse:
        return PlainTextResponse(TEXT)

    return Starlette(routes=[Route("/", hello)])


def falcon() -> Any:
    from falcon import App, Request, Response

    class Hello:
        def on_get(self, _: Request, response: Response) -> None:
            response.text = TEXT

    app = App()
    app.add_route("/", Hello())
    return app


def flask() -> Any:
    from flask import Flask

    app = Flask(__name__)
    app.get("/")(lambda: TEXT)
    return app


def django() -> Any:
    import sys

    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    fields = {"content-type": "text/plain", "content-length": str(len(TEXT))}
    settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="x", MIDDLEWARE=[])
    vars(sys.modules[__name__])["urlpatterns"] = [path("", lambda _: HttpResponse(TEXT, headers=fields))]
    return get_wsgi_application()


def fastapi() -> Any:
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    app = FastAPI()

    @app.get("/", response_class=PlainTextResponse)
    async def hello() -> str:
        return TEXT

    return app


def __getattr__(name: str) -> Any:
    if not name.endswith("_app") or name.removesuffix("_app") not in globals():
        raise AttributeError(name)
    app = globals()[name] = globals()[name.removesuffix("_app")]()
    return app
