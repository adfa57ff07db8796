"""Applications of every kind, mounted in one that is observed."""

import asyncio

from antiphon import App, Limits, abort
from antiphon.dialects.microdot import Microdot
from tests.garbage.exchanges import get, post
from tests.garbage.plain_app import LARGE, TOO_LARGE
from tests.helpers.mountable_apps import OTHERS


def wsgi_stream(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    for _ in range(3):
        yield b"x" * 1000


def wsgi_failure(environ, start_response):
    raise LookupError(environ["PATH_INFO"])


def wsgi_late_failure(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    yield b"x"
    raise LookupError(environ["PATH_INFO"])


async def asgi_stream(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for more_body in True, True, False:
        await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": more_body})


async def asgi_watching(scope, receive, send):
    await receive()
    leaving = asyncio.create_task(receive())
    await asyncio.sleep(0)
    await asgi_stream(scope, receive, send)
    await leaving


async def asgi_failure(scope, receive, send):
    raise LookupError(scope["path"])


async def asgi_late_failure(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    raise LookupError(scope["path"])


def mixed_microdot():
    app = Microdot()

    @app.get("/")
    def blocks(request):
        return "text"

    @app.get("/waits")
    async def waits(request):
        return "text"

    return app


def inner(style):
    app = App()
    app.get("/text")(style(lambda request: "text"))
    app.get("/stream")(style(lambda request: (each for each in "ab")))
    app.post("/body")(style(lambda request: str(len(request.body))))
    app.get("/abort")(style(lambda request: abort(404)))
    app.get("/failure")(style(lambda request: 1 / 0))
    app.post("/json-as")(style(lambda request: request.json_as(dict[str, int])))
    return app


MOUNTED = {
    "a stream": wsgi_stream,
    "a failure": wsgi_failure,
    "a late failure": wsgi_late_failure,
    "an ASGI stream": asgi_stream,
    "an ASGI stream that watches its client": asgi_watching,
    "a Microdot of def and async def": mixed_microdot(),
    "an ASGI failure": asgi_failure,
    "a late ASGI failure": asgi_late_failure,
}


async def stop(request):
    await asyncio.sleep(0)
    return "stopped", 418


def make(style):
    """Return the application."""
    app = App(limits=Limits(body=2 << 20))
    for name, kind in OTHERS.items():
        app.mount(f"/{slug(name)}", kind.make())
    for name, mounted in MOUNTED.items():
        app.mount(f"/{slug(name)}", mounted)
    app.mount("/inner", inner(style))
    guarded = App()
    guarded.before_request(stop)
    guarded.mount("/inner", inner(style))
    app.mount("/guarded", guarded)
    return app


def slug(name):
    return name.lower().replace(" ", "-")


def _exchanges():
    for name in OTHERS:
        yield name, get(f"/{slug(name)}/path")
        yield f"the body of {name}", post(f"/{slug(name)}/path", body=bytes(1000))
        yield f"the large body of {name}", post(f"/{slug(name)}/path", body=LARGE)
        if "WSGI" in name:
            yield f"the failure of {name}", get(f"/{slug(name)}/boom", 500)
        yield f"a body too large for {name}", post(f"/{slug(name)}/path", 413, body=TOO_LARGE)
    for name in MOUNTED:
        is_late = "late" in name
        yield name, get(f"/{slug(name)}/", 500 if "failure" in name and not is_late else 200)._replace(breaks=is_late)
    for path, status in {"text": 200, "stream": 200, "nowhere": 404, "abort": 404, "failure": 500}.items():
        yield f"{path} of an app", get(f"/inner/{path}", status)
    yield (
        "a malformed body of an app",
        post("/inner/json-as", 400, body=b"{", headers={"content-type": "application/json"}),
    )
    yield "the body of an app", post("/inner/body", body=LARGE)
    short = post("/guarded/inner/body", (400, 418, 499), body=[bytes(100)], headers={"content-length": "1000"})
    yield "a body that is cut off before a hook", short


EXCHANGES = dict(_exchanges())
