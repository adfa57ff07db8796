"""An application without features: every return value, every error, every way to read a body and to end a request."""

import asyncio
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pydantic
from msgspec import Meta, Struct

from antiphon import App, Blueprint, Dependency, HTTPError, Limits, Response, abort
from antiphon.http import BadRequest
from antiphon.http.redirect import Redirect
from tests.garbage.exchanges import BROWSER, Exchange, get, post

FILE = Path(tempfile.gettempdir()) / f"antiphon-garbage-{os.getpid()}.txt"
LARGE = bytes(1400 << 10)
TOO_LARGE = bytes(3 << 20)
JSON = {"content-type": "application/json"}


@dataclass
class Person:
    name: Annotated[str, Meta(min_length=2)]
    age: int


class Model(pydantic.BaseModel):
    age: int


class Point(Struct):
    x: int


def fail_to_default():
    raise ValueError("There is no default.")


@dataclass
class WithFailingDefault:
    name: str = field(default_factory=fail_to_default)


class Markup(str):
    def __html__(self):
        return str(self)


class Own:
    def __response__(self, request):
        return Response("own")


class Teapot(HTTPError):
    status = 418


class Failure(Exception):
    pass


def fail(request):
    raise Failure(request.path)


def caught(request):
    """Answer after an error that the handler has caught itself."""
    try:
        return request.args["nope"]
    except KeyError:
        return "caught"


def grouped(request):
    raise ExceptionGroup("several", [Failure("one"), BadRequest("two")])


def chained(request):
    try:
        raise LookupError
    except LookupError as error:
        raise Failure("because") from error


def refused_and_answered(request):
    try:
        return str(request.json_as(Person))
    except HTTPError:
        return "refused"


def wrong_header(request):
    return Response("text", headers={"x-bad": "a\r\nb"})


async def broken_events():
    yield "a"
    raise Failure


HANDLERS = {
    "text": lambda request: "text",
    "bytes": lambda request: b"bytes",
    "dict": lambda request: {"a": 1},
    "list": lambda request: [1, 2],
    "dataclass": lambda request: Person("Ada", 3),
    "struct": lambda request: Point(3),
    "markup": lambda request: Markup("<p>"),
    "with status": lambda request: ({"id": 7}, 201, {"location": "/dict"}),
    "own response": lambda request: Own(),
    "response": lambda request: Response.json({"a": 1}),
    "html": lambda request: Response.html("<p>"),
    "redirect": lambda request: Response.redirect("/text"),
    "file": lambda request: Response.file(FILE),
    "etag": lambda request: _with_etag(Response("abc")),
    "cookie": lambda request: _with_cookie(Response("abc")),
    "stream": lambda request: (each for each in ("a", "b")),
    "events": lambda request: Response.events(iter([{"a": 1}])),
    "long stream": lambda request: (b"x" * 1000 for _ in range(100_000)),
    "broken stream": lambda request: (1 / (2 - each) and "a" for each in range(4)),
    "broken stream of events": lambda request: Response.events(broken_events()),
    "broken stream of generator dependency": lambda request: (
        f"{request[OPENED].name}{1 / (2 - each)}" for each in (1, 2)
    ),
    "nothing": lambda request: None,
    "abort": lambda request: abort(404),
    "raised": lambda request: _raise(BadRequest("no")),
    "own error": lambda request: _raise(Teapot("short and stout")),
    "raised redirect": lambda request: _raise(Redirect("/text")),
    "failure": fail,
    "group": grouped,
    "chain": chained,
    "caught": caught,
    "refused and answered": refused_and_answered,
    "wrong header": wrong_header,
    "missing argument": lambda request: request.args["nope"],
    "args": lambda request: str(request.args_as(Person)),
    "head": lambda request: f"{request.url} {request.headers['host']} {request.cookies} {request.accept.best(['a/b'])}",
    "precondition": lambda request: str(request.precondition(etag="abc")),
    "url_for": lambda request: request.url_for("text"),
    "id": lambda request: request.id,
    "lifetime": lambda request: f"{request.lifetime.remaining} {request.lifetime.is_client_gone}",
    "after": lambda request: _after(request, lambda: request.path),
    "after that fails": lambda request: _after(request, lambda: fail(request)),
    "after request": lambda request: request.on_response(lambda request, response: None) and "after",
    "share": lambda request: str(request.shared("number")),
    "dependency": lambda request: request[KEEPER].name,
    "generator dependency": lambda request: request[OPENED].name,
    "failure in generator dependency": lambda request: request[OPENED] and fail(request),
    "dependency that fails at its end": lambda request: request[FAILING].name,
    "stream of generator dependency": lambda request: (request[OPENED].name for _ in range(2)),
}  # fmt: skip

