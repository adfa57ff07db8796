"""What the documents say of the headers of a response, row by row."""

from datetime import UTC, datetime, timedelta

import pytest

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import ContentRange, Headers
from antiphon.dialects.werkzeug.wrappers import BaseResponse, Response
from tests.dialects.werkzeug.environs import called, environ, fields
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
WRITTEN = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.feature("kay-092")
@rows(
    "status, line, code",
    [
        (None, "200 OK", 200), (404, "404 NOT FOUND", 404), ("404", "404 NOT FOUND", 404),
        ("404 Nix da", "404 Nix da", 404), (799, "799 UNKNOWN", 799), ("Odd", "0 Odd", 0),
    ],
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
