"""Ways to give one visitor's page to others through a shared cache: none of them may lead anywhere."""

import asyncio
import logging
import pickle
from copy import copy

import pytest

from antiphon import App, Blueprint, Request, Response, current_request
from antiphon.dialects import flask
from antiphon.dialects.microdot import Microdot
from antiphon.features import (
    Basic,
    Bearer,
    Cache,
    CookieStore,
    CSRFTokens,
    Flash,
    Languages,
    MemoryStore,
    SecurityHeaders,
    SessionLogin,
    Sessions,
    Signatures,
    SQLiteStore,
    Users,
    csp_nonce,
    csrf_token,
    sign,
)
from antiphon.features.logs.formats import RequestIDFilter
from antiphon.http import MultiDict
from antiphon.request.dependencies import Dependency
from antiphon.testing import Client
from antiphon.testing.pairs.measuring import kept_texts
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")
KEY = "a key of more than sixteen bytes"
WAYS = {}


def way(name):
    """Register a function that makes an app whose page, at /, tells who asks, and says that caches may keep it."""

    def register(make):
        WAYS[name] = make
        return make

    return register


def shared(text, **fields):
    response = Response(str(text), headers=fields)
    response.cache_for(60, public=True)
    return response


def reading(name, read, inside=None, around=None, **fields):
    """Register a way in which the handler reads something, of what is installed inside of the cache or around it."""

    @way(name)
    def make(app, tmp_path):
        if around:
            around(app, tmp_path)
        app.use(Cache())
        if inside:
            inside(app, tmp_path)
        app.get("/")(lambda request: shared(read(request), **fields))


def _log(request):
    logging.getLogger("antiphon.test").info("page")
    return RequestIDFilter().filter(logging.makeLogRecord({}))


reading("a cookie", lambda request: request.cookies["name"])
reading("a cookie, beside a Vary of something else", lambda request: request.cookies["name"], vary="Accept")
reading("the Cookie header", lambda request: request.headers["Cookie"])
reading("the Cookie header, in other case", lambda request: request.headers.get("COOKIE"))
reading("the presence of a cookie", lambda request: "ann" in request.cookies.values())
reading("all header fields", lambda request: request.headers.items())
reading("all header fields as a dict", lambda request: dict(request.headers))
reading("header fields as text", lambda request: str(request.headers))
reading("the number of header fields", lambda request: [name for name in request.headers if name.startswith("x-is")])
reading("the head", lambda request: request.head.field("cookie"))
reading("the fields of the head", lambda request: request.head.fields())
reading("credentials", lambda request: request.authorization.token)
reading("the Authorization header", lambda request: request.headers["authorization"])
reading("the address", lambda request: request.ip)
reading("the address and port", lambda request: request.client)
reading("a field that a proxy adds", lambda request: request.headers["x-user"])
reading("the user agent", lambda request: request.user_agent)
reading("the preferred language", lambda request: request.accept_languages.best(["en", "de"]))
reading("the referrer", lambda request: request.referrer)
reading("the version of HTTP", lambda request: request.http_version)
reading("a copy of the request", lambda request: request.copy().cookies["name"])
reading("a pickled request", lambda request: pickle.loads(pickle.dumps(request)).cookies["name"])
reading("the current request", lambda _: current_request().cookies["name"])
reading("the name of the request", lambda request: request.id)
reading("the name of the request, which was logged", lambda request: (_log(request), request.id)[1])
reading("the URL after a forwarded host", lambda request: (request.url, request.headers.get("x-forwarded-host")))

