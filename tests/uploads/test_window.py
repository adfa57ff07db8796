"""Windows: parts of a spool that read as files do."""

import csv
import errno
import io
import os
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.uploads.spool import Window
from antiphon.uploads.upload import Upload
from tests.helpers.rows import rows
from tests.helpers.waiting import at_once
from tests.uploads.spools import CONTENT, SPOOLS, descriptors, in_file, in_memory, upload

pytestmark = [pytest.mark.once, pytest.mark.axes("make")]


def window(content=CONTENT, make=in_memory):
    return Window(make(b"before" + content + b"after"), 6, len(content))


sizes = st.integers(-1, 40)
steps = st.one_of(
    st.tuples(st.sampled_from(["read", "readline", "read1"]), sizes),
    st.tuples(st.just("readinto"), st.integers(0, 40)),
    st.tuples(st.sampled_from(["lines", "peek"]), st.just(1)),
    st.tuples(st.just("next"), st.just(0)),
    st.tuples(st.just("start"), st.integers(0, 150)),
    st.tuples(st.just("end"), st.integers(-150, 20)),
    st.tuples(st.just("current"), st.integers(-20, 20)),
)
WHENCE = {"start": os.SEEK_SET, "current": os.SEEK_CUR, "end": os.SEEK_END}


def take(file, step, number, most):
    """What a step gives, or None where no file can take it."""
    match step:
        case "readinto":
            buffer = bytearray(number)
            return bytes(buffer[: file.readinto(buffer)])
        case "next":
            return next(iter(file), None)
        case "lines":
            return list(file)
        case "peek" if isinstance(file, Window):
            # It may give less or more than is wanted, but nothing only at the end.
            return bool(file.peek(number))
        case "read1" | "peek":
            # It may give less, which would part the ways of the two: the position is brought where it was.
            position = file.tell()
            data = file.read1(number)
            file.seek(position)
            return bool(data)
        case "start" | "current" | "end":
            base = {"start": 0, "current": file.tell(), "end": most}[step]
            return file.seek(number, WHENCE[step]) if base + number >= 0 else None
        case _:
            return getattr(file, step)(number)


@pytest.mark.parametrize("make", SPOOLS.values(), ids=SPOOLS)
@pytest.mark.parametrize("opened", [Upload.open, lambda file: file], ids=["a window", "an upload"])
@given(st.lists(st.sampled_from([b"a", b"bcd", b"\n", b"\r\n", b"\0"]), max_size=60), st.lists(steps, max_size=25))
@example([], [("read", -1), ("read", 5), ("readline", -1), ("lines", 1)])
@example(
    [b"one\n", b"two\r\n", b"\n", b"three"],
    [("readline", -1), ("lines", 1), ("start", 0), ("readline", 2), ("readinto", 3), ("end", -4), ("read", 3)],
)
def test_does_what_a_file_in_memory_does(make, opened, chunks, taken):
    content = b"".join(chunks)
    file, model = opened(upload(content, make)[0]), io.BytesIO(content)
    for step, number in taken:
        assert take(file, step, number, len(content)) == take(model, step, number, len(content))
        assert file.tell() == model.tell()


class TestAWindow:
    def test_lies_within_its_spool(self):
        spool = in_memory(b"0123456789")
        assert Window(spool, 10, 0).read() == b""
        for offset, length in [(0, 11), (11, 0), (-1, 5), (3, -1)]:
            with pytest.raises(ValueError, match="not within 10"):
                Window(spool, offset, length)

    def test_shows_nothing_around_it(self, make):
        file = window(make=make)
        assert file.read() == CONTENT
        assert file.read() == b""
        assert file.seek(-1, os.SEEK_END) == len(CONTENT) - 1
        assert file.read(1000) == CONTENT[-1:]
        with pytest.raises(OSError, match="before the start") as raised:
            file.seek(-len(CONTENT) - 1, os.SEEK_END)
        assert raised.value.errno == errno.EINVAL

    def test_is_only_read(self):
        file = window()
        assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"x")
        with pytest.raises(io.UnsupportedOperation):
            file.fileno()

    def test_goes_nowhere_from_nowhere(self):
        with pytest.raises(ValueError, match="7"):
            window().seek(0, 7)

    def test_can_be_closed_by_itself(self, make):
        spool = make()
        with Window(spool, 0, 10) as first:
            second = Window(spool, 0, 10)
        with pytest.raises(ValueError, match="closed"):
            first.read()
        assert second.read() == CONTENT[:10]

    @rows("read", [Window.read, lambda file: file.read(5), Window.readline, list])
    def test_of_a_closed_spool_can_not_be_read(self, make, read):
        spool = make()
        file = Window(spool, 0, 1000)
        spool.close()
        with pytest.raises(ValueError, match=r"detach\(\)"):
            read(file)

    def test_opens_no_file(self):
        spool = in_file()
        before = descriptors()
        windows = [Window(spool, number, 10) for number in range(100)]
        assert [file.read(1) for file in windows] == [CONTENT[number : number + 1] for number in range(100)]
        assert descriptors() == before


class TestChunks:
    @rows("size", [1000, 65_536, 300_000, 300_001, 1 << 20])
    def test_have_the_size_that_is_wanted(self, make, size):
        expected = [CONTENT[start : start + size] for start in range(0, len(CONTENT), size)]
        assert list(window(make=make).chunks(size)) == expected

    def test_have_256_kib_otherwise(self):
        assert [len(chunk) for chunk in window().chunks()] == [256 << 10, len(CONTENT) - (256 << 10)]

    def test_begin_at_the_position_and_move_it(self, make):
        file = window(make=make)
        file.read(10)
        chunks = file.chunks(100)
        assert next(chunks) == CONTENT[10:110]
        assert file.tell() == 110
        assert file.read(5) == CONTENT[110:115]
        assert next(chunks) == CONTENT[115:215]

    @rows("size", [0, -1])
    def test_are_not_empty(self, size):
        with pytest.raises(ValueError, match="at least one byte"):
            window().chunks(size)


class TestWhatReadsFiles:
    def test_csv(self, make):
        rows = [["id", "name"], *[[str(number), "Zoë, or\nsomeone"] for number in range(5000)]]
        written = io.StringIO()
        csv.writer(written).writerows(rows)
        file = io.TextIOWrapper(window(written.getvalue().encode(), make), encoding="utf-8", newline="")
        assert list(csv.reader(file)) == rows

    def test_zipfile(self, make):
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.txt", b"a" * 100_000)
            archive.writestr("b.bin", CONTENT)
        with zipfile.ZipFile(window(written.getvalue(), make)) as archive:
            assert archive.testzip() is None
            assert archive.read("b.bin") == CONTENT

    def test_zipfile_on_what_is_too_small_for_one(self):
        assert not zipfile.is_zipfile(window(b"PK"))


def test_threads_read_one_spool_by_windows_of_their_own(make):
    lines = [b"%d" % number * 20 + b"\n" for number in range(2000)]
    spool = make(b"".join(lines))
    assert at_once(lambda _: list(Window(spool, 0, spool.size)), range(4)) == [lines] * 4
