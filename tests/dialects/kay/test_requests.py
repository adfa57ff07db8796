"""What the document says of requests, where Werkzeug says something else today."""

import copy
from datetime import datetime

import pytest

from antiphon.dialects import kay
from antiphon.dialects.kay import BaseRequest, ETagRequestMixin, Request
from antiphon.dialects.kay.werkzeug.formparser import FormDataParser
from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import (
    ETags,
    ImmutableMultiDict,
    ImmutableTypeConversionDict,
    MIMEAccept,
    OrderedMultiDict,
)
from tests.dialects.werkzeug.environs import CONTENT, MULTIPART, URLENCODED, called, environ, form, part, parts
from tests.helpers.rows import rows


class Latin(Request):
    charset = "latin-1"


def request(body=b"", **keys):
    return Request(environ(body, **keys))


@pytest.mark.feature("kay-002", "kay-007")
def test_a_request_is_one_of_werkzeugs_made_of_five_mixins():
    made = request(
        HTTP_ACCEPT="text/html",
        HTTP_IF_MATCH='"a"',
        HTTP_USER_AGENT="curl/8",
        HTTP_AUTHORIZATION="Basic QWRhOmFiYw==",
        HTTP_REFERER="/from",
    )
    assert isinstance(made, wrappers.Request)
    for name in ("Accept", "ETagRequest", "UserAgent", "Authorization", "CommonRequestDescriptors"):
        assert isinstance(made, getattr(kay, f"{name}Mixin"))
    assert type(made.accept_mimetypes) is MIMEAccept
    assert type(made.if_match) is ETags
    assert (made.user_agent.string, made.authorization.username, made.referrer) == ("curl/8", "Ada", "/from")


CHANGES = {
    "args": lambda made: made.args.add("a", "2"),
    "form": lambda made: made.form.setlist("name", ["x"]),
    "files": lambda made: made.files.clear(),
    "values": lambda made: made.values.update(a="2"),
    "cookies": lambda made: made.cookies.update(a="2"),
    "headers": lambda made: made.headers.set("Host", "other"),
    "accept_mimetypes": lambda made: made.accept_mimetypes.append(("text/html", 1)),
    "access_route": lambda made: made.access_route.append("192.0.2.9"),
    "mimetype_params": lambda made: made.mimetype_params.update(charset="ascii"),
    "cache_control": lambda made: setattr(made.cache_control, "no_cache", True),
}


@pytest.mark.feature("kay-005")
@rows("change", CHANGES.values(), ids=CHANGES)
def test_what_a_request_has_can_not_be_changed(change):
    made = Request(form(HTTP_COOKIE="a=1", HTTP_ACCEPT="text/plain"))
    with pytest.raises((TypeError, AttributeError), match=r"immutable|only"):
        change(made)


@pytest.mark.feature("kay-005")
@rows("name", ["path", "method", "environ", "args", "form", "content_type", "charset", "shallow"])
def test_attributes_of_a_request_can_not_be_set(name):
    made = Request(form())
    for _ in ("not read yet", "read"):
        with pytest.raises(TypeError, match="immutable"):
            setattr(made, name, None)
        with pytest.raises(TypeError, match="immutable"):
            delattr(made, name)
        assert getattr(made, name) is not None


def test_an_application_may_add_attributes_of_its_own():
    class Noted(Request):
        note = None

        def __init__(self, environ):
            super().__init__(environ)
            self.seen = 1

    made = Noted(environ())
    made.note, made.seen = "a", 2
    del made.note
    assert (made.note, made.seen, made.path) == (None, 2, "/a/b")
    assert copy.copy(made).path == "/a/b"


@pytest.mark.feature("kay-021")
@rows(
    "keys, route",
    ({"HTTP_X_FORWARDED_FOR": "192.0.2.1, 192.0.2.2"}, ["192.0.2.1", "192.0.2.2"]),
    ({}, ["192.0.2.7"]),
    ({"REMOTE_ADDR": None}, []),
)
def test_access_route(keys, route):
    assert request(**keys).access_route == route


@pytest.mark.feature("kay-035", "kay-036")
def test_cookies_are_a_dict_that_converts():
    made = request(HTTP_COOKIE="n=12; n=13; word=abc")
    assert Request.dict_storage_class is ImmutableTypeConversionDict
    assert type(made.cookies) is ImmutableTypeConversionDict
    assert made.cookies.get("n", type=int) == 12
    assert made.cookies.get("word", 3, type=int) == 3

    class Plain(Request):
        dict_storage_class = dict

    assert Plain(made.environ).cookies == {"n": "12", "word": "abc"}


@pytest.mark.feature("kay-040", "kay-089")
@rows("method", ["POST", "PUT", "PATCH"])
def test_these_methods_have_forms(method):
    made = Request(form(method))
    assert made.want_form_data_parsed is True
    assert made.form == ImmutableMultiDict({"name": "J\u00f6rg"})
    assert made.files["upload"].read() == CONTENT
    assert made.values["name"] == "J\u00f6rg"


@pytest.mark.feature("kay-040", "kay-089")
@rows("method", ["GET", "DELETE", "REPORT"])
def test_other_methods_have_none_and_leave_the_body(method):
    made = Request(form(method))
    assert made.want_form_data_parsed is False
    assert (len(made.form), len(made.files)) == (0, 0)
    assert made.data.startswith(b"--between")


@pytest.mark.feature("kay-040")
def test_a_urlencoded_form_has_no_files():
    made = request(b"a=1", CONTENT_TYPE=URLENCODED)
    assert (made.form["a"], len(made.files)) == ("1", 0)


