"""Dependencies whose sources wait or block, resolved by an application before its hooks and handlers."""
# ruff: noqa: PLW0108 - how handlers read them is the subject

import asyncio
import json
import re
import string
import sys
import threading
from collections import deque
from contextvars import ContextVar
from functools import cached_property, partial, partialmethod, reduce, singledispatch, wraps
from itertools import cycle
from operator import attrgetter, getitem, itemgetter, methodcaller
from operator import attrgetter as renamed
from types import SimpleNamespace
from weakref import ref

import pytest
from msgspec import Struct

from antiphon import App, Dependency, Request, abort
from antiphon.concurrency.loop import is_on_loop
from antiphon.features import Health, MemoryStore, Metrics, OpenAPI, Page, RateLimit
from antiphon.http import ServiceUnavailable
from antiphon.testing import Client
from tests.helpers.registration_positions import POSITIONS
from tests.helpers.rows import rows

User = Dependency[str]("user", fix="app.use(Users())")
Tenant = Dependency[str]("tenant")

pytestmark = pytest.mark.axes("interface", "style", "other")


def blocks(request):
    return f"ada on {threading.current_thread() is not threading.main_thread() and 'a thread'}"


async def waits(request):
    await asyncio.sleep(0)
    return f"ada on {asyncio.get_running_loop() and 'a loop'}"


@pytest.fixture(params=["waits", "blocks"])
def source(request):
    """Provides User by a source that waits, or by one that blocks on a thread: what it gives is returned."""
    function, options = {"waits": (waits, {}), "blocks": (blocks, {"blocking": True})}[request.param]
    gives = {"waits": "ada on a loop", "blocks": "ada on a thread"}[request.param]

    def provide(app, **more):
        app.provide(User, function, **options, **more)
        return gives

    return provide


@rows("around", ["nothing", "middleware", "middleware that waits"])
@rows("method", ["GET", "POST"])
def test_are_there_in_hooks_and_handlers_whatever_is_around(serving, style, source, around, method):
    app, seen = App(), []
    gives = source(app)

    if around == "middleware":

        @app.middleware
        def middleware(request):
            seen.append(User in request)
            yield

    if around == "middleware that waits":

        @app.middleware
        async def middleware_that_waits(request):
            seen.append(User in request)
            yield

    @app.before_request
    @style
    def before(request):
        seen.append(request[User])

    @app.route("/", ["GET", "POST"])
    @style
    def handler(request):
        return f"{request[User]}, {len(request.body)}"

    size = 100_000 if method == "POST" else 0
    assert serving(app).request(method, "/", body=bytes(size)).text == f"{gives}, {size}"
    assert seen == [False] * (around != "nothing") + [gives]


def test_are_resolved_in_order_and_only_where_they_are_wanted(serving, style, source):
    app, called = App(), []
    source(app, when=lambda request: request.path == "/in", default=lambda request: "nobody")

    async def tenant(request):
        called.append(request.path)
        return f"tenant of {request[User]}"

    app.provide(Tenant, tenant)
    app.get("/<where>")(style(lambda request: f"{request[User]}, {request[Tenant]}"))
    client = serving(app)
    assert client.get("/in").text.startswith("ada on a ")
    assert client.get("/out").text == "nobody, tenant of nobody"
    assert called == ["/in", "/out"]


def test_a_source_that_fails_is_answered_inside_of_the_middleware(serving, style, app, seen):
    error = ServiceUnavailable("no users today")

    async def fails(request):
        await asyncio.sleep(0)
        raise error

    app.provide(User, fails)

    @app.middleware
    def around(request):
        response = yield
        seen.append(response.error)

    @app.get("/")
    @style
    def handler(request):
        raise AssertionError(request[User])

    assert serving(app).get("/").status == 503
    assert seen == [error]


def test_a_middleware_comes_too_early_to_read_one_on_the_loop(serving, style, source, caplog):
    app, places = App(), []
    source(app)

    @app.middleware
    def around(request):
        places.append(is_on_loop())
        request[User]
        yield

    app.get("/")(style(lambda request: "x"))
    status = serving(app).get("/").status
    assert (status, "the dependency 'user' is not resolved" in caplog.text) == (
        (500, True) if places[0] else (200, False)
    )


@rows("position", [each for each in POSITIONS.values() if each.is_apart], ids=lambda each: each.prefix)
def test_those_of_an_outer_app_are_not_resolved_for_a_mounted_one(serving, style, source, position):
    app = App()
    source(app)
    inside = position.enter(app)
    inside.get("/")(style(lambda request: str(User in request)))
    assert serving(app).get(f"{position.prefix}/").text == "False"


def fetch(request):
    return request[User]


class Service:
    def __init__(self, *steps):
        self.steps = steps

    def run(self, request):
        return [step(request) for step in self.steps]

    @classmethod
    def by_class(cls, request):
        return fetch(request)


