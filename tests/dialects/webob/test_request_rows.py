"""What the document says of a request, where no comparison with WebOb shows it."""

from datetime import UTC, datetime
from io import BytesIO

import pytest

from antiphon.dialects.webob import Request, Response
from antiphon.dialects.webob.multidict import MultiDict, NoVars
from tests.dialects.werkzeug.environs import CONTENT, URLENCODED, environ, form
from tests.helpers.rows import rows

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def request(body=b"", **keys):
    return Request(environ(body, **keys))


def mounted(**keys):
    """A request for http://localhost/app/blog?id=10, where the application is at http://localhost/app."""
    keys = {"SCRIPT_NAME": "/app", "PATH_INFO": "/blog", "QUERY_STRING": "id=10", "HTTP_HOST": "localhost"} | keys
    return request(**keys)


@pytest.mark.feature("pyramid-003")
def test_the_environ_is_the_request():
    env = environ()
    made = Request(env)
    assert made.environ is env
    env["REQUEST_METHOD"] = "PATCH"
    assert made.method == "PATCH"
    with pytest.raises(TypeError, match="environ"):
        Request([("REQUEST_METHOD", "GET")])


@pytest.mark.feature("pyramid-007")
def test_no_form_has_no_variables_and_says_why():
    fields = request(b"{}", CONTENT_TYPE="application/json").POST
    assert isinstance(fields, NoVars)
    assert (len(fields), fields.get("a"), fields.getall("a"), "a" in fields, fields.items()) == (0, None, [], False, [])
    for change in (lambda: fields.add("a", "b"), lambda: fields.pop("a"), lambda: fields["a"]):
        with pytest.raises(KeyError, match="application/json"):
            change()


@pytest.mark.feature("pyramid-009")
def test_body():
    made = request(b"all of it", REQUEST_METHOD="PUT", CONTENT_TYPE="text/plain")
    assert made.body == made.body == b"all of it"
    assert request().body == b""
    made.body = b"other"
    assert (made.body, made.content_length, made.environ["wsgi.input"].read()) == (b"other", 5, b"other")
    del made.body
    assert (made.body, made.content_length) == (b"", 0)


@pytest.mark.feature("pyramid-010")
def test_body_file():
    made = request(b"all of it, and more")
    made.content_length = 9
    assert (made.body_file.read(3), made.body_file.read()) == (b"all", b" of it")
    made.body_file = BytesIO(b"a file")
    assert (made.content_length, made.body_file.read()) == (None, b"a file")


@pytest.mark.feature("pyramid-011")
def test_cookies():
    made = request(HTTP_COOKIE="a=1; b=two")
    assert dict(made.cookies) == {"a": "1", "b": "two"}
    made.cookies["a"] = "3"
    assert made.environ["HTTP_COOKIE"] == "a=3; b=two"


@pytest.mark.feature("pyramid-012")
def test_headers_in_any_case():
    made = request(b"x", HTTP_X_TRACE="on", CONTENT_TYPE="text/plain")
    assert made.headers["x-trace"] == made.headers["X-TRACE"] == "on"
    assert {name.lower() for name in made.headers} == {"x-trace", "host", "content-type", "content-length"}
    made.headers["X-Trace"] = "off"
    assert made.environ["HTTP_X_TRACE"] == "off"
    del made.headers["x-trace"]
    assert "HTTP_X_TRACE" not in made.environ


@pytest.mark.feature("pyramid-014")
def test_urlargs():
    made = request()
    made.urlargs = ("a",)
    assert (Request(made.environ).urlargs, made.urlvars) == (("a",), {})


