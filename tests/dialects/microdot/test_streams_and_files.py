"""Bodies that come in chunks: generators, file-like objects, files."""

import asyncio
import gc
import io
import os
import socket
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from antiphon.dialects.microdot import AsyncBytesIO, Response, send_file
from antiphon.dialects.microdot.sse import MOST_QUEUED, SSE
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

# Streams


def gone():
    """What notes that it was closed."""
    closed = []

    def chunks():
        try:
            yield "one "
            yield b"two"
        finally:
            closed.append(True)

    return chunks, closed


def test_a_generator_is_streamed_and_closed(answer):
    chunks, closed = gone()
    assert answer(chunks).text == "one two"
    assert closed


def test_an_async_generator_is_streamed(answer):
    async def chunks():
        yield "one "
        yield b"two"

    assert answer(chunks).text == "one two"


def test_handlers_may_be_generators(app, serve):
    @app.get("/plain")
    def plain(request):
        yield "one "
        yield request.path

    @app.get("/async")
    async def waiting(request):
        yield "one "
        yield request.path

    client = serve(app)
    assert [client.get(path).text for path in ("/plain", "/async")] == ["one /plain", "one /async"]


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


def test_a_file_is_read_in_chunks_and_not_in_lines(folder):
    async def chunks(file):
        return [chunk async for chunk in Response(file).body_iter()]

    (folder / "lines.txt").write_text("line\n" * 1000)
    for mode, kind in (("rb", bytes), ("r", str)):
        read = asyncio.run(chunks((folder / "lines.txt").open(mode)))
        assert [(type(chunk), len(chunk)) for chunk in read] == [(kind, 5000)]


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


def test_what_is_handled_already_is_empty(answer):
    response = answer(Response.already_handled)
    assert (response.status, response.body) == (200, b"")


# Files


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "page.html").write_bytes(b"<p>")
    (tmp_path / "data.unknown").write_bytes(b"?")
    (tmp_path / "site.css.gz").write_bytes(b"gzipped")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@rows(
    "name, options, body, headers",
    ("page.html", {}, b"<p>", {"content-type": "text/html", "content-length": "3", "cache-control": None}),
    ("data.unknown", {}, b"?", {"content-type": "application/octet-stream"}),
    ("page.html", {"content_type": "text/plain"}, b"<p>", {"content-type": "text/plain"}),
    ("page.html", {"content_type": ""}, b"<p>", {"content-type": ""}),
    ("page.html", {"max_age": 60}, b"<p>", {"cache-control": "max-age=60"}),
    ("page.html", {"max_age": 0}, b"<p>", {"cache-control": "max-age=0"}),
    ("site.css.gz", {"compressed": True}, b"gzipped", {"content-type": "text/css", "content-encoding": "gzip"}),
    ("site.css", {"compressed": "br", "file_extension": ".gz"}, b"gzipped", {"content-encoding": "br"}),
    ("no.js", {"stream": io.BytesIO(b"js")}, b"js", {"content-type": "application/javascript"}),
)
def test_files(answer, folder, name, options, body, headers):
    if "stream" in options:
        options = {**options, "stream": io.BytesIO(b"js")}
    response = answer(lambda: send_file(str(folder / name), **options))
    assert (response.status, response.body) == (200, body)
    assert {field: response.headers.get(field) for field in headers} == headers


def test_a_file_s_status_and_its_default_age(answer, folder, monkeypatch):
    monkeypatch.setattr(Response, "default_send_file_max_age", 7)
    response = answer(lambda: Response.send_file(str(folder / "page.html"), 203))
    assert (response.status, response.headers["cache-control"]) == (203, "max-age=7")


def test_types_of_files_can_be_added(answer, folder, monkeypatch):
    monkeypatch.setitem(Response.types_map, "unknown", "text/x-known")
    assert answer(lambda: send_file(str(folder / "data.unknown"))).content_type == "text/x-known"


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


@pytest.mark.parametrize("path", ["/proc/version", "/sys/devices/system/cpu/online"])
def test_files_that_do_not_say_their_length_are_sent_whole(answer, path):
    if not os.path.exists(path):
        pytest.skip(f"no {path} here")
    assert answer(lambda: send_file(path)).body == Path(path).read_bytes()


def test_an_empty_file(answer, folder):
    (folder / "empty.txt").touch()
    response = answer(lambda: send_file(str(folder / "empty.txt")))
    assert (response.status, response.body) == (200, b"")


def test_hooks_may_read_a_file(app, serve, folder):
    @app.get("/<int:size>")
    async def handler(request, size):
        @request.after_request
        async def read(request, response):
            assert "Content-Length" not in response.headers
            response.headers["X-Read"] = response.body.read(size).decode()

        return send_file(str(folder / "page.html"))

    client = serve(app)
    for size, read, left in ((0, "", b"<p>"), (1, "<", b"p>"), (3, "<p>", b"")):
        response = client.get(f"/{size}")
        assert (response.headers["x-read"], response.body) == (read, left)


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


def test_a_file_that_is_not_there_raises_where_it_is_asked_for(folder):
    with pytest.raises(FileNotFoundError):
        send_file(str(folder / "none"))


@rows("name", ["none", "", ".", "page.html/a", "pipe", "socket", "/dev/zero", "a\0", "a" * 300])
def test_what_is_no_regular_file_is_not_found(answer, folder, name):
    (folder / "socket").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/cwd/{os.path.relpath(folder)}/socket")
        response = answer(lambda: send_file(str(folder / name)))
    assert (response.status, response.text) == (404, "Not found")


def test_a_program_may_answer_for_a_file_that_is_not_there(app, answer, folder):
    app.errorhandler(FileNotFoundError)(lambda request, error: (os.path.basename(error.filename), 410))
    response = answer(lambda: send_file(str(folder / "none")), app=app)
    assert (response.status, response.text) == (410, "none")


def test_a_response_is_not_written_to_sockets():
    with pytest.raises(AttributeError, match=r"does not offer Response\.write"):
        Response().write()


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
