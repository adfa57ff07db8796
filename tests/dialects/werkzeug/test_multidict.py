"""MultiDicts, step by step beside those of Werkzeug."""

import copy
import pickle
from operator import itemgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule
from werkzeug import datastructures as original

from antiphon.dialects.werkzeug import datastructures as dialect
from antiphon.dialects.werkzeug.exceptions import BadRequest, BadRequestKeyError
from tests.dialects.werkzeug.in_step import InStep, outcome, same
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

    @rule(key=keys, value=values)
    def set(self, key, value):
        self.both(lambda d: d.__setitem__(key, value))

    @rule(key=keys, value=values)
    def add(self, key, value):
        self.both(lambda d: d.add(key, value))

    @rule(key=keys, several=lists)
    def setlist(self, key, several):
        self.both(lambda d: d.setlist(key, several))

    @rule(key=keys, value=values)
    def setdefault(self, key, value):
        self.both(lambda d: d.setdefault(key, value))

    @rule(key=keys, several=st.none() | lists)
    def setlistdefault(self, key, several):
        self.both(lambda d: d.setlistdefault(key, several).append("more"))

    @rule(source=sources)
    def update(self, source):
        self.both(lambda d: d.update(source))

    @rule(source=sources)
    def united_in_place(self, source):
        self.both(lambda d: d.__ior__(source) is d)

    @rule(key=keys)
    def delete(self, key):
        self.both(lambda d: d.__delitem__(key))

    @rule(key=keys, default=st.just(()) | st.tuples(values))
    def pop(self, key, default):
        self.both(lambda d: d.pop(key, *default))

    @rule(key=keys)
    def poplist(self, key):
        self.both(lambda d: d.poplist(key))

    @rule()
    def popitemlist(self):
        self.both(lambda d: d.popitemlist())

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

    @rule(key=keys, several=st.none() | lists)
    def setlistdefault(self, key, several):
        self.both(lambda d: d.setlistdefault(key, several))

    @rule()
    def clear(self):
        # The original's own does not forget the order.
        for multi in self.theirs, self.ours:
            for key in list(multi):
                del multi[key]


TestMultiDictInStep = MultiDictInStep.TestCase
TestMultiDictInStep.settings = settings(max_examples=150, stateful_step_count=15, deadline=None)
TestOrderedMultiDictInStep = pytest.mark.filterwarnings("ignore::DeprecationWarning")(OrderedInStep.TestCase)
TestOrderedMultiDictInStep.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)


@pytest.mark.parametrize(
    "name", ["MultiDict", "ImmutableMultiDict", "TypeConversionDict", "FileMultiDict", "ImmutableDict"]
)
@given(source=pairs)
@settings(max_examples=20)
def test_keys_of_both_give_the_same_when_they_are_made_of_pairs(name, source):
    theirs, ours = getattr(original, name)(source), getattr(dialect, name)(source)
    assert (list(theirs.items()), repr(theirs)) == (list(ours.items()), repr(ours))


def test_lists_are_copies_but_those_of_setlistdefault():
    multi = dialect.MultiDict([("a", "1")])
    for values in (
        multi.getlist("a"),
        dict(multi.lists())["a"],
        multi.to_dict(flat=False)["a"],
        multi.copy().getlist("a"),
    ):
        values.append("2")
    given_list = ["3"]
    multi.setlist("b", given_list)
    given_list.append("4")
    assert multi.to_dict(flat=False) == {"a": ["1"], "b": ["3"]}
    multi.setlistdefault("a").append("2")
    assert multi.getlist("a") == ["1", "2"]


class TestMissingKeys:
    @rows(
        "read",
        itemgetter("gone"),
        lambda d: d.pop("gone"),
        lambda d: d.popitem(),
        lambda d: d.popitemlist(),
        lambda d: dialect.CombinedMultiDict([d])["gone"],
    )
    def test_are_key_errors_and_bad_requests(self, read):
        with pytest.raises(KeyError) as caught:
            read(dialect.MultiDict())
        assert isinstance(caught.value, BadRequestKeyError)
        assert isinstance(caught.value, BadRequest)

    def test_name_the_key(self):
        with pytest.raises(BadRequestKeyError) as caught:
            dialect.MultiDict()["gone"]
        assert caught.value.args == ("gone",)


class TestSubclasses:
    @rows(
        "mixin, base, source, change",
        ("ImmutableDictMixin", dialect.TypeConversionDict, {"a": 1}, lambda d: d.update(a=2)),
        ("ImmutableDictMixin", dict, {"a": 1}, lambda d: d.__setitem__("a", 2)),
        ("ImmutableMultiDictMixin", dialect.MultiDict, {"a": 1}, lambda d: d.add("a", 2)),
        ("ImmutableListMixin", list, [1], lambda d: d.append(2)),
    )
    def test_mix_in_that_they_can_not_be_changed(self, mixin, base, source, change):
        made = type("Own", (getattr(dialect, mixin), base), {})(source)
        with pytest.raises(TypeError, match="'Own' objects are immutable"):
            change(made)
        assert made == base(source)
        assert isinstance(hash(made), int)

    def test_get_asks_the_item_that_a_subclass_gives(self):
        class Upper(dialect.MultiDict):
            def __getitem__(self, key):
                return super().__getitem__(key.lower())

        assert Upper([("a", "1")]).get("A", type=int) == 1

    def test_get_of_a_subclass_stays(self):
        class Own(dialect.MultiDict):
            def get(self, key, default=None):
                return "own"

            def __getitem__(self, key):
                return "item"

        assert Own().get("a") == "own"

    def test_copies_are_of_the_subclass(self):
        class Own(dialect.MultiDict):
            pass

        assert type(Own([("a", 1)]).copy()) is Own
        assert type(copy.deepcopy(Own([("a", [1])]))) is Own


