"""Live blocks: which changes cause a render, who shares it, and who gets nothing any more."""

import asyncio
from base64 import b64encode
from contextlib import ExitStack, suppress
from secrets import token_hex
from types import SimpleNamespace
from weakref import ref

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from antiphon import App, Dependency, Observer, Response, abort
from antiphon.embedding import RequestState, RouteKeys
from antiphon.features import (
    CORS,
    APIKey,
    Basic,
    Cache,
    Channel,
    Languages,
    Live,
    MemoryStore,
    Page,
    RateLimit,
    SessionLogin,
    Sessions,
    Users,
    live_reads,
    live_writes,
    login,
    login_required,
    logout,
)
from antiphon.features.live.feature import _Teller
from antiphon.features.live.renders import Changes
from antiphon.features.live.statements import tell_of_writes
from antiphon.testing import Client
from tests.features.live.conftest import EVENTS
from tests.features.live.orders import Customer, Note, Order
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.once


@pytest.fixture
def shown(app, engine):
    """Register a route that shows the orders, and return the list of its renders."""
    made = []

    def shown(handle=lambda request, names: names, *, is_async=False, **options):
        def load(request):
            made.append(request)
            with Session(engine) as session:
                return " ".join(session.scalars(select(Order.name).order_by(Order.id)))

        def orders(request):
            return Page("orders.html", shown=handle(request, load(request)))

        async def aorders(request):
            names = await asyncio.to_thread(load, request)
            return Page("orders.html", shown=handle(request, names))

        app.get("/orders", **{"live": "orders", **options})(aorders if is_async else orders)
        return made

    return shown


@pytest.mark.parametrize("is_async", [False, True], ids=["def", "async def"])
@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
def test_a_block_is_sent_again_when_a_table_that_it_reads_was_written(
    app, shown, clients, watch, write, interface, is_async
):
    made = shown(is_async=is_async)
    client = clients(interface)
    assert client.get("/orders").text == "<h1>Orders</h1><ul></ul>"
    assert "accept" in client.get("/orders").headers["vary"]
    stream = watch(client)
    assert (stream.response.content_type, stream.next()["event"]) == ("text/event-stream", "orders")
    write(Note())
    write(Order(name="Tea"))
    assert stream.data() == "Tea"
    write(Order(name="<b>Milk\n</b>"), Note())
    assert stream.data() == "Tea &lt;b&gt;Milk\n&lt;/b&gt;"
    assert len(made) == 5
    assert app.routes[0].meta[RouteKeys.live] == "orders"


@rows("written, since, expected", [("ab", 1, False), ("aba", 2, True), ("abab", 3, False), ("abab", 2, True)])
def test_a_change_is_found_whenever_its_table_was_first_written(written, since, expected):
    changes = Changes()
    for name in written:
        changes.add([name])
    assert changes.since(since, {"a"}) is expected


def test_a_thousand_watchers_of_a_public_block_cost_one_render_of_each_change(shown, clients, watch, write):
    made = shown()
    client = clients()
    streams = [watch(client) for _ in range(1000)]
    assert {stream.data() for stream in streams} == {""}
    write(Order(name="Tea"))
    assert {stream.data() for stream in streams} == {"Tea"}
    assert len(made) == 2


def test_watchers_share_the_renders_of_their_language(app, shown, clients, watch, write, tmp_path):
    (tmp_path / "de.json").write_text('{"Hello": "Hallo"}')
    app.use(Languages(tmp_path))
    made = shown(lambda request, names: f"{request.language.gettext('Hello')} {names}")
    client = clients()
    streams = [watch(client, accept_language=each) for each in ("de", "de-AT, de", "en", "en;q=.5", "de")]
    assert [stream.data() for stream in streams] == ["Hallo ", "Hallo ", "Hello ", "Hello ", "Hallo "]
    write(Order(name="Tea"))
    assert [stream.data() for stream in streams] == ["Hallo Tea", "Hallo Tea", "Hello Tea", "Hello Tea", "Hallo Tea"]
    assert len(made) == 4


# Callers


