import asyncio
import io
from wsgiref.util import is_hop_by_hop

import pytest

from antiphon import App, to_app
from antiphon.adapters.wsgi import CHUNK, WSGIHead
from antiphon.http.errors import BadRequest, ClientDisconnected
from antiphon.http.head import Address
from antiphon.request.request import Request
from antiphon.response.response import Response
from tests.helpers.content_length_cases import uncoded_lengths
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.rows import rows


class Input:
    """wsgi.input over a connection that stays open: to read more than there is would wait for ever."""

    def __init__(self, content, most=1 << 30, ends=False):
        self._content = io.BytesIO(content)
        self._most = most
        self._ends = ends
        self.asked = []

    def read(self, size=-1):
        self.asked.append(size)
        left = len(self._content.getbuffer()) - self._content.tell()
        assert self._ends or 0 <= size <= left, f"read({size}) with {left} bytes left waits for ever"
        return self._content.read(min(size, self._most))


def load(environ, **limits):
    request = Request(WSGIHead(environ))
    if limits:
        from antiphon.http.limits import Limits

        request.limits = Limits(**limits)
    with pytest.raises(StopIteration):  # it blocks and never waits
        request.content.load(request.limits).send(None)
    return request


class TestTheHead:
    @rows(
        "path_info, path",
        ("/", "/"),
        ("", "/"),
        (None, "/"),
        ("/plain", "/plain"),
        ("/a b", "/a b"),
        ("/caf\xc3\xa9", "/café"),
        ("/\xe2\x82\xac/\xf0\x9f\x8e\xb5", "/€/🎵"),
        ("/caf\xe9", "/caf\ufffd"),
        ("/\xc3", "/\ufffd"),
        ("/a\x00b", "/a\x00b"),
        ("//a//", "//a//"),
        ("/a/../b", "/a/../b"),
        ("/100%25", "/100%25"),
    )
    def test_has_the_path_as_utf_8(self, servers, path_info, path):
        assert WSGIHead(servers.environ(path=path_info)).path == path

    @rows(
        "script_name, root_path",
        (None, ""),
        ("", ""),
        ("/", ""),
        ("/app", "/app"),
        ("/app/", "/app"),
        ("/caf\xc3\xa9", "/café"),
        ("/a/b", "/a/b"),
    )
    def test_has_the_root_path(self, servers, script_name, root_path):
        assert WSGIHead(servers.environ(SCRIPT_NAME=script_name)).root_path == root_path

    @rows(
        "more, raw_path",
        ({}, None),
        ({"REQUEST_URI": "/a%20b?c=%20"}, b"/a%20b"),
        ({"RAW_URI": "/a%2Fb"}, b"/a%2Fb"),
        ({"REQUEST_URI": "/one", "RAW_URI": "/two"}, b"/one"),
        ({"REQUEST_URI": "/\xe9"}, b"/\xe9"),
        ({"REQUEST_URI": "http://example.com/a%2Fb?c"}, b"/a%2Fb"),
        ({"RAW_URI": "HTTP://example.com?c/d"}, b"/"),
        ({"RAW_URI": "http:/a"}, None),
        ({"REQUEST_URI": "*"}, None),
        ({"REQUEST_URI": ""}, None),
    )
    def test_has_the_raw_path_where_the_server_tells(self, servers, more, raw_path):
        assert WSGIHead(servers.environ(**more)).raw_path == raw_path

    @rows("query, wanted", [(None, b""), ("", b""), ("a=1&b=%20", b"a=1&b=%20"), ("\xc3\xa9", b"\xc3\xa9")])
    def test_has_the_query_as_bytes(self, servers, query, wanted):
        assert WSGIHead(servers.environ(QUERY_STRING=query)).query_string == wanted

    @rows(
        "protocol, version",
            ("HTTP/1", "1.0"), ("HTTP/1.0", "1.0"), ("HTTP/1.1", "1.1"), ("HTTP/2", "2"), ("HTTP/2.0", "2"),
            ("HTTP/3", "3"), ("HTTP/3.0", "3"), (None, "1.0"),
    )  # fmt: skip
    def test_has_the_version(self, servers, protocol, version):
        assert WSGIHead(servers.environ(SERVER_PROTOCOL=protocol)).http_version == version

    @rows(
        "more, client",
        ({}, None),
        ({"REMOTE_ADDR": ""}, None),
        ({"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "5000"}, Address("127.0.0.1", 5000)),
        ({"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": 5000}, Address("127.0.0.1", 5000)),
        ({"REMOTE_ADDR": "::1", "REMOTE_PORT": "5000"}, Address("::1", 5000)),
        ({"REMOTE_ADDR": "127.0.0.1"}, Address("127.0.0.1", None)),
        ({"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": ""}, Address("127.0.0.1", None)),
        ({"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "-"}, Address("127.0.0.1", None)),
        ({"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "²"}, Address("127.0.0.1", None)),
    )
    def test_has_the_client(self, servers, more, client):
        assert WSGIHead(servers.environ(**more)).client == client

    @rows(
        "more, authority",
        ({"HTTP_HOST": "example.com:8000"}, "example.com:8000"),
        ({"HTTP_HOST": None}, "localhost:80"),
        ({"HTTP_HOST": ""}, "localhost:80"),
        ({"HTTP_HOST": None, "SERVER_NAME": "::1"}, "[::1]:80"),
    )
    def test_has_the_authority(self, servers, more, authority):
        assert WSGIHead(servers.environ(**more)).authority == authority

    @rows("variable", ["REQUEST_URI", "RAW_URI"])
    @rows("host", ["other.example", None])
    @rows(
        "target, authority",
        ("http://example.com/x", "example.com"),
        ("HTTP://example.com:8000?x", "example.com:8000"),
        ("http://h%2Fadmin/x", "h%2Fadmin"),
        ("http:///x", ":"),
    )
    def test_of_a_target_that_is_a_whole_url_has_the_host_of_that(self, servers, variable, host, target, authority):
        made = WSGIHead(servers.environ(HTTP_HOST=host, **{variable: target}))
        assert (made.authority, made.field("host")) == (authority, authority)
        assert made.fields() == [("host", authority)]

    def test_names_each_field_once(self, servers):
        # Some servers put these two under both names.
        head = WSGIHead(
            servers.environ(
                CONTENT_TYPE="text/plain", HTTP_CONTENT_TYPE="text/html", CONTENT_LENGTH="5", HTTP_CONTENT_LENGTH="6"
            )
        )
        assert sorted(head.fields()) == [("content-length", "5"), ("content-type", "text/plain"), ("host", "localhost")]

    def test_leaves_out_what_is_no_header_field(self, servers):
        head = WSGIHead(servers.environ(HTTP_X_A="a", HTTP_ODD=5, PATH="/usr/bin", REMOTE_USER="me"))
        assert head.fields() == [("host", "localhost"), ("x-a", "a")]

    @uncoded_lengths
    def test_tells_the_length_of_a_body_that_is_not_coded(self, servers, fields, wanted):
        keys = {"content-length": "CONTENT_LENGTH", "content-type": "CONTENT_TYPE"}
        more = {keys.get(name, "HTTP_" + name.upper().replace("-", "_")): value for name, value in fields}
        assert WSGIHead(servers.environ(**more)).uncoded_length == wanted


class TestTheBody:
    @rows("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
    @rows("most", [1 << 30, 1000])
    def test_is_read_as_far_as_its_length_says(self, servers, size, most):
        content = bytes(size)
        given = Input(content, most)
        environ = servers.environ("POST", CONTENT_LENGTH=str(size), **{"wsgi.input": given})
        assert load(environ).body == content
        assert max(given.asked, default=0) <= CHUNK

    @rows("length", ["5, 5", " 5", "5 ", "05", "5,5"])
    def test_is_never_read_beyond_its_length(self, servers, length):
        given = Input(b"hello")
        try:
            request = load(servers.environ("POST", CONTENT_LENGTH=length, **{"wsgi.input": given}))
        except BadRequest:
            assert given.asked == []
        else:
            assert request.body == b"hello"

    @rows("content", [b"", b"hello", bytes(3 * CHUNK)], ids=len)
    def test_of_unknown_length_is_read_to_its_end_where_the_server_marks_that(self, servers, content):
        given = Input(content, ends=True)
        more = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "wsgi.input": given}
        assert load(servers.environ("POST", **more)).body == content

    def test_of_unknown_length_is_not_read_where_nobody_marks_its_end(self, servers):
        given = Input(b"5\r\nhello\r\n0\r\n\r\n")
        app = to_app(lambda request: Response(request.body))
        answer = servers.wsgi(app, servers.environ("POST", HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": given}))
        assert given.asked == []
        assert answer.status in (200, 411, 501)

    @rows("length", ["-1", "+5", "0x5", "five", "5.0", "²", "5;", "1, 2", "5\x00", "5_0", "\uff15"])
    def test_with_a_bad_length_is_a_400_and_nothing_is_read(self, servers, length):
        given = Input(b"hello")
        with pytest.raises(BadRequest, match="Content-Length"):
            load(servers.environ("POST", CONTENT_LENGTH=length, **{"wsgi.input": given}))
        assert given.asked == []

    @rows("size", [0, 1, 4])
    def test_that_ends_too_early_is_a_400(self, servers, size):
        with pytest.raises(BadRequest, match="5"):
            load(servers.environ("POST", CONTENT_LENGTH="5", **{"wsgi.input": io.BytesIO(bytes(size))}))

    def test_that_breaks_off_is_a_disconnect(self, servers):
        class Broken:
            def read(self, size):
                raise ConnectionResetError

        with pytest.raises(ClientDisconnected):
            load(servers.environ("POST", CONTENT_LENGTH="5", **{"wsgi.input": Broken()}))

    def test_that_the_server_finds_malformed_is_a_400(self, servers):
        class Malformed:
            def read(self, size):
                raise ValueError("no chunk")

        with pytest.raises(BadRequest, match="malformed"):
            load(servers.environ("POST", CONTENT_LENGTH="5", **{"wsgi.input": Malformed()}))

    def test_of_http_2_without_a_length_is_empty_where_nobody_marks_its_end(self, servers):
        given = Input(b"hello")
        assert load(servers.environ("POST", SERVER_PROTOCOL="HTTP/2", **{"wsgi.input": given})).body == b""
        assert given.asked == []


@rows("reads", [1, 5])
def test_a_body_that_fails_to_close_is_cut_off_unless_it_is_whole(servers, reads):
    class Stuck(SyncValues):
        def close(self):
            raise LookupError("stuck")

    body = to_app(lambda request: Response.stream(Stuck("ab")))(servers.environ(), lambda status, headers: None)
    chunks = iter(body)
    for _ in range(reads):
        next(chunks, None)
    if reads == 1:
        with pytest.raises(LookupError):
            body.close()
    else:
        body.close()


@rows("status, line", [(200, "200 OK"), (404, "404 Not Found"), (299, "299 Success"), (420, "420 Client Error")])
def test_the_status_line_has_a_phrase(servers, status, line):
    lines = []
    app = to_app(lambda request: Response("x", status))
    app(servers.environ(), lambda status, headers: lines.append(status))
    assert lines == [line]


def test_the_headers_that_are_given_to_the_server_are_its_own(servers):
    shared = Response(iter(()), headers={"x-a": "a"})
    app = to_app(lambda request: shared)

    def start_response(status, headers):
        headers.append(("x-by-the-server", "b"))

    app(servers.environ(), start_response)
    assert "x-by-the-server" not in shared.headers


def test_a_head_that_the_server_refuses_leaves_nothing_open(servers):
    ended = []

    class Rows:
        def __iter__(self):
            return iter([b"row"])

        def close(self):
            ended.append("closed")

    @to_app
    def app(request):
        request.after_response(lambda: ended.append("after"))
        return Response(Rows(), headers={"content-length": "abc"})

    def refuse(status, headers):
        raise ValueError("no such length")

    with pytest.raises(ValueError, match="no such length"):
        app(servers.environ(), refuse)
    assert ended == ["closed", "after"]


@rows("kind", [SyncValues, AsyncValues], ids=["blocking", "waiting"])
def test_what_was_sent_whole_is_whole_though_its_source_fails_to_close(servers, kind, caplog):
    class Fails(kind):
        def close(self):
            raise ValueError("at the close")

        async def aclose(self):
            raise ValueError("at the close")

    body = to_app(lambda request: Response(Fails()))(servers.environ(), lambda status, headers: None)
    assert [*body] == [b"a", b"b"]
    body.close()
    assert "at the close" in caplog.text


def test_a_stream_that_is_cancelled_by_itself_fails_as_others_do(servers, caplog):
    async def rows():
        yield "one"
        raise asyncio.CancelledError

    body = to_app(lambda request: Response(rows()))(servers.environ(), lambda status, headers: None)
    chunks = iter(body)
    assert next(chunks) == b"one"
    with pytest.raises(RuntimeError, match="cancelled"):
        next(chunks)
    body.close()
    assert "CancelledError" in caplog.text


CONNECTION = [
    ("connection", "close"),
    ("keep-alive", "timeout=5"),
    ("proxy-authenticate", "Basic"),
    ("proxy-authorization", "Basic eA=="),
    ("te", "trailers"),
    ("trailer", "x-sum"),
    ("trailers", "x"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "h2c"),
]


@rows("body", ["x", ["x"]], ids=["in memory", "streamed"])
def test_fields_of_the_connection_are_left_to_the_server(servers, body):
    sent = []
    response = Response(body, 426, [("x-a", "a"), *CONNECTION, ("x-b", "b")], content_type="text/plain")
    to_app(lambda request: response)(servers.environ(), lambda status, headers: sent.extend(headers))
    assert {name for name, _ in CONNECTION if not is_hop_by_hop(name)} == {"trailer"}  # which that misspells
    assert [name for name, _ in sent if name != "content-length"] == ["x-a", "x-b", *TYPED]
    assert response.headers["upgrade"] == "h2c"


TYPED = ["content-type", "x-content-type-options"]


@rows("body", ["load", "lazy", "stream"])
@rows("is_async", [False, True], ids=["def", "async def"])
def test_answers_alike_below_a_loop_that_serves_nobody(servers, is_async, body):
    """A test client in an ``async def`` test, and each greenlet of gevent once a background loop runs."""
    app, sent = App(), bytes(1 << 20)

    @app.get("/")
    async def start_the_background_loop(_):
        return "started"

    if is_async:

        @app.post("/", receive=body)
        async def handler(request):
            return str(sum([len(chunk) async for chunk in request.stream]))
    else:

        @app.post("/", receive=body)
        def handler(request):
            return str(sum(len(chunk) for chunk in request.stream))

    def answer(method, path):
        environ = servers.environ(method, path, None if method == "GET" else sent, HTTP_HOST="localhost")
        return b"".join(app(environ, lambda status, headers: None))

    async def test():
        return [answer("GET", "/"), answer("POST", "/nowhere")[:1], answer("POST", "/")]

    assert asyncio.run(test()) == [b"started", b"{", b"%d" % len(sent)]


def test_a_response_that_nobody_closes_is_not_waited_for_at_the_end(servers, app):
    @app.get("/")
    def handler(request):
        request.after_response(list)
        return "x"

    dropped = app(servers.environ(HTTP_HOST="localhost"), lambda status, fields: None)
    assert next(iter(dropped)) == b"x"
    del dropped
    asyncio.run(asyncio.wait_for(app.unfinished.wait(), 5))