ROWS = [
    ("application/x-ndjson", b'{"name": "Ada", "age": 36}\n{"name": "Bob", "age": 2}', b'{"name": "Ada"}'),
    ("text/csv", b"name,age\nAda,36\nBob,2", b"name,age\nAda,x"),
]
READERS = {
    "body": lambda request: str(len(request.body)),
    "body text": lambda request: str(len(request.text)),
    "chunks": lambda request: str(sum(map(len, request.stream))),
    "json": lambda request: str(request.json),
    "json_as": lambda request: str(request.json_as(Person)),
    "model": lambda request: str(request.json_as(Model)),
    "values_as": lambda request: str([*request.values_as(Person)]),
    "patched": lambda request: str(request.patched(Person("Bob", 2))),
    "form": lambda request: request.form["name"],
    "form_as": lambda request: str(request.form_as(Person)),
    "files": lambda request: str(request.files["file"].size),
    "digest": lambda request: request.files["file"].digest("sha256"),
    "echo": lambda request: (chunk for chunk in request.stream),
    "unread": lambda request: "unread",
}


def _raise(error):
    try:
        raise error
    finally:
        del error  # or this very frame would keep it


def _after(request, function):
    request.after_response(function)
    return "after"


def _with_etag(response):
    response.etag = "abc"
    response.is_conditional = True
    return response


def _with_cookie(response):
    response.set_cookie("a", "b")
    return response


class Keeper:
    def __init__(self, name):
        self.name = name


KEEPER = Dependency[Keeper]("keeper")
OPENED = Dependency[Keeper]("opened")
CATCHING = Dependency[Keeper]("catching")
FAILING = Dependency[Keeper]("failing")


def make(style):
    """Return the application. All that runs for a request is painted by ``style``."""
    FILE.write_bytes(b"file" * 100)
    app = App(limits=Limits(body=2 << 20))
    app.provide(KEEPER, lambda request: Keeper(request.path))

    def opened(request):
        keeper = Keeper(request.path)
        yield keeper

    def failing(request):
        yield Keeper(request.path)
        fail(request)

    app.provide(OPENED, opened)

    def catching(request):
        try:
            yield Keeper(request.path)
        except Exception as error:
            request.g.caught = str(error)

    async def acatching(request):
        try:
            yield Keeper(request.path)
        except Exception as error:
            request.g.caught = str(error)

    app.provide(CATCHING, acatching if style.is_async else catching)
    app.provide(FAILING, failing)
    app.template_context(number=7, path=lambda request: request.path)
    _add_handlers(app, style)
    for name, part in PARTS.items():
        blueprint = Blueprint(name.replace(" ", "_"), prefix=f"/{slug(name)}")
        part(blueprint, style)
        _few(blueprint, style)
        app.register(blueprint)
    return app


def _add_handlers(app, style):
    for name, handler in HANDLERS.items():
        app.get(f"/{slug(name)}", name=slug(name))(style(_named(handler, name)))
    for name, handler in READERS.items():
        app.post(f"/{slug(name)}")(style(_named(handler, name)))
        app.post(f"/lazy/{slug(name)}", receive="load" if style.name.startswith("async") else "lazy")(
            style(_named(handler, name))
        )
    app.post("/small", limits=Limits(body=100))(style(lambda request: str(len(request.body))))
    app.delete("/deleted")(style(lambda request: "deleted"))
    app.post("/default")(style(lambda request: str(request.json_as(WithFailingDefault))))

    @app.get("/deadline", deadline=60)
    async def deadline(request):
        await asyncio.sleep(0)
        return "in time"

    @app.get("/late", deadline=0.01)
    async def late(request):
        await asyncio.sleep(60)


def _named(handler, name):
    def named(request):
        return handler(request)

    named.__name__ = slug(name).replace("-", "_")
    return named


def slug(name):
    """Return a name as a segment of a path."""
    return name.replace(" ", "-").replace("_", "-")


def _catching(style, answer):
    """Middleware that catches what is thrown in, and answers it."""

    def blocks(request):
        try:
            yield
        except Exception as error:
            return answer(error)

    async def waits(request):
        try:
            yield
        except Exception as error:
            yield answer(error)

    return waits if style.is_async else blocks


def _around(*makers, **options):
    """A part with the middleware that functions of the style make."""
    return lambda part, style: [part.middleware(make(style), **options) for make in makers]


def _plain(style):
    return style.around()


def _handling(kind, handle):
    return lambda part, style: part.errorhandler(kind)(style(handle))


def _read_dependency(request):
    _ = request[OPENED]