for how, read in {
    "another one": lambda cookies: cookies["name"],
    "another one with a default": lambda cookies: cookies.get("name", ""),
    "another one that is converted": lambda cookies: cookies.get("name", type=str.upper),
    "all of another name": lambda cookies: cookies.getall("name"),
    "the only one of another name": lambda cookies: cookies.getone("name"),
    "whether there is another": lambda cookies: f"is-{cookies['name']}" in cookies or cookies["name"],
    "all pairs": lambda cookies: cookies.items(),
    "all values": lambda cookies: cookies.values(),
    "all names": lambda cookies: [cookies[name] for name in cookies],
    "a list of the names": lambda cookies: [cookies.get(name) for name in cookies.keys()],  # noqa: SIM118
    "a dict of them": lambda cookies: {**cookies},
    "a dict of lists of them": lambda cookies: cookies.to_lists(),
    "their text": repr,
    "another collection": MultiDict,
    "a copy": lambda cookies: copy(cookies)["name"],
    "a pickled copy": lambda cookies: pickle.loads(pickle.dumps(cookies))["name"],
    "their equality": lambda cookies: cookies == MultiDict({"name": "ann", "language": "en", "theme": "dark"}),
}.items():
    reading(
        f"a cookie that all visitors have, then {how}",
        lambda request, read=read: request.cookies["theme"] + str(read(request.cookies)),
        vary="Cookie",
    )


reading("the body of a GET", lambda request: request.text)


def of_session(request):
    return request.session["name"]


def sessions(make_store):
    """Have sessions of a store, each with the name of its visitor."""

    def install(app, tmp_path):
        app.use(Sessions(make_store(app, tmp_path)))
        app.get("/login")(lambda request: request.session.update(name=request.headers["x-user"]) or "")

    return install


in_memory = sessions(lambda app, tmp_path: MemoryStore())
reading("a session in memory", of_session, in_memory)
reading("a session in a file", of_session, sessions(lambda app, tmp_path: SQLiteStore(tmp_path / "sessions.db")))
reading("a session in a cookie", of_session, sessions(lambda app, tmp_path: CookieStore(app.secret_keys)))
reading("a session around the cache", of_session, around=in_memory)


def using(*makers):
    """Have features, made for each app."""

    def install(app, tmp_path):
        for make in makers:
            app.use(make())

    return install


def flashes(app, tmp_path):
    using(lambda: Sessions(MemoryStore()), Flash)(app, tmp_path)
    app.get("/login")(lambda request: request.flash(request.headers["x-user"]) or "")


def languages(app, tmp_path):
    for language in ("en", "de"):
        (tmp_path / f"{language}.json").write_text("{}")
    app.use(Languages(tmp_path, default="en", cookie="language"))


async def awaited(token):
    await asyncio.sleep(0)
    return token


def of_user(request):
    return request.user


by_token = Bearer(lambda token: token)
by_password = Basic(lambda name, password: name)
by_login = SessionLogin(lambda key: key, key=str)
named_by_token = using(lambda: Users(by_token))
found_ahead = using(lambda: Users(by_token, blocking=True))
logged_in = using(lambda: Sessions(MemoryStore()), lambda: Users(by_login, by_token))
reading("a message for the next page", lambda request: [*map(str, request.flash.take())], flashes)
reading("a CSRF token", csrf_token, using(lambda: Sessions(MemoryStore()), CSRFTokens))
reading("a nonce", csp_nonce, using(SecurityHeaders))
reading("the language of texts", lambda request: request.language.tag, languages)
reading("a user by a token", of_user, named_by_token)
reading("a user by a password", of_user, using(lambda: Users(by_password, by_token)))
reading("a user whom a coroutine finds", of_user, using(lambda: Users(Bearer(awaited))))
reading("a user found ahead, then the header itself", lambda request: request.authorization.token, found_ahead)
reading("a user around the cache", of_user, around=named_by_token)
reading("a login", of_user, logged_in)


def of_cookie(request):
    return request.cookies["name"]


def of_g(request):
    return request.g.name


def name_in_g(request):
    request.g.name = request.cookies["name"]
    yield


def hook(app, tmp_path):
    app.before_request(lambda request: setattr(request.g, "name", request.cookies["name"]))


def middleware(app, tmp_path):
    app.middleware(name_in_g)


def before_routing(app, tmp_path):
    app.middleware(before_routing=True)(name_in_g)


