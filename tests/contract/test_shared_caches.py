"""A shared cache in front: whichever way a response leaves an application, nobody gets what was made for another."""

import os
import zlib
from collections.abc import Callable
from contextlib import ExitStack, closing
from contextvars import ContextVar
from itertools import permutations
from operator import methodcaller
from typing import NamedTuple

import flask as original
import pytest
from jinja2 import DictLoader
from starlette.applications import Starlette
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route

from antiphon import App, Blueprint, Limits, Request, Response, abort, aget_response, get_response, view
from antiphon.dialects import flask
from antiphon.features import (
    Bearer,
    Cache,
    Compression,
    IdempotentWrites,
    MemoryStore,
    Page,
    RateLimit,
    Sessions,
    Slot,
    Templates,
    Users,
    ValkeyStore,
)
from antiphon.http import CacheControl, HTTPError
from antiphon.testing import BrokenResponse, Client
from antiphon.testing.pairs.downstream import Asked, Downstream, Message
from tests.frameworks.apps import django_asgi, urls_of_django
from tests.helpers.django_settings import settings_for_views
from tests.helpers.ports import free_port
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]

NAMES = ("eve", "ann", "bob", "", "ann")
"""The visitors in the order in which they ask; the one without a name has no credentials."""
POLICY = CacheControl(max_age=60, public=True)
TEXT, TENANT = ContextVar[str]("TEXT", default="public, max-age=60"), ContextVar[str | None]("TENANT", default=None)
PUBLIC = {"cache-control": "public, max-age=60"}
SHORT = {"cache-control": "public, max-age=10"}
STALE = {"cache-control": "public, max-age=10, stale-if-error=600"}


class Read(NamedTuple):
    """What a handler reads, and what tells visitors apart by it."""

    of: Callable
    fields: str = ""
    """The header field that each visitor sends, with NAME for its name."""
    uses: Callable[[App], object] = lambda app: None


def keep_tenant(app):
    @app.middleware
    def keep(request):
        token = TENANT.set(request.headers.get("x-tenant"))
        yield
        TENANT.reset(token)


def keep_in_g(app):
    app.before_request(lambda request: setattr(request.g, "name", request.cookies.get("seat")))


FIELD, COOKIE, CREDENTIALS = "x-tenant: NAME", "cookie: seat=NAME", "authorization: Bearer NAME"
READS = {
    "nothing": Read(lambda request: None, FIELD),
    "a field": Read(lambda request: request.headers.get("x-tenant"), FIELD),
    "a cookie": Read(lambda request: request.cookies.get("seat"), COOKIE),
    "all fields": Read(
        lambda request: {k.lower(): value for k, value in request.headers.items()}.get("x-tenant"), FIELD
    ),
    "all cookies": Read(lambda request: dict(request.cookies).get("seat"), COOKIE),
    "credentials": Read(lambda request: request.authorization and request.authorization.token, CREDENTIALS),
    "the user": Read(lambda request: request.user, CREDENTIALS, lambda app: app.use(Users(Bearer(lambda name: name)))),
    "a session": Read(lambda request: request.session.get("name"), "", lambda app: app.use(Sessions(MemoryStore()))),
    "the address": Read(lambda request: ADDRESSES[request.ip]),
    "a ContextVar": Read(lambda request: TENANT.get(), FIELD, keep_tenant),
    "a hook's value": Read(lambda request: request.g.name, COOKIE, keep_in_g),
    "the body": Read(lambda request: request.text),
    "the caller": Read(lambda request: request.headers.get("x-tenant") if request.caller.key else None, FIELD),
}
ADDRESSES = {"192.0.2.1": "eve", "192.0.2.2": "ann", "192.0.2.3": "bob", "192.0.2.4": None}
WAYS: dict[str, Callable] = {}
LATE, CACHED, TIMED, CUT = set(), set(), set(), set()


def way(name, *groups):
    """Register a way: a function that gives an app a page at / that shows what ``read`` returns, and is public."""

    def register(make):
        WAYS[name] = make
        for group in groups:
            group.add(name)
        return make

    return register


def handler(name, respond, *groups):
    """Register the way of a handler's return value."""
    way(name, *groups)(lambda app, read: app.get("/")(lambda request: respond(read(request))))


def saying(response, **fields):
    """Return a response that says in a call what the way says."""
    for name, value in fields.items():
        setattr(response, name, value)
    return response


def cached(response):
    response.cache_for(60, public=True)
    return response


