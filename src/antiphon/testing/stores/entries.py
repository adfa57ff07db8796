"""The tests of any store that keeps entries on the server.

They ask for the fixtures ``kept``, a ``ClockedStore``, and ``store``, its store.
"""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from hashlib import shake_256
from threading import Barrier
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.app.store import FeatureStore, Store, StoreUnavailable

WRITERS = 50
LONG = 10_000.0
TWO_HOURS_EAST = timezone(timedelta(hours=2))
UTC_OF_IT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


class Clock:
    """A clock, which tests set: seconds since 1970."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class ClockedStore:
    """A store for ``StoreTests``. ``make`` opens it with a clock, a function that returns seconds since 1970.

    Each call of ``make`` returns another store of the same data, as another process would open it.
    """

    ttl = 100.0
    """A time to live that ``pass_time`` lets end, in seconds."""

    def __init__(self, make: Callable[[Callable[[], float]], Store]) -> None:
        self.clock = Clock()
        self._make = make
        self.store = self.open()

    def open(self) -> Store:
        """Open the store once more."""
        return self._make(self.clock)

    def pass_time(self) -> None:
        """Let the time pass after which entries with this ``ttl`` expire."""
        self.clock.now += self.ttl


class TimedStore(ClockedStore):
    """A ``ClockedStore`` whose entries expire by the clock of a server, so that ``pass_time`` waits."""

    ttl = 0.05

    def pass_time(self) -> None:
        super().pass_time()
        time.sleep(self.ttl * 1.2)


def at_once(function, count=WRITERS):
    """Call a function with each number on a thread of its own, all at once, and return what the calls return."""
    barrier = Barrier(count)

    def call(number):
        barrier.wait()
        return function(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(call, range(count)))


class TestAnEntry:
    def test_is_absent_until_it_is_made(self, store):
        assert store.load("key") is None
        assert store.change("key", {"a": 1}, ttl=LONG, create=False) is None
        assert store.load("key") is None

    def test_is_what_its_change_returned(self, store):
        entry = store.change("key", {"a": 1, "b": [True, None]}, ttl=LONG)
        assert entry.data == {"a": 1, "b": [True, None]}
        assert entry.key == "key"
        assert store.load("key") == entry

    def test_is_seen_by_others(self, kept):
        kept.store.change("key", {"a": 1}, ttl=LONG)
        assert kept.open().load("key").data == {"a": 1}

    def test_is_merged_name_by_name(self, store):
        store.change("key", {"stays": 1, "changes": {"x": 1, "y": 2}, "goes": 3}, ttl=LONG)
        entry = store.change("key", {"changes": {"x": 5}, "comes": 4}, remove=["goes", "was never there"], ttl=LONG)
        assert entry.data == {"stays": 1, "changes": {"x": 5}, "comes": 4}
        assert store.load("key").data == entry.data

    @pytest.mark.parametrize("unreadable", ["absent", "refused"])
    def test_of_a_newer_format_is_told_and_nothing_is_written_over_it(self, store, caplog, unreadable):
        declare = partial(FeatureStore.declare, f"coin {uuid4().hex}", until="minor", unreadable=unreadable)
        name = declare(format=2)
        before = store.change(name("1"), {"a": 1}, ttl=LONG, owner=name("of", "Ann"))
        declare()  # as an older version does
        for call in (store.load, partial(store.change, updates={}, create=False), partial(store.rotate, new_key="2")):
            with pytest.raises(StoreUnavailable) if unreadable == "refused" else nullcontext():
                assert call(name("1")) is None
        with pytest.raises(StoreUnavailable):
            store.change(name("1"), {"a": 2}, ttl=LONG)
        assert [store.add(name("1"), {}, ttl=LONG), store.owned_by(name("of", "Ann"))] == [None, []]
        assert "of the kind coin" in caplog.text
        declare(format=3)  # which reads all that are older
        assert store.load(name("1")) == before
        assert [each.data for each in store.owned_by(name("of", "Ann"))] == [{"a": 1}]
        assert store.change(name("1"), {"b": 2}, ttl=LONG).data == {"a": 1, "b": 2}
        declare(format=2)
        with pytest.raises(StoreUnavailable):
            store.change(name("1"), {"a": 2}, ttl=LONG)

    def test_is_none_that_others_can_change(self, store):
        given, inner = {"list": [1]}, {"list": [1]}
        entry = store.change("key", given, ttl=LONG)
        given["list"].append(2)
        entry.data["list"].append(3)
        store.load("key").data["list"].append(4)
        assert store.load("key").data == inner

    def test_has_another_version_after_each_change(self, store):
        versions = [store.change("key", {"a": 1}, ttl=LONG).version for _ in range(3)]
        store.delete("key")
        versions.append(store.change("key", {"a": 1}, ttl=LONG).version)
        assert len({*versions}) == 4

    def test_has_its_times(self, kept):
        start = kept.clock.now
        kept.store.change("key", {}, ttl=LONG)
        kept.clock.now += 5
        entry = kept.store.change("key", {}, ttl=LONG)
        assert (entry.created, entry.changed, entry.expires) == (start, start + 5, start + 5 + LONG)
        assert kept.store.load("key") == entry

    def test_is_gone_once_deleted(self, store):
        store.change("key", {"a": 1}, ttl=LONG)
        assert store.delete("key") is True
        assert store.load("key") is None
        assert store.delete("key") is False

    def test_that_was_deleted_is_not_made_again_by_a_change_that_is_late(self, store):
        store.change("key", {"user": 1}, ttl=LONG)
        store.delete("key")
        assert store.change("key", {"seen": True}, ttl=LONG, create=False) is None
        assert store.load("key") is None

    @pytest.mark.parametrize("key", ["", "a b\r\n", "\0", "ä" * 9000, "\ud800", "e:*", "' or 1=1 --"])
    def test_has_any_text_as_a_key(self, store, key):
        store.change("key", {"other": 1}, ttl=LONG)
        store.change(key, {"a": 1}, ttl=LONG)
        assert store.load(key).data == {"a": 1}
        assert store.load("key").data == {"other": 1}

    def test_has_a_new_key_that_nobody_guesses(self, store):
        keys = {store.new_key() for _ in range(100)}
        assert len(keys) == 100
        assert all(len(key) == 43 for key in keys)  # 256 bits


class TestValues:
    json = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text()
        | st.binary() | st.datetimes(timezones=st.just(UTC)).map(lambda each: each.replace(fold=0)),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=8,
    )  # fmt: skip

    @given(data=st.dictionaries(st.text(), json, max_size=5))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_come_back_equal_and_of_their_type(self, store, data):
        store.delete("key")
        store.change("key", data, ttl=LONG)
        found = store.load("key").data
        assert found == data
        assert repr(sorted(found.items())) == repr(sorted(data.items()))

    def test_may_be_of_classes_that_stand_for_them(self, store):
        class Address(str):
            __slots__ = ()

        data = {"text": Address("here"), "east": UTC_OF_IT.astimezone(TWO_HOURS_EAST), "bytes": bytearray(b"\0\xff")}
        store.change("key", data, ttl=LONG)
        found = store.load("key").data
        assert found == {"text": "here", "east": UTC_OF_IT, "bytes": b"\0\xff"}
        assert [type(value) for value in found.values()] == [str, datetime, bytes]
        assert found["east"].tzinfo == UTC

    @pytest.mark.parametrize(
        "value",
        [(1, 2), {1, 2}, object(), uuid4(), datetime(2026, 1, 2), math.nan, 2**64, "\ud800", [{"x": (1,)}]],
        ids=["tuple", "set", "object", "uuid", "naive datetime", "nan", "too large", "no Unicode", "deep inside"],
    )
    def test_that_would_not_are_refused_by_name(self, store, value):
        store.change("key", {"a": 1}, ttl=LONG)
        with pytest.raises(TypeError, match=r"'wrong' can't be stored"):
            store.change("key", {"right": 1, "wrong": value}, ttl=LONG)
        assert store.load("key").data == {"a": 1}

    def test_have_names(self, store):
        with pytest.raises(TypeError, match="a store keeps values under names, which must be text, not 1"):
            store.change("key", {1: 2}, ttl=LONG)


class TestExpiry:
    @pytest.mark.parametrize("ttl", [0, -1, math.inf, math.nan])
    @pytest.mark.parametrize("method", ["change", "add", "replace", "increment"])
    def test_needs_a_time_above_0(self, store, method, ttl):
        given = {"increment": ["key"]}.get(method, ["key", {}])
        with pytest.raises(ValueError, match="ttl must be a number of seconds above 0"):
            getattr(store, method)(*given, ttl=ttl, **({"version": 1} if method == "replace" else {}))

    def test_never_comes_without_a_time(self, kept):
        store = kept.store
        store.change("key", {"a": 1})
        store.add("added", {"b": 2})
        assert store.increment("counter").value == 1
        kept.pass_time()
        assert store.load("key").data == {"a": 1}
        assert store.replace("added", {"b": 3}, version=store.load("added").version)
        assert store.increment("counter").value == 2

    def test_comes_at_once(self, kept):
        store = kept.store
        store.change("key", {"a": 1}, ttl=kept.ttl, owner="Ann")
        store.change("other", {}, ttl=LONG)
        kept.pass_time()
        assert store.load("key") is None
        assert store.owned_by("Ann") == []
        assert store.change("key", {}, ttl=LONG, create=False) is None
        assert store.rotate("key", "new") is None
        assert store.replace("key", {}, version=1, ttl=LONG) is None
        assert store.delete("key") is False
        assert store.delete_owned("Ann") == 0
        assert store.load("other")

    def test_is_put_off_by_a_change_of_nothing(self, kept):
        for _ in range(10):  # on a busy machine the entry may expire before it is changed
            kept.store.change("key", {"a": 1}, ttl=kept.ttl)
            if kept.store.change("key", {}, ttl=LONG).data:
                break
        kept.pass_time()
        assert kept.store.load("key").data == {"a": 1}

    def test_can_be_brought_forward(self, kept):
        kept.store.change("key", {"a": 1}, ttl=LONG, owner="Ann")
        kept.store.change("key", {}, ttl=kept.ttl)
        kept.pass_time()
        assert kept.store.load("key") is None
        assert kept.store.owned_by("Ann") == []

    def test_leaves_nothing_for_what_is_made_anew(self, kept):
        kept.store.change("key", {"old": 1}, ttl=kept.ttl, owner="Ann")
        kept.pass_time()
        entry = kept.store.change("key", {"new": 1}, ttl=LONG)
        assert entry.data == {"new": 1}
        assert entry.created == kept.clock.now
        assert kept.store.owned_by("Ann") == []

    def test_leaves_no_owner_for_what_is_made_anew(self, kept):
        kept.store.change("stays", {}, ttl=LONG, owner="Ann")
        kept.store.change("key", {}, ttl=kept.ttl, owner="Ann")
        kept.pass_time()
        kept.store.change("key", {"new": 1}, ttl=LONG)
        assert len(kept.store.owned_by("Ann")) == 1
        assert kept.store.delete_owned("Ann") == 1
        assert kept.store.load("key")


class TestTheOwner:
    def test_is_told_with_the_entry(self, store):
        assert store.change("key", {"a": 1}, ttl=LONG).owner is None
        assert store.load("key").owner is None
        changed = store.change("key", {}, ttl=LONG, owner="Ännchen")
        assert changed.owner == store.load("key").owner == store.change("key", {"b": 2}, ttl=LONG).owner == "Ännchen"
        replaced = store.replace("key", {"c": 3}, ttl=LONG, version=store.load("key").version)
        assert replaced.owner == store.load("key").owner == "Ännchen"
        assert store.add("other", {}, ttl=LONG).owner is None

    @pytest.mark.parametrize("owner", ["", "\0", "\ud800", "a\0b\ud800", "'", "%s{0}", shake_256().hexdigest(10**5)])
    def test_may_be_any_text(self, store, owner):
        store.change("none", {"n": 0}, ttl=LONG)
        store.change("other", {"n": 1}, ttl=LONG, owner="Ann")
        store.change("old", {"n": 2}, ttl=LONG, owner=owner)
        store.change("gone", {"n": 3}, ttl=LONG, owner=owner)
        assert store.rotate("old", "new").owner == store.load("new").owner == owner
        assert sorted(each.data["n"] for each in store.owned_by(owner)) == [2, 3]
        assert store.delete_owned(owner, keep="gone") == store.delete_owned(owner) == 1
        assert (store.load("none").owner, store.load("other").owner) == (None, "Ann")


class TestRotation:
    def test_moves_an_entry_to_a_new_key(self, kept):
        store = kept.store
        before = store.change("old", {"a": 1}, ttl=LONG, owner="Ann")
        [owned] = store.owned_by("Ann")
        entry = store.rotate("old", "new")
        assert entry == before._replace(key="new")
        assert store.load("old") is None
        assert store.load("new") == entry
        [moved] = store.owned_by("Ann")
        assert moved == owned._replace(id=moved.id)
        assert moved.id != owned.id

    def test_takes_the_place_of_an_entry_and_has_its_own_owner(self, store):
        store.change("old", {"a": 1}, ttl=LONG, owner="Ann")
        store.change("new", {"b": 2}, ttl=LONG, owner="Bob")
        store.rotate("old", "new")
        assert store.load("new").data == {"a": 1}
        assert store.owned_by("Bob") == []
        assert store.delete_owned("Bob") == 0
        assert store.delete_owned("Ann") == 1

    def test_of_nothing_is_none(self, store):
        assert store.rotate("old", "new") is None
        assert store.load("new") is None

    def test_happens_once(self, store):
        store.change("old", {"a": 1}, ttl=LONG)
        moved = at_once(lambda number: store.rotate("old", f"new {number}"))
        assert len([entry for entry in moved if entry]) == 1


class TestAnOwner:
    @pytest.fixture
    def ann(self, kept):
        for number in range(3):
            kept.store.change(f"ann {number}", {"n": number}, ttl=LONG, owner="Ann")
            kept.clock.now += 1
        kept.store.change("bob", {"n": 9}, ttl=LONG, owner="Bob")
        kept.store.change("nobody", {}, ttl=LONG)
        return kept.store

    def test_has_a_list_of_entries_the_oldest_first(self, kept, ann):
        owned = ann.owned_by("Ann")
        assert [entry.data for entry in owned] == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert [entry.created for entry in owned] == [kept.clock.now - 3, kept.clock.now - 2, kept.clock.now - 1]
        assert len({entry.id for entry in owned}) == 3
        assert ann.owned_by("Eve") == []

    def test_is_told_no_key(self, ann):
        assert not any(key in repr(ann.owned_by("Ann")) for key in ("ann 0", "ann 1", "ann 2"))

    def test_stays_when_an_entry_changes(self, ann):
        ann.change("ann 0", {"n": 7}, ttl=LONG)
        ann.replace("ann 1", {"n": 8}, version=ann.load("ann 1").version, ttl=LONG)
        assert [entry.data["n"] for entry in ann.owned_by("Ann")] == [7, 8, 2]

    def test_can_become_another(self, ann):
        ann.change("ann 0", {}, ttl=LONG, owner="Bob")
        assert [entry.data["n"] for entry in ann.owned_by("Ann")] == [1, 2]
        assert {entry.data["n"] for entry in ann.owned_by("Bob")} == {0, 9}

    def test_loses_what_is_deleted(self, ann):
        ann.delete("ann 1")
        assert [entry.data["n"] for entry in ann.owned_by("Ann")] == [0, 2]

    def test_can_delete_all(self, ann):
        assert ann.delete_owned("Ann") == 3
        assert ann.owned_by("Ann") == []
        assert ann.load("ann 0") is None
        assert ann.load("bob")
        assert ann.load("nobody")

    def test_can_delete_all_but_one(self, ann):
        assert ann.delete_owned("Ann", keep="ann 1") == 2
        assert [entry.data["n"] for entry in ann.owned_by("Ann")] == [1]

    def test_can_delete_one_of_its_own_and_none_of_another_one(self, ann):
        first = ann.owned_by("Ann")[0].id
        assert ann.delete_owned("Bob", only=first) == 0
        assert ann.delete_owned("Ann", only="") == 0
        assert ann.delete_owned("Ann", only="*") == 0
        assert ann.delete_owned("Ann", only=first) == 1
        assert ann.load("ann 0") is None
        assert ann.load("ann 1")


class TestAdding:
    def test_succeeds_once(self, store):
        entry = store.add("key", {"a": 1}, ttl=LONG)
        assert entry.data == {"a": 1}
        assert store.add("key", {"a": 2}, ttl=LONG) is None
        assert store.load("key") == entry

    def test_succeeds_again_after_the_end(self, kept):
        kept.store.add("key", {"a": 1}, ttl=kept.ttl)
        kept.pass_time()
        assert kept.store.add("key", {"b": 2}, ttl=LONG).data == {"b": 2}

    def test_succeeds_for_one_of_many(self, store):
        added = at_once(lambda number: store.add("key", {"by": number}, ttl=LONG))
        [entry] = [entry for entry in added if entry]
        assert store.load("key") == entry


class TestReplacing:
    def test_replaces_all_data_of_the_version(self, kept):
        before = kept.store.change("key", {"a": 1, "b": 2}, ttl=LONG)
        kept.clock.now += 1
        entry = kept.store.replace("key", {"b": 3}, version=before.version, ttl=LONG)
        assert entry.data == {"b": 3}
        assert entry.created == before.created
        assert kept.store.load("key") == entry

    def test_of_another_version_or_of_nothing_is_none(self, store):
        before = store.change("key", {"a": 1}, ttl=LONG)
        entry = store.change("key", {"b": 2}, ttl=LONG)
        assert store.replace("key", {}, version=before.version, ttl=LONG) is None
        assert store.load("key") == entry
        store.delete("key")
        assert store.replace("key", {}, version=entry.version, ttl=LONG) is None
        assert store.load("key") is None

    def test_succeeds_for_one_of_many(self, store):
        version = store.change("key", {}, ttl=LONG).version
        replaced = at_once(lambda number: store.replace("key", {"by": number}, version=version, ttl=LONG))
        [entry] = [entry for entry in replaced if entry]
        assert store.load("key") == entry


class TestCounters:
    def test_count_from_1_and_say_when_they_end(self, store):
        assert [store.increment("key", ttl=LONG).value for _ in range(3)] == [1, 2, 3]
        assert 0 < store.increment("key", ttl=5).seconds_left <= LONG
        assert store.increment("other", ttl=LONG).value == 1

    def test_count_by_any_number(self, store):
        assert [store.increment("key", ttl=LONG, by=by).value for by in (5, 0, -2)] == [5, 5, 3]

    def test_begin_again_when_their_time_has_passed_since_the_first(self, kept):
        def counts_to_2(key):
            kept.store.increment(key, ttl=kept.ttl)
            return kept.store.increment(key, ttl=LONG).value == 2

        key = next(filter(counts_to_2, map(str, range(10))))  # on a busy machine the time may pass in between
        kept.pass_time()
        value, left = kept.store.increment(key, ttl=LONG)
        assert value == 1
        assert left > kept.ttl

    def test_are_no_entries(self, store):
        store.increment("key", ttl=LONG)
        assert store.load("key") is None
        store.change("key", {"a": 1}, ttl=LONG)
        store.delete("key")
        assert store.increment("key", ttl=LONG).value == 2

    def test_lose_nothing_when_many_count(self, store):
        counts = at_once(lambda number: [store.increment("key", ttl=LONG).value for _ in range(4)])
        assert sorted(value for values in counts for value in values) == list(range(1, 4 * WRITERS + 1))


class TestManyWriters:
    """Of one entry, each of names of its own."""

    EXPECTED = {"start": 0} | {f"writer {number}": 3 for number in range(WRITERS)}

    @staticmethod
    def write(store, number):
        for value in range(4):
            store.change("key", {f"writer {number}": value, f"gone {number}": 1}, ttl=LONG)
        store.change("key", {}, remove=[f"gone {number}"], ttl=LONG)

    def test_on_threads_lose_nothing(self, store):
        store.change("key", {"start": 0}, ttl=LONG)
        at_once(lambda number: self.write(store, number))
        assert store.load("key").data == self.EXPECTED

    def test_in_tasks_lose_nothing(self, store):
        async def write_all():
            await asyncio.gather(*(asyncio.to_thread(self.write, store, number) for number in range(WRITERS)))

        store.change("key", {"start": 0}, ttl=LONG)
        asyncio.run(write_all())
        assert store.load("key").data == self.EXPECTED


class StoreTests:
    """The tests of a store that keeps entries on the server: a subclass whose name begins with "Test" runs them all.

    It, or a ``conftest.py``, has a fixture ``kept`` that returns a ``ClockedStore``: a new one, without entries, for
    each test. Needs pytest and Hypothesis.
    """

    @pytest.fixture
    def store(self, kept):
        """The store of ``kept``."""
        return kept.store

    TestAnEntry = TestAnEntry
    TestValues = TestValues
    TestExpiry = TestExpiry
    TestTheOwner = TestTheOwner
    TestRotation = TestRotation
    TestAnOwner = TestAnOwner
    TestAdding = TestAdding
    TestReplacing = TestReplacing
    TestCounters = TestCounters
    TestManyWriters = TestManyWriters