IMMUTABLE = ["ImmutableMultiDict", "ImmutableTypeConversionDict", "ImmutableDict", "ImmutableOrderedMultiDict"]
CHANGES = [
    lambda d: d.__setitem__("a", 1),
    lambda d: d.__delitem__("a"),
    lambda d: d.clear(),
    lambda d: d.pop("a"),
    lambda d: d.pop("a", None),
    lambda d: d.popitem(),
    lambda d: d.setdefault("a", 1),
    lambda d: d.update({"a": 1}),
    lambda d: d.update(a=1),
    lambda d: d.__ior__({"a": 1}),
]
MULTI_CHANGES = [
    lambda d: d.add("a", 1),
    lambda d: d.setlist("a", [1]),
    lambda d: d.setlistdefault("a", [1]),
    lambda d: d.poplist("a"),
    lambda d: d.popitemlist(),
]


def made(library, name):
    return getattr(library, name)([("a", "1"), ("b", "2"), ("a", "3")])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestImmutable:
    @rows("name", IMMUTABLE)
    @rows("change", CHANGES)
    def test_refuses_to_change(self, name, change):
        ours = made(dialect, name)
        with pytest.raises(TypeError, match=f"'{name}' objects are immutable"):
            change(ours)
        assert ours == made(dialect, name)

    @rows("name", IMMUTABLE)
    @rows("change", MULTI_CHANGES)
    def test_refuses_to_change_lists(self, name, change):
        with pytest.raises(TypeError if "Multi" in name else AttributeError):
            change(made(dialect, name))

    @rows("name", IMMUTABLE)
    def test_has_the_hash_of_its_equals(self, name):
        assert hash(made(dialect, name)) == hash(made(dialect, name))
        assert {made(dialect, name): 1}[made(dialect, name)] == 1
        with pytest.raises(TypeError):
            hash(getattr(dialect, name)([("a", [])]))

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


@pytest.mark.feature("kay-026")
def test_an_immutable_multidict_gives_the_first_value_and_all_and_refuses_every_change():
    multi = dialect.ImmutableMultiDict([("a", "1"), ("b", "2"), ("a", "3")])
    assert (multi["a"], multi.getlist("a"), multi.getlist("gone")) == ("1", ["1", "3"], [])
    for change in CHANGES + MULTI_CHANGES:
        with pytest.raises(TypeError, match="'ImmutableMultiDict' objects are immutable"):
            change(multi)


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

    @pytest.mark.feature("kay-088")
    def test_is_a_read_only_view_over_several_in_order(self):
        both = dialect.CombinedMultiDict([dialect.MultiDict([("a", "1")]), dialect.MultiDict([("a", "2"), ("b", "3")])])
        assert (both["a"], both["b"], both.getlist("a"), sorted(both)) == ("1", "3", ["1", "2"], ["a", "b"])
        for change in CHANGES + MULTI_CHANGES:
            with pytest.raises(TypeError, match="'CombinedMultiDict' objects are immutable"):
                change(both)

    def test_shows_changes_of_what_it_combines(self):
        first = dialect.MultiDict()
        both = dialect.CombinedMultiDict([first])
        first["a"] = "1"
        assert both["a"] == "1"

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
    def test_have_the_key_error_that_they_raise(self):
        for cls in (dialect.MultiDict, dialect.Headers):
            with pytest.raises(cls.KeyError):
                cls()["gone"]

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


@given(st.one_of(pairs, st.dictionaries(keys, st.one_of(values, lists, lists.map(tuple)))))
def test_iter_multi_items_gives_every_pair(source):
    assert list(dialect.iter_multi_items(source)) == list(original.iter_multi_items(source))
    both = dialect.MultiDict(source), original.MultiDict(source)
    assert list(dialect.iter_multi_items(both[0])) == list(original.iter_multi_items(both[1]))


@rows("library", [original, dialect])
def test_something_else_is_not_added(library):
    assert library.MultiDict().__ior__(5) is NotImplemented


def test_an_ordered_multidict_is_cleared():
    values = dialect.OrderedMultiDict([("a", 1), ("b", 2)])
    values.clear()
    assert (len(values), list(values.items(multi=True))) == (0, [])


def test_the_structures_are_where_werkzeug_has_them():
    from werkzeug.datastructures import structures as theirs

    from antiphon.dialects.werkzeug.datastructures import structures as ours

    assert {"MultiDict", "CallbackDict", "HeaderSet", "_OrderedMultiDict"} <= vars(theirs).keys() & vars(ours).keys()
    for name in ours.__all__:
        assert getattr(ours, name) is getattr(dialect, name)
