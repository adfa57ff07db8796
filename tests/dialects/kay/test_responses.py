"""What the document says of responses, where Werkzeug says something else today."""

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from antiphon.dialects import kay
from antiphon.dialects.kay import BaseResponse, Request, Response
from antiphon.dialects.kay import werkzeug as old
from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import WWWAuthenticate
from antiphon.dialects.werkzeug.exceptions import MethodNotAllowed, NotFound
from tests.dialects.werkzeug.environs import called, environ
from tests.helpers.rows import rows

MOMENT = datetime(1994, 11, 6, 8, 49, 37)
WRITTEN = "Sun, 06 Nov 1994 08:49:37 GMT"


def sent(response, **keys):
    return response.get_wsgi_headers(environ(**keys))


@pytest.mark.feature("kay-098")
def test_a_response_is_one_of_werkzeugs_made_of_four_mixins():
    response = Response("a")
    assert isinstance(response, wrappers.Response)
    for name in ("ETagResponse", "ResponseStream", "CommonResponseDescriptors", "WWWAuthenticate"):
        assert isinstance(response, getattr(kay, f"{name}Mixin"))
    response.add_etag()
    response.stream.write(b"b")
    response.vary.add("Cookie")
    response.www_authenticate.set_basic("here")
    assert response.data == b"ab"
    assert {"ETag", "Vary", "WWW-Authenticate"} <= set(response.headers.keys())


@pytest.mark.feature("kay-158")
def test_a_realm_is_in_quotes():
    response = Response()
    response.www_authenticate.set_basic("here")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="here"'
    response.www_authenticate.realm = 'a "b"'
    assert response.www_authenticate.realm == 'a "b"'
    response.www_authenticate = [WWWAuthenticate("bearer", {"realm": "a", "scope": "b"}), WWWAuthenticate("negotiate")]
    assert response.headers.getlist("WWW-Authenticate") == ['Bearer realm="a", scope=b', "Negotiate"]
    response.www_authenticate = WWWAuthenticate("digest", {"realm": "a", "stale": "TRUE"})
    assert response.headers["WWW-Authenticate"] == 'Digest realm="a", stale=TRUE'


@pytest.mark.feature("kay-133")
def test_earlier_names_of_the_headers():
    response = Response("a", headers=[("Location", "x"), ("X-A", "b")])
    assert response.header_list == list(response.headers)
    response.fix_headers(environ(SCRIPT_NAME="/app"))
    assert response.header_list == list(sent(response, SCRIPT_NAME="/app"))
    assert dict(response.header_list)["Location"] == "http://example.com:8000/app/x"


@pytest.mark.feature("kay-106")
@rows("written, age", [("0", 0), ("90", 90), ("-1", None), ("soon", None), (WRITTEN, None)])
def test_age_is_a_number_of_seconds(written, age):
    assert Response(headers={"Age": written}).age == age


@pytest.mark.feature("kay-106")
def test_age_may_be_set():
    response = Response()
    assert response.age is None
    for value in (90, timedelta(seconds=90)):
        response.age = value
        assert response.headers["Age"] == "90"
        assert type(response.age) is int
    with pytest.raises(ValueError, match="negative"):
        response.age = -1
    del response.age
    assert "Age" not in response.headers


@pytest.mark.feature("kay-148")
@rows(
    "value, written, read",
    (120, "120", 120),
    ("120", "120", 120),
    (timedelta(minutes=2), "120", 120),
    (MOMENT, WRITTEN, MOMENT),
    (MOMENT.replace(tzinfo=UTC), WRITTEN, MOMENT),
)
def test_retry_after_is_seconds_or_a_moment(value, written, read):
    response = Response(status=503)
    response.retry_after = value
    assert (response.headers["Retry-After"], response.retry_after) == (written, read)
    response.retry_after = None
    assert response.retry_after is None
    assert "Retry-After" not in response.headers


@pytest.mark.feature("kay-121", "kay-124", "kay-140")
@rows("name, field", [("date", "Date"), ("expires", "Expires"), ("last_modified", "Last-Modified")])
def test_moments_compare_with_those_of_old_code(name, field):
    response = Response()
    setattr(response, name, MOMENT)
    assert (response.headers[field], getattr(response, name)) == (WRITTEN, MOMENT)


