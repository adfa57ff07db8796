import asyncio
from urllib.parse import unquote

import pytest

from antiphon import App, to_app
from antiphon.adapters.asgi import UNBOUNDED, ASGIHead
from antiphon.http.errors import BadRequest, ClientDisconnected
from antiphon.http.head import Address
from antiphon.http.limits import Limits
from antiphon.request.request import Request
from antiphon.response.files import CHUNK
from antiphon.response.response import Response
from tests.helpers.content_length_cases import uncoded_lengths
from tests.helpers.handlers import async_handler, sync_handler
from tests.helpers.rows import rows


def head(servers, **given):
    return ASGIHead(servers.scope(**given), None)


def chunk(body, more=True):
    return {"type": "http.request", "body": body, "more_body": more}


END = {"type": "http.request"}
GONE = {"type": "http.disconnect"}


class TestTheHead:
    @rows(
        "path, root_path, wanted, wanted_root",
        ("/", "", "/", ""),
        ("", "", "/", ""),
        ("/plain", "", "/plain", ""),
        ("/café", "", "/café", ""),
        ("/app/x", "/app", "/x", "/app"),
        ("/app", "/app", "/", "/app"),
        ("/app/", "/app", "/", "/app"),
        ("/app/x", "/app/", "/x", "/app"),
        ("/x", "/app", "/x", "/app"),
        ("/apple", "/app", "/apple", "/app"),
        ("/app/app/x", "/app", "/app/x", "/app"),
        ("/x", "/", "/x", ""),
        ("//x", "", "//x", ""),
    )
    def test_has_the_path_below_the_root_path(self, servers, path, root_path, wanted, wanted_root):
        made = head(servers, path=path, root_path=root_path)
        assert (made.path, made.root_path) == (wanted, wanted_root)

    @rows("raw_path, wanted", [(b"/a%20b", b"/a%20b"), (b"/a%2Fb?c", b"/a%2Fb"), (b"", b""), (None, None)])
    def test_has_the_raw_path_where_the_server_tells(self, servers, raw_path, wanted):
        assert head(servers, raw_path=raw_path).raw_path == wanted

    @rows(
        "raw_path, path, authority",
        (b"http://example.com/x", "/x", "example.com"),
        (b"HTTPS://example.com:8443/a%2Fb", "/a/b", "example.com:8443"),
        (b"http://example.com", "/", "example.com"),
        (b"http://example.com?a=b/c", "/", "example.com"),
        (b"http://example.com#a/b", "/", "example.com"),
        (b"http://example.com//x", "//x", "example.com"),
        (b"http://h%2Fadmin/x", "/x", "h%2Fadmin"),
        (b"http://us%65r@example.com/x", "/x", "us%65r@example.com"),
        (b"http://h\\x/y", "/y", "h\\x"),
        (b"http:///x", "/x", ":"),
        (b"http://example.com/caf%C3%A9", "/café", "example.com"),
        (b"http://[::1]:80/x", "/x", "[::1]:80"),
    )
    def test_of_a_target_that_is_a_whole_url_takes_path_and_host_from_that(self, servers, raw_path, path, authority):
        headers = [(b"host", b"other.example"), (b"accept", b"a/b")]
        made = head(servers, path=unquote(raw_path).partition("?")[0], raw_path=raw_path, headers=headers)
        assert (made.path, unquote(made.raw_path), made.authority) == (path, path, authority)
        assert made.field("host") == authority
        assert made.fields() == [("host", authority), ("accept", "a/b")]

    @rows("path, wanted", [("http://example.com/é", "/é"), ("http://example.com", "/")])
    def test_of_a_whole_url_has_no_raw_path_where_the_server_does_not_tell(self, servers, path, wanted):
        made = head(servers, path=path, raw_path=None)
        assert (made.path, made.raw_path, made.authority) == (wanted, None, "example.com")

    def test_has_the_path_of_a_whole_url_below_the_root_path(self, servers):
        made = head(servers, path="http://example.com/app/x", raw_path=b"http://example.com/app/x", root_path="/app")
        assert (made.path, made.raw_path, made.root_path) == ("/x", b"/app/x", "/app")

    @rows("target", ["*", "x/y", "http:/x", "example.com:443", "1http://h/x"])
    def test_leaves_another_target_as_it_is(self, servers, target):
        made = head(servers, path=target, raw_path=target.encode(), headers=[(b"host", b"example.com")])
        assert (made.path, made.raw_path, made.authority) == (target, target.encode(), "example.com")

    def test_needs_only_what_the_specification_demands(self, servers):
        given = servers.scope()
        for name in ("raw_path", "root_path", "scheme", "client", "server"):
            del given[name]
        made = ASGIHead(given, None)
        assert (made.raw_path, made.root_path, made.scheme, made.client) == (None, "", "http", None)
        assert made.authority == "localhost"

    @rows(
        "client, wanted",
        (None, None),
        (("127.0.0.1", 5000), Address("127.0.0.1", 5000)),
        (["127.0.0.1", 5000], Address("127.0.0.1", 5000)),
        (("::1", 5000), Address("::1", 5000)),
        (("", 0), None),
        (("/run/app.sock", None), Address("/run/app.sock", None)),
        (("127.0.0.1", 0), Address("127.0.0.1", None)),
        (("127.0.0.1", "5000"), Address("127.0.0.1", 5000)),
        (("", "0"), None),
        (("127.0.0.1", "0"), Address("127.0.0.1", None)),
    )
    def test_has_the_client(self, servers, client, wanted):
        assert head(servers, client=client).client == wanted

    @rows(
        "headers, server, authority",
        ([(b"host", b"example.com:8000")], ("localhost", 80), "example.com:8000"),
        ([], ("localhost", 80), "localhost:80"),
        ([(b"host", b"")], ("localhost", 80), "localhost:80"),
        ([], ("/run/app.sock", None), "localhost"),
        ([], None, "localhost"),
        ([], ("::1", 80), "[::1]:80"),
    )
    def test_has_the_authority(self, servers, headers, server, authority):
        assert head(servers, headers=headers, server=server).authority == authority

    @rows(
        "headers, line",
        ([(b"accept", b"a/b"), (b"host", b"a.example")], b"a.example"),
        ([(b"accept", b"a/b"), (b"host", b"a.example"), (b"accept", b"c/d")], b"a.example"),
        ([(b"host", b"a.example"), (b"host", b"b.example")], b"a.example, b.example"),
        ([(b"accept", b"a/b"), (b"accept", b"a/b")], None),
        ([(b"host", b"")], b""),
        ([], None),
    )
    def test_has_the_host_as_it_was_received(self, servers, headers, line):
        assert head(servers, headers=headers).host_line == line

    @rows("given, wanted", [("1", "1.0"), ("1.0", "1.0"), ("1.1", "1.1"), ("2", "2"), ("3", "3")])
    def test_has_version_and_scheme(self, servers, given, wanted):
        made = head(servers, http_version=given, scheme="https")
        assert (made.http_version, made.scheme) == (wanted, "https")

    def test_names_every_line_in_order(self, servers):
        headers = [(b"accept", b"a/b"), (b"x-other", b"\xe9"), (b"accept", b"c/d")]
        assert head(servers, headers=headers).fields() == [("accept", "a/b"), ("x-other", "\xe9"), ("accept", "c/d")]

    @uncoded_lengths
    def test_tells_the_length_of_a_body_that_is_not_coded(self, servers, fields, wanted):
        headers = [(name.encode(), value.encode("latin-1")) for name, value in fields]
        assert head(servers, headers=headers).uncoded_length == wanted

    @rows("second", [b"5", b"6"])
    def test_tells_no_length_where_two_are_declared(self, servers, second):
        assert head(servers, headers=[(b"content-length", b"5"), (b"content-length", second)]).uncoded_length is None

    def test_joins_the_lines_of_headers_in_linear_time(self, servers):
        class Counted(list):
            read = 0

            def __iter__(self):
                for line in super().__iter__():
                    Counted.read += 1
                    yield line

        names = [b"h%d" % number for number in range(100)]
        lines = Counted([(name, b"a") for name in [*names, *names]])
        found = ASGIHead(servers.scope() | {"headers": lines}, None)
        assert {found.field(name.decode()) for name in names} == {"a, a"}
        assert Counted.read <= 3 * len(lines)


