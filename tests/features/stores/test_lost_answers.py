"""Answers of the server that get lost on their way: the client asks again, and nothing happens twice."""

from contextlib import closing

import pytest

from antiphon import App
from antiphon.features import MemoryStore, Sessions, Store, StoreEntry, ValkeyStore
from antiphon.testing import Client
from tests.features.conftest import Clock
from tests.helpers.lossy_proxy import LossyProxy

pytestmark = [pytest.mark.once, pytest.mark.processes]

LONG = 10_000.0

CALLS = {
    "load": lambda store: store.load("key"),
    "change": lambda store: store.change("key", {"a": 2, "b": 3}, remove=["gone"], ttl=LONG, owner="Bob"),
    "change (of nothing)": lambda store: store.change("nothing", {"a": 2}, ttl=LONG, create=False),
    "change (that makes an entry)": lambda store: store.change("new", {"a": 2}, ttl=LONG, owner="Ann"),
    "delete": lambda store: store.delete("key"),
    "delete (of nothing)": lambda store: store.delete("nothing"),
    "rotate": lambda store: store.rotate("key", "new"),
    "rotate (of nothing)": lambda store: store.rotate("nothing", "new"),
    "owned_by": lambda store: [entry.data for entry in store.owned_by("Ann")],
    "delete_owned": lambda store: store.delete_owned("Ann"),
    "delete_owned (but one)": lambda store: store.delete_owned("Ann", keep="key"),
    "add": lambda store: store.add("new", {"a": 2}, ttl=LONG),
    "add (of one that is there)": lambda store: store.add("key", {"a": 2}, ttl=LONG),
    "replace": lambda store: store.replace("key", {"b": 3}, version=store.version, ttl=LONG),
    "replace (of another version)": lambda store: store.replace("key", {"b": 3}, version=1, ttl=LONG),
    "increment": lambda store: store.increment("counter", ttl=LONG).value,
    "increment (by many)": lambda store: store.increment("counter", ttl=LONG, by=7).value,
    "increment (below 0)": lambda store: store.increment("counter", ttl=LONG, by=-1).value,
    "increment (by 0)": lambda store: store.increment("counter", ttl=LONG, by=0).value,
    "increment (for the first time)": lambda store: store.increment("new", ttl=LONG).value,
}


@pytest.fixture
def proxy(valkey, tmp_path):
    with LossyProxy(f"{tmp_path}/proxy.sock", valkey.path) as proxy:
        yield proxy


@pytest.fixture
def opening(tmp_path):
    """Open a store with a few entries, or another one of the same data."""
    opened = []

    def open_(url):
        opened.append(ValkeyStore(url, prefix=f"{tmp_path}:", clock=Clock()))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture(scope="module", autouse=True)
def _known_scripts(valkey):
    """Have the server know all scripts, so that each call is one command."""
    with closing(ValkeyStore(valkey.url, prefix="known:", clock=Clock())) as store:
        for call in CALLS.values():
            call(prepared(store))


@pytest.fixture
def lossy(proxy, opening):
    """A store behind the proxy."""
    return prepared(opening(proxy.url))


def prepared(store):
    store.change("key", {"a": 1, "gone": 1}, ttl=LONG, owner="Ann")
    store.clock.now += 1
    store.change("other", {"b": 1}, ttl=LONG, owner="Ann")
    store.clock.now += 1
    store.increment("counter", ttl=LONG, by=5)
    store.version = store.load("key").version
    return store


def without_version(found):
    return found._replace(version=0) if isinstance(found, StoreEntry) else found


def everything(store):
    """What a store has after a call."""
    entries = [without_version(store.load(key)) for key in ("key", "other", "new", "nothing")]
    owned = [[entry.data for entry in store.owned_by(owner)] for owner in ("Ann", "Bob")]
    return entries, owned, [store.increment(key, ttl=LONG, by=0).value for key in ("counter", "new")]


def test_every_method_of_a_store_is_called_here():
    assert {name.partition(" ")[0] for name in CALLS} == {*Store.__abstractmethods__}


@pytest.mark.parametrize("name", CALLS)
def test_change_nothing(proxy, lossy, name):
    call, model = CALLS[name], prepared(MemoryStore(clock=Clock()))
    proxy.lose_next_answer()
    assert without_version(call(lossy)) == without_version(call(model))
    assert proxy.lost == 1
    assert everything(lossy) == everything(model)


@pytest.mark.parametrize(
    ("call", "meanwhile", "found"),
    [
        ("change", lambda other: other.change("key", {"a": 9}, ttl=LONG), {"a": 9, "b": 3}),
        ("change (that makes an entry)", lambda other: other.delete("new"), None),
        ("delete", lambda other: other.add("key", {"a": 9}, ttl=LONG), {"a": 9}),
        ("delete_owned", lambda other: other.change("key", {"a": 9}, ttl=LONG, owner="Ann"), {"a": 9}),
        ("rotate", lambda other: other.delete_owned("Ann"), None),
        ("rotate", lambda other: other.add("key", {"a": 9}, ttl=LONG), {"a": 1, "gone": 1}),
        ("replace", lambda other: other.change("key", {"a": 9}, ttl=LONG), {"a": 9, "b": 3}),
    ],
)
def test_undo_nothing_that_others_have_done_since(valkey, proxy, opening, lossy, call, meanwhile, found):
    other = opening(valkey.url)
    proxy.lose_next_answer(lambda: meanwhile(other))
    CALLS[call](lossy)
    assert proxy.lost == 1
    entry = other.load("new" if call in ("rotate", "change (that makes an entry)") else "key")
    assert (entry and entry.data) == found


def test_of_counters_are_given_again_as_they_were(valkey, proxy, opening, lossy):
    other = opening(valkey.url)
    proxy.lose_next_answer(lambda: other.increment("counter", ttl=LONG))
    assert lossy.increment("counter", ttl=LONG).value == 6
    assert lossy.increment("counter", ttl=LONG).value == 8


def test_are_remembered_for_longer_than_a_client_asks_again(valkey, opening):
    store = opening(valkey.url)
    store.increment("counter", ttl=0.05)
    [answer] = store._client.keys(f"{store._commands.prefix}a:*")
    assert 9 * 3000 < store._client.pttl(answer) <= 10 * 3000


@pytest.mark.parametrize("meets", ["the new key", "the new data"])
def test_lose_no_login(proxy, lossy, meets):
    """A session gets a new key, then its new data: the answer to either may get lost."""
    app = App()
    app.use(Sessions(lossy))

    @app.get("/cart/<item>")
    def cart(request, item):
        request.session[item] = 1
        return dict(request.session)

    @app.get("/login")
    def log_in(request):
        request.session["user"] = "Ann"
        request.session.rotate(owner="Ann")
        proxy.lose_next_answer(after=0 if meets == "the new key" else 1)
        return "Welcome."

    with Client(app) as client:
        client.get("/cart/tea")
        assert client.get("/login").status == 200
        assert proxy.lost == 1
        assert client.get("/cart/milk").json == {"tea": 1, "user": "Ann", "milk": 1}