# What a handler returns, and where its words come from


MADE = {text: Response(text, headers=PUBLIC) for text in [f"page-of-{name or None}." for name in NAMES]}
BUILT = {text: Response(text, headers=PUBLIC).freeze() for text in MADE}
os.environ["TESTS_CACHE_CONTROL"] = "public, max-age=60"

handler("a tuple", lambda text: (text, 200, {"cache-control": "public, max-age=60"}))
handler("a tuple with a policy of the module", lambda text: (text, 200, {"cache-control": str(POLICY)}))
handler("a tuple with s-maxage", lambda text: (text, 200, {"cache-control": "s-maxage=60"}))
handler("a tuple with max-age alone", lambda text: (text, 200, {"Cache-Control": "MAX-AGE=60"}))
handler("a tuple with CDN-Cache-Control", lambda text: (text, 200, {"cdn-cache-control": "max-age=60"}))
handler("a tuple with CDN-Cache-Control beside private", lambda text: (
    text, 200, {"cdn-cache-control": "max-age=60", "cache-control": "private"},
))  # fmt: skip
handler("a tuple with Expires", lambda text: (text, 200, {"expires": "Wed, 21 Oct 2065 07:28:00 GMT"}))
handler("a tuple with a text of bytes", lambda text: (text, 200, {"cache-control": b"public, max-age=60".decode()}))
handler("a tuple with a text of parts", lambda text: (text, 200, {"cache-control": ", ".join(["public", "max-age=9"])}))
handler("the environment", lambda text: (text, 200, {"cache-control": os.environ["TESTS_CACHE_CONTROL"]}))
handler("a ContextVar", lambda text: (text, 200, {"cache-control": TEXT.get()}))
handler("JSON", lambda text: Response.json([text], headers=PUBLIC))
handler("cache_for", lambda text: cached(Response(text)))
handler("methodcaller", lambda text: [r := Response(text), methodcaller("cache_for", 60, public=True)(r)][0])
handler("a property", lambda text: saying(Response(text), cache_control=POLICY))
handler("a Response that was made before", lambda text: MADE[text])
handler("a frozen Response", lambda text: BUILT[text])
handler("a stream", lambda text: Response.stream(iter([text]), headers=PUBLIC))
handler("a generator", lambda text: (iter([text]), 200, PUBLIC))
handler("events", lambda text: Response.events(iter([text]), headers=PUBLIC))
handler("a redirect", lambda text: Response.redirect(f"/{text}", 302, headers=PUBLIC))
handler("an error in a handler", lambda text: abort(410, text, headers=PUBLIC))
handler(
    "a validated response", lambda text: saying(Response(text, headers=SHORT), etag=text, is_conditional=True), TIMED
)


@way("a file")
def _(app, read, folder):
    for text in MADE:
        (folder / text).write_text(text)
    app.get("/")(lambda request: Response.file(folder / read(request), headers=PUBLIC))


@way("a handler that awaits")
def _(app, read):
    @app.get("/")
    async def page(request):
        return read(request), 200, {"cache-control": str(POLICY)}


@way("a stream that reads", CUT)
def _(app, read):
    app.get("/")(
        lambda request: Response.stream((read(request) for _ in range(1)), headers={"cache-control": str(POLICY)})
    )


@way("HEAD")
def _(app, read):
    app.get("/")(lambda request: ("", 200, {"x-page": read(request), "cache-control": str(POLICY)}))


@way("a response that is stale when the handler fails", TIMED)
def _(app, read):
    calls = []

    @app.get("/")
    def page(request):
        calls.append(request.path)
        return abort(503) if len(calls) in (2, 5) else Response(read(request), headers=STALE)


# What hooks, middleware and error handlers make


class BrokenError(Exception):
    pass


def fail(request):
    raise BrokenError


@way("an error handler")
def _(app, read):
    app.get("/")(fail)
    app.errorhandler(BrokenError)(lambda request, error: (read(request), 200, {"cache-control": "public, max-age=60"}))


@way("the error handler of no route")
def _(app, read):
    app.errorhandler(404)(lambda request, error: Response(read(request), 404, PUBLIC))


@way("the error handler of no method")
def _(app, read):
    app.post("/")(lambda request: "")
    app.errorhandler(405)(lambda request, error: Response(read(request), 405, PUBLIC))


