"""Guards in front of a stored page: a hit passes none of them by."""

import asyncio

import pytest

from antiphon import App, Blueprint, Dependency, Response
from antiphon.dialects.microdot import Microdot
from antiphon.features import Bearer, Cache, MemoryStore, RateLimit, SQLiteStore, Users, login_required
from antiphon.http import Forbidden
from antiphon.testing import Client
from tests.features.conftest import Clock
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")
GUARDS = {}


class Door:
    """A page, the guard in front of it, and how often each was called."""

    def __init__(self):
        self.is_open = True
        self.asked = self.made = 0

    def guard(self, request):
        self.asked += 1
        if not self.is_open:
            raise Forbidden("The door is shut.")

    async def aguard(self, request):
        await asyncio.sleep(0)
        self.guard(request)

    def around(self, request):
        self.guard(request)
        yield

    async def aaround(self, request):
        await self.aguard(request)
        yield

    def answering(self, request):
        self.asked += 1
        return None if self.is_open else ("The door is shut.", 403)

    def page(self, request):
        self.made += 1
        response = Response(f"page {self.made}", headers={"vary": "authorization"})
        response.cache_for(60, public=True)
        return response

    async def apage(self, request):
        await asyncio.sleep(0)
        return self.page(request)

    def user(self, token):
        self.asked += 1
        return token if self.is_open else None


def guarded(name, guard, place, is_stored=True):
    """Have apps with a guard at a place; ``is_stored`` says whether their page is stored behind it."""
    GUARDS[name] = lambda app, door, page: place(app, page, lambda target: guard(target, door)), is_stored


def app_with_cache(app, page, guard):
    app.use(Cache())
    guard(app)
    app.get("/")(page)


def app_around_cache(app, page, guard):
    guard(app)
    app.use(Cache())
    app.get("/")(page)


def route(app, page, guard):
    app.use(Cache())
    app.get("/", before=guard(app))(page)


def blueprint(app, page, guard):
    app.use(Cache())
    part = Blueprint("part")
    guard(part)
    part.get("/")(page)
    app.register(part)


def outer_blueprint(app, page, guard):
    app.use(Cache())
    inner, outer = Blueprint("inner"), Blueprint("outer")
    guard(outer)
    inner.get("/")(page)
    outer.register(inner)
    app.register(outer)


def mounted_app(app, page, guard):
    inner = App()
    guard(inner)
    inner.get("/")(page)
    app.use(Cache())
    app.mount("", inner)


def mounted_app_with_cache(app, page, guard):
    inner = App()
    app_with_cache(inner, page, guard)
    app.mount("", inner)


def app_mounted_in_mounted_app(app, page, guard):
    inner, outer = App(), App()
    inner.get("/", before=guard(inner))(page)
    outer.mount("", inner)
    app.use(Cache())
    app.mount("", outer)


def mounted_app_of_dialect(app, page, guard):
    inner = Microdot()
    guard(inner)
    inner.get("/")(lambda request: (page(request).text, 200, {"Cache-Control": "public, max-age=60"}))
    app.use(Cache())
    app.mount("", inner)


def login_of_app(app, door):
    app.use(Users(Bearer(door.user)))
    app.before_request(login_required)


def login_of_route(app, door):
    app.use(Users(Bearer(door.user)))
    return login_required


hook = lambda app, door: app.before_request(door.guard)  # noqa: E731
middleware = lambda app, door: app.middleware(door.around)  # noqa: E731
before_routing = lambda app, door: app.middleware(before_routing=True)(door.around)  # noqa: E731

guarded("hook", hook, app_with_cache)
guarded("hook before the cache", hook, app_around_cache)
guarded("async hook", lambda app, door: app.before_request(door.aguard), app_with_cache)
guarded("blocking hook", lambda app, door: app.before_request(blocking=True)(door.guard), app_with_cache)
guarded("hook that answers", lambda app, door: app.before_request(door.answering), app_with_cache)
guarded("hook of the route", lambda app, door: door.guard, route)
guarded("async hooks of the route", lambda app, door: [lambda request: None, door.aguard], route)
guarded("hook of a blueprint", hook, blueprint)
guarded("hook of a blueprint around another", lambda part, door: part.before_request(door.aguard), outer_blueprint)
guarded("middleware of a blueprint", middleware, blueprint)
guarded("async middleware of a blueprint", lambda part, door: part.middleware(door.aaround), blueprint)
guarded("middleware before the cache", middleware, app_around_cache)
guarded("middleware before routing", before_routing, app_with_cache)
guarded("login of the route", login_of_route, route, is_stored=False)
guarded("login of the app", login_of_app, app_with_cache, is_stored=False)
guarded("hook of a mounted app", hook, mounted_app, is_stored=False)
guarded("middleware of a mounted app", middleware, mounted_app, is_stored=False)
guarded("middleware before routing of a mounted app", before_routing, mounted_app, is_stored=False)
guarded("hook in two mounted apps", lambda app, door: door.guard, app_mounted_in_mounted_app, is_stored=False)
guarded("hook of a mounted app with the cache", hook, mounted_app_with_cache)
guarded(
    "hook of a dialect", lambda app, door: app.before_request(door.answering), mounted_app_of_dialect, is_stored=False
)


def user_that_is_required(app, door, page):
    user = Dependency("user")
    app.use(Cache())
    app.use(Users(Bearer(door.user), required=user))
    app.get("/")(lambda request: (request[user], page(request))[1])


