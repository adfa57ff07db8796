"""Functions on header values beside those of Werkzeug; and where they differ, on purpose."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import datastructures as original_datastructures
from werkzeug import http as original

from antiphon.dialects.kay.werkzeug import wrappers as kay_moments
from antiphon.dialects.werkzeug import datastructures, http
from tests.dialects.werkzeug.environs import environ
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

CASES = {
    "parse_options_header": [
        None, "", "text/html", "text/html; charset=utf-8", 'text/html;charset="utf-8";a=b', "TEXT/HTML; Charset=UTF-8",
        "; a=b", "a; b", "a; b=", 'a; b="c d"; e=f', 'a; b="c;d"', 'a; b="c\\"d"',
        'a; b="c', "a; b=c d; e=f", "a;b = c",
        "x; filename*=UTF-8''%e2%82%ac.txt", "x; f*0=a; f*1=b", "x; f*0*=utf-8''%c3; f*1*=%a4; f*2=\"%\"",
        "x; f*=koi8-r''%c1", "x; a=1; a=2", 'x; a="%22"', 'x; "a"=b; c=d', 'x; a="b"c; d=e', "x; a=\u00fc; b=c",
        'x; filename="C:\\foo\\bar.txt"', "x; f=a; f*0=b", "x; f*0=b; f=a", "x; f*g=a; h=b",
    ],
    "parse_list_header": [
        "", "a", "a, b", 'a,"b, c",d', "a,,b", '"a\\"b", c', 'a, "b', 'a "b, c" d', '"a"b"c"', ' "" , x',
    ],
    "parse_dict_header": ["", "a=b", "a=b, c", 'a="b, c", d', "a*=utf-8''%e2%82%ac", "=b", "a = b", "a=b, a=c", 'a="b'],
    "parse_accept_header": [
        None, "", "text/html;q=0.5, */*;q=0.1", "a;q=2, b", "a;q=-1,b", "a;q=x,b", "a;level=1;q=0.3, b",
        "a;q=0.5;level=1", "*", "gzip;q=0, *;q=0.5", 'text/html;level="1,2"', "a;Q=0.5", " a , b ",
    ],
    "parse_cache_control_header": [None, "", "no-cache", "max-age=0, no-store", "max-age=x", 'private="a, b", x="y"'],
    "parse_csp_header": [None, "", "default-src 'self'; script-src a b;;upgrade-insecure-requests"],
    "parse_set_header": [None, "", "a, b", "A, a, b", '"a b", c'],
    "parse_if_range_header": [None, "", '"a"', 'W/"a"', "a", "Mon, 01 Jan 2024 00:00:00 GMT"],
    "parse_range_header": [
        None, "", "bytes=0-1", "bytes=0-", "bytes=-5", "bytes=0-1,3-4", "bytes=0-5,3-4", "bytes=5-1", "bytes=a-b",
        "bytes",
        "bytes=", "bytes=-0", "bytes=0-0", "bytes=0-,5-", "bytes=-5,0-1", "items=0-5", "bytes=0-1,-5", "Bytes=0-1",
        "bytes =0-1", "bytes=--1", "bytes= 0-1 , 3-4 ", "bytes = 1 - 100", "bytes=1\t- 5, 7 -", "bytes=- 5",
        "bytes=1 2-3",        "bytes=1- 2 3", "bytes=1 -", "bytes= - ",
    ],
    "parse_content_range_header": [
        None, "", "bytes 0-1/2", "bytes 0-1/*", "bytes */5", "bytes */*", "bytes 5-1/10", "x", "bytes 0-1",
        "bytes a-b/c",
    ],
    "parse_etags": [None, "", '"a"', 'W/"a", "b"', "*", "a, b", '"a" "b", "c"', 'w/"a"', '"a,b", "c"', ' "a" ', "W/a"],
    "unquote_etag": [None, "", '"a"', 'W/"a"', 'w/"a"', "a", '"a', '"', "W/"],
    "quote_etag": ["a", 'a"b'],
    "generate_etag": [b"", b"data"],
    "parse_date": [
        None, "", "x", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 +0200", "06 Nov 1994 08:49", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-69 08:49:37 GMT", "Sunday, 06-Nov-68 08:49:37 GMT",
    ],
    "http_date": [
        datetime(1994, 11, 6, 8, 49, 37), datetime(1994, 11, 6, 8, 49, tzinfo=timezone(timedelta(hours=2))), 0, 1.9,
        date(2020, 1, 1), datetime(2020, 1, 1).timetuple(),
    ],
    "parse_age": [None, "", "5", "-1", "x", "99999999999999999999", " 5 "],
    "dump_age": [None, 5, timedelta(seconds=61.5), -1, 5.5],
    "parse_cookie": [
        None, "", "a=b", "a=b; c=d", 'a="b c"', 'a="b\\073c"', "a", "a; b=c", "=a", "a=b=c", "  a=b ; c = d ",
        "a=1; a=2", "b=ab; a", "a; =a", "=a; a", "=a; b=a; =b", "a; ;=", 'b; ="b"',
        'a="\\303\\274"', "a=\u00c3\u00bc", {"HTTP_COOKIE": "a=b"}, {},
    ],
    "dump_header": [["a", "b c"], {"a": "b", "c": None, "d": "e f", "g*": "UTF-8''x"}, ['"a"', ""], {"s"}],
    "quote_header_value": ["a", "a b", "", 'a"b', 5],
    "unquote_header_value": ['"a"', "a", '"a\\"b"', '"', '""'],
    "is_entity_header": ["Content-Type", "expires", "X"],
    "is_hop_by_hop_header": ["Connection", "te", "X"],
}  # fmt: skip

COOKIES = [
    {}, {"value": "a b"},
    {"value": '\u00fc;,"\\'}, {"path": None}, {"path": "/a b;c\u00fc"}, {"domain": ".Example.com:80"},
    {"domain": "ex\u00e4mple.com"}, {"secure": True, "httponly": True, "samesite": "lax"}, {"expires": 0},
    {"max_age": timedelta(hours=1), "sync_expires": False}, {"expires": datetime(2020, 1, 1)}, {"samesite": "x"},
    {"expires": "Wed, 01 Jan 2020 00:00:00 GMT"}, {"partitioned": True}, {"key": "\u00fc"}, {"samesite": "None"},
    {"key": "__Host-a", "path": "/x"}, {"value": "b=c"}, {"value": "a\nb"}, {"value": "\r\n"}, {"value": "\0\u00fc\n;"},
]  # fmt: skip


def plain(value):
    name = type(value).__name__
    if name == "IfRange":
        return value.etag, value.date
    if hasattr(value, "getlist"):
        return list(value.items(multi=True))
    if name == "ETags":
        return value.as_set(), value.as_set(include_weak=True), value.star_tag
    if name.endswith("Accept"):
        return list(value)
    return (name, value.to_header()) if hasattr(value, "to_header") else value


def both(name, *arguments, **options):
    same(
        outcome(lambda: plain(getattr(original, name)(*arguments, **options))),
        outcome(lambda: plain(getattr(http, name)(*arguments, **options))),
    )


@rows("name, argument", [(name, argument) for name, arguments in CASES.items() for argument in arguments], ids=str)
def test_as_the_original(name, argument):
    both(name, argument)


@rows("options", COOKIES, ids=str)
def test_cookies_are_printed_as_by_the_original(options):
    both("dump_cookie", **{"key": "a", "value": "b"} | options)


@given(st.text(max_size=40))
@pytest.mark.parametrize("name", ["parse_options_header", "parse_list_header", "parse_dict_header", "parse_etags"])
def test_reading_never_raises(name, text):
    getattr(http, name)(text)


@rows("name", ["remove_entity_headers", "remove_hop_by_hop_headers"])
@rows("make", [list, datastructures.Headers])
def test_headers_of_a_kind_are_removed_in_place(name, make):
    fields = [("Content-Type", "a"), ("Expires", "b"), ("Connection", "c"), ("X-A", "d")]
    theirs = list(fields)
    getattr(original, name)(theirs)
    ours = make(fields)
    getattr(http, name)(ours)
    assert list(ours) == theirs


def test_a_tag_is_made_of_data():
    tag = http.quote_etag(http.generate_etag(b"data"))
    assert not http.is_resource_modified({"HTTP_IF_NONE_MATCH": tag}, data=b"data")
    assert http.is_resource_modified({"HTTP_IF_NONE_MATCH": tag}, data=b"other")
    with pytest.raises(TypeError, match="both data and etag"):
        http.is_resource_modified({}, '"a"', b"data")


def test_values_tell_of_their_changes():
    told = []
    http.parse_set_header("a", lambda value: told.append(str(value))).add("b")
    http.parse_cache_control_header(
        "public", lambda value: told.append(str(value)), datastructures.ResponseCacheControl
    ).max_age = 5
    http.parse_csp_header("img-src a", lambda value: told.append(str(value))).img_src = "b"
    http.parse_www_authenticate_header("Basic realm=a", lambda value: told.append(value.to_header())).realm = "b"
    assert told == ["a, b", "public, max-age=5", "img-src b", "Basic realm=b"]


def test_credentials_are_read_by_their_older_name():
    assert http.parse_authorization_header("Bearer abc").token == "abc"
    assert http.parse_authorization_header(None) is None
    assert http.cookie_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"


class Searched(str):
    """Text that counts how often it is searched."""

    __slots__ = ("searches",)

    def __contains__(self, part):
        self.searches = getattr(self, "searches", 0) + 1
        return super().__contains__(part)


def test_a_header_is_not_searched_for_each_of_its_cookies():
    few, many = Searched("a=b" + ";0" * 10), Searched("a=b" + ";0" * 1000)
    assert len(http.parse_cookie(few).getlist("0")) == 10
    assert len(http.parse_cookie(many).getlist("0")) == 1000
    assert few.searches == many.searches


@rows(
    "value",
    "Fri, 20 Nov 99999999999 12:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -0100",
    f"Fri, 20 Nov 2026 12:00:00 +{'9' * 20}",
)
def test_a_date_that_no_clock_will_show_is_none(value):
    assert http.parse_date(value) is None
    assert http.is_resource_modified(environ(HTTP_IF_MODIFIED_SINCE=value), last_modified=datetime.now(UTC))
    assert kay_moments.parse_date(value) is None


@rows(
    "name, argument, result",
    ("parse_accept_header", "text/*;q=.5", [("text/*", 0.5)]),
    ("parse_accept_header", "a/b;q=0.1234", [("a/b", 0.123)]),
    ("parse_accept_header", "a b, c", [("c", 1)]),
    ("parse_range_header", "bytes=0-1,", ("Range", "bytes=0-1")),
    ("parse_content_range_header", "bytes 0-98/50", None),
    ("parse_etags", '""', ({""}, {""}, False)),
    ("parse_date", "Fri, 31 Dec 2021 23:59:60 GMT", datetime(2021, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ("parse_cookie", "a=b c", [("a", "b c")]),
    ("parse_cookie", 'a=b"c;d=e', [("a", 'b"c'), ("d", "e")]),
    ("parse_cookie", "a=\xff", [("a", "\ufffd")]),
)
def test_read_otherwise_than_by_the_original(name, argument, result):
    assert plain(getattr(http, name)(argument)) == result
    assert outcome(lambda: plain(getattr(original, name)(argument))).value != result


@rows(
    "options",
    [{"key": "a;b"}, {"key": "a\n"}, {"key": "a\0"}, {"domain": "a; Secure"}, {"domain": "a\x7f"}, {"expires": "soon"}],
)
def test_cookies_that_no_header_can_have_are_refused(options):
    with pytest.raises(ValueError, match="cookie"):
        http.dump_cookie(**{"key": "a", "value": "b"} | options)


def test_a_cookie_that_is_too_large_is_warned_of():
    for library in (http, original):  # whose words programs match
        for words in ("cookie is too large", "the limit is 4093 bytes"):
            with pytest.warns(UserWarning, match=words):
                library.dump_cookie("a", "x" * 5000)
    assert len(http.dump_cookie("a", "x" * 5000, max_size=0)) > 5000


def test_a_moment_without_a_zone_is_in_utc():
    asked = environ(HTTP_IF_MODIFIED_SINCE="Sun, 06 Nov 1994 08:49:37 GMT")
    for moment in (datetime(1994, 11, 6, 8, 49, 37), datetime(1994, 11, 6, 8, 49, 38)):
        same(
            outcome(lambda moment=moment: original.is_resource_modified(asked, last_modified=moment)),
            outcome(lambda moment=moment: http.is_resource_modified(asked, last_modified=moment)),
        )


@rows("value", ["Basic", "Basic a=b", "Basic !", "Bearer abc"])
def test_credentials(value):
    theirs = original_datastructures.Authorization.from_header(value)
    ours = datastructures.Authorization.from_header(value)
    assert (theirs and theirs.to_header()) == (ours and ours.to_header())
