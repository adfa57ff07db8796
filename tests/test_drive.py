import asyncio
import gc
import subprocess
import sys
import threading
import time
from contextlib import suppress
from contextvars import ContextVar, copy_context

import pytest

from antiphon.drive import advance, run_async, run_sync
from antiphon.handler import ON_THREAD

DRIVERS = {
    "sync": lambda steps: run_sync(steps, copy_context()),
    "async": lambda steps: asyncio.run(run_async(steps)),
}
variable = ContextVar("variable", default="unset")


@pytest.fixture(params=DRIVERS.values(), ids=DRIVERS)
def drive(request):
    """A driver, as a function that takes steps to their end."""
    return request.param


async def gives(value):
    await asyncio.sleep(0)
    return value


async def fails(error):
    await asyncio.sleep(0)
    raise error


class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return "awaited"


async def pieces():
    await asyncio.sleep(0)
    yield "piece"


class TestBothDrivers:
    @pytest.mark.parametrize(
        ("make", "result"),
        [
            (lambda: gives("result"), "result"),
            (lambda: gives(None), None),
            (Awaitable, "awaited"),
            (lambda: anext(pieces()), "piece"),
        ],
        ids=["coroutine", "None", "object", "asynchronous generator"],
    )
    def test_send_what_was_awaited(self, drive, make, result):
        def steps():
            return (yield make())

        assert drive(steps()) == result

    def test_return_what_steps_without_effects_return(self, drive):
        def steps():
            yield from ()
            return "at once"

        assert drive(steps()) == "at once"

    def test_send_nothing_for_a_change_of_threads(self, drive):
        def steps():
            return (yield ON_THREAD), (yield ON_THREAD)

        assert drive(steps()) == (None, None)

    @pytest.mark.parametrize("pattern", ["T", "A", "TA", "AT", "TAT", "ATA", "TTAATT", "AATTAA"])
    def test_take_any_mixture(self, drive, pattern):
        def steps():
            results = []
            for at, letter in enumerate(pattern):
                if letter == "T":
                    yield ON_THREAD
                else:
                    results.append((yield gives(at)))
            return results

        assert drive(steps()) == [at for at, letter in enumerate(pattern) if letter == "A"]

    @pytest.mark.parametrize("before", ["", "T", "A"])
    def test_throw_the_very_error_in_where_the_awaitable_was_yielded(self, drive, before):
        error = ValueError("boom")

        def steps():
            for letter in before:
                yield ON_THREAD if letter == "T" else gives(1)
            try:
                yield fails(error)
            except ValueError as thrown:
                caught = thrown
            return caught, (yield gives("went on"))

        caught, result = drive(steps())
        assert caught is error
        assert result == "went on"

    def test_may_be_answered_with_an_awaitable_after_an_error(self, drive):
        def steps():
            try:
                yield fails(ValueError())
            except ValueError:
                return (yield gives("from the cleanup"))

        assert drive(steps()) == "from the cleanup"

    @pytest.mark.parametrize("pattern", ["", "T", "A", "AT", "TA"])
    def test_let_out_what_steps_raise(self, drive, pattern):
        error = LookupError("broken")

        def steps():
            for letter in pattern:
                yield ON_THREAD if letter == "T" else gives(1)
            raise error

        with pytest.raises(LookupError) as raised:
            drive(steps())
        assert raised.value is error

    def test_run_all_awaitables_in_one_task(self, drive):
        async def task():
            await asyncio.sleep(0)
            return asyncio.current_task()

        def steps():
            tasks = [(yield task())]
            yield ON_THREAD
            tasks.append((yield task()))
            try:
                yield fails(ValueError())
            except ValueError:
                tasks.append((yield task()))
            return tasks

        first, *others = drive(steps())
        assert all(other is first for other in others)

    def test_never_close_steps(self, drive):
        seen = []

        def steps():
            try:
                yield gives(1)
                yield ON_THREAD
                try:
                    yield fails(ValueError())
                except ValueError:
                    yield gives(2)
            except GeneratorExit:
                seen.append("closed")
                raise
            finally:
                seen.append("ended")

        drive(steps())
        gc.collect()
        assert seen == ["ended"]

    def test_carry_context_variables_through_every_step(self, drive):
        async def sets(value):
            variable.set(value)

        async def reads():
            return variable.get()

        def steps():
            seen = []
            variable.set("by the steps")
            seen.append((yield reads()))
            yield sets("by what was awaited")
            seen.append(variable.get())
            yield ON_THREAD
            seen.append(variable.get())
            variable.set("on the thread")
            seen.append((yield reads()))
            seen.append(variable.get())
            return seen

        assert drive(steps()) == [
            "by the steps", "by what was awaited", "by what was awaited", "on the thread", "on the thread"
        ]  # fmt: skip
        assert variable.get() == "unset"


