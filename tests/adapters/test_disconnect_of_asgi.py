import asyncio
import tracemalloc

from antiphon import App, Request, Response
from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.disconnect import READ_AHEAD, BufferedMessages, wait_disconnect
from antiphon.handler.cancellation import LOOK
from antiphon.testing import Client
from tests.adapters.conftest import scope
from tests.helpers.rows import rows

GONE = {"type": "http.disconnect"}
CHUNKS = [bytes([65 + number]) * 1000 for number in range(20)]


def messages(chunks=CHUNKS):
    return [{"type": "http.request", "body": chunk, "more_body": chunk is not chunks[-1]} for chunk in chunks]


class Server:
    """Gives messages, one at a time to one who waits, and then none until it is told that the client left."""

    def __init__(self, given):
        self.given = list(given)
        self.left = asyncio.Event()
        self.is_asked = False

    async def receive(self):
        assert not self.is_asked, "two wait for one message"
        self.is_asked = True
        try:
            await asyncio.sleep(0)
            if self.given:
                return self.given.pop(0)
            await self.left.wait()
            return GONE
        finally:
            self.is_asked = False


async def settled():
    for _ in range(200):
        await asyncio.sleep(0)


async def read(head):
    found = []
    while chunk := receiving if isinstance(receiving := head.receive(), bytes) else await receiving:
        found.append(chunk)
        await asyncio.sleep(0)
    return found


def watched_head(servers, server):
    return ASGIHead(servers.scope(method="POST", headers=[(b"transfer-encoding", b"chunked")]), server.receive)


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("policy", ["lazy", "stream"])
def test_a_body_can_be_sent_back_while_it_arrives(interface, policy):
    app = App()

    @app.post("/async", receive=policy)
    async def on_the_loop(request: Request):
        return Response(request.stream)

    @app.post("/sync", receive=policy)
    def on_a_thread(request: Request):
        return Response(chunk for chunk in request.stream)

    with Client(app, interface) as client:
        for path in ("/async", "/sync"):
            assert client.post(path, body=iter(CHUNKS)).body == b"".join(CHUNKS)


class TestAWatch:
    def test_leaves_the_body_to_who_reads_it(self, servers):
        async def run():
            server = Server(messages())
            head = watched_head(servers, server)
            watch = head.wait_disconnect()
            assert await read(head) == CHUNKS
            await settled()
            assert not watch.done()
            server.left.set()
            await watch

        asyncio.run(run())

    def test_begins_when_who_reads_already_has_a_message(self, servers):
        async def run():
            server = Server(messages())
            head = watched_head(servers, server)
            reader = asyncio.create_task(read(head))
            await asyncio.sleep(0)
            watch = head.wait_disconnect()
            assert await reader == CHUNKS
            server.left.set()
            await watch

        asyncio.run(run())

    def test_sees_the_client_leave_though_nobody_reads(self, servers):
        async def run():
            server = Server(messages())
            server.left.set()
            await asyncio.wait_for(watched_head(servers, server).wait_disconnect(), 5)

        asyncio.run(run())

    def test_leaves_more_than_a_little_with_the_server(self):
        async def run():
            server = Server(messages([bytes(READ_AHEAD // 2)] * 9))
            buffered = BufferedMessages(server.receive)
            watching = asyncio.create_task(buffered.wait_disconnect())
            await settled()
            assert len(server.given) == 6
            await buffered.next()
            await settled()
            assert len(server.given) == 5
            watching.cancel()

        asyncio.run(run())

    def test_keeps_nothing_where_nothing_is_read(self):
        async def run():
            server = Server(messages())
            server.left.set()
            await wait_disconnect(server.receive)
            assert not server.given

        asyncio.run(run())

    def test_that_has_ended_keeps_what_it_has(self, servers):
        async def run():
            server = Server(messages())
            head = watched_head(servers, server)
            watch = head.wait_disconnect()
            for _ in range(8):
                await asyncio.sleep(0)
            watch.cancel()
            assert await read(head) == CHUNKS

        asyncio.run(run())


def test_a_server_is_asked_once_however_often_somebody_stops_to_wait(servers):
    async def main():
        asked = []

        async def receive():
            asked.append(asyncio.current_task())
            await server.left.wait()
            return GONE

        server, told = Server([]), []
        head = ASGIHead(servers.scope(), receive)
        lifetime = Request(head).lifetime
        for _ in range(3):
            withdraw = lifetime._on_disconnect(lambda: told.append("too late"))
            await settled()
            withdraw()
        lifetime._on_disconnect(lambda: told.append("left"))
        await settled()
        assert len(asked) == 1
        assert not asked[0].cancelling()
        server.left.set()
        await settled()
        assert told == ["left"]

    asyncio.run(main())


def test_nobody_asks_for_a_body_before_the_head_of_a_stream_is_sent(servers):
    """A server would tell a client that expects a 100 to send the body, which is refused."""
    app, asked, sent = App(), [], []
    fields = [(b"host", b"localhost"), (b"content-length", b"1000000"), (b"expect", b"100-continue")]
    app.post("/", receive="stream")(lambda request: (iter(["too ", "large"]), 413))

    async def receive():
        asked.append(True)
        return GONE

    async def send(message):
        if message["type"] == "http.response.start":
            await asyncio.sleep(5 * LOOK)
            sent.append((message["status"], len(asked)))

    asyncio.run(app(servers.scope(method="POST", headers=fields), receive, send))
    assert sent == [(413, 0)]


def test_nobody_waits_when_the_request_has_ended():
    async def main():
        app, begun = App(), asyncio.Event()

        @app.get("/")
        async def handler(request):
            request.lifetime._on_disconnect(begun.set)
            await settled()
            return "answered"

        sent = []

        async def receive():
            await asyncio.Event().wait()

        async def send(message):
            sent.append(message["type"])

        await app(scope(), receive, send)
        await settled()
        assert sent[-1] == "http.response.body"
        assert not [task for task in asyncio.all_tasks() if "wait_disconnect" in repr(task)]

    asyncio.run(main())


def test_a_client_is_watched_in_little_memory(servers):
    async def bytes_of_each():
        server, watched = Server([]), 1000
        lifetimes = [Request(ASGIHead(servers.scope(), server.left.wait)).lifetime for _ in range(watched)]
        lifetimes[0]._on_disconnect(bool)
        await settled()
        tracemalloc.start()
        try:
            for lifetime in lifetimes[1:]:
                lifetime._on_disconnect(bool)
            await settled()
            return tracemalloc.get_traced_memory()[0] / watched
        finally:
            tracemalloc.stop()

    # Other threads of the process take memory, too: the measure with the least of theirs counts.
    assert min(asyncio.run(bytes_of_each()) for _ in range(5)) < 2000
