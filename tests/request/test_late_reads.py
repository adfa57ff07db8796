"""Late reads: no cache gives one visitor what a stream, a slot or late middleware has read of another's request."""

import re
from contextlib import suppress

import pytest

from antiphon import App, Request, Response
from antiphon.features import Bearer, Cache, CSRFTokens, Languages, MemoryStore, Page, Sessions, Slot, Templates, Users
from antiphon.frameworks.framework import framework_response
from antiphon.testing import BrokenResponse, Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

THINGS = {
    "a cookie": lambda request: request.cookies.get("name"),
    "whether there is a cookie": lambda request: "ann" in request.cookies.values(),
    "the Cookie header": lambda request: request.headers.get("Cookie"),
    "a header": lambda request: request.headers.get("x-user"),
    "all headers": lambda request: str(request.headers),
    "the preferred language": lambda request: request.accept_languages.best(["en", "de"]),
    "the language": lambda request: request.language.tag,
    "the user agent": lambda request: str(request.user_agent),
    "credentials": lambda request: request.authorization.token,
    "the head": lambda request: request.head.field("x-user"),
    "the session": lambda request: request.session.get("name"),
    "a number of names in the session": lambda request: len(request.session),
    "the user": lambda request: request.user,
    "the caller": lambda request: request.caller.identities or str(request.caller.identities),
    "the URL": lambda request: request.url,
    "an argument": lambda request: request.args.get("name"),
}
HEADS = {
    "public": {"cache-control": "public, max-age=60"},
    "a lifetime": {"cache-control": "max-age=60"},
    "a lifetime in shared caches": {"cache-control": "s-maxage=60"},
    "public for CDNs": {"cache-control": "private", "cdn-cache-control": "max-age=60"},
    "public, by cookie": {"cache-control": "public, max-age=60", "vary": "Cookie"},
    "public, by language": {"cache-control": "public, max-age=60", "vary": "Accept-Language"},
    "private": {"cache-control": "private, max-age=60"},
    "no-store": {"cache-control": "no-store"},
    "by everything": {"cache-control": "public, max-age=60", "vary": "*"},
    "nothing": {},
}


def chunks(read):
    yield "start " * 5000  # more than templates hold back
    yield str(read())


async def async_chunks(read):
    for chunk in chunks(read):
        yield chunk


class Chunks:
    """An iterable that reads when its iteration begins."""

    def __init__(self, read):
        self._read = read

    def __iter__(self):
        return iter([str(self._read())])


async def loaded(read):
    return str(read())


PLACES = {
    "a generator": lambda read: Response.stream(chunks(read)),
    "an async generator": lambda read: Response.stream(async_chunks(read)),
    "an iterable": lambda read: Response.stream(Chunks(read)),
    "events": lambda read: Response.events(async_chunks(read)),
    "rows": lambda read: Response.ndjson(str(read()) for _ in range(2)),
    "a streamed template": lambda read: Page("stream.html", _stream=True, items=chunks(read)),
    "a slot": lambda read: Page("page.html", part=Slot(lambda: str(read()))),
    "an async slot": lambda read: Page("page.html", part=Slot(loaded, read)),
    "middleware after its yield": lambda read: Response("page "),
    "a hook of the request": lambda read: Response("page "),
    "after the response": lambda read: Response("page "),
    "a handler": lambda read: Response(str(read())),
}
OF_CACHES = ("cache-control", "cdn-cache-control", "vary")
OF_ALL = ("the URL", "an argument", "whether there is a cookie", "a number of names in the session")
"""The things that both visitors have alike."""
SHOWN = ("credentials", "the user", "the caller")
"""The things for which clients send credentials, whose responses are stored only if they are public."""
BEFORE_THE_HEAD = ("middleware after its yield", "a hook of the request", "a handler")


def slug(name):
    return name.replace(" ", "-")


