import asyncio
from functools import partial

import pytest
from granian.rsgi import ProtocolClosed, ProtocolError

from antiphon.testing import Client, ContractError
from tests.helpers.rows import rows


@pytest.fixture
def connect(open_client):
    return partial(open_client, interface="rsgi", timeout=10)


def scope_of(connect, *arguments, method="GET", options=None, **settings):
    scopes = []

    async def application(scope, protocol):
        scopes.append(scope)
        protocol.response_empty(204, [])

    connect(application, **settings).request(method, *arguments, **(options or {}))
    return scopes[0]


def test_the_scope_is_that_of_granian(connect):
    scope = scope_of(
        connect,
        "/a%2Fb/caf%C3%A9%ff?q=%20x",
        method="POST",
        base_url="https://shop.example:8443",
        client=("10.0.0.1", 1234),
    )
    assert scope.proto == "http"
    assert scope.rsgi_version == "1.6"
    assert scope.http_version == "1.1"
    assert scope.server == "shop.example:8443"
    assert scope.client == "10.0.0.1:1234"
    assert scope.scheme == "https"
    assert scope.method == "POST"
    assert scope.path == "/a/b/café\N{REPLACEMENT CHARACTER}"
    assert scope.query_string == "q=%20x"
    assert scope.authority is None
    assert scope.headers.items() == [("host", "shop.example:8443"), ("content-length", "0")]


def test_http_2_has_an_authority_in_place_of_a_host(connect):
    scope = scope_of(connect, "/", http_version="2")
    assert (scope.http_version, scope.authority, scope.headers.items()) == ("2", "testserver", [])


def test_http_1_0_and_ipv6_are_written_as_granian_writes_them(connect):
    scope = scope_of(connect, "/", http_version="1.0", base_url="http://[::1]:8000", client=("::1", 5))
    assert (scope.http_version, scope.server, scope.client) == ("1", "[::1]:8000", "[::1]:5")


def test_the_headers_are_a_mapping_that_cannot_read_what_is_not_ascii(connect):
    headers = scope_of(connect, "/", options={"headers": [("X-A", "1"), ("x-a", "2"), ("x-n", "é")]}).headers
    assert headers.keys() == ["host", "x-a", "x-n"]
    assert headers.values() == ["testserver", "1", "2"]
    assert headers.items() == [("host", "testserver"), ("x-a", "1"), ("x-a", "2")]
    assert (headers.get("x-a"), headers.get("X-A"), headers.get("x-n"), headers.get("no", 1)) == ("1", "1", None, 1)
    assert (headers.get_all("x-a"), headers.get_all("x-n"), headers.get_all("no")) == (["1", "2"], [], [])
    assert (headers["x-a"], headers["x-n"]) == ("1", "")
    assert ("x-n" in headers, "no" in headers) == (True, False)
    assert (list(headers), len(headers)) == (["host", "x-a", "x-n"], 3)
    with pytest.raises(KeyError):
        headers["no"]


def test_there_is_no_root_path(connect):
    with pytest.raises(ValueError, match="RSGI has no root_path"):
        connect(lambda scope, protocol: None, root_path="/api")


def answering(method, *arguments):
    async def application(scope, protocol):
        getattr(protocol, method)(*arguments)

    return application


def test_a_file_and_a_range_of_it(connect, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 1000)
    assert connect(answering("response_file", 200, [], str(file))).get("/").body == bytes(range(256)) * 1000
    ranged = answering("response_file_range", 206, [("content-length", "5")], str(file), 254, 259)
    assert connect(ranged).get("/").body == b"\xfe\xff\x00\x01\x02"


def test_a_range_that_is_empty_is_a_value_error(connect):
    with pytest.raises(ValueError, match="Invalid range"):
        connect(answering("response_file_range", 206, [], "/etc/hosts", 5, 5)).get("/")


def test_a_stream_ends_when_nothing_refers_to_it_any_more(connect):
    async def application(scope, protocol):
        transport = protocol.response_stream(200, [])
        await transport.send_bytes(b"a")
        del transport
        ended = asyncio.get_running_loop().time()
        while not read:
            await asyncio.sleep(0.001)
            assert asyncio.get_running_loop().time() < ended + 5

    read = []
    with connect(application).stream("GET", "/") as response:
        read.append(response.read())
    assert read == [b"a"]


def test_a_transport_is_closed_when_the_application_has_ended(connect):
    transports = []

    async def application(scope, protocol):
        if not transports:
            transports.append(protocol.response_stream(200, []))
        else:
            with pytest.raises(ProtocolClosed):
                await transports[0].send_bytes(b"late")
            protocol.response_empty(204, [])

    client = connect(application)
    assert client.get("/").body == b""
    assert client.get("/").status == 204


