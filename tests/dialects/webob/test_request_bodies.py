"""Requests: forms, files, what breaks off, what users of WebOb were bitten by, and what no comparison shows."""

import os
from contextlib import suppress
from io import BytesIO
from itertools import product
from json import JSONDecodeError
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialects.webob import Response
from antiphon.dialects.webob import request as webob_request
from antiphon.dialects.webob.dec import wsgify
from antiphon.dialects.webob.exc import HTTPBadRequest
from antiphon.dialects.webob.multidict import NoVars
from antiphon.dialects.webob.request import DisconnectionError, Request, environ_add_POST, environ_from_url
from antiphon.testing import Client
from tests.dialects.werkzeug.environs import MULTIPART, URLENCODED, environ, part, parts
from tests.helpers.rows import rows

LARGE = bytes(range(256)) * (16 << 10)


def request(body=b"", **keys):
    return Request(environ(body, **keys))


def in_parts(*several, **keys):
    return request(parts(*several), CONTENT_TYPE=MULTIPART, **keys)


class Unseekable:
    """What a server gives: bytes that come once."""

    def __init__(self, data):
        self._file = BytesIO(data)
        self.was_read = 0

    def read(self, size=-1):
        data = self._file.read(size)
        self.was_read += len(data)
        return data


def deleted_files():
    """The files of this process that have no name any more, with their sizes."""
    found = {}
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            status = os.fstat(int(descriptor))
        except OSError:
            continue
        if not status.st_nlink and status.st_size:
            found[status.st_ino] = status.st_size
    return found


@rows("first", ["POST", "body_file_seekable"])
def test_a_large_upload_is_written_once(first):
    """webob#60."""
    made = in_parts(part(LARGE, 'form-data; name="upload"; filename="a.bin"'))
    before = deleted_files()
    getattr(made, first)
    field = made.POST["upload"]
    (size,) = [size for inode, size in deleted_files().items() if inode not in before]
    assert size <= made.content_length
    assert field.file.read() == LARGE
    assert made.body_file.read().count(LARGE) == 1


def test_a_body_that_was_stored_elsewhere_is_parsed_from_there(tmp_path):
    body = parts(part(LARGE, 'form-data; name="upload"; filename="a.bin"'))
    with open(tmp_path / "body", "w+b") as file:
        file.write(body)
        keys = {"CONTENT_LENGTH": str(len(body)), "REQUEST_METHOD": "POST", "CONTENT_TYPE": MULTIPART}
        made = Request(environ(**keys, wsgi__input=file, webob__is_body_seekable=True))
        assert made.POST["upload"].value == LARGE


def test_where_large_bodies_are_stored_can_be_chosen(tmp_path):
    class Stored(Request):
        request_body_tempfile_limit = 10

        def make_tempfile(self):
            return open(tmp_path / "body", "w+b")

    made = Stored(environ(b"more than ten bytes", wsgi__input=Unseekable(b"more than ten bytes")))
    assert made.body == b"more than ten bytes"
    with made.body_file_raw as file:
        assert file.name == str(tmp_path / "body")
    assert Stored(environ(b"ten bytes.")).body_file_seekable.getvalue() == b"ten bytes."


