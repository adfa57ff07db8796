import asyncio
import concurrent.futures
import gc
import sys
import threading
import time
import weakref
from contextlib import suppress
from contextvars import ContextVar, copy_context

import pytest

from antiphon.concurrency.background import background_loop
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.workers import WORKERS, file_workers, workers
from tests.helpers import zygote
from tests.helpers.free_threading import frees_at_once
from tests.helpers.rows import rows

first = ContextVar("first", default="unset")
second = ContextVar("second", default="unset")


class TestACrossing:
    @rows("fails", [False, True])
    def test_carries_variables_both_ways(self, fails):
        def there():
            seen = first.get()
            second.set("from there")
            if fails:
                raise LookupError(seen)
            return seen

        async def main():
            first.set("from here")
            try:
                seen = await Crossing().run(there)
            except LookupError as error:
                seen = error.args[0]
            return seen, second.get()

        assert asyncio.run(main()) == ("from here", "from there")

    def test_carries_back_that_a_variable_is_no_longer_set(self):
        async def main():
            crossing = Crossing()
            token = await crossing.run(first.set, "inside")
            await crossing.run(first.reset, token)
            return first.get()

        assert asyncio.run(main()) == "unset"

    def test_carries_there_that_a_variable_is_no_longer_set(self):
        async def main():
            token = first.set("here")
            crossing = Crossing()
            await crossing.run(first.get)
            first.reset(token)
            return await crossing.run(first.get)

        assert asyncio.run(main()) == "unset"

    def test_leaves_variables_alone_that_nobody_has_set(self):
        async def main():
            await Crossing().run(lambda: None)
            return first in copy_context()

        assert not asyncio.run(main())

    def test_can_be_undone_and_done_again(self):
        async def main():
            crossing, seen = Crossing(), []
            for value in ("one", "two"):
                token = await crossing.run(first.set, value)
                seen.append(first.get())
                await crossing.run(first.reset, token)
                seen.append(first.get())
                token = first.set(value)
                seen.append(await crossing.run(first.get))
                first.reset(token)
                seen.append(await crossing.run(first.get))
            return seen

        assert asyncio.run(main()) == ["one", "unset", "one", "unset", "two", "unset", "two", "unset"]

    @rows(
        "error", [StopIteration("x"), TimeoutError("x"), KeyError("x"), concurrent.futures.CancelledError()], ids=repr
    )
    def test_raises_the_very_error_whatever_it_is(self, error):
        def fails():
            raise error

        async def main():
            try:
                await asyncio.wait_for(Crossing().run(fails), 5)
            except RuntimeError as raised:  # what Python makes of a StopIteration in a coroutine
                return raised.__cause__
            except BaseException as raised:
                return raised

        assert asyncio.run(main()) is error

    @rows("times", [1, 3])
    def test_waits_for_what_has_begun_and_is_cancelled_after_it(self, times):
        begun = threading.Event()
        seen = []

        def there():
            begun.set()
            time.sleep(0.05)
            first.set("from there")
            seen.append("done")

        async def crosses():
            await Crossing().run(there)
            seen.append(first.get())
            await asyncio.sleep(0)
            seen.append("not cancelled")

        async def main():
            task = asyncio.create_task(crosses())
            while not begun.is_set():
                await asyncio.sleep(0.001)
            for _ in range(times):
                task.cancel("because")
                await asyncio.sleep(0.001)
            with pytest.raises(asyncio.CancelledError) as raised:
                await task
            return raised.value.args

        assert asyncio.run(main()) == ("because",)
        assert seen == ["done", "from there"]

    def test_that_is_cancelled_at_its_very_end_leaves_its_thread_to_others(self):
        """The thread has called the function, and is about to count who will return to it."""
        begun, goes_on, threads = threading.Event(), threading.Event(), workers()

        def there():
            begun.set()
            goes_on.wait(10)

        async def main():
            task = asyncio.create_task(Crossing().run(there))
            while not begun.is_set():
                await asyncio.sleep(0.001)
            with threads._lock:
                goes_on.set()
                time.sleep(0.02)
                task.cancel()
                for _ in range(5):
                    await asyncio.sleep(0)
            await asyncio.wait([task])

        before = sum(worker.returning for worker in threads._workers)
        asyncio.run(main())
        assert sum(worker.returning for worker in threads._workers) == before

    def test_of_a_task_that_a_thread_waits_for_goes_to_that(self):
        async def main():
            own = await Crossing().run(threading.get_ident)
            child = asyncio.create_task(Crossing().run(threading.get_ident))
            return own, await child

        own, childs = background_loop().run(main(), copy_context())
        assert own == threading.get_ident() != childs

    def test_leaves_a_timeout_around_it_to_its_scope(self):
        async def main():
            try:
                async with asyncio.timeout(0.01):
                    await Crossing().run(time.sleep, 0.05)
                    await asyncio.sleep(1)
            except TimeoutError:
                await asyncio.sleep(0)
                return asyncio.current_task().cancelling()

        assert asyncio.run(main()) == 0


@frees_at_once
def test_an_error_is_forgotten_with_those_who_have_it(seen):
    class Broken(Exception):
        pass

    def noted(error):
        seen.append(weakref.ref(error))
        return error

    def fails():
        raise noted(Broken())

    async def main():
        with suppress(Broken):
            await Crossing().run(fails)

    gc.disable()
    try:
        asyncio.run(main())
        assert seen[0]() is None
    finally:
        gc.enable()


def test_there_are_only_so_many_threads():
    running, most, lock = 0, 0, threading.Lock()

    def work():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    async def main():
        await asyncio.gather(*(Crossing().run(work) for _ in range(WORKERS * 2)))

    asyncio.run(main())
    assert 1 < most <= WORKERS


@rows("pool", [workers, file_workers], ids=["workers", "file workers"])
def test_a_pool_is_made_once(pool):
    assert pool() is pool()


def test_the_pools_are_two():
    assert workers() is not file_workers()


@pytest.mark.processes
@rows("pool", ["workers", "file_workers"])
@pytest.mark.skipif(not hasattr(sys.modules["os"], "fork"), reason="processes are not forked here")
def test_a_forked_child_has_threads_of_its_own(pool):
    script = f"""
import asyncio, os, threading
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.workers import {pool} as pool

async def main():
    return await Crossing(threads=pool()).run(threading.get_ident)

asyncio.run(main())
if pid := os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
assert asyncio.run(asyncio.wait_for(main(), 20)) != threading.get_ident()
"""
    assert zygote.run("-W", "ignore", "-c", script).returncode == 0
