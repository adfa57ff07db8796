import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.headers import Headers
from antiphon.http.urls.url import URL
from antiphon.http.urls.urlencoded import parse_query
from antiphon.testing.requests import as_target, compose, encode_fields
from tests.helpers.rows import rows

TEXT = st.text(st.characters(codec="utf-8"))


def make(method="GET", url="/", base="http://testserver", http_version="1.1", **options):
    return compose(method, url, options, base=URL(base), headers=Headers(), http_version=http_version)


@rows(
    "url, target",
    ("", "/"),
    ("/", "/"),
    ("a", "/a"),
    ("?x", "/?x"),
    ("/a/../b/./c//d", "/a/../b/./c//d"),
    ("/a/%2e%2E/b", "/a/%2e%2E/b"),
    ("*", "/*"),
    ("//not.a.host/x", "//not.a.host/x"),
    ("/%zz%2F%", "/%zz%2F%"),
    ("/a b?c d", "/a%20b?c%20d"),
    ("/café", "/caf%C3%A9"),
    ("/\\x<>\"'`{}|^", "/\\x<>\"'`{}|^"),
    ("/a\r\nb\x00", "/a%0D%0Ab%00"),
    ("/a#fragment", "/a"),
)
def test_a_target_stays_as_written_where_it_can(url, target):
    assert make(url=url).target == target
    assert make(url=url).authority == "testserver"


def test_options_may_ask_for_all_of_a_server():
    request = make("OPTIONS", "*")
    assert (request.target, request.raw_path, request.raw_query) == ("*", "*", "")
    assert request.headers.items() == [("host", "testserver")]
    assert request.url == "http://testserver/"


@rows("method, url, target", [("OPTIONS", "/*", "/*"), ("OPTIONS", "*/x", "/*/x"), ("options", "*", "/*")])
def test_other_stars_are_in_paths(method, url, target):
    assert make(method, url).target == target


def test_all_of_a_server_has_no_query():
    with pytest.raises(ValueError, match=r"OPTIONS \* can't have a query"):
        make("OPTIONS", "*", params={"a": 1})


@given(TEXT)
def test_a_target_is_always_fit_for_a_request_line(text):
    target = as_target(text)
    assert target.startswith("/")
    assert target.isascii()
    assert " " not in target
    assert target.isprintable()


@rows("url", ["http://", "http:///x", "http://a b/", "http://a:99999/"])
def test_a_bad_authority_is_refused(url):
    with pytest.raises(ValueError, match=r"host|port"):
        make(url=url)


@rows(
    "base, origin",
    ("http://a.example", ("http", "a.example", 80)),
    ("https://a.example", ("https", "a.example", 443)),
    ("http://a.example:8000", ("http", "a.example", 8000)),
    ("http://[::1]:8000", ("http", "::1", 8000)),
)
def test_the_origin_has_a_port_in_any_case(base, origin):
    assert make(base=base).origin == origin


@rows(
    "options, content, content_type",
    ({"json": {"a": "ü"}}, '{"a":"ü"}'.encode(), "application/json"),
    ({"json": 1, "content_type": "application/vnd.x+json"}, b"1", "application/vnd.x+json"),
    ({"form": [("a", "1"), ("a", 2)]}, b"a=1&a=2", "application/x-www-form-urlencoded"),
    ({"body": b"x"}, b"x", None),
    ({"body": bytearray(b"x")}, b"x", None),
    ({"body": b"x", "content_type": "text/plain"}, b"x", "text/plain"),
    ({}, b"", None),
)
def test_the_body_and_its_type(options, content, content_type):
    request = compose("POST", "/", options, base=URL("http://testserver"), headers=Headers(), http_version="1.1")
    assert request.content == content
    assert request.headers.get("content-type") == content_type
    assert request.headers["content-length"] == str(len(content))


@rows("headers", [{}, {"content-type": "multipart/form-data"}])
def test_files_make_a_form_in_parts_whose_type_names_its_boundary(headers):
    request = make("POST", form={"a": [1, 2]}, files={"b": b"3"}, headers=headers)
    media_type, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert media_type == "multipart/form-data"
    assert request.content.split(f"--{boundary}".encode())[1:3] == [
        b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n',
        b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n2\r\n',
    ]
    assert request.headers["content-length"] == str(len(request.content))


@rows(
    "method, http_version, body, framing",
    ("GET", "1.1", b"", {}),
    ("DELETE", "1.1", b"", {}),
    ("POST", "1.1", b"", {"content-length": "0"}),
    ("PUT", "2", b"", {"content-length": "0"}),
    ("GET", "1.0", b"x", {"content-length": "1"}),
    ("POST", "1.1", [b"x"], {"transfer-encoding": "chunked"}),
    ("POST", "2", [b"x"], {}),
)
def test_the_framing_of_the_body(method, http_version, body, framing):
    request = make(method, http_version=http_version, body=body)
    assert dict(request.headers.items()) == {"host": "testserver"} | framing


def test_http_1_0_has_no_chunks():
    with pytest.raises(ValueError, match=r"HTTP/1\.0"):
        make("POST", http_version="1.0", body=[b"x"])


@rows(
    "options, error",
    ({"json": 1, "form": {}}, ValueError),
    ({"json": 1, "files": {}}, ValueError),
    ({"body": b"", "files": {}}, ValueError),
    ({"form": {}, "files": {}, "json": 1}, ValueError),
    ({"files": {}, "content_type": "multipart/form-data"}, ValueError),
    ({"files": {"a": "text"}}, TypeError),
    ({"json": object()}, TypeError),
    ({"body": "text"}, TypeError),
    ({"body": 1}, TypeError),
    ({"form": {"a": None}}, TypeError),
    ({"form": {"a": b"x"}}, TypeError),
    ({"headers": {"a b": "c"}}, ValueError),
    ({"headers": {"a": "b\r\nc: d"}}, ValueError),
)
def test_what_cannot_be_sent_is_refused(options, error):
    with pytest.raises(error):
        make("POST", **options)


@rows("method", ["", "A B", "GET\r\n"])
def test_a_method_is_a_token(method):
    with pytest.raises(ValueError, match="token"):
        make(method)


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_fields_can_be_read_back(fields):
    assert parse_query(encode_fields(fields).encode()) == fields
