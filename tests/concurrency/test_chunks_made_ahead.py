"""Chunks made ahead for their sender: a blocking generator's for a loop, and an async generator's for a thread."""

import asyncio
import itertools
import threading
import time
from contextvars import copy_context
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.concurrency.background import background_loop
from antiphon.concurrency.bridge import AHEAD, BUFFER, AsyncFromSync, SyncFromAsync
from antiphon.concurrency.iterables import aclose
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, eventually, in_time

SLOW = 5 * AHEAD
LINE = b"line\n"


def on_loop(chunks, pause=0.0, most=None):
    """The pieces of blocking chunks, which a loop takes, and closes after at most so many pieces."""

    async def reads():
        pieces = []
        iterator = AsyncFromSync(chunks, ahead=True)
        try:
            while len(pieces) != most:
                pieces.append(await anext(iterator))
                await asyncio.sleep(pause)
        except StopAsyncIteration:
            pass
        except Exception as error:
            pieces.append(error)
        finally:
            try:
                await aclose(iterator)
            except Exception as error:
                pieces.append(error)
        return pieces

    return asyncio.run(asyncio.wait_for(reads(), DEADLINE))


class Async:
    """The chunks of a blocking generator, which blocks the loop, as those of an async one."""

    def __init__(self, chunks):
        self._chunks = chunks

    def __aiter__(self):
        return self

    async def __anext__(self):
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration

    async def aclose(self):
        self._chunks.close()


def on_thread(chunks, pause=0.0, most=None):
    """The pieces of the same chunks, made on a loop, which a thread takes."""

    def reads():
        pieces = []
        iterator = SyncFromAsync(Async(chunks), copy_context(), ahead=True)
        try:
            for piece in itertools.islice(iterator, most):
                pieces.append(piece)
                time.sleep(pause)
        except Exception as error:
            pieces.append(error)
        finally:
            try:
                iterator.close()
            except Exception as error:
                pieces.append(error)
        return pieces

    return in_time(reads)


@pytest.fixture(params=[on_loop, on_thread])
def read(request):
    return request.param


STEP = st.tuples(st.one_of(st.binary(max_size=4), st.text(max_size=4)), st.sampled_from([0.0] * 9 + [2 * AHEAD]))


class TestEachChunk:
    @pytest.mark.parametrize("reader", [on_loop, on_thread])
    @settings(max_examples=60, deadline=None)
    @given(steps=st.lists(STEP, max_size=30), fails=st.booleans(), pause=st.sampled_from([0.0, 0.0, AHEAD]))
    def test_arrives_once_and_in_order_and_before_an_error(self, reader, steps, fails, pause):
        def generator():
            for chunk, seconds in steps:
                time.sleep(seconds)
                yield chunk
            if fails:
                raise error

        error = LookupError()
        pieces = reader(generator(), pause)
        if fails:
            assert pieces.pop() is error
        expected = [chunk if isinstance(chunk, bytes) else chunk.encode() for chunk, _ in steps]
        assert b"".join(pieces) == b"".join(expected)

    def test_is_there_of_a_hundred_thousand(self, read):
        lines = [b"%d\n" % number for number in range(100_000)]
        assert b"".join(read(line for line in lines)) == b"".join(lines)

    def test_keeps_its_bytes_though_the_generator_uses_its_buffer_again(self, read):
        def generator():
            buffer = bytearray(4)
            for number in range(100):
                buffer[:] = b"%03d\n" % number
                yield memoryview(buffer) if number % 2 else buffer

        assert b"".join(read(generator())) == b"".join(b"%03d\n" % number for number in range(100))


class TestTheFirstChunk:
    def test_is_given_alone_and_the_next_ones_together(self, read):
        pieces = read(line for line in [LINE] * 5000)
        assert pieces[0] == LINE
        assert len(pieces) < 1000


class TestAChunk:
    def test_of_a_slow_generator_is_given_alone(self, read):
        def generator():
            for number in range(5):
                time.sleep(SLOW)
                yield b"%d" % number

        assert read(generator()) == [b"%d" % number for number in range(5)]

    def test_that_is_made_is_given_while_the_next_one_is_still_made(self):
        def generator():
            for _ in range(10):
                yield LINE
            assert has_come.wait(DEADLINE)
            yield LINE

        async def reads():
            iterator, taken = AsyncFromSync(generator(), ahead=True), b""
            async for piece in iterator:
                taken += piece
                if taken == LINE * 10:
                    has_come.set()
            return taken

        has_come = Event()
        assert asyncio.run(asyncio.wait_for(reads(), DEADLINE)) == LINE * 11

    @rows("blocks", [True, False])
    def test_that_is_made_is_given_while_the_loop_makes_the_next_one(self, blocks):
        async def generator():
            for _ in range(10):
                yield LINE
            if blocks:
                assert has_come.wait(DEADLINE)
            else:
                while not has_come.is_set():
                    await asyncio.sleep(0.001)
            yield LINE

        def reads():
            taken = b""
            for piece in SyncFromAsync(generator(), copy_context(), ahead=True):
                taken += piece
                if taken == LINE * 10:
                    has_come.set()
            return taken

        has_come = Event()
        assert in_time(reads) == LINE * 11

    def test_that_is_neither_bytes_nor_text_comes_as_an_error_after_those_before_it(self, read):
        def generator():
            yield from [LINE] * 10
            yield 5

        *pieces, error = read(generator())
        assert b"".join(pieces) == LINE * 10
        assert isinstance(error, TypeError)

    def test_that_may_be_made_ahead_waits_while_the_sender_sends(self, read):
        def generator():
            for _ in range(100_000):
                made.append(time.monotonic())
                yield LINE * 100

        made = []
        pieces = read(generator(), pause=20 * AHEAD, most=4)
        taken = sum(map(len, pieces))
        assert len(made) * len(LINE * 100) <= taken + BUFFER + len(LINE * 100)
        if len(made) > len(pieces):
            gaps = [later - earlier for earlier, later in itertools.pairwise(made)]
            assert max(gaps) > 10 * AHEAD