def load(servers, headers, messages, **limits):
    """A request whose body has been read, and how many messages were."""
    server = servers.ASGIServer(messages)

    async def main():
        request = Request(ASGIHead(servers.scope("POST", headers=headers), server.receive))
        request.limits = Limits(**limits)
        await asyncio.wait_for(request.aload(), 10)
        return request.body

    try:
        return asyncio.run(main()), server.received
    except Exception as error:
        return error, server.received


class TestTheBody:
    @rows(
        "messages",
        [chunk(b"hello", more=False)],
        [{"type": "http.request", "body": b"hello"}],
        [chunk(b"hello"), END],
        [chunk(b"hel"), chunk(b"lo"), chunk(b"", more=False)],
        [chunk(b""), chunk(b"hel"), chunk(b""), chunk(b"lo", more=False)],
        [chunk(bytearray(b"hello"), more=False)],
        [{"type": "http.request", "more_body": True}, chunk(b"hello", more=False)],
        ids=["whole", "without more_body", "ended late", "chunks", "empty chunks", "bytearray", "without body"],
    )
    @rows("headers", [[(b"content-length", b"5")], [(b"transfer-encoding", b"chunked")]])
    def test_is_put_together(self, servers, messages, headers):
        body, _ = load(servers, headers, messages)
        assert body == b"hello"
        assert type(body) is bytes

    @rows("messages", [[GONE], [chunk(b"hel"), GONE], [chunk(b""), GONE]])
    def test_that_breaks_off_is_a_disconnect(self, servers, messages):
        error, _ = load(servers, [(b"content-length", b"5")], messages)
        assert isinstance(error, ClientDisconnected)

    def test_with_two_lengths_is_a_400(self, servers):
        headers = [(b"content-length", b"5"), (b"content-length", b"6")]
        assert isinstance(load(servers, headers, [chunk(b"hello", more=False)])[0], BadRequest)

    def test_is_not_read_by_its_property_on_the_loop(self, servers):
        with pytest.raises(RuntimeError, match=r"await request\.aload\(\)"):
            _ = Request(head(servers, headers=[(b"content-length", b"5")])).body


