"""Uploads: files that a form brought, read, copied and kept."""

import asyncio
import csv
import gc
import hashlib
import io
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from contextvars import ContextVar
from pathlib import Path

import pytest

from antiphon.http.errors import InsufficientStorage
from antiphon.http.media_type import MediaType
from antiphon.uploads.spool import Window
from antiphon.uploads.temporary_file import UnnamedFile
from antiphon.uploads.upload import Upload
from tests.helpers.rows import rows
from tests.helpers.small_disks import ROOM, small_files
from tests.helpers.waiting import at_once
from tests.uploads.spools import CONTENT, Head, descriptors, in_file, in_memory, upload

pytestmark = pytest.mark.axes("make")

FIELDS = (
    (b"content-disposition", b'form-data; name="field"; filename="photo.png"'),
    (b"content-type", b"Image/PNG; q=1"),
    (b"x-note", b"caf\xe9"),
    (b"x-bad", b"a\x01b"),
)


class TestWhatTheClientSaid:
    def test_is_there_as_it_was_said(self):
        file, _ = upload(filename="../../C:\\x\r\n.png")
        assert file.name == file.safe_filename
        assert (file.field_name, file.filename, file.size) == ("field", "../../C:\\x\r\n.png", len(CONTENT))

    def test_gives_a_name_that_is_safe(self):
        file, _ = upload(filename="../../C:\\x\r\n.png")
        assert file.safe_filename == "x .png"
        assert upload(filename="")[0].safe_filename == "upload"

    def test_is_in_the_headers_without_what_is_malformed(self):
        file, _ = upload(head=Head("Image/PNG; q=1", FIELDS))
        assert file.headers.items() == [
            ("content-disposition", 'form-data; name="field"; filename="photo.png"'),
            ("content-type", "Image/PNG; q=1"),
            ("x-note", "caf\xe9"),
        ]

    @rows(
        "sent, content_type, mimetype",
        ("Image/PNG", MediaType("image", "png"), "image/png"),
        ("text/plain; charset=UTF-8", MediaType("text", "plain", {"charset": "utf-8"}), "text/plain"),
        (None, None, ""),
        ("", None, ""),
        ("png", None, ""),
    )
    def test_is_the_type_if_it_is_one(self, sent, content_type, mimetype):
        file, _ = upload(head=Head(sent))
        assert (file.content_type, file.mimetype) == (content_type, mimetype)

    @rows(
        "filename, content, is_chosen",
        [("a.txt", b"x", True), ("a.txt", b"", True), ("", b"x", True), ("", b"", False)],
    )
    def test_tells_an_empty_file_from_none(self, filename, content, is_chosen):
        assert bool(upload(content, filename=filename)[0]) is is_chosen

    def test_shows_in_its_representation(self):
        assert repr(upload(b"abc")[0]) == "<Upload field_name='field' filename='photo.png' size=3>"


