"""Responses beside those of WebOb: made, changed and sent in the same way."""

import re
import zlib
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.dialects.webob import response as dialect
from tests.dialects.webob.original import response as original
from tests.dialects.werkzeug.environs import called, environ
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MADE = {
    "nothing": {}, "bytes": {"body": b"bytes"}, "text": {"body": "t\u00fc"},
    "text in another charset": {"body": "t\u00fc", "charset": "latin-1"},
    "text without a charset": {"body": "t\u00fc", "charset": None},
    "text for an image": {"body": "t", "content_type": "image/png"},
    "text for an image, with a charset": {"body": "t\u00fc", "content_type": "image/png", "charset": "utf-8"},
    "text with a charset of its own": {"body": "t\u00fc", "content_type": "text/x;charset=latin-1", "charset": "utf-8"},
    "a number": {"body": 5}, "chunks": {"app_iter": [b"a", b"b"]},
    "chunks and a length": {"app_iter": (b"a", b"b"), "content_length": 2},
    "both": {"body": b"", "app_iter": []}, "a code": {"status": 404}, "an unknown code": {"status": 299},
    "digits": {"status": "201"}, "a line": {"status": "404 gone astray"}, "a line in bytes": {"status": b"200 Fine"},
    "words": {"status": "not a number"}, "no content": {"status": 204, "body": b"x"},
    "not modified": {"status": "304 Not Modified", "content_type": "text/plain"},
    "continue": {"status": 100}, "a status of another type": {"status": ()},
    "lines": {"headerlist": [("X-A", "1"), ("x-a", "2")], "body": b"x"},
    "lines with a length": {"headerlist": [("content-length", "9")], "body": b"x"},
    "lines and chunks": {"headerlist": [("Content-Length", "1")], "app_iter": [b"x"]},
    "lines and text": {"headerlist": [("Content-Type", "text/plain; charset=latin-1")], "body": "t\u00fc"},
    "lines and text without a charset": {"headerlist": [], "body": "t"},
    "XML": {"content_type": "application/xml"}, "markup": {"content_type": "image/svg+xml"},
    "Atom": {"content_type": "application/atom+xml"}, "an image": {"content_type": "image/png"},
    "JSON": {"json": {"a": ["\u00fc", None]}},
    "JSON of a type": {"json_body": [1], "content_type": "application/x+json"},
    "JSON beside a body": {"json": 1, "body": b"2"},
    "attributes": {"cache_control": "no-store", "etag": "a", "location": "/x", "vary": ["A"], "server": "s"},
    "more attributes": {"status_int": 404, "text": "gone", "request": "request"},
    "what is no attribute": {"colour": "red"},
}  # fmt: skip

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
VALUES = {
    "accept_ranges": ["bytes", "", 5], "age": [5, "6", None], "allow": [["GET", "PUT"], "GET, ,PUT", ("A",), None],
    "content_disposition": ["attachment"], "content_encoding": ["gzip"], "content_language": [["de", "en"], "fr"],
    "content_location": ["/x"], "content_md5": ["x"], "content_length": [0, 7, "8", None], "server": ["a b"],
    "content_range": [(0, 5), (0, 5, 10), [None, None, 7], "bytes 0-1/5", None, (1,), (5, 1, 3), "nonsense", ""],
    "date": [MOMENT, MOMENT.replace(tzinfo=None), date(1994, 11, 6), 5, 1.5, "Sun, 06 Nov 1994 08:49:37 GMT", "x"],
    "expires": [MOMENT, 0, None, [], object], "last_modified": [MOMENT, 783_072_000.75, (1994, 11, 6, 8, 9, 7, 0)],
    "etag": ["a", '"a"', 'W/"a"', ("a", False), ("a", True), 'a"b', "", None, "W/x"], "location": ["/x", None, "\ta"],
    "pragma": ["no-cache"], "retry_after": [MOMENT, None, "nonsense"], "vary": ["*", ("A", "B"), []],
    "www_authenticate": [
        'Basic realm="x"', ("Basic", {"realm": "x"}), ("Digest", 'realm="x", nonce="y"'), "Bearer", "Basic abc==", None,
    ],
    "status": [200, "404", "404 x", "x", 204, None], "status_code": [201, 299], "status_int": [404],
    "content_type": ["text/plain", "a/b", "text/x; charset=latin-1", "text/x; a=b", None, "", 5],
    "charset": ["latin-1", None], "content_type_params": [{"charset": "latin-1", "a": "b c"}, {}],
    "body": [b"x", "x", None], "text": ["t\u00fc", b"x"], "unicode_body": ["t"], "ubody": ["t"],
    "json": [{"a": "\u00fc"}, None], "json_body": [[1, 2]], "app_iter": [[b"a", b"b"], (b"a",), [], None],
    "headers": [{"X-A": "1"}, [("X-A", "1"), ("X-A", "2")]], "headerlist": [{"X-A": "1"}, [("X-A", "1")], ()],
    "cache_control": ["max-age=5, no-cache", {"max-age": 5}],
}  # fmt: skip
KEPT = ("status", "status_code", "status_int", "headers")
"""What can't be deleted."""
SETTING = [(name, value) for name, values in VALUES.items() for value in values]