class Other:
    def run(self, request):
        return request.path


service, other = Service(fetch), Other()
deque_of_steps = deque([fetch])


class Cached:
    def __init__(self, request):
        self.request = request

    @cached_property
    def user(self):
        return self.request[User]


class Sent(Struct):
    name: str = "done"


by_name, KINDS = {"fetch": fetch, "user": User}, SimpleNamespace(user=User)


def inner(function):
    return wraps(function)(lambda request: [function(request)])


async def loads(request):
    return request[Tenant]


READERS = {
    "itself": lambda request: request[User],
    "a function": lambda request: [fetch(request)],
    "a decorated function": inner(fetch),
    "a partial": partial(fetch),
    "a function inside": lambda request: [fetch(each) for each in [request]],
    "a dict": lambda request: [by_name["fetch"](request)],
    "a namespace": lambda request: request[KINDS.user],
    "an object": lambda request: [service.run(request)],
    "a method": service.run,
    "a class": lambda request: [Service.by_class(request)],
    "a deque": lambda request: [deque_of_steps[0](request)],
    "a cached property": lambda request: [Cached(request).user],
    "a default": lambda request, read=fetch: read(request),
    "a source": lambda request: request[Tenant],
    "any name": lambda request: request[getattr(sys.modules[__name__], "Us" + "er")],
    "the app": lambda request: request.app and "read",
    "an import": lambda request: __import__("tests.app").app and "read",
    "another package": lambda request: pytest.approx(1) and "read",
    "a template": lambda request: Page("page.html") and "read",
}
OTHERS = {
    "nothing": lambda request: "done",
    "the request": lambda request: (
        request.args.get("name", "done") + str(request.json_as(list[int], None) if 0 else "")
    ),
    "a function": lambda request: json.dumps({"done": abort(404) if request.args else 1}),
    "a type": lambda request: request.args_as(Sent).name,
    "an object": lambda request: [other.run(request)],
}


@pytest.mark.once
@rows("handler, is_read", [*[(each, True) for each in READERS.values()], *[(each, False) for each in OTHERS.values()]])
def test_is_resolved_only_for_routes_whose_code_may_read_it(handler, is_read):
    app, resolved = App(), []

    async def user(request):
        resolved.append(request.path)
        return "ada"

    async def tenant(request):
        return request[User]

    app.provide(User, user)
    app.provide(Tenant, tenant)
    app.get("/", name="handler")(handler)
    Client(app).get("/")
    assert resolved == ["/"] * is_read


TEMPLATE = "{r.user}"
get_user, get_item, look_up = attrgetter("user"), itemgetter(User), {"u": User}.get
call_item = methodcaller("__getitem__", User)
current, weak, users, any_attribute = ContextVar("reader", default=fetch), ref(fetch), cycle([User]), getattr


def matched(request):
    match request:
        case Request(user=user):
            return user


def matched_in_a_dict(request):
    match {"request": request}:
        case {"request": Request(user=user)}:
            return user


@singledispatch
def dispatched(request):
    raise NotImplementedError


@dispatched.register
def _(request: Request):
    return request.user


class Partial:
    def read(self, request, dependency):
        return request[dependency]

    user = partialmethod(read, dependency=User)


class Called(type):
    def __call__(cls, request):
        return request.user


class Reader(dict):
    def __missing__(self, request):
        return request.user

    def __add__(self, request):
        return request.user


class Construct(metaclass=Called):
    pass


reader = Reader()

FORMS = {
    "an attribute": lambda r: r.user,
    "an item": lambda r: r[User],
    "a text": lambda r: f"{r.user}",
    "getattr": lambda r: getattr(r, "user"),  # noqa: B009 - how it is read
    "getattr under another name": lambda r: any_attribute(r, "user"),
    "object.__getattribute__": lambda r: object.__getattribute__(r, "user"),
    "a class pattern": matched,
    "a class pattern in a dict": matched_in_a_dict,
    "format": lambda r: "{r.user}".format(r=r),  # noqa: UP032
    "format of a constant": lambda r: TEMPLATE.format(r=r),
    "format_map": lambda r: "{r.user}".format_map({"r": r}),
    "str.format": lambda r: str.format("{0.user}", r),
    "a formatter": lambda r: string.Formatter().format("{0.user}", r),
    "attrgetter": lambda r: attrgetter("user")(r),
    "attrgetter under another name": lambda r: renamed("user")(r),
    "attrgetter of names put together": lambda r: attrgetter("us" + r.method[:0] + "er")(r),
    "attrgetter made before": lambda r: get_user(r),
    "map": lambda r: [*map(attrgetter("user"), [r])][0],  # noqa: RUF015
    "itemgetter": lambda r: itemgetter(User)(r),
    "itemgetter made before": lambda r: get_item(r),
    "methodcaller": lambda r: methodcaller("__getitem__", User)(r),
    "methodcaller made before": lambda r: call_item(r),
    "getitem": lambda r: getitem(r, User),
    "reduce": lambda r: reduce(getitem, [User], r),
    "the class": lambda r: Request.user.__get__(r, Request),
    "the class's method": lambda r: type(r).__getitem__(r, User),
    "a dict's method": lambda r: r[look_up("u")],
    "a context variable's default": lambda r: current.get()(r),
    "a weak reference": lambda r: weak()(r),
    "an iterator": lambda r: r[next(users)],
    "a dispatched function": dispatched,
    "a partial method": lambda r: Partial().user(r),
    "a metaclass": Construct,
    "a missing key": lambda r: reader[r],
    "an operator": lambda r: reader + r,
}


