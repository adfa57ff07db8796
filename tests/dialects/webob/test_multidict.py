"""Multidicts, step by step beside those of WebOb."""

import warnings

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from antiphon.dialects.webob import multidict as dialect
from tests.dialects.webob.original import multidict as original
from tests.dialects.werkzeug.in_step import outcome, same, step
from tests.helpers.rows import rows

KEYS = st.sampled_from(["a", "b", "\xfc", ""])
VALUES = st.sampled_from(["1", "x y", "", "\xfc&="])
PAIRS = st.lists(st.tuples(KEYS, VALUES), max_size=6)
SOURCES = st.one_of(PAIRS, st.dictionaries(KEYS, VALUES, max_size=4))
LOOKS = [
    len,
    bool,
    list,
    dict,
    repr,
    lambda d: list(d.items()),
    lambda d: list(d.keys()),
    lambda d: list(d.values()),
    lambda d: list(d.iteritems()) + list(d.iterkeys()) + list(d.itervalues()),
    lambda d: d.mixed(),
    lambda d: d.dict_of_lists(),
    lambda d: d == dict(d),
    lambda d: list(d.copy().items()),
    lambda d: [d.getall(key) for key in ("a", "b", "\xfc", "c")],
    lambda d: [outcome(d.getone, key).value for key in ("a", "b", "\xfc", "c")],
    lambda d: [(d.get(key), d.get(key, 1), key in d, d.has_key(key)) for key in ("a", "b", "\xfc", "c")],
    lambda d: getattr(d, "env", None) and d.env["QUERY_STRING"],
]
KINDS = {
    "MultiDict": lambda module, pairs: module.MultiDict(pairs),
    "view": lambda module, pairs: module.MultiDict.view_list([*pairs]),
    "GetDict": lambda module, pairs: module.GetDict(pairs, {"QUERY_STRING": ""}),
    "NestedMultiDict": lambda module, pairs: module.NestedMultiDict(
        module.MultiDict(pairs[:2]), module.NoVars(), module.GetDict(pairs[2:], {"QUERY_STRING": ""})
    ),
    "NoVars": lambda module, _pairs: module.NoVars("none"),
}


class InStep(RuleBasedStateMachine):
    """A multidict of each library, changed in the same way: all looks show the same."""

    @initialize(kind=st.sampled_from([*KINDS]), pairs=PAIRS)
    def start(self, kind, pairs):
        self.theirs, self.ours = KINDS[kind](original, pairs), KINDS[kind](dialect, pairs)

    def both(self, call):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, ours = outcome(call, self.theirs), outcome(call, self.ours)
        if theirs.error is not AttributeError:  # methods that NoVars lacks
            same(theirs, ours)

    set = step("__setitem__", KEYS, VALUES)
    add = step("add", KEYS, VALUES)
    delete = step("__delitem__", KEYS)

    @rule(key=KEYS, defaults=st.sampled_from([(), (None,), ("x", "y")]))
    def pop(self, key, defaults):
        self.both(lambda each: each.pop(key, *defaults))

    setdefault = step("setdefault", KEYS, VALUES)
    popitem = step("popitem")
    clear = step("clear")

    @rule(source=SOURCES, keywords=st.dictionaries(st.sampled_from(["a", "c"]), VALUES))
    def update(self, source, keywords):
        self.both(lambda each: each.update(source, **keywords))

    @rule(source=SOURCES, keywords=st.dictionaries(st.sampled_from(["a", "c"]), VALUES))
    def extend(self, source, keywords):
        if not isinstance(self.ours, dialect.NestedMultiDict):  # theirs changes a list that nobody sees
            self.both(lambda each: each.extend(source, **keywords))

    @invariant()
    def shows_the_same(self):
        for look in LOOKS:
            self.both(look)


TestMultiDicts = InStep.TestCase
TestMultiDicts.settings = settings(stateful_step_count=12, deadline=None)


def test_update_warns_of_values_that_it_drops():
    fields = dialect.MultiDict(a="0")
    with pytest.warns(UserWarning, match="extend"):
        fields.update([("a", "1"), ("a", "2")])
    assert fields.items() == [("a", "2")]


class Counted(str):
    """A key that counts how often it is hashed."""

    __slots__ = ()
    hashed = 0

    def __hash__(self):
        Counted.hashed += 1
        return super().__hash__()


@rows("look", [lambda d, key: d[key], lambda d, key: d.getall(key), lambda d, key: key in d])
def test_a_multidict_that_grows_while_it_is_read_takes_linear_time(look):
    made = dialect.MultiDict()
    Counted.hashed = 0
    for number in range(1000):
        key = Counted(number)
        made.add(key, "1")
        look(made, key)
    assert Counted.hashed < 10_000


def test_passwords_are_not_shown():
    assert repr(dialect.MultiDict([("my_password", "secret"), ("b", "c")])) == (
        "MultiDict([('my_password', '******'), ('b', 'c')])"
    )


def test_views_follow_changes():
    fields = dialect.MultiDict([("a", "1"), ("a", "2")])
    items = fields.items()
    fields.add("b", "3")
    assert (len(items), ("b", "3") in items, items[-1], next(reversed(items))) == (3, True, ("b", "3"), ("b", "3"))
    assert (items == [*items], items == (1, 2), repr(fields.keys())) == (True, False, "['a', 'a', 'b']")


@rows(
    "make",
    pytest.param(lambda module, pairs: module.MultiDict([("a", "0")]), id="not of one mapping"),
    pytest.param(lambda module, pairs: module.MultiDict(pairs, pairs), id="of several"),
    pytest.param(lambda module, pairs: module.MultiDict.view_list(tuple(pairs)), id="a view of no list"),
    pytest.param(lambda module, pairs: module.MultiDict(dict(pairs), b="2"), id="a mapping and keywords"),
)
def test_constructors(make):
    theirs, ours = (outcome(make, module, [("a", "1")]) for module in (original, dialect))
    same(*(each if each.error else each._replace(value=[*each.value.items()]) for each in (theirs, ours)))
