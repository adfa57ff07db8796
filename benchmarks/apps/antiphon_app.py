"""Antiphon: `def` handlers over WSGI, and over ASGI on threads; the same as `async def` over ASGI and RSGI."""

from collections.abc import Generator
from pathlib import Path

from antiphon import Request, Response

from . import handlers
from .work import MIDDLEWARES, USER

HANDLERS = Path(__file__).with_name("antiphon_handlers.py")
ON_THREAD, ON_LOOP = handlers(HANDLERS, is_async=False), handlers(HANDLERS, is_async=True)
wsgi = asgi_def = ON_THREAD.app
wsgi_hooks, wsgi_middlewares = ON_THREAD.hooked, ON_THREAD.wrapped
wsgi_session, wsgi_recorder, wsgi_static = ON_THREAD.visited, ON_THREAD.recorded, ON_THREAD.static
asgi = rsgi = ON_LOOP.app
asgi_hooks, asgi_middlewares = ON_LOOP.hooked, ON_LOOP.wrapped
asgi_session, asgi_recorder, asgi_static = ON_LOOP.visited, ON_LOOP.recorded, ON_LOOP.static


def identify(request: Request) -> None:
    request.g.user = USER


def protect(_request: Request, response: Response) -> None:
    response.headers["x-frame-options"] = "DENY"


def passing(_request: Request) -> Generator[None, Response, None]:
    yield


for module in (ON_THREAD, ON_LOOP):
    module.hooked.before_request(identify)
    module.hooked.after_request(protect)
    for _ in range(MIDDLEWARES):
        module.wrapped.middleware(passing)
