import asyncio

import pytest

from antiphon.testing import AsyncClient, Client
from antiphon.testing.requests import RequestOptions, check_options
from tests.helpers.rows import rows

WORDS = [
    ("data", "it is 'form', or 'body' for bytes here"),
    ("content", "it is 'body' here"),
    ("query", "it is 'params' here"),
    ("args", "it is 'params' here"),
    ("allow_redirects", "it is 'follow_redirects' here"),
    ("follow", "it is 'follow_redirects' here"),
    ("HTTP_X_TOKEN", r"it is headers={'x-token': \.\.\.} here"),
    ("REMOTE_ADDR", r"the client has 'client': Client\(app, client=\(address, port\)\)"),
    ("file", "did you mean 'files'"),
    ("header", "did you mean 'headers'"),
    ("jsn", "did you mean 'json'"),
    ("raise_error", r"the client has 'raise_errors': Client\(app, raise_errors=\.\.\.\)"),
    ("raise_server_exceptions", r"the client has 'raise_errors': Client\(app, raise_errors=\.\.\.\)"),
    ("timeout", "the client has 'timeout'"),
    ("qwxyz", "its options are body, content_type, cookies, files, follow_redirects, form, headers, json, params"),
]


def unreached(environ, start_response):
    raise AssertionError("a request was sent")


@rows("name, said", WORDS, ids=[name for name, _ in WORDS])
def test_an_unknown_option_is_an_error_with_the_right_word(name, said):
    client = Client(unreached, "wsgi", timeout=None)
    with pytest.raises(TypeError, match=f"a request has no option '{name}': {said}"):
        client.post("/", **{name: None})


@rows(
    "send",
    lambda client: client.get("/", data={}),
    lambda client: client.query("/", data={}),
    lambda client: client.request("GET", "/", form={}, data={}),
    lambda client: client.stream("GET", "/", data={}),
    ids=["get", "query", "request", "stream"],
)
@rows("make", [Client, AsyncClient])
def test_every_way_to_send_a_request_refuses_it_where_it_is_called(make, send):
    async def call():
        with pytest.raises(TypeError, match="no option 'data'"):
            send(make(unreached, "wsgi"))

    asyncio.run(call())


@rows(
    "method, option",
    [(each, "form") for each in ("post", "put", "patch", "query")]
    + [(each, "params") for each in ("get", "head", "options", "delete")],
)
@rows("make", [Client, AsyncClient])
def test_data_without_a_name_is_an_error_with_the_right_word(make, method, option):
    with pytest.raises(TypeError, match=f"{method.upper()} request .* by name: write {option}="):
        getattr(make(unreached, "wsgi"), method)("/", {"a": "b"})


def test_the_login_of_django_is_an_error_with_the_right_word():
    with pytest.raises(TypeError, match=r"login\(\) takes a user, not 'username': .* client\.post"):
        Client(unreached, "wsgi").login(username="ada", password="secret")


def test_the_known_ones_pass():
    check_options(RequestOptions.__annotations__, ())