def _hooks(part, style):
    part.before_request(style(lambda request: None))
    part.after_request(style(lambda request, response: None))


def _error_handlers(part, style):
    part.errorhandler(Exception)(style(lambda request, error: ("Sorry", 500)))
    part.errorhandler(404)(style(lambda request, error: ("None here", 404)))


def _hooks_and_dependencies(part, style):
    part.before_request(style(_read_dependency))
    part.middleware(style.around())


def _few(part, style):
    for name in ("text", "dict", "stream", "abort", "failure"):
        part.get(f"/{name}")(style(_named(HANDLERS[name], name)))
    part.post("/json-as")(style(_named(READERS["json_as"], "json_as")))


PARTS = {
    "middleware": _around(_plain, _plain),
    "middleware that throws": _around(_plain, _plain, errors_at_yield=True),
    "middleware that catches": _around(
        _plain, lambda style: _catching(style, lambda error: ({"caught": str(error)}, 409)), errors_at_yield=True
    ),
    "middleware that catches and raises": _around(
        _plain, lambda style: _catching(style, lambda error: abort(409)), errors_at_yield=True
    ),
    "dependencies that catch": lambda part, style: part.before_request(
        style(lambda request: request[CATCHING] and None)
    ),
    "middleware that fails before": _around(lambda style: style.around(fail)),
    "middleware that fails after": _around(lambda style: style.around(after=lambda request, response: fail(request))),
    "middleware that answers": _around(_plain, lambda style: style.around(before=lambda request: Response("early"))),
    "middleware that replaces": _around(
        lambda style: style.around(after=lambda request, response: Response("instead"))
    ),
    "hooks": _hooks,
    "hooks that fail": lambda part, style: part.before_request(style(fail)),
    "hooks that fail after": lambda part, style: part.after_request(style(lambda request, response: fail(request))),
    "error handlers": _error_handlers,
    "error handlers that fail": _handling(Exception, lambda request, error: fail(request)),
    "error handlers that raise again": _handling(Exception, lambda request, error: _raise(error)),
    "hooks and dependencies": _hooks_and_dependencies,
}

STATUSES = {
    "with status": 201, "redirect": 303, "nothing": 500, "abort": 404, "raised": 400, "own error": 418,
    "raised redirect": 303, "failure": 500, "group": 500, "chain": 500, "wrong header": 500, "missing argument": 400,
    "args": 422, "failure in generator dependency": 500, "dependency that fails at its end": 500,
}  # fmt: skip
CUT = (400, 499)
"""The statuses of a request whose body breaks off: an RSGI server doesn't tell that from its end."""
GOOD = {"name": "Ada", "age": 3}
BAD = {"name": "A", "age": "x"}
FILES = {"files": {"file": ("a.bin", LARGE)}}


def _answers():
    for name in HANDLERS:
        exchange = get(f"/{slug(name)}", STATUSES.get(name, 200))
        yield (
            name,
            exchange._replace(
                leaves_after=b"x" * 10 if name == "long stream" else b"", breaks=name.startswith("broken stream")
            ),
        )
    yield "in time", get("/deadline")
    yield "too late", get("/late", 504)
    yield "page of an error", get("/abort", 404, headers=BROWSER)
    yield "page of a failure", get("/failure", 500, headers=BROWSER)
    yield "HEAD", Exchange(200, "HEAD", "/text")
    yield "HEAD of a stream", Exchange(200, "HEAD", "/stream")
    yield "HEAD of a failure", Exchange(500, "HEAD", "/failure")
    yield "OPTIONS", Exchange(204, "OPTIONS", "/text")
    yield "404", get("/nowhere", 404)
    yield "404 with a page", get("/nowhere", 404, headers=BROWSER)
    yield "405", post("/text", 405)
    yield "413", post("/small", 413, body=bytes(200))
    yield "413 of a large body", post("/body", 413, body=TOO_LARGE)
    yield "413 of chunks", post("/small", 413, body=[bytes(60)] * 3)
    yield "refused write", post("/unread", 403, headers={"sec-fetch-site": "cross-site"})
    yield (
        "refused write without a body",
        Exchange(403, "DELETE", "/deleted", {"headers": {"origin": "https://evil.example"}}),
    )
    yield "malformed host", get("/text", 400, headers={"host": "a b"})
    yield "more than one host", get("/text", 400, headers={"host": "a,b"})
    yield "too many arguments", get("/args?" + "a=1&" * 3000, 414)
    yield "304", get("/etag", 304, headers={"if-none-match": '"abc"'})
    yield "304 before the work", get("/precondition", 304, headers={"if-none-match": '"abc"'})
    yield "412", get("/etag", 412, headers={"if-match": '"x"'})
    yield "206", get("/file", 206, headers={"range": "bytes=3-5"})
    yield "416", get("/file", 416, headers={"range": "bytes=3000-"})
    yield "several ranges", get("/file", headers={"range": "bytes=0-1,5-6"})


