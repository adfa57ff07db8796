import asyncio
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.ranges import ByteRange
from antiphon.response.conditional import has_any_order, known_length, part_of, parts_of
from antiphon.response.files import FileBody, OpenFile
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.rows import rows

ALPHABET = "abcdefghij"


@rows(
    "layout, sent, read",
    ([ByteRange(0, 9)], b"abcdefghij", 10),
    ([ByteRange(0, 0)], b"a", 1),
    ([ByteRange(3, 5)], b"def", 6),
    ([b"<", ByteRange(1, 2), b"|", ByteRange(3, 3), b">"], b"<bc|d>", 4),
    ([b"<", ByteRange(0, 0), b"|", b"|", ByteRange(8, 8)], b"<a||i", 9),
    ([ByteRange(8, 20)], b"ij", 10),
    ([b"<", ByteRange(20, 21), b">"], b"<", 10),
    ([b"<>"], b"", 0),
    ([], b"", 0),
)
def test_parts_and_what_stands_between_them_are_sent_and_no_more_is_read(layout, sent, read):
    source, waiting = SyncValues(ALPHABET), AsyncValues(ALPHABET)
    assert (b"".join(parts_of(source, layout)), source.read) == (sent, read)

    async def collect():
        return b"".join([chunk async for chunk in parts_of(waiting, layout)])

    assert (asyncio.run(collect()), waiting.read) == (sent, read)


layouts = st.lists(st.integers(0, 40), min_size=2, max_size=12, unique=True).map(
    lambda bounds: [ByteRange(a, b) for a, b in zip(sorted(bounds)[::2], sorted(bounds)[1::2], strict=False)]
)


@given(layouts, st.lists(st.one_of(st.binary(max_size=12), st.text("aé", max_size=6))))
def test_however_a_body_is_cut_into_chunks_the_parts_are_slices_of_it(parts, chunks):
    whole = b"".join([chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks])
    expected = b"".join([whole[first : last + 1] for first, last in parts])
    assert b"".join(parts_of(iter(chunks), parts)) == expected

    async def collect():
        return b"".join([chunk async for chunk in parts_of(AsyncValues(chunks), parts)])

    assert asyncio.run(collect()) == expected


@rows("reads", [0, 1, 5])
def test_closing_parts_closes_the_stream_read_or_not(reads):
    source, waiting = SyncValues(ALPHABET), AsyncValues(ALPHABET)
    parts = parts_of(source, [ByteRange(0, 2)])
    for _ in range(reads):
        next(parts, None)
    parts.close()

    async def read_and_close():
        parts = parts_of(waiting, [ByteRange(0, 2)])
        for _ in range(reads):
            await anext(parts, None)
        await parts.aclose()

    asyncio.run(read_and_close())
    assert source.closed == waiting.closed == 1


def test_closing_parts_closes_the_iterator_that_is_not_the_stream():
    closed = []

    class Stream:
        def __iter__(self):
            try:
                yield from "abc"
            finally:
                closed.append(self)

    class Waits:
        async def __aiter__(self):
            try:
                yield "abc"
            finally:
                closed.append(self)

    async def read_and_close(stream):
        parts = parts_of(stream, [ByteRange(0, 2)])
        await anext(parts)
        await parts.aclose()
        assert closed.pop() is stream

    asyncio.run(read_and_close(Waits()))
    parts = parts_of(stream := Stream(), [ByteRange(0, 2)])
    next(parts)
    parts.close()
    assert closed == [stream]


def test_what_cannot_be_closed_is_left():
    async def nothing():
        await parts_of(Endless(), [ByteRange(0, 0)]).aclose()

    parts_of(["a"], [ByteRange(0, 0)]).close()
    asyncio.run(nothing())


class Endless:
    def __aiter__(self):
        return self

    async def __anext__(self):
        return b"a"


class File(BytesIO):
    """A file object that notes how much was read of it."""

    given = 0

    def read1(self, size=-1, /):
        chunk = super().read1(size)
        self.given += len(chunk)
        return chunk


BACKWARDS = [b"<", ByteRange(8, 9), b"|", ByteRange(1, 3), b">"]


class TestAFile:
    def test_is_read_where_its_parts_are(self):
        body = OpenFile(file := File(ALPHABET.encode()), 0, 10)
        assert b"".join(parts_of(body, BACKWARDS)) == b"<ij|bcd>"
        assert file.given == 5

    def test_gives_a_window_as_one_part(self, tmp_path):
        (tmp_path / "file").write_text(ALPHABET)
        window = part_of(FileBody(str(tmp_path / "file"), 2, 8), ByteRange(1, 3))
        assert (type(window), window.offset, window.length, b"".join(window)) == (FileBody, 3, 3, b"def")
        assert b"".join(parts_of(FileBody(str(tmp_path / "file"), 0, 10), BACKWARDS)) == b"<ij|bcd>"

    @rows("reads", [0, 1, 2, 9])
    def test_is_closed_with_its_parts_read_or_not(self, reads):
        files = [File(ALPHABET.encode()), File(ALPHABET.encode())]
        one, several = (OpenFile(file, 0, 10) for file in files)
        for parts in (part_of(one, ByteRange(0, 5)), parts_of(several, BACKWARDS)):
            for _ in range(reads):
                next(parts, None)
            parts.close()
        assert [file.closed for file in files] == [True, True]

    def test_without_a_position_only_goes_forwards(self):
        body = OpenFile(file := File(ALPHABET.encode()), None, None)
        assert (known_length(body), has_any_order(body)) == (None, False)
        assert b"".join(part_of(body, ByteRange(2, 3))) == b"cd"
        assert b"".join(parts_of(OpenFile(File(b"abc"), None, None), [b"<", ByteRange(1, 1), b">"])) == b"<b>"
        assert not file.closed


@rows(
    "body, length", [(b"", 0), (b"abc", 3), (iter("abc"), None), (["abc"], None), (OpenFile(BytesIO(b"abc"), 1, 2), 2)]
)
def test_bytes_and_files_know_their_length(body, length):
    assert known_length(body) == length
    assert has_any_order(body) is (length is not None)
