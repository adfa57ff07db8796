"""The stores side by side with the one in memory: whatever is done to both, they answer the same, and have the same."""

from functools import partial
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from antiphon.app.store import hash_key
from antiphon.features import MemoryStore, OwnedEntry, PostgresStore, SQLiteStore, StoreEntry, ValkeyStore
from tests.features.conftest import Clock

pytestmark = pytest.mark.once

KEYS = ("a", "b", "c")
OWNERS = ("Ann", "Bob")
NAMES = ("x", "y", "z")
LONG = 10_000.0

keys, names = st.sampled_from(KEYS), st.sampled_from(NAMES)
data = st.dictionaries(names, st.integers(0, 9) | st.lists(st.text(max_size=2), max_size=2), max_size=3)
owners = st.none() | st.sampled_from(OWNERS)


class SideBySide(RuleBasedStateMachine):
    """A store, opened twice as in two processes, and its model. ``passing`` are times that may pass, in seconds."""

    entries = Bundle("entries")

    def __init__(self, opening, times_to_live, passing):
        super().__init__()
        self.clock = Clock()
        self.model = MemoryStore(clock=self.clock)
        self.opened = [opening(self.clock), opening(self.clock)]
        self.times_to_live, self.passing = times_to_live, passing
        self._turns = count()

    def teardown(self):
        for store in self.opened:
            store.close()

    def both(self, method, *arguments, versions=None, **options):
        """Call a method of both, with the version that each has, and return what they answer."""
        store = self.opened[next(self._turns) % 2]
        found, expected = [
            getattr(each, method)(*arguments, **options, **({"version": version} if versions else {}))
            for each, version in zip((store, self.model), versions or (None, None), strict=True)
        ]
        assert comparable(found) == comparable(expected), (method, arguments, options)
        return found, expected

    def ttl(self, choice):
        return self.times_to_live[choice % len(self.times_to_live)]

    @rule(choice=st.integers(0, 9))
    def pass_time(self, choice):
        self.clock.now += self.passing[choice % len(self.passing)]

    @rule(
        target=entries,
        key=keys,
        data=data,
        remove=st.sets(names),
        owner=owners,
        create=st.booleans(),
        ttl=st.integers(0, 9),
    )
    def change(self, key, data, remove, owner, create, ttl):
        return self.both(
            "change", key, data, ttl=self.ttl(ttl), remove=sorted(remove - {*data}), owner=owner, create=create
        )

    @rule(target=entries, key=keys, data=data, ttl=st.integers(0, 9))
    def add(self, key, data, ttl):
        return self.both("add", key, data, ttl=self.ttl(ttl))

    @rule(target=entries, known=entries, data=data, ttl=st.integers(0, 9))
    def replace(self, known, data, ttl):
        if None in known:
            return known
        versions = [entry.version for entry in known]
        return self.both("replace", known[0].key, data, versions=versions, ttl=self.ttl(ttl))

    @rule(key=keys, new_key=keys)
    def rotate(self, key, new_key):
        self.both("rotate", key, new_key)

    @rule(key=keys)
    def delete(self, key):
        self.both("delete", key)

    @rule(owner=st.sampled_from(OWNERS), only=st.none() | keys, keep=st.none() | keys)
    def delete_owned(self, owner, only, keep):
        self.both("delete_owned", owner, only=only and hash_key(only).hex(), keep=keep)

    @rule(key=keys, by=st.integers(-3, 3))
    def increment(self, key, by):
        self.both("increment", key, ttl=LONG, by=by)

    @invariant()
    def have_the_same(self):
        for key in KEYS:
            self.both("load", key)
            self.both("increment", key, ttl=LONG, by=0)
        for owner in OWNERS:
            self.both("owned_by", owner)


def comparable(found):
    """Return what stores answer without what is each one's own: versions, and the order of what began at once."""
    match found:
        case StoreEntry():
            return found._replace(version=0)
        case [OwnedEntry(), *_]:
            return sorted(found, key=lambda entry: (entry.created, entry.id))
        case (value, float()):  # a counter: the server's time goes on
            return value
    return found


def run(opening, times_to_live, passing, examples=20):
    machine = partial(SideBySide, opening, times_to_live, passing)
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=25, deadline=None))


def test_sqlite(tmp_path):
    """Of which entries expire, too."""
    files = count()

    def opening(clock):
        return SQLiteStore(tmp_path / f"{next(files) // 2}.db", clock=clock)

    run(opening, [10.0, LONG], [0.0, 1.0, 20.0])


@pytest.mark.processes
def test_postgres(postgres):
    schemas = count()

    def opening(clock):
        return PostgresStore(postgres, schema=f"machine_{next(schemas) // 2}", timeout=30, clock=clock)

    run(opening, [10.0, LONG], [0.0, 1.0, 20.0])


@pytest.mark.processes
@pytest.mark.parametrize("servers", ["valkey", pytest.param("valkey_cluster", marks=pytest.mark.once)])
def test_valkey(servers, request, tmp_path):
    """Of which entries expire by the server's own clock."""
    url = request.getfixturevalue(servers).url
    prefixes = count()

    def opening(clock):
        return ValkeyStore(url, prefix=f"{tmp_path}:{next(prefixes) // 2}:", clock=clock)

    run(opening, [LONG, 2 * LONG], [0.0, 1.0, 20.0], 20 if servers == "valkey" else 8)