@pytest.fixture
def people(app, engine, shown, write):
    """People who log in, each of whom sees an own block; return the renders."""
    write(Customer(id=1, name="ann"), Customer(id=2, name="ben"))

    def load(key):
        with Session(engine) as session:
            return session.get(Customer, int(key))

    app.use(Sessions())
    app.use(Users(SessionLogin(load)))

    @app.post("/login/<int:number>")
    def log_in(request, number):
        login(request, load(number))
        return "ok"

    @app.post("/logout")
    def log_out(request):
        logout(request, everywhere="everywhere" in request.args)
        return "ok"

    return shown(lambda request, names: f"{request.user.name}: {names}", before=login_required)


def test_each_caller_sees_an_own_block_and_two_tabs_share_it(people, app, clients, watch, write):
    ann, ben = clients(), clients()
    ann.post("/login/1")
    ben.post("/login/2")
    streams = [watch(ann), watch(ben), watch(ann)]
    assert [stream.data() for stream in streams] == ["ann: ", "ben: ", "ann: "]
    assert len(people) == 3  # each new stream checks the login
    write(Order(name="Tea"))
    assert [stream.data() for stream in streams] == ["ann: Tea", "ben: Tea", "ann: Tea"]
    assert len(people) == 5


@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
@pytest.mark.parametrize("where", ["here", "everywhere"])
def test_a_logout_ends_the_streams_of_its_sessions_at_once(people, clients, watch, write, interface, where):
    ann, elsewhere, ben = (clients(interface) for _ in range(3))
    for client, number in ((ann, 1), (elsewhere, 1), (ben, 2)):
        client.post(f"/login/{number}")
    streams = [watch(ann), watch(ann), watch(elsewhere), watch(ben)]
    assert [stream.data() for stream in streams] == ["ann: ", "ann: ", "ann: ", "ben: "]
    ann.post(f"/logout?{where}")
    ended = streams[:2] if where == "here" else streams[:3]
    assert [stream.data() for stream in ended] == [None] * len(ended)
    write(Order(name="Tea"))
    assert [stream.data() for stream in streams[len(ended) :]] == ["ann: Tea", "ben: Tea"][len(ended) - 2 :]
    assert ann.get("/orders", headers=EVENTS).status == 401


def test_a_row_that_gives_a_right_ends_the_stream_when_it_is_deleted(people, engine, clients, watch):
    ann = clients()
    ann.post("/login/1")
    stream = watch(ann)
    assert stream.data() == "ann: "
    with Session(engine) as session, session.begin():
        session.delete(session.get(Customer, 1))
    assert stream.data() is None


@pytest.mark.axes("interface")
@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
@pytest.mark.parametrize("by", ["a session", "a key that expires", "a password"])
def test_a_right_that_was_taken_away_ends_the_stream_with_the_first_change(
    app, shown, clients, watch, write, interface, by
):
    keys, managers = APIKey(lambda owner: SimpleNamespace(id=owner)), {"ann", "ben"}
    app.use(Sessions(MemoryStore()))
    find = lambda name, *_: SimpleNamespace(id=name)  # noqa: E731
    app.use(Users(SessionLogin(find), keys, Basic(find)))
    app.post("/login/<name>")(lambda request, name: login(request, find(name)) or "")
    shown(lambda request, names: names, before=lambda request: None if request.user.id in managers else abort(403))

    def open_stream(name):
        client, headers = clients(interface), {}
        if by == "a session":
            client.post(f"/login/{name}")
        elif by == "a password":
            headers = {"authorization": f"Basic {b64encode(f'{name}:x'.encode()).decode()}"}
        else:
            headers = {"x_api_key": keys.create(name, ttl=3600)}
        return watch(client, **headers)

    ann, ben = open_stream("ann"), open_stream("ben")
    assert [ann.data(), ben.data()] == ["", ""]
    managers.remove("ann")
    write(Order(name="Tea"))
    assert [ann.data(), ben.data()] == [None, "Tea"]


def test_who_may_not_see_a_block_can_not_watch_it(people, clients, watch, write):
    ann, stranger = clients(), clients()
    ann.post("/login/1")
    assert watch(ann).data() == "ann: "
    for headers in (
        EVENTS,
        EVENTS | {"last-event-id": "e3b0c44298fc1c149afbf4c8"},
        EVENTS | {"x-block": "orders"},
        EVENTS | {"cookie": "host-session=x"},
    ):
        refused = stranger.get("/orders", headers=headers)
        assert (refused.status, "ann" in refused.text) == (401, False)
    assert watch(ann).data() == "ann: "


