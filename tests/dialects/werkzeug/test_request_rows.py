"""What the documents say of a request, where no comparison with Werkzeug shows it."""

import pickle

import pytest

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.dialects.werkzeug.environs import CONTENT, called, environ, form
from tests.helpers.rows import rows


def request(body=b"", **keys):
    return Request(environ(body, **keys))


def test_what_was_parsed_can_be_pickled():
    assert pickle.loads(pickle.dumps(request().args)) == request().args


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


@pytest.mark.feature("kay-004")
def test_a_shallow_request_leaves_its_environ_and_its_body():
    env = form()
    before = dict(env)
    made = Request(env, shallow=True)
    assert made.shallow
    assert not request().shallow
    for name in ("form", "files", "data", "stream"):
        with pytest.raises(RuntimeError, match="shallow"):
            getattr(made, name)
    assert env == before
    assert env["wsgi.input"].tell() == 0


def test_application_closes_the_files_of_the_form():
    seen = []

    @Request.application
    def application(made):
        seen.append(made.files["upload"])
        seen[0].stream.read(1)
        return Response()

    called(application, form())
    with pytest.raises(ValueError, match="closed"):
        seen[0].read()


def test_an_own_method_for_files_may_ask_the_one_of_the_class():
    class Own(Request):
        def _get_file_stream(self, *arguments, **named):
            return super()._get_file_stream(*arguments, **named)

    with Own(form()) as made:
        assert made.files["upload"].read() == CONTENT
