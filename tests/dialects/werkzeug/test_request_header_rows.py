"""What the documents say of the headers of a request, row by row."""

import pytest

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import (
    ImmutableMultiDict,
    MultiDict,
)
from antiphon.dialects.werkzeug.wrappers import Request
from tests.dialects.werkzeug.environs import environ
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def request(body=b"", **keys):
    return Request(environ(body, **keys))


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


@pytest.mark.feature("kay-034", "kay-035")
def test_cookies_are_a_dict_storage_class():
    made = request(HTTP_COOKIE='a=1; b="x\\073y"; a=2')
    assert type(made.cookies) is Request.dict_storage_class is ImmutableMultiDict
    assert (made.cookies["a"], made.cookies["b"], made.cookies.getlist("a")) == ("1", "x;y", ["1", "2"])
    assert type(request().cookies) is ImmutableMultiDict
    own = type("Own", (Request,), {"dict_storage_class": MultiDict})
    assert type(own(environ(HTTP_COOKIE="a=1")).cookies) is MultiDict


@pytest.mark.feature("kay-086")
def test_user_agent_is_an_object():
    string = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"
    agent = request(HTTP_USER_AGENT=string).user_agent
    assert (agent.platform, agent.browser, agent.version, agent.language) == ("windows", "chrome", "120.0.0.0", None)
    assert agent.string == str(agent) == agent.to_header() == string
    assert not request().user_agent
