"""The body of a request: in memory while it is small, then in a file that nobody sees."""

import errno
import os
import random
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.errors import InsufficientStorage
from antiphon.uploads import temporary_file
from antiphon.uploads.spool import BATCH, BLOCK, SHARE, THRESHOLD, Spool
from antiphon.uploads.temporary_file import SLOW, WriteTimes
from tests.helpers.rows import rows
from tests.helpers.small_disks import small_files
from tests.helpers.waiting import at_once
from tests.uploads.spools import CONTENT, descriptors, in_file, in_memory, opened_in

pytestmark = [pytest.mark.once, pytest.mark.axes("make")]

CHUNK = 64 << 10


class TestManyAtOnce:
    """Bodies that arrive at once have a bounded part of the memory each, but for a block."""

    def in_memory(self, spools):
        return sum(spool.size - spool._written for spool in spools)

    @rows("threshold", [THRESHOLD, SHARE], ids=["an upload", "what may be read as a whole"])
    def test_wait_in_memory_with_a_block_each(self, tmp_path, threshold):
        spools, most = [Spool(tmp_path, threshold=threshold) for _ in range(80)], 0
        for _ in range(12):
            for spool in spools:
                spool.write(bytes(CHUNK))
            most = max(most, self.in_memory(spools))
        assert most <= len(spools) * BLOCK
        for spool in spools:
            spool.close()
        alone = in_memory(bytes(THRESHOLD))
        assert (alone.in_memory, self.in_memory([alone])) == (True, THRESHOLD)

    def test_leave_one_that_is_to_stay_in_memory(self, tmp_path):
        spools = [Spool(tmp_path, threshold=sys.maxsize) for _ in range(80)]
        for spool in spools:
            spool.write(bytes(BLOCK + 1))
        assert all(spool.in_memory for spool in spools)


class TestInMemory:
    def test_one_chunk_is_kept_as_it_is(self):
        data = b"a chunk that is not copied"
        spool = Spool()
        spool.write(data)
        assert spool.getvalue() is data
        assert spool.read_at(0, len(data)) is data

    def test_may_grow_after_it_was_read(self):
        spool = Spool()
        read = []
        for chunk in [b"one", b", two", b", three"]:
            spool.write(chunk)
            read.append(spool.getvalue())
        assert read == [b"one", b"one, two", b"one, two, three"]

    @rows("offset, length", [(-1, 2), (0, -1), (-5, -5)])
    def test_reads_nothing_before_the_start(self, make, offset, length):
        with pytest.raises(ValueError, match="may be negative"):
            make().read_at(offset, length)

    def test_many_small_chunks_take_little_more_than_their_bytes(self):
        chunks = 100_000
        source = memoryview(CONTENT)
        tracemalloc.start()
        try:
            spool = Spool()
            for number in range(chunks):
                spool.write(bytes(source[2 * number : 2 * number + 2]))
            taken, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert spool.getvalue() == CONTENT[: 2 * chunks]
        assert taken < 2 * spool.size


class TestInAFile:
    def test_is_there_by_default_above_the_threshold(self):
        spool = Spool()
        spool.write(bytes(THRESHOLD))
        assert spool.in_memory
        spool.write(b"x")
        assert not spool.in_memory

    def test_is_not_to_be_had_as_one(self):
        with pytest.raises(ValueError, match="300000 bytes are in a file"):
            in_file().getvalue()

    @rows("folder", [str, lambda path: path], ids=["str", "Path"])
    def test_has_no_name_in_the_folder_that_it_is_in(self, tmp_path, folder):
        spool = Spool(threshold=0, folder=folder(tmp_path))
        spool.write(CONTENT)
        opened = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
        assert any(path.startswith(os.fspath(tmp_path)) for path in opened)
        assert os.listdir(tmp_path) == []

    def test_is_freed_where_its_folder_is_not_there(self, tmp_path):
        before = descriptors()
        spool = Spool(threshold=0, folder=tmp_path / "missing")
        with pytest.raises(FileNotFoundError):
            spool.write(b"x")
        assert (spool.is_closed, descriptors()) == (True, before)

    @pytest.mark.processes
    def test_is_not_inherited_by_other_programs(self):
        code = (
            "import os; print([os.readlink(path) for n in range(50) if os.path.lexists(path := f'/proc/self/fd/{n}')])"
        )

        def inherited():
            command = [sys.executable, "-c", code]
            listed = subprocess.run(command, capture_output=True, text=True, check=True, close_fds=False).stdout
            assert "/" in listed
            return listed.count("(deleted)")

        before = inherited()
        spool = in_file()
        assert spool.size
        assert inherited() == before

    def test_takes_little_memory(self):
        tracemalloc.start()
        try:
            spool = Spool()
            for _ in range(512):
                spool.write(bytes(CHUNK))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert spool.size == 32 << 20
        assert peak < 2 << 20