class TestReading:
    def test_goes_on_at_the_end_when_all_was_read_at_once(self, make):
        file, _ = upload(make=make)
        file.read()
        assert (file.read(), file.tell()) == (b"", len(CONTENT))

    @rows("size", [-1, None])
    def test_gives_the_rest_by_any_way_to_say_that(self, make, size):
        file, _ = upload(make=make)
        assert file.read(10) + file.read(size) == CONTENT
        file.seek(0)
        assert file.read(size) == CONTENT

    def test_of_less_than_nothing_is_an_error_as_with_files(self, make):
        with pytest.raises(ValueError, match="-1"):
            upload(make=make)[0].read(-7)

    def test_goes_by_chunks(self, make):
        file, _ = upload(make=make)
        file.read(100)
        assert [len(chunk) for chunk in file.chunks(100_000)] == [100_000, 100_000, 99_900]
        file.seek(0)
        assert b"".join(file.chunks()) == CONTENT

    def test_opens_windows_with_positions_of_their_own(self, make):
        file, _ = upload(make=make)
        file.read(100)
        first, second = file.open(), file.open()
        assert isinstance(first, Window)
        assert (first.read(10), second.read(5), file.read(5)) == (CONTENT[:10], CONTENT[:5], CONTENT[100:105])

    def test_works_for_who_wants_a_file(self, make):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            written.writestr("a.bin", CONTENT)
        file, _ = upload(archive.getvalue(), make=make)
        assert zipfile.ZipFile(file).read("a.bin") == CONTENT
        copied = io.BytesIO()
        file.seek(0)
        shutil.copyfileobj(file, copied)
        assert copied.getvalue() == archive.getvalue()
        file.seek(0)
        assert hashlib.file_digest(file, "md5").digest() == hashlib.md5(archive.getvalue()).digest()

    @rows("use", [lambda file: file.write(b"new"), lambda file: file.truncate(), lambda file: file.fileno()])
    def test_refuses_what_is_for_files_that_change_or_stand_alone(self, make, use):
        file, _ = upload(make=make)
        assert not file.isatty()
        for readable in (file, file.open()):
            with pytest.raises(io.UnsupportedOperation):
                use(readable)
        assert file.read() == CONTENT

    @rows("opened", [lambda file: file, Upload.open], ids=["itself", "a window"])
    def test_as_text_does_not_close_it(self, make, opened):
        file, _ = upload("name,town\nZoë,Åbo\n".encode(), make=make)
        with io.TextIOWrapper(opened(file), encoding="utf-8", newline="") as text:
            assert list(csv.reader(text)) == [["name", "town"], ["Zoë", "Åbo"]]
        file.seek(0)
        assert file.read(4) == b"name"
        assert not file.closed


class TestAfterTheRequest:
    @rows(
        "use",
        Upload.read,
        lambda file: file.read(5),
        lambda file: file.read1(5),
        lambda file: file.readinto(bytearray(5)),
        Upload.readline,
        list,
        lambda file: list(file.chunks()),
        lambda file: file.seek(0),
        Upload.tell,
        Upload.digest,
        Upload.detach,
        lambda file: file.open().read(),
        lambda file: file.save("/nowhere/at/all"),
        lambda file: asyncio.run(file.aread()),
        lambda file: asyncio.run(file.asave("/nowhere/at/all")),
        lambda file: asyncio.run(file.adigest()),
    )
    @rows("was_read", [False, True])
    def test_an_error_says_what_to_do(self, make, use, was_read):
        file, spool = upload(make=make)
        if was_read:
            file.read(1)
        spool.close()
        assert file.closed
        with pytest.raises(ValueError, match=r"detach\(\)"):
            use(file)


class TestDetaching:
    def test_keeps_it(self, make, tmp_path):
        file, spool = upload(make=make, head=Head("image/png", FIELDS))
        file.read(100)
        kept = file.detach()
        spool.close()
        assert kept.read() == CONTENT
        assert kept.digest() == hashlib.sha256(CONTENT).hexdigest()
        assert kept.save(tmp_path / "x").read_bytes() == CONTENT
        assert (kept.field_name, kept.filename, kept.mimetype) == ("field", "photo.png", "image/png")
        assert kept.size == len(CONTENT)
        assert kept.headers == file.headers

    def test_can_be_repeated(self, make):
        file, spool = upload(make=make)
        first = file.detach()
        second = first.detach()
        spool.close()
        first.close()
        assert second.read() == CONTENT

    def test_ends_when_it_is_closed(self, make):
        file, spool = upload(make=make)
        with file.detach() as kept:
            spool.close()
            assert kept.read(1) == CONTENT[:1]
        assert kept.closed
        with pytest.raises(ValueError, match="freed"):
            kept.read()

    def test_leaves_the_other_as_it_is(self, make):
        file, _ = upload(make=make)
        file.detach().close()
        assert file.read() == CONTENT

    def test_is_not_undone_by_closing_the_other(self, make):
        file, spool = upload(make=make)
        file.close()
        assert file.read(5) == CONTENT[:5]
        kept = file.detach()
        file.close()
        spool.close()
        assert kept.read(5) == CONTENT[:5]

    @rows("end", [Upload.close, lambda kept: None], ids=["closed", "forgotten"])
    def test_frees_the_file_at_the_end(self, end):
        before = descriptors()
        file, spool = upload(make=in_file)
        kept = file.detach()
        kept.readline()
        spool.close()
        assert descriptors() == before + 1
        end(kept)
        del kept
        assert descriptors() == before

    def test_keeps_only_its_own_bytes_of_what_is_in_memory(self):
        tracemalloc.start()
        try:
            spool = in_memory(bytes(8 << 20))
            kept = Upload(spool, 10, 1000, Head(), name="", filename="a").detach()
            spool.close()
            taken, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept.read() == bytes(1000)
        assert taken < 10_000


