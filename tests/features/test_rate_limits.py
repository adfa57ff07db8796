"""Limits of rates: who is counted, how many pass, and what clients are told."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App, Blueprint, Limits, Request, TrustedProxies, view
from antiphon.features import MemoryStore, RateLimit, SQLiteStore, StoreUnavailable
from antiphon.features.stores import memory
from antiphon.http import Item, TooManyRequests, parse_structured_list
from antiphon.testing import Client
from tests.features.conftest import Clock
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style", "kind")]


@pytest.fixture(params=["memory", "sqlite"])
def kind(request):
    return request.param


@pytest.fixture
def handler(style):
    return in_style(style, lambda request: "answered")


@pytest.fixture
def visiting(interface, open_client):
    """Visit an app from an address, and return the responses."""

    def visit(app, path="/", ip="192.0.2.1", **options):
        return open_client(app, interface, client=ip and (ip, 50000)).get(path, **options)

    return visit


def limited(handler, *limits):
    app = App()
    for limit in limits:
        app.use(limit)
    app.get("/")(handler)
    return app


class TestARate:
    @rows(
        "rate, policy",
            ("10/minute", "q=10;w=60"), ("5/second", "q=5;w=1"), ("1000/day", "q=1000;w=86400"),
            ("3/hours", "q=3;w=3600"), ("10 per minute", "q=10;w=60"), ("10 per 30 seconds", "q=10;w=30"),
            ("2/15 minutes", "q=2;w=900"),
    )  # fmt: skip
    def test_says_how_many_in_which_time(self, visiting, rate, policy):
        response = visiting(limited(lambda request: "", RateLimit(rate)))
        assert response.headers["ratelimit-policy"] == f'"{rate}";{policy}'

    @rows(
        "rate",
        ["", "10", "0/minute", "-1/minute", "10/month", "ten/minute", "1.5/second", "10/0 seconds", 10, "10/minute "],
    )
    def test_of_another_form_is_an_error_that_shows_the_form(self, rate):
        with pytest.raises(
            ValueError, match='a rate must be text like "10/minute", "1000/day" or "10 per 30 seconds", not'
        ):
            RateLimit(rate)


class TestRequests:
    def test_above_the_rate_are_refused_until_there_is_room(self, store, handler, visiting, clock):
        app = limited(handler, RateLimit("3/minute", store))
        assert [visiting(app).status for _ in range(5)] == [200, 200, 200, 429, 429]
        clock.now += 60
        assert visiting(app).status == 429  # three of the last 60 seconds
        clock.now += 20
        assert [visiting(app).status for _ in range(2)] == [200, 429]
        clock.now += 100
        assert [visiting(app).status for _ in range(4)] == [200, 200, 200, 429]

    @rows("limit, most", [(1, 1), (2, 3), (6, 11)])
    def test_pass_fewer_than_twice_as_often_in_any_window(self, limit, most):
        """The most pass if a caller uses up the rate at the end of a window, and then tries all the time."""
        clock, passed = Clock(), []
        check = RateLimit(f"{limit}/minute", MemoryStore(clock=clock), by=lambda request: "somebody")
        begin = clock.now + 59.5
        for step in range(1000):
            clock.now = begin + step / 8
            for _ in range(limit if step == 0 else 1):
                with suppress(TooManyRequests):
                    check(Request.blank())
                    passed.append(clock.now)
        assert max(sum(first <= each < first + 60 for each in passed) for first in passed) == most

    def test_at_once_pass_as_often_as_they_may(self, store, clock):
        check = RateLimit("10/minute", store, by=lambda request: "somebody")

        def passes(_):
            try:
                check(Request.blank())
            except TooManyRequests:
                return False
            return True

        with ThreadPoolExecutor(50) as threads:
            assert sum(threads.map(passes, range(200))) == 10

    @given(
        limit=st.integers(1, 5),
        pauses=st.lists(st.sampled_from([0.0, 0.25, 1.0, 7.5, 20.0, 59.0]), min_size=10, max_size=30),
    )
    def test_pass_as_soon_as_they_are_told(self, limit, pauses):
        clock = Clock()
        check = RateLimit(f"{limit}/minute", MemoryStore(clock=clock), by=lambda request: "somebody")
        passed = []

        def seconds_to_wait():
            try:
                check(Request.blank())
            except TooManyRequests as error:
                return int(error.headers["retry-after"])
            passed.append(clock.now)
            return 0

        for pause in pauses:
            clock.now += pause
            if wait := seconds_to_wait():
                clock.now += wait - 1.0
                early = seconds_to_wait()
                assert early <= 1
                clock.now += early
                assert early == 0 or seconds_to_wait() == 0
        windows = [now // 60 for now in passed]
        assert max(map(windows.count, windows), default=0) <= limit + (limit == 1)


class TestACaller:
    @rows(
        "one, other, is_same",
            ("192.0.2.1", "192.0.2.2", False), ("2001:db8:1:2::1", "2001:db8:1:2:ffff::", True),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", False), ("::ffff:192.0.2.1", "192.0.2.1", True),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False), ("::1", "::2", True),
    )  # fmt: skip
    def test_is_an_address_or_the_network_of_one_customer(self, handler, visiting, one, other, is_same):
        app = limited(handler, RateLimit("1/minute"))
        assert visiting(app, ip=one).status == 200
        assert visiting(app, ip=other).status == (429 if is_same else 200)

    def test_without_an_address_is_one_with_all_others_and_the_log_says_so(self, handler, visiting, caplog):
        app = limited(handler, RateLimit("2/minute"))
        assert [visiting(app, ip=None).status for _ in range(3)] == [200, 200, 429]
        assert visiting(app, ip="192.0.2.1").status == 200
        assert caplog.text.count("counts all callers with an unknown address as one: use by=...") == 1

    def test_that_a_proxy_does_not_know_is_one_with_those(self, handler):
        app = App(trusted_proxies=TrustedProxies(["127.0.0.1"], headers=["forwarded"]))
        app.use(RateLimit("2/minute"))
        app.get("/")(handler)
        client = Client(app)
        hidden = ["for=unknown", "for=_a", "for=nonsense=", "for=192.0.2.1"]
        assert [client.get("/", headers={"forwarded": each}).status for each in hidden] == [200, 200, 429, 200]

    def test_is_who_the_app_says(self, store, handler, visiting, clock):
        by = lambda request: request.headers.get("x-key")  # noqa: E731
        app = limited(handler, RateLimit("1/minute", store, by=by))
        sent = [{"x-key": "a"}, {"x-key": "b"}, {"x-key": "a"}, {}, {}]
        assert [visiting(app, headers=headers).status for headers in sent] == [200, 200, 429, 200, 200]


class TestAnAnswer:
    def test_tells_what_is_left(self, store, handler, visiting, clock):
        app = limited(handler, RateLimit("3/minute", store, name="all"))
        told = []
        for _ in range(4):
            response = visiting(app)
            [policy], [limit] = (
                parse_structured_list(response.headers[name]) for name in ("ratelimit-policy", "ratelimit")
            )
            assert policy == Item("all", {"q": 3, "w": 60})
            told.append((response.status, str(limit)))
            clock.now += 1
        assert told == [
            (200, '"all";r=2;t=60'), (200, '"all";r=1;t=59'), (200, '"all";r=0;t=58'), (429, '"all";r=0;t=77'),
        ]  # fmt: skip

    def test_to_one_too_many_is_a_problem_that_says_when_to_come_back(self, store, handler, visiting, clock):
        app = limited(handler, RateLimit("1/minute", store, name="all"))
        visiting(app)
        response = visiting(app)
        assert (response.status, response.headers["retry-after"]) == (429, "60")
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json == {
            "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
            "title": "Request cannot be satisfied as assigned quota has been exceeded",
            "status": 429,
            "detail": "At most 1 in 60 seconds. Try again in 60 seconds.",
            "violated-policies": ["all"],
            "request_id": response.headers["x-request-id"],
        }

    def test_comes_before_a_large_body_is_received(self, store, clock, interface, style):
        received = []

        def take(request):
            received.append(len(request.body))
            return "taken"

        app = App()
        app.use(RateLimit("1/minute", store))
        app.post("/")(in_style(style, take))
        with closing(Client(app, interface, timeout=10.0)) as client:
            assert [client.post("/", body=b"a" * 100_000).status for _ in range(2)] == [200, 429]
        assert received == [100_000]


class TestSeveralLimits:
    def test_hold_together_and_each_is_told(self, store, handler, visiting, clock):
        limits = [RateLimit("2/second", store), RateLimit("3/minute", store)]
        app = limited(handler, *limits)
        assert [visiting(app).status for _ in range(3)] == [200, 200, 429]
        clock.now += 2
        response = visiting(app)
        assert response.status == 200
        assert {item.value for item in parse_structured_list(response.headers["ratelimit"])} == {"2/second", "3/minute"}
        assert visiting(app).status == 429


class TestApplicationsThatShareALimit:
    """A blueprint of a module has one limit, for as many applications as a function makes."""

    def apps(self, handler, limit):
        pages = Blueprint("pages")
        pages.get("/", before=limit)(handler)
        made = [App(), App()]
        for app in made:
            app.register(pages)
        return made

    def test_each_counts_for_itself(self, handler, visiting):
        first, second = self.apps(handler, RateLimit("2/minute"))
        assert [visiting(app).status for app in (first, first, first, second, second, second)] == [200, 200, 429] * 2

    def test_they_count_together_in_a_store(self, handler, visiting):
        first, second = self.apps(handler, RateLimit("2/minute", MemoryStore()))
        assert [visiting(app).status for app in (first, second, first, second)] == [200, 200, 429, 429]

    def test_an_application_that_is_gone_leaves_no_counts(self, handler):
        limit = RateLimit("1/minute")
        made = self.apps(handler, limit)
        with Client(made[0]) as client:
            assert client.get("/").status == 200
        kept = limit._by_app
        assert len(kept) == 1
        del made, client
        gc.collect()
        assert len(kept) == 0

    def test_threads_that_come_first_count_together(self, handler, visiting):
        app, _ = self.apps(handler, RateLimit("4/minute"))
        with ThreadPoolExecutor(8) as pool:
            statuses = [*pool.map(lambda _: visiting(app).status, range(12))]
        assert statuses.count(200) == 4


class TestAStoreThatIsAway:
    @pytest.fixture(params=[0.0, 2.0], ids=["fails at once", "fails after a wait"])
    def away(self, clock, monotonic, request):
        class Away(MemoryStore):
            asked = 0
            is_away = True

            def increment(self, *args, **options):
                self.asked += 1
                if self.is_away:
                    clock.now += request.param
                    monotonic.now += request.param
                    raise StoreUnavailable("Please try again in a moment.", retry_after=2)
                return super().increment(*args, **options)

        return Away(clock=clock)

    def test_limits_nobody_and_is_logged_once_a_minute(self, away, handler, visiting, clock, monotonic, caplog):
        app = limited(handler, RateLimit("2/minute", away, name="all"))
        for logged in 1, 1, 2:
            assert [visiting(app).status for _ in range(3)] == [200] * 3
            assert caplog.text.count("the rate limit all limits nobody, because its store is unavailable") == logged
            monotonic.now += 30
        assert away.asked == 3  # and not with each request
        away.is_away = False
        assert [visiting(app).status for _ in range(3)] == [200, 200, 429]

    def test_may_refuse(self, away, handler, visiting, clock, monotonic):
        app = limited(handler, RateLimit("2/minute", away, when_unavailable="refuse"))
        for _ in range(3):
            response = visiting(app)
            assert (response.status, response.headers["retry-after"]) == (503, "2")
        assert away.asked == 1
        away.is_away = False
        monotonic.now += 1
        assert visiting(app).status == 200

    def test_is_asked_again_though_the_clock_was_set_back(self, away, handler, visiting, clock, monotonic):
        app = limited(handler, RateLimit("5/minute", away))
        visiting(app)
        clock.now -= 3600
        monotonic.now += 1
        away.is_away = False
        assert [visiting(app).status for _ in range(100)].count(200) == 5


class TestAClockThatIsSet:
    @pytest.mark.parametrize("by", [-3600, 3600])
    def test_lets_one_more_rate_pass_at_most(self, store, handler, visiting, clock, by):
        app = limited(handler, RateLimit("5/minute", store))
        assert [visiting(app).status for _ in range(10)].count(200) == 5
        clock.now += by
        assert [visiting(app).status for _ in range(10)].count(200) == 5

    def test_that_goes_on_while_requests_are_counted_lets_no_more_pass(self, store, handler, visiting, clock):
        clock.runs = 0.25
        app = limited(handler, RateLimit("5/minute", store))
        assert [visiting(app).status for _ in range(10)].count(200) == 5

    def test_keeps_nobody_waiting_for_longer_than_the_time_of_the_rate(self, store, handler, visiting, clock):
        app = limited(handler, RateLimit("1/minute", store))
        assert visiting(app).status == 200
        clock.now -= 3600
        assert [visiting(app).status for _ in range(2)] == [200, 429]
        clock.now += 60
        assert visiting(app).status == 200

    def test_is_not_the_one_of_a_limit_without_a_store(self, handler, visiting, monotonic):
        app = limited(handler, RateLimit("5/minute"))
        for _ in range(2):
            assert [visiting(app).status for _ in range(10)].count(200) == 5
            monotonic.now += 120


class OnThreads(SQLiteStore):
    def increment(self, *args, **options):
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return super().increment(*args, **options)


def test_memory_is_bounded_however_many_callers_there_are(monkeypatch):
    monkeypatch.setattr(memory, "MOST_COUNTERS", 100)
    store = MemoryStore()
    for number in range(1000):
        store.increment(f"caller {number}", ttl=1000)
        store.increment("a caller that comes often", ttl=1000)
    assert len(store._counters) == 100
    assert store.increment("caller 999", ttl=1000).value == 2


FORM = {"content-type": "application/x-www-form-urlencoded"}


def by_name(request):
    return request.form["name"]


@rows("registered", ["for the app", "for the route"])
@rows(
    "chunks, status",
    pytest.param([b"name=lute"], 200, id="small"),
    pytest.param([b"name=", b"lute"], 200, id="in two chunks"),
    pytest.param([b"name=", b"l" * 100_000], 200, id="large, in chunks"),
    pytest.param([b"name=" + b"l" * 300_000], 413, id="too large"),
    pytest.param([b"name=" + b"l" * 100_000] * 3, 413, id="too large, in chunks"),
)
@rows("framed", ["by its length", "in chunks"])
def test_a_limit_by_a_form_waits_for_the_form(interface, style, registered, chunks, status, framed):
    limit = RateLimit("1/minute", by=by_name)
    app = App(limits=Limits(body=200_000))
    if registered == "for the app":
        app.use(limit)

    def name(request):
        return request.form["name"][:4]

    before = limit if registered == "for the route" else ()
    app.post("/", before=before)(in_style(style, name))
    with Client(app, interface) as client:
        answers = [
            client.post("/", headers=FORM, body=b"".join(chunks) if framed == "by its length" else iter(chunks))
            for _ in range(2)
        ]
    assert [answer.status for answer in answers] == [status, 429 if status == 200 else status]
    assert status != 200 or answers[0].text == ("lute" if b"u" in b"".join(chunks) else "llll")


@rows("by", [None, lambda request: "caller"])
def test_a_request_to_a_websocket_that_is_not_a_handshake_counts_too(interface, by):
    app = App()
    app.use(RateLimit("2/minute", by=by))
    app.websocket("/")(lambda request, socket: None)
    client = Client(app, interface)
    assert [client.get("/").status for _ in range(3)] == [426, 426, 429]


def test_a_hook_that_reads_a_body_before_it_has_arrived_is_told_what_to_change(caplog):
    app = App()
    app.before_request(lambda request: request.body and None)

    @app.post("/")
    async def index(request):
        return "never"

    with Client(app, "asgi") as client:
        assert client.post("/", body=iter([b"a", b"b"])).status == 500
    told = str(caplog.records[0].exc_info[1])
    assert "a hook or middleware of " in told
    assert "`await request.aload()` first, in an `async def`" in told


def test_a_view_limited_by_a_form_waits_for_it():
    from starlette.applications import Starlette
    from starlette.routing import Route

    @view(before=RateLimit("1/minute", by=by_name))
    async def index(request):
        return request.form["name"]

    app = Starlette(routes=[Route("/", index, methods=["POST"])])
    with Client(app, "asgi") as client:
        answers = [client.post("/", headers=FORM, body=iter([b"name=", b"lute"])) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]


class TestLimitsAroundOthers:
    """A request that goes through limits of one name, in applications and a mounted one, counts once."""

    @rows(
        "names, statuses",
            (("api", "api"), [200] * 3 + [429] * 2), ((None, None), [200] * 3 + [429] * 2),
            (("api", "other"), [200] * 3 + [429] * 2),
    )  # fmt: skip
    def test_in_an_app_and_a_mount(self, store, handler, visiting, names, statuses):
        outer, inner = (limited(handler, RateLimit("3/minute", store, name=name)) for name in names)
        outer.mount("/inner", inner)
        assert [visiting(outer, "/inner/").status for _ in statuses] == statuses

    def test_of_one_object(self, store, handler, visiting):
        limit = RateLimit("3/minute", store)
        outer, inner = limited(handler, limit), limited(handler, limit)
        outer.mount("/inner", inner)
        inner.get("/again", before=limit)(handler)
        assert [visiting(outer, path).status for path in ["/inner/", "/inner/again", "/", "/"]] == [200, 200, 200, 429]

    def test_with_a_lower_limit_inside(self, store, handler, visiting):
        outer, inner = (limited(handler, RateLimit(rate, store, name="api")) for rate in ("4/minute", "2/minute"))
        outer.mount("/inner", inner)
        paths = ["/inner/", "/inner/", "/inner/", "/", "/", "/"]
        assert [visiting(outer, path).status for path in paths] == [200, 200, 429, 200, 429, 429]

    def test_is_taken_back_once(self, store, visiting, interface):
        limits = [RateLimit("2/minute", store, name="api") for _ in range(2)]
        outer, inner = limited(lambda request: "", limits[0]), App()
        inner.use(limits[1])
        inner.get("/")(lambda request: [limit.uncount(request) for limit in limits] and "")
        outer.mount("/inner", inner)
        paths = ["/", "/inner/", "/inner/", "/inner/", "/", "/"]
        assert [visiting(outer, path).status for path in paths] == [200, 200, 200, 200, 200, 429]
