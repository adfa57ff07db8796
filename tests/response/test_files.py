"""Files as responses: what they say, and how they leave through each interface and each server."""

import errno
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from pathlib import Path
from urllib.parse import quote

import pytest

from antiphon import App, Response, to_app
from antiphon.adapters.file_wrapper import FilePart
from antiphon.http.content_disposition import ContentDisposition
from antiphon.http.errors import Forbidden, NotFound
from antiphon.response.files import CHUNK, FileBody, OpenFile, read_part
from antiphon.testing import Client
from antiphon.testing.errors import BrokenResponse, ContractError
from antiphon.testing.servers.wsgi import FileWrapper
from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS
from tests.contract.wire import Closed, SentRequest
from tests.helpers.processes import UNMEASURED
from tests.helpers.rows import rows
from tests.helpers.served.files import app
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.once

CONTENT = b"0123456789"
LARGE = 10 << 20
WAYS = {
    "WSGI, wrapped": ("wsgi", {}),
    "WSGI, in chunks": ("wsgi", {"wsgi.file_wrapper": None}),
    "ASGI, by path": ("asgi", {"extensions": {"http.response.pathsend": {}}}),
    "ASGI, in chunks": ("asgi", {}),
    "RSGI": ("rsgi", {}),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "digits.txt"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def client(request):
    interface, extra = request.param
    with Client(app, interface, raise_errors=False, extra=extra) as client:
        yield client


def target(path, way=""):
    return f"/{way}?path={quote(os.fspath(path))}"


def large(path, size=LARGE):
    block = hashlib.sha256(b"seed").digest() * 1024
    with path.open("wb") as file:
        for number in range(size // len(block)):
            file.write(number.to_bytes(8) + block[8:])
    return path


def digest(data):
    return hashlib.sha256(data).hexdigest()


def is_open(path):
    """Whether a process has this file open."""
    name = os.fspath(path)
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(descriptor).removesuffix(" (deleted)") == name:
                return True
        except OSError:
            continue
    return False


def settled(path, age=10):
    """Have a file be as old as that, in seconds."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - age * 10**9))
    return path


class TestTheHead:
    @rows(
        "name, content_type",
        ("a.html", "text/html; charset=utf-8"),
        ("a.CSS", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.md", "text/markdown; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.webp", "image/webp"),
        ("a.woff2", "font/woff2"),
        ("a.pdf", "application/pdf"),
        ("a.tar.gz", "application/gzip"),
        ("a.tgz", "application/gzip"),
        ("a.html.gz", "application/gzip"),
        ("a.html.xz", "application/x-xz"),
        ("a", "application/octet-stream"),
        (".txt", "application/octet-stream"),
        ("a.", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
        ("data:text,a.html?x#y.png", "image/png"),
    )
    def test_tells_the_type_by_the_name(self, tmp_path, name, content_type):
        (tmp_path / name).touch()
        assert Response.file(tmp_path / name).content_type == content_type
        assert "content-encoding" not in Response.file(tmp_path / name).headers

    def test_tells_the_type_by_the_download_name_first(self, path):
        assert Response.file(path, filename="a.csv").content_type == "text/csv; charset=utf-8"

    def test_takes_the_type_that_is_given(self, path):
        assert Response.file(path, content_type="image/png").content_type == "image/png"
        assert Response.file(path, headers={"Content-Type": "image/png"}).content_type == "image/png"
        response = Response.file(path, content_type="image/png", headers={"Content-Type": "image/gif"})
        assert response.headers.getall("content-type") == ["image/png"]

    def test_leaves_given_fields_as_they_are(self, path):
        given = {
            "ETag": '"mine"',
            "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
            "X-A": "b",
            "accept-ranges": "none",
        }
        response = Response.file(path, status=203, headers=given, as_attachment=True)
        assert response.status == 203
        for name, value in given.items():
            assert response.headers.getall(name) == [value]

    @rows("options, missing", [({"etag": False}, "etag"), ({"modified": False}, "last-modified")])
    def test_leaves_out_a_validator_that_is_declined(self, path, options, missing):
        assert {"etag", "last-modified"} - {*Response.file(path, **options).headers} == {missing}

    def test_has_another_tag_for_another_version(self, path):
        tags = {Response.file(settled(path)).headers["etag"]}
        path.write_bytes(b"9876543210")
        os.utime(path, ns=(0, path.stat().st_mtime_ns - 20 * 10**9))
        tags.add(Response.file(path).headers["etag"])
        path.write_bytes(b"longer than that")
        os.utime(path, ns=(0, path.stat().st_mtime_ns - 20 * 10**9))
        tags.add(Response.file(path).headers["etag"])
        assert len(tags) == 3

    def test_has_a_weak_tag_while_the_clock_can_hide_a_change(self, path):
        assert Response.file(path).headers["etag"].startswith('W/"')
        assert Response.file(settled(path)).headers["etag"].startswith('"')

    @pytest.mark.parametrize("seconds", [-(10**9), 10**11], ids=["before 1970", "in the future"])
    def test_has_a_time_that_can_be_believed(self, path, seconds):
        try:
            os.utime(path, (0, seconds))
        except OSError:
            pytest.skip("the file system has no such time")
        year = int(Response.file(path).headers["last-modified"].split()[3])
        assert 1970 <= year < 2100


class TestTheDownloadName:
    @rows(
        "name",
        ["report.pdf", "Übersicht.pdf", "отчёт.pdf", "報告書.pdf", "דוח.pdf", "📊.pdf", 'say "hi" 100%.txt', "a;b.txt"],
    )
    def test_comes_back_in_any_script(self, tmp_path, name):
        (tmp_path / name).touch()
        for options in ({"as_attachment": True}, {"as_attachment": True, "filename": name}):
            field = Response.file(tmp_path / name, **options).headers["content-disposition"]
            assert field.isascii()
            assert ContentDisposition.parse(field) == ContentDisposition("attachment", name)

    def test_is_sent_when_it_is_asked_for(self, path):
        assert "content-disposition" not in Response.file(path).headers
        for options in ({}, {"as_attachment": True}):
            response = Response.file(path, filename="a.txt", **options)
            assert response.headers["content-disposition"] == "attachment; filename=a.txt"
        shown = Response.file(path, filename="a.txt", inline=True)
        assert shown.headers["content-disposition"] == "inline; filename=a.txt"
        with pytest.raises(ValueError, match="together"):
            Response.file(path, as_attachment=True, inline=True)
        assert Response.file(io.BytesIO(), as_attachment=True).headers["content-disposition"] == "attachment"

    def test_that_is_on_disk_is_made_fit(self, tmp_path):
        for name in ("a\r\nset-cookie: b.txt", os.fsdecode(b"\xff.txt")):
            (tmp_path / name).touch()
            field = Response.file(tmp_path / name, as_attachment=True).headers["content-disposition"]
            assert field.startswith("attachment; filename=")
            assert field.isprintable()

    @rows("name", ["a\r\nb", "a\0b", "\ud800"])
    def test_that_cannot_be_sent_is_refused(self, path, name):
        with pytest.raises(ValueError, match="name"):
            Response.file(path, filename=name)


class TestWhatIsNoFile:
    @rows("name", ["missing", "digits.txt/below", "n" * 300, "nul\0", "\ud800", "."], ids=lambda name: ascii(name)[:12])
    def test_is_not_found(self, path, name):
        with pytest.raises(NotFound):
            Response.file(f"{path.parent}/{name}")

    def test_is_not_found_when_it_is_a_device_a_pipe_or_a_loop(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        for path in ("/dev/zero", tmp_path / "pipe", tmp_path / "loop"):
            with pytest.raises(NotFound):
                Response.file(path)

    def test_tells_the_client_nothing_of_the_path(self, path):
        with pytest.raises(NotFound) as caught:
            Response.file(path.parent / "missing")
        assert caught.value.detail is None

    @pytest.mark.processes
    @rows("mode", [0o000, 0o600], ids=["of nobody", "of somebody else"])
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_is_forbidden_when_it_may_not_be_read(self, mode):
        code = (
            "import os, sys; from antiphon import Response; Response.file(sys.argv[1])\n"
            "os.setgroups([]); os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3)\n"
            "try: Response.file(sys.argv[2])\n"
            "except Exception as error: print(type(error).__name__)"
        )
        with tempfile.TemporaryDirectory(dir="/tmp") as folder, tempfile.NamedTemporaryFile(dir="/tmp") as file:
            os.chmod(file.name, mode)
            hidden = os.path.join(folder, "x")
            Path(hidden).touch()
            for path in (file.name, hidden):
                command = [sys.executable, "-c", code, file.name, path]
                run = subprocess.run(command, env=UNMEASURED, check=False, capture_output=True, text=True)
                assert (run.stdout, run.stderr) == (f"{Forbidden.__name__}\n", "")

    @rows("path", ["digits.txt", "../digits.txt", "", "."])
    def test_is_refused_when_it_is_relative(self, path):
        with pytest.raises(ValueError, match="relative"):
            Response.file(path)

    @rows("source", [3, None, b"/etc/hostname", io.StringIO("text")], ids=["number", "None", "bytes", "text"])
    def test_is_refused_when_it_is_neither_path_nor_bytes(self, source):
        with pytest.raises(TypeError):
            Response.file(source)


class TestFileObjects:
    def test_are_sent_from_where_they_stand(self):
        file = io.BytesIO(CONTENT)
        file.seek(3)
        response = Response.file(file)
        assert response.headers["content-length"] == "7"
        assert b"".join(response.body) == CONTENT[3:]

    def test_tell_their_type_and_name(self, path):
        with path.open("rb") as file:
            response = Response.file(file, as_attachment=True)
        assert response.content_type == "text/plain; charset=utf-8"
        assert response.headers["content-disposition"] == "attachment; filename=digits.txt"

    def test_without_position_have_no_length(self):
        reading, writing = os.pipe()
        os.write(writing, CONTENT)
        os.close(writing)
        with open(reading, "rb") as file:
            response = Response.file(file)
            assert {"content-length", "accept-ranges"}.isdisjoint(response.headers)
            assert b"".join(response.body) == CONTENT

    @rows("way", ["opened", "piped"])
    @rows("method", ["GET", "HEAD"])
    def test_are_closed(self, client, path, way, method):
        response = client.request(method, target(path, way))
        assert response.body == (CONTENT if method == "GET" else b"")
        assert response.headers.get("content-length") == ("10" if way == "opened" else None)
        assert not is_open(path)

    def test_are_closed_when_the_client_goes(self, client, tmp_path):
        path = large(tmp_path / "large")
        with client.stream("GET", target(path, "opened")) as response:
            assert next(response)
            assert is_open(path)
        eventually(lambda: None if is_open(path) else True, "the file is still open")

    def test_that_turn_out_shorter_break_off(self):
        file = io.BytesIO(CONTENT)
        chunks = iter(Response.file(file).body)
        file.truncate(5)
        assert next(chunks) == CONTENT[:5]
        with pytest.raises(EOFError):
            next(chunks)

    def test_that_have_nothing_to_read_yet_break_off(self):
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        with os.fdopen(reading, "rb", buffering=0) as file:
            with pytest.raises(BlockingIOError):
                next(iter(Response.file(file).body))
            os.close(writing)


class TestWindows:
    @pytest.fixture(params=["path", "file object"])
    def body(self, request, path):
        if request.param == "path":
            return FileBody(str(path), 0, 10)
        return OpenFile(io.BytesIO(CONTENT), 0, 10)

    @rows("offset, length", [(0, 10), (0, 0), (10, 0), (2, 5), (9, 1)])
    def test_are_parts_and_have_parts(self, body, offset, length):
        window = body.window(offset, length)
        assert window.length == length
        assert b"".join(window) == CONTENT[offset : offset + length]
        inner = window.window(length // 2, length - length // 2)
        assert b"".join(inner) == CONTENT[offset + length // 2 : offset + length]

    def test_may_follow_each_other_in_any_order(self, body):
        assert b"".join([b"".join(body.window(at, 2)) for at in (8, 0, 4, 0)]) == b"89014501"

    @rows("offset, length", [(-1, 2), (0, 11), (11, 0), (5, -1), (9, 2)])
    def test_lie_within(self, body, offset, length):
        with pytest.raises(ValueError, match="within"):
            body.window(offset, length)

    def test_break_off_when_the_path_leads_to_no_file_any_more(self, path):
        body = FileBody(str(path), 0, 10)
        assert repr(body) == f"FileBody({str(path)!r}, 0, 10)"
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(OSError, match="not a regular file"):
            next(iter(body))

    def test_are_not_there_without_a_position(self):
        with pytest.raises(ValueError, match="no windows"):
            OpenFile(io.BytesIO(CONTENT), None, None).window(0, 1)


class TestInProcess:
    @rows("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
    def test_a_file_of_any_size_is_sent(self, client, path, size):
        path.write_bytes(os.urandom(size))
        response = client.get(target(path))
        assert digest(response.body) == digest(path.read_bytes())
        assert response.headers.getall("content-length") == [str(size)]

    def test_a_part_is_sent(self, client, path):
        response = client.get(target(path, "part"))
        assert (response.status, response.body) == (206, CONTENT[2:7])

    def test_head_opens_nothing(self, client, path):
        head, got = client.head(target(path)), client.get(target(path))
        assert head.body == b""
        assert head.headers.items() == got.headers.items()
        path.unlink()
        assert client.head(target(path)).status == 404

    def test_head_of_a_file_that_has_gone_meanwhile_is_answered(self, client, path):
        response = client.head(target(path, "gone"))
        assert (response.status, response.headers["content-length"]) == (200, "10")

    @rows("way", ["gone", "shrunk"])
    def test_a_file_that_is_not_what_it_was_is_cut_and_logged(self, client, path, way, caplog):
        path.write_bytes(CONTENT)
        try:
            response = client.get(target(path, way))
        except (BrokenResponse, ContractError):
            pass
        else:  # over WSGI nothing was sent yet
            assert response.status == 500
        assert [record.levelname for record in caplog.records if record.name == "antiphon"] == ["ERROR"]

    def test_a_file_that_has_grown_is_sent_as_far_as_it_was_promised(self, client, path):
        response = client.get(target(path, "grown"))
        assert (response.body, response.headers["content-length"]) == (CONTENT, "10")

    def test_a_file_that_is_removed_after_the_response_is_sent_before(self, client, path):
        assert client.get(target(path, "removed_after")).body == CONTENT
        eventually(lambda: None if path.exists() else True, "the file is still there")

    def test_a_file_is_closed_when_the_client_goes(self, client, tmp_path):
        path = large(tmp_path / "large")
        with client.stream("GET", target(path)) as response:
            assert next(response)
            assert is_open(path)
        eventually(lambda: None if is_open(path) else True, "the file is still open")

    def test_a_name_that_is_no_unicode_is_sent(self, client, tmp_path):
        path = os.path.join(os.fsencode(tmp_path), b"\xff.txt")
        Path(os.fsdecode(path)).write_bytes(CONTENT)
        served = to_app(lambda request: Response.file(os.fsdecode(path)))
        assert Client(served, client.interface).get("/").body == CONTENT

    def test_a_file_takes_no_memory(self, client, tmp_path):
        path = tmp_path / "sparse"
        path.touch()
        os.truncate(path, 64 << 20)
        client.get(target(path, "part"))
        tracemalloc.start()
        try:
            with client.stream("GET", target(path)) as response:
                assert sum(map(len, response)) == 64 << 20
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()


def served(answer):
    return to_app(answer)


def routed(answer):
    app = App()
    app.get("/")(answer)
    return app


def routed_on_the_loop(answer):
    async def on_the_loop(request):
        return answer(request)

    return routed(on_the_loop)


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("serving", [served, routed, routed_on_the_loop])
class TestConditionsAndRanges:
    """What is asked of a file, where the handler says nothing of that."""

    def test_are_answered(self, serving, interface, path):
        settled(path)
        client = Client(serving(lambda request: Response.file(path)), interface)
        etag = client.get("/").headers["etag"]
        part = client.get("/", headers={"range": "bytes=7-"})
        assert (part.status, part.body, part.headers["content-range"]) == (206, b"789", "bytes 7-9/10")
        assert client.get("/", headers={"if-none-match": etag}).status == 304
        assert client.get("/", headers={"if-match": '"other"'}).status == 412
        assert client.get("/", headers={"range": "bytes=10-"}).headers["content-range"] == "bytes */10"

    def test_are_answered_anew_of_a_response_that_is_given_again(self, serving, interface, path):
        settled(path)
        page = Response.file(path)
        client = Client(serving(lambda request: page), interface)
        asked = [{"range": "bytes=7-"}, {}, {"if-none-match": page.headers["etag"]}, {}, {"range": "bytes=0-0"}]
        answers = [client.get("/", headers=headers) for headers in asked]
        assert [answer.status for answer in answers] == [206, 200, 304, 200, 206]
        assert [answer.body for answer in answers] == [b"789", CONTENT, b"", CONTENT, b"0"]

    def test_are_answered_of_an_open_file(self, serving, interface):
        client = Client(serving(lambda request: Response.file(io.BytesIO(CONTENT))), interface)
        assert client.get("/", headers={"range": "bytes=-2"}).body == b"89"


class TestHandingOver:
    """That the ways which spare the chunks are taken, and when they are not."""

    def taken_over_wsgi(self, path, way):
        taken = []

        class Wrapper(FileWrapper):
            def __init__(self, file, block_size):
                taken.append(file)
                super().__init__(file, block_size)

        body = Client(app, "wsgi", extra={"wsgi.file_wrapper": Wrapper}).get(target(path, way)).body
        assert all(file.closed for file in taken)
        return body, bool(taken)

    def taken_over_asgi(self, path, way):
        kinds = []

        async def noting(scope, receive, send):
            async def note(message):
                kinds.append(message["type"])
                await send(message)

            await app(scope, receive, note)

        extensions = {"extensions": {"http.response.pathsend": {}}}
        body = Client(noting, "asgi", extra=extensions).get(target(path, way)).body
        return body, "http.response.pathsend" in kinds

    def taken_over_rsgi(self, path, way):
        called = []

        async def noting(scope, protocol):
            class Noting:
                def __getattr__(self, name):
                    called.append(name)
                    return getattr(protocol, name)

            await app.__rsgi__(scope, Noting())

        body = Client(noting, "rsgi").get(target(path, way)).body
        return body, bool({"response_file", "response_file_range"}.intersection(called))

    @rows(
        "interface, ways",
        [("wsgi", {"", "part", "grown"}), ("asgi", {""}), ("rsgi", {"", "part", "grown"})],
        ids=["wsgi", "asgi", "rsgi"],
    )
    @rows("way", ["", "part", "grown", "removed_after", "opened"])
    def test_is_done_where_it_is_safe(self, path, interface, ways, way):
        path.write_bytes(CONTENT)
        body, is_taken = getattr(self, f"taken_over_{interface}")(path, way)
        assert is_taken is (way in ways)
        assert body == (CONTENT[2:7] if way == "part" else CONTENT)

    def test_shows_no_descriptor_of_a_part(self, path):
        body = FileBody(str(path), 0, 10)
        with FilePart(body) as whole, FilePart(body.window(2, 5)) as part:
            assert os.fstat(whole.fileno()).st_size == 10
            with pytest.raises(io.UnsupportedOperation):
                part.fileno()

    @rows("offset, length", [(0, 10), (2, 5), (10, 0)])
    def test_shows_a_part_as_a_file_of_its_own(self, path, offset, length):
        expected = io.BytesIO(CONTENT[offset : offset + length])
        with FilePart(FileBody(str(path), offset, length)) as part:
            for move in ((0, os.SEEK_END), (0, os.SEEK_SET), (1, os.SEEK_CUR)):
                assert part.seek(*move) == expected.seek(*move)
                assert part.tell() == expected.tell()
                assert part.read(3) == expected.read(3)
                assert part.read() == expected.read()

    def test_tells_when_a_file_shrinks_that_the_server_has_the_descriptor_of(self, path):
        part = FilePart(FileBody(str(path), 0, 10))
        part.fileno()
        os.truncate(path, 5)
        with pytest.raises(EOFError):
            part.close()
        assert part.closed
        assert not is_open(path)


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def process(request):
    with ServerProcess(request.param.command, "tests.helpers.served.files:app") as process:
        yield process


@pytest.mark.processes
class TestOverSockets:
    def get(self, process, path, way="", method="GET"):
        return process.respond(SentRequest(method, target(path, way)))

    @rows("size", [0, 10, LARGE], ids=["empty", "small", "large"])
    def test_a_file_is_sent_whole(self, process, tmp_path, size):
        path = tmp_path / "file"
        large(path) if size == LARGE else path.write_bytes(CONTENT[:size])
        response = self.get(process, path)
        assert (response.status, response.whole, digest(response.body)) == (200, True, digest(path.read_bytes()))
        assert response.values("content-length") == [str(size)]
        eventually(lambda: None if is_open(path) else True, "the file is still open")

    def test_a_part_is_sent(self, process, path):
        response = self.get(process, path, "part")
        assert (response.status, response.body, response.values("content-length")) == (206, CONTENT[2:7], ["5"])

    def test_head_has_the_same_head(self, process, path):
        got, head = self.get(process, path), self.get(process, path, method="HEAD")
        assert head.end_to_end() == got.end_to_end()
        assert head.values("content-length") == ["10"]
        assert self.get(process, path, "gone", "HEAD").status == 200

    @rows("way", ["gone", "shrunk"])
    def test_a_file_that_is_not_what_it_was_is_never_a_whole_response(self, process, path, way):
        path.write_bytes(CONTENT)
        try:
            response = self.get(process, path, way)
        except Closed:
            return
        assert response.status == 500 or not response.whole

    def test_a_file_that_has_grown_is_sent_as_far_as_it_was_promised(self, process, path):
        assert self.get(process, path, "grown").body == CONTENT

    def test_a_file_that_is_removed_after_the_response_is_sent_before(self, process, path):
        assert self.get(process, path, "removed_after").body == CONTENT
        eventually(lambda: None if path.exists() else True, "the file is still there")

    def test_a_file_that_shrinks_while_it_is_sent_is_cut(self, process, tmp_path):
        path = large(tmp_path / "large", 2 * LARGE)
        with process.connect() as connection:
            connection.send(SentRequest("GET", target(path)).encoded * 2)
            eventually(lambda: is_open(path) or None, "the file is not open")
            os.truncate(path, LARGE // 2)
            response = connection.receive()
        assert (response.status, response.whole) == (200, False)
        assert b"HTTP/1.1" not in response.body
        assert self.get(process, path).whole

    def test_a_file_is_closed_when_the_client_goes(self, process, tmp_path):
        path = large(tmp_path / "large", 2 * LARGE)
        process.leave(SentRequest("GET", target(path)), bytes(8))
        eventually(lambda: None if is_open(path) else True, "the file is still open")

    def test_a_missing_file_is_not_found(self, process, tmp_path):
        response = self.get(process, tmp_path / "missing")
        assert (response.status, response.values("content-type")) == (404, ["application/problem+json"])


def test_a_part_is_read_whole_even_if_the_system_returns_it_in_pieces():
    there, here = os.pipe()
    try:
        os.write(here, b"012")
        wrote = threading.Timer(0.05, lambda: (os.write(here, b"345"), os.close(here)))
        wrote.start()
        assert read_part(there, 0, 5) == b"01234"
        with pytest.raises(EOFError):
            read_part(there, 0, 5)
        wrote.join()
    finally:
        os.close(there)


@rows(
    "number, error",
    [(errno.EACCES, Forbidden), (errno.EPERM, Forbidden), (errno.ENAMETOOLONG, NotFound), (errno.EIO, OSError)],
)
def test_an_error_of_the_file_system_is_that_of_the_path_or_raised_again(number, error, path, monkeypatch):

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", fail)
        with pytest.raises(error):
            Response.file(path)