def test_a_limit_of_one_watcher_is_not_that_of_others(shown, clients, watch, write):
    shown(before=RateLimit("1/day", by=lambda request: request.headers.get("x-who") or token_hex()))
    client = clients()
    streams = [watch(client, x_who="ann"), *(watch(client) for _ in range(20))]
    assert {stream.data() for stream in streams} == {""}
    for shown_then in ("Tea", "Tea Milk"):
        write(Order(name=shown_then.split()[-1]))
        assert {stream.data() for stream in streams[1:]} == {shown_then}


class Seen(Observer):
    """An observer, as are the access log, metrics, the recorder and traces."""

    def __init__(self):
        self.began = 0

    def begin(self, exchange):
        self.began += 1


def test_no_render_counts_as_a_request_of_the_watcher(app, shown, clients, watch, write):
    app.use(RateLimit("4/day"))
    made = shown(before=RateLimit("4/hour", by=lambda request: request.headers.get("x-who")))
    seen = Seen()
    app.observe(seen)
    client = clients()
    stream = watch(client, x_who="ann")
    assert stream.data() == ""
    for number in range(5):
        write(Order(name=str(number)))
        assert stream.data().endswith(str(number))
    page = client.get("/orders", headers={"x-who": "ann"})
    assert [value.partition(";")[2][:3] for value in page.headers.getall("ratelimit")] == ["r=2", "r=2"]
    assert (len(made), seen.began) == (7, 2)


def test_each_render_is_a_request_of_its_own_to_hooks(shown, clients, watch, write):
    around = []
    shown(before=lambda request: around.append(RequestState(request).around))
    stream = watch(clients())
    assert stream.data() == ""
    write(Order(name="Tea"))
    assert stream.data() == "Tea"
    assert around == [None, None]


# Requests and responses


KNOWN = "e3b0c44298fc1c149afbf4c8"
"""The id of an empty block."""
HOSTILE = [KNOWN.upper(), "0", "x" * 10_000, "1764000000000-1", "'; drop table orders; --", "%0d%0adata: x", "\xff\x80"]


def test_a_watcher_who_comes_back_gets_the_block_unless_it_has_it(shown, clients, watch, write):
    shown()
    client = clients()
    streams = [watch(client, last_event_id=each) for each in HOSTILE]
    assert {stream.next()["id"] for stream in streams} == {KNOWN}
    streams.append(watch(client, last_event_id=KNOWN))
    write(Order(name="Tea"))
    assert {stream.data() for stream in streams} == {"Tea"}


def test_a_stream_goes_on_after_a_failure(shown, clients, watch, write):
    shown(lambda request, names: names if names != "Tea" else abort(503))
    stream = watch(clients(raise_errors=False))
    assert stream.data() == ""
    write(Order(name="Tea"))
    write(Order(name="Milk"))
    assert stream.data() == "Tea Milk"


@pytest.mark.parametrize("raised", [GeneratorExit, SystemExit])
def test_a_render_that_ends_in_an_unusual_way_is_not_that_of_later_watchers(app, clients, watch, raised):
    fails = [True]

    @app.get("/orders", live="orders")
    async def orders(request):
        live_reads("orders")
        if fails:
            raise raised
        return Page("orders.html", shown="Tea")

    client = clients(raise_errors=False)
    with suppress(GeneratorExit):
        client.get("/orders", headers=EVENTS)
    fails.clear()
    assert watch(client).data() == "Tea"


def test_tables_with_long_names_are_told_in_messages_that_fit(shown, clients, watch):
    shown(lambda request, names: live_reads("stock") or str(len(made)))
    made = []
    stream = watch(clients())
    assert stream.data() == "0"
    made.append(1)
    live_writes(*[f"{'漢' * 196}{number:03}" for number in range(300)], "stock")
    assert stream.data() == "1"


def test_a_message_that_can_not_be_sent_is_logged_and_the_next_one_is_sent(caplog):
    teller = _Teller()
    teller.channel = channel = Channel("changes", MemoryStore(), max_message_size=20)
    teller(frozenset(["customers of the choir"]))
    eventually(lambda: "can't be told: customers of the choir" in caplog.text or None, "nothing was logged")

    async def hear():
        async with channel.listen() as messages:
            teller(frozenset(["orders"]))
            return (await anext(messages)).value

    assert asyncio.run(asyncio.wait_for(hear(), DEADLINE)) == ["orders"]