reading("a hook before the handler", of_g, hook)
reading("middleware inside of the cache", of_g, middleware)
reading("middleware around the cache", of_g, around=middleware)
reading("middleware around the cache, and the handler again", of_cookie, around=middleware)
reading("middleware before routing", of_g, around=before_routing)
reading("middleware before routing that is registered later", of_g, before_routing)


async def waiting(request):
    return await awaited(of_cookie(request))


def closed(request):
    yield of_cookie(request)


NAME = Dependency("name")
reading("a dependency", lambda request: request[NAME], lambda app, _: app.provide(NAME, of_cookie))
reading("a dependency that waits", lambda request: request[NAME], lambda app, _: app.provide(NAME, waiting))
reading("a dependency that is closed", lambda request: request[NAME], lambda app, _: app.provide(NAME, closed))


def unnoticed(name, field, cache_control):
    """Register a way in which nothing notes what the handler reads."""

    @way(name)
    def make(app, tmp_path):
        app.use(Cache())
        headers = {"cache-control": cache_control}
        app.get("/")(lambda request: Response(str(request.head.inner.field(field)), headers=headers))


unnoticed("fields that say private", "cookie", "private, max-age=60")
unnoticed("fields that say private, and a directive of shared caches", "cookie", "private, s-maxage=60")
unnoticed("credentials that nothing reads", "authorization", "max-age=60")


@way("a user under another name")
def _(app, tmp_path):
    visitor = Dependency("visitor")
    app.use(Cache())
    app.use(Users(Bearer(lambda token: token), dependency=visitor))
    app.get("/")(lambda request: shared(request[visitor]))


@way("a hook after the handler")
def _(app, tmp_path):
    app.use(Cache())
    app.get("/")(lambda request: shared(""))

    @app.after_request
    def greet(request, response):
        response.body = request.cookies["name"].encode()


@way("another path by a cookie")
def _(app, tmp_path):
    app.use(Cache())

    @app.middleware(before_routing=True)
    def lead(request):
        request.path = f"/of/{request.headers['x-user']}"
        yield

    app.get("/of/<name>")(lambda request, name: shared(name))


@way("middleware of a blueprint")
def _(app, tmp_path):
    app.use(Cache())
    part = Blueprint("part")
    part.middleware(name_in_g)
    part.get("/")(lambda request: shared(request.g.name))
    app.register(part)


@way("a mounted app")
def _(app, tmp_path):
    inner = App()
    inner.get("/")(lambda request: shared(request.cookies["name"]))
    app.use(Cache())
    app.mount("", inner)


@way("a mounted WSGI application")
def _(app, tmp_path):
    def inner(environ, start_response):
        start_response("200 OK", [("cache-control", "public, max-age=60")])
        return [environ["HTTP_COOKIE"].encode()]

    app.use(Cache())
    app.mount("", inner)


@way("a mounted ASGI application")
def _(app, tmp_path):
    async def inner(scope, receive, send):
        fields = [(b"cache-control", b"public, max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": dict(scope["headers"])[b"cookie"]})

    app.use(Cache())
    app.mount("", inner)


@way("a cookie that is set")
def _(app, tmp_path):
    app.use(Cache())

    @app.get("/")
    def page(request):
        response = shared("")
        response.set_cookie("seen", request.head.inner.field("x-user"))  # even where nothing notes who reads
        return response


@way("an error that says who asked")
def _(app, tmp_path):
    app.use(Cache())

    @app.get("/")
    def page(request):
        response = shared(f"Not for {request.cookies['name']}")
        response.status = 404
        return response


@way("a nonce of a mounted app with a cache of its own")
def _(app, tmp_path):
    inner = App()
    inner.use(Cache())
    inner.use(SecurityHeaders())
    inner.get("/")(lambda request: shared(csp_nonce(request)))
    app.use(Cache())
    app.mount("", inner)


@way("the session of a mounted app")
def _(app, tmp_path):
    inner = App()
    in_memory(inner, tmp_path)
    inner.get("/")(lambda request: shared(of_session(request)))
    app.use(Cache())
    app.mount("", inner)