class TestTheSyncDriver:
    def test_stays_on_its_thread_as_long_as_nothing_is_awaited(self):
        def steps():
            yield ON_THREAD
            return threading.get_ident()

        assert run_sync(steps(), copy_context()) == threading.get_ident()

    def test_makes_no_loop_as_long_as_nothing_is_awaited(self):
        script = """
import sys, threading
from contextvars import copy_context
from antiphon.drive import run_sync
from antiphon.handler import ON_THREAD

def steps():
    yield ON_THREAD
    return "done"

assert run_sync(steps(), copy_context()) == "done"
assert threading.active_count() == 1
assert "asyncio" not in sys.modules
"""
        assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0

    def test_leaves_variables_in_the_context_that_it_was_given(self):
        def steps():
            variable.set("before")
            yield gives(1)
            variable.set("after")

        context = copy_context()
        run_sync(steps(), context)
        assert context[variable] == "after"
        assert variable.get() == "unset"

    def test_serves_many_threads_at_once(self):
        barrier = threading.Barrier(8)
        results = []

        async def tick(number):
            await asyncio.sleep(0.01)
            return number

        def steps(number):
            barrier.wait(10)
            results.append((yield tick(number)))

        threads = [threading.Thread(target=run_sync, args=(steps(n), copy_context())) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(results) == list(range(8))


def cancelled_while(steps, *, when):
    """Run steps in a task and cancel that as soon as the event is set: whether CancelledError left."""

    async def main():
        task = asyncio.create_task(run_async(steps))
        while not when.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    return asyncio.run(asyncio.wait_for(main(), 10))


class TestCancellation:
    def test_is_thrown_in_where_steps_wait_and_leaves_when_they_have_ended(self):
        seen = []
        begun = threading.Event()

        async def forever():
            begun.set()
            await asyncio.Event().wait()

        def steps():
            try:
                yield forever()
            except asyncio.CancelledError:
                seen.append("thrown in")
                seen.append((yield gives("awaited in the cleanup")))
                yield ON_THREAD
                seen.append("on a thread in the cleanup")
                return "swallowed"

        assert cancelled_while(steps(), when=begun)
        assert seen == ["thrown in", "awaited in the cleanup", "on a thread in the cleanup"]

    def test_leaves_though_steps_fail_while_they_end(self):
        begun = threading.Event()

        async def forever():
            begun.set()
            await asyncio.Event().wait()

        def steps():
            try:
                yield forever()
            finally:
                with suppress(ValueError):
                    yield fails(ValueError())

        assert cancelled_while(steps(), when=begun)

    def test_closes_nothing(self):
        seen = []
        begun = threading.Event()

        async def forever():
            begun.set()
            await asyncio.Event().wait()

        def steps():
            try:
                yield forever()
            except BaseException as error:
                seen.append(type(error))
                raise

        assert cancelled_while(steps(), when=begun)
        gc.collect()
        assert seen == [asyncio.CancelledError]

    @pytest.mark.parametrize("times", [1, 3])
    def test_is_held_back_while_a_segment_runs_on_a_thread(self, times):
        seen = []

        def steps():
            try:
                yield ON_THREAD
                begun.set()
                time.sleep(0.1)
                seen.append("the segment has ended")
                yield gives(1)
                seen.append("went on as if nothing had been")
            except asyncio.CancelledError:
                seen.append("cancelled")
                yield ON_THREAD
                seen.append("cleaned up on a thread")

        async def main():
            task = asyncio.create_task(run_async(steps()))
            while not begun.is_set():
                await asyncio.sleep(0.001)
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0.005)
            assert seen == []
            with pytest.raises(asyncio.CancelledError):
                await task

        begun = threading.Event()
        asyncio.run(main())
        assert seen == ["the segment has ended", "cancelled", "cleaned up on a thread"]

    def test_leaves_when_steps_ended_on_the_thread(self):
        begun = threading.Event()

        def steps():
            yield ON_THREAD
            begun.set()
            time.sleep(0.05)
            return "an answer that nobody gets"

        assert cancelled_while(steps(), when=begun)

    def test_lets_the_error_out_with_which_steps_ended_on_the_thread(self):
        begun = threading.Event()

        def steps():
            yield ON_THREAD
            begun.set()
            time.sleep(0.05)
            raise LookupError

        with pytest.raises(LookupError):
            cancelled_while(steps(), when=begun)

    def test_closes_a_coroutine_that_was_made_on_the_thread_meanwhile(self):
        begun = threading.Event()
        seen = []

        def steps():
            yield ON_THREAD
            begun.set()
            time.sleep(0.05)
            try:
                yield gives(1)
            except asyncio.CancelledError:
                seen.append("cancelled")

        assert cancelled_while(steps(), when=begun)
        gc.collect()  # a coroutine that nobody awaited or closed would warn here
        assert seen == ["cancelled"]

    def test_reaches_an_asynchronous_generator_that_is_to_go_on_after_the_thread(self):
        # This is how asynchronous middleware is closed around a handler on a thread.
        seen = []
        begun = threading.Event()

        async def around():
            try:
                yield
                seen.append("was told of the response")
            finally:
                seen.append("has cleaned up")

        def steps():
            generator = around()
            yield anext(generator)
            yield ON_THREAD
            begun.set()
            time.sleep(0.05)
            with suppress(StopAsyncIteration):
                yield generator.asend("response")

        async def main():
            task = asyncio.create_task(run_async(steps()))
            while not begun.is_set():
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return list(seen)

        assert "has cleaned up" in asyncio.run(main())

    def test_with_a_message_keeps_it(self):
        async def main():
            begun = asyncio.Event()

            async def forever():
                begun.set()
                await asyncio.Event().wait()

            def steps():
                yield forever()

            task = asyncio.create_task(run_async(steps()))
            await begun.wait()
            task.cancel("because")
            with pytest.raises(asyncio.CancelledError) as raised:
                await task
            return raised.value.args

        assert asyncio.run(main()) == ("because",)

    def test_works_with_timeouts_around_the_driver(self):
        seen = []

        async def forever():
            await asyncio.Event().wait()

        def steps():
            try:
                yield forever()
            finally:
                seen.append((yield gives("cleaned up")))

        async def main():
            async with asyncio.timeout(0.01):
                await run_async(steps())

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert seen == ["cleaned up"]

    def test_works_with_timeouts_within_the_steps(self):
        async def in_time():
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()

        def steps():
            try:
                yield in_time()
            except TimeoutError:
                return (yield gives("went on"))

        assert asyncio.run(run_async(steps())) == "went on"


