import asyncio
import gc
import itertools
import threading
import time
from contextvars import ContextVar, copy_context

import pytest

from antiphon.concurrency.background import background_loop
from antiphon.concurrency.bridge import AsyncFromSync, SyncFromAsync
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.iterables import aclose
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, in_time

variable = ContextVar("variable", default="unset")


class Chunks:
    """An iterator of either kind that is no generator: it gives some chunks, then fails if it is told to."""

    def __init__(self, chunks=("a", "b"), error=None, blocks_when_closed=0.0):
        self._chunks = iter(chunks)
        self._error = error
        self._blocks_when_closed = blocks_when_closed
        self.calls = []
        self.closed_in = None

    def __iter__(self):
        self.calls.append("iter")
        return self

    def __next__(self):
        for chunk in self._chunks:
            return chunk
        raise self._error or StopIteration

    def close(self):
        self.calls.append("close")
        self.closed_in = threading.get_ident()

    def __aiter__(self):
        self.calls.append("aiter")
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        for chunk in self._chunks:
            return chunk
        raise self._error or StopAsyncIteration

    async def aclose(self):
        await asyncio.sleep(0)
        time.sleep(self._blocks_when_closed)
        self.calls.append("aclose")


class TestAnAsyncIterableOnAThread:
    def read(self, iterable, most=None):
        """The chunks, at most so many of them, after which it is closed."""

        def reads():
            iterator = SyncFromAsync(iterable, copy_context())
            try:
                return list(itertools.islice(iterator, most))
            finally:
                iterator.close()

        return in_time(reads)

    @rows("chunks", [(), ("a",), ("a", "b", "c"), (None, 0, b"")], ids=repr)
    def test_gives_its_chunks(self, chunks):
        assert self.read(Chunks(chunks)) == list(chunks)

    def test_runs_in_one_task_from_start_to_close(self):
        tasks = []

        async def generator():
            try:
                for _ in range(3):
                    tasks.append(asyncio.current_task())
                    await asyncio.sleep(0)
                    yield "chunk"
            finally:
                await asyncio.sleep(0)
                tasks.append(asyncio.current_task())

        self.read(generator(), 2)
        assert len(tasks) == 3
        assert len(set(tasks)) == 1

    @rows("most", [0, 1, 2, None], ids=["unread", "begun", "read", "ended"])
    def test_is_closed(self, most):
        chunks = Chunks()
        self.read(chunks, most)
        assert chunks.calls == ["aiter", "aclose"]

    def test_that_fails_is_closed_and_its_error_raised(self):
        error = LookupError("boom")
        chunks = Chunks(error=error)
        with pytest.raises(LookupError) as raised:
            self.read(chunks)
        assert raised.value is error
        assert chunks.calls == ["aiter", "aclose"]

    def test_has_the_context_that_it_was_given(self):
        async def generator():
            yield variable.get()
            variable.set("by the generator")
            yield None

        def reads():
            context = copy_context()
            context.run(variable.set, "given")
            iterator = SyncFromAsync(generator(), context)
            seen = next(iterator)
            next(iterator)
            iterator.close()
            return seen, context[variable]

        assert in_time(reads) == ("given", "by the generator")

    def test_raises_what_closing_raises(self):
        async def generator():
            try:
                yield 1
            finally:
                raise LookupError("in the cleanup")

        with pytest.raises(LookupError):
            self.read(generator(), 1)

    @rows("error", [None, LookupError()], ids=["ended", "failed"])
    def test_stays_ended(self, error):
        def reads():
            iterator = SyncFromAsync(Chunks(("a",), error), copy_context())
            seen = [next(iterator)]
            for _ in range(3):
                try:
                    seen.append(next(iterator, "end"))
                except LookupError:
                    seen.append("failed")
            iterator.close()
            return seen

        assert in_time(reads) == ["a", "failed" if error else "end", "end", "end"]

    @rows("late", [False, True], ids=["at once", "when it has failed already"])
    def test_that_cannot_be_begun_raises(self, late):
        class Broken:
            def __aiter__(self):
                raise LookupError("cannot begin")

        def reads():
            iterator = SyncFromAsync(Broken(), copy_context())
            if late:
                background_loop().run(asyncio.sleep(0.05), copy_context())
            next(iterator)

        with pytest.raises(LookupError):
            in_time(reads)

    def test_blocks_on_the_thread_that_reads_it(self):
        async def generator():
            crossing = Crossing()
            try:
                for _ in range(2):
                    yield await crossing.run(threading.get_ident)
            finally:
                closed_on.append(await crossing.run(threading.get_ident))

        def reads():
            iterator = SyncFromAsync(generator(), copy_context())
            seen = [next(iterator), next(iterator)]
            iterator.close()
            return {threading.get_ident(), *seen, *closed_on}

        closed_on = []
        assert len(in_time(reads)) == 1

    def test_looks_around_while_it_waits_and_cancels_the_wait_when_it_is_closed(self, seen):
        async def generator():
            yield "first"
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("cleaned up")

        def reads():
            iterator = SyncFromAsync(generator(), copy_context(), lambda: "a look", 0.01)
            seen.extend([next(iterator), next(iterator), next(iterator)])
            iterator.close()

        in_time(reads)
        assert seen == ["first", "a look", "a look", "cleaned up"]

    def test_goes_on_waiting_for_the_same_item_after_a_look(self):
        async def generator():
            await may_go.wait()
            yield "only"

        def look():
            background_loop().loop.call_soon_threadsafe(may_go.set)
            return "a look"

        def reads():
            iterator = SyncFromAsync(generator(), copy_context(), look, 0.01)
            return [chunk for chunk in iterator if chunk != "a look"]

        may_go = asyncio.Event()
        assert in_time(reads) == ["only"]

    def test_leaves_its_context_free_as_soon_as_it_has_failed(self):
        def reads():
            context = copy_context()
            iterator = SyncFromAsync(Chunks((), LookupError(), blocks_when_closed=0.2), context)
            try:
                next(iterator)
            except LookupError:
                return context.run(variable.get)

        assert in_time(reads) == "unset"

    def test_whose_task_is_cancelled_ends_who_waits(self):
        async def generator():
            asyncio.current_task().cancel()
            await asyncio.sleep(1)
            yield "never"

        with pytest.raises(asyncio.CancelledError):
            self.read(generator())


