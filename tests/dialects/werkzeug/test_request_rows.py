"""What the documents say of a request, row by row."""

import pickle

import pytest

from antiphon.dialects.werkzeug import wrappers, wsgi
from antiphon.dialects.werkzeug.datastructures import (
    ImmutableList,
    ImmutableMultiDict,
)
from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.dialects.werkzeug.environs import URLENCODED, called, environ
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


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


@pytest.mark.feature("kay-006")
def test_text_is_utf_8():
    made = Request(
        environ(
            "n=\u00fc".encode(),
            CONTENT_TYPE=URLENCODED,
            PATH_INFO="/\xc3\xbc",
            QUERY_STRING="q=%C3%BC",
            HTTP_COOKIE="c=\xc3\xbc",
        )
    )
    assert (made.path, made.args["q"], made.cookies["c"], made.form["n"]) == ("/\u00fc", "\u00fc", "\u00fc", "\u00fc")


@pytest.mark.feature("kay-021")
def test_access_route():
    assert request(HTTP_X_FORWARDED_FOR="192.0.2.1, 192.0.2.2").access_route == ["192.0.2.1", "192.0.2.2"]
    assert request().access_route == ["192.0.2.7"]
    assert request(REMOTE_ADDR=None).access_route == []


@pytest.mark.feature("kay-023")
def test_responder_calls_what_a_function_returns():
    @wsgi.responder
    def application(env, start_response):
        return Response(env["PATH_INFO"])

    assert called(application, environ())[2] == b"/a/b"


@pytest.mark.feature("kay-024", "kay-026")
def test_args_are_the_fields_of_the_query():
    args = request().args
    assert type(args) is ImmutableMultiDict
    assert (args["a"], args.getlist("a"), args["b"]) == ("1", ["1", "3"], "two words")


@pytest.mark.feature("kay-029", "kay-083")
def test_url_and_base_url():
    made = request(SCRIPT_NAME="/app")
    assert made.url == "http://example.com:8000/app/a/b?a=1&b=two%20words&a=3"
    assert made.base_url == "http://example.com:8000/app/a/b"


@pytest.mark.feature("kay-052", "kay-053", "kay-085", "kay-080")
def test_host_and_roots():
    made = request(SCRIPT_NAME="/app/")
    assert made.host == "example.com:8000"
    assert made.host_url == "http://example.com:8000/"
    assert made.url_root == made.root_url == "http://example.com:8000/app/"
    assert made.script_root == made.root_path == "/app"
    assert request(HTTP_HOST="example.com:80").host == "example.com"
    assert request().script_root == ""


@pytest.mark.feature("kay-061", "kay-062", "kay-063")
@rows("name", ["multiprocess", "multithread", "run_once"])
def test_what_the_server_says_of_itself(name):
    for value in (True, False):
        assert getattr(request(**{f"wsgi__{name}": value}), f"is_{name}") is value


@pytest.mark.feature("kay-064", "kay-079")
def test_scheme():
    assert (request().scheme, request().is_secure) == ("http", False)
    made = request(wsgi__url_scheme="https")
    assert (made.scheme, made.is_secure) == ("https", True)


@pytest.mark.feature("kay-066", "kay-067")
def test_list_storage_class_holds_the_access_route():
    route = request().access_route
    assert type(route) is Request.list_storage_class is ImmutableList
    with pytest.raises(TypeError, match="immutable"):
        route.append("x")
    own = type("Own", (Request,), {"list_storage_class": list})
    assert type(own(environ()).access_route) is list


@pytest.mark.feature("kay-069")
def test_method():
    assert request().method == "GET"
    assert request(REQUEST_METHOD="post").method == "POST"


@pytest.mark.feature("kay-072")
@rows("written, path", [("", "/"), ("/", "/"), ("/a b/\xc3\xbc", "/a b/\u00fc"), ("//x", "/x")])
def test_path(written, path):
    assert request(PATH_INFO=written).path == path


@pytest.mark.feature("kay-074")
def test_query_string_is_bytes():
    assert request(QUERY_STRING="a=%20\xff").query_string == b"a=%20\xff"


@pytest.mark.feature("kay-077", "kay-078")
def test_who_asks():
    assert request().remote_addr == "192.0.2.7"
    assert request(REMOTE_ADDR=None).remote_addr is None
    assert request(REMOTE_USER="ada").remote_user == "ada"
    assert request().remote_user is None


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