@rows(
    "body, chunks",
    (b"", [b""]),
    (b"abc", [b"abc", b""]),
    ([b"a", b"b"], [b"a", b"b", b""]),
    (b"x" * 65537, [b"x" * 65536, b"x", b""]),
    ids=["empty", "short", "chunks", "long"],
)
def test_the_body_is_whole_or_in_chunks_of_which_the_last_is_empty(connect, body, chunks):
    got = []

    async def application(scope, protocol):
        if scope.path == "/whole":
            got.append(await protocol())
        else:
            got.extend([chunk async for chunk in protocol])
        protocol.response_empty(204, [])

    connect(application).post("/chunks", body=body)
    assert got == chunks
    got.clear()
    connect(application).post("/whole", body=body)
    assert got == [b"".join(chunks)]


def test_the_body_is_taken_once(connect):
    async def application(scope, protocol):
        assert await protocol() == b"x"
        with pytest.raises(ProtocolError):
            protocol()
        with pytest.raises(ProtocolError):
            aiter(protocol)
        protocol.response_empty(204, [])

    assert connect(application).post("/", body=b"x").status == 204


def test_a_body_that_breaks_off(connect):
    got = []

    async def application(scope, protocol):
        if scope.path == "/whole":
            with pytest.raises(ProtocolClosed):
                await protocol()
        else:
            got.extend([chunk async for chunk in protocol])
        protocol.response_empty(204, [])

    client = connect(application)
    assert client.post("/whole", body=b"abc", headers={"content-length": "10"}).status == 204
    assert client.post("/chunks", body=b"abc", headers={"content-length": "10"}).status == 204
    assert got == [b"abc", b""]


def test_what_a_protocol_gives_are_futures_and_no_coroutines(connect):
    async def application(scope, protocol):
        for awaitable in (protocol(), protocol.client_disconnect()):
            assert asyncio.isfuture(awaitable)
            assert not asyncio.iscoroutine(awaitable)
        protocol.response_empty(204, [])

    assert connect(application).get("/").status == 204


@rows(
    "application, complaint",
    (answering("response_empty", "200", []), "an int from 200 to 999"),
    (answering("response_empty", 99, []), "an int from 200 to 999"),
    (answering("response_empty", 200, {"a": "b"}), "headers must be a list, not dict"),
    (answering("response_empty", 200, [["a", "b"]]), "a tuple of two str"),
    (answering("response_empty", 200, [("a", b"b")]), "a tuple of two str"),
    (answering("response_empty", 200, [("a b", "c")]), "a token"),
    (answering("response_empty", 200, [("a", "b\nc")]), "is not allowed in a header"),
    (answering("response_str", 200, [], b"x"), "this body must be str, not bytes"),
    (answering("response_bytes", 200, [], "x"), "this body must be bytes, not str"),
    (answering("response_file", 200, [], "/no/such/file"), "the file can't be sent"),
    (answering("client_disconnect"), "ended without a response"),
)
@rows("raise_errors", [True, False])
def test_a_breach_of_contract_is_an_error(connect, application, complaint, raise_errors):
    with pytest.raises(ContractError, match=complaint):
        connect(application, raise_errors=raise_errors).get("/")


def test_a_second_response_is_a_breach_of_contract(connect):
    async def application(scope, protocol):
        protocol.response_bytes(200, [], b"one")
        protocol.response_bytes(200, [], b"two")

    with pytest.raises(ContractError, match="has already responded"):
        connect(application).get("/")


@pytest.mark.parametrize(("method", "chunk"), [("send_bytes", "text"), ("send_str", b"bytes")])
def test_a_chunk_of_the_wrong_type_is_a_breach_of_contract(connect, method, chunk):
    async def application(scope, protocol):
        await getattr(protocol.response_stream(200, []), method)(chunk)

    with pytest.raises(ContractError, match="a chunk sent here must be"):
        connect(application).get("/")


class App:
    """An application with both hooks, which wait for something on the loop that they are given."""

    def __init__(self):
        self.events = []

    async def note(self, event):
        await asyncio.sleep(0)
        self.events.append((event, asyncio.get_running_loop()))
        return event

    def __rsgi_init__(self, loop):
        assert not loop.is_running()
        assert loop.run_until_complete(self.note("init")) == "init"
        self.background = loop.create_task(self.note("background"))

    async def __rsgi__(self, scope, protocol):
        await self.background
        protocol.response_str(200, [], str([event for event, _ in self.events]))

    def __rsgi_del__(self, loop):
        loop.run_until_complete(self.note("del"))


def test_the_hooks_run_around_the_requests_of_a_client():
    app = App()
    with Client(app, "rsgi") as client:
        assert client.get("/").text == "['init', 'background']"
    assert [event for event, _ in app.events] == ["init", "background", "del"]
    assert len({loop for _, loop in app.events}) == 1


def test_what_a_hook_raises_is_raised():
    class Failing(App):
        def __rsgi_init__(self, loop):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Client(Failing(), "rsgi"):
        pass