def set_coded(response, coding, body):
    response.content_encoding, response.body = coding, body


CHANGES = {
    "written": lambda r: (r.write("a"), r.body_file.write(b"b"), r.body_file.writelines(["c", b"d"]))[0:0],
    "written over chunks": lambda r: [setattr(r, "app_iter", iter([b"a"])), r.write("c"), r.body_file.tell()][2],
    "written without a charset": lambda r: (setattr(r, "content_type", "a/b"), r.write("c")),
    "a number written": lambda r: r.write(5),
    "text in another charset": lambda r: (setattr(r, "charset", "latin-1"), setattr(r, "ubody", "\u00fc"), r.text),
    "text of a type without a charset": lambda r: (setattr(r, "content_type", "a/b+json"), r.charset, r.unicode_body),
    "lines appended": lambda r: (setattr(r, "headerlist", [("X-A", "1")]), r.headerlist.append(("X-B", "2"))),
    "from a file": lambda r: setattr(r, "body_file", BytesIO(b"abc")),
    "the body of chunks": lambda r: (setattr(r, "app_iter", iter([b"a", b"b"])), r.body, r.content_length),
    "text among chunks": lambda r: (setattr(r, "app_iter", ["a", "b"]), r.body),
    "another length": lambda r: (setattr(r, "app_iter", (b"a",)), setattr(r, "content_length", 5), r.body),
    "a cookie": lambda r: r.set_cookie("a", "b"),
    "two cookies": lambda r: (r.set_cookie("a", "b"), r.set_cookie("b", "c", path="/x", domain="example.com")),
    "a cookie with all": lambda r: r.set_cookie("a", "b", secure=True, httponly=True, samesite="strict", comment="c"),
    "a cookie again": lambda r: (r.set_cookie("a", "b"), r.set_cookie("a", "c")),
    "a cookie overwritten": lambda r: (r.set_cookie("a", "b"), r.set_cookie("a", "c", overwrite=True)),
    "a cookie deleted": lambda r: r.delete_cookie("a", path="/x", domain="example.com"),
    "a cookie unset": lambda r: (r.set_cookie("a", "b"), r.set_cookie("c", "d"), r.unset_cookie("a")),
    "no cookie unset": lambda r: r.unset_cookie("a"),
    "no cookie unset, which is no fault": lambda r: r.unset_cookie("a", strict=False),
    "a wrong samesite": lambda r: r.set_cookie("a", "b", samesite="x"),
    "headers added": lambda r: (r.headers.add("X-A", "1"), r.headers.add("x-a", "2"), r.headers.getall("X-a"))[2],
    "headers set": lambda r: (r.headers.update({"X-A": "1"}, X_B="2"), r.headers.setdefault("x-a", "3"))[1],
    "headers deleted": lambda r: r.headers.__delitem__("content-type"),
    "a missing header deleted": lambda r: r.headers.__delitem__("x-missing"),
    "a header popped": lambda r: (r.headers.pop("content-length"), r.headers.pop("x", "y")),
    "headers extended": lambda r: r.headers.extend([("X-A", "1"), ("X-A", "2")], X="3"),
    "headers read": lambda r: (
        list(r.headers), len(r.headers), "CONTENT-type" in r.headers, r.headers.mixed(), r.headers.dict_of_lists(),
        list(r.headers.items()), list(r.headers.keys()), list(r.headers.values()), r.headers.get("content-type"),
        r.headers.getone("content-length"), repr(r.headers), r.headers.copy() is r.headers,
    ),
    "the last of several": lambda r: (r.headers.add("X", "1"), r.headers.add("X", "2"), r.headers["X"]),
    "one of several": lambda r: (r.headers.add("X", "1"), r.headers.add("X", "2"), r.headers.getone("X")),
    "two content types": lambda r: (r.headers.add("content-type", "a/b; charset=x"), r.content_type, r.charset),
    "cache control": lambda r: [setattr(r.cache_control, *pair) for pair in [("max_age", 5), ("public", True)]][0:0],
    "cache control changed twice": lambda r: (
        setattr(r, "cache_control", "private"), setattr(r.cache_control, "max_age", 5), r.headers["Cache-Control"],
    ),
    "an md5 etag": lambda r: (setattr(r, "body", b"abc"), r.md5_etag(set_content_md5=True), r.etag, r.etag_strong),
    "an md5 etag of other bytes": lambda r: r.md5_etag(b"abc"),
    "a strong etag of a weak one": lambda r: (setattr(r, "etag", ("a", False)), r.etag, r.etag_strong),
    "encoded and decoded": lambda r: (
        setattr(r, "body", b"abc" * 99), r.encode_content(), r.encode_content(), r.content_encoding, r.decode_content(),
    ),
    "encoded lazily": lambda r: (r.encode_content(lazy=True), r.content_length, r.encode_content("identity"), r.body),
    "encoded": lambda r: (setattr(r, "app_iter", [b"abc", b"", b"def" * 99]), r.encode_content()),
    "inflated": lambda r: (set_coded(r, "deflate", zlib.compress(b"abc")), r.decode_content(), r.body),
    "inflated, without a head": lambda r: (set_coded(r, "deflate", zlib.compress(b"abc")[2:-4]), r.decode_content()),
    "decoded where nothing is encoded": lambda r: (r.decode_content(), r.body),
    "bytes that are not in the coding": lambda r: (set_coded(r, "deflate", b"abc"), r.decode_content()),
    "no body": lambda r: (setattr(r, "app_iter", None), r.has_body, r.body),
    "JSON read": lambda r: (setattr(r, "body", b'{"a": [1]}'), r.json, r.json_body),
    "no JSON read": lambda r: r.json,
    "numbers among chunks": lambda r: (setattr(r, "app_iter", iter([1])), r.body),
    "no encoding": lambda r: (setattr(r, "default_body_encoding", None), setattr(r, "charset", None), r.text),
    "encoded in another coding": lambda r: r.encode_content("br"),
    "decoded from another coding": lambda r: (setattr(r, "content_encoding", "br"), r.decode_content()),
    "a copy": lambda r: (r.set_cookie("a", "b"), r.copy().headerlist, r.copy().body, r.copy().headers is r.headers),
    "as text": lambda r: (setattr(r, "text", "t\u00fc"), str(r)),
    "as text without a body": lambda r: r.__str__(skip_body=True),
    "parts": lambda r: (setattr(r, "body", b"abcdef"), *[b"".join(r.app_iter_range(2, end)) for end in (3, None)]),
    "deleted": lambda r: [delattr(r, name) for name in VALUES if name not in (*KEPT, "cache_control")],
}  # fmt: skip