class TestOnAnEventLoop:
    def test_adding_writes_nothing(self):
        before = descriptors()
        spool = Spool(threshold=10)
        spool.add(CONTENT)
        assert (spool.is_due, spool.in_memory, descriptors()) == (True, True, before)
        assert spool.read_at(5, 5) == CONTENT[5:10]

    def test_a_flush_is_due_above_the_threshold_and_then_for_every_batch(self):
        spool = Spool()
        due = []
        for number in range(1, 128 + 1):
            spool.add(bytes(CHUNK))
            if spool.is_due:
                due.append(number)
                spool.flush()
        blocks = THRESHOLD // CHUNK
        assert due == [blocks + 1, *range(blocks + BATCH // CHUNK, 129, BATCH // CHUNK)]
        assert spool.size == 128 * CHUNK

    def test_a_loop_may_flush_when_there_is_a_file_and_the_last_batch_was_taken_at_once(self, monkeypatch):
        times = WriteTimes()
        monkeypatch.setattr("antiphon.uploads.spool.WRITE_TIMES", times)
        monkeypatch.setattr("antiphon.uploads.spool.monotonic", lambda: 0.0)
        times.add(0.0)
        spool = Spool()
        assert (times.are_short, spool.flushes_at_once) == (True, False)
        spool.add(CONTENT)
        spool.flush()
        assert spool.flushes_at_once
        times.add(SLOW)
        assert not spool.flushes_at_once

    def test_a_flush_tells_how_long_it_took(self, monkeypatch):
        times = WriteTimes()
        monkeypatch.setattr("antiphon.uploads.spool.WRITE_TIMES", times)
        monkeypatch.setattr("antiphon.uploads.spool.monotonic", iter([0.0, 0.0, 0.0, SLOW]).__next__)
        spool = Spool()
        for is_short in (True, False):
            spool.add(CONTENT)
            spool.flush()
            assert times.are_short is is_short

    @rows("size", [1000, 30_000, CHUNK - 1, CHUNK, 700_000, 3 << 20])
    def test_a_flush_ends_where_a_block_of_the_file_does(self, tmp_path, size):
        spool = Spool(folder=tmp_path)
        content = random.Random(size).randbytes(9 << 20)
        ends = []
        for offset in range(0, len(content), size):
            spool.add(content[offset : offset + size])
            if spool.is_due:
                spool.flush()
                ends.append(opened_in(tmp_path).st_size)
        assert len(ends) >= 3
        assert {end % BLOCK for end in ends} == {0}
        assert spool.read_at(0, len(content)) == content

    def test_may_be_flushed_at_any_time(self):
        spool = Spool()
        spool.flush()
        spool.add(b"a few")
        spool.flush()
        spool.flush()
        assert (spool.in_memory, spool.read_at(0, 9)) == (False, b"a few")


@st.composite
def histories(draw):
    """Chunks, where a None is a flush, and a threshold."""
    chunks = draw(st.lists(st.one_of(st.binary(max_size=50), st.none()), max_size=30))
    return chunks, draw(st.integers(0, 200))


@given(histories(), st.integers(0, 900), st.integers(0, 900))
def test_any_part_is_the_same_wherever_it_is(history, offset, length):
    chunks, threshold = history
    spool = Spool(threshold=threshold)
    for chunk in chunks:
        if chunk is None:
            spool.flush()
        else:
            spool.write(chunk)
    content = b"".join(chunk for chunk in chunks if chunk)
    assert spool.size == len(content)
    assert spool.read_at(offset, length) == content[offset : offset + length]
    target = bytearray(length)
    size = spool.read_into(memoryview(target), offset)
    assert target[:size] == content[offset : offset + size]
    assert bool(size) == bool(content[offset : offset + length])


@given(histories(), st.data())
def test_any_part_is_copied(history, data):
    chunks, threshold = history
    spool = Spool(threshold=threshold)
    for chunk in chunks:
        if chunk is None:
            spool.flush()
        else:
            spool.write(chunk)
    content = b"".join(chunk for chunk in chunks if chunk)
    offset = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, len(content) - offset))
    with tempfile.TemporaryFile() as copied:
        spool.copy_to(copied.fileno(), offset, length)
        assert copied.read() == b""
        copied.seek(0)
        assert copied.read() == content[offset : offset + length]


@rows("offset, length", [(-1, 1), (0, 11), (10, 1), (5, -1)])
def test_what_it_has_not_can_not_be_copied(make, offset, length):
    with pytest.raises(ValueError, match="not within 10"):
        make(b"0123456789").copy_to(-1, offset, length)


