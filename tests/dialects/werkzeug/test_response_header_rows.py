"""What the documents say of the headers of a response, where no comparison with Werkzeug shows it."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import ContentRange, Headers
from antiphon.dialects.werkzeug.wrappers import BaseResponse, Request, Response
from antiphon.dialects.werkzeug.wsgi import wrap_file
from tests.dialects.werkzeug.environs import called, environ, fields
from tests.helpers.rows import rows

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
WRITTEN = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.feature("kay-092")
@rows(
    "status, line, code",
        (None, "200 OK", 200), (404, "404 NOT FOUND", 404), ("404", "404 NOT FOUND", 404),
        ("404 Nix da", "404 Nix da", 404), (799, "799 UNKNOWN", 799), ("Odd", "0 Odd", 0),
)  # fmt: skip
def test_a_status_is_a_number_or_a_line(status, line, code):
    response = Response(status=status)
    assert (response.status, response.status_code) == (line, code)


@pytest.mark.feature("kay-093")
def test_headers_are_pairs_or_an_object_that_is_kept():
    assert Response(headers=[("X-A", "b"), ("X-A", "c")]).headers.getlist("x-a") == ["b", "c"]
    headers = Headers([("X-A", "b")])
    assert Response(headers=headers).headers is headers


@pytest.mark.feature("kay-098", "kay-105")
def test_the_part_of_tags_works_by_itself():
    own = type("Own", (wrappers.ETagResponseMixin, BaseResponse), {})("text")
    own.add_etag()
    assert (
        called(own.make_conditional(environ(HTTP_IF_NONE_MATCH=own.headers["ETag"])), environ())[0]
        == "304 NOT MODIFIED"
    )


@pytest.mark.feature("kay-103")
def test_a_status_with_a_line_end_is_refused():
    with pytest.raises(ValueError, match="control characters"):
        Response(status="200 OK\r\nX-Bad: 1")


@rows("status", ["abc", 0, 99, 1000, -200])
def test_a_status_without_a_code_of_three_digits_is_not_sent(status):
    with pytest.raises(ValueError, match="code of three digits"):
        called(Response("body", status=status), environ())


@pytest.mark.feature("kay-102", "kay-103")
def test_status_and_code_keep_in_step():
    response = Response()
    response.status_code = 404
    assert response.status == "404 NOT FOUND"
    response.status = "201 Made"
    assert response.status_code == 201


@pytest.mark.feature("kay-105", "kay-132", "kay-155")
def test_tags():
    response = Response("body")
    assert response.get_etag() == (None, None)
    response.add_etag()
    made, weak = response.get_etag()
    assert made
    assert not weak
    response.set_etag("own", weak=True)
    assert response.get_etag() == ("own", True)
    response.add_etag(weak=True)
    assert response.get_etag() == ("own", True)
    response.add_etag(overwrite=True, weak=True)
    assert response.get_etag() == (made, True)
    assert Response("other").add_etag() is None


@pytest.mark.feature("kay-116", "kay-117")
def test_content_range_is_there_in_any_case():
    response = Response()
    assert not response.content_range
    response.content_range.set(0, 5, 10)
    assert response.headers["Content-Range"] == "bytes 0-4/10"
    found = response.content_range
    assert (found.units, found.start, found.stop, found.length) == ("bytes", 0, 5, 10)
    found.unset()
    assert "Content-Range" not in response.headers
    response.content_range = ContentRange("bytes", None, None, 10)
    assert response.headers["Content-Range"] == "bytes */10"


@pytest.mark.feature("kay-135")
def test_content_length_is_set_where_it_is_known():
    assert fields(Response(["a", "\u00fc"]))["Content-Length"] == "3"
    assert "Content-Length" not in fields(Response(iter(["a"])))
    assert "Content-Length" not in fields(Response("text", 204))
    made = fields(Response("text", 304, {"ETag": '"a"', "Content-Language": "de", "Expires": WRITTEN}))
    assert made == {"ETag": '"a"', "Expires": WRITTEN}
    own = type("Own", (Response,), {"automatically_set_content_length": False})
    assert "Content-Length" not in fields(own("text"))


def test_headers_that_a_subclass_changes_are_sent():
    class Own(Response):
        def get_wsgi_headers(self, environ):
            headers = super().get_wsgi_headers(environ)
            headers["X-Own"] = "yes"
            return headers

    assert fields(Own("text"))["X-Own"] == "yes"


@pytest.mark.feature("kay-146", "kay-147")
def test_media_type_and_its_parameters():
    response = Response(content_type="Text/html; charset=utf-8")
    assert response.mimetype == "Text/html"
    assert response.mimetype_params == {"charset": "utf-8"}
    response.mimetype_params["x"] = "y z"
    assert response.headers["Content-Type"] == 'Text/html; charset=utf-8; x="y z"'
    response.mimetype = "text/xml"
    assert response.headers["Content-Type"] == "text/xml; charset=utf-8"


@pytest.mark.feature("kay-148")
def test_retry_after():
    response = Response(status=503)
    assert response.retry_after is None
    response.retry_after = 60
    assert response.headers["Retry-After"] == "60"
    assert abs(response.retry_after - datetime.now(UTC) - timedelta(seconds=60)) < timedelta(minutes=1)
    response.retry_after = MOMENT
    assert response.headers["Retry-After"] == WRITTEN
    assert response.retry_after == MOMENT
    response.retry_after = None
    assert "Retry-After" not in response.headers


@pytest.mark.feature("kay-158")
def test_changes_of_the_challenge_are_sent():
    from antiphon.dialects.werkzeug.datastructures import WWWAuthenticate

    response = Response(status=401)
    response.www_authenticate = WWWAuthenticate("basic", {"realm": "here"})
    assert response.headers["WWW-Authenticate"] == "Basic realm=here"
    response.www_authenticate.realm = "over there"
    assert response.headers["WWW-Authenticate"] == 'Basic realm="over there"'
    response.www_authenticate = [WWWAuthenticate("basic", {"realm": "a"}), WWWAuthenticate("bearer", {"realm": "b"})]
    assert len(response.headers.getlist("WWW-Authenticate")) == 2
    del response.www_authenticate
    assert "WWW-Authenticate" not in response.headers


def test_policies():
    response = Response()
    response.content_security_policy.default_src = "'self'"
    assert response.headers["Content-Security-Policy"] == "default-src 'self'"
    response.content_security_policy_report_only = "img-src *"
    assert response.content_security_policy_report_only.img_src == "*"
    response.content_security_policy = None
    assert "Content-Security-Policy" not in response.headers


@pytest.mark.feature("kay-142")
@rows(
    "wanted, status, body, content_range",
    ("bytes=1-3", 206, b"123", "bytes 1-3/10"),
    ("bytes=7-", 206, b"789", "bytes 7-9/10"),
    ("bytes=-2", 206, b"89", "bytes 8-9/10"),
    ("bytes=0-100", 206, b"0123456789", "bytes 0-9/10"),
    ("", 200, b"0123456789", None),
)
def test_ranges(wanted, status, body, content_range):
    env = environ(HTTP_RANGE=wanted or None)
    for content in (["01", "234", "56789"], wrap_file(env, BytesIO(b"0123456789"), 3)):
        response = Response(content).make_conditional(env, accept_ranges=True, complete_length=10)
        answer = called(response, env)
        assert (response.status_code, answer[2]) == (status, body)
        assert dict(answer[1]).get("Content-Range") == content_range
        assert dict(answer[1])["Accept-Ranges"] == "bytes"
        assert dict(answer[1]).get("Content-Length", str(len(body))) == str(len(body))


def test_a_range_that_is_not_there_is_refused():
    from antiphon.dialects.werkzeug.exceptions import RequestedRangeNotSatisfiable

    for wanted in ("bytes=10-", "bytes=x"):
        with pytest.raises(RequestedRangeNotSatisfiable) as raised:
            Response("text").make_conditional(environ(HTTP_RANGE=wanted), accept_ranges=True, complete_length=4)
        assert raised.value.length == 4


def set_cookie(*args, **kwargs):
    response = Response()
    response.set_cookie(*args, **kwargs)
    return response.headers["Set-Cookie"]


@pytest.mark.feature("kay-122", "kay-123")
def test_a_cookie_is_deleted_where_it_was_set():
    response = Response()
    response.delete_cookie("a", path="/p", domain="example.com")
    expected = "a=; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/p"
    assert response.headers["Set-Cookie"] == expected


@pytest.mark.feature("kay-149")
def test_cookies_come_back_unchanged():
    response = Response()
    response.set_cookie("a", "1")
    response.set_cookie("b", 't\u00fc;\u2603, \\"x')
    sent = "; ".join([header.partition(";")[0] for header in response.headers.getlist("Set-Cookie")])
    assert Request(environ(HTTP_COOKIE=sent)).cookies.to_dict() == {"a": "1", "b": 't\u00fc;\u2603, \\"x'}


@pytest.mark.feature("kay-150")
def test_the_lifetime_of_a_cookie():
    _, expires, age, _ = set_cookie("a", "b", max_age=timedelta(minutes=2)).split("; ")
    assert age == "Max-Age=120"
    moment = datetime.strptime(expires, "Expires=%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert abs(moment - datetime.now(UTC) - timedelta(minutes=2)) < timedelta(minutes=1)
    assert "Max-Age" not in set_cookie("a", "b")
