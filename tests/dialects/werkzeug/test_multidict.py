"""MultiDicts, step by step beside those of Werkzeug."""

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule
from werkzeug import datastructures as original

from antiphon.dialects.werkzeug import datastructures as dialect
from tests.dialects.werkzeug.in_step import InStep, outcome, same, step
from tests.helpers.rows import rows

keys = st.sampled_from(["a", "A", "b", "é", ""])
values = st.sampled_from(["1", "22", "x", "", 3, None])
lists = st.lists(values, max_size=3)
pairs = st.lists(st.tuples(keys, values), max_size=8)
sources = st.one_of(pairs, st.dictionaries(keys, st.one_of(values, lists, lists.map(tuple)), max_size=4), st.just(()))
conversions = st.sampled_from([None, int, float, str, len])


WHOLE = [
    len,
    bool,
    list,
    dict,
    lambda d: list(d.items()),
    lambda d: list(d.items(multi=True)),
    lambda d: list(d.keys()),
    lambda d: list(d.values()),
    lambda d: list(d.lists()),
    lambda d: list(d.listvalues()),
    lambda d: d.to_dict(),
    lambda d: d.to_dict(flat=False),
    lambda d: d == type(d)(d),
    lambda d: d == {},
    lambda d: list(copy.copy(d).lists()),
    lambda d: list(d.copy().lists()),
    lambda d: list(copy.deepcopy(d).lists()),
    lambda d: list(pickle.loads(pickle.dumps(d)).lists()),
]

# Theirs has another name when it is ordered, and its lists have no values but what holds them.
WHOLE_UNLESS_ORDERED = [repr, lambda d: d == dict(d.lists())]


class MultiDictInStep(InStep):
    name = "MultiDict"
    looks = WHOLE + WHOLE_UNLESS_ORDERED

    set = step("__setitem__", keys, values)
    add = step("add", keys, values)
    setlist = step("setlist", keys, lists)
    setdefault = step("setdefault", keys, values)

    @rule(key=keys, several=st.none() | lists)
    def setlistdefault(self, key, several):
        self.both(lambda d: d.setlistdefault(key, several).append("more"))

    update = step("update", sources)

    @rule(source=sources)
    def united_in_place(self, source):
        self.both(lambda d: d.__ior__(source) is d)

    delete = step("__delitem__", keys)

    @rule(key=keys, default=st.just(()) | st.tuples(values))
    def pop(self, key, default):
        self.both(lambda d: d.pop(key, *default))

    poplist = step("poplist", keys)
    popitemlist = step("popitemlist")

    @rule(key=keys, default=values, convert=conversions)
    def read(self, key, default, convert):
        self.both(lambda d: d[key])
        self.both(lambda d: key in d)
        self.both(lambda d: d.get(key))
        self.both(lambda d: d.get(key, default, convert))
        self.both(lambda d: d.get(key, default=default, type=convert))
        self.both(lambda d: d.getlist(key, convert))
        self.both(lambda d: d.getlist(key, type=convert))

    @rule(source=sources)
    def united(self, source):
        self.both(lambda d: list((d | source).items(multi=True)))


class OrderedInStep(MultiDictInStep):
    name = "OrderedMultiDict"
    looks = WHOLE

    setlistdefault = step("setlistdefault", keys, st.none() | lists)

    @rule()
    def clear(self):
        # The original's own does not forget the order.
        for multi in self.theirs, self.ours:
            for key in list(multi):
                del multi[key]


TestMultiDictInStep = MultiDictInStep.TestCase
TestMultiDictInStep.settings = settings(
    max_examples=2 * settings.default.max_examples, stateful_step_count=15, deadline=None
)
TestOrderedMultiDictInStep = pytest.mark.filterwarnings("ignore::DeprecationWarning")(OrderedInStep.TestCase)
TestOrderedMultiDictInStep.settings = TestMultiDictInStep.settings


@pytest.mark.parametrize(
    "name", ["MultiDict", "ImmutableMultiDict", "TypeConversionDict", "FileMultiDict", "ImmutableDict"]
)
@given(source=pairs)
@settings(max_examples=20)
def test_keys_of_both_give_the_same_when_they_are_made_of_pairs(name, source):
    theirs, ours = getattr(original, name)(source), getattr(dialect, name)(source)
    assert (list(theirs.items()), repr(theirs)) == (list(ours.items()), repr(ours))


IMMUTABLE = ["ImmutableMultiDict", "ImmutableTypeConversionDict", "ImmutableDict", "ImmutableOrderedMultiDict"]


