"""Responses, as the document has them: row by row."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from antiphon.dialects.webob import Request, Response
from tests.dialects.werkzeug.environs import called, environ, fields
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

feature = pytest.mark.feature
MOMENT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@feature("pyramid-053")
def test_the_status_is_code_and_reason():
    response = Response()
    response.status = "404 Not Here"
    assert (response.status, called(response, environ())[0]) == ("404 Not Here", "404 Not Here")


@feature("pyramid-054")
def test_status_int_is_the_code_and_supplies_the_reason():
    response = Response()
    response.status_int = 404
    assert (response.status_int, response.status_code, response.status) == (404, 404, "404 Not Found")


@feature("pyramid-055")
def test_the_headerlist_is_a_list_of_pairs_and_can_be_set():
    response = Response()
    response.headerlist = [("X-A", "1"), ("X-A", "2")]
    response.headerlist.append(("X-B", "3"))
    assert called(response, environ())[1] == [("X-A", "1"), ("X-A", "2"), ("X-B", "3")]


@feature("pyramid-056")
def test_headers_are_a_multidict_over_the_headerlist():
    response = Response(headerlist=[("X-A", "1"), ("X-A", "2")])
    assert (response.headers["x-a"], response.headers.getall("X-a")) == ("2", ["1", "2"])
    response.headers["x-A"] = "3"
    assert response.headerlist == [("Content-Length", "0"), ("x-A", "3")]


@feature("pyramid-057")
def test_app_iter_yields_the_body_and_can_be_set():
    response = Response(b"before")
    assert b"".join(response.app_iter) == b"before"
    response.app_iter = (chunk for chunk in (b"a", b"b"))
    assert (called(response, environ())[2], response.content_length) == (b"ab", None)


@feature("pyramid-058")
def test_the_body_is_bytes_and_can_be_set():
    response = Response(app_iter=iter([b"a", b"b"]))
    assert (response.body, response.content_length) == (b"ab", 2)
    response.body = b"other"
    assert (response.app_iter, response.content_length) == ([b"other"], 5)


@feature("pyramid-059")
def test_unicode_body_is_text_in_the_charset():
    response = Response(charset="latin-1")
    response.unicode_body = "\u00fc"
    assert (response.body, response.unicode_body, response.text) == (b"\xfc", "\u00fc", "\u00fc")
    response = Response("\u00fc".encode(), content_type="application/json")
    assert response.charset is None
    assert response.unicode_body == response.ubody == "\u00fc"


@feature("pyramid-060")
def test_each_write_to_body_file_appends_to_app_iter():
    response = Response()
    print("h\u00e9llo", file=response.body_file)
    assert response.body_file.write(b"bytes") == 5
    assert b"".join(response.app_iter) == response.body == "h\u00e9llo\nbytes".encode()
    assert response.content_length == response.body_file.tell() == 12


@feature("pyramid-061")
def test_all_attributes_share_one_state():
    response = Response("text", content_type="text/plain")
    response.content_type = "text/html"
    response.headers["X-A"] = "1"
    response.location = "/x"
    response.write(" more")
    response.status_int = 302
    assert response.headers["content-type"] == "text/html; charset=UTF-8"
    assert dict(response.headerlist)["Location"] == response.headers["location"] == "/x"
    assert (response.text, response.headers["Content-Length"], response.status) == ("text more", "9", "302 Found")
    del response.headerlist
    assert (response.location, response.content_type, dict(response.headers)) == (None, None, {})


@feature("pyramid-062")
def test_the_content_type_is_without_the_charset():
    response = Response(content_type="text/plain")
    assert (response.content_type, response.headers["Content-Type"]) == ("text/plain", "text/plain; charset=UTF-8")
    response.content_type = "image/png"
    assert (response.content_type, response.headers["Content-Type"]) == ("image/png", "image/png")
    del response.content_type
    assert response.content_type is None


@feature("pyramid-063")
def test_the_charset_is_that_of_the_content_type():
    response = Response(content_type="text/html")
    response.charset = "latin-1"
    response.text = "\u00fc"
    assert (response.charset, response.body) == ("latin-1", b"\xfc")
    assert response.headers["Content-Type"] == "text/html; charset=latin-1"
    response.charset = None
    assert (response.charset, response.headers["Content-Type"]) == (None, "text/html")


@feature("pyramid-064")
def test_content_type_params_are_all_parameters():
    response = Response(content_type='text/plain; format=flowed; title="a \\"b\\""')
    assert response.content_type_params == {"format": "flowed", "title": 'a "b"', "charset": "UTF-8"}
    response.content_type_params = {"b": "c d", "a": 'e"f'}
    assert response.headers["Content-Type"] == 'text/plain; a="e\\"f"; b="c d"'
    del response.content_type_params
    assert response.headers["Content-Type"] == "text/plain"


def cookies(response):
    return response.headers.getall("Set-Cookie")


@feature("pyramid-065")
def test_a_cookie_is_set_for_all_paths():
    response = Response()
    response.set_cookie("plain", "v")
    response.set_cookie(
        "full", "v", path="/a", domain="a.example", secure=True, httponly=True, samesite="lax", comment="c"
    )
    full = "full=v; Comment=c; Domain=a.example; Path=/a; secure; HttpOnly; SameSite=lax"
    assert cookies(response) == ["plain=v; Path=/", full]
    response.set_cookie("plain", "w", overwrite=True)
    assert cookies(response) == [full, "plain=w; Path=/"]


@feature("pyramid-066")
@rows("max_age", [90061, timedelta(days=1, hours=1, minutes=1, seconds=1)])
def test_the_lifetime_is_seconds_or_a_timedelta(max_age):
    response = Response()
    response.set_cookie("a", "b", max_age=max_age)
    assert "Max-Age=90061;" in cookies(response)[0]


def expires_in(cookie):
    date = cookie.partition("expires=")[2].partition(";")[0]
    return datetime.strptime(date, "%a, %d-%b-%Y %H:%M:%S GMT").replace(tzinfo=UTC) - datetime.now(UTC)


@feature("pyramid-067")
@rows(
    "lifetime",
    [{"max_age": 3600}, {"expires": timedelta(hours=1)}, {"expires": 3600}],
    ids=["max_age", "delta", "seconds"],
)
def test_max_age_sets_expires_too(lifetime):
    response = Response()
    response.set_cookie("a", "b", **lifetime)
    assert "Max-Age=3600" in cookies(response)[0]
    assert timedelta(minutes=59) < expires_in(cookies(response)[0]) <= timedelta(hours=1)


@rows("zone", [UTC, None, "ahead"])
def test_expires_may_be_a_date(zone):
    from datetime import timezone

    until = datetime.now(timezone(timedelta(hours=5)) if zone == "ahead" else UTC) + timedelta(hours=1)
    response = Response()
    response.set_cookie("a", "b", expires=until.replace(tzinfo=None) if zone is None else until)
    assert timedelta(minutes=59) < expires_in(cookies(response)[0]) <= timedelta(hours=1)


@feature("pyramid-068")
def test_a_deleted_cookie_is_empty_and_over():
    response = Response()
    response.delete_cookie("a", path="/x", domain="a.example")
    (cookie,) = cookies(response)
    assert cookie.startswith("a=; Domain=a.example; Max-Age=0; Path=/x; expires=")
    assert expires_in(cookie.replace("31-Dec-97", "31-Dec-1997")) < timedelta(0)


@feature("pyramid-069")
@rows("seconds", [3600, timedelta(hours=1)])
def test_cache_expires_lets_caches_keep_a_response(seconds):
    response = Response()
    response.cache_expires(seconds, public=True)
    assert response.headers["Cache-Control"] == "max-age=3600, public"
    assert timedelta(minutes=59) < response.expires - datetime.now(UTC) <= timedelta(hours=1)
    response.cache_expires = 5
    assert response.headers["Cache-Control"] == "max-age=5"


@feature("pyramid-070")
@rows("seconds", [(), (0,), (True,)])
def test_a_response_that_caches_may_not_keep(seconds):
    response = Response()
    response.cache_expires(*seconds)
    assert response.headers["Cache-Control"] == "max-age=0, must-revalidate, no-cache, no-store"
    assert response.pragma == "no-cache"
    assert response.expires <= datetime.now(UTC)


@feature("pyramid-071")
def test_a_response_is_an_application():
    status, lines, body = called(Response("hi", status=201), environ())
    assert (status, dict(lines)["Content-Length"], body) == ("201 Created", "2", b"hi")
    assert Request.blank("/").get_response(Response("hi")).text == "hi"


@feature("pyramid-072")
@rows(
    "keys, status",
    [
        ({}, 200),
        ({"HTTP_IF_NONE_MATCH": '"a"'}, 304),
        ({"HTTP_IF_NONE_MATCH": "*"}, 304),
        ({"HTTP_IF_NONE_MATCH": '"b"', "HTTP_IF_MODIFIED_SINCE": "Fri, 20 Nov 2026 12:00:00 GMT"}, 200),
        ({"HTTP_IF_MODIFIED_SINCE": "Fri, 20 Nov 2026 12:00:00 GMT"}, 304),
        ({"HTTP_IF_MODIFIED_SINCE": "Fri, 20 Nov 2026 11:59:59 GMT"}, 200),
        ({"HTTP_IF_NONE_MATCH": '"a"', "REQUEST_METHOD": "POST"}, 200),
    ],
)
def test_conditions_are_honoured_if_that_is_wanted(keys, status):
    response = Response("body", etag="a", last_modified=MOMENT)
    assert called(response, environ(**keys))[0] == "200 OK"
    response.conditional_response = True
    sent, lines, body = called(response, environ(**keys))
    assert (int(sent[:3]), body) == (status, b"" if status == 304 else b"body")
    assert dict(lines)["ETag"] == '"a"'


@rows("status", [404, 500, 302])
def test_only_a_success_becomes_a_304(status):
    """RFC 9110 section 13.2.1; WebOb answers 304 where there is an error page with a tag."""
    response = Response("error", status, etag="a", conditional_response=True)
    assert called(response, environ(HTTP_IF_NONE_MATCH='"a"'))[2] == b"error"


def test_conditions_are_honoured_by_default_in_a_class_that_says_so():
    class Conditional(Response):
        default_conditional_response = True

    assert called(Conditional(etag="a"), environ(HTTP_IF_NONE_MATCH='"a"'))[0] == "304 Not Modified"


@feature("pyramid-073")
@rows("conditional", [True, False])
def test_head_is_answered_with_headers_alone(conditional):
    closed = []

    class Chunks:
        def __iter__(self):
            raise AssertionError("nothing is read")

        def close(self):
            closed.append(True)

    response = Response(app_iter=Chunks(), content_length=5, conditional_response=conditional)
    status, lines, body = called(response, environ(REQUEST_METHOD="HEAD"))
    assert (status, dict(lines)["Content-Length"], body, closed) == ("200 OK", "5", b"", [True])


@feature("pyramid-074")
@rows(
    "asked, status, content_range, body",
    [
        ("bytes=2-4", 206, "bytes 2-4/10", b"234"),
        ("bytes=8-", 206, "bytes 8-9/10", b"89"),
        ("bytes=-3", 206, "bytes 7-9/10", b"789"),
        ("bytes=-99", 206, "bytes 0-9/10", b"0123456789"),
        ("bytes=5-99", 206, "bytes 5-9/10", b"56789"),
        ("bytes=10-", 416, "bytes */10", None),
        ("bytes=1-2,4-5", 200, None, b"0123456789"),
        ("bytes=-", 200, None, b"0123456789"),
        ("bytes=x", 200, None, b"0123456789"),
    ],
)
@rows("app_iter", [[b"0123456789"], [b"0", b"1234", b"", b"56789"], BytesIO(b"0123456789")])
def test_ranges(asked, status, content_range, body, app_iter):
    response = Response(app_iter=app_iter, content_length=10, conditional_response=True)
    if isinstance(app_iter, BytesIO):
        response.app_iter, response.content_length = BytesIO(app_iter.getvalue()), 10
    sent, lines, content = called(response, environ(HTTP_RANGE=asked))
    assert (int(sent[:3]), dict(lines).get("Content-Range")) == (status, content_range)
    assert dict(lines)["Content-Length"] == str(len(content))
    assert body is None or content == body


HEADERS = {
    "accept_ranges": ("bytes", "bytes"), "age": (5, "5"), "allow": (("GET", "PUT"), "GET, PUT"),
    "content_disposition": ("attachment", "attachment"), "content_encoding": ("gzip", "gzip"),
    "content_language": (("de", "en"), "de, en"), "content_length": (0, "0"), "content_location": ("/x", "/x"),
    "content_md5": ("x", "x"), "date": (MOMENT, "Fri, 20 Nov 2026 12:00:00 GMT"), "etag": ("a", '"a"'),
    "expires": (MOMENT, "Fri, 20 Nov 2026 12:00:00 GMT"), "last_modified": (MOMENT, "Fri, 20 Nov 2026 12:00:00 GMT"),
    "location": ("http://a.example/", "http://a.example/"), "pragma": ("no-cache", "no-cache"),
    "retry_after": (MOMENT, "Fri, 20 Nov 2026 12:00:00 GMT"), "server": ("s", "s"), "vary": (("A", "B"), "A, B"),
    "www_authenticate": (("Basic", {"realm": "r"}), 'Basic realm="r"'),
}  # fmt: skip


@feature("pyramid-075")
@rows("name", HEADERS)
def test_each_header_is_an_attribute(name):
    value, printed = HEADERS[name]
    response = Response(**{name: value})
    field = {"etag": "ETag", "www_authenticate": "WWW-Authenticate", "content_md5": "Content-MD5"}.get(
        name, name.replace("_", "-").title()
    )
    assert (getattr(response, name), fields(response)[field]) == (value, printed)
    delattr(response, name)
    assert (getattr(response, name), field in response.headers) == (None, False)


@feature("pyramid-076")
@rows("timestamp", [1795176000, 1795176000.9])
def test_last_modified_takes_a_timestamp(timestamp):
    response = Response()
    response.last_modified = timestamp
    assert response.headers["Last-Modified"] == "Fri, 20 Nov 2026 12:00:00 GMT"
    assert response.last_modified == MOMENT


@feature("pyramid-077")
def test_a_response_with_a_body_and_a_content_type():
    response = Response(body="hello world!", content_type="text/plain")
    assert (response.body, response.content_type, response.content_length) == (b"hello world!", "text/plain", 12)


@feature("pyramid-078")
def test_any_attribute_may_be_a_keyword():
    response = Response(status_int=404, text="gone", cache_control="no-store", vary=["Accept"], request="request")
    assert (response.status, response.body, response.request) == ("404 Not Found", b"gone", "request")
    assert (response.cache_control.no_store, response.vary) == (True, ("Accept",))
    with pytest.raises(TypeError, match="colour"):
        Response(colour="red")


@feature("pyramid-079")
def test_the_status_is_200_unless_told_otherwise():
    assert called(Response(), environ())[0] == "200 OK"


@feature("pyramid-080")
def test_a_class_has_a_default_content_type():
    class Plain(Response):
        default_content_type = "text/plain"
        default_charset = "latin-1"

    class Bare(Response):
        default_content_type = None

    assert (Plain("\u00fc").headers["Content-Type"], Plain("\u00fc").body) == ("text/plain; charset=latin-1", b"\xfc")
    assert (Bare(b"x").content_type, Response().content_type) == (None, "text/html")
