"""How a response leaves through each interface, and what runs after it."""

import asyncio

import pytest

from antiphon import App, to_app
from antiphon.http.errors import BadRequest, ClientDisconnected, NotFound
from antiphon.http.limits import Limits
from antiphon.response.response import Response
from tests.helpers.handlers import in_style
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "app", "Body")


@pytest.fixture(params=[SyncValues, AsyncValues], ids=["blocking", "waiting"])
def Body(request):
    return request.param


@pytest.fixture(params=["def", "async def"])
def app(request):
    """Makes an application of a function, as it is or as a coroutine function."""

    return lambda function: to_app(in_style(request.param, function))


def echo(request):
    yield b"echo: "
    yield from request.stream


async def aecho(request):
    yield b"echo: "
    async for chunk in request.stream:
        yield chunk


class TestABodyInMemory:
    def test_goes_with_status_and_all_header_fields_in_order(self, call, app):
        headers = [("x-b", "1"), ("set-cookie", "a=1"), ("x-a", "\xe9"), ("set-cookie", "b=2")]
        answer = call(app(lambda request: Response("x", 418, headers)))
        assert answer.status == 418
        assert [field for field in answer.headers if field[0] in ("x-a", "x-b", "set-cookie")] == headers


class TestAStreamedBody:
    def test_is_sent_with_the_length_that_is_declared(self, call, app, Body):
        answer = call(app(lambda request: Response(Body([b"a", b"b"]), headers={"content-length": "2"})))
        assert (answer.header("content-length"), answer.body) == (["2"], b"ab")

    @pytest.mark.parametrize(("length", "than"), [(3, "more"), (5, "less")])
    def test_of_another_length_than_declared_is_cut_and_logged(self, call, app, Body, length, than, caplog):
        made = Body([b"ab", b"cd"])
        answer = call(app(lambda request: Response(made, headers={"content-length": str(length)})))
        assert not answer.ended
        assert answer.body in (b"ab", b"abcd")
        assert f"has {than} than the {length} bytes that its Content-Length says" in caplog.text
        assert made.closed == 1

    @pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
    def test_that_is_left_out_is_closed_unread(self, call, app, Body, method, status):
        made = Body([b"a", b"b"])
        answer = call(app(lambda request: Response(made, status)), method)
        assert answer.body == b""
        assert (made.read, made.closed) == (0, 1)
        assert answer.error is None

    @pytest.mark.parametrize(
        "error", [FileNotFoundError("gone"), ConnectionResetError("upstream"), TimeoutError()], ids=repr
    )
    def test_whose_source_fails_is_not_taken_for_a_client_that_left(self, call, app, Body, caplog, error):
        answer = call(app(lambda request: Response(Body([b"a"], error))))
        assert [record.exc_info[1] for record in caplog.records] == [error]
        assert answer.error is error
        assert not answer.ended

    @rows("echo", [echo, aecho])
    @rows(
        "headers, limits",
        ([("content-length", "9")], Limits()),
        ([("transfer-encoding", "chunked")], Limits(body=2)),
        ([("content-length", "3"), ("content-encoding", "gzip")], Limits()),
        ids=["ends early", "is too large", "is not what it says"],
    )
    def test_that_the_requests_body_breaks_off_is_cut_and_not_logged(self, call, echo, caplog, headers, limits):
        app = App(limits=limits)
        app.post("/", receive="stream")(lambda request: Response(echo(request)))
        answer = call(app, "POST", headers=headers, chunks=[b"abc"])
        assert (answer.status, answer.ended, caplog.records) == (200, False, [])
        assert answer.body.startswith(b"echo: ")
        assert answer.error is None or isinstance(answer.error, ConnectionResetError)

    @pytest.mark.parametrize("error", [NotFound(), BadRequest("mine"), ClientDisconnected("upstream's")], ids=repr)
    def test_that_fails_by_what_would_be_an_answer_elsewhere_is_logged(self, call, app, Body, caplog, error):
        answer = call(app(lambda request: Response(Body([b"a"], error))), "POST", chunks=[b"abc"])
        assert [record.exc_info[1] for record in caplog.records] == [error]
        assert answer.error is error
        assert not answer.ended

    @pytest.mark.parametrize("kind", [bytearray, memoryview])
    def test_may_have_chunks_that_are_like_bytes(self, call, app, Body, kind):
        answer = call(app(lambda request: Response(Body([kind(b"a"), kind(b""), b"b"]))))
        assert answer.body == b"ab"
        assert all(type(chunk) is bytes for chunk in answer.chunks)

    def test_with_a_chunk_that_is_no_bytes_is_cut_and_logged(self, call, app, Body, caplog):
        made = Body([b"a", 5])
        answer = call(app(lambda request: Response(made)))
        assert not answer.ended
        assert made.closed == 1
        assert len(caplog.records) == 1
        assert "int" in str(answer.error)


class TestWhatIsLeftForAfter:
    @rows("body", [lambda: "text", lambda: None, AsyncValues, SyncValues])
    def test_runs_in_order_when_the_body_was_handed_over(self, servers, interface, app, body):
        events = []

        async def second():
            await asyncio.sleep(0)
            events.append("second")

        def handler(request):
            request.after_response(lambda: events.append("first"))
            request.after_response(second)
            return Response(body())

        class NotingChunks(list):
            def append(self, chunk):
                events.append("chunk")
                super().append(chunk)

        def noting(server_class):
            class Noting(server_class):
                def __init__(self, *arguments):
                    super().__init__(*arguments)
                    self.answer.chunks = NotingChunks()

            return Noting

        served = app(handler)
        if interface == "wsgi":
            chunks = served(servers.environ(), lambda status, headers: None)
            events.extend("chunk" for _ in chunks)
            chunks.close()
        elif interface == "asgi":
            server = noting(servers.ASGIServer)([{"type": "http.request"}])
            asyncio.run(served(servers.scope(), server.receive, server.send))
        else:
            asyncio.run(self.play(served, servers, noting(servers.RSGIServer)))
        assert [event for event in events if event != "chunk"] == ["first", "second"]
        assert events[-2:] == ["first", "second"]

    async def play(self, served, servers, server_class):
        await served.__rsgi__(servers.rsgi_scope(), server_class())

    @pytest.mark.parametrize("most", [None, 1], ids=["failed", "client gone"])
    def test_runs_though_the_body_breaks_off(self, call, app, Body, most, caplog):
        called = []

        def handler(request):
            request.after_response(lambda: called.append("after"))
            return Response(Body([b"a"] * 100, LookupError()))

        call(app(handler), most=most)
        assert called == ["after"]


class TestTheRequestsBody:
    @rows(
        "headers, chunks, status",
        ([("content-length", "5")], [b"hel"], 400),
        ([("content-length", "five")], [b"hello"], 400),
        ([("content-length", "20000000")], [], 413),
        ([("transfer-encoding", "chunked")], [bytes(1 << 20)] * 17, 413),
        ids=["truncated", "bad length", "declared too large", "too large"],
    )
    def test_that_cannot_be_taken_is_answered(self, call, app, headers, chunks, status):
        def handler(request):
            raise AssertionError("the handler must not be called")

        answer = call(app(handler), "POST", headers=headers, chunks=chunks)
        assert answer.status == status
        assert answer.header("content-type") == ["application/problem+json"]

    def test_may_be_left_unread_by_an_answer(self, call):
        class Early:
            """A handler that never looks at the body."""

        app = to_app(lambda request: Response("x"))
        app._handle = self.early
        assert call(app, "POST", chunks=[b"hello"]).body == b"early"

    def early(self, request):
        yield from ()
        return Response("early")
