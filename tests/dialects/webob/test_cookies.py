"""Cookies of requests and responses, profiles and signatures, beside those of WebOb."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from webob import cookies as original

from antiphon.dialects.webob import cookies as dialect
from tests.dialects.werkzeug.in_step import outcome, same, step
from tests.helpers.rows import rows

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*cookie:RuntimeWarning:"),
    pytest.mark.filterwarnings("ignore:.*Cookie value:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:.*utcnow:DeprecationWarning"),
]
LIBRARIES = (original, dialect)

names = st.sampled_from(["a", "B", "path", "$x", "a b", "", "é", "x-y"])
texts = st.text(st.characters(max_codepoint=0x17F, exclude_characters="\0"), max_size=6)


class InStep(RuleBasedStateMachine):
    """The cookies of an environ, changed in the same way in both libraries."""

    def __init__(self):
        super().__init__()
        self.environs = [{"HTTP_COOKIE": 'a=1; B="x\\054y"'} for _ in LIBRARIES]
        self.pair = [library.RequestCookies(environ) for library, environ in zip(LIBRARIES, self.environs, strict=True)]

    def both(self, call):
        same(*[outcome(call, cookies) for cookies in self.pair])

    set = step("__setitem__", names.filter(bool), texts | st.sampled_from([b"b", None, 1]))
    delete = step("__delitem__", names.filter(bool))

    @rule(name=names)
    def look(self, name):
        for look in [lambda c: c[name], lambda c: c.get(name, "default"), lambda c: name in c]:
            self.both(look)

    clear = step("clear")

    @invariant()
    def shows_the_same(self):
        for look in [
            dict,
            repr,
            len,
            list,
            lambda c: list(c.keys()),
            lambda c: list(c.values()),
            lambda c: list(c.items()),
        ]:
            self.both(look)


InStep.TestCase.settings = settings(max_examples=40, stateful_step_count=12)
test_cookies_of_requests_change_in_step_with_the_originals = pytest.mark.feature("pyramid-011")(InStep.TestCase)


@rows(
    "header, cookies",
    ("a=1; a=2", {"a": "2"}), ("a=b c; d=e", {"a": "b c", "d": "e"}), ('a="b;c', {"a": '"b'}), ("a", {}), ("=a", {}),
    ("a=\xc3\xa9", {"a": "é"}),
    ("a=\xff", {"a": "�"}),  # the original has an empty value
    ('a="\\303\\251"', {"a": "é"}), ("path=/; $Version=1; a=1", {"a": "1"}),
)  # fmt: skip
def test_the_header_is_read_as_browsers_send_it(header, cookies):
    assert dict(dialect.RequestCookies({"HTTP_COOKIE": header})) == cookies
    assert dict(dialect.parse_cookie(header)) == {name.encode(): value.encode() for name, value in cookies.items()}


attributes = st.fixed_dictionaries(
    {},
    optional={
        "max_age": st.sampled_from([None, 0, 60, "5", timedelta(days=1, seconds=2), "x"]),
        "path": st.sampled_from([None, "/", "/a b", "/é", "", "/;"]),
        "domain": st.sampled_from([None, "example.org", "a;b", b"x.org"]),
        "secure": st.booleans(),
        "httponly": st.booleans(),
        "comment": st.sampled_from([None, "c", "a b", b"x"]),
        "samesite": st.sampled_from([None, "lax", b"Strict", "None", "future"]),
    },
)


@settings(max_examples=4 * settings.default.max_examples)
@given(st.sampled_from(["a", "x-y", b"b"]), st.sampled_from(["", "v", "a b", 'q"\\', b"x;\n", "é", None]), attributes)
def test_cookies_are_printed_as_the_original_does(name, value, attributes):
    def made(library):
        printed = library.make_cookie(name, value, **attributes)
        kept, _, expires = printed.partition("expires=")
        return kept, expires[25:] or expires, bool(expires)

    same(*[outcome(made, library) for library in LIBRARIES])


@rows("name", ["", "a b", "path", "$x", "é", "a\n"])
def test_a_name_that_cookies_cannot_have_is_an_error(name):
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        dialect.make_cookie(name, "b")


@rows("attribute", [{"expires": "x\r\nSet-Cookie: y"}, {"samesite": "lax; domain=x"}])
def test_no_attribute_holds_a_second_one(attribute, monkeypatch):
    monkeypatch.setattr(dialect, "SAMESITE_VALIDATION", False)
    morsel = dialect.Morsel("a", "b")
    for name, value in attribute.items():
        setattr(morsel, name, value)
    with pytest.raises(ValueError, match="attribute"):
        morsel.serialize()


def test_samesite_is_checked_unless_told_otherwise(monkeypatch):
    with pytest.raises(ValueError, match="SameSite"):
        dialect.make_cookie("a", "b", samesite="future")
    monkeypatch.setattr(dialect, "SAMESITE_VALIDATION", False)
    assert dialect.make_cookie("a", "b", samesite="future") == "a=b; Path=/; SameSite=future"


@rows("value", [None, b"x", "y", date(2020, 2, 3), datetime(2020, 2, 3, 4, 5, 6), datetime(2020, 12, 31)])
def test_dates_are_printed_as_the_original_does(value):
    assert dialect.serialize_cookie_date(value) == original.serialize_cookie_date(value)


@rows("value", [0, timedelta(0)])
def test_a_duration_is_a_date_from_now(value):
    printed = dialect.serialize_cookie_date(value).decode()
    moment = datetime.strptime(printed, "%a, %d-%b-%Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert timedelta(0) <= datetime.now(UTC) - moment < timedelta(seconds=60)


@rows("value", [1, "2", b"3", timedelta(minutes=1)])
def test_max_age_is_printed_as_the_original_does(value):
    assert dialect.serialize_max_age(value) == original.serialize_max_age(value)


@rows("header", ["a=b; Path=/; secure", "a=b; c=d", "a=b; expires=Wed, 31-Dec-97 23:59:59 GMT", "", "$x=y"])
def test_cookies_of_a_header_are_morsels(header):
    theirs, ours = original.Cookie(header), dialect.Cookie(header)
    for look in [
        str,
        repr,
        lambda c: c.serialize(False),
        lambda c: [dict(m) for m in c.values()],
        lambda c: c.add("é", "x"),
    ]:
        assert look(ours) == look(theirs)


serializers = st.sampled_from(
    [
        ("JSONSerializer", ()),
        ("Base64Serializer", ()),
        ("SignedSerializer", ("secret", "salt")),
        ("SignedSerializer", ("sécret", b"\xff", "sha256")),
        ("SignedSerializer", ("秘密", "", "sha1")),
    ]
)


@given(
    serializers, st.recursive(st.integers() | texts, lambda inner: st.lists(inner, max_size=3)), st.binary(max_size=30)
)
def test_each_library_reads_what_the_other_one_signed(kind, value, noise):
    name, arguments = kind
    theirs, ours = [getattr(library, name)(*arguments) for library in LIBRARIES]
    printed = ours.dumps(value)
    assert printed == theirs.dumps(value)
    assert ours.loads(printed) == theirs.loads(printed) == value
    same(outcome(theirs.loads, noise), outcome(ours.loads, noise)) if name == "SignedSerializer" else None
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        ours.loads(b"(" + printed[::-1])


class Request:
    """The least that a profile needs of a request."""

    def __init__(self, **cookies):
        self.cookies = cookies


class Response:
    """The least that a profile needs of a response."""

    def __init__(self):
        self.headerlist = []


PROFILES = [
    lambda library: library.CookieProfile("s"),
    lambda library: library.CookieProfile(
        "s", True, 60, True, "lax", "/x", ["a.org", "b.org"], library.JSONSerializer()
    ),
    lambda library: library.SignedCookieProfile("secret", "salt", "s", httponly=True, hashalg="sha256"),
]


@rows("make", PROFILES)
@rows("value", [1, {"a": [1, "é"]}, None, "x" * 5000])
@rows("changed", [{}, {"path": "/y", "secure": True, "samesite": "none"}, {"domains": ["c.org"], "max_age": None}])
def test_profiles_make_the_same_fields(make, value, changed):
    def fields(library):
        response = Response()
        profile = make(library)
        assert profile.set_cookies(response, value, **changed) is response
        assert profile.get_headers(value, **changed)[0][1].partition(";")[0] in response.headerlist[0][1]
        return [(name, cookie.partition("expires=")[0]) for name, cookie in response.headerlist]

    same(*[outcome(fields, library) for library in LIBRARIES])


@rows("make", PROFILES)
def test_a_bound_profile_reads_the_cookie_of_its_request(make):
    ours, theirs = make(dialect), make(original)
    cookie = theirs.serializer.dumps([1]).decode("latin-1")
    assert ours(Request(s=cookie)).get_value() == theirs(Request(s=cookie)).get_value() == [1]
    assert ours.bind(Request(s="(")).get_value() is None
    assert ours.bind(Request()).get_value() is None
    assert type(ours.bind(Request())) is type(ours)
    with pytest.raises(ValueError, match="No request bound"):
        ours.get_value()