@pytest.mark.feature("kay-134", "kay-184")
@rows(
    "location, whole",
    ("/b", "http://example.com:8000/b"),
    ("b", "http://example.com:8000/app/b"),
    ("?a=b", "http://example.com:8000/app/?a=b"),
    ("//other/b", "http://other/b"),
    ("https://other/b", "https://other/b"),
    ("/\u00fc?a=\u00fc", "http://example.com:8000/%C3%BC?a=%C3%BC"),
)
def test_location_is_joined_with_the_root(location, whole):
    response = Response(status=302)
    response.location = location
    response.content_location = "/\u00fc"
    headers = sent(response, SCRIPT_NAME="/app")
    assert (headers["Location"], headers["Content-Location"]) == (whole, "/%C3%BC")
    assert response.location == location
    assert ("Location", whole) in called(response, environ(SCRIPT_NAME="/app"))[1]


@pytest.mark.feature("kay-135")
@rows(
    "response, length",
    (Response(["\u00fc", b"b"]), "3"),
    (Response(iter([b"a"])), None),
    (Response("abc", 100), "0"),
    (Response("abc", 204), "0"),
    (Response("abc", 304), None),
    (Response("abc", 404), "3"),
    ids=["text and bytes", "streamed", "100", "204", "304", "404"],
)
def test_content_length_is_told_where_it_is_known(response, length):
    assert sent(response).get("Content-Length") == length


@pytest.mark.feature("kay-139", "kay-182")
def test_iter_encoded_takes_a_charset_and_has_its_own():
    class Latin(Response):
        charset = "latin-1"

    assert Response.charset == "utf-8"
    response = Latin(["\u00fc", b"b"])
    assert list(response.iter_encoded(None)) == [b"\xfc", b"b"]
    with pytest.warns(DeprecationWarning, match="charset"):
        assert list(response.iter_encoded("utf-8")) == [b"\xfc", b"b"]
    assert called(response, environ())[2] == b"\xfcb"
    assert response.content_type == "text/plain; charset=latin-1"


@pytest.mark.feature("kay-125", "kay-161", "kay-183")
def test_exceptions_give_a_base_response_that_can_be_made_a_custom_one():
    class Custom(Response):
        pass

    plain = NotFound().get_response(environ())
    assert isinstance(plain, BaseResponse)
    assert not isinstance(plain, Response)
    assert not isinstance(object(), BaseResponse)
    assert Custom.force_type(plain) is plain
    assert isinstance(plain, Custom)
    assert next(plain.iter_encoded(None)).startswith(b"<!doctype html>")
    assert Custom.force_type(MethodNotAllowed(["GET"]), environ()).allow == {"GET"}


@pytest.mark.feature("kay-183")
def test_a_base_response_has_no_mixins():
    plain = BaseResponse("a", headers={"Location": "/b"})
    assert not any(hasattr(plain, name) for name in ("vary", "set_etag", "stream", "www_authenticate"))
    assert sent(plain)["Location"] == "http://example.com:8000/b"

    class Own(kay.CommonResponseDescriptorsMixin, BaseResponse):
        pass

    assert Own(headers={"Age": "3"}).age == 3


@pytest.mark.feature("kay-127")
def test_a_frozen_response_can_be_pickled():
    response = Response(iter(["a", "b"]))
    response.freeze()
    copied = pickle.loads(pickle.dumps(response))
    assert (copied.data, copied.content_length, type(copied)) == (b"ab", 2, Response)


@pytest.mark.feature("kay-142", "kay-143", "kay-144")
def test_make_conditional_with_a_request():
    made = Request(environ(HTTP_IF_MODIFIED_SINCE=WRITTEN))
    response = Response("a")
    response.last_modified = MOMENT
    assert response.make_conditional(made) is response
    assert (response.status_code, called(response, made.environ)[2]) == (304, b"")
    assert Response("a").make_conditional(made).date is not None
    assert Response("a").make_conditional(Request(environ(b"a"))).date is None


@pytest.mark.feature("kay-180")
def test_names_at_the_top():
    for name in ("AcceptMixin", "Client", "EnvironBuilder", "Headers", "MultiDict", "responder", "wrap_file", "abort"):
        assert getattr(old, name).__name__ == name
    assert (old.Request, old.Response) == (Request, Response)
    assert old.FormDataParser is Request.form_data_parser_class
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        old.nothing_of_this_name  # noqa: B018


@pytest.mark.feature("kay-134")
def test_redirects_are_joined():
    response = old.redirect("next", 303)
    assert (response.status_code, type(response)) == (303, Response)
    assert sent(response)["Location"] == "http://example.com:8000/next"


def test_retry_after_can_be_deleted():
    response = Response(headers={"Retry-After": "5"})
    del response.retry_after
    assert "Retry-After" not in response.headers