class TestTheDigest:
    @rows("algorithm", ["rot13", "shake_128", "shake_256"])
    def test_wants_an_algorithm_that_there_is_and_that_says_how_long_a_hash_is(self, algorithm):
        with pytest.raises(ValueError, match=algorithm):
            upload()[0].digest(algorithm)


class TestSaving:
    def test_into_a_folder_takes_the_safe_name(self, make, tmp_path):
        (tmp_path / "in").mkdir()
        file, _ = upload(make=make, filename="../../etc/pass\u202ewd")
        assert file.save(tmp_path / "in") == tmp_path / "in" / "passwd"
        assert os.listdir(tmp_path) == ["in"]
        assert (tmp_path / "in" / "passwd").read_bytes() == CONTENT

    def test_into_a_folder_does_not_follow_a_link_out_of_it(self, tmp_path):
        (tmp_path / "secret").write_bytes(b"secret")
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "photo.png").symlink_to("../secret")
        file, _ = upload()
        with pytest.raises(FileExistsError):
            file.save(tmp_path / "in")
        file.save(tmp_path / "in", overwrite=True)
        assert (tmp_path / "secret").read_bytes() == b"secret"
        assert (tmp_path / "in" / "photo.png").read_bytes() == CONTENT

    @rows("path", ["x.png", "folder/x.png", ".", ""])
    def test_wants_an_absolute_path(self, path):
        with pytest.raises(ValueError, match="is a relative path, and it is not clear what it is relative to"):
            upload()[0].save(path)

    def test_overwrites_only_if_told_to(self, tmp_path):
        (tmp_path / "x").write_bytes(b"before")
        file, _ = upload()
        with pytest.raises(FileExistsError):
            file.save(tmp_path / "x")
        assert (tmp_path / "x").read_bytes() == b"before"
        file.save(tmp_path / "x", overwrite=True)
        assert (tmp_path / "x").read_bytes() == CONTENT

    def test_to_one_path_succeeds_once(self, make, tmp_path):
        barrier = threading.Barrier(4)
        files = [upload(bytes([number]) * 100_000, make=make)[0] for number in range(4)]
        saved, refused = [], []

        def work(number):
            barrier.wait()
            try:
                saved.append((number, files[number].save(tmp_path / "x")))
            except FileExistsError:
                refused.append(number)

        at_once(work, range(4))
        ((winner, path),) = saved
        assert len(refused) == 3
        assert path.read_bytes() == bytes([winner]) * 100_000
        assert os.listdir(tmp_path) == ["x"]

    @pytest.mark.processes
    def test_on_a_full_disk_is_a_507_and_leaves_nothing(self, make, small_disk):
        file, _ = upload(bytes(2 * ROOM), make=make)
        before = descriptors()
        with pytest.raises(InsufficientStorage):
            file.save(small_disk / "x")
        assert (os.listdir(small_disk), descriptors()) == ([], before)
        assert file.read(3) == bytes(3)

    def test_where_files_must_be_small_is_a_507(self, tmp_path):
        file, _ = upload(bytes(2 * ROOM), make=in_file)
        with small_files(), pytest.raises(InsufficientStorage):
            file.save(tmp_path / "x")
        assert os.listdir(tmp_path) == []

    def test_goes_on_when_the_request_ends_meanwhile(self, tmp_path, monkeypatch):
        content = bytes(1 << 20)
        file, spool = upload(content, make=in_file)
        copy_to = UnnamedFile.copy_to

        def end_and_copy(*arguments):
            thread = threading.Thread(target=spool.close)
            thread.start()
            thread.join()
            copy_to(*arguments)

        monkeypatch.setattr(UnnamedFile, "copy_to", end_and_copy)
        file.save(tmp_path / "x")
        assert spool.is_closed
        assert (tmp_path / "x").stat().st_size == len(content)


