"""What ends at a time ends then, by whichever clock, however often it is renewed and however the clocks are set."""

import time
from contextlib import closing, suppress
from itertools import count
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App
from antiphon.app.store import Store
from antiphon.features import (
    APIKey,
    IdempotentWrites,
    MemoryStore,
    RefreshTokens,
    ResumableUploads,
    Sessions,
    SQLiteStore,
    Users,
)
from antiphon.http import BadRequest
from antiphon.testing import Client

pytestmark = [pytest.mark.once, pytest.mark.axes("kind")]

LASTS = 3600.0
PART = {"content-type": "application/partial-upload", "upload-complete": "?0"}


class Remote(Store):
    """A store on another machine, which has a clock of its own."""

    blocks, keeps_files = False, True

    def __init__(self, inner, clock):
        self.inner = inner
        self.clock = clock

    def files_folder(self, *, make):
        return self.inner.files_folder(make=make)


for name in Store.__abstractmethods__:
    setattr(Remote, name, lambda self, *a, _name=name, **options: getattr(self.inner, _name)(*a, **options))
Remote.__abstractmethods__ = frozenset()


def session(app, client):
    app.use(Sessions(idle=LASTS / 2, lifetime=LASTS))

    @app.get("/")
    def count(request):
        request.session["count"] = request.session.get("count", 0) + 1
        return str(request.session["count"])

    def begin():
        client.cookies.clear()
        cookie = client.get("/").headers["set-cookie"].partition(";")[0]
        return lambda: client.get("/", headers={"cookie": cookie}).text != "1"

    return begin


def refresh_token(app, client):
    app.use(tokens := RefreshTokens(idle=LASTS / 2, lifetime=LASTS, grace=0))

    def begin():
        known = [tokens.issue("7")]

        def is_alive():
            with suppress(BadRequest):
                known.append(tokens.rotate(known.pop()).token)
            return bool(known)

        return is_alive

    return begin


def api_key(app, client):
    app.use(Users(keys := APIKey(str)))
    app.get("/")(lambda request: str(request.user))

    def begin():
        fields = {"x-api-key": keys.create("7", ttl=LASTS)}
        return lambda: client.get("/", headers=fields).text == "7"

    return begin


def upload(app, client):
    app.use(ResumableUploads(max_age=LASTS, max_open=1000))
    app.post("/", resumable=True)(lambda request: "")

    def begin():
        place = client.post("/", headers={"upload-complete": "?0"}).headers["location"]
        return lambda: client.patch(place, headers={**PART, "upload-offset": "0"}).status == 204

    return begin


def write(app, client):
    app.use(IdempotentWrites(ttl=LASTS))
    numbers = count()
    app.post("/", idempotent=True)(lambda request: str(next(numbers)))

    def begin():
        fields = {"idempotency-key": f'"{next(numbers)}"'}
        first = client.post("/", headers=fields).text
        return lambda: client.post("/", headers=fields).text == first

    return begin


STEP = st.tuples(st.sampled_from([0.3, 0.9, 61.0]), st.sampled_from([0, 0.5, 1]), st.sampled_from([0, 0.5, 1]))


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("what", [session, refresh_token, api_key, upload, write])
def test_nothing_outlives_its_lifetime_by_more_than_the_clocks_are_apart(what, kind, tmp_path, monkeypatch):
    """Both clocks are set back and forth: when it begins and when it is renewed, which adds up."""
    real = SimpleNamespace(now=1_800_000_000.0, process=0.0, store=0.0)
    monkeypatch.setattr(time, "time", lambda: real.now + real.process)
    of_store = {"clock": lambda: real.now + real.store}
    inner = MemoryStore(**of_store) if kind == "memory" else SQLiteStore(tmp_path / "store.db", **of_store)
    app = App(store=Remote(inner, time.time))

    @given(apart=st.sampled_from([0.0, 5.0, 60.0, 300.0]), steps=st.lists(STEP, min_size=8, max_size=12))
    def check(apart, steps):
        began, real.process, real.store = real.now, 0.0, 0.0
        is_alive = begin()
        for share in (0.4, 0.8):
            real.now = began + share * LASTS
            assert is_alive()
        real.now = began + LASTS - 0.3
        for pause, of_process, of_store in steps:
            real.process, real.store = of_process * apart, of_store * apart
            if not is_alive():
                break
            assert real.now - began < LASTS + 2 * apart
            real.now += pause

    with closing(inner), Client(app, "wsgi", base_url="https://shop.example") as client:
        begin = what(app, client)
        check()