GUARDS["user that is required"] = user_that_is_required, False


@rows("name", GUARDS)
def test_a_hit_passes_no_guard_by(name, interface, style):
    make, is_stored = GUARDS[name]
    app, door = App(), Door()
    in_handler = "user that" in name or "dialect" in name
    make(app, door, door.page if style == "def" or in_handler else door.apage)
    client = Client(app, interface, headers={"authorization": "Bearer ann"}, raise_errors=False)
    answers = [client.get("/") for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert (door.made, door.asked) == (1 if is_stored else 3, 3)
    door.is_open = False
    assert client.get("/").status in (401, 403)
    assert door.asked == 4
    door.is_open = True
    assert client.get("/").text == (answers[-1].text if is_stored else "page 4")


STORES = {"memory": lambda tmp_path: MemoryStore(), "file": lambda tmp_path: SQLiteStore(tmp_path / "cache.db")}
LIMITS = {
    "of the app": lambda app, part, limit: app.use(limit),
    "of the blueprint": lambda app, part, limit: part.use(limit),
    "of the route": lambda app, part, limit: limit,
}


@rows("store", STORES.values(), ids=STORES)
@rows("by", [None, lambda request: "all"], ids=["address", "by"])
@rows("place", LIMITS)
def test_a_limit_counts_hits_and_tells_each_caller_its_own(place, by, store, interface, style, tmp_path):
    app, part, door = App(), Blueprint("part"), Door()
    if place == "of the app":
        app.use(RateLimit("3/hour", by=by))
    app.use(Cache(store(tmp_path)))
    if place == "of the blueprint":
        part.use(RateLimit("3/hour", by=by))
    before = RateLimit("3/hour", by=by) if place == "of the route" else ()
    part.get("/", before=before)(door.page if style == "def" else door.apage)
    app.register(part)
    answers = [Client(app, interface).get("/") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert door.made == 1
    told = [answer.headers.getall("ratelimit") for answer in answers[:3]]
    assert [[line.partition(";t=")[0] for line in lines] for lines in told] == [[f'"3/hour";r={n}'] for n in (2, 1, 0)]


@rows("status", [304, 500])
def test_a_stored_page_that_is_confirmed_has_the_fields_of_its_visitor(status, interface):
    app, clock, made = App(), Clock(), []
    app.use(Cache(MemoryStore(clock=clock)))

    def page(request):
        made.append(request)
        response = Response("page" if len(made) == 1 else None, headers={"etag": '"1"'})
        response.cache_for(60, public=True, stale_if_error=600)
        if made[1:]:
            response.status = status
            response.set_cookie("seen", "1")
        return response

    app.get("/", before=RateLimit("9/hour"))(page)
    answers = []
    for _ in range(2):
        answers.append(Client(app, interface, raise_errors=False).get("/"))
        clock.now += 61
    assert [(answer.status, answer.text) for answer in answers] == [(200, "page")] * 2
    assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers] == [
        f'"9/hour";r={n}' for n in (8, 7)
    ]
    assert "seen" in answers[1].cookies


def test_what_is_inside_of_a_cache_changes_a_hit_once(interface, style):
    app, door, seen = App(), Door(), []
    app.use(Cache())

    @app.middleware
    def inside(request):
        response = yield
        seen.append(response.status)
        response.headers.add("x-inside", "1")
        response.body += b"!"

    app.before_request(door.guard)
    app.after_request(lambda request, response: response.headers.add("x-hook", str(door.asked)))
    app.get("/")(door.page if style == "def" else door.apage)
    answers = [Client(app, interface).get("/") for _ in range(3)]
    assert [answer.text for answer in answers] == ["page 1!"] * 3
    assert [answer.headers.getall("x-inside") for answer in answers] == [["1"]] * 3
    assert [answer.headers.getall("x-hook") for answer in answers] == [["1"], ["1", "2"], ["1", "3"]]
    assert seen == [200] * 3


def test_a_failure_inside_of_a_cache_is_told_for_a_hit_too(interface, style):
    app, door = App(), Door()
    app.use(Cache())

    @app.middleware
    def inside(request):
        yield
        if door.asked == 2:
            raise Forbidden("no")

    app.before_request(door.guard)
    app.get("/")(door.page)
    assert [Client(app, interface).get("/").status for _ in range(3)] == [200, 403, 200]


def test_the_answer_of_a_hook_is_not_stored(interface, style):
    app, answers = App(), iter(["one", "two"])
    app.use(Cache())

    @app.before_request
    def answer(request):
        response = Response(next(answers))
        response.cache_for(60, public=True)
        return response

    app.get("/")(lambda request: "page")
    assert [Client(app, interface).get("/").text for _ in range(2)] == ["one", "two"]


@pytest.mark.parametrize("answers", [False, True], ids=["a handler", "a hook"])
def test_a_write_forgets_the_page_behind_hooks(interface, style, answers):
    app, door = App(), Door()
    app.use(Cache())

    @app.before_request
    def hook(request):
        return Response("done") if answers and request.method == "POST" else None

    app.get("/")(door.page)
    app.post("/")(lambda request: "done")
    client = Client(app, interface)
    assert [client.get("/").text, client.get("/").text] == ["page 1"] * 2
    assert client.post("/").text == "done"
    assert client.get("/").text == "page 2"