@way("the error handler of a refusal")
def _(app, read):
    app.before_request(lambda request: abort(403))
    app.get("/")(lambda request: "")
    app.errorhandler(403)(lambda request, error: Response(read(request), 403, PUBLIC))


@way("the error handler of a blueprint")
def _(app, read):
    part = Blueprint("part")
    part.get("/")(fail)
    part.errorhandler(BrokenError)(lambda request, error: Response(read(request), headers=PUBLIC))
    app.register(part)


@way("a hook before the handler")
def _(app, read):
    app.before_request(lambda request: Response(read(request), headers=PUBLIC))
    app.get("/")(lambda request: "")


@way("a hook that refuses")
def _(app, read):
    app.before_request(lambda request: abort(410, read(request), headers=PUBLIC))
    app.get("/")(lambda request: "")


@way("a hook of the route")
def _(app, read):
    app.get("/", before=lambda request: Response(read(request), headers=PUBLIC))(lambda request: "")


@way("a hook after the handler")
def _(app, read):
    app.get("/")(lambda request: "")
    app.after_request(lambda request, response: Response(read(request), headers=PUBLIC))


@way("middleware")
def _(app, read):
    app.get("/")(lambda request: "")

    @app.middleware
    def around(request):
        yield
        return Response(read(request), headers=PUBLIC)


@way("middleware that responds itself")
def _(app, read):
    app.get("/")(lambda request: "")

    @app.middleware
    def around(request):
        return Response(read(request), headers=PUBLIC)
        yield


@way("middleware before routing")
def _(app, read):
    @app.middleware(before_routing=True)
    def around(request):
        yield
        return Response(read(request), headers=PUBLIC)


@way("middleware that says it of a handler's page")
def _(app, read):
    app.get("/")(read)

    @app.middleware
    def around(request):
        response = yield
        response.cache_control = POLICY


@way("before_send that says it of a handler's page")
def _(app, read):
    app.get("/")(read)
    app.before_send(lambda request, response: saying(response, cache_control=POLICY) and None)


@way("before_send that reads")
def _(app, read):
    app.get("/")(lambda request: ("", 200, PUBLIC))
    app.before_send(lambda request, response: response.headers.update({"x-page": read(request)}))


@way("before_send of no route")
def _(app, read):
    app.before_send(lambda request, response: response.headers.update({"x-page": read(request)} | PUBLIC))


# Applications in applications


@way("a mounted App")
def _(app, read):
    inner = App()
    inner.get("/")(lambda request: Response(read(request), headers=PUBLIC))
    app.mount("", inner)


@way("a mounted App with an error handler and a cache")
def _(app, read):
    inner = App()
    inner.use(Cache())
    inner.get("/")(fail)
    inner.errorhandler(BrokenError)(lambda request, error: Response(read(request), headers=PUBLIC))
    app.mount("", inner)


@way("a mounted dialect")
def _(app, read):
    inner = flask.Flask("inner")
    inner.get("/")(lambda: (read(flask.request), 200, {"cache-control": str(POLICY)}))
    app.mount("", inner)


@way("a mounted WSGI application")
def _(app, read):
    inner = original.Flask("inner")
    inner.get("/")(lambda: (read(original.request), 200, {"cache-control": str(POLICY)}))
    app.mount("", inner)


@way("a mounted ASGI application")
def _(app, read):
    async def inner(scope, receive, send):
        from antiphon import Request

        request = await Request.afrom_framework(scope, receive)
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"public, max-age=60")]}
        )
        await send({"type": "http.response.body", "body": read(request).encode()})

    app.mount("", inner)


@way("a view in another framework")
def _(app, read):
    shown = view()(lambda request: (read(request), 200, {"cache-control": str(POLICY)}))
    inner, outer = original.Flask("outer"), Starlette(routes=[Route("/", shown)])
    inner.add_url_rule("/", "page", shown)
    return {"wsgi": inner, "asgi": outer}


@way("an App that another framework's view asks")
def _(app, read):
    app.get("/")(lambda request: (read(request), 200, {"cache-control": str(POLICY)}))
    inner = original.Flask("outer")

    @inner.route("/")
    def ask():
        response = get_response(app, Request.from_framework(original.request))
        return original.Response(response.body, response.status, response.headers.items())

    async def aask(given):
        response = await aget_response(app, await Request.afrom_framework(given))
        return StarletteResponse(response.body, response.status, dict(response.headers))

    return {"wsgi": inner, "asgi": Starlette(routes=[Route("/", aask)])}