class TestTheAsyncDriver:
    def test_runs_in_the_current_task(self):
        async def task():
            return asyncio.current_task()

        def steps():
            return (yield task())

        async def main():
            return await run_async(steps()) is asyncio.current_task()

        assert asyncio.run(main())

    def test_goes_on_on_the_loop_after_an_awaitable_and_on_a_thread_after_a_switch(self):
        def steps():
            threads = [threading.get_ident()]
            yield ON_THREAD
            threads.append(threading.get_ident())
            yield ON_THREAD
            threads.append(threading.get_ident())
            yield gives(1)
            threads.append(threading.get_ident())
            return threads

        first, second, third, fourth = asyncio.run(run_async(steps()))
        assert first == fourth == threading.get_ident()
        assert second == third != first

    def test_does_not_hold_up_the_loop_while_a_segment_blocks(self):
        released = threading.Event()

        def steps():
            yield ON_THREAD
            return released.wait(10)

        async def main():
            task = asyncio.create_task(run_async(steps()))
            await asyncio.sleep(0.01)
            released.set()
            return await task

        assert asyncio.run(main())

    @pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
    def test_throws_what_ends_the_process_in_and_lets_it_out(self, leaving):
        seen = []

        def steps():
            try:
                yield fails(leaving())
            except BaseException as error:
                seen.append(type(error))

        async def main():
            with pytest.raises(leaving):
                await run_async(steps())

        asyncio.run(main())
        assert seen == [leaving]

    def test_goes_on_from_an_effect_that_steps_have_yielded_already(self):
        def steps():
            return (yield gives("went on"))

        taken = steps()
        waiting, _ = advance(taken)
        assert asyncio.run(run_async(taken, waiting)) == "went on"

    def test_keeps_the_coroutine_free_of_warnings_when_steps_are_in_error(self):
        def steps():
            yield "neither an awaitable nor a switch"

        with pytest.raises(TypeError):
            asyncio.run(run_async(steps()))


class TestAdvancing:
    def test_gives_what_is_to_be_awaited(self):
        coroutine = gives(1)

        def steps():
            yield ON_THREAD
            yield coroutine

        assert advance(steps()) == (coroutine, None)
        coroutine.close()

    def test_gives_what_was_returned(self):
        def steps():
            yield ON_THREAD
            return "result"

        assert advance(steps()) == (None, "result")
