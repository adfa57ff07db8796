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

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style")]
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


def guard(is_stored=True):
    """Register a function that makes an app with a guard; ``is_stored`` says whether its page is stored behind that."""

    def register(make):
        GUARDS[make.__name__] = make, is_stored
        return make

    return register


@guard()
def hook_of_the_app(app, door, page):
    app.use(Cache())
    app.before_request(door.guard)
    app.get("/")(page)


@guard()
def hook_of_the_app_before_the_cache(app, door, page):
    app.before_request(door.guard)
    app.use(Cache())
    app.get("/")(page)


@guard()
def async_hook_of_the_app(app, door, page):
    app.use(Cache())
    app.before_request(door.aguard)
    app.get("/")(page)


@guard()
def blocking_hook_of_the_app(app, door, page):
    app.use(Cache())
    app.before_request(blocking=True)(door.guard)
    app.get("/")(page)


@guard()
def hook_that_answers(app, door, page):
    app.use(Cache())
    app.before_request(door.answering)
    app.get("/")(page)


@guard()
def hook_of_the_route(app, door, page):
    app.use(Cache())
    app.get("/", before=door.guard)(page)


@guard()
def async_hooks_of_the_route(app, door, page):
    app.use(Cache())
    app.get("/", before=[lambda request: None, door.aguard])(page)


@guard()
def hook_of_a_blueprint(app, door, page):
    app.use(Cache())
    part = Blueprint("part")
    part.before_request(door.guard)
    part.get("/")(page)
    app.register(part)


@guard()
def hook_of_a_blueprint_around_another(app, door, page):
    app.use(Cache())
    inner, outer = Blueprint("inner"), Blueprint("outer")
    outer.before_request(door.aguard)
    inner.get("/")(page)
    outer.register(inner)
    app.register(outer)


@guard()
def middleware_of_a_blueprint(app, door, page):
    app.use(Cache())
    part = Blueprint("part")
    part.middleware(door.around)
    part.get("/")(page)
    app.register(part)


@guard()
def async_middleware_of_a_blueprint(app, door, page):
    app.use(Cache())
    part = Blueprint("part")
    part.middleware(door.aaround)
    part.get("/")(page)
    app.register(part)


@guard()
def middleware_before_the_cache(app, door, page):
    app.middleware(door.around)
    app.use(Cache())
    app.get("/")(page)


@guard()
def middleware_before_routing(app, door, page):
    app.use(Cache())
    app.middleware(before_routing=True)(door.around)
    app.get("/")(page)


@guard(is_stored=False)
def login_of_the_route(app, door, page):
    app.use(Cache())
    app.use(Users(Bearer(door.user)))
    app.get("/", before=login_required)(page)


@guard(is_stored=False)
def login_of_the_app(app, door, page):
    app.use(Cache())
    app.use(Users(Bearer(door.user)))
    app.before_request(login_required)
    app.get("/")(page)


@guard(is_stored=False)
def user_that_is_required(app, door, page):
    user = Dependency("user")
    app.use(Cache())
    app.use(Users(Bearer(door.user), required=user))
    app.get("/")(lambda request: (request[user], page(request))[1])


@guard(is_stored=False)
def hook_of_a_mounted_app(app, door, page):
    inner = App()
    inner.before_request(door.guard)
    inner.get("/")(page)
    app.use(Cache())
    app.mount("", inner)


@guard(is_stored=False)
def middleware_of_a_mounted_app(app, door, page):
    inner = App()
    inner.middleware(door.around)
    inner.get("/")(page)
    app.use(Cache())
    app.mount("", inner)


@guard(is_stored=False)
def middleware_before_routing_of_a_mounted_app(app, door, page):
    inner = App()
    inner.middleware(before_routing=True)(door.around)
    inner.get("/")(page)
    app.use(Cache())
    app.mount("", inner)


@guard(is_stored=False)
def hook_of_an_app_that_is_mounted_in_a_mounted_app(app, door, page):
    inner, outer = App(), App()
    inner.get("/", before=door.guard)(page)
    outer.mount("", inner)
    app.use(Cache())
    app.mount("", outer)


@guard()
def hook_of_a_mounted_app_with_the_cache(app, door, page):
    inner = App()
    inner.use(Cache())
    inner.before_request(door.guard)
    inner.get("/")(page)
    app.mount("", inner)


@guard(is_stored=False)
def hook_of_a_mounted_app_of_a_dialect(app, door, page):
    inner = Microdot()
    inner.before_request(door.answering)
    inner.get("/")(lambda request: (f"page {page(request)}", 200, {"Cache-Control": "public, max-age=60"}))
    app.use(Cache())
    app.mount("", inner)


@rows("make, is_stored", GUARDS.values(), ids=GUARDS)
def test_a_hit_passes_no_guard_by(make, is_stored, interface, style):
    app, door = App(), Door()
    in_handler = "user_that" in make.__name__ or "dialect" in make.__name__
    make(app, door, door.page if style == "def" or in_handler else door.apage)
    client = Client(app, interface, headers={"authorization": "Bearer ann"}, raise_errors=False)
    answers = [client.get("/") for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert (door.made, door.asked) == (1 if is_stored else 3, 3)
    door.is_open = False
    assert client.get("/").status in (401, 403)
    assert door.asked == 4
    door.is_open = True
    assert client.get("/").text == answers[-1].text if is_stored else "page 4"


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


@pytest.mark.parametrize("headers", [{"range": "bytes=0-3"}, {"if-none-match": '"1"'}, {}], ids=str)
def test_a_hit_behind_hooks_is_answered_as_any_other(interface, style, headers):
    app, door = App(), Door()
    app.use(Cache())
    app.before_request(door.guard)
    app.get("/")(lambda request: Response("0123456789", headers={"etag": '"1"', "cache-control": "max-age=60"}))
    client = Client(app, interface)
    client.get("/")
    answer = client.get("/", headers=headers)
    whole = (200, "0123456789") if not headers else (206, "0123") if "range" in headers else (304, "")
    assert (answer.status, answer.text) == whole
    assert "hit" in answer.headers["cache-status"]