class TestAnErrorThatWasMadeAhead:
    def test_is_raised_when_the_iterator_is_closed(self, read):
        def generator():
            yield LINE
            yield LINE
            raise error

        def is_raised():
            *pieces, last = read(generator(), most=2)
            return True if (pieces, last) == ([LINE, LINE], error) else None  # on a busy machine, it is not made ahead

        error = LookupError()
        assert eventually(is_raised, "the error is lost")


class TestClosing:
    @rows("most", [0, 1, 2, 5])
    def test_closes_the_generator_once_where_it_runs(self, read, most):
        def generator():
            threads = {threading.get_ident()}
            try:
                while True:
                    threads.add(threading.get_ident())
                    yield LINE
            finally:
                threads.add(threading.get_ident())
                closed.append(threads)

        closed = []
        source = generator()
        pieces = read(source, most=most)
        assert len(pieces) == most
        if most:
            assert len(closed) == 1
            assert len(closed[0]) == 1
            assert threading.get_ident() not in closed[0]
        assert source.gi_frame is None

    def test_ends_the_making_at_the_next_chunk(self):
        def generator():
            try:
                for number in itertools.count():
                    if number == 5:
                        waits.set()
                        assert may_go.wait(DEADLINE)
                    made.append(number)
                    yield LINE
            finally:
                closed.append(threading.get_ident())

        async def main():
            iterator, taken = AsyncFromSync(generator(), ahead=True), b""
            while len(taken) < 5 * len(LINE):
                taken += await anext(iterator)
            while not waits.is_set():
                await asyncio.sleep(AHEAD)
            closing = asyncio.create_task(iterator.aclose())
            await asyncio.sleep(5 * AHEAD)
            may_go.set()
            await closing

        waits, may_go, made, closed = Event(), Event(), [], []
        asyncio.run(asyncio.wait_for(main(), DEADLINE))
        assert made == [0, 1, 2, 3, 4, 5]
        assert len(closed) == 1

    def test_cancels_a_chunk_that_a_loop_waits_for(self):
        async def generator():
            try:
                for _ in range(5):
                    yield LINE
                await asyncio.Event().wait()
            except BaseException as error:
                ended.append(type(error))
                raise
            finally:
                await asyncio.sleep(0)
                ended.append("cleaned up")

        def reads():
            iterator, taken = SyncFromAsync(generator(), copy_context(), ahead=True), b""
            while len(taken) < 5 * len(LINE):
                taken += next(iterator)
            background_loop().run(asyncio.sleep(20 * AHEAD), copy_context())
            iterator.close()

        ended = []
        in_time(reads)
        assert ended in ([asyncio.CancelledError, "cleaned up"], [GeneratorExit, "cleaned up"])


class TestACancellation:
    def test_while_chunks_are_made_ahead_waits_for_one_of_them_and_loses_none(self):
        def generator():
            try:
                for _ in range(3):
                    yield LINE
                begun.set()
                assert may_go.wait(DEADLINE)
                made.append("fourth")
                yield LINE
                made.append("fifth")
                yield LINE
            finally:
                made.append("closed")

        async def reads():
            iterator = AsyncFromSync(generator(), ahead=True)
            try:
                while True:
                    taken.append(await anext(iterator))
            finally:
                await aclose(iterator)

        async def main():
            task = asyncio.create_task(reads())
            while not begun.is_set():
                await asyncio.sleep(AHEAD)
            await asyncio.sleep(5 * AHEAD)
            task.cancel()
            await asyncio.sleep(5 * AHEAD)
            assert not task.done()
            may_go.set()
            with pytest.raises(asyncio.CancelledError):
                await task

        begun, may_go, made, taken = Event(), Event(), [], []
        asyncio.run(asyncio.wait_for(main(), DEADLINE))
        assert made == ["fourth", "closed"]
        assert b"".join(taken) in (LINE * 3, LINE * 4)


def test_a_look_finds_nothing_for_seconds_and_the_chunk_still_comes_once():
    async def generator():
        yield LINE
        await asyncio.sleep(0.1)
        yield LINE

    def reads():
        return list(SyncFromAsync(generator(), copy_context(), None, 0.01, ahead=True))

    assert in_time(reads) == [LINE, LINE]