# Features that respond


@way("a page with slots", CUT)
def _(app, read):
    app.use(Templates(DictLoader({"page.html": '<body>{{ slot("shown") }}</body>'})))

    @app.get("/")
    def page(request):
        response = Page("page.html", shown=Slot(lambda: read(request)))
        return response, 200, {"cache-control": str(POLICY)}


@way("a compressed page")
def _(app, read):
    app.use(Compression(min_size=1, codings=["gzip"]))
    app.get("/")(lambda request: Response(read(request), headers=PUBLIC))


@way("an idempotent reply")
def _(app, read):
    app.use(IdempotentWrites(MemoryStore()))
    app.get("/")(lambda request: Response(read(request), headers=PUBLIC))
    app.post("/", idempotent=True)(lambda request: Response(read(request), headers=PUBLIC | {"content-location": "/"}))


@way("a QUERY")
def _(app, read):
    app.query("/")(lambda request: Response(read(request), headers=PUBLIC))


# The application's own cache


def own(name, respond, *groups):
    """Register the way of an application with its own cache."""

    @way(name, CACHED, *groups)
    def _(app, read):
        app.use(Cache())
        app.get("/")(lambda request: respond(read(request)))


TAGGED = {"cache-control": "public, no-cache"}
own("its cache, which stores", lambda text: cached(Response(text)))
own(
    "its cache, which does not store a cookie",
    lambda text: saying(Response(text, headers=PUBLIC | {"set-cookie": "a=b"})),
)
own("its cache, which validates", lambda text: saying(Response(text, headers=TAGGED), etag=text, is_conditional=True))
own("its cache, which stores max-age=10", lambda text: Response(text, headers=SHORT), TIMED)


@way("its cache, which stores no file", CACHED)
def _(app, read, folder):
    app.use(Cache())
    WAYS["a file"](app, read, folder)


@way("its cache, which serves what is stale", CACHED, TIMED)
def _(app, read):
    app.use(Cache())
    WAYS["a response that is stale when the handler fails"](app, read)


@way("its cache, whose store is down", CACHED)
def _(app, read):
    app.use(Cache(ValkeyStore(f"valkey://127.0.0.1:{free_port()}")))
    app.get("/")(lambda request: cached(Response(read(request))))


@way("two caches", CACHED)
def _(app, read):
    inner = App()
    inner.use(Cache())
    inner.get("/")(lambda request: cached(Response(read(request), headers={"set-cookie": "a=b"})))
    app.use(Cache())
    app.mount("", inner)


@way("its cache around an error handler", CACHED)
def _(app, read):
    app.use(Cache())
    WAYS["an error handler"](app, read)


@way("its cache around middleware", CACHED)
def _(app, read):
    app.use(Cache())
    WAYS["middleware"](app, read)


@way("its cache inside of middleware", CACHED)
def _(app, read):
    WAYS["middleware"](app, read)
    app.use(Cache())


BYPASSES = {
    "nothing else": {},
    "no-store": {"fields": (("cache-control", "no-store"),)},
    "no-cache": {"fields": (("cache-control", "no-cache"),)},
    "a body": {"body": b"{}", "fields": (("content-type", "application/json"),)},
    "a range": {"fields": (("range", "bytes=0-20"),)},
    "a range of nothing": {"fields": (("range", "bytes=9000-"),)},
    "a condition": {"fields": (("if-none-match", '"other"'),)},
    "a date": {"fields": (("if-modified-since", "Wed, 21 Oct 2015 07:28:00 GMT"),)},
    "HEAD": {"method": "HEAD"},
    "an encoding": {"fields": (("accept-encoding", "gzip"),)},
}
"""Requests with which a visitor passes the application's own cache."""


KEY = (("idempotency-key", '"8e03978e"'),)


