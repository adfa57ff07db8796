"""Requests beside those of Werkzeug, attribute by attribute; and what no comparison shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Request as Original

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.wrappers import Request
from tests.dialects.werkzeug.environs import CONTENT, MULTIPART, URLENCODED, environ, form, part, parts
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

ATTRIBUTES = [
    "method", "scheme", "server", "root_path", "script_root", "path", "query_string", "full_path", "is_secure",
    "host", "url", "base_url", "root_url", "url_root", "host_url", "remote_addr", "access_route", "remote_user",
    "is_multithread", "is_multiprocess", "is_run_once", "args", "cookies", "content_type", "content_encoding",
    "content_md5", "content_length", "referrer", "date", "max_forwards", "mimetype", "mimetype_params", "pragma",
    "accept_mimetypes", "accept_charsets", "accept_encodings", "accept_languages", "cache_control", "if_match",
    "if_none_match", "if_modified_since", "if_unmodified_since", "if_range", "range", "authorization", "origin",
    "access_control_request_headers", "access_control_request_method", "is_json", "want_form_data_parsed", "data",
    "form", "files", "values",
]  # fmt: skip
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"

FIELD = part(b"value")
FILE = part(CONTENT, 'form-data; name="upload"; filename="a.bin"', "Content-Type: application/x-thing; a=b")

ENVIRONS = {
    "plain": {},
    "no path": {"PATH_INFO": ""},
    "several slashes": {"PATH_INFO": "//a//b"},
    "a root path": {"SCRIPT_NAME": "/app/"},
    "not ASCII": {"SCRIPT_NAME": "/\xc3\xa4", "PATH_INFO": "/\xc3\xbc x"},
    "not UTF-8": {"PATH_INFO": "/\xff"},
    "escapes": {"PATH_INFO": "/a%20b?#;&"},
    "a query that is not UTF-8": {"QUERY_STRING": "a=%ff&b=%C3%BC&c"},
    "an odd query": {"QUERY_STRING": "a=1;b=2&&=x&q=a%26b%3Dc+d%40%2f"},
    "no query": {"QUERY_STRING": None},
    "no Host": {"HTTP_HOST": None},
    "no Host, the usual port": {"HTTP_HOST": None, "SERVER_PORT": "80"},
    "a server of IPv6": {"HTTP_HOST": None, "SERVER_NAME": "::1"},
    "a Unix socket": {"HTTP_HOST": None, "SERVER_NAME": "/tmp/socket", "SERVER_PORT": None},
    "no server": {"HTTP_HOST": None, "SERVER_NAME": None, "SERVER_PORT": None},
    **{f"Host: {host}": {"HTTP_HOST": host} for host in [
        "EXAMPLE.com:80", "a_b", "[::1]:8000", "xn--bcher-kva.example", "evil/path", "a:99999", "a:", "", "a@b",
        "127.0.0.1",
    ]},
    "https": {"wsgi__url_scheme": "https", "HTTP_HOST": "a:443"},
    "proxies": {"HTTP_X_FORWARDED_FOR": '192.0.2.1, "192.0.2.2:80"'},
    "nobody knows who": {"REMOTE_ADDR": None, "REMOTE_USER": "ada"},
    "cookies": {"HTTP_COOKIE": 'a=1; b="x y"; a=2; c="\\303\\274"; alone; =nameless; d=e=f'},
    "a lower-case method": {"REQUEST_METHOD": "put"},
    "a content type": {"CONTENT_TYPE": 'Text/HTML; Charset="UTF-8"; x=y'},
    **{f"{length} bytes": {"CONTENT_LENGTH": length} for length in ["5", "x", "-1", "", " 3 "]},
    "in chunks": {"CONTENT_LENGTH": "5", "HTTP_TRANSFER_ENCODING": "gzip, chunked"},
    "what is accepted": {
        "HTTP_ACCEPT": "text/html;level=1;q=0.4, */*;q=0.1, a/b;q=nan", "HTTP_ACCEPT_CHARSET": "utf-8, *;q=0.1",
        "HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.8,*;q=0", "HTTP_ACCEPT_ENCODING": "gzip;q=0.5, br",
    },
    "directives": {
        "HTTP_CACHE_CONTROL": "no-cache, max-age=0", "HTTP_PRAGMA": "no-cache", "HTTP_DATE": DATE,
        "HTTP_MAX_FORWARDS": "5", "HTTP_REFERER": "http://x/", "HTTP_ORIGIN": "http://o",
        "HTTP_CONTENT_ENCODING": "gzip", "HTTP_CONTENT_MD5": "eA==",
    },
    "nonsense": {"HTTP_MAX_FORWARDS": "x", "HTTP_DATE": "x", "HTTP_IF_MODIFIED_SINCE": "x", "HTTP_RANGE": "x"},
    "any tag, a date": {"HTTP_IF_MATCH": "*", "HTTP_IF_NONE_MATCH": "*", "HTTP_IF_RANGE": DATE},
    "another kind of server": {"wsgi__multithread": True, "wsgi__multiprocess": True, "wsgi__run_once": True},
    "conditions": {
        "HTTP_IF_MATCH": '"a"', "HTTP_IF_NONE_MATCH": 'W/"b", "c", d', "HTTP_IF_MODIFIED_SINCE": DATE,
        "HTTP_IF_UNMODIFIED_SINCE": DATE, "HTTP_IF_RANGE": '"x"', "HTTP_RANGE": "bytes=0-1,5-",
    },
    **{f"credentials {number}": {"HTTP_AUTHORIZATION": credentials} for number, credentials in enumerate([
        "Basic YWxhZGRpbjpvcGVuc2VzYW1l", "Basic x", "Bearer abc",
        'Digest username="a", realm="b", nonce="c", uri="/", response="d"',
    ])},
    "a request of another site": {
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "X-A, X-B", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
    },
    "JSON": {"CONTENT_TYPE": "application/problem+json"},
}  # fmt: skip

BODIES = {
    "urlencoded": (b"a=1&b=x+y%26&a=2&c", URLENCODED),
    "urlencoded, escapes that are not UTF-8": (b"a=%ff&b=%C3%BC", URLENCODED),
    "urlencoded, not UTF-8": (b"a=\xff", URLENCODED),
    "not a form": (b"a=1", "application/octet-stream"),
    "in parts": (parts(FIELD, FILE, FIELD), MULTIPART),
    "in parts, none chosen": (parts(part(b"", 'form-data; name="upload"; filename=""')), MULTIPART),
    "in parts, between other text": (b"before\r\n" + parts(FIELD) + b"after", MULTIPART),
    "in parts, not ASCII": (parts(part("\u00fc".encode(), 'form-data; name="\u00fc%22"')), MULTIPART),
    "in parts, Latin-1": (
        parts(part(b"\xfc", 'form-data; name="a"', "Content-Type: text/plain; charset=ISO-8859-1")),
        MULTIPART,
    ),
    "in parts, without a boundary": (parts(FIELD), "multipart/form-data"),
    "in parts, with another boundary": (parts(FIELD), "multipart/form-data; boundary=other"),
    "in parts, cut off": (parts(FIELD)[:40], MULTIPART),
    "in parts, without names": (b"--between\r\nX-A: b\r\n\r\nvalue\r\n--between--\r\n", MULTIPART),
}


def plain(value):
    name = type(value).__name__
    if hasattr(value, "getlist"):
        return name, [(key, plain(each)) for key, each in value.items(multi=True)]
    if name == "ETags":
        return value.as_set(), value.as_set(include_weak=True), value.star_tag
    if name == "FileStorage":
        headers = sorted(value.headers.items())
        return name, value.filename, value.name, value.mimetype, value.mimetype_params, headers, value.read()
    return (name, value.to_header()) if hasattr(value, "to_header") else value


def compare(make):
    theirs, ours = Original(make()), Request(make())
    for name in ATTRIBUTES:
        same(
            outcome(lambda request, name=name: plain(getattr(request, name)), theirs),
            outcome(lambda request, name=name: plain(getattr(request, name)), ours),
        )
    theirs.close()
    ours.close()


@rows("keys", ENVIRONS.values(), ids=ENVIRONS)
def test_environs(keys):
    compare(lambda: environ(**keys))


@rows("method", ["POST", "DELETE"])
@rows("body, content_type", BODIES.values(), ids=BODIES)
def test_bodies(body, content_type, method):
    compare(lambda: environ(body, CONTENT_TYPE=content_type, REQUEST_METHOD=method))


@given(st.binary(max_size=60))
def test_queries(query):
    text = query.decode("latin-1")
    if any(byte > 127 for byte in query):
        assert Request(environ(QUERY_STRING=text)).args is not None
        return
    for name in ("args", "full_path", "url"):
        same(
            outcome(lambda name=name: plain(getattr(Original(environ(QUERY_STRING=text)), name))),
            outcome(lambda name=name: plain(getattr(Request(environ(QUERY_STRING=text)), name))),
        )


@given(st.text(max_size=30))
def test_paths(path):
    written = path.encode("utf-8", "surrogatepass").decode("latin-1")
    for name in ("path", "url", "base_url"):
        same(
            outcome(lambda name=name: getattr(Original(environ(PATH_INFO=written)), name)),
            outcome(lambda name=name: getattr(Request(environ(PATH_INFO=written)), name)),
        )


@rows(
    "body, content_type",
    (b'{"a": [1, 2.5, "\\u00fc", null, true]}', "application/json"),
    (b"[NaN, Infinity, 1e400, 123456789012345678901234567890]", "application/json"),
    ('"\u00fc"'.encode("utf-16"), "application/json"),
    (b"\xef\xbb\xbf[1]", "application/x+json"),
    (b'{"a": 1, "a": 2}', "application/json"), (b'"\\ud800"', "application/json"),
    (b"[" * 150 + b"]" * 150, "application/json"),
    (b"{", "application/json"), (b"", "application/json"), (b"{}", "text/plain"),
)  # fmt: skip
def test_json(body, content_type):
    def read(cls, **options):
        return repr(cls(environ(body, CONTENT_TYPE=content_type, CONTENT_LENGTH=str(len(body)))).get_json(**options))

    for options in ({}, {"force": True}, {"silent": True}, {"force": True, "silent": True}, {"cache": False}):
        same(outcome(lambda o=options: read(Original, **o)), outcome(lambda o=options: read(Request, **o)))


def test_json_is_kept_as_it_failed():
    class Silent(Request):
        def on_json_loading_failed(self, e):
            return f"failed: {type(e).__name__}"

    made = Silent(environ(b"{", CONTENT_TYPE="application/json"))
    assert made.json == "failed: JSONDecodeError"
    assert made.get_json(silent=True) is None
    assert made.json == "failed: JSONDecodeError"
    assert Silent(environ(b"{}")).json == "failed: NoneType"


@rows("host", ["example.com", "a.example.org", "example.org:5000", "evil.com", "xn--bcher-kva.de", ""])
def test_trusted_hosts(host):
    def read(cls):
        bounded = type("Bounded", (cls,), {"trusted_hosts": ["example.com", ".example.org", "b\u00fccher.de"]})
        return bounded(environ(HTTP_HOST=host)).host

    same(outcome(read, Original), outcome(read, Request))


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
