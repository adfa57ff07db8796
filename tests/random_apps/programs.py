"""Programs from a seed: an application in parts, each a few lines of source, and requests to them, good and bad.

An application is made by its source, so that a difference can be shown as a program that reproduces it.
"""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tests.random_apps.requests import TOKEN_PATH, SentRequest, requests_to

HEADER = """\
import asyncio
from dataclasses import dataclass

from antiphon import App, Blueprint, Dependency, Limits, Response, abort
from antiphon.features import (
    CORS, Bearer, Cache, Compression, CSRFTokens, IdempotentWrites, MemoryStore, RateLimit, SecurityHeaders, Sessions,
    Users, csrf_token, login_required,
)


@dataclass
class Person:
    name: str
    age: int = 3


class Failure(Exception):
    pass


OPENED = Dependency("opened")
app = App(limits=Limits(body=100_000), secret_keys=["x" * 32])
"""


class Part(NamedTuple):
    """Lines of an application that can be left out, with the requests that are for them.

    It adds to ``target``, and ``makes`` the variable to which other parts add.
    """

    source: str
    target: str = "app"
    makes: str | None = None
    requests: tuple[SentRequest, ...] = ()


class Program(NamedTuple):
    """An application and the requests that it gets, in this order."""

    parts: tuple[Part, ...]
    requests: tuple[SentRequest, ...]

    @property
    def source(self) -> str:
        """The application's source, as text."""
        return "\n\n".join([HEADER, *(part.source for part in self.parts)])

    def without_part(self, part: Part) -> "Program":
        """Return the program without a part, and without those that add to what it makes."""
        gone = {part.makes} - {None}
        kept = []
        for each in self.parts:
            if each is part or each.target in gone:
                gone |= {each.makes} - {None}
            else:
                kept.append(each)
        requests = {request for each in kept for request in each.requests}
        return Program(tuple(kept), tuple([request for request in self.requests if request in requests]))

    def with_requests(self, requests: tuple[SentRequest, ...]) -> "Program":
        """Return the program with fewer requests."""
        return self._replace(requests=requests)


def program_of(seed: int) -> Program:
    """Return the program of a seed, the same one on every machine."""
    random = Random(seed)
    maker = _Maker(random)
    parts = tuple(maker.parts())
    requests = [request for part in parts for request in part.requests]
    repeated = random.sample(requests, min(3, len(requests)))
    requests += repeated
    random.shuffle(requests)
    requests.sort(key=lambda request: request.is_cut)  # how far these came, each interface decides for itself
    return Program(parts, tuple(requests))