def _bodies():
    yield "a default that fails", post("/default", 500, json={})
    for lazy in ("", "/lazy"):
        kind = f"{lazy[1:]} " if lazy else ""
        for size, data in {"small": b"abc", "medium": bytes(100 << 10), "large": LARGE}.items():
            for name in ("body", "body text", "chunks", "echo", "unread"):
                yield f"{kind}{size} {name}", post(f"{lazy}/{slug(name)}", body=data)
            yield f"{kind}{size} body in chunks", post(f"{lazy}/body", body=[data, data[:100]])
        yield f"{kind}json", post(f"{lazy}/json", json=GOOD)
        yield f"{kind}json_as", post(f"{lazy}/json-as", json=GOOD)
        yield f"{kind}bad json_as", post(f"{lazy}/json-as", 422, json=BAD)
        yield f"{kind}malformed json", post(f"{lazy}/json", 400, body=b"{", headers=JSON)
        yield f"{kind}malformed json_as", post(f"{lazy}/json-as", 400, body=b"{", headers=JSON)
        yield f"{kind}json of another type", post(f"{lazy}/json", 415, body=b"{}", content_type="text/plain")
        for kind_of_rows, good, bad in ROWS:
            yield f"{kind}{kind_of_rows}", post(f"{lazy}/values-as", body=good, content_type=kind_of_rows)
            yield f"{kind}bad {kind_of_rows}", post(f"{lazy}/values-as", 422, body=bad, content_type=kind_of_rows)
        yield f"{kind}patched", post(f"{lazy}/patched", body=b'{"age": 3}', content_type="application/merge-patch+json")
        yield f"{kind}patch of another type", post(f"{lazy}/patched", 415, json={})
        yield f"{kind}bad model", post(f"{lazy}/model", 422, json={"age": "x"})
        yield f"{kind}form", post(f"{lazy}/form", form=GOOD)
        yield f"{kind}form without a field", post(f"{lazy}/form", 400, form={"a": 1})
        yield f"{kind}form_as", post(f"{lazy}/form-as", form=GOOD)
        yield f"{kind}bad form_as", post(f"{lazy}/form-as", 422, form=BAD)
        yield f"{kind}bad form_as with a page", post(f"{lazy}/form-as", 422, form=BAD, headers=BROWSER)
        yield f"{kind}files", post(f"{lazy}/files", **FILES)
        yield f"{kind}digest", post(f"{lazy}/digest", **FILES)
        yield f"{kind}small files", post(f"{lazy}/files", files={"file": ("a.bin", b"abc")})
        yield f"{kind}files without a field", post(f"{lazy}/files", 422, files={"other": ("a.bin", b"abc")})
        yield (
            f"{kind}malformed files",
            post(f"{lazy}/files", 400, body=b"--x\r\n\r\n", content_type="multipart/form-data; boundary=x"),
        )
        yield f"{kind}gzip", post(f"{lazy}/body", 400, body=b"abc", headers={"content-encoding": "gzip"})
        yield f"{kind}cut off", post(f"{lazy}/body", CUT, body=[bytes(100)], headers={"content-length": "1000"})
        length = {"content-length": str(2 << 20)}
        yield f"{kind}large, cut off", post(f"{lazy}/body", CUT, body=[bytes(1500 << 10)], headers=length)
        yield f"{kind}unknown coding", post(f"{lazy}/body", 415, body=b"abc", headers={"content-encoding": "rot13"})


FEW = {"text": 200, "dict": 200, "stream": 200, "abort": 404, "failure": 500}


def _parts():
    for name in PARTS:
        for path, status in FEW.items():
            yield f"{path} inside of {name}", get(f"/{slug(name)}/{path}", _inside(name, status))
        yield f"422 inside of {name}", post(f"/{slug(name)}/json-as", _inside(name, 422), json=BAD)
        yield f"404 inside of {name}", get(f"/{slug(name)}/nowhere", _inside(name, 404))


def _inside(name, status):
    if name in ("middleware that answers", "middleware that replaces"):
        return 200
    if name.startswith("middleware that catches"):
        return 409 if status >= 400 else status
    if "fail" in name and "error" not in name:
        return 500
    if name == "error handlers" and status == 422:
        return 500
    return 500 if name == "error handlers that fail" and status >= 400 else status


EXCHANGES = {**dict(_answers()), **dict(_bodies()), **dict(_parts())}
