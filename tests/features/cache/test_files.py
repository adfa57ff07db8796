"""Large bodies and streams, which are kept in files: whole or not at all."""

import asyncio
import os
import time
from contextlib import suppress

import pytest

from antiphon import App, Response
from antiphon.features import Cache, MemoryStore, Sessions, SQLiteStore
from antiphon.features.cache import files
from antiphon.testing import BrokenResponse, Client
from tests.adapters.conftest import environ, scope
from tests.features.cache.conftest import Site
from tests.helpers.rows import rows
from tests.helpers.small_disks import small_files
from tests.helpers.waiting import DEADLINE, PAUSE, eventually

pytestmark = pytest.mark.axes("interface")
TEXT = "".join(f"{number:07}\n" for number in range(1000))
CHUNKS = [TEXT[at : at + 1000] for at in range(0, len(TEXT), 1000)]
OLD = time.time() - 3600


async def aiterate(chunks):
    for chunk in chunks:
        yield chunk


BODIES = {"text": lambda: TEXT, "a stream": lambda: iter(CHUNKS), "an async stream": lambda: aiterate(CHUNKS)}


class Large(Site):
    """A site whose bodies are large, with its files in a folder."""

    def __init__(self, interface, tmp_path, make, **options):
        self.folder = tmp_path / "cache.db-files"
        store = SQLiteStore(tmp_path / "cache.db", clock=lambda: self.clock())  # noqa: PLW0108 - made below
        super().__init__(interface, store=store, max_body=1000, **options)
        self.fields = {"cache-control": "public, max-age=60", "etag": '"1"'}
        self.make = make
        self.answer = lambda request: Response(self.make(), headers=self.fields)

    @property
    def files(self):
        """The files that are whole, the others, and their sizes."""
        return {file: file.stat().st_size for file in self.folder.glob("*")}

    def fill(self, path="/"):
        """Ask for a page, until its file is there."""
        before = {*self.files}
        answer = self.get(path)
        (new,) = eventually(lambda: {file for file in self.files if not file.suffix} - before or None, "no file")
        eventually(
            lambda: self.client.head(path).headers["cache-status"].startswith("Antiphon;hit") or None, "no entry"
        )
        return answer, new


@pytest.fixture(params=BODIES.values(), ids=BODIES)
def site(interface, tmp_path, request):
    return Large(interface, tmp_path, request.param)


@pytest.fixture
def streaming(interface, tmp_path):
    return Large(interface, tmp_path, BODIES["a stream"])


def test_a_large_body_is_made_once(site):
    first, file = site.fill()
    second = site.get()
    assert first.text == second.text == TEXT
    assert second.headers["content-length"] == str(len(TEXT))
    assert second.headers["cache-status"].startswith("Antiphon;hit")
    assert (site.calls, file.stat().st_size, file.stat().st_mode & 0o777) == (1, len(TEXT), 0o600)


def test_only_a_body_of_more_than_max_body_has_a_file(interface, tmp_path):
    site = Large(interface, tmp_path, lambda: TEXT[:1000])
    assert [site.get().headers["cache-status"].partition(";")[2][:3] for _ in range(2)] == ["fwd", "hit"]
    assert not site.files
    site.make = lambda: TEXT[:1001]
    assert site.fill("/other")[1].stat().st_size == 1001


def test_conditions_parts_and_heads_are_answered_from_the_file(site):
    site.fill()
    assert site.get(if_none_match='"1"').status == 304
    assert site.get(if_match='"2"').status == 412
    part = site.get(range="bytes=8-15")
    assert (part.status, part.text, part.headers["content-range"]) == (206, "0000001\n", f"bytes 8-15/{len(TEXT)}")
    assert site.get(range="bytes=-8").text == "0000999\n"
    assert site.get(range="bytes=0-7,16-23").text == TEXT
    assert site.get(range=f"bytes={len(TEXT)}-").status == 416
    head = site.client.head("/")
    assert (head.headers["content-length"], head.text) == (str(len(TEXT)), "")
    assert site.calls == 1


def test_a_store_in_memory_has_a_folder_of_its_own(interface):
    store = MemoryStore()
    app = App()
    app.use(Cache(store))
    app.get("/")(lambda request: Response(iter(CHUNKS), headers={"cache-control": "max-age=60"}))
    client = Client(app, interface)
    client.get("/")
    eventually(lambda: "hit" in client.get("/").headers["cache-status"] or None, "never stored")
    assert client.get("/").text == TEXT
    assert store.files_folder(make=False).stat().st_mode & 0o777 == 0o700


def test_the_folder_of_a_store_in_memory_goes_with_it():
    store = MemoryStore()
    folder = store.files_folder(make=True)
    (folder / "body").write_text("text")
    del store
    assert not folder.exists()


def failing():
    yield TEXT
    raise RuntimeError("the rest is not there")