class _Maker:
    """What is chosen for one program."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    def _chance(self, part: float) -> bool:
        return self._random.random() < part

    def parts(self) -> Iterator[Part]:
        """Yield the parts of an application, in an order in which they can be run."""
        random = self._random
        features = [each for each in FEATURES if self._chance(0.1 if "RateLimit" in each else 0.25)]
        if any("CSRFTokens" in each for each in features):
            features = [SESSIONS, *(each for each in features if each != SESSIONS)]
        yield from (Part(f"app.use({each})") for each in features)
        if self._chance(0.5):
            yield self._dependency()
        yield from self._surroundings("app", random.randint(0, 2))
        yield from self._routes("app", "", features, random.randint(2, 4))
        if SESSIONS in features:
            source = 'app.get("/token")(lambda request: csrf_token(request))' if CSRF in features else SESSION_PAGE
            path = TOKEN_PATH if CSRF in features else "/visits"
            yield Part(source, requests=(SentRequest("GET", path),))
        if self._chance(0.4):
            yield from self._blueprint(features)
        if self._chance(0.5):
            yield from self._mounted_app()
        if self._chance(0.4):
            yield self._foreign()

    def _dependency(self) -> Part:
        color = self._color()
        failing = self._random.choice(["", "", "\n    raise Failure"])
        return Part(f"{color}def opened(request):\n    yield request.path{failing}\n\n\napp.provide(OPENED, opened)")

    def _color(self) -> str:
        return "async " if self._chance(0.5) else ""

    def _surroundings(self, target: str, count: int) -> Iterator[Part]:
        """Yield hooks, middleware and error handlers, all of them different."""
        return (self._around(target, form) for form in self._random.sample(AROUND, count))

    def _around(self, target: str, form: str) -> Part:
        name, color = self._name("around"), self._color()
        waits = "    await asyncio.sleep(0)\n" if color and self._chance(0.5) else ""
        return Part(form.strip().format(target=target, name=name, color=color, waits=waits), target)

    def _routes(self, target: str, prefix: str, features: list[str], count: int) -> Iterator[Part]:
        for _ in range(count):
            yield self._route(target, prefix, features)

    def _route(self, target: str, prefix: str, features: list[str]) -> Part:
        random = self._random
        name, color = self._name("route"), self._color()
        is_write = self._chance(0.5)
        method = random.choice(["post", "put", "patch"] if is_write else ["get", "get", "delete"])
        pattern, path, parameter = random.choice(PATTERNS)
        options = [f'"/{name}{pattern}"', f'name="{name}"']
        receive = random.choice(["load", "load", "lazy", "stream"]) if is_write else "load"
        if receive != "load":
            options.append(f'receive="{receive}"')
        if is_write and IDEMPOTENT in features and receive == "load" and self._chance(0.5):
            options.append("idempotent=True")
        if any("Users" in each for each in features) and self._chance(0.3):
            options.append("before=login_required")
        lines = self._body(color, receive, is_write, features, parameter)
        head = (
            f"@{target}.{method}({', '.join(options)})\n{color}def {name}(request{parameter and f', {parameter}'}):\n"
        )
        requests = requests_to(random, method.upper(), f"{prefix}/{name}{path}", is_write)
        return Part(head + "".join(f"    {line}\n" for line in lines).rstrip(), target, requests=tuple(requests))

    def _body(self, color: str, receive: str, is_write: bool, features: list[str], parameter: str) -> list[str]:
        random = self._random
        lines = ["await asyncio.sleep(0)"] if color and self._chance(0.5) else []
        values = random.sample(READ, 1)
        if parameter:
            values.append(parameter)
        if SESSIONS in features:
            values += random.sample(READ_SESSION, 1)
        if any("Users" in each for each in features) and self._chance(0.3):
            values.append("request.user")
        if is_write and receive == "stream" and color:
            lines += ["size = 0", "async for chunk in request.stream:", "    size += len(chunk)"]
            values.append("size")
        elif is_write and receive == "stream":
            values.append("sum(map(len, request.stream))")
        elif is_write:
            if receive == "lazy" and color:
                lines.append("await request.aload()")
            readers = [each for each in READ_BODY if not (color and "stream" in each)]
            values += random.sample(readers, random.choice([1, 1, 2]))
        if self._chance(0.15):
            lines.append("OPENED in request")
        lines.append(
            f"value = repr({', '.join(values)},)" if len(values) == 1 else f"value = repr(({', '.join(values)}))"
        )
        lines += random.choice(RESULTS).split("\n")
        return lines

    def _blueprint(self, features: list[str]) -> Iterator[Part]:
        name = self._name("part")
        yield Part(f'{name} = Blueprint("{name}", prefix="/{name}")', makes=name)
        if self._chance(0.6):
            yield from self._surroundings(name, 1)
        yield from self._routes(name, f"/{name}", features, self._random.randint(1, 2))
        yield Part(f"app.register({name})", name)

    def _mounted_app(self) -> Iterator[Part]:
        name = self._name("inner")
        features = [each for each in FEATURES if self._chance(0.2) and each not in (CSRF, IDEMPOTENT)]
        yield Part(f"{name} = App(limits=Limits(body=50_000))", makes=name)
        yield from (Part(f"{name}.use({each})", name) for each in features)
        if self._chance(0.5):
            yield from self._surroundings(name, 1)
        yield from self._routes(name, f"/{name}", features, self._random.randint(1, 3))
        if SESSIONS in features:
            requests = (SentRequest("GET", f"/{name}/visits"),)
            yield Part(SESSION_PAGE.replace("app.", f"{name}."), name, requests=requests)
        yield Part(f'app.mount("/{name}", {name})', name)

    def _foreign(self) -> Part:
        name = self._name("foreign")
        source = self._random.choice(FOREIGN).format(name=name)
        requests = [
            *requests_to(self._random, "GET", f"/{name}/page", is_write=False),
            *requests_to(self._random, "POST", f"/{name}/form", is_write=True),
        ]
        return Part(source, requests=tuple(requests))


SESSIONS, CSRF, IDEMPOTENT = "Sessions(MemoryStore())", "CSRFTokens()", "IdempotentWrites(MemoryStore())"
FEATURES = [
    SESSIONS, CSRF, IDEMPOTENT, "Cache()", "Compression(min_size=10)", 'CORS(["https://shop.example"])',
    "SecurityHeaders()", 'Users(Bearer({"k7Qz": "ada"}.get))', 'RateLimit("9/day")',
]  # fmt: skip
SESSION_PAGE = """\
@app.get("/visits", name="visits")
def visits(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return str(request.session["visits"])"""

AROUND = [
    """
@{target}.before_request
{color}def {name}(request):
{waits}    request.g.seen = request.method""",
    """
@{target}.before_request
{color}def {name}(request):
{waits}    if request.headers.get("x-stop"):
        return "stopped", 418""",
    """
@{target}.before_request
{color}def {name}(request):
{waits}    if request.headers.get("x-stop"):
        abort(409, "Stopped.")""",
    """
@{target}.after_request
{color}def {name}(request, response):
{waits}    response.headers["x-after"] = f"{{response.status}} {{request.method}}" """,
    """
@{target}.after_request
{color}def {name}(request, response):
{waits}    request.after_response(lambda: None)
    if response.status == 404:
        return Response("none here", 404)""",
    """
@{target}.middleware
{color}def {name}(request):
{waits}    response = yield
    response.headers["x-around"] = str(response.status)""",
    """
@{target}.middleware
{color}def {name}(request):
{waits}    response = yield
    if response.status == 500:
        response.headers["x-error"] = type(response.error).__name__""",
    """
@{target}.middleware(errors_at_yield=True)
{color}def {name}(request):
{waits}    try:
        response = yield
    finally:
        request.g.is_closed = True""",
    """
@{target}.middleware(errors_at_yield=True)
{color}def {name}(request):
{waits}    try:
        yield
    except Failure:
        yield Response("caught", 503)""",
    """
@{target}.errorhandler(Failure)
{color}def {name}(request, error):
{waits}    return f"handled {{type(error).__name__}}", 500""",
    """
@{target}.errorhandler(404)
{color}def {name}(request, error):
{waits}    return Response.html("<p>None here", 404)""",
]  # fmt: skip

PATTERNS = [
    ("", "", ""), ("", "", ""), ("/<int:number>", "/7", "number"), ("/<name>", "/caf%C3%A9", "name"),
    ("/<path:rest>", "/a/b%20c", "rest"), ("/<name>.json", "/a.json", "name"),
]  # fmt: skip

READ = [
    "sorted(request.args.items())", 'request.args.get("n", 0, type=int)', "request.path", "request.url",
    "request.method", 'request.accept.best(["text/html", "application/json"])', 'request.cookies.get("theme")',
    'request.headers.get("x-a")',
    "request.url_for(request.route.name, **request.path_params)", "request.is_secure", "request.args_as(Person)",
    "request.accept_languages.best(['de', 'en'])", "request.blueprint", "request.root_path", "request[OPENED]",
    "request.if_none_match", "request.range", "request.content_type", "request.args['n']",
]  # fmt: skip
READ_SESSION = ['request.session.get("visits")', 'request.session.setdefault("n", 1)', "sorted(request.session)"]
READ_BODY = [
    "len(request.body)", "request.text[:30]", "sorted(request.form.items())", "request.json", "request.json_as(Person)",
    "request.form_as(Person)", 'request.form["name"]',
    "[(each.filename, each.size) for each in request.files.values()]", "sum(map(len, request.stream))",
    "request.method", 'request.files["file"].digest("sha256")',
]  # fmt: skip

RESULTS = [
    "return value",
    'return {"value": value}',
    "return Response.html(f'<p>{len(value)}')",
    'return value, 201, {"x-b": "1", "location": "/elsewhere"}',
    "return (each for each in [value, 'a', 'b'])",
    "return Response.stream(each for each in [b'a' * 5000, value.encode()])",
    "def chunks():\n    yield value\n    raise Failure\nreturn chunks()",
    "async def chunks():\n    yield value\n    await asyncio.sleep(0)\n    yield 'end'\nreturn chunks()",
    "response = Response(value)\nresponse.etag = 'abc'\nresponse.is_conditional = True\nreturn response",
    "response = Response(value * 10)\nresponse.cache_for(60, public=True)\nreturn response",
    "response = Response(value)\nresponse.cache_for(60)\nresponse.vary('Accept-Language')\nreturn response",
    "response = Response(value)\nresponse.set_cookie('theme', 'dark')\nreturn response",
    "response = Response(b'0123456789')\nresponse.is_conditional = True\nreturn response",
    "abort(404, 'There is none.')",
    "raise Failure(value)",
    "return Response.redirect('/elsewhere')",
    "return Response.events(iter([{'value': value}]))",
    "request.after_response(print, end='')\nreturn value",
    "return None",
    "return Response(value, content_type='text/csv')",
    "return b'x' * 3000",
]  # fmt: skip

FOREIGN = [
    '''\
def {name}(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("content-type", "text/plain"), ("x-path", environ["PATH_INFO"])])
    return [environ["REQUEST_METHOD"].encode(), b" ", str(len(body)).encode()]


app.mount("/{name}", {name})''',
    '''\
async def {name}(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}})
    await send({{"type": "http.response.body", "body": f"{{scope['method']}} {{size}}".encode()}})


app.mount("/{name}", {name})''',
    '''\
from antiphon.dialects import flask

{name} = flask.Flask("{name}")
{name}.secret_key = "x" * 32


@{name}.get("/page")
def page():
    flask.session["visits"] = flask.session.get("visits", 0) + 1
    return f"{{flask.session['visits']}} {{sorted(flask.request.args.items())}}"


@{name}.post("/form")
def form():
    return str(sorted(flask.request.form.items()))


app.mount("/{name}", {name})''',
    '''\
from antiphon.dialects import microdot

{name} = microdot.Microdot()


@{name}.get("/page")
async def page(request):
    return {{"args": sorted(request.args.items())}}


@{name}.post("/form")
def form(request):
    return str(sorted((request.form or {{}}).items()))


app.mount("/{name}", {name})''',
    '''\
from starlette.applications import Starlette
from starlette.routing import Route

from antiphon import view


@view
def page(request):
    return {{"args": sorted(request.args.items())}}


@view
async def form(request):
    return str(sorted(request.form.items()))


{name} = Starlette(routes=[Route("/page", page), Route("/form", form, methods=["POST"])])
app.mount("/{name}", {name})''',
]  # fmt: skip