variable = ContextVar("variable", default="unset")


class TestOnAnEventLoop:
    def test_reads(self, make):
        file, _ = upload(make=make)

        async def main():
            first = await file.aread(10)
            return first, await file.aread(), await file.aread()

        assert asyncio.run(main()) == (CONTENT[:10], CONTENT[10:], b"")

    def test_reads_a_file_on_a_thread(self, make):
        loops = []

        class Watched(Upload):
            def read(self, size=-1, /):
                loops.append(asyncio._get_running_loop() is not None)
                return super().read(size)

        spool = make()
        asyncio.run(Watched(spool, 0, 10, Head(), name="", filename="").aread())
        assert loops == [spool.in_memory]

    def test_makes_the_digest_of_a_file_on_a_thread(self, make):
        loops = []

        class Watched(Upload):
            def digest(self, algorithm="sha256"):
                loops.append(asyncio._get_running_loop() is not None)
                return super().digest(algorithm)

        spool = make()
        file = Watched(spool, 0, len(CONTENT), Head(), name="", filename="")
        assert asyncio.run(file.adigest("sha512")) == hashlib.sha512(CONTENT).hexdigest()
        assert loops == [spool.in_memory]

    def test_saves_on_a_thread(self, make, tmp_path):
        loops = []

        class Watched(Upload):
            def save(self, path, *, overwrite=False):
                loops.append((asyncio._get_running_loop(), variable.get()))
                return super().save(path, overwrite=overwrite)

        async def main():
            variable.set("set")
            file = Watched(make(), 0, len(CONTENT), Head(), name="", filename="photo.png")
            with pytest.raises(ValueError, match="relative"):
                await file.asave("x")
            saved = await file.asave(tmp_path)
            with pytest.raises(FileExistsError):
                await file.asave(tmp_path)
            return saved, await file.asave(tmp_path, overwrite=True)

        assert asyncio.run(main()) == (tmp_path / "photo.png", tmp_path / "photo.png")
        assert (tmp_path / "photo.png").read_bytes() == CONTENT
        assert loops == [(None, "set")] * 4

    def test_a_copy_that_has_begun_is_completed(self, tmp_path):
        began, goes_on = threading.Event(), threading.Event()

        class Slow(Upload):
            def save(self, path, *, overwrite=False):
                began.set()
                goes_on.wait(10)
                return super().save(path, overwrite=overwrite)

        async def save(file):
            saved.append(await file.asave(tmp_path / "x"))
            await asyncio.sleep(0)
            saved.append("not cancelled")

        async def main():
            task = asyncio.create_task(save(Slow(in_file(), 0, len(CONTENT), Head(), name="", filename="")))
            while not began.is_set():
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.sleep(0)
            goes_on.set()
            await task

        saved = []
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(main())
        assert saved == [tmp_path / "x"]
        assert (tmp_path / "x").read_bytes() == CONTENT


def test_nothing_is_left_open(make, tmp_path):
    gc.collect()  # what other tests left open is not counted
    before = descriptors()
    for number in range(20):
        file, spool = upload(make=make)
        file.save(tmp_path / str(number))
        file.digest()
        list(file.chunks())
        file.open().readline()
        file.detach()
        spool.close()
    assert descriptors() <= before


@pytest.mark.processes
def test_importing_it_loads_nothing_heavy():
    heavy = ["asyncio", "logging", "tempfile", "hashlib", "pathlib", "email", "inspect", "dataclasses", "unicodedata"]
    code = f"import sys, antiphon.uploads.upload; print([name for name in {heavy!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True,
                            env={"PYTHONPATH": str(Path(sys.modules["antiphon"].__file__).parents[1])})  # fmt: skip
    assert loaded.stdout == "[]\n"
