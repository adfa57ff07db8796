import pickle
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.errors import BadRequest, HTTPError
from antiphon.http.multidict import FirstMultiDict, MissingKey, MultiDict
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

names = st.sampled_from(["", "a", "A", "b", "é"])
values = st.integers(0, 9)
pairs = st.lists(st.tuples(names, values))

KINDS = [MultiDict, FirstMultiDict]


class TestReading:
    @given(pairs, names)
    def test_where_the_first_wins_gives_that(self, given_pairs, name):
        multi = FirstMultiDict(given_pairs)
        mine = [value for key, value in given_pairs if key == name]
        assert multi.get(name) == (mine[0] if mine else None)
        assert multi.getall(name) == mine
        assert multi.items() == given_pairs

    @given(pairs, st.sampled_from(KINDS))
    def test_as_a_whole(self, given_pairs, kind):
        multi = kind(given_pairs)
        different = list(dict(given_pairs))
        assert multi.items() == given_pairs
        assert multi.values() == [value for _, value in given_pairs]
        assert multi.keys() == list(multi) == different
        assert len(multi) == len(different)
        assert bool(multi) == bool(given_pairs)
        assert multi.to_lists() == {name: [v for key, v in given_pairs if key == name] for name in different}
        assert dict(multi) == {name: multi[name] for name in different}

    @given(pairs, st.sampled_from(KINDS), st.sampled_from(KINDS))
    def test_made_of_another_it_has_its_pairs(self, given_pairs, kind, other):
        assert kind(other(given_pairs)).items() == given_pairs

    def test_made_of_a_mapping_or_an_iterator(self):
        assert MultiDict({"a": 1, "b": 2}).items() == [("a", 1), ("b", 2)]
        assert MultiDict(iter([("a", 1)])).items() == [("a", 1)]

    @given(pairs, pairs)
    def test_is_equal_to_one_with_the_same_pairs_in_the_same_order(self, first, second):
        assert (MultiDict(first) == MultiDict(second)) == (first == second)

    def test_equals_no_dictionary_and_has_no_hash(self):
        assert MultiDict({"a": 1}) != {"a": 1}
        with pytest.raises(TypeError):
            hash(MultiDict())

    @given(pairs, st.sampled_from(KINDS))
    def test_shows_what_it_has(self, given_pairs, kind):
        multi = kind(given_pairs)
        assert eval(repr(multi), {kind.__name__: kind}) == multi

    @given(pairs, st.sampled_from(KINDS))
    def test_may_be_pickled(self, given_pairs, kind):
        multi = kind(given_pairs)
        _ = len(multi)
        again = pickle.loads(pickle.dumps(multi))
        assert (type(again), again.items()) == (kind, given_pairs)

    def test_gives_lists_that_are_the_readers_own(self):
        multi = MultiDict([("a", 1)])
        for given_list in (multi.items(), multi.keys(), multi.values(), multi.getall("a"), multi.to_lists()["a"]):
            given_list.clear()
        assert multi.to_lists() == {"a": [1]}

    def test_does_not_change(self):
        multi = MultiDict([("a", 1)])
        with pytest.raises(TypeError):
            multi["a"] = 2
        with pytest.raises(TypeError):
            del multi["a"]
        assert not hasattr(multi, "add")


class TestConverting:
    @rows(
        "text, convert, wanted",
        ("5", int, 5), ("x", int, -1), ("", int, -1), ("9" * 5000, int, -1), ("1.5", Decimal, Decimal("1.5")),
        ("x", Decimal, -1), ("x", UUID, -1),
        ("inf", lambda text: int(float(text)), -1),
        ("a", {"a": True}.__getitem__, True), ("nan", float, -1), ("-Infinity", float, -1), ("sNaN", Decimal, -1),
        ("\x1cinf", Decimal, -1), ("1e999999999", Decimal, -1), ("1e-999999999", Decimal, -1),
    )  # fmt: skip
    def test_gives_the_default_for_what_cannot_be_converted(self, text, convert, wanted):
        assert MultiDict([("page", text)]).get("page", -1, type=convert) == wanted

    def test_gives_the_default_as_it_is(self):
        assert MultiDict().get("page", "all", type=int) == "all"
        assert MultiDict().get("page", type=int) is None

    def test_does_not_hide_a_broken_converter(self):
        def broken(value):
            raise AttributeError(value)

        with pytest.raises(AttributeError):
            MultiDict([("a", "1")]).get("a", type=broken)


class TestMissing:
    @rows(
        "read",
        lambda multi: multi["page"],
        lambda multi: multi.getone("page"),
        lambda multi: FirstMultiDict(multi.items())["page"],
        ids=["[]", "getone", "first"],
    )
    def test_is_a_key_error_that_is_a_400_and_names_what_is_missing(self, read):
        for kind in (KeyError, HTTPError, BadRequest, LookupError, MissingKey):
            with pytest.raises(kind):
                read(MultiDict([("a", 1)]))
        with pytest.raises(MissingKey) as missing:
            read(MultiDict([("a", 1)]))
        error = missing.value
        assert (error.status, error.name) == (400, "page")
        assert "'page'" in error.problem()["detail"]
        assert "'page'" in str(error)
        assert error.__suppress_context__ or error.__context__ is None

    @rows("given_values, times", [([], "0 times"), ([1, 2], "2 times"), ([1] * 9, "9 times")])
    def test_getone_wants_exactly_one(self, given_values, times):
        multi = MultiDict([("page", value) for value in given_values])
        with pytest.raises(MissingKey, match=f"exactly once, not {times}"):
            multi.getone("page")
        assert MultiDict([("a", 1), ("page", 5)]).getone("page") == 5

    def test_is_told_after_crossing_a_process_boundary(self):
        error = pickle.loads(pickle.dumps(MissingKey("page")))
        assert (type(error), error.name, error.detail) == (MissingKey, "page", "'page' is missing")


class CountedName(str):
    """A name that counts how often names are compared and looked up."""

    __slots__ = ()
    count = 0

    def __eq__(self, other):
        CountedName.count += 1
        return str.__eq__(self, other)

    def __hash__(self):
        CountedName.count += 1
        return str.__hash__(self)


def get_all_of_each(names):
    multi = MultiDict([(name, 1) for name in names])
    for name in names:
        multi.getall(name)


def get_all_of_each_that_comes_twice(names):
    multi = MultiDict([(name, 1) for name in names] * 2)
    for name in names:
        multi.getall(name)


@rows("use", [get_all_of_each, get_all_of_each_that_comes_twice])
def test_a_name_costs_the_same_however_many_others_there_are(use):
    CountedName.count = 0
    names = 400
    use([CountedName(number) for number in range(names)])
    assert CountedName.count < 10 * names
