"""Files that are at their path when they are complete, and never before."""

import errno
import os
import signal
import stat
import threading

import pytest

from antiphon.http.errors import InsufficientStorage
from antiphon.uploads import temporary_file
from antiphon.uploads.temporary_file import give_name, save
from tests.helpers.rows import rows
from tests.helpers.small_disks import ROOM, small_files
from tests.helpers.waiting import at_once
from tests.uploads.spools import CONTENT, descriptors

pytestmark = pytest.mark.once


def writes(content=CONTENT):
    return lambda descriptor: os.write(descriptor, content)


class Broken(Exception):
    pass


def breaks(descriptor):
    os.write(descriptor, CONTENT)
    raise Broken


@rows("mask", [0o022, 0o077, 0o000])
def test_a_file_has_the_permissions_that_open_gives(tmp_path, mask):
    before = os.umask(mask)
    try:
        save(f"{tmp_path}/x", writes())
        (tmp_path / "opened").write_bytes(b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == stat.S_IMODE((tmp_path / "opened").stat().st_mode)


def test_nothing_is_at_the_path_before_it_is_complete(tmp_path, seen):
    def looks(descriptor):
        os.write(descriptor, CONTENT)
        seen.extend(name for name in os.listdir(tmp_path) if name[0] != ".")

    save(f"{tmp_path}/x", looks)
    assert seen == []


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="the system has no unnamed files")
def test_nothing_is_left_by_a_process_that_is_killed(tmp_path):
    if (pid := os.fork()) == 0:
        save(f"{tmp_path}/x", lambda descriptor: os.write(descriptor, CONTENT) and os.kill(os.getpid(), signal.SIGKILL))
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert os.listdir(tmp_path) == []


@rows("lacking", [("_UNNAMED", 0), ("_DESCRIPTORS", "/missing"), ("_DESCRIPTORS", "/proc/self/task")])
def test_a_system_without_unnamed_files_or_links_saves_with_a_hidden_name(tmp_path, monkeypatch, lacking):
    """There is no link to what is below the last folder."""
    monkeypatch.setattr(temporary_file, *lacking)
    save(f"{tmp_path}/x", writes())
    with pytest.raises(Broken):
        save(f"{tmp_path}/y", breaks)
    assert (os.listdir(tmp_path), (tmp_path / "x").read_bytes()) == (["x"], CONTENT)


class TestWhatIsThere:
    @pytest.fixture(params=["file", "folder", "link", "link to nothing"])
    def path(self, request, tmp_path):
        path = tmp_path / "x"
        (tmp_path / "other").write_bytes(b"other")
        match request.param:
            case "file":
                path.write_bytes(b"before")
            case "folder":
                path.mkdir()
            case "link":
                path.symlink_to("other")
            case _:
                path.symlink_to("missing")
        return path

    def test_stays(self, path):
        before = os.lstat(path)
        with pytest.raises(FileExistsError) as raised:
            save(os.fspath(path), writes())
        assert raised.value.filename == os.fspath(path)
        assert os.lstat(path) == before
        assert sorted(os.listdir(path.parent)) == ["other", "x"]

    def test_stays_even_if_it_came_meanwhile(self, tmp_path):
        path = tmp_path / "x"

        def is_overtaken(descriptor):
            os.write(descriptor, CONTENT)
            path.write_bytes(b"earlier")

        with pytest.raises(FileExistsError) as raised:
            save(os.fspath(path), is_overtaken)
        assert raised.value.filename == os.fspath(path)
        assert path.read_bytes() == b"earlier"
        assert os.listdir(tmp_path) == ["x"]

    def test_is_replaced_if_it_may_be(self, path):
        if path.is_dir():
            with pytest.raises(IsADirectoryError):
                save(os.fspath(path), writes(), overwrite=True)
            assert path.is_dir()
        else:
            save(os.fspath(path), writes(), overwrite=True)
            assert path.read_bytes() == CONTENT
            assert not path.is_symlink()
        assert (path.parent / "other").read_bytes() == b"other"
        assert sorted(os.listdir(path.parent)) == ["other", "x"]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
    def test_is_not_replaced_where_it_is_no_file(self, tmp_path):
        path = tmp_path / "x"
        os.mkfifo(path)
        written = []
        with pytest.raises(FileExistsError, match="only files and links can be overwritten") as raised:
            save(os.fspath(path), written.append, overwrite=True)
        assert raised.value.filename == os.fspath(path)
        assert path.is_fifo()
        assert written == []
        assert os.listdir(tmp_path) == ["x"]

    def test_stays_when_what_would_replace_it_fails(self, tmp_path):
        (tmp_path / "x").write_bytes(b"before")
        with pytest.raises(Broken):
            save(f"{tmp_path}/x", breaks, overwrite=True)
        assert (tmp_path / "x").read_bytes() == b"before"
        assert os.listdir(tmp_path) == ["x"]


