"""What the documents say of a request, where no comparison with Werkzeug shows it."""

import pytest

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.wrappers import Request
from tests.dialects.werkzeug.environs import CONTENT, environ, form
from tests.helpers.rows import rows


def request(body=b"", **keys):
    return Request(environ(body, **keys))


@pytest.mark.feature("kay-007")
@rows(
    "mixin, names",
    ("AcceptMixin", ["accept_mimetypes", "accept_charsets", "accept_encodings", "accept_languages"]),
    ("ETagRequestMixin", ["cache_control", "if_match", "if_none_match", "if_modified_since", "if_range", "range"]),
    ("UserAgentMixin", ["user_agent"]),
    ("AuthorizationMixin", ["authorization"]),
    ("CommonRequestDescriptorsMixin", ["content_type", "referrer", "date", "max_forwards", "pragma"]),
)
def test_a_request_is_made_of_parts_that_users_may_put_together(mixin, names):
    part = getattr(wrappers, mixin)
    assert issubclass(Request, part)
    own = type("Own", (part, wrappers.BaseRequest), {})(environ())
    for name in names:
        assert str(getattr(own, name)) == str(getattr(request(), name))


@pytest.mark.feature("kay-086")
def test_user_agent_is_an_object():
    string = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"
    agent = request(HTTP_USER_AGENT=string).user_agent
    assert (agent.platform, agent.browser, agent.version, agent.language) == ("windows", "chrome", "120.0.0.0", None)
    assert agent.string == str(agent) == agent.to_header() == string
    assert not request().user_agent


def test_an_own_method_for_files_may_ask_the_one_of_the_class():
    class Own(Request):
        def _get_file_stream(self, *arguments, **named):
            return super()._get_file_stream(*arguments, **named)

    with Own(form()) as made:
        assert made.files["upload"].read() == CONTENT
