"""What the documents say of a request, where no comparison with Werkzeug shows it."""

import pickle
from io import BytesIO

import pytest

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import ImmutableList, ImmutableMultiDict, MultiDict, OrderedMultiDict
from antiphon.dialects.werkzeug.exceptions import ClientDisconnected, NotFound
from antiphon.dialects.werkzeug.formparser import FormDataParser, parse_form_data
from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.dialects.werkzeug.environs import CONTENT, URLENCODED, called, environ, form
from tests.helpers.rows import rows


def request(body=b"", **keys):
    return Request(environ(body, **keys))


@pytest.mark.feature("kay-002", "kay-008")
def test_a_request_is_made_of_an_environ_and_keeps_it():
    env = environ()
    made = Request(env, populate_request=True, shallow=False)
    assert made.environ is env
    env["HTTP_ACCEPT"] = "text/html"
    assert made.accept_mimetypes.best == "text/html"


@pytest.mark.feature("kay-003")
def test_a_request_is_stored_in_its_environ_unless_told():
    env = environ()
    made = Request(env)
    assert env["werkzeug.request"] is made
    env = environ()
    Request(env, populate_request=False)
    assert "werkzeug.request" not in env


@pytest.mark.feature("kay-066", "kay-067")
def test_list_storage_class_holds_the_access_route():
    route = request().access_route
    assert type(route) is Request.list_storage_class is ImmutableList
    with pytest.raises(TypeError, match="immutable"):
        route.append("x")
    own = type("Own", (Request,), {"list_storage_class": list})
    assert type(own(environ()).access_route) is list


@pytest.mark.feature("kay-074")
def test_query_string_is_bytes():
    assert request(QUERY_STRING="a=%20\xff").query_string == b"a=%20\xff"


def test_what_was_parsed_can_be_pickled():
    assert pickle.loads(pickle.dumps(request().args)) == request().args


@pytest.mark.feature("kay-183")
def test_base_classes_lack_what_the_parts_bring():
    assert issubclass(Request, wrappers.BaseRequest)
    assert issubclass(Response, wrappers.BaseResponse)
    base = wrappers.BaseRequest(environ())
    assert base.args["a"] == "1"
    assert not hasattr(base, "accept_languages")
    assert called(wrappers.BaseResponse("x"), environ())[2] == b"x"
    assert not hasattr(wrappers.BaseResponse("x"), "cache_control")


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


@pytest.mark.feature("kay-005")
@rows("name", ["args", "form", "files", "cookies", "values"])
def test_the_data_of_a_request_cannot_be_changed(name):
    data = getattr(Request(form(HTTP_COOKIE="a=1")), name)
    for change in (
        lambda: data.__setitem__("a", "b"),
        lambda: data.__delitem__("a"),
        lambda: data.add("a", "b"),
        data.clear,
    ):
        with pytest.raises(TypeError, match="immutable"):
            change()


@pytest.mark.feature("kay-022")
def test_application_makes_a_wsgi_application_of_a_function():
    @Request.application
    def application(made):
        """What it does."""
        return Response(f"Hello {made.args['a']}")

    assert called(application, environ())[2] == b"Hello 1"
    assert application.__doc__ == "What it does."


@pytest.mark.feature("kay-022", "kay-160")
def test_application_works_for_methods_and_answers_by_what_is_raised():
    class Site:
        @Request.application
        def application(self, made):
            raise NotFound

    assert called(Site().application, environ())[0] == "404 NOT FOUND"


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


@pytest.mark.feature("kay-025")
def test_parameter_storage_class_holds_args_and_form():
    assert Request.parameter_storage_class is ImmutableMultiDict

    class Own(Request):
        parameter_storage_class = OrderedMultiDict

    made = Own(environ(b"b=1&a=2&b=3", CONTENT_TYPE=URLENCODED, QUERY_STRING="y=1&x=2&y=3"))
    assert type(made.args) is type(made.form) is OrderedMultiDict
    assert list(made.args.items(multi=True)) == [("y", "1"), ("x", "2"), ("y", "3")]
    assert list(made.form.items(multi=True)) == [("b", "1"), ("a", "2"), ("b", "3")]


