"""Bodies that come in chunks: generators, file-like objects, files."""

import asyncio
import gc
import io
import os
import socket
from tempfile import NamedTemporaryFile

import pytest

from antiphon.dialects.microdot import AsyncBytesIO, Microdot, Response, send_file
from antiphon.dialects.microdot.sse import MOST_QUEUED, SSE, with_sse
from antiphon.testing import BrokenResponse, Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

# Streams


def test_an_async_iterator_of_one_s_own_is_streamed_and_closed(answer):
    class Chunks:
        left = 3
        closed = False

        async def __anext__(self):
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return str(self.left)

        async def aclose(self):
            self.closed = True

    chunks = Chunks()
    assert answer(lambda: chunks).text == "210"
    assert chunks.closed


class Unclosable:
    def __init__(self, content):
        self.read = io.StringIO(content).read


class Wrapper:
    """A file of a class of one's own, over one that it knows nothing of."""

    def __init__(self, inner):
        self.inner = inner

    def read(self, n):
        return self.inner.read(n)


class ClosedWrapper(Wrapper):
    is_closed = False

    def close(self):
        self.is_closed = True
        return asyncio.sleep(0) if isinstance(self.inner, AsyncBytesIO) else None


@pytest.mark.parametrize(
    "file",
    [
        io.BytesIO,
        AsyncBytesIO,
        lambda content: Unclosable(content.decode()),
        lambda content: Wrapper(io.BytesIO(content)),
        lambda content: Wrapper(AsyncBytesIO(content)),
    ],
    ids=["file", "async", "text", "wrapped", "wrapped async"],
)
def test_a_file_like_object_is_streamed(answer, file):
    content = b"0123456789" * 1000
    assert answer(lambda: Response(file(content))).body == content


def test_a_file_like_object_is_closed(answer):
    file = io.BytesIO(b"x")
    assert answer(lambda: file).body == b"x"
    assert file.closed


@pytest.mark.parametrize("inner", [io.BytesIO, AsyncBytesIO])
def test_a_wrapped_file_is_closed(answer, inner):
    file = ClosedWrapper(inner(b"x"))
    assert answer(lambda: file).body == b"x"
    assert file.is_closed


def test_a_wrapped_file_that_fails_at_once_is_a_500_where_servers_wait_for_the_first_chunk(app):
    app.get("/")(lambda request: ClosedWrapper(None))
    with Client(app, "wsgi", raise_errors=False) as client:
        assert client.get("/").status == 500


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "page.html").write_bytes(b"<p>")
    (tmp_path / "data.unknown").write_bytes(b"?")
    (tmp_path / "site.css.gz").write_bytes(b"gzipped")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def test_a_file_may_be_removed_before_it_is_sent(answer):
    def temporary():
        with NamedTemporaryFile() as file:
            file.write(b"temporary" * 1000)
            file.flush()
            return send_file(file.name)

    assert answer(temporary).body == b"temporary" * 1000


def test_a_file_may_be_replaced_before_it_is_sent(answer, folder):
    def replaced():
        response = send_file(str(folder / "page.html"))
        (folder / "site.css.gz").replace(folder / "page.html")
        return response

    assert answer(replaced).body == b"<p>"


def test_an_empty_file(answer, folder):
    (folder / "empty.txt").touch()
    response = answer(lambda: send_file(str(folder / "empty.txt")))
    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ["page.html", "removed.html"])
def test_a_file_is_closed_though_it_is_not_sent(app, serve, folder, method, name):
    opened = []

    @app.get("/")
    async def handler(request):
        (folder / "removed.html").write_bytes(b"removed")
        response = send_file(str(folder / name))
        (folder / "removed.html").unlink()
        opened.append(response.body.raw)
        return response

    @app.after_request
    async def other(request, response):
        return Response("other") if method == "GET" else None

    assert serve(app).request(method, "/").status == 200
    gc.collect()
    assert [file.closed for file in opened] == [True]


@rows("name", ["none", "", ".", "page.html/a", "pipe", "socket", "/dev/zero", "a\0", "a" * 300])
def test_what_is_no_regular_file_is_not_found(answer, folder, name):
    (folder / "socket").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/cwd/{os.path.relpath(folder)}/socket")
        response = answer(lambda: send_file(str(folder / name)))
    assert (response.status, response.text) == (404, "Not found")


@pytest.mark.once
def test_events_of_many_tasks_wait_while_the_client_reads_none():
    async def send_from_many_tasks():
        sender = SSE()
        tasks = [asyncio.create_task(sender.send("x" * (MOST_QUEUED // 4))) for _ in range(20)]
        waiting = []
        for _ in range(3):
            for _ in range(2 * len(tasks)):
                await asyncio.sleep(0)
            waiting.append(sender.queue.qsize())
            await sender.next()
        for task in tasks:
            task.cancel()
        return waiting

    assert asyncio.run(send_from_many_tasks()) == [4, 4, 4]


def test_events_that_end_with_system_exit_leave_the_loop_to_others(caplog):
    app = Microdot()

    @app.get("/events")
    @with_sse
    async def events(request, sse):
        await sse.send("first")
        raise SystemExit

    app.get("/ok")(lambda request: "ok")
    with Client(app, raise_errors=False) as client:
        with pytest.raises(BrokenResponse):
            client.get("/events")
        assert client.get("/ok").text == "ok"
    assert "the application raised SystemExit()" in caplog.text