def test_an_app_that_is_gone_is_told_of_no_write():
    teller = _Teller()
    gone = ref(teller)
    tell_of_writes(teller)
    del teller
    assert gone() is None


def test_a_page_that_is_cached_is_rendered_again(app, shown, clients, watch, write):
    app.use(Cache())
    shown()

    @app.after_request
    def cached(request, response):
        response.cache_for(60, public=True)

    client = clients()
    client.get("/orders", headers={"x-block": "orders"})
    stream = watch(client)
    assert stream.data() == ""
    write(Order(name="Tea"))
    assert stream.data() == "Tea"


def test_no_connection_is_kept_while_a_client_watches(app, engine, clients, watch, write):
    session = Dependency[Session]("session")
    opened = []

    def connect(request):
        with Session(engine) as each:
            opened.append(each)
            yield each
        opened.remove(each)

    app.provide(session, connect)

    @app.before_request
    def counts(request):
        assert request[session].scalar(select(func.count(Note.id))) is not None

    @app.get("/orders", live="orders")
    def orders(request):
        return Page("orders.html", shown=str(request[session].scalar(select(func.count(Order.id)))))

    stream = watch(clients())
    assert (stream.data(), opened) == ("0", [])
    write(Order(name="Tea"))
    assert (stream.data(), opened) == ("1", [])


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://shop.example", True), ("https://x.example", False), ("null", False)]
)
def test_a_page_of_another_origin_may_watch_if_cors_allows_it(app, shown, clients, watch, write, origin, allowed):
    app.use(CORS(["https://shop.example", "https://choir.example"], credentials=True))
    made = shown()
    client = clients()
    first, stream = watch(client, origin="https://choir.example"), watch(client, origin=origin)
    assert stream.response.headers.get("access-control-allow-origin") == (origin if allowed else None)
    assert stream.response.headers.get("access-control-allow-credentials") == ("true" if allowed else None)
    assert "origin" in stream.response.headers["vary"]
    again = watch(client, origin=origin)
    assert again.response.headers.get("access-control-allow-origin") == (origin if allowed else None)
    assert [each.data() for each in (first, stream, again)] == ["", "", ""]
    write(Order(name="Tea"))
    assert [each.data() for each in (first, stream, again)] == ["Tea", "Tea", "Tea"]
    assert len(made) == 4  # one for each origin, before and after


def test_a_right_that_an_outer_app_checks_is_checked_again(app, shown, watch, write):
    shown()
    outer, allowed = App(), [True]
    outer.mount("/shop", app)

    @outer.before_request
    def check(request):
        if not allowed:
            abort(403)

    with Client(outer, timeout=30.0) as client:
        stream = watch(client, "/shop/orders")
        assert stream.data() == ""
        allowed.clear()
        write(Order(name="Tea"))
        assert stream.data() is None


def test_a_block_that_reads_no_table_is_told_of(app, clients, watch, caplog):
    @app.get("/number", live="orders")
    def show(request):
        return Page("orders.html", shown="0")

    for _ in range(2):
        assert watch(clients(), "/number").data() == "0"
    assert caplog.text.count("the live block 'orders' of") == 1
    assert "show" in caplog.text
    assert "live_reads" in caplog.text


def test_reads_and_writes_can_be_told_by_hand(app, clients, watch, caplog):
    number = [0]

    @app.get("/number", live="orders")
    def show(request):
        live_reads("the number")
        return Page("orders.html", shown=str(number[0]))

    stream = watch(clients(), "/number")
    assert stream.data() == "0"
    assert "reads no table" not in caplog.text
    number[0] = 1
    live_writes("another thing")
    live_writes("The Number")
    assert stream.data() == "1"


@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
def test_one_watcher_too_many_is_told_to_come_back(interface):
    app = App()
    app.use(Live(max_watchers=1))
    app.get("/", live="main")(lambda request: Response("x", headers={"x-block": "main"}))
    with Client(app, interface, timeout=30.0) as client:
        with client.stream("GET", "/", headers=EVENTS) as stream:
            assert b"data: x" in next(stream)
            refused = client.get("/", headers=EVENTS)
            assert (refused.status, refused.headers["retry-after"]) == (503, "5")

        def is_there_room():
            with client.stream("GET", "/", headers=EVENTS) as stream:
                return stream.status == 200

        eventually(is_there_room, "the first watcher has not left")