@rows(
    "make, fields",
    (failing, {}),
    (lambda: iter(CHUNKS[:-1]), {"content-length": str(len(TEXT))}),
    (lambda: iter(CHUNKS * 3), {}),
    (lambda: iter(CHUNKS), {"set-cookie": "a=b"}),
    (lambda: iter(CHUNKS), {"cache-control": "no-store"}),
    ids=["fails", "is too short", "is too large", "is for one visitor", "may not be stored"],
)
def test_no_file_is_kept_of_a_stream_that(interface, tmp_path, make, fields):
    site = Large(interface, tmp_path, make, max_file_bytes=len(TEXT) * 5)
    site.fields |= fields
    for _ in range(2):
        with suppress(Exception):  # as a server breaks the connection off
            site.get()
    assert (site.calls, site.files) == (2, {})


def test_no_file_is_kept_when_the_client_leaves(tmp_path):
    site = Large("wsgi", tmp_path, BODIES["a stream"])
    body = site.app(environ(HTTP_HOST="testserver"), lambda status, fields: None)
    next(iter(body))
    body.close()
    assert site.files == {}
    assert site.get().text == TEXT


@pytest.mark.parametrize("when", ["once", "twice", "as it ends"])
def test_no_file_is_kept_of_a_stream_that_is_cancelled(tmp_path, when):
    async def chunks():
        yield TEXT * 40
        started.append(asyncio.current_task())
        try:
            await asyncio.sleep(DEADLINE)
        finally:
            if when == "as it ends":
                asyncio.current_task().cancel()

    async def cancel():
        async def send(_):
            pass

        tasks = [asyncio.create_task(site.app(scope(path=f"/{number}"), None, send)) for number in range(20)]
        while len(started) < len(tasks):
            await asyncio.sleep(PAUSE)
        for _ in range(2 if when == "twice" else 1):
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
        await asyncio.wait(tasks)
        return [*site.files]

    started, site = [], Large("asgi", tmp_path, chunks)
    assert asyncio.run(cancel()) == []


class Wrapper:
    """What a server sends by the system: ``wsgi.file_wrapper``."""

    def __init__(self, file, size=0):
        self.file = file

    def __iter__(self):
        return iter([self.file.read()])

    def close(self):
        self.file.close()


def test_a_server_sends_the_file_itself(tmp_path):
    site = Large("wsgi", tmp_path, BODIES["text"])
    site.fill()
    gunicorn = {"SERVER_SOFTWARE": "gunicorn/23", "REQUEST_URI": "/", "wsgi.file_wrapper": Wrapper}
    body = site.app(environ(HTTP_HOST="testserver", **gunicorn), lambda status, fields: None)
    assert b"".join(body) == TEXT.encode()
    body.close()
    assert (site.calls, type(body)) == (1, Wrapper)


@pytest.mark.parametrize("change", [lambda file: file.unlink(), lambda file: file.write_text("x")], ids=["gone", "cut"])
def test_a_file_that_is_not_as_it_was_written_is_a_miss(streaming, change):
    _, file = streaming.fill()
    change(file)
    assert streaming.get().text == TEXT
    assert streaming.calls == 2
    eventually(lambda: "hit" in streaming.get().headers["cache-status"] or None, "never stored again")


@rows("is_async", [False, True], ids=["def", "async def"])
@rows("in_memory", [False, True], ids=["SQLite", "memory"])
def test_a_file_that_goes_while_it_is_validated_is_made_anew(interface, tmp_path, is_async, in_memory):
    site = Large(interface, tmp_path, BODIES["text"])
    store = MemoryStore(clock=site.clock) if in_memory else SQLiteStore(tmp_path / "other.db", clock=site.clock)
    site.cache = Cache(store, max_body=1000)
    asked = []

    def page(request):
        asked.append(request.headers.get("if-none-match"))
        if asked[-1]:
            for file in site.cache._files.folder().glob("*"):
                file.unlink()
            return Response(None, 304, headers=site.fields)
        return Response(TEXT, headers=site.fields)

    loops = set()

    async def apage(request):
        loops.add(asyncio.get_running_loop())
        return page(request)

    app = App()
    app.use(site.cache)
    app.get("/")(apage if is_async else page)
    client = Client(app, interface, raise_errors=False)
    client.get("/")
    eventually(lambda: client.get("/").headers["cache-status"].startswith("Antiphon;hit") or None, "no entry")
    site.clock.now += 61
    asked.clear()  # the page was made more than once if its entry was written late
    answer = client.get("/")
    assert (answer.status, answer.text, asked) == (200, TEXT, ['"1"', None])
    assert len(loops) == is_async
    eventually(lambda: client.get("/").headers["cache-status"].startswith("Antiphon;hit") or None, "not stored again")


def test_what_was_not_used_for_the_longest_time_goes_first(interface, tmp_path):
    site = Large(interface, tmp_path, BODIES["a stream"], max_file_bytes=len(TEXT) * 4)
    bodies = [site.fill(f"/{number}")[1] for number in range(4)]
    for file in bodies:
        os.utime(file, (OLD, OLD))
    assert "hit" in site.get("/0").headers["cache-status"]
    site.fill("/4")
    assert [file.exists() for file in bodies].count(False) == 1
    assert bodies[0].exists()
    assert sum(site.files.values()) == len(TEXT) * 4