@pytest.mark.feature("pyramid-019")
@rows(
    "name, value, written",
    ("date", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), DATE),
    ("if_unmodified_since", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), DATE),
    ("max_forwards", 5, "5"),
    ("pragma", "no-cache", "no-cache"),
    ("referer", "http://a/", "http://a/"),
    ("referrer", "http://a/", "http://a/"),
    ("authorization", ("Basic", "eDp5"), "Basic eDp5"),
    ("range", (0, 10), "bytes=0-9"),
)
def test_headers_are_attributes_that_are_parsed(name, value, written):
    made = request()
    assert getattr(made, name) is None
    setattr(made, name, value)
    key = f"HTTP_{'referer' if name == 'referrer' else name}".upper()
    assert made.environ[key] == written
    read = getattr(Request(made.environ), name)
    assert (read if name != "range" else (read.start, read.end)) == value
    delattr(made, name)
    assert key not in made.environ


@pytest.mark.feature("pyramid-040", "pyramid-041")
@rows(
    "reference, to_application, expected",
    ("other", False, "http://localhost/app/other"),
    ("/other?a=b", False, "http://localhost/other?a=b"),
    ("//example.com/x", False, "http://example.com/x"),
    ("?a=b", False, "http://localhost/app/blog?a=b"),
    ("../x", False, "http://localhost/x"),
    ("https://example.com", False, "https://example.com"),
    ("other", True, "http://localhost/app/other"),
    ("a/../b", True, "http://localhost/app/b"),
)
def test_relative_url(reference, to_application, expected):
    assert mounted(PATH_INFO="/blog").relative_url(reference, to_application=to_application) == expected


@pytest.mark.feature("pyramid-041")
def test_words_of_the_document_for_parameters():
    made = mounted(PATH_INFO="/blog")
    assert made.relative_url(url="x", to_application=True) == made.relative_url("x", True)
    assert made.get_response(wsgi_application=Response(status=202)).status_int == 202
    assert Request.blank(base_url="http://localhost/app").url == "http://localhost/app/"
    for call in (lambda: made.relative_url("x", url="y"), lambda: made.relative_url(other_url="x", url="y")):
        with pytest.raises(TypeError):
            call()


def plain(value):
    return (value.filename, value.value) if hasattr(value, "file") else value


@pytest.mark.feature("pyramid-042")
@rows(
    "given, expected",
    ({"a": "1", "b": "\xfc &="}, [("a", "1"), ("b", "\xfc &=")]),
    ([("a", "1"), ("a", "2")], [("a", "1"), ("a", "2")]),
    ("a=1&b=2", [("a", "1"), ("b", "2")]),
    (b"a=%C3%BC", [("a", "\xfc")]),
    ({"a": "\xfc", "f": ('x".txt', b"\r\ncontent")}, [("a", "\xfc"), ("f", ('x".txt', b"\r\ncontent"))]),
    ([("f", ("a.txt", BytesIO(b"content")))], [("f", ("a.txt", b"content"))]),
    ids=["mapping", "pairs", "text", "bytes", "files", "files in pairs"],
)
def test_blank_with_a_form(given, expected):
    made = Request.blank("/", POST=given)
    assert made.method == "POST"
    fields = [
        (name, (value.filename, value.value) if hasattr(value, "file") else value) for name, value in made.POST.items()
    ]
    assert fields == expected
    assert Request.blank("/", POST=made.POST).POST.keys() == made.POST.keys()


@pytest.mark.feature("pyramid-043")
def test_a_copy_shares_neither_environ_nor_position():
    made = request(b"a=1", CONTENT_TYPE=URLENCODED)
    copied = made.copy()
    copied.method = "PUT"
    copied.body_file.read(2)
    assert (made.method, made.body_file.read(), copied.body_file.read()) == ("POST", b"a=1", b"1")