@way("the scope of a server, in a mounted app of a dialect")
def _(app, tmp_path):
    inner = Microdot()

    @inner.get("/")
    def page(request):
        try:
            shown = dict(request.asgi_scope["headers"])[b"cookie"].decode()
        except AttributeError:
            shown = request.cookies["name"]
        return shown, 200, {"Cache-Control": "public, max-age=60", "Vary": "Accept"}

    app.use(Cache())
    app.mount("", inner)


@way("the head of a mounted app of a dialect")
def _(app, tmp_path):
    inner = flask.Flask("inner")

    @inner.get("/")
    def page():
        return flask.request.cookies["name"], 200, {"Cache-Control": "public, max-age=60", "Vary": "Accept"}

    app.use(Cache())
    app.mount("", inner)


def visitor(app, interface, name, number):
    headers = {
        "authorization": f"Bearer {name}",
        "x-user": name,
        f"x-is-{name}": "1",
        "user-agent": name,
        "accept-language": {"ann": "en", "ben": "de"}[name],
        "referer": f"http://testserver/{name}",
        "x-forwarded-host": name,
    }
    client = Client(
        app,
        interface,
        headers=headers,
        cookies={"name": name, "language": {"ann": "en", "ben": "de"}[name], "theme": "dark"},
        client=(f"10.0.0.{number}", 50000 + number),
        http_version={"ann": "1.1", "ben": "1.0"}[name],
    )
    apps = [app, *(mount.application for mount in app.mounts if isinstance(mount.application, App))]
    if "/login" in {route.pattern for each in apps for route in each.routes}:
        client.get("/login")
    return client


@rows("name", WAYS)
def test_nobody_gets_the_page_of_somebody_else(name, interface, tmp_path):
    def page(visitor, name):
        body = name.encode() if "body" in name_of_way else b""
        answer = visitor.request("GET", "/", body=body)
        return answer.text, [value for field, value in answer.headers.items() if field == "set-cookie"]

    name_of_way = name

    def made():
        app = App(secret_keys=[KEY])
        WAYS[name](app, tmp_path)
        return app

    alone, app = made(), made()
    ann, ben = (visitor(app, interface, each, number) for number, each in enumerate(("ann", "ben"), 1))
    for_ann = page(ann, "ann")
    for_ben = page(ben, "ben")
    assert for_ben != for_ann
    random = "a CSRF token", "a nonce", "a message for the next page", "the name of the request"
    if not name.startswith(random) and "in a file" not in name:
        assert for_ben == page(visitor(alone, interface, "ben", 2), "ben")
        assert page(ann, "ann") == for_ann


@rows("prefix", ["", "/inner"])
def test_no_signer_gets_the_page_of_another(prefix, interface):
    keys = {"ann": b"a" * 32, "ben": b"b" * 32}
    app, outer = App(), App()
    app.use(Cache())
    app.use(Signatures(keys))
    app.get("/", signed_by="partners")(lambda request: shared(request.signature.key))
    outer.mount("/inner", app)
    client = Client(outer if prefix else app, interface)
    for name, key in keys.items():
        signed = sign(Request.blank(f"http://testserver{prefix}/"), key, keyid=name)
        assert client.get(f"{prefix}/", headers=[*signed.headers.items()]).text == name


@rows("name", ["authorization", "cookie", "x-api-key"])
@rows("read", [lambda request, name: request.headers[name], lambda request, _: request.cookies.get("key")])
def test_the_store_does_not_contain_what_selects_a_response(interface, name, read):
    store = MemoryStore()
    app = App(store=store)
    app.use(Cache())

    @app.get("/")
    def page(request):
        return shared(len(read(request, name) or ""), vary=f"cookie, {name}")

    with Client(app, interface) as client:
        for secret, status in (("one-secret", "fwd=uri-miss"), ("two-secret", "fwd=vary-miss"), ("one-secret", "hit")):
            response = client.get("/", headers={name: f"key={secret}"})
            assert status in response.headers["cache-status"]
    texts = [str(text) for _, text in kept_texts(store)]
    assert not any("secret" in text for text in texts)
    assert any("max-age=60" in text for text in texts)


