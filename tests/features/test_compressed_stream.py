import asyncio
import threading

import pytest

from antiphon.features.codings import CODINGS
from antiphon.features.compression import AT_ONCE, compressed_stream, sliced
from tests.helpers.decompression import decompressed
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.rows import rows


def gzip():
    return CODINGS["gzip"].start(6)


def collect(source):
    """All chunks that a source of either kind gives, compressed."""
    chunks = compressed_stream(source, gzip())
    if not hasattr(chunks, "__aiter__"):
        return list(chunks)

    async def all_of_them():
        return [chunk async for chunk in chunks]

    return asyncio.run(all_of_them())


async def waiting(values):
    for value in values:
        await asyncio.sleep(0)
        yield value


STYLES = pytest.mark.parametrize("style", [iter, waiting], ids=["blocking", "async"])


@STYLES
class TestChunks:
    def test_that_are_empty_stay_empty(self, style):
        first, second, third, end = collect(style([b"", b"one", ""]))
        assert (first, third) == (b"", b"")
        assert decompressed("gzip", second + end) == b"one"


class TestABlockingSource:
    @rows("taken", [1, 2, 3])
    def test_is_closed_wherever_it_stands(self, taken):
        source = SyncValues((b"one", b"two"))
        chunks = compressed_stream(source, gzip())
        for _ in range(taken):
            next(chunks)
        chunks.close()
        assert source.closed == 1
        assert list(chunks) == []

    def test_that_was_never_read_is_closed(self):
        source = SyncValues()
        compressed_stream(source, gzip()).close()
        assert (source.read, source.closed) == (0, 1)


class TestAnAsyncSource:
    @rows("taken", [1, 2, 3])
    def test_is_closed_wherever_it_stands_in_the_task_that_read_it(self, taken):
        tasks = []

        async def source():
            try:
                yield b"one"
                yield b"two"
            finally:
                tasks.append(asyncio.current_task())

        async def read():
            chunks = compressed_stream(source(), gzip())
            for _ in range(taken):
                await anext(chunks)
            await chunks.aclose()
            assert tasks == [asyncio.current_task()]
            assert [chunk async for chunk in chunks] == []

        asyncio.run(read())

    def test_that_was_never_read_is_closed(self):
        source = AsyncValues()
        asyncio.run(compressed_stream(source, gzip()).aclose())
        assert (source.read, source.closed) == (0, 1)

    def test_that_is_cancelled_where_it_waits_is_closed(self):
        closed = []

        async def source():
            try:
                yield b"one"
                await asyncio.Event().wait()
            finally:
                closed.append("source")

        async def read():
            chunks = compressed_stream(source(), gzip())
            await anext(chunks)
            waiting = asyncio.ensure_future(anext(chunks))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await chunks.aclose()

        asyncio.run(read())
        assert closed == ["source"]

    @rows("size, is_elsewhere", [(AT_ONCE, False), (AT_ONCE + 1, True)])
    def test_has_only_large_chunks_compressed_on_a_thread(self, size, is_elsewhere):
        threads = []

        class Noting:
            def chunk(self, data):
                threads.append(threading.get_ident())
                return data

            def finish(self, data=b""):
                return data

        async def read():
            return [chunk async for chunk in compressed_stream(waiting([bytes(size)]), Noting())]

        assert asyncio.run(read()) == [bytes(size), b""]
        assert (threads != [threading.get_ident()]) == is_elsewhere


@rows("size", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_a_body_in_slices_is_whole_and_each_is_small(size):
    body = bytes(range(256)) * (size // 256) + b"a" * (size % 256)
    slices = list(sliced(body))
    assert b"".join(slices) == body
    assert all(0 < len(chunk) <= AT_ONCE for chunk in slices)