class TestAFile:
    @rows(
        "size, part, sent",
        (1, b"", [(1, False)]),
        (CHUNK, b"", [(CHUNK, False)]),
        (CHUNK + 1, b"", [(CHUNK, True), (1, True), (0, False)]),
        (2 * CHUNK, b"bytes=1-", [(CHUNK, True), (CHUNK - 1, True), (0, False)]),
    )
    def test_leaves_in_as_few_messages_as_it_has_chunks(self, servers, tmp_path, size, part, sent):
        assert self.messages_of(servers, tmp_path, size, part) == sent

    def messages_of(self, servers, tmp_path, size, part):
        """Return the lengths of the messages of a body, each with whether more follow."""
        (tmp_path / "file.bin").write_bytes(bytes(size))
        messages = []

        async def send(message):
            messages.append(message)

        async def receive():
            await asyncio.sleep(60)

        app = to_app(lambda request: Response.file(tmp_path / "file.bin"))
        scope = servers.scope()
        scope["headers"] = [*scope["headers"], (b"range", part)]
        asyncio.run(app(scope, receive, send))
        assert messages[0]["type"] == "http.response.start"
        return [(len(each["body"]), each.get("more_body", False)) for each in messages[1:]]


class TestAHandshake:
    def test_is_refused_by_a_server_that_takes_no_response_to_it(self, servers):
        sent = []

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message)

        @to_app
        def app(request):
            return Response("a GET request", 404)

        asyncio.run(app(servers.scope() | {"type": "websocket"}, receive, send))
        assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_scope_of_an_unknown_type_is_refused(servers):
    async def never(*message): ...

    for started in (False, True):
        app = App()
        if started:
            app.start()
        with pytest.raises(ValueError, match="not 'webtransport'"):
            asyncio.run(app(servers.scope() | {"type": "webtransport"}, never, never))


@rows("size", [1000, 70_000])
@rows("function", [sync_handler, async_handler])
def test_a_header_section_that_the_server_does_not_bound_is_refused(servers, function, size):
    class Exchange(servers.ASGIServer):
        """One of the server that bounds none."""

        __module__ = UNBOUNDED

    async def answered(app):
        for _ in range(2):
            server = Exchange()
            await app(
                servers.scope(headers=[(b"host", b"localhost"), (b"x-large", bytes(size))]), server.receive, server.send
            )
            yield server.answer.status

    async def statuses():
        return [status async for status in answered(to_app(function))]

    assert asyncio.run(statuses()) == [200 if size == 1000 else 431] * 2