def test_there_are_forty_ways():
    assert len(WAYS) >= 40


def test_a_method_that_is_overridden_later_is_watched_from_the_beginning(interface):
    app = App()

    @app.middleware(before_routing=True)
    def name_and_method(request):
        request.g.name = request.cookies["name"]
        request.method = request.headers.get("x-http-method-override", request.method)
        yield

    app.use(Cache())
    app.get("/")(lambda request: shared(request.g.name))
    client = Client(app, interface)
    first = client.post("/", headers={"x-http-method-override": "GET"}, cookies={"name": "ann"})
    assert (first.text, client.get("/", cookies={"name": "ben"}).text) == ("ann", "ben")


def test_a_static_file_without_compressed_siblings_is_stored_once(interface, tmp_path):
    (tmp_path / "a.txt").write_text("text")
    app = App()
    app.use(Cache())
    app.static("/files", tmp_path, public=True, max_age=60)
    client = Client(app, interface)
    answers = [client.get("/files/a.txt", headers={"accept-encoding": coding}) for coding in ("gzip", "br", "identity")]
    assert ["hit" in answer.headers["cache-status"] for answer in answers] == [False, True, True]
    assert ["vary" in answer.headers for answer in answers] == [False] * 3


def test_a_page_is_made_once_for_each_language(interface, tmp_path):
    for language in ("en", "de"):
        (tmp_path / f"{language}.json").write_text("{}")
    app, made = App(), []
    app.use(Cache())
    app.use(Languages(tmp_path, default="en"))

    @app.get("/")
    def page(request):
        made.append(request.language.tag)
        return shared(request.language.tag)

    @app.get("/raw")
    def raw(request):
        return shared(request.language.tag + request.cookies.get("name", "") + str(request.accept_languages))

    client = Client(app, interface)

    def get(language, accepted=None, path="/", **cookies):
        asked = client.get(path, headers={"accept-language": accepted} if accepted else {}, cookies=cookies)
        assert asked.text.startswith(language)
        assert {"accept-language", "cookie"} <= {name.strip() for name in asked.headers["vary"].split(",")}
        assert asked.headers["content-language"] == language
        return asked

    for accepted in (None, "en", "en-GB", "en-US,en;q=0.9", "fr, *;q=0.1"):
        get("en", accepted, name=f"visitor {accepted}")
    for cookies, accepted in [
        ({"lang": "de"}, "en"),
        ({"lang": "de", "name": "x"}, None),
        ({"lang": "xx"}, "de, en;q=0.1"),
    ]:
        get("de", accepted, **cookies)
    assert made == ["en", "de"]
    assert [get("en", path="/raw", name=name).text[2:5] for name in ("ann", "ben")] == ["ann", "ben"]
    assert client.get("/?lang=de", cookies={"lang": "en"}).text == "de"


@rows("read", ["authorization", "client", "user", "caller", "session", "cookies"])
def test_each_response_tells_caches_of_its_visitor(interface, read):
    app = App()
    for feature in (Cache(), Sessions(MemoryStore()), Users(Bearer(lambda token: token))):
        app.use(feature)

    def text_of(request):
        return str(getattr(request, read) and getattr(getattr(request, read), "key", ""))

    @app.get("/streamed")
    def streamed(request):
        response = Response.stream([text_of(request)])
        response.cache_for(60, public=True)
        return response

    app.get("/")(lambda request: shared(text_of(request)))
    client = Client(app, interface, headers={"authorization": "Bearer ann", "cookie": "host-session=x"})
    asked = [("GET", "/"), ("HEAD", "/"), *[("GET", "/streamed")] * 3]
    told = [client.request(method, path).headers for method, path in asked]
    assert len({(each["cache-control"], each.get("vary")) for each in told}) == 1
