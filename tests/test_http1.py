"""Requests and responses as HTTP/1.1 writes them."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Limits, Request, Response
from antiphon.adapters.asgi import ASGIHead
from antiphon.http.head import DerivedHead, RequestHead
from antiphon.http1 import LONGEST_HEAD, format_request, format_response, parse_request, parse_response
from antiphon.request.route import NO_ROUTE
from tests.helpers.rows import rows

GET = b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n"


def with_status(body, status):
    """A response whose status is set later: one that is made with content and such a status is refused."""
    response = Response(body)
    response.status = status
    return response


def request_values(request):
    head = request.head
    sent = request.method, request.raw_path, request.path, request.query_string, request.http_version, head.authority
    return sent, request.headers.items(), request.body


def response_values(response):
    return response.status, response.headers.items(), response.body


# Requests, printed


@rows(
    "request_, message",
    (Request.blank("http://example.com/"), GET),
    (Request.blank("/a%20b/é?q=%20&r"), b"GET /a%20b/%C3%A9?q=%20&r HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (
        Request.blank("/", "POST", [("X-A", "1"), ("Host", "h:80"), ("X-A", "2")], b"body"),
        b"POST / HTTP/1.1\r\nx-a: 1\r\nhost: h:80\r\nx-a: 2\r\ncontent-length: 4\r\n\r\nbody",
    ),
    (
        Request.blank("/", "PUT", {"content-length": "99", "x-b": "c"}, b"\r\n\r\n\0"),
        b"PUT / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\nx-b: c\r\n\r\n\r\n\r\n\0",
    ),
    (
        Request.blank("/", "PUT", {"transfer-encoding": "chunked"}, b"x"),
        b"PUT / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx",
    ),
    (
        Request.blank("/", "POST", {"content-length": "0"}),
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n",
    ),
    (Request(RequestHead(path="/é %")), b"GET /%C3%A9%20%25 HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (
        Request(RequestHead(path="/x", root_path="/app", raw_path=b"/a%70p/x", http_version="2")),
        b"GET /a%70p/x HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ),
    (
        Request(RequestHead(path="/", root_path="/app", raw_path=b"/app", http_version="1.0")),
        b"GET /app HTTP/1.0\r\nhost: localhost\r\n\r\n",
    ),
    (
        Request(RequestHead(headers=[("host", "a"), ("host", "b")], authority="c:8080")),
        b"GET / HTTP/1.1\r\nhost: c:8080\r\n\r\n",
    ),
)
def test_a_request_is_printed(request_, message):
    assert format_request(request_) == message


def test_what_a_uri_cannot_have_is_printed_percent_encoded():
    assert format_request(Request.blank("/é?ü=日")).startswith(b"GET /%C3%A9?%C3%BC=%E6%97%A5 HTTP/1.1\r\n")


def test_a_rewritten_path_is_printed_as_it_is_now():
    head = DerivedHead(RequestHead(path="/old", raw_path=b"/old"))
    head.path = "/new way"
    assert format_request(Request(head)).startswith(b"GET /new%20way HTTP/1.1\r\n")


@rows(
    "head",
    RequestHead("GET /x HTTP/1.1\r\nx:"),
    RequestHead(""),
    RequestHead(query_string=b"a b"),
    RequestHead(query_string=b"a\r\nx: y"),
    RequestHead(query_string=b"#"),
    RequestHead(path="/\udc80"),
    RequestHead(path="*"),
    RequestHead(path="/a\n", raw_path=b"/a\n"),
    RequestHead(path="/a?b", raw_path=b"/a?b"),
    RequestHead(authority="a\r\nx: y"),
    RequestHead(authority="a b"),
    RequestHead(headers={"transfer-encoding": "gzip, chunked"}),
)
def test_what_cannot_stand_in_a_request_is_an_error(head):
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        format_request(Request(head))


@rows("field", [(b"x-a", b"a\r\nx-b: c"), (b"x\r\n", b"a"), (b"x-a", b"\0")])
def test_a_server_s_field_with_a_line_end_is_not_printed(field):
    scope = {"method": "GET", "path": "/", "headers": [(b"host", b"a"), field], "http_version": "1.1"}
    with pytest.raises(ValueError):  # noqa: PT011
        format_request(Request(ASGIHead(scope, None)))


def test_a_body_that_is_not_loaded_is_an_error_that_says_so():
    scope = {"method": "PUT", "path": "/", "headers": [(b"content-length", b"1")], "http_version": "1.1"}
    with pytest.raises(RuntimeError, match=r"await request\.aload\(\)"):
        format_request(Request(ASGIHead(scope, None)))


# Requests, parsed


def test_a_request_is_parsed():
    request = parse_request(
        b"PUT /caf%C3%A9//x?q=%20?&r HTTP/1.1\r\nX-A:1\r\nHOST: Example.com:8080\r\nx-a: \t2, \xe9\t\r\nempty:\r\n"
        b"Content-Length: 4\r\n\r\n\r\n\r\n"
    )
    assert (request.method, request.path, request.raw_path) == ("PUT", "/café//x", b"/caf%C3%A9//x")
    assert (request.query_string, request.host, request.port) == (b"q=%20?&r", "example.com", 8080)
    assert request.headers["x-a"] == "1, 2, é"
    assert request.headers["empty"] == ""
    assert request.body == b"\r\n\r\n"


CHUNKED = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\ntrailer: x-t\r\n\r\n"


@rows(
    "chunks, body",
    (b"0\r\n\r\n", b""),
    (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    (b'00a\r\n0123456789\r\n1;x="y" ; z\r\n\n\r\n0\r\n\r\n', b"0123456789\n"),
    (b"1 ;a\r\n\r\r\n0\r\nX-T: yes\r\nx-u: 1\r\n\r\n", b"\r"),
)
def test_chunks_are_joined_and_get_a_length(chunks, body):
    request = parse_request(CHUNKED + chunks)
    assert request.body == body
    assert request.headers.items() == [("host", "a"), ("content-length", str(len(body)))]


@rows(
    "chunks, error",
    (b"", f"no chunk size at byte {len(CHUNKED)}"),
    (b"\r\n", "no chunk size"),
    (b"-1\r\n", "no chunk size"),
    (b"0x1\r\na\r\n0\r\n\r\n", "no chunk size"),
    (b"1\na\r\n0\r\n\r\n", "no chunk size"),
    (b"1;\nx\r\na\r\n0\r\n\r\n", "no chunk size"),
    (b"f" * 16 + b"\r\n", "no chunk size"),
    (b"2\r\na\r\n0\r\n\r\n", f"the chunk at byte {len(CHUNKED) + 3} does not end after 2 bytes"),
    (b"1\r\nab\r\n0\r\n\r\n", "does not end after 1 bytes"),
    (b"1\r\na\r\n", f"no chunk size at byte {len(CHUNKED) + 6}"),
    (b"0\r\n", f"no empty line ends the trailers at byte {len(CHUNKED) + 3}"),
    (b"0\r\nx-t: y\r\n", "no empty line ends the trailers"),
    (b"0\r\nbad\r\n\r\n", f"in the line at byte {len(CHUNKED) + 3}: a header line without a colon"),
    (b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n", f"18 bytes follow the message, which ends at byte {len(CHUNKED) + 5}"),
)
def test_bad_chunks_are_errors(chunks, error):
    with pytest.raises(ValueError, match=error):
        parse_request(CHUNKED + chunks)


@rows(
    "data, error",
    (b"", "the head does not end with an empty line within 0 bytes"),
    (b"GET / HTTP/1.1\nhost: a\n\n", "does not end with an empty line"),
    (GET[:-1], "does not end with an empty line"),
    (b"\r\n" + GET, "in the line at byte 2"),
    (b" " + GET, "no method at byte 0"),
    (b"G(T / HTTP/1.1\r\nhost: a\r\n\r\n", "no method at byte 0"),
    (b"GET  / HTTP/1.1\r\nhost: a\r\n\r\n", "no target in origin form at byte 4"),
    (b"GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n", "no target in origin form at byte 4"),
    (b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", "no target in origin form at byte 8"),
    (b"GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n", "no target in origin form"),
    (b"GET /a?b#c HTTP/1.1\r\nhost: a\r\n\r\n", "no target in origin form"),
    (b"GET /\x7f HTTP/1.1\r\nhost: a\r\n\r\n", "no target in origin form"),
    (b"GET /\rx HTTP/1.1\r\nhost: a\r\n\r\n", "no target in origin form"),
    (b"GET /\r\nhost: a\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0 at byte 5"),
    (b"GET / HTTP/2\r\nhost: a\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0 at byte 6"),
    (b"GET / HTTP/1.1 \r\nhost: a\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0"),
    (b"GET / HTTP/1.1\r\n\r\n", "0 Host fields"),
    (b"GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", "2 Host fields"),
    (b"GET / HTTP/1.1\r\nhost: a b\r\n\r\n", "not a host and port"),
    (b"GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n", "in the line at byte 25: a header line without a colon"),
    (b"GET / HTTP/1.1\r\nhost: a\r\nx : b\r\n\r\n", "in the line at byte 25: a header's name must be a token"),
    (b"GET / HTTP/1.1\r\nhost: a\r\n folded: b\r\n\r\n", "in the line at byte 25"),
    (b"GET / HTTP/1.1\r\nhost: a\r\nx: b\nc: d\r\n\r\n", "in the line at byte 25: '.n' at 1 is not allowed"),
    (b"GET / HTTP/1.1\r\nhost: a\r\nx: b\rc\r\n\r\n", "in the line at byte 25"),
    (b"GET / HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n", "in the line at byte 25"),
    (GET + b"x", "1 bytes follow the message"),
    (b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\na", "the body at byte 46 ends after 1 bytes of 2"),
    (b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nabc", "1 bytes follow the message"),
    (b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\na", "Content-Length must be one number"),
    (b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: \r\n\r\n", "Content-Length must be one number"),
    (b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\na", "Content-Length must be one number"),
    (b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na", "Content-Length must be one"),
    (CHUNKED[:-2] + b"content-length: 5\r\n\r\n0\r\n\r\n", "one Content-Length, or"),
    (CHUNKED.replace(b"Chunked", b"gzip, chunked") + b"0\r\n\r\n", "one chunked Transfer-Encoding"),
    (CHUNKED.replace(b"/1.1", b"/1.0") + b"0\r\n\r\n", "one chunked Transfer-Encoding"),
    (CHUNKED[:-2] + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n", "one chunked Transfer-Encoding"),
    (GET[:-2] + b"x: " + b"a" * LONGEST_HEAD + b"\r\n\r\n", f"within {LONGEST_HEAD} bytes"),
)
def test_a_bad_request_is_an_error_that_says_where(data, error):
    with pytest.raises(ValueError, match=error):
        parse_request(data)


def test_a_request_of_http_1_0_may_have_no_host():
    assert parse_request(b"GET / HTTP/1.0\r\n\r\n").http_version == "1.0"


# Responses

TEXT_ONLY = b"content-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n"


@rows(
    "response, method, message",
    (Response("é"), "GET", b"HTTP/1.1 200 OK\r\n%bcontent-length: 2\r\n\r\n\xc3\xa9" % TEXT_ONLY),
    (Response("é"), "HEAD", b"HTTP/1.1 200 OK\r\n%bcontent-length: 2\r\n\r\n" % TEXT_ONLY),
    (Response(None, 299), "GET", b"HTTP/1.1 299 Success\r\ncontent-length: 0\r\n\r\n"),
    (with_status("x", 204), "GET", b"HTTP/1.1 204 No Content\r\n%b\r\n" % TEXT_ONLY),
    (
        Response(None, 404, [("Set-Cookie", "a=b"), ("Content-Length", "0"), ("Set-Cookie", "c=d")]),
        "GET",
        b"HTTP/1.1 404 Not Found\r\nset-cookie: a=b\r\ncontent-length: 0\r\nset-cookie: c=d\r\n\r\n",
    ),
    (
        Response(None, 200, [("content-length", "0"), ("content-length", "9"), ("transfer-encoding", "chunked")]),
        "GET",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ),
    (
        Response(iter(["x"]), 200, {"content-length": "1", "content-type": "a/b"}),
        "HEAD",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-type: a/b\r\n\r\n",
    ),
)
def test_a_response_is_printed(response, method, message):
    assert format_response(response, method) == message


def test_a_stream_is_not_printed_and_not_used_up():
    response = Response(iter(["a"]))
    with pytest.raises(TypeError, match="streamed body"):
        format_response(response)
    assert list(response.body) == ["a"]


@rows(
    "data, method, expected",
    (b"HTTP/1.1 200 Fine\r\nContent-Length: 1\r\n\r\na", "GET", (200, [("content-length", "1")], b"a")),
    (b"HTTP/1.1 200 \r\n\r\nto the end", "GET", (200, [], b"to the end")),
    (b"HTTP/1.0 404 Non trouv\xe9\r\n\r\n", "GET", (404, [], b"")),
    (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "GET",
        (200, [("content-length", "1")], b"a"),
    ),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "HEAD", (200, [("content-length", "9")], b"")),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "HEAD", (200, [], b"")),
    (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", "GET", (304, [("content-length", "9")], b"")),
)
def test_a_response_is_parsed(data, method, expected):
    assert response_values(parse_response(data, method)) == expected


@rows(
    "data, error",
    (b"HTTP/1.1 100 Continue\r\n\r\n", "200 to 599 at byte 0"),
    (b"HTTP/1.1 600 Odd\r\n\r\n", "200 to 599"),
    (b"HTTP/1.1 200\r\n\r\n", "no status line"),
    (b"HTTP/2 200 OK\r\n\r\n", "no status line"),
    (b"HTTP/1.1 200 O\rK\r\n\r\n", "no status line"),
    (b"HTTP/1.1 200 O\nx: y\r\n\r\n", "no status line"),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na", "ends after 1 bytes of 2"),
    (b"HTTP/1.1 204 No Content\r\n\r\nx", "1 bytes follow"),
    (b"HTTP/1.1 205 Reset Content\r\n\r\nx", "content at byte 30"),
    (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 1\r\n\r\nx", "1 bytes follow"),
)
def test_a_bad_response_is_an_error_that_says_where(data, error):
    with pytest.raises(ValueError, match=error):
        parse_response(data)


# There and back

_NAMES = st.from_regex(r"[a-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True).filter(
    lambda name: name not in ("host", "content-length", "transfer-encoding", "trailer")
)
_VALUES = st.from_regex(r"(?:[!-~\x80-\xff](?:[ -~\t\x80-\xff]{0,20}[!-~\x80-\xff])?)?", fullmatch=True)
_FIELDS = st.lists(st.tuples(_NAMES, _VALUES), max_size=5)
_TARGETS = st.from_regex(rb"/[!-\"$->@-~\x80-\xff]{0,20}", fullmatch=True)
_QUERIES = st.from_regex(rb"[!-\"$-~\x80-\xff]{0,20}", fullmatch=True)
_METHODS = st.from_regex(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}", fullmatch=True)


@given(_METHODS, _TARGETS, _QUERIES, _FIELDS, st.binary(), st.sampled_from(["1.0", "1.1"]))
def test_a_printed_request_is_parsed_and_printed_again(method, target, query, fields, body, version):
    line = method.encode() + b" " + target + (b"?" + query if query else b"") + b" HTTP/" + version.encode() + b"\r\n"
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")
    length = b"content-length: %d\r\n" % len(body) if body else b""
    data = line + b"host: example.com:80\r\n" + lines + length + b"\r\n" + body
    request = parse_request(data)
    assert format_request(request) == data
    assert request_values(parse_request(format_request(request))) == request_values(request)


@given(st.text(), st.binary(), _FIELDS, st.binary())
def test_any_request_is_printed_to_what_parses_back_or_not_at_all(path, query, fields, body):
    request = Request(RequestHead("POST", "/" + path, query, fields), body)
    try:
        data = format_request(request)
    except ValueError:
        return
    parsed = parse_request(data)
    assert (parsed.path, parsed.query_string, parsed.body) == (request.path, query, body)
    assert [field for field in parsed.headers.items() if field[0] not in ("host", "content-length")] == fields
    assert format_request(parsed) == data


@given(st.integers(200, 599), _FIELDS, st.binary(), st.sampled_from(["GET", "HEAD"]))
def test_a_printed_response_is_parsed_and_printed_again(status, fields, body, method):
    body = b"" if status in (204, 205, 304) else body
    response = Response(body, status, fields)
    data = format_response(response, method)
    parsed = parse_response(data, method)
    assert format_response(parsed, method) == data
    assert parsed.status == status
    assert [field for field in parsed.headers.items() if field[0] != "content-length"] == response.headers.items()
    if method == "GET":
        assert parsed.body == body


@given(st.binary() | st.binary().map(lambda data: GET[:-2] + data) | st.binary().map(lambda data: CHUNKED + data))
def test_parsing_gives_a_request_or_a_value_error(data):
    try:
        request = parse_request(data)
    except ValueError:
        return
    printed = format_request(request)
    again = parse_request(printed)
    assert format_request(again) == printed
    if "host" in request.headers:
        assert request_values(again) == request_values(request)


def test_a_request_of_http_1_0_without_host_is_printed_with_one():
    assert format_request(parse_request(b"GET / HTTP/1.0\r\n\r\n")) == b"GET / HTTP/1.0\r\nhost: localhost\r\n\r\n"


# Copies


def test_a_copy_has_the_same_values_and_the_same_body():
    request = Request.blank("https://example.com/a%20b?q", "PUT", {"x-a": "1"}, b"body" * 10)
    request.limits = Limits(fields=7)
    copied = request.copy()
    assert request_values(copied) == request_values(request)
    assert (copied.scheme, copied.limits) == ("https", request.limits)
    assert copied.body is request.body


def test_a_copy_has_no_hooks_and_an_id_of_its_own():
    request = Request.blank()
    request.after_response(print)
    request.on_response(print)
    copied = request.copy()
    assert (copied._deferred, copied._after_hooks, copied.route) == ((), (), NO_ROUTE)
    assert copied.id != request.id


def test_a_copy_is_of_the_same_class():
    class Own(Request):
        pass

    assert type(Own.blank().copy()) is Own


def test_a_copy_outlives_what_the_server_gave():
    async def receive():
        return {"type": "http.request", "body": b"a"}

    scope = {"method": "PUT", "path": "/x", "headers": [(b"content-length", b"1")], "http_version": "1.1"}
    request = Request(ASGIHead(scope, receive))
    with pytest.raises(RuntimeError, match="not loaded"):
        request.copy()
    asyncio.run(request.aload())
    copied = request.copy()
    scope.clear()
    assert (copied.method, copied.path, copied.body) == ("PUT", "/x", b"a")
