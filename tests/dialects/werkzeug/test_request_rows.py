"""What the documents say of a request, row by row."""

import pickle

import pytest

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import (
    ImmutableList,
)
from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.dialects.werkzeug.environs import called, environ

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