def sent(response, **keys):
    return called(response, environ(**keys))


def fresh(value):
    return iter(list(value)) if hasattr(value, "__next__") else value


def made(library, keywords):
    copied = {name: list(value) if isinstance(value, list) else value for name, value in keywords.items()}
    return library.Response(**copied)


@rows("method", ["GET", "HEAD"])
@rows("keywords", MADE.values(), ids=MADE)
def test_made(keywords, method):
    def make(library):
        response = made(library, keywords)
        return (
            *sent(response, REQUEST_METHOD=method),
            response.charset,
            response.content_type_params,
            response.has_body,
        )

    same(outcome(make, original), outcome(make, dialect))


def shown(value):
    return (
        repr(value)
        if hasattr(value, "properties") or type(value).__name__ in ("ContentRange", "ResponseHeaders")
        else value
    )


@rows("name, value", SETTING)
@rows("before", [{}, {"body": b"before", "vary": "X"}], ids=["empty", "full"])
def test_an_attribute_set_read_and_deleted(name, value, before):
    def change(library):
        response = made(library, before)
        setattr(response, name, list(value) if isinstance(value, list) else value)
        read = shown(getattr(response, name)) if name != "app_iter" else list(response.app_iter)
        lines = list(response.headerlist)
        if name not in KEPT:
            delattr(response, name)
        return read, lines, response.status, response.headerlist

    same(outcome(change, original), outcome(change, dialect))


