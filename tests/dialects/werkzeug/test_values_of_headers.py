"""Sets, tags, ranges, credentials and directives of headers beside those of Werkzeug."""

import copy
import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from werkzeug import datastructures as original

from antiphon.dialects.werkzeug import datastructures as dialect
from tests.dialects.werkzeug.in_step import outcome, same, step
from tests.helpers.rows import rows

LIBRARIES = (original, dialect)


def told(make):
    """What a maker makes for each library, with a list of what it told by on_update."""
    for library in LIBRARIES:
        calls = []
        yield make(library, lambda value, calls=calls: calls.append(str(value))), calls


names = st.sampled_from(["Cookie", "cookie", "Accept", "ACCEPT", "x y"])


class HeaderSetInStep(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.pairs = list(told(lambda library, tell: library.HeaderSet(["Date"], tell)))

    def both(self, call):
        (theirs, their_calls), (ours, our_calls) = self.pairs
        same(outcome(call, theirs), outcome(call, ours))
        assert our_calls == their_calls

    add = step("add", names)
    update = step("update", st.lists(names, max_size=4))
    remove = step("remove", names.map(str.lower))
    discard = step("discard", names.map(str.lower))
    delete = step("__delitem__", st.integers(-3, 3))

    @rule(place=st.integers(-3, 3))
    def set(self, place):
        self.both(lambda s: s.__setitem__(place, f"name-{place}") if f"name-{place}" not in s else None)

    clear = step("clear")

    @rule(name=names)
    def read(self, name):
        self.both(lambda s: name in s)
        self.both(lambda s: s.find(name))
        self.both(lambda s: s.index(name))

    @invariant()
    def reads_the_same(self):
        for look in [
            len, bool, list, str, repr,
            lambda s: s.to_header(),
            lambda s: s.as_set(),
            lambda s: s.as_set(preserve_casing=True),
            lambda s: s[0],
            lambda s: s[-1],
            lambda s: list(s | {"other"}),
            lambda s: list(s & {"Date", "Cookie"}),
            lambda s: s == {"Date"},
            lambda s: s.isdisjoint({"Date"}),
        ]:  # fmt: skip
            self.both(look)


TestHeaderSetInStep = HeaderSetInStep.TestCase
TestHeaderSetInStep.settings = settings(
    max_examples=3 * settings.default.max_examples, stateful_step_count=15, deadline=None
)


tags = st.sampled_from(["a", "b", "c", "*", ""])


@pytest.mark.feature("kay-055")
class TestETags:
    @given(st.none() | st.lists(tags), st.none() | st.lists(tags), st.booleans(), tags)
    def test_read_as_the_original(self, strong, weak, star, tag):
        theirs, ours = (library.ETags(strong, weak, star) for library in LIBRARIES)
        for look in [
            len,
            bool,
            set,
            lambda e: e.as_set(),
            lambda e: e.as_set(include_weak=True),
            lambda e: e.star_tag,
            lambda e: tag in e,
            lambda e: e.contains(tag),
            lambda e: e.contains_weak(tag),
            lambda e: e.is_weak(tag),
            lambda e: e.is_strong(tag),
            lambda e: e.contains_raw(f'"{tag}"'),
            lambda e: e.contains_raw(f'W/"{tag}"'),
            lambda e: e(tag),
            lambda e: e(tag, include_weak=True),
            lambda e: e(),
            lambda e: sorted(e.to_header().split(", ")),
        ]:
            same(outcome(look, theirs), outcome(look, ours))

    def test_print_tags_in_their_order(self):
        tags = dialect.ETags(["b", "a"], ["c"])
        assert (str(tags), repr(tags)) == ('"b", "a", W/"c"', """<ETags '"b", "a", W/"c"'>""")
        assert str(dialect.ETags(star_tag=True)) == "*"

    def test_are_asked_for_the_tag_of_bytes(self):
        from antiphon.dialects.werkzeug.http import generate_etag

        assert dialect.ETags([generate_etag(b"x")])(data=b"x")
        assert not dialect.ETags([generate_etag(b"x")])(data=b"y")


@pytest.mark.feature("kay-059")
@rows("options", [{}, {"etag": "a"}, {"date": datetime(2020, 1, 2, tzinfo=UTC)}])
def test_if_range_has_a_tag_or_a_date(options):
    theirs, ours = (library.IfRange(**options) for library in LIBRARIES)
    assert (ours.etag, ours.date) == (theirs.etag, theirs.date) == (options.get("etag"), options.get("date"))
    assert (str(ours), ours.to_header(), repr(ours)) == (str(theirs), theirs.to_header(), repr(theirs))


numbers = st.integers(-6, 12)
maybe_numbers = st.none() | numbers


class TestRange:
    @settings(max_examples=15 * settings.default.max_examples)
    @given(
        st.sampled_from(["bytes", "items"]),
        st.lists(st.tuples(maybe_numbers, maybe_numbers), max_size=2),
        maybe_numbers,
    )
    @example("bytes", [(2, 9)], 5)
    @example("bytes", [(-9, None)], 5)
    @example("bytes", [(-2, None)], 5)
    @example("bytes", [(5, None)], 5)
    def test_reads_as_the_original(self, units, ranges, length):
        theirs, ours = (outcome(library.Range, units, ranges) for library in LIBRARIES)
        if theirs.error is not None:
            same(theirs, ours)
            return
        for look in [
            lambda r: (r.units, r.ranges),
            lambda r: r.range_for_length(length),
            lambda r: str(r.make_content_range(length)),
            lambda r: r.to_content_range_header(length),
            lambda r: r.to_header(),
            str,
            repr,
        ]:
            same(outcome(look, theirs.value), outcome(look, ours.value))


@pytest.mark.feature("kay-117")
class TestContentRange:
    @given(st.sampled_from(["bytes", "items", None]), maybe_numbers, maybe_numbers, maybe_numbers)
    def test_is_set_and_unset_as_the_original(self, units, start, stop, length):
        change = [
            lambda c: c.set(start, stop, length, units),
            lambda c: setattr(c, "length", length),
            lambda c: setattr(c, "units", units),
            lambda c: c.unset(),
            lambda c: c.set(0, 5),
            lambda c: setattr(c, "stop", 7),
            lambda c: setattr(c, "start", start),
        ]
        (theirs, their_calls), (ours, our_calls) = told(
            lambda library, tell: library.ContentRange("bytes", 0, 3, 9, on_update=tell)
        )
        for each in change:
            same(outcome(each, theirs), outcome(each, ours))
            for look in [lambda c: (c.units, c.start, c.stop, c.length), bool, lambda c: c.to_header(), repr]:
                same(outcome(look, theirs), outcome(look, ours))
        assert our_calls == their_calls


PROPERTIES = {
    "RequestCacheControl": "no_cache no_store max_age no_transform stale_if_error max_stale min_fresh only_if_cached",
    "ResponseCacheControl": (
        "no_cache no_store max_age no_transform stale_if_error public private must_revalidate proxy_revalidate "
        "s_maxage immutable must_understand stale_while_revalidate"
    ),
}


class TestCacheControl:
    @rows("name", PROPERTIES)
    @rows("argument", [None, "0", "12", "x", "", "-1"])
    def test_is_read_as_the_original(self, name, argument):
        properties = PROPERTIES[name].split()
        directives = {each.replace("_", "-"): argument for each in properties} | {"extension": "a b"}
        for values in (directives, {}, None, ()):
            theirs, ours = (getattr(library, name)(values) for library in LIBRARIES)
            for look in [
                *[(lambda c, each=each: getattr(c, each)) for each in properties],
                str,
                repr,
                dict,
                lambda c: c.provided,
                lambda c: c.to_header(),
                lambda c: c["extension"],
                *[(lambda c, each=each: delattr(c, each)) for each in properties],
            ]:
                same(outcome(look, theirs), outcome(look, ours))

    @rows("name", PROPERTIES["ResponseCacheControl"].split())
    @rows("value", [None, True, False, 0, 12, "12", "x", "", 2.7, "a b"])
    def test_of_responses_is_set_as_the_original(self, name, value):
        (theirs, their_calls), (ours, our_calls) = told(
            lambda library, tell: library.ResponseCacheControl({"public": None, "max-age": "5"}, tell)
        )
        for change in [
            lambda c: setattr(c, name, value),
            lambda c: getattr(c, name),
            lambda c: setattr(c, name, True),
            lambda c: delattr(c, name),
            lambda c: delattr(c, name),
            str,
            dict,
        ]:
            same(outcome(change, theirs), outcome(change, ours))
        assert our_calls == their_calls


def test_a_content_security_policy_has_an_attribute_for_each_directive():
    names = [name for name, each in vars(original.ContentSecurityPolicy).items() if isinstance(each, property)]
    for name in names:
        (theirs, their_calls), (ours, our_calls) = told(
            lambda library, tell: library.ContentSecurityPolicy({"default-src": "'self'"}, tell)
        )
        for change in [
            lambda c: getattr(c, name),  # noqa: B023
            lambda c: setattr(c, name, "'none'"),  # noqa: B023
            str,
            repr,
            lambda c: setattr(c, name, None),  # noqa: B023
            lambda c: delattr(c, name),  # noqa: B023
            str,
            lambda c: c.provided,
        ]:
            same(outcome(change, theirs), outcome(change, ours))
        assert our_calls == their_calls
    assert len(names) > 20


AUTHORIZATIONS = [
    *["Basic dTpw", "basic  dTpw ", "Basic dQ==", "Basic dTpwOnE=", "Basic", "Basic !", "Basic 4A=="],
    *["Bearer abc.def-_==", "Bearer", "Token a=b", "X a=b,c", 'Y a="x\\"y"', "Negotiate YII=", "", None],
    'Digest username="Mufasa", realm="a, b", nc=00000001, uri="/", qop=auth',
]


class TestAuthorization:
    @pytest.mark.feature("kay-028")
    @rows("header", AUTHORIZATIONS)
    def test_is_read_as_the_original(self, header):
        theirs, ours = (library.Authorization.from_header(header) for library in LIBRARIES)
        assert (ours is None) == (theirs is None)
        if theirs is None:
            return
        for look in [
            lambda a: (a.type, a.token, a.parameters),
            lambda a: (a.username, a.password, a.realm, a.nonce, a.uri, a.anything),
            lambda a: (a["username"], a["gone"], a.get("username"), a.get("gone", 1), "username" in a, "gone" in a),
            str,
            repr,
            lambda a: a == type(a).from_header(header),
            lambda a: a == type(a)("other"),
            lambda a: a == 1,
            hash,
        ]:
            same(outcome(look, theirs), outcome(look, ours))
        assert copy.deepcopy(ours) == pickle.loads(pickle.dumps(ours)) == ours

    @rows("arguments", [("basic", {"username": "ü", "password": "p:q"}), ("bearer", None, "t")])
    def test_is_printed_as_the_original(self, arguments):
        theirs, ours = (library.Authorization(*arguments) for library in LIBRARIES)
        assert str(ours) == str(theirs)


class TestWWWAuthenticate:
    @rows("header", [each for each in AUTHORIZATIONS if each != "Basic !"] + ['Basic realm="x"'])
    def test_is_read_as_the_original(self, header):
        theirs, ours = (library.WWWAuthenticate.from_header(header) for library in LIBRARIES)
        assert str(ours) == str(theirs)
        if theirs is not None:
            assert (ours.type, ours.token, ours.parameters) == (theirs.type, theirs.token, theirs.parameters)
            assert (repr(ours), ours.realm, ours["realm"], ours.get("x", 2)) == (
                repr(theirs), theirs.realm, theirs["realm"], theirs.get("x", 2),
            )  # fmt: skip
            assert ours == dialect.WWWAuthenticate.from_header(header)
            assert copy.deepcopy(ours) == pickle.loads(pickle.dumps(ours)) == ours

    @rows(
        "change",
        lambda w: setattr(w, "realm", "a b"),
        lambda w: setattr(w, "realm", None),
        lambda w: w.__setitem__("nonce", "n"),
        lambda w: w.__delitem__("realm"),
        lambda w: w.__delitem__("gone"),
        lambda w: delattr(w, "realm"),
        lambda w: w.parameters.update(algorithm="MD5"),
    )
    def test_is_changed_as_the_original(self, change):
        results = []
        for library in LIBRARIES:
            calls = []
            challenge = library.WWWAuthenticate("basic", {"realm": "r"})
            challenge._on_update = lambda value, calls=calls: calls.append(str(value))
            change(challenge)
            results.append((str(challenge), calls[-1:], challenge.type, challenge.token, dict(challenge.parameters)))
        assert results[0] == results[1]

    def test_type_token_and_parameters_are_set(self):
        # The original takes them for parameters.
        calls = []
        challenge = dialect.WWWAuthenticate("basic", {"realm": "r"})
        challenge._on_update = lambda value: calls.append(str(value))
        challenge.type = "digest"
        challenge.parameters = {"nonce": "n"}
        challenge.nonce = None
        challenge.type = "bearer"
        challenge.token = "t"
        assert calls == ['Digest realm="r"', 'Digest nonce="n"', "Digest", "Bearer", "Bearer t"]

    def test_asks_as_earlier_versions_did(self):
        challenge = dialect.WWWAuthenticate()
        calls = []
        challenge._on_update = calls.append
        challenge.set_basic("here")
        assert str(challenge) == "Basic realm=here"
        challenge.set_digest("here", "n", qop=("auth", "auth-int"), opaque="o", stale=True)
        assert str(challenge) == 'Digest realm="here", nonce="n", qop="auth, auth-int", opaque="o", stale=TRUE'
        assert calls == [challenge, challenge]
