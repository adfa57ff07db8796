import copy
import pickle
import re
from datetime import UTC, date, datetime, timedelta, timezone
from http.cookies import SimpleCookie

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.http import dump_cookie

from antiphon.http.cookies import SetCookie, parse_cookies
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

HTTP_ONLY = ["__Http-a", "__HTTP-a", "__Host-Http-a", "__hOST-http-a"]
SAFE = {"secure": True, "httponly": True}

NOON = datetime(2026, 11, 20, 12, 30, 5, tzinfo=UTC)

names = st.from_regex(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}", fullmatch=True).filter(
    lambda name: not name.startswith("__")
)
values = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=60)


def latin1(text):
    return text.encode().decode("latin-1")


@rows(
    "header, cookies",
    ("", []), ("a=1", [("a", "1")]),
    ("a=1; b=2; a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
    ("a=1;b=2", [("a", "1"), ("b", "2")]),
    (" a\t= 1 ; \tb =2\t;", [("a", "1"), ("b", "2")]),
    ("a=", [("a", "")]), ("a=b=c==", [("a", "b=c==")]), ("a=x y", [("a", "x y")]),
    ("a=\x1c\x1f", [("a", "\x1c\x1f")]), ("a=1,b=2", [("a", "1,b=2")]), ("; ;", []), ("flag", [("", "flag")]),
    ("a=1; flag; b=2", [("a", "1"), ("", "flag"), ("b", "2")]),
    ("=value", [("", "value")]), ("=", [("", "")]), ("A=1; a=2", [("A", "1"), ("a", "2")]),
    ("$Version=1; a[b]=2", [("$Version", "1"), ("a[b]", "2")]),
    ('a="b"', [("a", "b")]), ('a=""', [("a", "")]), ('a="', [("a", '"')]), ('a="b', [("a", '"b')]),
    ('a=b"', [("a", 'b"')]), ('a=""b""', [("a", '"b"')]), ('a="b c"', [("a", "b c")]), ('"b"', [("", "b")]),
    (r'a="\"\\\a"', [("a", '"\\a')]), (r'a="b\073 c\054"', [("a", "b; c,")]), (r'a="\012\000"', [("a", "\n\0")]),
    (r'a="\08\400\37"', [("a", "0840037")]), ('a="b\\"', [("a", "b\\")]), (r"a=\303", [("a", r"\303")]),
    (r'a="\303\274"', [("a", "ü")]), (r'a="\374"', [("a", "ü")]),
    (latin1('a="ü\\374"'), [("a", "ü\ufffd")]),
    ('a="b;c"', [("a", '"b'), ("", 'c"')]), (latin1("ä=ü€"), [("ä", "ü€")]), ("a=\xff", [("a", "\ufffd")]),
    (latin1("a=\u3000\x85\xa0"), [("a", "\u3000\x85\xa0")]),
    (latin1("\u3000\x85\xa0=a"), [("\u3000\x85\xa0", "a")]),
    ("a=€", [("a", "€")]),
    ('a="\ud800\\""', [("a", '\ufffd\ufffd\ufffd"')]),
)  # fmt: skip
def test_reads_a_cookie_header(header, cookies):
    assert parse_cookies(header) == cookies


@given(st.text(st.characters(max_codepoint=255)))
@example('a="\\')
@example('a="\\"')
@example('a="\\3\\37"')
def test_reads_any_header(header):
    for name, value in parse_cookies(header):
        assert name == name.strip(" \t")
        assert ";" not in name
        assert "=" not in name
        assert isinstance(value, str)


@given(names, values)
@example("a", "")
@example("a", '"')
@example("a", '""')
@example("a", '"b"')
@example("a", "\\")
@example("a", " ")
@example("a", "; b=c")
@example("a", ",\t\x01\x7f\x85\xa0ü€😀")
@example("a", "\\303\\274")
def test_any_value_comes_back(name, value):
    cookie = SetCookie(name, value)
    assert cookie.value == value
    assert cookie.pair.isascii()
    assert cookie.pair.isprintable()
    assert parse_cookies(f"x=1; {cookie.pair}; y=2") == [("x", "1"), (name, value), ("y", "2")]


@given(names, values)
@example("a", "/b%20c")
@example("a", "b%20c d")
def test_reads_what_werkzeug_prints(name, value):
    assert parse_cookies(dump_cookie(name, value, path=None, max_size=0)) == [(name, value)]


@given(names, st.text(st.characters(max_codepoint=0x7F, exclude_characters="\r\n\0")))
@example("a", "ü")
@example("a", "/b%20c")
@example("a", "b%20c d")
def test_reads_what_the_standard_library_prints(name, value):
    _, coded_value = SimpleCookie().value_encode(value)  # newer Pythons let no morsel have control characters
    assert parse_cookies(f"{name}={coded_value}") == [(name, value)]


@rows(
    "cookie, text",
        (SetCookie("a"), "a=; Path=/"),
        (SetCookie("a", "1", path=None), "a=1"),
        (SetCookie("a", "b c;", path=None), 'a="b%20c%3B"'),
        (SetCookie("a", "b,c/50%", path=None), 'a="b%2Cc%2F50%25"'),
        (SetCookie("a", "ü", path=""), 'a="%C3%BC"'),
        (SetCookie("a", "/b%20c", path=""), "a=/b%20c"),
        (SetCookie("a", "1", max_age=0), "a=1; Max-Age=0; Path=/"),
        (SetCookie("a", "1", max_age=-1), "a=1; Max-Age=-1; Path=/"),
        (SetCookie("a", "1", domain="Example.COM"), "a=1; Domain=example.com; Path=/"),
        (SetCookie("a", "1", domain=".example.com"), "a=1; Domain=example.com; Path=/"),
        (SetCookie("a", "1", domain="..b"), "a=1; Domain=b; Path=/"),
        (SetCookie("a", "1", domain="bücher.example"), "a=1; Domain=xn--bcher-kva.example; Path=/"),
        (SetCookie("a", "1", domain=""), "a=1; Path=/"),
        (SetCookie("a", "1", path="/ä b;c%20"), "a=1; Path=/%C3%A4%20b%3Bc%20"),
        (SetCookie("a", "1", samesite="lax"), "a=1; Path=/; SameSite=Lax"),
        (SetCookie("a", "1", expires=NOON), "a=1; Expires=Fri, 20 Nov 2026 12:30:05 GMT; Path=/"),
        (
            SetCookie("a", "1", expires=NOON.replace(microsecond=9).astimezone(timezone(timedelta(hours=5)))),
            "a=1; Expires=Fri, 20 Nov 2026 12:30:05 GMT; Path=/",
        ),
        (
            SetCookie(
                "a", "1", max_age=60, expires=NOON, domain="a.b", path="/c", secure=True, httponly=True,
                samesite="None", partitioned=True,
            ),
            (
                "a=1; Domain=a.b; Expires=Fri, 20 Nov 2026 12:30:05 GMT; Max-Age=60; Secure; "
                "HttpOnly; Path=/c; SameSite=None; Partitioned"
            ),
        ),
        (SetCookie("__Host-a", "1", secure=True), "__Host-a=1; Secure; Path=/"),
        (SetCookie("__a", "1"), "__a=1; Path=/"),
        (SetCookie.delete("a"), "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/"),
        (
            SetCookie.delete(
                "a", path="/b", domain="c.d", secure=True, httponly=True, samesite="None", partitioned=True
            ),
            (
                "a=; Domain=c.d; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; "
                "HttpOnly; Path=/b; SameSite=None; Partitioned"
            ),
        ),
        (
            SetCookie.delete("__host-http-a"),
            "__host-http-a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; HttpOnly; Path=/",
        ),
        (SetCookie("__Http-a", "1", path="/b", **SAFE), "__Http-a=1; Secure; HttpOnly; Path=/b"),
        (SetCookie("__Httpa", "1"), "__Httpa=1; Path=/"),
        (
            SetCookie.delete("__Secure-a"),
            "__Secure-a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; Path=/",
        ),
)  # fmt: skip
def test_prints_a_cookie_that_reads_the_same(cookie, text):
    assert str(cookie) == text
    assert SetCookie.parse(text) == cookie


def make_cookie(*pair, **attributes):
    return SetCookie(*pair, **attributes)


@given(
    st.builds(
        make_cookie,
        names,
        values,
        max_age=st.none() | st.integers(),
        expires=st.none() | st.datetimes(datetime(1602, 1, 2), datetime(9999, 12, 30), timezones=st.timezones()),
        domain=st.none() | st.from_regex(r"\.?([A-Za-z][A-Za-z0-9-]{0,9}\.){0,3}[A-Za-zäß]{1,9}", fullmatch=True),
        path=st.none()
        | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])).map(lambda text: f"/{text[:80]}"),
        secure=st.just(True),
        httponly=st.booleans(),
        samesite=st.sampled_from([None, "Lax", "Strict", "None"]),
        partitioned=st.booleans(),
    )
)
def test_a_printed_cookie_reads_the_same(cookie):
    assert SetCookie.parse(str(cookie)) == cookie
    assert str(cookie).isascii()
    assert str(cookie).isprintable()
    assert pickle.loads(pickle.dumps(cookie)) == copy.copy(cookie) == cookie
    assert hash(SetCookie.parse(str(cookie))) == hash(cookie)


