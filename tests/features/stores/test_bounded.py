"""Stores of so many bytes, which forget what was not used for the longest time."""

import pytest

from antiphon.features import MemoryStore, PostgresStore, SQLiteStore, ValkeyStore
from tests.features.conftest import Clock

pytestmark = pytest.mark.once
BODY = b"x" * 1000
MOST = 8 * 2000


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.processes)])
def stores(request, tmp_path):
    """A store, its bounded one, and the clock of both."""
    clock = Clock()
    match request.param:
        case "memory":
            store = MemoryStore(clock=clock)
        case "sqlite":
            store = SQLiteStore(tmp_path / "store.db", clock=clock)
        case "postgres":
            store = PostgresStore(request.getfixturevalue("postgres"), timeout=30, clock=clock)
    yield store, store.bounded(MOST), clock
    store.close()


def fill(store, names, clock):
    for name in names:
        clock.now += 61
        store.add(name, {"body": BODY}, ttl=10_000)


def kept(store, names):
    return [name for name in names if store.load(name)]


def test_the_oldest_entries_go_first(stores):
    _, bounded, clock = stores
    names = [str(number) for number in range(30)]
    fill(bounded, names, clock)
    left = kept(bounded, names)
    assert 1 <= len(left) <= 10
    assert left == names[-len(left) :]


def test_what_is_used_stays(stores):
    _, bounded, clock = stores
    bounded.add("used", {"body": BODY}, ttl=10_000)
    for number in range(30):
        fill(bounded, [str(number)], clock)
        assert bounded.load("used")


def test_an_entry_that_is_deleted_or_replaced_leaves_room(stores):
    _, bounded, clock = stores
    for number in range(30):
        fill(bounded, [str(number)], clock)
        bounded.change(str(number), {"body": b""}, ttl=10_000)
    names = [str(number) for number in range(30)]
    assert len(kept(bounded, names)) >= 15
    for name in names:
        bounded.delete(name)
    fill(bounded, names[:8], clock)
    assert len(kept(bounded, names)) == 8


def test_what_is_larger_than_all_of_it_is_not_kept(stores):
    _, bounded, _ = stores
    bounded.add("large", {"body": b"x" * 2 * MOST}, ttl=100)
    assert bounded.load("large") is None


def test_other_entries_of_the_store_are_apart(stores):
    store, bounded, clock = stores
    store.add("session", {"body": BODY}, ttl=100_000)
    fill(bounded, [str(number) for number in range(30)], clock)
    assert store.load("session")
    assert bounded.load("session") is None


def test_expired_entries_are_gone(stores):
    _, bounded, clock = stores
    bounded.add("short", {"body": BODY}, ttl=10)
    clock.now += 11
    assert bounded.load("short") is None


def test_an_entry_is_read_again_only_if_it_has_changed(stores):
    _, bounded, clock = stores
    entry = bounded.add("page", {"body": BODY}, ttl=10)
    assert bounded.reload(entry) is entry
    changed = bounded.change("page", {"body": b""}, ttl=10)
    assert bounded.reload(entry) == changed
    clock.now += 11
    assert bounded.reload(entry) is None


@pytest.mark.processes
def test_a_server_of_valkey_bounds_itself(valkey):
    store = ValkeyStore(valkey.url)
    assert store.bounded(1) is store
