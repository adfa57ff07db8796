"""What the documents say of the headers of a request, row by row."""

from datetime import UTC, datetime

import pytest

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import (
    CharsetAccept,
    EnvironHeaders,
    ImmutableMultiDict,
    LanguageAccept,
    MIMEAccept,
    MultiDict,
    RequestCacheControl,
)
from antiphon.dialects.werkzeug.wrappers import Request
from tests.dialects.werkzeug.environs import environ
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def request(body=b"", **keys):
    return Request(environ(body, **keys))


@pytest.mark.feature("kay-005", "kay-050", "kay-051")
def test_headers_show_the_environ_and_cannot_be_changed():
    env = environ(HTTP_X_NAME="v", CONTENT_TYPE="text/plain")
    headers = Request(env).headers
    assert isinstance(headers, EnvironHeaders)
    assert headers["x-name"] == headers["X-Name"] == "v"
    assert headers["content-type"] == "text/plain"
    assert ("X-Name", "v") in list(headers)
    with pytest.raises(TypeError, match="immutable"):
        headers["X-Name"] = "w"


@pytest.mark.feature("kay-007")
@rows(
    "mixin, names",
    [
        ("AcceptMixin", ["accept_mimetypes", "accept_charsets", "accept_encodings", "accept_languages"]),
        ("ETagRequestMixin", ["cache_control", "if_match", "if_none_match", "if_modified_since", "if_range", "range"]),
        ("UserAgentMixin", ["user_agent"]),
        ("AuthorizationMixin", ["authorization"]),
        ("CommonRequestDescriptorsMixin", ["content_type", "referrer", "date", "max_forwards", "pragma"]),
    ],
)
def test_a_request_is_made_of_parts_that_users_may_put_together(mixin, names):
    part = getattr(wrappers, mixin)
    assert issubclass(Request, part)
    own = type("Own", (part, wrappers.BaseRequest), {})(environ())
    for name in names:
        assert str(getattr(own, name)) == str(getattr(request(), name))


@pytest.mark.feature("kay-013")
def test_referrer():
    assert request(HTTP_REFERER="http://x/").referrer == "http://x/"
    assert request().referrer is None


@pytest.mark.feature("kay-014")
def test_accept_charsets_are_by_quality():
    accepted = request(HTTP_ACCEPT_CHARSET="iso-8859-1;q=0.5, utf-8").accept_charsets
    assert isinstance(accepted, CharsetAccept)
    assert list(accepted.values()) == ["utf-8", "iso-8859-1"]
    assert "UTF8" in accepted


@pytest.mark.feature("kay-015")
def test_accept_encodings_are_by_quality():
    assert list(request(HTTP_ACCEPT_ENCODING="br;q=0.5, gzip").accept_encodings.values()) == ["gzip", "br"]


@pytest.mark.feature("kay-016")
def test_accept_languages_are_by_quality():
    accepted = request(HTTP_ACCEPT_LANGUAGE="de;q=0.5, en-GB").accept_languages
    assert isinstance(accepted, LanguageAccept)
    assert list(accepted.values()) == ["en-GB", "de"]
    assert "en_gb" in accepted


@pytest.mark.feature("kay-017")
def test_accept_mimetypes_are_by_quality():
    accepted = request(HTTP_ACCEPT="text/*;q=0.5, text/html").accept_mimetypes
    assert isinstance(accepted, MIMEAccept)
    assert list(accepted.values()) == ["text/html", "text/*"]
    assert "text/plain" in accepted


@pytest.mark.feature("kay-027")
def test_authorization():
    found = request(HTTP_AUTHORIZATION="Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").authorization
    assert (found.type, found.username, found.password) == ("basic", "Aladdin", "open sesame")
    assert request().authorization is None
    assert request(HTTP_AUTHORIZATION="Basic ???").authorization is None