@pytest.mark.feature("kay-037")
def test_data_is_the_body_and_empty_when_that_was_a_form():
    made = request(b"some text", CONTENT_TYPE="text/plain")
    assert made.data == made.data == b"some text"
    assert made.get_data(as_text=True) == "some text"
    assert Request(form()).data == b""
    made = Request(form())
    assert made.get_data().startswith(b"--between")
    assert made.form["name"] == "J\u00f6rg"


@pytest.mark.feature("kay-043", "kay-045")
def test_the_form_parser_may_be_another_and_gets_the_bounds():
    assert Request.form_data_parser_class is FormDataParser

    class Parser(FormDataParser):
        def parse(self, stream, mimetype, content_length, options=None):
            stream.read()
            return stream, self.cls([("parsed", mimetype)]), self.cls()

    class Own(Request):
        form_data_parser_class = Parser
        max_content_length = 1 << 20
        max_form_memory_size = 5
        max_form_parts = 7
        parameter_storage_class = MultiDict

    made = Own(form())
    assert made.form == MultiDict([("parsed", "multipart/form-data")])
    parser = made.make_form_data_parser()
    assert type(parser) is Parser
    assert (parser.max_content_length, parser.max_form_memory_size, parser.max_form_parts) == (1 << 20, 5, 7)
    assert parser.cls is MultiDict


@pytest.mark.feature("kay-044")
def test_a_form_data_parser_gives_stream_form_and_files():
    stream, fields, files = FormDataParser().parse(BytesIO(b"a=1"), URLENCODED, 3)
    assert (stream.read(), fields["a"], files) == (b"", "1", MultiDict())
    stream, fields, files = parse_form_data(form())
    assert (stream.read(), fields["name"], files["upload"].read()) == (b"", "J\u00f6rg", CONTENT)
    stream, fields, files = FormDataParser().parse(BytesIO(b"text"), "text/plain", 4)
    assert (stream.read(), fields, files) == (b"text", MultiDict(), MultiDict())


@pytest.mark.feature("kay-046")
def test_from_values_makes_a_request_of_values():
    made = Request.from_values(
        "/path?q=1", "http://example.com/app/", method="PUT", data="body", headers={"X-A": "b"}, content_type="text/x"
    )
    assert type(made) is Request
    assert made.url == "http://example.com/app/path?q=1"
    assert (made.method, made.data, made.headers["X-A"], made.content_type) == ("PUT", b"body", "b", "text/x")


@pytest.mark.feature("kay-081")
def test_the_stream_is_what_no_form_has_read():
    made = request(b"left over", CONTENT_TYPE="text/plain")
    assert made.form == ImmutableMultiDict()
    assert made.stream.read() == b"left over"
    made = Request(form())
    assert made.form["name"] == "J\u00f6rg"
    assert made.stream.read() == b""


@pytest.mark.feature("kay-082")
def test_the_stream_ends_where_the_body_does():
    env = environ(b"12345", wsgi__input=BytesIO(b"12345 of the next request"))
    made = Request(env)
    assert made.stream.read(100) == b"12345"
    assert made.stream.read() == b""
    assert env["wsgi.input"].tell() == 5
    assert request(CONTENT_LENGTH=None, wsgi__input=BytesIO(b"endless")).stream.read() == b""
    with pytest.raises(ClientDisconnected):
        request(b"12", CONTENT_LENGTH="5").stream.read()


@pytest.mark.feature("kay-089")
def test_which_requests_have_a_form_may_be_overridden():
    assert Request(form()).want_form_data_parsed
    assert not request().want_form_data_parsed
    own = type("Own", (Request,), {"want_form_data_parsed": False})
    assert own(form()).form == ImmutableMultiDict()


def test_uploads_may_be_written_where_a_subclass_says():
    opened = []

    class Own(Request):
        def _get_file_stream(self, total_content_length, content_type, filename=None, content_length=None):
            opened.append((total_content_length, content_type, filename))
            return BytesIO()

    env = form()
    file = Own(env).files["upload"]
    assert type(file.stream) is BytesIO
    assert file.read() == CONTENT
    assert opened == [(int(env["CONTENT_LENGTH"]), "application/x-thing; a=b", "a.bin")]


def test_an_own_method_for_files_may_ask_the_one_of_the_class():
    class Own(Request):
        def _get_file_stream(self, *arguments, **named):
            return super()._get_file_stream(*arguments, **named)

    with Own(form()) as made:
        assert made.files["upload"].read() == CONTENT
