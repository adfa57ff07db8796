import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.limits import DEFAULTS, Limits
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

NAMES = sorted(DEFAULTS)
bounds = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 1 << 40)) | st.builds(
    lambda seconds: {"timeout": seconds}, st.floats(0, 1e9)
)


def bounds_of(limits):
    return {name: getattr(limits, name) for name in NAMES}


def test_what_is_not_said_has_a_default():
    defaults = {
        "body": 16 << 20, "fields": 1000, "file": 1 << 62, "files": 100, "form": 1 << 20, "headers": 64 << 10,
        "json": 1 << 20, "json_depth": 200, "json_repeats": 1 << 62, "memory": 16 << 20, "message": 1 << 20, "nuls": 0,
        "parts": 1000, "query": 64 << 10, "rate": 240, "sockets": 1 << 62, "timeout": 30,
    }  # fmt: skip
    assert bounds_of(Limits()) == defaults == DEFAULTS


@given(bounds)
def test_what_is_said_counts(given_bounds):
    assert bounds_of(Limits(**given_bounds)) == DEFAULTS | given_bounds


@rows("bound", [-1, -1.5, "16", b"16", float("inf"), float("nan"), [1], True, False], ids=repr)
def test_a_bound_that_is_no_size_is_refused_by_its_name(bound):
    for name in NAMES:
        with pytest.raises(ValueError, match=f"'{name}'") as refused:
            pytest.fail(f"{name} is accepted: {Limits(**{name: bound})}")
        assert repr(bound) in str(refused.value)


@rows("name", sorted(set(NAMES) - {"timeout"}))
def test_only_seconds_have_fractions(name):
    assert Limits(timeout=0.25).timeout == 0.25
    with pytest.raises(ValueError, match=f"the limit '{name}' must be a whole number of 0 or more, not 1.5"):
        Limits(**{name: 1.5})


def test_seconds_need_not_be_whole():
    with pytest.raises(ValueError, match=r"the limit 'timeout' must be a number of 0 or more, not -1\.5"):
        Limits(timeout=-1.5)


@rows("name", NAMES)
def test_zero_is_a_bound(name):
    assert getattr(Limits(**{name: 0}), name) == 0


def test_unknown_bounds_and_bare_numbers_are_refused():
    with pytest.raises(TypeError):
        Limits(cookies=3)
    with pytest.raises(TypeError):
        Limits(1 << 20)


class TestWithin:
    @given(bounds, bounds)
    def test_takes_what_is_not_said_from_outside(self, inner, outer):
        assert bounds_of(Limits(**inner).within(Limits(**outer))) == DEFAULTS | outer | inner

    @given(bounds, bounds, bounds)
    def test_may_be_nested_either_way(self, inner, middle, outer):
        route, blueprint, app = Limits(**inner), Limits(**middle), Limits(**outer)
        assert route.within(blueprint).within(app) == route.within(blueprint.within(app))

    def test_a_bound_that_equals_the_default_is_said_all_the_same(self):
        outer = Limits(body=1)
        assert Limits(body=DEFAULTS["body"]).within(outer).body == DEFAULTS["body"]
        assert Limits(fields=5).within(outer).body == 1

    def test_may_allow_more_than_outside(self):
        assert Limits(body=1 << 30).within(Limits(body=1 << 20)).body == 1 << 30


class TestAsAValue:
    @given(bounds, bounds)
    def test_those_with_the_same_bounds_are_equal_and_hash_alike(self, first, second):
        one, other = Limits(**first), Limits(**second)
        assert (one == other) == (bounds_of(one) == bounds_of(other))
        if one == other:
            assert hash(one) == hash(other)

    def test_one_that_says_the_default_equals_one_that_says_nothing(self):
        assert Limits(fields=1000) == Limits()
        assert hash(Limits(fields=1000)) == hash(Limits())

    def test_equals_nothing_else(self):
        assert Limits() != DEFAULTS
        assert Limits() != (16 << 20, 1000, 64 << 10)

    @given(bounds)
    def test_prints_as_it_was_made(self, given_bounds):
        limits = Limits(**given_bounds)
        again = eval(repr(limits), {"Limits": Limits})
        assert again == limits
        assert again.within(Limits(body=7, fields=7, query=7)) == limits.within(Limits(body=7, fields=7, query=7))

    @rows("name", NAMES)
    def test_does_not_change(self, name):
        # One object bounds all requests of an app: what could be set for one request would be set for all.
        limits = Limits()
        with pytest.raises(AttributeError):
            setattr(limits, name, 1 << 40)
        with pytest.raises(AttributeError):
            limits.parts = 3
        assert bounds_of(limits) == DEFAULTS

    @given(bounds)
    def test_may_be_copied(self, given_bounds):
        limits = Limits(**given_bounds)
        assert copy.copy(limits) == copy.deepcopy(limits) == limits
