import asyncio

from antiphon import to_app
from antiphon.adapters.rsgi import RSGIHead
from antiphon.http.errors import ClientDisconnected
from antiphon.http.head import Address
from antiphon.http.limits import Limits
from antiphon.request.request import Request
from antiphon.response.response import Response
from tests.helpers.content_length_cases import uncoded_lengths
from tests.helpers.rows import rows


def head(servers, **given):
    return RSGIHead(servers.rsgi_scope(**given), None)


class TestTheHead:
    @rows("path, wanted", [("/", "/"), ("", "/"), ("/café", "/café"), ("//x", "//x")])
    def test_has_the_path_and_no_raw_one(self, servers, path, wanted):
        made = head(servers, path=path)
        assert (made.path, made.root_path, made.raw_path) == (wanted, "", None)

    @rows(
        "client, wanted",
        ("", None),
        ("127.0.0.1:5000", Address("127.0.0.1", 5000)),
        ("[::1]:5000", Address("::1", 5000)),
        ("127.0.0.1", Address("127.0.0.1", None)),
    )
    def test_has_the_client(self, servers, client, wanted):
        assert head(servers, client=client).client == wanted

    @rows(
        "headers, authority, wanted",
        ([("host", "example.com:8000")], None, "example.com:8000"),
        ([], "example.com", "example.com"),
        ([("host", "other.example")], "example.com", "example.com"),
        ([], None, "127.0.0.1:80"),
        ([("host", "a.example"), ("host", "b.example")], None, "a.example, b.example"),
    )
    def test_has_the_authority_and_it_is_that_of_the_header(self, servers, headers, authority, wanted):
        made = head(servers, headers=headers, authority=authority)
        assert made.authority == wanted
        assert made.field("host") == (wanted if headers or authority else None)

    def test_takes_the_headers_of_the_scope_once_since_granian_builds_them_anew_each_time(self, servers):
        scope = servers.rsgi_scope(headers=[("host", "a.example"), ("content-length", "1")])
        made = RSGIHead(scope, None)
        del scope.headers
        assert (made.has_body, made.field("host"), made.uncoded_length, len(made.fields())) == (True, "a.example", 1, 2)

    @rows(
        "hosts, authority, wanted",
        (["a.example"], None, "a.example"),
        ([], None, None),
        ([""], None, ""),
        ([], "a.example", "a.example"),
        (["b.example"], "a.example", "a.example"),
        (["a.example", "b.example"], None, "a.example,b.example"),
        (["a.example", "b.example"], "a.example", "a.example,b.example"),
    )
    def test_has_the_host_as_it_was_received(self, servers, hosts, authority, wanted):
        made = head(servers, headers=[("host", host) for host in hosts], authority=authority)
        assert (made.host_line, made.plain_target() is None) == (wanted, not wanted)

    @rows("given, wanted", [("1", "1.0"), ("1.0", "1.0"), ("1.1", "1.1"), ("2", "2"), ("3", "3")])
    def test_has_the_version(self, servers, given, wanted):
        assert head(servers, http_version=given).http_version == wanted

    def test_has_query_and_scheme(self, servers):
        made = head(servers, query_string="a=%20&b=\xe9", scheme="https")
        assert (made.query_string, made.scheme) == (b"a=%20&b=\xe9", "https")

    @rows("host", [[("host", "other.example")], []])
    def test_has_the_host_of_the_target_where_that_names_one(self, servers, host):
        made = head(servers, headers=[("accept", "a/b"), *host], authority="example.com")
        assert made.field("host") == "example.com"
        assert made.fields() == [("host", "example.com"), ("accept", "a/b")]

    @uncoded_lengths
    def test_tells_the_length_of_a_body_that_is_not_coded(self, servers, fields, wanted):
        assert head(servers, headers=fields).uncoded_length == wanted


def load(servers, headers, chunks, **limits):
    """A request whose body has been read, and how many chunks were asked for."""

    async def main():
        protocol = servers.RSGIServer(chunks)
        request = Request(RSGIHead(servers.rsgi_scope("POST", headers=headers), protocol))
        request.limits = Limits(**limits)
        try:
            await request.aload()
        except Exception as error:
            return error, protocol.received
        return request.body, protocol.received

    return asyncio.run(asyncio.wait_for(main(), 10))


class TestTheBody:
    @rows("chunks", [[b"hello"], [b"hel", b"lo"], [b"", b"hel", b"", b"lo", b""]])
    @rows("headers", [[("content-length", "5")], [("transfer-encoding", "chunked")]])
    def test_is_put_together(self, servers, chunks, headers):
        assert load(servers, headers, chunks)[0] == b"hello"

    @rows("error", [ConnectionResetError(), BrokenPipeError()], ids=repr)
    def test_that_breaks_off_is_a_disconnect(self, servers, error):
        assert isinstance(load(servers, [("content-length", "5")], [b"hel", error])[0], ClientDisconnected)

    def test_that_granian_breaks_off_is_a_disconnect(self, servers):
        from granian.rsgi import ProtocolClosed

        raised, _ = load(servers, [("content-length", "5")], [b"hel", ProtocolClosed("RSGI transport is closed")])
        assert isinstance(raised, ClientDisconnected)


def test_a_client_that_leaves_while_its_body_is_sent_back_is_not_logged(servers, caplog, app):
    async def echo(request):
        async for chunk in request.stream:
            yield chunk

    app.post("/", receive="stream")(lambda request: Response(echo(request)))
    given = servers.rsgi_scope("POST", headers=[("content-length", "9")])
    answer = servers.rsgi(app, given, [b"abc", ConnectionResetError()])
    assert (answer.chunks, answer.error, caplog.records) == ([b"abc"], None, [])


def test_a_handshake_is_answered_by_a_status(servers):
    closed = []

    class Protocol:
        def close(self, status):
            closed.append(status)

    @to_app
    def app(request):
        return Response("a GET request", 404)

    asyncio.run(app.__rsgi__(servers.rsgi_scope(proto="ws"), Protocol()))
    assert closed == [404]


def test_nobody_waits_for_a_disconnect_when_a_stream_has_ended(servers):
    """The server's task for it would end with the connection, which may take more requests."""

    async def main():
        async def chunks(request):
            for _ in range(3):
                yield "x"
                await asyncio.sleep(0.05)  # the client is watched after 20 to 40 ms

        server = servers.RSGIServer()
        await to_app(chunks).__rsgi__(servers.rsgi_scope(), server)
        await asyncio.sleep(0)
        assert b"".join(server.answer.chunks) == b"xxx"
        assert not [task for task in asyncio.all_tasks() if "wait_disconnect" in repr(task)]

    asyncio.run(main())
