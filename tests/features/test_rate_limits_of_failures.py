"""Limits that count only failures: ``uncount`` takes back what a limit has counted for a request."""

from contextlib import closing

import pytest

from antiphon import App, Request
from antiphon.features import MemoryStore, RateLimit, SQLiteStore, StoreUnavailable
from antiphon.http import TooManyRequests
from antiphon.testing import Client
from tests.features.test_rate_limits import OnThreads
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style", "kind")]


@pytest.fixture(params=["memory", "sqlite"])
def kind(request):
    return request.param


def logins(style, limit, app=None, pause=lambda: None, times=1):
    """An application whose route takes back a login with the right password, ``times`` times."""
    app = App() if app is None else app

    def log_in(request):
        is_right = request.form["password"] == "right"
        pause()
        for _ in range(times if is_right else 0):
            limit.uncount(request)
        return "in" if is_right else ("wrong", 403)

    app.post("/login", before=limit)(in_style(style, log_in))
    return app


def statuses(app, interface, passwords, **form):
    with closing(Client(app, interface, timeout=10.0)) as client:
        return [client.post("/login", form={"password": each, **form}).status for each in passwords.split()]


class Away(MemoryStore):
    is_away = False

    def increment(self, *args, **options):
        if self.is_away:
            raise StoreUnavailable("Please try again in a moment.", retry_after=2)
        return super().increment(*args, **options)


@rows(
    "rate, passwords, expected",
    ("2/minute", "right right right right", [200, 200, 200, 200]),
    ("2/minute", "wrong right wrong right", [403, 200, 403, 429]),
    ("3/minute", "wrong right wrong right wrong right", [403, 200, 403, 200, 403, 429]),
    ("1/minute", "right right wrong right", [200, 200, 403, 429]),
)
def test_only_failures_count_and_then_a_right_guess_is_refused(
    store, interface, style, clock, rate, passwords, expected
):
    limit = RateLimit(rate, store, name=passwords.replace(" ", "-") + rate[0])
    assert statuses(logins(style, limit), interface, passwords) == expected


def test_processes_that_share_a_store_count_together(tmp_path, interface, style):
    with closing(SQLiteStore(tmp_path / "a.db")) as one, closing(SQLiteStore(tmp_path / "a.db")) as other:
        apps = [logins(style, RateLimit("2/day", each)) for each in (one, other)]
        sent = [(0, "right"), (1, "right"), (0, "wrong"), (1, "right"), (1, "wrong"), (0, "right")]
        found = [statuses(apps[number], interface, password) for number, password in sent]
    assert found == [[200], [200], [403], [200], [403], [429]]


def test_twice_takes_back_one_request(store, interface, style, clock):
    app = logins(style, RateLimit("2/minute", store), times=2)
    assert statuses(app, interface, "wrong right wrong right") == [403, 200, 403, 429]


def test_what_was_not_counted_is_not_taken_back(store, interface, style, clock):
    limit, other = (RateLimit("2/minute", store, by=by) for by in (lambda _: None, lambda _: "all"))
    app = logins(style, limit)
    app.use(other)
    assert statuses(app, interface, "right right right") == [200, 200, 429]
    limit.uncount(Request.blank())


@rows("rate, window", [("1/minute", 60), ("2/minute", 120)])
def test_a_window_that_is_over_leaves_the_next_one_alone(store, interface, style, clock, rate, window):
    """A handler takes longer than the window, in which others have failed as often as they may."""
    limit = RateLimit(rate, store, name=f"slow-{rate[0]}", by=lambda _: "all")

    def pause():
        clock.now += window
        for _ in range(int(rate[0])):
            limit(Request.blank())

    slow, other = logins(style, limit, pause=pause), logins(style, limit)
    assert statuses(slow, interface, "right") == [200]
    assert statuses(other, interface, "right") == [429]


def test_the_fields_tell_what_is_left_afterwards(store, interface, style, clock):
    app = logins(style, RateLimit("2/minute", store, name="all"))
    with closing(Client(app, interface, timeout=10.0)) as client:
        passwords = ["right", "wrong", "right", "wrong", "right"]
        told = [client.post("/login", form={"password": each}).headers["ratelimit"] for each in passwords]
    assert told == [f'"all";r={left}' for left in ("2;t=60", "1;t=60", "1;t=60", "0;t=60", "0;t=90")]


@rows("when", ["count", "uncount"])
def test_a_store_that_is_away_leaves_a_request_as_it_is(interface, style, clock, caplog, when):
    store = Away(clock=clock)
    limit = RateLimit("2/minute", store)

    def pause():
        store.is_away = when == "uncount"

    store.is_away = when == "count"
    assert statuses(logins(style, limit, pause=pause), interface, "right") == [200]
    said = "limits nobody" if when == "count" else "could not take back a request"
    assert f"the rate limit 2/minute {said}, because its store is unavailable" in caplog.text
    caplog.clear()


def test_a_store_that_waits_is_asked_on_a_thread(tmp_path, interface, style):
    with closing(OnThreads(tmp_path / "store.db")) as store:
        app = logins(style, RateLimit("1/day", store))
        assert statuses(app, interface, "right right wrong right") == [200, 200, 403, 429]


def test_refused_requests_between_do_not_keep_a_limit_of_one(store, interface, style, clock):
    limit = RateLimit("1/minute", store, by=lambda _: "all")

    def pause():
        for _ in range(2):
            with pytest.raises(TooManyRequests):
                limit(Request.blank())

    assert statuses(logins(style, limit, pause=pause), interface, "right") == [200]
    assert statuses(logins(style, limit), interface, "right") == [200]