class TestFailures:
    def test_leave_nothing(self, tmp_path):
        before = descriptors()
        with pytest.raises(Broken):
            save(f"{tmp_path}/x", breaks)
        assert (os.listdir(tmp_path), descriptors()) == ([], before)

    @pytest.mark.processes
    def test_of_a_full_disk_are_a_507(self, small_disk):
        with pytest.raises(InsufficientStorage) as raised:
            save(f"{small_disk}/x", lambda descriptor: [os.write(descriptor, CONTENT) for _ in range(8)])
        assert raised.value.__cause__.errno == errno.ENOSPC
        assert os.listdir(small_disk) == []

    def test_of_files_that_must_be_small_are_a_507(self, tmp_path):
        with small_files(), pytest.raises(InsufficientStorage):
            save(f"{tmp_path}/x", lambda descriptor: [os.write(descriptor, bytes(ROOM)) for _ in range(2)])
        assert os.listdir(tmp_path) == []

    @rows("path", ["missing/x", "missing/", "a/x"])
    def test_of_the_folder_are_told(self, tmp_path, path):
        (tmp_path / "a").write_bytes(b"no folder")
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            save(f"{tmp_path}/{path}", writes())
        assert os.listdir(tmp_path) == ["a"]


@pytest.fixture(params=[os.link, None, "refused"], ids=["links", "no links in Python", "no links on the disk"])
def link(request):
    def refused(source, target):
        raise PermissionError(errno.EPERM, "this file system has no links")

    return refused if request.param == "refused" else request.param


class TestNames:
    def test_are_given_once(self, tmp_path, link):
        (tmp_path / "first").write_bytes(b"first")
        (tmp_path / "second").write_bytes(b"second")
        give_name(f"{tmp_path}/first", f"{tmp_path}/x", link)
        with pytest.raises(FileExistsError) as raised:
            give_name(f"{tmp_path}/second", f"{tmp_path}/x", link)
        assert raised.value.filename == f"{tmp_path}/x"
        assert (tmp_path / "x").read_bytes() == b"first"
        assert sorted(os.listdir(tmp_path)) == ["second", "x"]

    def test_are_not_kept_by_what_fails(self, tmp_path, link):
        with pytest.raises(FileNotFoundError):
            give_name(f"{tmp_path}/missing", f"{tmp_path}/x", link)
        assert os.listdir(tmp_path) == []

    def test_go_to_one_of_many(self, tmp_path, link):
        barrier = threading.Barrier(8)
        won = []

        def work(number):
            (tmp_path / f".{number}").write_bytes(b"%d" % number)
            barrier.wait()
            try:
                give_name(f"{tmp_path}/.{number}", f"{tmp_path}/x", link)
            except FileExistsError:
                return
            won.append(number)

        at_once(work, range(8))
        (winner,) = won
        assert (tmp_path / "x").read_bytes() == b"%d" % winner