class TestABlockingIterableOnALoop:
    def read(self, iterable, most=None):
        async def reads():
            iterator = AsyncFromSync(iterable)
            chunks = []
            try:
                while most is None or len(chunks) < most:
                    chunks.append(await anext(iterator))
            except StopAsyncIteration:
                pass
            finally:
                await aclose(iterator)
            return chunks

        return asyncio.run(asyncio.wait_for(reads(), DEADLINE))

    @rows("chunks", [(), ("a",), ("a", "b", "c"), (None, 0, b"")], ids=repr)
    def test_gives_its_chunks(self, chunks):
        assert self.read(Chunks(chunks)) == list(chunks)

    @rows("most", [0, 1, 2, None], ids=["unread", "begun", "read", "ended"])
    def test_is_closed(self, most):
        chunks = Chunks()
        self.read(chunks, most)
        assert chunks.calls.count("close") == 1

    def test_that_fails_is_closed_and_its_error_raised(self):
        error = LookupError("boom")
        chunks = Chunks(error=error)
        with pytest.raises(LookupError) as raised:
            self.read(chunks)
        assert raised.value is error
        assert chunks.calls.count("close") == 1

    def test_is_closed_where_its_iterator_cannot_be(self):
        class Collection:
            closed = False

            def __iter__(self):
                return iter(["a"])

            def close(self):
                self.closed = True

        collection = Collection()
        assert self.read(collection) == ["a"]
        assert collection.closed

    @rows("when", ["in a chunk", "between chunks"])
    def test_is_closed_when_the_task_is_cancelled(self, when):
        chunks = Chunks()
        begun = threading.Event()

        def generator():
            try:
                while True:
                    begun.set()
                    if when == "in a chunk":
                        time.sleep(0.05)
                    yield "chunk"
            finally:
                chunks.close()

        async def reads():
            iterator = AsyncFromSync(generator())
            try:
                async for _ in iterator:  # each is waited for
                    if when == "between chunks":
                        await asyncio.sleep(10)
            finally:
                await aclose(iterator)

        async def main():
            task = asyncio.create_task(reads())
            while not begun.is_set():
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(asyncio.wait_for(main(), DEADLINE))
        assert chunks.calls == ["close"]

    def test_may_end_by_raising_stop_iteration_itself(self):
        class Stops:
            def __iter__(self):
                return self

            def __next__(self):
                raise StopIteration("with a value")

        assert self.read(Stops()) == []

    def test_is_closed_though_a_cancellation_came_while_its_last_chunk_was_made(self):
        chunks = Chunks(())
        begun = threading.Event()

        class Slow:
            def __iter__(self):
                return self

            def __next__(self):
                begun.set()
                time.sleep(0.05)
                raise StopIteration

            def close(self):
                chunks.close()

        async def reads():
            iterator = AsyncFromSync(Slow())
            try:
                async for _ in iterator:
                    pass
            finally:
                await aclose(iterator)
            await asyncio.sleep(0)

        async def main():
            task = asyncio.create_task(reads())
            while not begun.is_set():
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(asyncio.wait_for(main(), DEADLINE))
        assert chunks.calls == ["close"]


def test_closing_what_cannot_be_closed_does_nothing():
    class Bare:
        def __aiter__(self):
            return self

    asyncio.run(aclose(Bare()))


@rows("make", [AsyncFromSync, aiter], ids=["blocking", "waiting"])
def test_an_iterable_that_is_dropped_warns_of_nothing(make):
    make(Chunks())
    gc.collect()