def made_from(request):
    """Return the place, the thing to read and the fields that a path asks for."""
    named = request.path.removeprefix("/inner").strip("/").split("/")
    if len(named) != 3:
        return None, None, {}
    (place, thing, head) = (
        next(table[name] if table is not PLACES else name for name in table if slug(name) == each)
        for table, each in zip((PLACES, THINGS, HEADS), named, strict=True)
    )
    return place, lambda: thing(request), head


def late(request):
    place, read, _ = made_from(request)
    if place == "a hook of the request":
        request.on_response(lambda request, response: Response(f"page {read()}", headers=response.headers.items()))
    response = yield
    if place == "middleware after its yield":
        return Response(f"page {read()}", headers=response.headers.items())


def site(folder, is_cached, is_mounted):
    """Make an app whose pages are PLACES/THINGS/HEADS."""
    (folder / "page.html").write_text("<p>{{ slot('part') }}</p>")
    (folder / "stream.html").write_text("{% for item in items %}{{ item }}{% endfor %}")
    for language in ("en", "de"):
        (folder / f"{language}.json").write_text("{}")
    app, outer = App(), App()
    app.middleware(late)
    for each in (app, outer):
        if is_cached:
            each.use(Cache())
    app.use(Sessions(MemoryStore()))
    app.use(Users(Bearer(lambda token: token)))
    app.use(Languages(folder, default="en", cookie="language"))
    app.use(Templates(folder))
    app.get("/login")(lambda request: request.session.update({"name": request.headers["x-user"]}) or "")

    @app.get("/<place>/<thing>/<head>")
    def page(request: Request):
        place, read, head = made_from(request)
        if place == "after the response":
            request.after_response(read)
        return PLACES[place](read), head

    outer.mount("/inner", app)
    return outer if is_mounted else app


def fields_of(name):
    language = {"ann": "en", "ben": "de"}[name]
    return {
        "authorization": f"Bearer {name}",
        "x-user": name,
        "user-agent": name,
        "accept-language": language,
        "cookie": f"name={name}; language={language}; theme=dark",
    }


def may_serve(fields, first, second):
    """Return True if a cache that knows nothing of our code may give the response to one request to another one."""
    said = fields.get("cdn-cache-control", fields.get("cache-control", "")).replace(" ", "").split(",")
    vary = [name.strip().lower() for name in fields.get("vary", "").split(",") if name]
    names = {each.partition("=")[0] for each in said}
    stored = {"public", "s-maxage"} if "authorization" in first else {"public", "s-maxage", "max-age"}
    is_stored = names.isdisjoint({"private", "no-store"}) and not names.isdisjoint(stored)
    return is_stored and all(name != "*" and first.get(name) == second.get(name) for name in vary)


@pytest.fixture
def clients(interface, tmp_path):
    """Clients of an app with and without a cache, alone and mounted, and the fields of two visitors with sessions."""
    found = {}
    for number in range(4):
        is_cached, is_mounted = number % 2 == 1, number > 1
        folder = tmp_path / str(number)
        folder.mkdir()
        client = Client(site(folder, is_cached, is_mounted), interface, raise_errors=False)
        visitors = {}
        for name in ("ann", "ben"):
            fields = fields_of(name)
            answer = client.get("/inner/login" if is_mounted else "/login", headers=fields)
            (cookie,) = [value for field, value in answer.headers.items() if field == "set-cookie"]
            visitors[name] = fields | {"cookie": f"{fields['cookie']}; {cookie.partition(';')[0]}"}
            client.cookies.clear()
        found[number] = client, visitors
    return found


@rows("place", PLACES)
def test_no_cache_gives_one_visitor_what_was_read_for_another(clients, place, caplog):
    """The same thing read before the head says as much, or the read is an error."""
    refused = 0
    for number, thing in enumerate(THINGS):
        turn = number + len(THINGS) * [*PLACES].index(place)
        client, visitors = clients[turn % 4]
        head = [*HEADS][turn * 7 % len(HEADS)]
        ann, ben = (
            gotten(caplog, client, turn % 4 > 1, (place, thing, head), visitors[name]) for name in ("ann", "ben")
        )
        refused += ann is None
        told = thing, head, turn % 4, ann
        if ann is None:
            assert ben is None, told
            assert may_serve({**HEADS[head], "vary": ""}, {}, {}), told
        elif may_serve(ann[1], visitors["ann"], visitors["ben"]):
            assert ann[0] == ben[0], told
        elif thing not in OF_ALL and place != "after the response":
            assert ann[0] != ben[0], told
    is_private = "slot" in place  # a page with slots is in no shared cache, whatever its parts read
    assert bool(refused) == (place not in (*BEFORE_THE_HEAD, "after the response") and not is_private)