class Site:
    """An application with its visitors, and a shared cache between them."""

    def __init__(self, ends, interface, name, read, folder):
        app = App(secret_keys=["x" * 32])
        READS[read].uses(app)
        make, shown = WAYS[name], READS[read].of
        given = [folder] if make.__code__.co_argcount > 2 else []
        framework = make(app, lambda request: f"page-of-{shown(request) or None}.", *given)
        if isinstance(framework, dict):
            interface, app = ("wsgi", framework["wsgi"]) if interface == "wsgi" else ("asgi", framework["asgi"])
        self.cache = Downstream()
        self._name = name
        self._clients = {}
        self._fields = {}
        for address, visitor in ADDRESSES.items():
            client = ends.enter_context(
                closing(Client(app, interface, raise_errors=False, follow_redirects=False, client=(address, 1)))
            )
            self._clients[visitor or ""] = client
            self._fields[visitor or ""] = fields = []
            field, _, value = READS[read].fields.partition(": ")
            if visitor and field:
                fields.append((field, value.replace("NAME", visitor)))
            if visitor and read == "a session":
                with client.session as session:
                    session["name"] = visitor
                client.cookies, jar = type(client.cookies)("testserver"), client.cookies
                fields.append(("cookie", jar.header(client.base_url)))

    def ask(self, visitor, method="GET", fields=(), body=None):
        """Ask for the page through the cache, and return the response."""
        if self._name in TIMED:
            self.cache.now += 30
        if self._name == "an idempotent reply" and visitor == "eve":
            self._pass(visitor, "POST", KEY, b"")
            method, fields, body = "POST", KEY, b""
        method = self._name.removeprefix("a ") if self._name in ("HEAD", "a QUERY") else method
        fields = (*fields, ("content-type", "text/plain")) if method == "QUERY" else fields
        return self._pass(visitor, method, fields, body)

    def _pass(self, visitor, method, fields, body):
        content = b"".join(body) if isinstance(body, list) else body or b""
        found = self.cache.find(Asked(method, "/", (*self._fields[visitor], *fields), content))
        return found if isinstance(found, Message) else self.cache.take(found, self._send(visitor, found, body))

    def _send(self, visitor, fill, body):
        chunks, is_whole = [], True
        options = {"headers": [*fill.fields]} | ({} if body is None else {"body": body})
        with self._clients[visitor].stream(fill.asked.method, "/", **options) as response:
            try:
                chunks += response
            except BrokenResponse:
                is_whole = False
        return Message(response.status, tuple(response.headers.items()), b"".join(chunks), is_whole)


def names_in(message):
    """Return the visitors whose page a response shows."""
    is_coded = ("content-encoding", "gzip") in message.fields and message.body
    body = zlib.decompressobj(31).decompress(message.body) if is_coded else message.body
    return {name for name in NAMES if f"of-{name or None}." in f"{body!r} {message.fields}"}


def told(visitor, message):
    """Return who gets which page, with the fields that should have prevented this."""
    fields = [f"{name}: {value}" for name, value in message.fields if name in ("cache-control", "vary", "age")]
    return f"{visitor or 'nobody'} gets that of {sorted(names_in(message))}, {message.status}, {', '.join(fields)}"


def all_seen(site, first="nothing else", others="nothing else"):
    """Return what each visitor gets, of whom the first one asks in another way."""
    return [site.ask(NAMES[0], **BYPASSES[first]), *[site.ask(name, **BYPASSES[others]) for name in NAMES[1:]]]


def check(site, name, first="nothing else", others="nothing else"):
    for visitor, message in zip(NAMES, all_seen(site, first, others), strict=True):
        assert names_in(message) <= {visitor}, told(visitor, message)
        may_show_nothing = message.status >= 500 or name in CUT or {first, others} != {"nothing else"}
        assert names_in(message) or may_show_nothing, told(visitor, message)


COMMON = ("a field", "a cookie", "all fields", "a session")
LIMITED = {
    "a view in another framework",
    "an App that another framework's view asks",
    "a mounted dialect",
    "a mounted WSGI application",
    "a mounted ASGI application",
}
"""The ways to what has another request, which has fields and cookies only."""


def fits(name, read):
    return name not in LIMITED or read in ("a field", "all fields")


@rows("name, read", [(name, read) for name in WAYS for read in COMMON if fits(name, read)])
def test_each_visitor_gets_its_own_page(name, read, interface, tmp_path):
    with ExitStack() as ends:
        check(Site(ends, interface, name, read, tmp_path), name)


@rows("name", ["a tuple", "an error handler", "its cache, which stores", "the error handler of no route"])
@rows("read", [read for read in READS if read not in (*COMMON, "nothing", "the body")])
def test_whatever_it_is_read_from(name, read, interface, tmp_path):
    with ExitStack() as ends:
        check(Site(ends, interface, name, read, tmp_path), name)


@rows("name", [name for name in WAYS if name in CACHED])
@rows("first", [*BYPASSES][1:])
def test_whatever_the_first_one_asks_for(name, first, interface, tmp_path):
    with ExitStack() as ends:
        check(Site(ends, interface, name, "a field", tmp_path), name, first)