@rows("form", FORMS)
def test_can_be_read_in_any_form(serving, form):
    app, read = App(), FORMS[form]
    app.provide(User, waits)
    app.provide(Request.user, waits)
    app.get("/def")(lambda request: str(read(request)))

    @app.get("/async")
    async def handler(request):
        return str(read(request))

    client = serving(app)
    assert [client.get(path).text for path in ("/def", "/async")] == ["ada on a loop"] * 2


@pytest.mark.once
def test_is_not_resolved_for_refused_requests_and_unknown_paths(interface):
    app, resolved = App(), []
    app.use(RateLimit("2/minute", MemoryStore()))
    app.use(Health())
    app.use(OpenAPI("Lamps"))
    app.use(Metrics())

    async def user(request):
        resolved.append(request.path)
        return "ada"

    app.provide(User, user)
    app.get("/read")(fetch)
    with Client(app, interface) as client:
        paths = ["/read", "/none", "/read", "/read", "/healthz", "/openapi.json", "/metrics"]
        statuses = [client.get(path).status for path in paths]
    assert statuses[:4] == [200, 404, 200, 429] or statuses[:4] == [200, 404, 429, 429]
    assert set(resolved) == {"/read"}
    assert len(resolved) == statuses.count(200) - sum(status == 200 for status in statuses[4:])


@pytest.mark.once
def test_the_error_for_one_that_code_hides_names_the_handler(caplog):
    app, hidden = App(), []

    async def user(request):
        return "ada"

    @app.get("/")
    async def hides(request):
        return request[json.loads('[{"key": 0}]', object_hook=lambda _: hidden[0])[0]]

    app.provide(User, user)
    app._freeze()
    hidden.append(User)
    assert Client(app).get("/").status == 500
    line = hides.__code__.co_firstlineno + 2
    assert re.search(
        rf"'user' is not resolved, but read at {re.escape(__file__)}:{line}:.*hides \(.*name the dependency",
        caplog.text,
    )


def test_one_in_a_list_that_is_filled_later_is_opened_where_a_thread_reads_it(serving, source):
    app, hidden, ended = App(), [], []
    gives = source(app)

    def tenant(request):
        yield f"tenant of {request[User]}"
        ended.append(request.path)

    app.provide(Tenant, tenant, blocking=True)

    def hide(request):
        return [request[each] for each in hidden]

    app.get("/")(hide)
    client = serving(app)
    assert (client.get("/").json, ended) == ([], [])
    hidden += [Tenant, User]
    assert client.get("/").json == [f"tenant of {gives}", gives]
    assert ended == ["/"]


def nobody(request):
    return "nobody"


replaced, table = nobody, {"read": nobody}


def by_global(request):
    return replaced(request)


def by_code(request):
    return "nobody"


def in_a_closure():
    read = nobody

    def handler(request):
        return read(request)

    def change(_):
        nonlocal read
        read = fetch

    return handler, change


CHANGES = {
    "a global": lambda: (by_global, lambda patch: patch.setattr(sys.modules[__name__], "replaced", fetch)),
    "a dict": lambda: (lambda request: table["read"](request), lambda patch: patch.setitem(table, "read", fetch)),
    "the code": lambda: (by_code, lambda patch: patch.setattr(by_code, "__code__", fetch.__code__)),
    "a variable of a closure": in_a_closure,
}


@rows("changed", CHANGES)
def test_what_is_replaced_after_the_start_is_opened_late_or_an_error(serving, changed, monkeypatch, caplog):
    handler, change = CHANGES[changed]()
    app = App()
    app.provide(User, waits)
    app.get("/def")(handler)

    @app.get("/async")
    async def handle(request):
        return handler(request)

    client = serving(app)
    assert [client.get(path).text for path in ("/def", "/async")] == ["nobody"] * 2
    change(monkeypatch)
    assert (client.get("/def").text, client.get("/async").status) == ("ada on a loop", 500)
    assert "'user' is not resolved" in caplog.text