@rows(
    "name, attributes, message",
    ("", {}, "name must be a token"), ("a b", {}, "name must be a token"), ("a=", {}, "name must be a token"),
    ("a;", {}, "name must be a token"), ("ä", {}, "name must be a token"), ("a\r\n", {}, "name must be a token"),
    ("a", {"value": "b\r"}, "value can.t contain line ends"),
    ("a", {"value": "b\n"}, "value can.t contain line ends"),
    ("a", {"value": "b\0"}, "value can.t contain line ends"),
    ("a", {"value": "\ud800"}, "surrogate"),
    ("a", {"value": "b" * 4096}, "4097 bytes"),
    ("a", {"value": "ä" * 683}, "4101 bytes"), ("a", {"max_age": 1.5}, "whole number"),
    ("a", {"expires": datetime(2026, 1, 1)}, "time zone"),
    ("a", {"expires": datetime(1600, 1, 1, tzinfo=UTC)}, "after 1601"),
    ("a", {"domain": "a b"}, "not a host"), ("a", {"domain": "a\r\n"}, "not a host"),
    ("a", {"domain": "a;b"}, "not a host"), ("a", {"domain": "."}, "not a host"),
    ("a", {"domain": "a:80"}, "not a domain"),
    ("a", {"domain": "[::1]"}, "not a domain"),
    ("a", {"domain": "a." * 127}, "not a domain"),
    ("a", {"path": "/" + "a" * 1024}, "at most 1024"),
    ("a", {"path": "/" + "ä" * 171}, "at most 1024"),
    ("a", {"path": "b"}, "must begin with a slash"),
    ("a", {"path": "/\r\n"}, "control characters"),
    ("a", {"path": "/\0"}, "control characters"),
    ("a", {"samesite": "no"}, "samesite must be"),
    ("a", {"samesite": "None"}, "needs secure"),
    ("a", {"partitioned": True}, "needs secure"),
    ("__Secure-a", {}, "needs secure"), ("__secure-a", {}, "needs secure"), ("__Host-a", {}, "needs secure"),
    ("__Host-a", {"secure": True, "domain": "a.b"}, "needs path"),
    ("__Host-a", {"secure": True, "path": "/b"}, "needs path"),
    ("__HOST-a", {"secure": True, "path": None}, "needs path"),
    *((name, {}, "needs secure") for name in HTTP_ONLY),
    *((name, {"httponly": True}, "needs secure") for name in HTTP_ONLY),
    *((name, {"secure": True}, "needs httponly") for name in HTTP_ONLY),
    *((name, SAFE | {"path": "/b"}, "needs path") for name in HTTP_ONLY[2:]),
    *((name, SAFE | {"domain": "a.b"}, "needs path") for name in HTTP_ONLY[2:]),
)  # fmt: skip
def test_a_cookie_that_user_agents_would_drop_is_refused(name, attributes, message):
    with pytest.raises(ValueError, match=message):
        SetCookie(name, **attributes)