@pytest.mark.feature("kay-030", "kay-031")
def test_cache_control_is_read_only():
    control = request(HTTP_CACHE_CONTROL="no-cache, max-age=60, only-if-cached").cache_control
    assert isinstance(control, RequestCacheControl)
    assert control.no_cache
    assert control.only_if_cached
    assert (control.max_age, control.no_store) == (60, False)
    with pytest.raises((TypeError, AttributeError)):
        control.max_age = 1


@pytest.mark.feature("kay-034", "kay-035")
def test_cookies_are_a_dict_storage_class():
    made = request(HTTP_COOKIE='a=1; b="x\\073y"; a=2')
    assert type(made.cookies) is Request.dict_storage_class is ImmutableMultiDict
    assert (made.cookies["a"], made.cookies["b"], made.cookies.getlist("a")) == ("1", "x;y", ["1", "2"])
    assert type(request().cookies) is ImmutableMultiDict
    own = type("Own", (Request,), {"dict_storage_class": MultiDict})
    assert type(own(environ(HTTP_COOKIE="a=1")).cookies) is MultiDict


@pytest.mark.feature("kay-038")
def test_date():
    assert request(HTTP_DATE="Sun, 06 Nov 1994 08:49:37 GMT").date == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert request().date is None
    assert request(HTTP_DATE="yesterday").date is None


@pytest.mark.feature("kay-054", "kay-057", "kay-055")
@rows("name, key", [("if_match", "HTTP_IF_MATCH"), ("if_none_match", "HTTP_IF_NONE_MATCH")])
def test_conditions_by_tags(name, key):
    tags = getattr(request(**{key: '"a", W/"b"'}), name)
    assert "a" in tags
    assert tags.contains_weak("b")
    assert not tags.contains("b")
    assert getattr(request(**{key: "*"}), name).star_tag
    assert not getattr(request(), name)


@pytest.mark.feature("kay-056", "kay-060")
@rows(
    "name, key",
    [("if_modified_since", "HTTP_IF_MODIFIED_SINCE"), ("if_unmodified_since", "HTTP_IF_UNMODIFIED_SINCE")],
)
def test_conditions_by_dates(name, key):
    moment = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert getattr(request(**{key: "Sun, 06 Nov 1994 08:49:37 GMT"}), name) == moment
    assert getattr(request(**{key: "?"}), name) is None
    assert getattr(request(), name) is None


@pytest.mark.feature("kay-058", "kay-059")
def test_if_range():
    assert request(HTTP_IF_RANGE='"a"').if_range.etag == "a"
    moment = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert request(HTTP_IF_RANGE="Sun, 06 Nov 1994 08:49:37 GMT").if_range.date == moment
    assert (request().if_range.etag, request().if_range.date) == (None, None)


@pytest.mark.feature("kay-068")
def test_max_forwards():
    assert request(HTTP_MAX_FORWARDS="10").max_forwards == 10
    assert request(HTTP_MAX_FORWARDS="many").max_forwards is None
    assert request().max_forwards is None


@pytest.mark.feature("kay-073")
def test_pragma():
    assert "no-cache" in request(HTTP_PRAGMA="no-cache, x").pragma
    assert "no-cache" not in request().pragma


@pytest.mark.feature("kay-075", "kay-076")
def test_range():
    wanted = request(HTTP_RANGE="bytes=0-4,10-").range
    assert (wanted.units, wanted.ranges) == ("bytes", [(0, 5), (10, None)])
    assert request(HTTP_RANGE="bytes=5-").range.range_for_length(10) == (5, 10)
    assert request(HTTP_RANGE="bytes=x").range is None
    assert request().range is None


@pytest.mark.feature("kay-086")
def test_user_agent_is_an_object():
    string = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"
    agent = request(HTTP_USER_AGENT=string).user_agent
    assert (agent.platform, agent.browser, agent.version, agent.language) == ("windows", "chrome", "120.0.0.0", None)
    assert agent.string == str(agent) == agent.to_header() == string
    assert not request().user_agent
