"""Bytes that go to a descriptor: all of them, however often that takes, by the kernel or by hand."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading

import pytest

import antiphon
from antiphon.uploads.temporary_file import (
    IN_KERNEL,
    _by_copy_file_range,
    _by_sendfile,
    copy,
    read_all,
    read_into,
    write_all,
)
from tests.helpers.rows import rows
from tests.uploads.spools import CONTENT

pytestmark = pytest.mark.once


@pytest.fixture
def source():
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT)
        file.flush()
        yield file.fileno()


@pytest.fixture
def target():
    with tempfile.TemporaryFile() as file:
        yield file.fileno()


def emptied(descriptor):
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def content(descriptor):
    return os.pread(descriptor, 2 * len(CONTENT), 0)


def interrupted_write(write):
    """What comes out of a pipe when a signal comes in while it is written to, and whether the write was cut short."""
    read_end, write_end = os.pipe()
    interrupted = threading.Event()
    chunks = []

    def drain():
        interrupted.wait(10)
        while chunk := os.read(read_end, 1 << 20):
            chunks.append(chunk)

    before = signal.signal(signal.SIGALRM, lambda *_: interrupted.set())
    thread = threading.Thread(target=drain)
    thread.start()
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        write(write_end)
    finally:
        os.close(write_end)
        thread.join()
        os.close(read_end)
        signal.signal(signal.SIGALRM, before)
    return b"".join(chunks), interrupted.is_set()


class TestWriting:
    def test_goes_on_where_it_was_cut_short(self):
        assert interrupted_write(lambda descriptor: write_all(descriptor, CONTENT)) == (CONTENT, True)


class TestReading:
    def test_tells_a_file_that_was_cut_off(self, source):
        with pytest.raises(EOFError, match="ends 10 bytes before"):
            read_all(source, 1010, 299_000)

    def test_into_a_buffer_tells_that_too(self, source):
        buffer = memoryview(bytearray(10))
        assert read_into(source, buffer, len(CONTENT) - 4) == 4
        with pytest.raises(EOFError):
            read_into(source, buffer, len(CONTENT))
        assert read_into(source, buffer[:0], len(CONTENT)) == 0


@pytest.mark.parametrize("way", IN_KERNEL)
def test_the_kernel_copies_to_where_the_target_is(source, target, way):
    os.write(target, b"before,")
    try:
        copied = way(source, target, 100, 50)
    except OSError as error:
        pytest.skip(f"not these files: {error}")
    assert 0 < copied <= 50
    assert content(target) == b"before," + CONTENT[100 : 100 + copied]


def refuses(source, target, offset, length):
    raise OSError(errno.EINVAL, "not for these files")


def does_nothing(source, target, offset, length):
    return 0


def breaks_off(source, target, offset, length):
    """Copies a third, and then refuses."""
    if offset > 100_000:
        raise OSError(errno.EXDEV, "not across file systems")
    return os.write(target, os.pread(source, 100_001, offset)[: min(length, 100_001)])


@rows(
    "ways",
    [IN_KERNEL, [_by_copy_file_range], [_by_sendfile], [], [refuses], [does_nothing], [breaks_off],
     [breaks_off, _by_sendfile]],
    ids=["as it is", "copy_file_range", "sendfile", "by hand", "refused", "nothing", "broken off", "gone on with"],
)  # fmt: skip
class TestCopying:
    @rows("offset, length", [(0, len(CONTENT)), (7, 200_000), (299_999, 1), (len(CONTENT), 0), (3, 0)])
    def test_takes_exactly_what_is_wanted(self, source, target, ways, offset, length):
        copy(source, emptied(target), offset, length, ways)
        assert content(target) == CONTENT[offset : offset + length]

    def test_goes_to_the_position(self, source, target, ways):
        os.write(emptied(target), b"before,")
        copy(source, target, 10, 20, ways)
        os.write(target, b",after")
        assert content(target) == b"before," + CONTENT[10:30] + b",after"

    @pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="there is no second file system")
    def test_goes_to_another_file_system(self, source, ways):
        with tempfile.TemporaryFile(dir="/dev/shm") as file:
            copy(source, file.fileno(), 5, 290_000, ways)
            assert content(file.fileno()) == CONTENT[5:290_005]

    def test_tells_a_source_that_was_cut_off(self, source, target, ways):
        with pytest.raises(EOFError):
            copy(source, emptied(target), 0, len(CONTENT) + 1, ways)

    def test_tells_a_full_disk(self, source, ways):
        target = os.open("/dev/full", os.O_WRONLY)
        try:
            with pytest.raises(OSError, match="No space left"):
                copy(source, target, 0, len(CONTENT), ways)
        finally:
            os.close(target)


WITHOUT = """
import os, threading
for name in ("pread", "preadv", "copy_file_range", "sendfile", "link"):
    delattr(os, name)
from antiphon.uploads.spool import Spool
from antiphon.uploads.spool import Window
from antiphon.uploads.temporary_file import save

content = os.urandom(300_000)
spool = Spool(threshold=1000)
for start in range(0, 300_000, 10_000):
    spool.add(content[start : start + 10_000])
    if start % 50_000 == 0:
        spool.flush()
        assert spool.read_at(start, 5) == content[start : start + 5]
assert not spool.in_memory

def read():
    for offset in range(0, 300_000, 777):
        assert spool.read_at(offset, 2000) == content[offset : offset + 2000]
        assert Window(spool, offset, 300_000 - offset).read(3000) == content[offset : offset + 3000]
    done.append(True)

done = []
threads = [threading.Thread(target=read) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
save("copy", lambda descriptor: spool.copy_to(descriptor, 7, 299_000))
with open("copy", "rb") as file:
    assert file.read() == content[7:299_007]
print(len(done), os.listdir("."))
"""


@pytest.mark.processes
def test_a_system_that_has_only_the_plain_ways_is_served_by_them(tmp_path):
    package = os.path.dirname(os.path.dirname(antiphon.__file__))
    command = [sys.executable, "-W", "error", "-c", WITHOUT]
    environment = {**os.environ, "PYTHONPATH": package}
    ran = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    errors = [line for line in ran.stderr.splitlines() if "which is in memory" not in line]  # so TMPDIR may be
    assert (ran.stdout, errors) == ("4 ['copy']\n", [])
