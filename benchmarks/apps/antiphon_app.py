"""Antiphon: `def` handlers over WSGI, and over ASGI on threads, `async def` handlers over ASGI and RSGI."""

from collections.abc import AsyncGenerator, Generator
from typing import Any

from antiphon import App, Request, Response
from antiphon.features import Cache
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import ETag

from .work import (
    CODINGS,
    FIELDS,
    HOUR,
    LANGUAGES,
    MADE,
    MIDDLEWARES,
    MODIFIED,
    NO_STORE,
    PIXELS,
    SESSION,
    TAG,
    TYPES,
    USER,
    YEAR,
    invoice,
    listing,
    portrait,
    receipt,
    upload,
)

wsgi = asgi_def = App()
wsgi_hooks = App()
wsgi_middlewares = App()
wsgi_middleware = App()
wsgi_before_routing = App()
wsgi_stack = App()
asgi = rsgi = App()
asgi_hooks = App()
asgi_middlewares = App()
asgi_middleware = App()
asgi_before_routing = App()
asgi_stack = App()
asgi_async_middlewares_1 = App()
asgi_async_middlewares_5 = App()
asgi_async_middlewares_20 = App()
wsgi_hit = App()
asgi_hit = App()

PRESENT = ETag(TAG)
KEPT = CacheControl(public=True, max_age=HOUR)


def described(request: Request) -> str:
    return portrait(
        request.accept.best(TYPES),
        request.accept_languages.best(LANGUAGES),
        request.accept_encodings.best(CODINGS),
        request.authorization.username if request.authorization else None,
        request.user_agent,
        request.referrer,
        PRESENT in request.if_none_match,
        request.if_modified_since,
        request.cache_control.max_age,
        request.content_type.charset if request.content_type else None,
    )


def complete_response() -> Response:
    response = Response("Built.")
    response.cache_control = KEPT
    response.content_language = ["de"]
    response.etag = PRESENT
    response.last_modified = MODIFIED
    response.vary("accept-language")
    response.x_frame_options = "DENY"
    response.set_cookie("session", SESSION, max_age=HOUR, secure=True, httponly=True)
    response.set_cookie("theme", "dark", max_age=YEAR)
    return response


def conditional_response(request: Request) -> Response:
    response = Response("Hello, world!")
    response.etag = PRESENT
    return response.make_conditional(request)


def partial_response(request: Request) -> Response:
    response = Response(PIXELS)
    response.etag = PRESENT
    response.last_modified = MODIFIED
    return response.make_conditional(request)


def identify(request: Request) -> None:
    request.g.user = USER


def protect(_request: Request, response: Response) -> None:
    response.headers["x-frame-options"] = "DENY"


def keep(_request: Request, _response: Response) -> None:
    """Leave the response as it is."""


def passing(_request: Request) -> Generator[None, Response, None]:
    yield


for app in (wsgi_hooks, asgi_hooks):
    app.before_request(identify)
    app.after_request(protect)

for app in (wsgi_middlewares, asgi_middlewares, wsgi_stack, asgi_stack):
    for _ in range(MIDDLEWARES):
        app.middleware(passing)


async def passing_async(_request: Request) -> AsyncGenerator[None, Response]:
    yield


for app, count in ((asgi_async_middlewares_1, 1), (asgi_async_middlewares_5, 5), (asgi_async_middlewares_20, 20)):
    for _ in range(count):
        app.middleware(passing_async)

for app in (wsgi_middleware, asgi_middleware):
    app.middleware(passing)

for app in (wsgi_before_routing, asgi_before_routing):
    app.middleware(passing, before_routing=True)

for app in (wsgi_stack, asgi_stack):
    app.before_request(identify)
    app.after_request(protect)
    app.after_request(keep)


for app in (wsgi_hit, asgi_hit):
    app.use(Cache())


@wsgi_stack.get("/hello")
@wsgi_middleware.get("/hello")
@wsgi_before_routing.get("/hello")
@wsgi_middlewares.get("/hello")
@wsgi.get("/hello")
def hello(_request: Request) -> str:
    return "Hello, world!"


@wsgi_hit.get("/hello")
def shared(_request: Request) -> Response:
    response = Response("Hello, world!")
    response.cache_for(HOUR, public=True)
    return response


@asgi_hit.get("/hello")
async def shared_async(_request: Request) -> Response:
    response = Response("Hello, world!")
    response.cache_for(HOUR, public=True)
    return response


@wsgi_hooks.get("/hooks")
def hooks(request: Request) -> str:
    return f"Hello, {request.g.user}!"


@wsgi.get("/tuple")
def made(_request: Request) -> tuple[str, int, dict[str, str]]:
    return MADE, 201, {"cache-control": NO_STORE}


@wsgi.get("/read/<name>")
def read(request: Request) -> str:
    args = request.args
    return listing(
        request.path_params["name"],
        args["page"],
        args.get("size", 0, type=int),
        args["sort"],
        request.cookies["session"],
        request.accept_languages.best(LANGUAGES),
    )


@wsgi.post("/json-msgspec")
@wsgi.post("/json")
def order(request: Request) -> dict[str, Any]:
    return invoice(request.json)


@wsgi.post("/form")
def form(request: Request) -> str:
    values = request.form
    return receipt([values[name] for name in FIELDS])


@wsgi.post("/multipart")
def multipart(request: Request) -> str:
    file = request.files["file"]
    return upload(request.form["title"], file.filename, file.read())


@wsgi.get("/headers")
def headers(request: Request) -> str:
    return described(request)


@wsgi.get("/built")
def built(_request: Request) -> Response:
    return complete_response()


@wsgi.get("/conditional")
def conditional(request: Request) -> Response:
    return conditional_response(request)


@wsgi.get("/pixels")
def pixels(request: Request) -> Response:
    return partial_response(request)


@asgi_stack.get("/hello")
@asgi_middleware.get("/hello")
@asgi_before_routing.get("/hello")
@asgi_async_middlewares_1.get("/hello")
@asgi_async_middlewares_5.get("/hello")
@asgi_async_middlewares_20.get("/hello")
@asgi_middlewares.get("/hello")
@asgi.get("/hello")
async def hello_async(_request: Request) -> str:
    return "Hello, world!"


@asgi_hooks.get("/hooks")
async def hooks_async(request: Request) -> str:
    return f"Hello, {request.g.user}!"


@asgi.get("/tuple")
async def made_async(_request: Request) -> tuple[str, int, dict[str, str]]:
    return MADE, 201, {"cache-control": NO_STORE}


@asgi.get("/read/<name>")
async def read_async(request: Request) -> str:
    args = request.args
    return listing(
        request.path_params["name"],
        args["page"],
        args.get("size", 0, type=int),
        args["sort"],
        request.cookies["session"],
        request.accept_languages.best(LANGUAGES),
    )


@asgi.post("/json-msgspec")
@asgi.post("/json")
async def order_async(request: Request) -> dict[str, Any]:
    return invoice(request.json)


@asgi.post("/form")
async def form_async(request: Request) -> str:
    values = request.form
    return receipt([values[name] for name in FIELDS])


@asgi.post("/multipart")
async def multipart_async(request: Request) -> str:
    file = request.files["file"]
    return upload(request.form["title"], file.filename, file.read())


@asgi.get("/headers")
async def headers_async(request: Request) -> str:
    return described(request)


@asgi.get("/built")
async def built_async(_request: Request) -> Response:
    return complete_response()


@asgi.get("/conditional")
async def conditional_async(request: Request) -> Response:
    return conditional_response(request)


@asgi.get("/pixels")
async def pixels_async(request: Request) -> Response:
    return partial_response(request)