@pytest.mark.feature("kay-089")
def test_a_subclass_may_want_forms_of_other_methods():
    class Reporting(Request):
        want_form_data_parsed = True

    made = Reporting(form("GET"))
    assert made.form["name"] == made.values["name"] == "J\u00f6rg"


@pytest.mark.feature("kay-025", "kay-043", "kay-045")
def test_the_parser_is_made_as_it_was():
    told = []

    class Parser(FormDataParser):
        def __init__(self, stream_factory, charset, errors, memory, length, cls):
            told.extend([charset, errors, memory, length, cls])
            super().__init__(stream_factory, charset, errors, memory, length, cls)

    class Own(Latin):
        form_data_parser_class = Parser
        parameter_storage_class = OrderedMultiDict
        max_content_length = 1000

    assert Request.form_data_parser_class is FormDataParser
    assert Request.parameter_storage_class is type(request().args) is ImmutableMultiDict
    made = Own(environ(b"b=1&a=2", CONTENT_TYPE=URLENCODED))
    assert list(made.form.items()) == [("b", "1"), ("a", "2")]
    assert told == ["latin-1", "replace", 500_000, 1000, OrderedMultiDict]
    assert made.make_form_data_parser().max_form_parts == 1000


def test_files_are_written_where_the_request_says(tmp_path):
    class Storing(Request):
        def _get_file_stream(self, total_content_length, content_type, filename=None, content_length=None):
            return (tmp_path / filename).open("w+b")

    with Storing(form()) as made:
        assert made.files["upload"].read() == CONTENT
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.feature("kay-065")
@rows(
    "sent, expected", [("XMLHttpRequest", True), ("xmlhttprequest", True), ("fetch", False), ("", False), (None, False)]
)
def test_is_xhr(sent, expected):
    assert request(HTTP_X_REQUESTED_WITH=sent).is_xhr is expected


@pytest.mark.feature("kay-084")
def test_url_charset_is_the_charset_unless_overridden():
    class Mixed(Latin):
        url_charset = "utf-8"

    env = environ("n=\xfc".encode("latin-1"), QUERY_STRING="q=%FC", PATH_INFO="/\xfc", CONTENT_TYPE=URLENCODED)
    assert (Request(env).url_charset, Latin(env).url_charset) == ("utf-8", "latin-1")
    assert (Latin(env).args["q"], Latin(env).path) == ("\u00fc", "/\u00fc")
    assert (Mixed(env).args["q"], Mixed(env).path, Mixed(env).form["n"]) == ("\ufffd", "/\ufffd", "\u00fc")


@pytest.mark.feature("kay-006", "kay-181")
def test_charset_is_that_of_all_text():
    assert Request.charset == "utf-8"
    keys = {"SCRIPT_NAME": "/\xe4", "HTTP_COOKIE": "c=\xfc"}
    made = Latin(environ(b"n=%FC&\xfc=1", CONTENT_TYPE=URLENCODED, **keys))
    assert (made.script_root, made.cookies["c"]) == ("/\u00e4", "\u00fc")
    assert made.form == ImmutableMultiDict({"n": "\u00fc", "\u00fc": "1"})
    assert Request(environ(HTTP_COOKIE="c=\xc3\xbc")).cookies["c"] == "\u00fc"


@pytest.mark.feature("kay-181")
def test_charset_is_that_of_forms_in_parts():
    body = parts(
        part(b"J\xf6rg", 'form-data; name="name"'),
        part("J\u00f6rg".encode(), 'form-data; name="said"', "Content-Type: text/plain; charset=utf-8"),
    )
    assert dict(Latin(environ(body, CONTENT_TYPE=MULTIPART)).form)["said"] == "J\u00f6rg"
    plain = parts(part(b"J\xf6rg"), part(b"", 'form-data; name="f"; filename="a.txt"'))
    assert Latin(environ(plain, CONTENT_TYPE=MULTIPART)).form["field"] == "J\u00f6rg"


@pytest.mark.feature("kay-038", "kay-056", "kay-058", "kay-060")
@rows("name", ["date", "if_modified_since", "if_unmodified_since", "if_range"])
def test_moments_compare_with_those_of_old_code(name):
    key = f"HTTP_{name.upper()}"
    value = getattr(request(**{key: "Sun, 06 Nov 1994 08:49:37 GMT"}), name)
    assert (value.date if name == "if_range" else value) == datetime(1994, 11, 6, 8, 49, 37)
    other = getattr(request(**{key: "no date"}), name)
    assert (other.date if name == "if_range" else other) is None


@pytest.mark.feature("kay-183")
def test_a_base_request_is_mixed_with_what_is_wanted():
    class Conditional(BaseRequest, ETagRequestMixin):
        pass

    made = Conditional(environ(HTTP_IF_NONE_MATCH='"a"', HTTP_ACCEPT="text/html"))
    assert "a" in made.if_none_match
    assert not hasattr(made, "accept_mimetypes")
    with pytest.raises(TypeError, match="immutable"):
        made.if_none_match = None


@pytest.mark.feature("kay-022", "kay-046")
def test_requests_of_values_and_for_functions():
    @Request.application
    def application(request):
        return kay.Response(f"{request.args['a']} {request.is_xhr}")

    made = Request.from_values("/path?a=b", headers={"X-Requested-With": "XMLHttpRequest"})
    assert type(made) is Request
    assert called(application, made.environ)[2] == b"b True"