@pytest.mark.feature("pyramid-043")
@rows("copy", [Request.copy, Request.copy_get, lambda made: Request(made.environ.copy())])
def test_what_is_changed_in_a_copy_stays_as_it_is(copy):
    made = request(QUERY_STRING="a=b", HTTP_CACHE_CONTROL="no-cache", HTTP_COOKIE="a=b", HTTP_X_A="b")
    assert (made.GET["a"], made.cache_control.no_cache, made.cookies["a"]) == ("b", "*", "b")
    copied = copy(made)
    copied.GET["a"] = "c"
    copied.cache_control.max_age = 3
    copied.cookies["a"] = "c"
    copied.headers["X-A"] = "c"
    assert made.environ.items() >= {"QUERY_STRING": "a=b", "HTTP_CACHE_CONTROL": "no-cache"}.items()
    assert made.environ.items() >= {"HTTP_COOKIE": "a=b", "HTTP_X_A": "b"}.items()
    assert (copied.query_string, copied.environ["HTTP_COOKIE"]) == ("a=c", "a=c")
    assert copied.environ["HTTP_CACHE_CONTROL"] == "max-age=3, no-cache"


@pytest.mark.feature("pyramid-043")
def test_attributes_of_a_copy_are_its_own():
    made = request()
    made.tenant = "a"
    copied = made.copy()
    copied.tenant = "b"
    assert (made.tenant, copied.tenant) == ("a", "b")


@pytest.mark.feature("pyramid-044")
def test_copy_get():
    made = request(b"a=1", CONTENT_TYPE=URLENCODED)
    copied = made.copy_get()
    assert (copied.method, copied.body, copied.content_type, copied.url) == ("GET", b"", "", made.url)
    assert (made.method, made.body) == ("POST", b"a=1")


@pytest.mark.feature("pyramid-047")
def test_charset_can_be_set():
    made = request(b"n=%FC", CONTENT_TYPE=URLENCODED, QUERY_STRING="q=%FC")
    assert (made.charset, made.POST["n"]) == ("UTF-8", "\ufffd")
    with pytest.raises(UnicodeDecodeError):
        made.GET  # noqa: B018 - read for what it raises
    made.charset = "latin-1"
    assert (made.charset, made.POST["n"], made.GET["q"], made.text) == ("latin-1", "\xfc", "\xfc", "n=%FC")
    assert Request(made.environ).POST["n"] == "\xfc"
    assert made.headers["content-type"] == f'{URLENCODED}; charset="latin-1"'
    made.text = "\xfc"
    assert made.body == b"\xfc"
    made.GET["r"] = "\xe4"
    assert made.query_string == "q=%FC&r=%E4"


@pytest.mark.feature("pyramid-048")
def test_a_form_is_written_in_the_charset_of_the_start():
    assert Request.blank("/", POST={"n": "\xfc"}, charset="latin-1").body == b"n=%FC"


@pytest.mark.feature("pyramid-049")
def test_a_charset_of_a_class():
    class Western(Request):
        charset = "latin-1"

    env = environ(b"n=%FC", QUERY_STRING="q=%FC", CONTENT_TYPE=URLENCODED)
    assert Request(env).POST["n"] == "\ufffd"
    made = Western(env)
    assert (made.GET["q"], made.POST["n"], made.params["n"]) == ("\xfc", "\xfc", "\xfc")
    assert Request(env).POST["n"] == "\ufffd"


@pytest.mark.feature("pyramid-051")
def test_str_variables_are_not_decoded():
    made = Request(form(QUERY_STRING="q=%C3%BC"))
    assert made.str_GET["q"] == "\xc3\xbc"
    assert (made.str_POST["name"], made.str_POST["upload"].value) == ("J\xc3\xb6rg", CONTENT)
    assert made.str_params.keys() == ["q", "name", "upload"]
    assert request(HTTP_COOKIE="c=\xc3\xbc").str_cookies["c"] == "\xc3\xbc"


@pytest.mark.feature("pyramid-097")
def test_a_multidict_is_a_view_of_a_list_in_order():
    pairs = [("b", "1"), ("a", "2"), ("b", "3")]
    fields = MultiDict.view_list(pairs)
    assert (fields.keys(), fields.values(), fields["b"]) == (["b", "a", "b"], ["1", "2", "3"], "3")
    pairs.append(("b", "4"))
    assert (fields["b"], len(fields)) == ("4", 4)
    fields["b"] = "5"
    assert pairs == [("a", "2"), ("b", "5")]