def test_a_file_that_may_be_on_its_way_is_not_removed(interface, tmp_path):
    site = Large(interface, tmp_path, BODIES["a stream"], max_file_bytes=len(TEXT) * 4)
    bodies = {site.fill(f"/{number}")[1] for number in range(4)}
    assert site.get("/4").text == TEXT
    assert {*site.files} == bodies


FORGET = {
    "its path": lambda site: site.cache.purge("/a"),
    "its tag": lambda site: site.cache.purge(tag="lamp"),
    "a write": lambda site: site.client.post("/a"),
}


@pytest.mark.parametrize("forget", FORGET.values(), ids=FORGET)
def test_what_is_forgotten_leaves_no_file(streaming, forget, monkeypatch):
    streaming.fields["cache-tag"] = "lamp"
    streaming.fill("/a")
    monkeypatch.setattr(files, "IN_USE", 0.0)
    forget(streaming)
    assert streaming.files == {}
    assert streaming.get("/a").text == TEXT
    assert streaming.calls == 2


@pytest.mark.parametrize("make", BODIES.values(), ids=BODIES)
def test_a_full_disk_keeps_nothing_and_loses_nothing(interface, tmp_path, make):
    site = Large(interface, tmp_path, make)
    site.fill()
    with small_files(len(TEXT) // 2):
        answers = [site.get("/full").text for _ in range(2)]
    assert answers == [TEXT, TEXT]
    assert len(site.files) == 1


LATE = {
    "a cookie": lambda request: request.cookies.get("name"),
    "the address": lambda request: request.head.client,
    "the session": lambda request: request.session.get("name"),
    "the language": lambda request: request.headers.get("accept-language"),
}


@rows("read", LATE.values(), ids=LATE)
@rows("is_async", [False, True])
def test_what_a_stream_reads_late_keeps_it_from_others(interface, read, is_async):
    app = App()
    store = MemoryStore()
    app.use(Sessions(store))
    app.use(Cache(store))
    calls = []

    @app.get("/")
    def page(request):
        def chunks():
            yield "start "
            yield str(read(request))

        async def achunks():
            for chunk in chunks():
                yield chunk

        calls.append(1)
        response = Response(achunks() if is_async else chunks())
        response.cache_for(60, public=True)
        return response

    client = Client(app, interface)
    for number in range(3):
        with suppress(BrokenResponse, RuntimeError):
            client.get("/", headers={"cookie": f"name={number}", "accept-language": f"{number}"})
    assert len(calls) == 3
    assert [file.name for file in store.files_folder(make=True).iterdir()] == ["lock"]


def test_a_file_that_may_be_on_its_way_is_removed_later(streaming, monkeypatch):
    _, file = streaming.fill("/a")
    streaming.cache.purge("/a")
    assert file.exists()
    monkeypatch.setattr(files, "IN_USE", 0.0)
    assert streaming.get("/b").text == TEXT
    assert not file.exists()


def test_others_are_not_held_up_by_a_stream(tmp_path):
    site = Large("wsgi", tmp_path, BODIES["a stream"])
    slow = site.app(environ(HTTP_HOST="testserver"), lambda status, fields: None)
    chunks = iter(slow)
    next(chunks)
    assert b"".join(site.app(environ(HTTP_HOST="testserver"), lambda status, fields: None)) == TEXT.encode()
    assert [*site.files] == []
    assert len([*chunks]) == len(CHUNKS) - 1
    slow.close()
    assert len(site.files) == 1


@pytest.mark.parametrize("is_async", [False, True], ids=["iterator", "async iterator"])
def test_a_stream_that_lasts_is_kept_by_one_process(interface, tmp_path, is_async):
    other = Large(interface, tmp_path, BODIES["a stream"], lease=30)
    meanwhile = []

    def ask_another_process():
        meanwhile.append((other.get().text, [file for file in other.files if not file.suffix]))

    def chunks():
        for chunk in CHUNKS:
            site.clock.now += 20
            other.clock.now = site.clock.now
            yield chunk
        ask_another_process()

    async def achunks():
        for chunk in CHUNKS:
            site.clock.now += 20
            other.clock.now = site.clock.now
            yield chunk
        await asyncio.to_thread(ask_another_process)

    site = Large(interface, tmp_path, achunks if is_async else chunks, lease=30)
    other.clock.now = site.clock.now
    site.fill()
    assert meanwhile == [(TEXT, [])]
    assert len(site.files) == 1


@rows("body", ["a stream", "an async stream"])
def test_a_client_that_leaves_keeps_the_next_one_from_nothing(tmp_path, body):
    (folder := tmp_path / body).mkdir()
    site = Large("wsgi", folder, BODIES[body])
    left = site.app(environ(HTTP_HOST="testserver"), lambda status, fields: None)
    next(iter(left))
    left.close()
    whole = site.app(environ(HTTP_HOST="testserver"), lambda status, fields: None)
    assert b"".join(whole) == TEXT.encode()
    whole.close()
    assert len(site.files) == 1
