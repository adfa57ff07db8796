"""Requests beside those of WebOb: the same environs, attribute by attribute."""

from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialects.webob import util
from antiphon.dialects.webob.request import Request
from tests.dialects.webob.original import request as original
from tests.dialects.webob.original import util as original_util
from tests.dialects.werkzeug.environs import CONTENT, MULTIPART, URLENCODED, environ, part, parts
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
HEAD = [
    "method", "scheme", "http_version", "query_string", "server_name", "server_port", "remote_user", "remote_addr",
    "content_length", "url_encoding", "script_name", "path_info", "uscript_name", "upath_info", "content_type",
    "host", "domain", "host_port", "host_url", "client_addr", "application_url", "path_url", "path", "path_qs", "url",
    "urlvars", "urlargs", "is_xhr", "GET", "headers", "max_forwards", "pragma", "referer", "referrer", "user_agent",
    "is_body_seekable", "is_body_readable", "charset",
]  # fmt: skip
BODY = ["is_body_readable", "POST", "params", "body", "content_length", "is_body_seekable"]

ENVIRONS = {
    "plain": {},
    "no path": {"PATH_INFO": ""},
    "several slashes": {"PATH_INFO": "//a//b"},
    "a root path": {"SCRIPT_NAME": "/app", "PATH_INFO": "/"},
    "not ASCII": {"SCRIPT_NAME": "/\xc3\xa4", "PATH_INFO": "/\xc3\xbc x"},
    "escapes": {"PATH_INFO": "/a%20b?#;&|\\^`{}[]\"'<>@!$()*+,="},
    "an odd query": {"QUERY_STRING": "a=1;b=2&&=x&q=a%26b%3Dc+d%40%2f&%zz=%&r=\xc3\xbc"},
    "no query": {"QUERY_STRING": None},
    "no Host": {"HTTP_HOST": None},
    "no Host, the usual port": {"HTTP_HOST": None, "SERVER_PORT": "80"},
    "a server of IPv6": {"HTTP_HOST": None, "SERVER_NAME": "[::1]"},
    **{f"Host: {host}": {"HTTP_HOST": host} for host in [
        "EXAMPLE.com:80", "a_b", "[::1]:8000", "[::1]", "xn--bcher-kva.example", "a:", "", "a@b", "127.0.0.1",
    ]},
    "https": {"wsgi__url_scheme": "https", "HTTP_HOST": "a:443"},
    "https at the port of http": {"wsgi__url_scheme": "https", "HTTP_HOST": "a:80"},
    "https without a port": {"wsgi__url_scheme": "https", "HTTP_HOST": "a"},
    "another scheme": {"wsgi__url_scheme": "ws", "HTTP_HOST": "a:80"},
    "proxies": {"HTTP_X_FORWARDED_FOR": " 192.0.2.1, 192.0.2.2:80"},
    "nobody knows who": {"REMOTE_ADDR": None, "REMOTE_USER": "ada"},
    "a lower-case method": {"REQUEST_METHOD": "put"},
    "a content type": {"CONTENT_TYPE": "Text/HTML; x=y; Charset=\"UTF-8\""},
    "another charset": {"CONTENT_TYPE": "text/plain; charset=latin-1"},
    **{f"{length} bytes": {"CONTENT_LENGTH": length} for length in ["5", "x", "", " 3 ", "0"]},
    "routed": {"wsgiorg__routing_args": (("a",), {"b": "c"})},
    "routed by Paste": {"paste__urlvars": {"b": "c"}},
    "a script's request": {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"},
    "directives": {
        "HTTP_PRAGMA": "no-cache", "HTTP_MAX_FORWARDS": "5", "HTTP_REFERER": "http://x/", "HTTP_USER_AGENT": "curl",
    },
    "nonsense": {"HTTP_MAX_FORWARDS": "x", "SERVER_PORT": "x"},
    "in another encoding": {"webob__url_encoding": "latin-1", "PATH_INFO": "/\xfc"},
}  # fmt: skip

FIELD = part(b"value")
FILE = part(CONTENT, 'form-data; name="upload"; filename="a.bin"', "Content-Type: application/x-thing; a=b")
BODIES = {
    "urlencoded": (b"a=1&b=x+y%26&a=2&c&=&d=%zz", URLENCODED),
    "urlencoded, not UTF-8": (b"a=%ff&b=%C3%BC", URLENCODED),
    "a charset of its own": (b"a=%C3%BC", f"{URLENCODED}; charset=utf8"),
    "not a form": (b"a=1", "application/octet-stream"),
    "no content type": (b"a=1", None),
    "in parts": (parts(FIELD, FILE, FIELD), MULTIPART),
    "in parts, none chosen": (parts(part(b"", 'form-data; name="upload"; filename=""')), MULTIPART),
    "in parts, an empty file": (parts(part(b"", 'form-data; name="upload"; filename="a"')), MULTIPART),
    "in parts, between other text": (b"before\r\n" + parts(FIELD) + b"after", MULTIPART),
    "in parts, not ASCII": (parts(part("\u00fc".encode(), 'form-data; name="\u00fc"')), MULTIPART),
    "in parts, with lengths": (parts(part(b"value", 'form-data; name="a"', "Content-Length: 5")), MULTIPART),
    "JSON": (b'{"a": [1]}', "application/json"),
    "large": (parts(FIELD, part(CONTENT * 400, 'form-data; name="upload"; filename="a.bin"')), MULTIPART),
}


def plain(value):
    if hasattr(value, "filename"):
        value.file.read(1)
        return (
            value.name, value.filename, value.type, value.type_options, value.disposition, value.disposition_options,
            value.length, value.headers.items(), value.value, value.file.read(), repr(value),
        )  # fmt: skip
    name = type(value).__name__
    if name == "EnvironHeaders":
        return sorted(value.items())
    return (name, [(key, plain(each)) for key, each in value.items()]) if hasattr(value, "items") else value


def compare(names, make, *classes):
    theirs, ours = (cls(make()) for cls in classes or (original.Request, Request))
    for name in names:
        same(
            outcome(lambda request, name=name: plain(getattr(request, name)), theirs),
            outcome(lambda request, name=name: plain(getattr(request, name)), ours),
        )
    for file in (theirs.body_file_raw, *(field.file for field in theirs.POST.values() if hasattr(field, "file"))):
        file.close()


FIELDS = {
    "accept": ["text/html;level=1;q=0.4, */*;q=0.1", "text", ""],
    "accept_charset": ["utf-8, *;q=0.1"], "accept_encoding": ["gzip;q=0.5, br"],
    "accept_language": ["de-AT,de;q=0.8,*;q=0"],
    "authorization": ["Basic eDp5", 'Digest username="a", realm="b"', "Bearer abc", "x", ""],
    "cache_control": ["no-cache, max-age=0", 'private="x"', ""],
    "cookie": ["a=1; b=two; a=3", 'c="x\\054y"; d', ""], "date": [DATE, "x", ""],
    "if_match": ['"a"', '"a", W/"b"', "*", ""],
    "if_modified_since": [DATE, "Sun, 06 Nov 1994 08:49:37 +0200", "x"],
    "if_none_match": ['W/"b", "c"', "*", ""], "if_range": ['"x"', DATE, ""], "if_unmodified_since": [DATE],
    "max_forwards": ["5", "x", ""], "pragma": ["no-cache"],
    "range": ["bytes=0-1", "bytes=5-", "bytes=-5", "x", ""],
    "referer": ["http://a/"], "user_agent": ["curl", ""],
}  # fmt: skip


def shown(value):
    return sorted(value.items()) if hasattr(value, "items") else value if isinstance(value, tuple) else str(value)


@rows("name, written", [(name, text) for name, texts in FIELDS.items() for text in (None, *texts)])
def test_header_fields(name, written):
    attribute = "cookies" if name == "cookie" else name
    requests = [cls(environ(**{f"HTTP_{name.upper()}": written})) for cls in (original.Request, Request)]
    same(*(outcome(lambda each: shown(getattr(each, attribute)), each) for each in requests))
    if written is not None and attribute != "cookies":
        same(*(outcome(delattr, each, attribute) for each in requests))
        assert f"HTTP_{name.upper()}" not in requests[1].environ


@rows("name, shared", ("a", 1), ("a_b", 1), ("_a", None))
@rows("kind", [original.Request, Request], ids=["original", "dialect"])
def test_requests_of_an_environ_share_the_attributes_that_a_program_sets(kind, name, shared):
    request = kind(environ())
    setattr(request, name, 1)
    assert (getattr(request, name), getattr(kind(request.environ), name, None)) == (1, shared)


@rows("keys", ENVIRONS.values(), ids=ENVIRONS)
def test_environs(keys):
    compare(HEAD, lambda: environ(**keys))


@rows("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
@rows("body, content_type", BODIES.values(), ids=BODIES)
def test_bodies(body, content_type, method):
    compare(BODY, lambda: environ(body, CONTENT_TYPE=content_type, REQUEST_METHOD=method))


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_queries(query):
    compare(["GET", "params", "url"], lambda: environ(QUERY_STRING=query.replace("%", "%25")))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_paths(path):
    written = path.encode().decode("latin-1")
    compare(["path_info", "path", "url"], lambda: environ(PATH_INFO=f"/{written}"))


BLANKS = {
    "a path": (["/a%20b/%C3%BC?q=%20"], {}), "no path": ([""], {}), "a URL": (["https://example.com/a?b=c"], {}),
    "a URL with a port": (["http://example.com:8080/a"], {}),
    "a URL without a path": (["http://example.com"], {}), "a fragment": (["http://example.com/a#b"], {}),
    "another scheme": (["ftp://example.com/"], {}),
    "a base URL": (["/a"], {"base_url": "https://example.com/app%20b"}),
    "a base URL with a port": (["/a"], {"base_url": "http://example.com:81/"}),
    "a base URL that is a path": (["/a"], {"base_url": "/app"}),
    "a base URL with a query": (["/a"], {"base_url": "http://example.com/?a=b"}),
    "a base URL of another scheme": (["/a"], {"base_url": "ftp://example.com/"}),
    "headers": (["/"], {"headers": {"X-A": "b", "Content-Type": "text/plain"}}),
    "headers in pairs": (["/"], {"headers": [("X-A", "b")]}),
    "an environ": (["/"], {"environ": {"REQUEST_METHOD": "DELETE", "x.y": 1}}),
    "attributes": (["/"], {"method": "PUT", "body": b"x", "content_type": "text/plain", "remote_user": "ada"}),
    "an unknown attribute": (["/"], {"unknown": 1}),
    "a body": (["/"], {"POST": b"x", "content_type": "application/octet-stream"}),
    "a body in text": (["/"], {"POST": "a=b"}),
    "a body that is not ASCII": (["/"], {"POST": "\u00fc"}),
    "a form": (["/"], {"POST": {"a": "\u00fc &", "b": "c"}}),
    "a form in pairs": (["/"], {"POST": [("a", "1"), ("a", "2")]}),
    "a form by PUT": (["/"], {"POST": {"a": "b"}, "environ": {"REQUEST_METHOD": "PUT"}}),
    "a form in parts": (["/"], {"POST": {"a": "b"}, "content_type": MULTIPART}),
    "files": (["/"], {"POST": {"a": ("b.txt", b"c"), "d": "e"}, "content_type": MULTIPART}),
    "files of an unknown type": (["/"], {"POST": {"a": ("b", b"c")}, "headers": {"Content-Type": MULTIPART}}),
    "files in a form that has none": (["/"], {"POST": {"a": ("b", b"c")}, "content_type": URLENCODED}),
    "fields of another type": (["/"], {"POST": {"a": "b"}, "content_type": "text/plain"}),
}  # fmt: skip


@rows("arguments, keywords", BLANKS.values(), ids=BLANKS)
def test_blank(arguments, keywords):
    def made(cls):
        request = cls.blank(*arguments, **keywords)
        request.body_file_raw = request.body_file_raw.getvalue().replace(b"Content-type", b"Content-Type")
        return {key: value for key, value in request.environ.items() if key != "wsgi.errors"}

    same(outcome(made, original.Request), outcome(made, Request))


@given(
    st.sampled_from(["http://a/b/c?d", "http://a", "http://a/b/", "/b/c", ""]),
    st.text(st.sampled_from("ab/.?#:;= \t\\"), max_size=8),
)
def test_references(base, reference):
    same(outcome(original_util.urljoin, base, reference), outcome(util.urljoin, base, reference))