@rows("name", ["a tuple", "a file", "an error handler", "its cache, which does not store a cookie", "a mounted App"])
@rows("asked", ["a range", "a condition", "HEAD"])
def test_whatever_all_ask_for(name, asked, interface, tmp_path):
    with ExitStack() as ends:
        check(Site(ends, interface, name, "a field", tmp_path), name, asked, asked)


@rows("name", ["a tuple", "an error handler", "middleware", "a mounted App", "its cache, which stores"])
@rows("body", [b"eve", [b"e", b"ve"]])
def test_whatever_the_body_of_a_get_says(name, body, interface, tmp_path):
    with ExitStack() as ends:
        site = Site(ends, interface, name, "the body", tmp_path)
        first, *others = [site.ask("eve", body=body), *map(site.ask, NAMES[1:])]
        assert names_in(first) == {"eve"}
        assert [
            told(each, message) for each, message in zip(NAMES[1:], others, strict=True) if "eve" in names_in(message)
        ] == []


def caught(request):
    """Return the status of the error with which a body is refused."""
    try:
        return b"".join(request.stream)
    except HTTPError as error:
        return str(error.status)


CONTENT = {
    "a stream": ({"receive": "stream"}, lambda request: b"".join(request.stream)),
    "a body that is too large": ({"receive": "stream", "limits": Limits(body=2)}, caught),
    "its declared length": ({"receive": "stream"}, lambda request: str(request.content_length)),
}


@rows("read", CONTENT)
@rows("size", [3, 300_000])
@rows("version", ["1.1", "2"])
def test_a_page_with_anything_of_the_content_of_a_get_is_private(read, size, version, interface, open_client):
    options, function = CONTENT[read]
    app = App()
    app.get("/", **options)(lambda request: (function(request), 200, PUBLIC))
    client = open_client(app, interface, http_version=version)
    assert "private" in client.request("GET", "/", body=b"e" * size).headers["cache-control"]
    assert "private" not in client.request("GET", "/").headers["cache-control"]


def test_a_request_that_may_be_a_handshake_is_no_exception(interface, open_client):
    app = App()
    app.mount("/sockets", original.Flask("inner"))
    app.get("/")(lambda request: (request.headers.get("x-who", ""), 200, PUBLIC))
    response = open_client(app, interface).get("/", headers={"upgrade": "websocket", "x-who": "eve"})
    assert (response.text, response.headers["vary"]) == ("eve", "x-who")


MOUNTED = {
    "an App": lambda: with_page(App()),
    "an App with a cache": lambda: with_page(App(), Cache()),
    "a dialect": lambda: with_page(flask.Flask("inner")),
}


def with_page(app, *features):
    for each in features:
        app.use(each)
    app.get("/")(lambda *_: ("", 200, PUBLIC))
    return app


@rows("mounted", MOUNTED)
@rows("features", [each for count in range(4) for each in permutations([Cache, RateLimit, IdempotentWrites], count)])
def test_how_a_server_frames_a_request_is_no_reason_to_tell_visitors_apart(mounted, features, interface, open_client):
    app = App(store=MemoryStore())
    for each in features:
        app.use(each("90/day") if each is RateLimit else each())
    app.mount("/inner", MOUNTED[mounted]())
    client = open_client(app, interface, http_version="2")
    assert {client.request(method, "/inner/").headers.get("vary") for method in ("GET", "HEAD", "GET")} == {None}


def test_a_view_of_django_depends_on_no_coding_without_content(open_client):
    from django.urls import path

    app = App()
    shown = path("inner/", view(methods=["GET"])(lambda request: ("", 200, PUBLIC)))
    with settings_for_views(), urls_of_django([shown]):
        app.mount("/outer", django_asgi())
        assert open_client(app, "asgi", http_version="2").get("/outer/inner/").headers.get("vary") is None


PRIVATE = {"a page with slots", "a mounted dialect", "a mounted WSGI application", "a mounted ASGI application"}
"""The ways of which nobody knows what they read."""


@rows("name", [name for name in WAYS if name not in PRIVATE])
def test_what_reads_nothing_is_for_all(name, interface, tmp_path):
    with ExitStack() as ends:
        site = Site(ends, interface, name, "nothing", tmp_path)
        last = all_seen(site)[-1]
        assert "age" in dict(last.fields), told("ann", last)