@rows("login", [True, False])
def test_one_client_has_a_share_of_the_streams(login, caplog):
    app = App()
    app.use(Live(max_watchers=40))
    app.use(Users(Basic(lambda name, password: name)))
    before = [login_required] if login else []
    app.get("/", live="main", before=before)(lambda request: Response("x", headers={"x-block": "main"}))
    with ExitStack() as opened:
        clients = [opened.enter_context(Client(app, client=(f"192.0.2.{number}", 50000))) for number in (1, 2)]

        def open_stream(client, name, number):
            proof = f"Basic {b64encode(f'{name}:x'.encode()).decode()}" if login else f"Bearer {number}"
            headers = EVENTS | {"authorization": proof}
            return opened.enter_context(client.stream("GET", f"/?n={number}", headers=headers)).status

        ends = [open_stream(clients[0], "ada", number) for number in range(22)]
        assert ends == [200] * 20 + [429] * 2
        assert open_stream(clients[1], "ada", 23) == (429 if login else 200)
        assert open_stream(clients[0], "bob", 24) == (200 if login else 429)
    (warning,) = [each.getMessage() for each in caplog.records if "live streams" in each.getMessage()]
    assert ("proxy" in warning) is not login


def test_who_shares_the_render_of_another_client_is_not_counted_as_that_client():
    app = App()
    app.use(Live(max_watchers=40))
    app.get("/", live="main")(lambda request: Response("x", headers={"x-block": "main"}))
    with ExitStack() as opened:
        clients = [opened.enter_context(Client(app, client=(f"192.0.2.{number}", 50000))) for number in (1, 2)]
        each = [clients[0]] * 21 + [clients[1]] * 19
        ends = [opened.enter_context(client.stream("GET", "/", headers=EVENTS)).status for client in each]
        assert ends == [200] * 20 + [429] + [200] * 19


@rows("what", [lambda request: "text", lambda request: Response("x", headers={"x-block": "other"})])
def test_a_response_without_the_block_is_an_error_that_says_what_to_return(what, caplog):
    app = App()
    app.use(Live())
    app.get("/", live="main")(what)
    with Client(app, raise_errors=False) as client:
        assert client.get("/", headers=EVENTS).status == 500
    assert "is live, but it didn't return its block 'main': return Page(" in caplog.text


def test_a_live_route_needs_the_feature_and_get():
    app = App()
    app.get("/", live="main")(lambda request: "")
    with pytest.raises(RuntimeError, match=r"has live='[a-z]+', which needs app.use\(Live\(\)\)"):
        Client(app).get("/")
    app = App()
    app.use(Live())
    app.post("/", live="main")(lambda request: "")
    with pytest.raises(ValueError, match="is live, so it must be a route for GET: '/'"):
        Client(app).get("/")
    with pytest.raises(ValueError, match="max_watchers must be a number above 0, not 0"):
        Live(max_watchers=0)


@pytest.mark.parametrize("by", ["a session", "an API key that is deleted", "an API key that expires"])
def test_a_stream_ends_with_the_credentials_that_opened_it(app, shown, clients, watch, write, by):
    keys = APIKey(lambda owner: SimpleNamespace(id=owner))
    app.use(Sessions(MemoryStore(), idle=3))
    app.use(Users(SessionLogin(lambda key: SimpleNamespace(id=key)), keys))
    app.post("/login")(lambda request: login(request, SimpleNamespace(id="ann")) or "")
    shown(lambda request, names: f"{request.user.id}: {names}", before=login_required)
    ann, other = clients(), watch(clients(), x_api_key=keys.create("ann"))
    if by == "a session":
        ann.post("/login")
    key = keys.create("ann", ttl=3) if by == "an API key that expires" else keys.create("ann")
    stream = watch(ann, **({} if by == "a session" else {"x_api_key": key}))
    assert [stream.data(), other.data()] == ["ann: ", "ann: "]
    if by == "an API key that is deleted":
        keys.delete_owned("ann", only=keys.owned_by("ann")[-1].id)
    assert stream.data() is None
    write(Order(name="Tea"))
    assert other.data() == "ann: Tea"