def gotten(caplog, client, is_mounted, named, fields):
    """Return the text of a page, without its nonce, and what it tells caches; None if the read was refused."""
    caplog.clear()
    if named[1] not in SHOWN:
        fields = {name: fields[name] for name in fields if name != "authorization"}
    with suppress(BrokenResponse):
        response = client.get(("/inner/" if is_mounted else "/") + "/".join(map(slug, named)), headers=fields)
    client.cookies.clear()
    if any(record.levelname == "ERROR" for record in caplog.records):
        assert "after its head was sent" in caplog.text
        return None
    told = {name: response.headers[name] for name in OF_CACHES if name in response.headers}
    return re.sub('nonce="[^"]*"', "", response.text), told


def test_a_view_in_another_framework_reads_nothing_late_of_a_shared_response():
    request = Request.blank("/", headers={"cookie": "theme=dark"})
    response = Response.stream(chunks(lambda: request.cookies["theme"]))
    response.cache_for(60, public=True)
    with pytest.raises(
        RuntimeError, match=r"test_late_reads\.py:\d+ the field cookie was read after its head was sent"
    ):
        list(framework_response(request, response, on_loop=False).body)


@rows("read", (lambda request: request.session.get("name")), (lambda request: request.args.get("name")))
def test_late_reads_are_allowed_that_caches_know_of(interface, read):
    app = App()
    app.use(Sessions(MemoryStore()))

    @app.get("/")
    def page(request: Request):
        _ = request.session.get("name") if "session" in request.query_string.decode() else None
        response = Response.stream(chunks(lambda: read(request)))
        response.cache_for(60, public=True)
        return response

    client = Client(app, interface, raise_errors=False)
    assert client.get("/?session").headers["cache-control"] == "max-age=60, private"


def test_a_stream_that_tells_caches_nothing_is_private_if_it_may_read_the_session(interface, app):
    app.use(Sessions(MemoryStore()))
    app.get("/")(lambda request: Response.stream(chunks(lambda: request.session.get("name"))))
    response = Client(app, interface).get("/")
    assert (response.headers["cache-control"], response.headers["vary"]) == ("private", "cookie")


TOLD = {
    "nothing": (lambda request: "", "public", None),
    "a cookie": (THINGS["a cookie"], "public", "cookie"),
    "the session": (THINGS["the session"], "private", "cookie"),
    "the caller": (THINGS["the caller"], "private", None),
    "the preferred language": (THINGS["the preferred language"], "public", "accept-language"),
    "a header": (THINGS["a header"], "public", "x-user"),
}
FEATURES = (lambda: Sessions(MemoryStore()), CSRFTokens, lambda: Users(Bearer(lambda token: token)), Cache)


@rows("thing", TOLD)
@rows("how", "in a handler", "before routing", "behind a cache")
def test_a_shared_response_depends_on_what_was_read_and_not_on_what_features_read(interface, thing, how):
    read, said, vary = TOLD[thing]
    app, texts = App(), list[str]()
    for feature in FEATURES[: 4 if how == "behind a cache" else 3]:
        app.use(feature())
    if how == "before routing":

        @app.middleware(before_routing=True)
        def early(request: Request):
            texts.append(str(read(request)))
            yield

    @app.get("/")
    def page(request: Request):
        return texts.pop() if texts else str(read(request)), {"cache-control": "public"}

    headers = Client(app, interface).get("/", headers=fields_of("ann")).headers
    assert (headers["cache-control"], headers.get("vary")) == (said, vary)