@rows("change", CHANGES.values(), ids=CHANGES)
def test_changed(change):
    def run(library):
        response = library.Response("text")
        result = change(response)
        return result, *sent(response)

    same(outcome(run, original), outcome(run, dialect))


FILES = {
    "bytes": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nabc",
    "without a version": b"404 Gone Astray\nX-A: 1\nContent-Length: 0\n\nabc",
    "text": "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nab",
    "without a length": b"200 OK\r\nX-A:b:c \r\n\r\nabc",
    "a bad line": b"200 OK\r\nbad\r\n\r\n",
}


@rows("text", FILES.values(), ids=FILES)
def test_read_from_a_file(text):
    def read(library):
        response = library.Response.from_file(StringIO(text, "") if isinstance(text, str) else BytesIO(text))
        return response.status, response.headerlist, response.body

    same(outcome(read, original), outcome(read, dialect))


TAGGED = {"body": b"abcdef", "etag": "a", "last_modified": MOMENT, "conditional_response": True}
ASKED = {
    "nothing": {}, "the same tag": {"HTTP_IF_NONE_MATCH": '"a"'},
    "several tags": {"HTTP_IF_NONE_MATCH": '"b", W/"a"'}, "another tag": {"HTTP_IF_NONE_MATCH": '"b"'},
    "another tag and the same date": {
        "HTTP_IF_NONE_MATCH": '"b"', "HTTP_IF_MODIFIED_SINCE": "Sun, 06 Nov 1994 08:49:37 GMT",
    },
    "the same date": {"HTTP_IF_MODIFIED_SINCE": "Sun, 06 Nov 1994 08:49:37 GMT"},
    "an earlier date": {"HTTP_IF_MODIFIED_SINCE": "Sun, 06 Nov 1994 08:49:36 GMT"},
    "a bad date": {"HTTP_IF_MODIFIED_SINCE": "x"}, "a part": {"HTTP_RANGE": "bytes=1-3"},
    "from a byte": {"HTTP_RANGE": "bytes=4-"}, "the last bytes": {"HTTP_RANGE": "bytes=-2"},
    "beyond the end": {"HTTP_RANGE": "bytes=2-99"}, "nothing of it": {"HTTP_RANGE": "bytes=9-"},
    "another unit": {"HTTP_RANGE": "lines=1-2"}, "the wrong way round": {"HTTP_RANGE": "bytes=3-1"},
    "a part of this version": {"HTTP_RANGE": "bytes=1-3", "HTTP_IF_RANGE": '"a"'},
    "a part of another version": {"HTTP_RANGE": "bytes=1-3", "HTTP_IF_RANGE": '"b"'},
    "a part of this date": {"HTTP_RANGE": "bytes=1-3", "HTTP_IF_RANGE": "Sun, 06 Nov 1994 08:49:37 GMT"},
    "a part of an earlier date": {"HTTP_RANGE": "bytes=1-3", "HTTP_IF_RANGE": "Sun, 06 Nov 1993 08:49:37 GMT"},
}  # fmt: skip