@rows(
    "attributes, message",
    ({"name": 5}, "name must be a token, not 5"),
    ({"name": b"a"}, "name must be a token, not b'a'"),
    ({"value": 5}, "value must be a str, not 5"),
    ({"value": None}, "value must be a str, not None"),
    ({"value": b"b"}, "value must be a str, not b'b'"),
    ({"max_age": True}, "max_age must be a whole number of seconds, not True"),
    ({"max_age": False}, "max_age must be a whole number of seconds, not False"),
    ({"max_age": "5"}, "max_age must be a whole number of seconds, not '5'"),
    ({"expires": 5}, "expires must be a datetime, not 5"),
    ({"expires": 0}, "expires must be a datetime, not 0"),
    ({"expires": "Fri, 20 Nov 2026 12:00:00 GMT"}, "expires must be a datetime, not 'Fri"),
    ({"expires": date(2026, 11, 20)}, "expires must be a datetime, not datetime.date"),
    ({"domain": 5}, "domain must be a str, not 5"),
    ({"domain": b"a.example"}, "domain must be a str, not b'a.example'"),
    ({"path": 5}, "path must be a str, not 5"),
    ({"path": b"/"}, "path must be a str, not b'/'"),
    ({"samesite": 5}, "samesite must be 'Lax', 'Strict' or 'None', not 5"),
    ({"samesite": True}, "samesite must be 'Lax', 'Strict' or 'None', not True"),
    ({"samesite": ["Lax"]}, "samesite must be 'Lax', 'Strict' or 'None', not "),
    ids=repr,
)
def test_an_attribute_of_another_type_is_an_error_that_names_it(attributes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SetCookie(**{"name": "a", **attributes})


def test_the_longest_cookie_is_allowed():
    cookie = SetCookie("a", "b" * 4095, path="/" + "c" * 1023, domain="d" * 253)
    assert SetCookie.parse(str(cookie)) == cookie


def read(text):
    cookie = SetCookie.parse(text)
    nothing = SetCookie("a", path=None)
    return {field: value for field, value in cookie._asdict().items() if value != getattr(nothing, field)}


@rows(
    "text, fields",
    ("a=b", {"value": "b", "coded_value": "b"}),
    (" a = b ;", {"value": "b", "coded_value": "b"}),
    ("a=", {}),
    ('a="b c"', {"value": "b c", "coded_value": '"b c"'}),
    ("x[y]=b", {"name": "x[y]", "value": "b", "coded_value": "b"}),
    ("b", {"name": "", "value": "b", "coded_value": "b"}),
    ("=b=c", {"name": "", "value": "b=c", "coded_value": "b=c"}),
    (latin1("ä=ü"), {"name": "ä", "value": "ü", "coded_value": "ü"}),
    ("a=b=c; Path=/=;", {"value": "b=c", "coded_value": "b=c", "path": "/="}),
    ("a=; SECURE; httponly=no; PARTITIONED", {"secure": True, "httponly": True, "partitioned": True}),
    ("a=; unknown=1; ; =; also", {}), ("a=; path=/b; Path=/c", {"path": "/c"}), ("a=; path=/b; Path=c", {}),
    ("a=; path", {}),
    ("a=; domain= .Example.COM ", {"domain": "example.com"}),
    ("a=; domain=b; domain=", {}),
    ("a=; samesite=STRICT", {"samesite": "Strict"}),
    ("a=; samesite=lax; samesite=other", {}),
    ("a=; samesite=none; secure", {"samesite": "None", "secure": True}),
    ("a=; max-age=60", {"max_age": 60}), ("a=; max-age=-60", {"max_age": -60}),
    ("a=; max-age=60; max-age=6x; max-age=; max-age=+1; max-age=٣", {"max_age": 60}),
    (f"a=; max-age={'9' * 1000}", {"max_age": int("9" * 1000)}),
    (f"a=; max-age={'9' * 5000}; path=/{'b' * 1024}", {}),
    (f"a=; path=/{'b' * 1023}", {"path": f"/{'b' * 1023}"}),
    ("__Host-a=; secure; path=/", {"name": "__Host-a", "secure": True, "path": "/"}),
)  # fmt: skip
def test_reads_set_cookie_as_user_agents_do(text, fields):
    assert read(text) == fields


@rows(
    "text",
        "", "=", ";", " ; Path=/", "a=b\r\n", "a=b; Path=/\0", "a=\x7f", "__Host-a", "=__secure-a=b",
        "__Host-a=b",
        "__Http-a=b; Secure", "__http-a=b; HttpOnly", "=__Http-a=b", "__Host-Http-",
        "__Host-Http-a=b; Secure; HttpOnly", "__host-HTTP-a=b; Secure; Path=/",
        "__Host-Http-a=b; Secure; HttpOnly; Path=/; Domain=c.d",
        "__Host-a=b; Secure", "__Host-a=b; Secure; Path=/; Domain=c.d", "__secure-a=b", "a=b; SameSite=None",
        "a=b; Partitioned", "a=" + "b" * 4096, latin1("a=" + "ä" * 2048),
)  # fmt: skip
def test_what_user_agents_drop_is_an_error(text):
    with pytest.raises(ValueError, match=r"cookie|needs"):
        SetCookie.parse(text)


@rows(
    "date",
    "Fri, 20 Nov 2026 12:30:05 GMT", "Friday, 20-Nov-26 12:30:05 GMT", "Fri Nov 20 12:30:05 2026",
    "Fri, 20-Nov-2026 12:30:05 GMT", "20 November 2026 12:30:5", "2026 nov 20 12:30:05 +0500",
    "12:30:05x 20th NOV 26", "Fri,/20/Nov/2026/12:30:05",
)  # fmt: skip
def test_reads_any_date_that_user_agents_read(date):
    assert SetCookie.parse(f"a=b; Expires={date}").expires == NOON


@rows(
    "year, full",
    [("69", 2069), ("70", 1970), ("99", 1999), ("00", 2000), ("1601", 1601), ("999", None), ("1600", None)],
)
def test_two_digits_of_a_year_are_completed(year, full):
    expires = SetCookie.parse(f"a=b; Expires=1 Jan {year} 00:00:00").expires
    assert expires == (full and datetime(full, 1, 1, tzinfo=UTC))


@rows(
    "date, first, last, outside",
    ("{} Nov 2026 12:30:05", 1, 30, [0, "00", 31, 32]), ("{} Dec 2026 12:30:05", 1, 31, [0, 32, 99]),
    ("{} Feb 2026 12:30:05", 1, 28, [0, 29, 30]), ("{} Feb 2028 12:30:05", 1, 29, [0, 30]),
    ("20 Nov {} 12:30:05", 1601, 9999, ["0100", "0999", 1000, 1600]),
    ("20 Nov 2026 {}:30:05", 0, 23, [24, 60, 99]), ("20 Nov 2026 12:{}:05", 0, 59, [60, 99]),
    ("20 Nov 2026 12:30:{}", 0, 59, [60, 61, 99]),
)  # fmt: skip
def test_each_part_of_a_date_has_bounds(date, first, last, outside):
    def read(part):
        return SetCookie.parse(f"a=b; Expires={date.format(part)}").expires

    assert read(first) < read(last)
    assert [read(part) for part in outside] == [None] * len(outside)


def test_any_month_may_be_in_a_date():
    names = ("jan", "FEBRUARY", "Mar", "apr", "May", "jun", "Jul", "aug", "Sept", "oct", "nov", "December")
    dates = [SetCookie.parse(f"a=b; Expires=20 {name} 2026 12:30:05").expires for name in names]
    assert dates == [NOON.replace(month=number) for number in range(1, 13)]


@rows(
    "date",
    "", "soon", "20 Nov 2026", "Nov 2026 12:30:05", "20 2026 12:30:05", "20 Nov 12:30:05", "31 Nov 2026 12:30:05",
    "20 Nov 2026 24:30:05", "20 Nov 2026 12:60:05", "0 Nov 2026 12:30:05", "20 Nov 2026 12:30",
    "20 Nov 20266 12:30:05", "20 Nov 6 12:30:05", "20 Nov 2026 12:30:055",
)  # fmt: skip
def test_a_bad_date_is_passed_over(date):
    assert SetCookie.parse(f"a=b; Expires={date}").expires is None
    assert SetCookie.parse(f"a=b; Expires=20 Nov 2026 12:30:05; Expires={date}").expires == NOON


@rows(
    "text, pair",
    (latin1("ä=ü; Path=/€"), latin1("ä=ü")),
    ("=b=c", "b=c"),
    ('a="b"', 'a="b"'),
    ("x[y]=1; Domain=b_c", "x[y]=1"),
)
def test_what_others_set_is_sent_back_as_it_was(text, pair):
    cookie = SetCookie.parse(text)
    assert cookie.pair == pair
    assert str(cookie) == text
    assert pickle.loads(pickle.dumps(cookie)) == cookie
