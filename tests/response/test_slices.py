import asyncio
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.ranges import ByteRange
from antiphon.response.conditional import known_length, part_of
from antiphon.response.files import FileBody, OpenFile
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.rows import rows

ALPHABET = "abcdefghij"


@rows(
    "part, sent, read",
    (ByteRange(0, 9), b"abcdefghij", 10),
    (ByteRange(0, 0), b"a", 1),
    (ByteRange(3, 5), b"def", 6),
    (ByteRange(8, 20), b"ij", 10),
    (ByteRange(20, 21), b"", 10),
)
def test_a_part_is_sent_and_no_more_is_read(part, sent, read):
    source, waiting = SyncValues(ALPHABET), AsyncValues(ALPHABET)
    assert (b"".join(part_of(source, part)), source.read) == (sent, read)

    async def collect():
        return b"".join([chunk async for chunk in part_of(waiting, part)])

    assert (asyncio.run(collect()), waiting.read) == (sent, read)


parts = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda bounds: ByteRange(*sorted(bounds)))


@given(parts, st.lists(st.one_of(st.binary(max_size=12), st.text("aé", max_size=6))))
def test_however_a_body_is_cut_into_chunks_the_part_is_a_slice_of_it(part, chunks):
    whole = b"".join([chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks])
    expected = whole[part.first : part.last + 1]
    assert b"".join(part_of(iter(chunks), part)) == expected

    async def collect():
        return b"".join([chunk async for chunk in part_of(AsyncValues(chunks), part)])

    assert asyncio.run(collect()) == expected


@rows("reads", [0, 1, 5])
def test_closing_parts_closes_the_stream_read_or_not(reads):
    source, waiting = SyncValues(ALPHABET), AsyncValues(ALPHABET)
    parts = part_of(source, ByteRange(0, 2))
    for _ in range(reads):
        next(parts, None)
    parts.close()

    async def read_and_close():
        parts = part_of(waiting, ByteRange(0, 2))
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
        parts = part_of(stream, ByteRange(0, 2))
        await anext(parts)
        await parts.aclose()
        assert closed.pop() is stream

    asyncio.run(read_and_close(Waits()))
    parts = part_of(stream := Stream(), ByteRange(0, 2))
    next(parts)
    parts.close()
    assert closed == [stream]


def test_what_cannot_be_closed_is_left():
    async def nothing():
        await part_of(Endless(), ByteRange(0, 0)).aclose()

    part_of(["a"], ByteRange(0, 0)).close()
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


class TestAFile:
    def test_is_read_where_its_part_is(self):
        body = OpenFile(file := File(ALPHABET.encode()), 0, 10)
        assert b"".join(part_of(body, ByteRange(5, 7))) == b"fgh"
        assert file.given == 3

    def test_gives_a_window_as_one_part(self, tmp_path):
        (tmp_path / "file").write_text(ALPHABET)
        window = part_of(FileBody(str(tmp_path / "file"), 2, 8), ByteRange(1, 3))
        assert (type(window), window.offset, window.length, b"".join(window)) == (FileBody, 3, 3, b"def")

    @rows("reads", [0, 1, 2, 9])
    def test_is_closed_with_its_part_read_or_not(self, reads):
        part = part_of(OpenFile(file := File(ALPHABET.encode()), 0, 10), ByteRange(0, 5))
        for _ in range(reads):
            next(part, None)
        part.close()
        assert file.closed

    def test_without_a_position_only_goes_forwards(self):
        body = OpenFile(file := File(ALPHABET.encode()), None, None)
        assert known_length(body) is None
        assert b"".join(part_of(body, ByteRange(2, 3))) == b"cd"
        assert not file.closed


@rows(
    "body, length", [(b"", 0), (b"abc", 3), (iter("abc"), None), (["abc"], None), (OpenFile(BytesIO(b"abc"), 1, 2), 2)]
)
def test_bytes_and_files_know_their_length(body, length):
    assert known_length(body) == length
