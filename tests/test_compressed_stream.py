import asyncio
import threading

import pytest

from antiphon.body.compressors import CODINGS
from antiphon.features.compression import AT_ONCE, compressed_stream, sliced
from tests.decompression import Reader, decompressed


def gzip():
    return CODINGS["gzip"].start(6)


def collect(source):
    """All pieces that a source of either colour gives, compressed."""
    pieces = compressed_stream(source, gzip())
    if not hasattr(pieces, "__aiter__"):
        return list(pieces)

    async def all_of_them():
        return [piece async for piece in pieces]

    return asyncio.run(all_of_them())


async def waiting(values):
    for value in values:
        await asyncio.sleep(0)
        yield value


COLOURS = pytest.mark.parametrize("colour", [iter, waiting], ids=["blocking", "async"])


@COLOURS
class TestPieces:
    def test_come_one_for_one_and_then_the_end(self, colour):
        reader = Reader("gzip")
        read = [reader.read(piece) for piece in collect(colour([b"one", "zwölf", bytearray(b"three")]))]
        assert read == [b"one", "zwölf".encode(), b"three", b""]
        assert reader.is_whole

    def test_that_are_empty_stay_empty(self, colour):
        first, second, third, end = collect(colour([b"", b"one", ""]))
        assert (first, third) == (b"", b"")
        assert decompressed("gzip", second + end) == b"one"

    def test_may_be_none(self, colour):
        assert decompressed("gzip", b"".join(collect(colour([])))) == b""

    def test_are_bytes_or_text(self, colour):
        with pytest.raises(TypeError, match="bytes or text, not int"):
            collect(colour([1]))

    def test_keep_the_colour_of_their_source(self, colour):
        pieces = compressed_stream(colour([]), gzip())
        assert hasattr(pieces, "__anext__") == (colour is waiting)
        assert hasattr(pieces, "__next__") == (colour is iter)


def steps(closed, error=None):
    try:
        yield b"one"
        if error:
            raise error
        yield b"two"
    finally:
        closed.append("source")


async def async_steps(closed, error=None):
    for step in steps(closed, error):
        yield step


class TestABlockingSource:
    @pytest.mark.parametrize("taken", [1, 2, 3])
    def test_is_closed_wherever_it_stands(self, taken):
        closed = []
        pieces = compressed_stream(steps(closed), gzip())
        for _ in range(taken):
            next(pieces)
        pieces.close()
        assert closed == ["source"]
        assert list(pieces) == []

    def test_that_was_never_read_is_closed(self):
        class Source:
            closed = 0

            def __iter__(self):
                raise AssertionError("it was read")

            def close(self):
                self.closed += 1

        source = Source()
        compressed_stream(source, gzip()).close()
        assert source.closed == 1

    def test_that_fails_is_not_finished(self):
        closed, reader = [], Reader("gzip")
        pieces = compressed_stream(steps(closed, LookupError("boom")), gzip())
        assert reader.read(next(pieces)) == b"one"
        with pytest.raises(LookupError, match="boom"):
            next(pieces)
        assert list(pieces) == []
        assert not reader.is_whole
        pieces.close()
        assert closed == ["source"]


class TestAnAsyncSource:
    @pytest.mark.parametrize("taken", [1, 2, 3])
    def test_is_closed_wherever_it_stands_in_the_task_that_read_it(self, taken):
        tasks = []

        async def source():
            try:
                yield b"one"
                yield b"two"
            finally:
                tasks.append(asyncio.current_task())

        async def read():
            pieces = compressed_stream(source(), gzip())
            for _ in range(taken):
                await anext(pieces)
            await pieces.aclose()
            assert tasks == [asyncio.current_task()]
            assert [piece async for piece in pieces] == []

        asyncio.run(read())

    def test_that_was_never_read_is_closed(self):
        class Source:
            closed = 0

            def __aiter__(self):
                raise AssertionError("it was read")

            async def aclose(self):
                self.closed += 1

        source = Source()
        asyncio.run(compressed_stream(source, gzip()).aclose())
        assert source.closed == 1

    def test_that_fails_is_not_finished(self):
        async def read():
            closed, reader = [], Reader("gzip")
            pieces = compressed_stream(async_steps(closed, LookupError("boom")), gzip())
            assert reader.read(await anext(pieces)) == b"one"
            with pytest.raises(LookupError, match="boom"):
                await anext(pieces)
            assert [piece async for piece in pieces] == []
            assert not reader.is_whole
            assert closed == ["source"]

        asyncio.run(read())

    def test_that_is_cancelled_where_it_waits_is_closed(self):
        closed = []

        async def source():
            try:
                yield b"one"
                await asyncio.Event().wait()
            finally:
                closed.append("source")

        async def read():
            pieces = compressed_stream(source(), gzip())
            await anext(pieces)
            waiting = asyncio.ensure_future(anext(pieces))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await pieces.aclose()

        asyncio.run(read())
        assert closed == ["source"]

    @pytest.mark.parametrize(("size", "is_elsewhere"), [(AT_ONCE, False), (AT_ONCE + 1, True)])
    def test_has_only_large_pieces_compressed_on_a_thread(self, size, is_elsewhere):
        threads = []

        class Noting:
            def piece(self, data):
                threads.append(threading.get_ident())
                return data

            def finish(self, data=b""):
                return data

        async def read():
            return [piece async for piece in compressed_stream(waiting([bytes(size)]), Noting())]

        assert asyncio.run(read()) == [bytes(size), b""]
        assert (threads != [threading.get_ident()]) == is_elsewhere


@pytest.mark.parametrize("size", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_a_body_in_slices_is_whole_and_each_is_small(size):
    body = bytes(range(256)) * (size // 256) + b"a" * (size % 256)
    slices = list(sliced(body))
    assert b"".join(slices) == body
    assert all(0 < len(piece) <= AT_ONCE for piece in slices)