@rows("method", ["GET", "HEAD", "POST"])
@rows("keys", ASKED.values(), ids=ASKED)
def test_conditions_and_ranges(keys, method):
    def send(library):
        return sent(library.Response(**TAGGED), REQUEST_METHOD=method, **keys)

    same(outcome(send, original), outcome(send, dialect))


LOCATIONS = [
    "x", "/x", "../x", "./x/../y", "?q", "#f", "", "/x?a=b#c", "//evil.example", "///evil.example", "//evil.example/x",
    "http://other.example/", "https://other.example", "mailto:x@example.com", "/\tx", "/\t/evil.example", "a b",
    " //evil.example", "\\\\evil.example", "/\\evil.example", "/.//evil.example", "/..//evil.example", "x:y",
    ".//evil.example", "/%2fx", "\x0b//evil.example", "\u00fc",
]  # fmt: skip


@rows("location", LOCATIONS)
@rows("keys", [
    {}, {"SCRIPT_NAME": "/app", "PATH_INFO": "/\u00c3\u00bc/x y"}, {"HTTP_HOST": None}, {"HTTP_HOST": "h:80"},
    {"HTTP_HOST": "h:443", "wsgi__url_scheme": "https"}, {"PATH_INFO": ""},
])  # fmt: skip
def test_a_location(location, keys):
    def send(library):
        return sent(library.Response(status=302, location=location), **keys)[1]

    same(outcome(lambda library: escaped(send(library)), original), outcome(send, dialect))


def escaped(lines):
    """Header lines with what is not ASCII, and control characters, as percent-escapes: not every server sends those."""
    return [(name, re.sub("[^ -~]", lambda found: quote(found[0]), value)) for name, value in lines]


names = st.sampled_from(sorted({*VALUES} - {"headers", "headerlist", "app_iter", "cache_control"}))
writes = st.one_of(
    st.sampled_from([pair for pair in SETTING if pair[0] != "cache_control"]).map(
        lambda pair: lambda r: setattr(r, pair[0], list(pair[1]) if isinstance(pair[1], list) else pair[1])
    ),
    names.map(lambda name: lambda r: delattr(r, name)),
    st.tuples(st.sampled_from(["a", "b"]), st.text("xyz", max_size=2)).map(lambda pair: lambda r: r.set_cookie(*pair)),
    st.sampled_from(["X-A", "x-a", "vary"]).map(lambda name: lambda r: r.headers.add(name, "text/plain")),
    st.sampled_from(["X-A", "vary"]).map(lambda name: lambda r: r.headers.__setitem__(name, "1")),
    st.sampled_from(["", "a", "bc"]).map(lambda text: lambda r: r.write(text) and None),
    st.sampled_from([5, None]).map(lambda seconds: lambda r: setattr(r.cache_control, "max_age", seconds)),
)


@settings(max_examples=3 * settings.default.max_examples)
@given(st.lists(writes, max_size=8))
def test_any_writes(changes):
    theirs, ours = original.Response(), dialect.Response()
    for change in changes:
        done = outcome(change, theirs), outcome(change, ours)
        assert (done[0].error is None) is (done[1].error is None)
        if done[0].error:  # by then WebOb has deleted what was to be set
            return
        for response in (theirs, ours):
            if response.app_iter is None:
                response.app_iter = []
        assert (ours.status, ours.headerlist) == (theirs.status, theirs.headerlist)
    same(outcome(lambda: sent(theirs)[2]), outcome(lambda: sent(ours)[2]))
