import asyncio
import subprocess
import sys
import threading
import time
from contextvars import ContextVar, copy_context

import pytest

from antiphon.threads import WORKERS, Crossing, carry, executor

first = ContextVar("first", default="unset")
second = ContextVar("second", default="unset")


class TestCarrying:
    def test_sets_here_what_is_set_there(self):
        def here():
            first.set("old")
            carry(there)
            return first.get(), second.get()

        there = copy_context()
        there.run(first.set, "new")
        there.run(second.set, "other")
        assert copy_context().run(here) == ("new", "other")

    def test_leaves_alone_what_is_only_set_here(self):
        def here():
            first.set("kept")
            carry(there)
            return first.get()

        there = copy_context()
        assert copy_context().run(here) == "kept"

    def test_compares_by_identity(self):
        class Odd:
            def __eq__(self, other):
                raise AssertionError("asked for equality")

            __hash__ = None

        def here():
            first.set(Odd())
            carry(there)
            return first.get()

        there, wanted = copy_context(), Odd()
        there.run(first.set, wanted)
        assert copy_context().run(here) is wanted


class TestACrossing:
    def test_calls_on_another_thread_and_gives_the_result(self):
        async def main():
            return await Crossing().run(threading.get_ident)

        thread, cancelled = asyncio.run(main())
        assert thread != threading.get_ident()
        assert cancelled is None

    def test_raises_what_is_raised(self):
        error = LookupError()

        def fails():
            raise error

        async def main():
            with pytest.raises(LookupError) as raised:
                await Crossing().run(fails)
            return raised.value

        assert asyncio.run(main()) is error

    @pytest.mark.parametrize("fails", [False, True])
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
                seen, _ = await Crossing().run(there)
            except LookupError as error:
                seen = error.args[0]
            return seen, second.get()

        assert asyncio.run(main()) == ("from here", "from there")

    def test_lets_a_token_be_reset_in_a_later_call(self):
        async def main():
            first.set("outside")
            crossing = Crossing()
            token, _ = await crossing.run(first.set, "inside")
            seen = [first.get()]
            await crossing.run(first.reset, token)
            seen.append(first.get())
            return seen

        assert asyncio.run(main()) == ["inside", "outside"]

    def test_carries_back_that_a_variable_is_no_longer_set(self):
        async def main():
            crossing = Crossing()
            token, _ = await crossing.run(first.set, "inside")
            await crossing.run(first.reset, token)
            return first.get()

        assert asyncio.run(main()) == "unset"

    def test_carries_there_that_a_variable_is_no_longer_set(self):
        async def main():
            token = first.set("here")
            crossing = Crossing()
            await crossing.run(first.get)
            first.reset(token)
            seen, _ = await crossing.run(first.get)
            return seen

        assert asyncio.run(main()) == "unset"

    def test_carries_what_was_set_between_two_calls(self):
        async def main():
            crossing = Crossing()
            await crossing.run(first.set, "one")
            first.set("two")
            seen, _ = await crossing.run(first.get)
            return seen

        assert asyncio.run(main()) == "two"

    def test_waits_for_what_has_begun_and_tells_of_the_cancellation(self):
        begun = threading.Event()
        seen = []

        def there():
            begun.set()
            time.sleep(0.05)
            seen.append("done")
            return "result"

        async def crosses():
            seen.append(await Crossing().run(there))

        async def main():
            task = asyncio.create_task(crosses())
            while not begun.is_set():
                await asyncio.sleep(0.001)
            task.cancel("because")
            await task

        asyncio.run(main())
        done, (result, cancelled) = seen
        assert (done, result) == ("done", "result")
        assert isinstance(cancelled, asyncio.CancelledError)
        assert cancelled.args == ("because",)


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


def test_the_pool_is_made_once():
    assert executor() is executor()


@pytest.mark.skipif(not hasattr(sys.modules["os"], "fork"), reason="processes are not forked here")
def test_a_forked_child_has_threads_of_its_own():
    script = """
import asyncio, os, threading
from antiphon.threads import Crossing

async def main():
    return await Crossing().run(threading.get_ident)

asyncio.run(main())
if pid := os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
assert asyncio.run(asyncio.wait_for(main(), 20))[0] != threading.get_ident()
"""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", script], timeout=60).returncode == 0