@rows(
    "keys",
    {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi__input_terminated": True},
    {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi__input_terminated": True, "CONTENT_LENGTH": "0"},
    {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi__input_terminated": True, "CONTENT_LENGTH": "2"},
    {"HTTP_TRANSFER_ENCODING": "chunked", "mod_wsgi__input_chunked": "1"},
    {"webob__is_body_readable": True},
    {"CONTENT_LENGTH": "5"},
    {"CONTENT_LENGTH": 5},
    ids=str,
)
def test_a_body_in_chunks_is_read(keys):
    """webob#283."""
    made = Request(environ(wsgi__input=Unseekable(b"a=b&c"), REQUEST_METHOD="POST", **keys))
    assert made.is_body_readable
    assert made.body == b"a=b&c"
    assert (made.content_length, made.POST.items()) == (5, [("a", "b"), ("c", "")])


@rows("length", [None, "0", "-5", "x", "1_0", "9" * 5000])
def test_nothing_is_read_where_the_end_is_unknown(length):
    source = Unseekable(b"what another request sent")
    made = Request(environ(wsgi__input=source, REQUEST_METHOD="POST", CONTENT_LENGTH=length))
    assert (made.body, made.body_file.read(), dict(made.POST), source.was_read) == (b"", b"", {}, 0)


def test_no_more_is_read_than_the_length():
    source = Unseekable(b"a=1 and the next request")
    made = Request(environ(wsgi__input=source, REQUEST_METHOD="POST", CONTENT_LENGTH="3"))
    assert (made.body_file.read(2), made.body_file.read(2), made.body_file.read(2)) == (b"a=", b"1", b"")
    assert source.was_read == 3


def test_a_server_may_give_less_than_was_asked_for():
    class Slow(Unseekable):
        def read(self, size=-1):
            return super().read(min(size, 2))

    for limit in (0, 1000):
        made = Request(environ(wsgi__input=Slow(b"a=1&b=2"), REQUEST_METHOD="POST", CONTENT_LENGTH="7"))
        made.__class__ = type("Bounded", (Request,), {"request_body_tempfile_limit": limit})
        assert made.POST.items() == [("a", "1"), ("b", "2")]
    made = Request(environ(wsgi__input=Slow(b"a=1&b=2"), CONTENT_LENGTH="7"))
    assert made.body_file.read() == b"a=1&b=2"


READS = {
    "body": lambda made: made.body,
    "text": lambda made: made.text,
    "json": lambda made: made.json,
    "POST": lambda made: made.POST,
    "params": lambda made: made.params,
    "body_file": lambda made: made.body_file.read(),
    "body_file_seekable": lambda made: made.body_file_seekable,
    "copy": lambda made: made.copy(),
}


@rows("read", READS.values(), ids=READS)
@rows("limit", [0, 1000])
def test_a_body_that_breaks_off_is_an_error(read, limit):
    made = request(b"a=1", CONTENT_LENGTH="300", REQUEST_METHOD="POST", CONTENT_TYPE=URLENCODED)
    made.__class__ = type("Bounded", (Request,), {"request_body_tempfile_limit": limit})
    with pytest.raises(DisconnectionError, match="297 more bytes"):
        read(made)


@rows("query", ["a=%ff", "a=\xff", "%ff", "a=1&%C3=2&b=3", "a=%C3%A9%EF%BF%BD&b=%E2%82"])
def test_a_query_that_is_not_utf_8_raises_what_is_a_400(query):
    made = request(QUERY_STRING=query, PATH_INFO="/")
    for name, error in product(("GET", "params"), (UnicodeDecodeError, HTTPBadRequest)):
        with pytest.raises(error, match="utf-8"):
            getattr(made, name)
    assert made.url == f"http://example.com:8000/?{query}"


@rows(
    "key, name",
    ("PATH_INFO", "path_info"),
    ("SCRIPT_NAME", "script_name"),
    ("SCRIPT_NAME", "application_url"),
    *product(("PATH_INFO", "SCRIPT_NAME"), ("path", "path_qs", "path_url", "url")),
)
def test_a_path_that_is_not_utf_8_raises_what_is_a_400(key, name):
    made = request(**{"PATH_INFO": "/", key: "/\xff"})
    for error in (UnicodeDecodeError, HTTPBadRequest):
        with pytest.raises(error, match="utf-8"):
            getattr(made, name)
    assert "%FF" in repr(made)


@rows("charset", ["zlib", "utf-7", "no such charset", "\0"])
def test_a_charset_that_is_none_is_no_crash(charset):
    made = request(b"a=%C3%BC", CONTENT_TYPE=f"{URLENCODED}; charset={charset}")
    assert (made.charset, made.POST["a"]) == (charset, "\xfc")
    with pytest.raises(LookupError, match="charset"):
        made.text  # noqa: B018


@rows("body", [b"{", b"", b"{} {}", b"\xff", b"[" * 100_000])
def test_malformed_json_is_a_value_error_and_a_400(body):
    for error in (ValueError, HTTPBadRequest, UnicodeDecodeError if body == b"\xff" else JSONDecodeError):
        with pytest.raises(error):
            request(body).json  # noqa: B018
    app = wsgify(lambda request: Response(json=request.json))
    assert Client(app, "wsgi").post("/", body=body).status == 400


def test_json_may_be_read_and_written_by_another_module(monkeypatch):
    def loads(text):
        raise ValueError("expected something else")

    module = SimpleNamespace(loads=lambda text: f"read {text}", dumps=lambda value, **options: f"written {value}")
    monkeypatch.setattr(webob_request, "json", module)
    made = request(b"{")
    assert made.json == "read {"
    made.json = [1]
    assert made.body == b"written [1]"
    monkeypatch.setattr(module, "loads", loads)
    with pytest.raises(HTTPBadRequest, match="something else"):
        made.json_body  # noqa: B018


def test_a_body_that_was_read_in_part_is_not_taken_for_whole():
    made = request(b"a=1&b=2", REQUEST_METHOD="POST", CONTENT_TYPE=URLENCODED)
    assert made.body_file.read(4) == b"a=1&"
    with pytest.raises(DisconnectionError, match="4 more bytes"):
        made.POST  # noqa: B018


def test_no_name_gets_out_of_its_header():
    name = 'a"\r\nX-Forged: 1\r\n\r\n'
    made = Request.blank("/", POST={name: (name, b"content")})
    ((key, field),) = made.POST.items()
    assert (key, field.headers.keys()) == ('a"%0D%0AX-Forged: 1%0D%0A%0D%0A', ["Content-Disposition"])


def test_an_error_in_a_property_is_not_taken_for_a_missing_attribute():
    class Own(Request):
        @property
        def tenant(self):
            return self.environ.tenant

    with pytest.raises(AttributeError, match="'dict' object has no attribute 'tenant'"):
        Own(environ()).tenant  # noqa: B018


@given(
    st.lists(st.sampled_from([b"--between", b"--", b"\r\n", b"Content-Disposition: form-data", b'; name="a"', b"x"]))
)
def test_no_form_is_a_crash(pieces):
    body = b"".join(pieces)
    made = request(body, CONTENT_TYPE=MULTIPART, REQUEST_METHOD="POST")
    with suppress(HTTPBadRequest):
        made.POST  # noqa: B018
    assert made.body == body


@rows("charset", ["utf-16", "UTF-16LE", "utf-32", "utf-8", "latin-1"])
def test_pyramid_reads_json_in_the_charset_that_it_has(charset):
    request = Request.blank("/", content_type=f"application/json; charset={charset}")
    request.body = '{"a": "\xfc"}'.encode(charset)
    assert request.json == {"a": "\xfc"}


def test_a_form_is_added_to_an_environ_without_a_content_type():
    environ = environ_from_url("/")
    environ_add_POST(environ, None)
    assert environ["REQUEST_METHOD"] == "GET"
    environ_add_POST(environ, {"a": "b"})
    assert Request(environ).POST["a"] == "b"


@pytest.mark.feature("pyramid-007")
def test_no_form_has_no_variables_and_says_why():
    fields = request(b"{}", CONTENT_TYPE="application/json").POST
    assert isinstance(fields, NoVars)
    assert (len(fields), fields.get("a"), fields.getall("a"), "a" in fields, fields.items()) == (0, None, [], False, [])
    for change in (lambda: fields.add("a", "b"), lambda: fields.pop("a"), lambda: fields["a"]):
        with pytest.raises(KeyError, match="application/json"):
            change()


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