@rows("can_be_named", [True, False])
def test_all_of_it_is_saved_by_a_name(make, can_be_named, tmp_path, monkeypatch):
    if not can_be_named:
        monkeypatch.setattr(temporary_file, "_UNNAMED", 0)
    spool, path = make(), tmp_path / f"saved-{can_be_named}"
    spool.write(b"more")
    spool.save(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (CONTENT + b"more", 0o600)
    with pytest.raises(FileExistsError):
        spool.save(path)
    spool.close()
    assert path.stat().st_size == len(CONTENT) + 4


class TestTheEnd:
    def test_may_come_twice(self, make):
        spool = make()
        spool.close()
        spool.close()
        assert spool.is_closed

    @rows(
        "use",
        lambda spool: spool.read_at(0, 1),
        lambda spool: spool.read_at(299_999, 1),
        lambda spool: spool.read_into(memoryview(bytearray(1)), 0),
        lambda spool: spool.copy_to(-1, 0, 1),
        lambda spool: spool.share(),
        lambda spool: spool.write(b"x"),
        lambda spool: spool.add(b""),
        lambda spool: spool.flush(),
        lambda spool: spool.check_open(),
    )
    def test_leaves_an_error_that_says_what_to_do(self, make, use):
        spool = make()
        spool.close()
        with pytest.raises(ValueError, match=r"detach\(\)"):
            use(spool)

    def test_comes_also_to_one_that_is_forgotten(self):
        before = descriptors()
        in_file()
        assert descriptors() == before


class TestSharing:
    def test_keeps_what_is_there(self, make):
        spool = make()
        shared = spool.share()
        spool.close()
        assert shared.read_at(0, shared.size) == CONTENT
        shared.check_open()

    def test_frees_the_file_with_the_last(self):
        before = descriptors()
        spool = in_file()
        first, second = spool.share(), spool.share()
        for holder in (first, spool):
            holder.close()
            assert descriptors() == before + 1
        second.close()
        assert descriptors() == before


class TestThreads:
    def test_read_in_parallel(self, make):
        spool = make()
        wrong = []

        def read(seed):
            chance = random.Random(seed)
            for _ in range(300):
                offset, length = chance.randrange(len(CONTENT)), chance.randrange(5000)
                if spool.read_at(offset, length) != CONTENT[offset : offset + length]:
                    wrong.append((offset, length))

        at_once(read, range(4))
        assert wrong == []

    def test_never_read_another_file_while_it_is_closed(self, tmp_path):
        (tmp_path / "other").write_bytes(b"\0" * len(CONTENT))
        wrong = []

        def read(spool):
            with suppress(ValueError):
                while True:
                    if spool.read_at(1000, 100_000) != CONTENT[1000:101_000]:
                        wrong.append(spool)

        for _ in range(30):
            spool = in_file()
            threads = [threading.Thread(target=read, args=(spool,)) for _ in range(2)]
            for thread in threads:
                thread.start()
            spool.close()
            others = [(tmp_path / "other").open("rb") for _ in range(5)]
            for thread in threads:
                thread.join()
            for other in others:
                other.close()
        assert wrong == []


def fill(spool):
    while True:
        spool.write(CONTENT)


class TestAFullDisk:
    @pytest.mark.processes
    def test_is_a_507_and_nothing_is_left(self, small_disk):
        before = descriptors()
        room = os.statvfs(small_disk).f_bavail
        spool = Spool(threshold=1000, folder=small_disk)
        with pytest.raises(InsufficientStorage) as raised:
            fill(spool)
        assert raised.value.__cause__.errno == errno.ENOSPC
        assert (spool.is_closed, descriptors()) == (True, before)
        assert os.statvfs(small_disk).f_bavail == room
        with pytest.raises(ValueError, match="freed"):
            spool.write(b"x")

    def test_is_a_507_too_where_files_must_be_small(self):
        before = descriptors()
        spool = Spool(threshold=1000)
        with small_files(), pytest.raises(InsufficientStorage) as raised:
            fill(spool)
        assert raised.value.__cause__.errno == errno.EFBIG
        assert (spool.is_closed, descriptors()) == (True, before)


FAULTS = f"""
from resource import RUSAGE_SELF, getrusage
from antiphon.uploads.spool import THRESHOLD, Spool

def read():
    spool = Spool()
    for _ in range(THRESHOLD // {CHUNK}):
        spool.add(bytes({CHUNK}))
    return spool.read_all()[1:]

counts = []
for _ in range(13):
    read()
    counts.append(getrusage(RUSAGE_SELF).ru_minflt)
print(counts[-1] - counts[2])
"""


@pytest.mark.processes
def test_the_memory_of_a_body_is_used_again_for_the_next_one():
    # In a new process, where nothing that was freed before has changed what glibc keeps.
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100