def made(library, name):
    return getattr(library, name)([("a", "1"), ("b", "2"), ("a", "3")])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestImmutable:
    @rows("name", IMMUTABLE)
    def test_is_its_own_copy_and_has_a_copy_that_changes(self, name):
        ours, theirs = made(dialect, name), made(original, name)
        assert copy.copy(ours) is ours
        assert type(ours.copy()).__name__.strip("_") == type(theirs.copy()).__name__.strip("_")
        changed = ours.copy()
        changed["a"] = "9"
        assert (changed["a"], ours["a"]) == ("9", theirs["a"])

    @rows("name", IMMUTABLE)
    def test_is_pickled_and_made_from_keys(self, name):
        ours = made(dialect, name)
        again = pickle.loads(pickle.dumps(ours))
        assert (again, type(again), hash(again)) == (ours, type(ours), hash(ours))
        assert dict(getattr(dialect, name).fromkeys(["a", "b"], 1)) == {"a": 1, "b": 1}


combinations = st.lists(pairs, max_size=3)


def combined(library, several):
    return library.CombinedMultiDict([library.MultiDict(each) for each in several])


class TestCombined:
    @given(combinations, keys, values, conversions)
    def test_reads_as_the_original(self, several, key, default, convert):
        theirs, ours = combined(original, several), combined(dialect, several)
        for look in [
            len,
            bool,
            repr,
            lambda d: d[key],
            lambda d: key in d,
            lambda d: d.get(key, default),
            lambda d: d.get(key, default, convert),
            lambda d: d.getlist(key),
            lambda d: d.getlist(key, convert),
            set,
            lambda d: set(d.keys()),
            lambda d: list(d.items()),
            lambda d: list(d.items(multi=True)),
            lambda d: list(d.values()),
            lambda d: list(d.lists()),
            lambda d: list(d.listvalues()),
            lambda d: d.to_dict(),
            lambda d: d.to_dict(flat=False),
            lambda d: list(d.copy().lists()),
            lambda d: list(copy.copy(d).lists()),
            lambda d: list((d | {"a": "b"}).lists()),
            lambda d: list(pickle.loads(pickle.dumps(d)).lists()),
            lambda d: d.update({"a": 1}),
            lambda d: d.setlist("a", [1]),
            lambda d: d.__setitem__("a", 1),
            lambda d: d.__ior__({"a": 1}),
            lambda d: type(d).fromkeys("a"),
        ]:
            same(outcome(look, theirs), outcome(look, ours))

    def test_is_compared_and_hashed_by_what_it_shows(self):
        one = dialect.CombinedMultiDict([dialect.MultiDict([("a", 1)]), dialect.MultiDict([("a", 2)])])
        assert one == dialect.MultiDict([("a", 1), ("a", 2)])
        assert one != dialect.CombinedMultiDict([dialect.MultiDict([("a", 1)])])
        assert one != {"a": [1, 2]}
        assert hash(one) == hash(pickle.loads(pickle.dumps(one)))

    def test_a_deep_copy_has_copies(self):
        one = dialect.CombinedMultiDict([dialect.MultiDict([("a", [1])])])
        copied = copy.deepcopy(one)
        one["a"].append(2)
        assert (copied["a"], type(copied)) == ([1], dialect.CombinedMultiDict)


class TestOlderNames:
    def test_iterate_as_python_2_did(self):
        multi = dialect.MultiDict([("a", "1"), ("a", "2")])
        assert list(multi.iteritems()) == [("a", "1")]
        assert list(multi.iteritems(multi=True)) == [("a", "1"), ("a", "2")]
        assert list(multi.iterkeys()) == ["a"]
        assert list(multi.itervalues()) == ["1"]
        assert list(multi.iterlists()) == [("a", ["1", "2"])]
        assert list(multi.iterlistvalues()) == [["1", "2"]]

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_ordered_ones_keep_the_order_of_pairs(self):
        source = [("a", 1), ("b", 2), ("a", 3)]
        for name in ["OrderedMultiDict", "ImmutableOrderedMultiDict"]:
            theirs, ours = made(original, name), made(dialect, name)
            assert list(ours.items(multi=True)) == list(theirs.items(multi=True))
            assert getattr(dialect, name)(source) != getattr(dialect, name)(sorted(source))
            assert getattr(dialect, name)(source) == dialect.MultiDict(sorted(source))


@rows("library", [original, dialect])
def test_something_else_is_not_added(library):
    assert library.MultiDict().__ior__(5) is NotImplemented


def test_an_ordered_multidict_is_cleared():
    values = dialect.OrderedMultiDict([("a", 1), ("b", 2)])
    values.clear()
    assert (len(values), list(values.items(multi=True))) == (0, [])
