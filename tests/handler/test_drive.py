import asyncio
import gc
import subprocess
import sys
import threading
import time
from contextlib import suppress
from contextvars import ContextVar, copy_context

import pytest

from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.handler.drive import advance, driven, run_async, run_sync
from tests.helpers.rows import rows

DRIVERS = {"sync": lambda steps: run_sync(steps, copy_context()), "async": lambda steps: asyncio.run(driven(steps))}
variable = ContextVar("variable", default="unset")


@pytest.fixture(params=DRIVERS.values(), ids=DRIVERS)
def drive(request):
    return request.param


async def gives(value):
    await asyncio.sleep(0)
    return value


async def fails(error):
    await asyncio.sleep(0)
    raise error


async def on_loop(awaitable):
    await ON_LOOP
    return await awaitable


class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return "awaited"


async def chunks():
    await asyncio.sleep(0)
    yield "chunk"


class TestBothDrivers:
    @rows(
        "make, result",
        (lambda: gives("result"), "result"),
        (lambda: gives(None), None),
        (Awaitable, "awaited"),
        (lambda: anext(chunks()), "chunk"),
        ids=["coroutine", "None", "object", "asynchronous generator"],
    )
    def test_send_what_was_awaited(self, drive, make, result):
        async def steps():
            return await on_loop(make())

        assert drive(steps()) == result

    @rows("pattern", ["T", "A", "TA", "AT", "TAT", "ATA", "TTAATT", "AATTAA"])
    def test_take_any_mixture(self, drive, pattern):
        async def steps():
            results = []
            for at, letter in enumerate(pattern):
                if letter == "T":
                    await ON_THREAD
                else:
                    results.append(await on_loop(gives(at)))
            return results

        assert drive(steps()) == [at for at, letter in enumerate(pattern) if letter == "A"]

    @rows("before", ["", "T", "A"])
    def test_throw_the_very_error_in_where_the_awaitable_was_yielded(self, drive, before):
        error = ValueError("boom")

        async def steps():
            for letter in before:
                await (ON_THREAD if letter == "T" else on_loop(gives(1)))
            try:
                await on_loop(fails(error))
            except ValueError as thrown:
                caught = thrown
            return caught, await on_loop(gives("went on"))

        caught, result = drive(steps())
        assert caught is error
        assert result == "went on"

    @rows("pattern", ["", "T", "A", "AT", "TA"])
    def test_let_out_what_steps_raise(self, drive, pattern):
        error = LookupError("broken")

        async def steps():
            for letter in pattern:
                await (ON_THREAD if letter == "T" else on_loop(gives(1)))
            raise error

        with pytest.raises(LookupError) as raised:
            drive(steps())
        assert raised.value is error

    def test_run_all_awaitables_in_one_task(self, drive):
        async def task():
            await asyncio.sleep(0)
            return asyncio.current_task()

        async def steps():
            tasks = [await on_loop(task())]
            await ON_THREAD
            tasks.append(await on_loop(task()))
            try:
                await on_loop(fails(ValueError()))
            except ValueError:
                tasks.append(await on_loop(task()))
            return tasks

        first, *others = drive(steps())
        assert all(other is first for other in others)

    def test_never_close_steps(self, drive):
        seen = []

        async def steps():
            try:
                await on_loop(gives(1))
                await ON_THREAD
                try:
                    await on_loop(fails(ValueError()))
                except ValueError:
                    await on_loop(gives(2))
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

        async def steps():
            seen = []
            variable.set("by the steps")
            seen.append(await on_loop(reads()))
            await on_loop(sets("by what was awaited"))
            seen.append(variable.get())
            await ON_THREAD
            seen.append(variable.get())
            variable.set("on the thread")
            seen.append(await on_loop(reads()))
            seen.append(variable.get())
            return seen

        assert drive(steps()) == [
            "by the steps", "by what was awaited", "by what was awaited", "on the thread", "on the thread"
        ]  # fmt: skip
        assert variable.get() == "unset"


class TestTheSyncDriver:
    def test_goes_back_to_its_thread_from_the_loop(self):
        async def steps():
            threads = []
            for _ in range(2):
                await ON_LOOP
                await asyncio.sleep(0)
                threads.append(threading.current_thread().name)
                await ON_THREAD
                threads.append(threading.get_ident())
            return threads

        assert run_sync(steps(), copy_context()) == ["antiphon-loop", threading.get_ident()] * 2

    @rows("first", [ON_THREAD, ON_LOOP], ids=lambda place: place.value)
    def test_has_one_context_on_its_thread_in_which_tokens_can_be_reset(self, first):
        async def steps():
            await first
            await ON_THREAD
            token = variable.set("inside")
            await on_loop(gives(1))
            await ON_THREAD
            inside = variable.get()
            variable.reset(token)
            return inside, variable.get()

        assert run_sync(steps(), copy_context()) == ("inside", "unset")

    @rows("error", [LookupError(), KeyboardInterrupt(), SystemExit()], ids=repr)
    def test_raises_what_is_raised_on_its_thread_after_the_loop(self, error):
        seen = []

        async def steps():
            await on_loop(gives(1))
            await ON_THREAD
            try:
                raise error
            finally:
                seen.append(await on_loop(gives("cleaned up")))

        with pytest.raises(type(error)) as raised:
            run_sync(steps(), copy_context())
        assert raised.value is error
        assert seen == ["cleaned up"]

    @pytest.mark.processes
    def test_has_a_worker_clean_up_when_its_thread_has_been_interrupted(self):
        script = """
import asyncio, os, signal, threading
from contextvars import copy_context
from antiphon.handler.drive import run_sync
from antiphon.handler.contract import ON_LOOP, ON_THREAD

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
cleaned, names = threading.Event(), []

async def steps():
    await ON_LOOP
    try:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
    finally:
        await ON_THREAD
        names.append(threading.current_thread().name)
        cleaned.set()

try:
    run_sync(steps(), copy_context())
except KeyboardInterrupt:
    assert cleaned.is_set()  # the process may end at once
    assert names == ["antiphon-0"]
else:
    raise SystemExit("not interrupted")
"""
        ended = subprocess.run([sys.executable, "-c", script], timeout=60, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")

    @pytest.mark.processes
    def test_makes_no_loop_as_long_as_nothing_is_awaited(self):
        script = """
import sys, threading
from contextvars import copy_context
from antiphon.handler.drive import run_sync
from antiphon.handler.contract import ON_THREAD

async def steps():
    await ON_THREAD
    return "done"

assert run_sync(steps(), copy_context()) == "done"
assert threading.active_count() == 1
assert "asyncio" not in sys.modules
"""
        assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0

    def test_serves_many_threads_at_once(self):
        barrier = threading.Barrier(8)
        results = []

        async def tick(number):
            await asyncio.sleep(0.01)
            return number

        async def steps(number):
            barrier.wait(10)
            results.append(await on_loop(tick(number)))

        threads = [threading.Thread(target=run_sync, args=(steps(n), copy_context())) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(results) == list(range(8))


def cancelled_while(steps, *, when):
    """Run steps in a task and cancel that as soon as the event is set: whether CancelledError left."""

    async def main():
        task = asyncio.create_task(driven(steps))
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

        async def steps():
            try:
                await on_loop(forever())
            except asyncio.CancelledError:
                seen.append("thrown in")
                seen.append(await on_loop(gives("awaited in the cleanup")))
                await ON_THREAD
                seen.append("on a thread in the cleanup")
                raise

        assert cancelled_while(steps(), when=begun)
        assert seen == ["thrown in", "awaited in the cleanup", "on a thread in the cleanup"]

    def test_leaves_though_steps_fail_while_they_end(self):
        begun = threading.Event()

        async def forever():
            begun.set()
            await asyncio.Event().wait()

        async def steps():
            try:
                await on_loop(forever())
            finally:
                with suppress(ValueError):
                    await on_loop(fails(ValueError()))

        assert cancelled_while(steps(), when=begun)

    @rows("times", [1, 3])
    def test_is_held_back_while_a_segment_runs_on_a_thread(self, times):
        seen = []

        async def steps():
            try:
                await ON_THREAD
                begun.set()
                may_end.wait(10)
                seen.append("the segment has ended")
                await on_loop(gives(1))
                seen.append("went on as if nothing had been")
            except asyncio.CancelledError:
                seen.append("cancelled")
                await ON_THREAD
                seen.append("cleaned up on a thread")
                raise

        async def main():
            task = asyncio.create_task(driven(steps()))
            while not begun.is_set():
                await asyncio.sleep(0.001)
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0.005)
            assert seen == []
            may_end.set()
            with pytest.raises(asyncio.CancelledError):
                await task

        begun, may_end = threading.Event(), threading.Event()
        asyncio.run(main())
        assert seen == ["the segment has ended", "cancelled", "cleaned up on a thread"]

    def test_leaves_when_steps_ended_on_the_thread(self):
        begun = threading.Event()

        async def steps():
            await ON_THREAD
            begun.set()
            time.sleep(0.05)
            return "an answer that nobody gets"

        assert cancelled_while(steps(), when=begun)

    def test_lets_the_error_out_with_which_steps_ended_on_the_thread(self):
        begun = threading.Event()

        async def steps():
            await ON_THREAD
            begun.set()
            time.sleep(0.05)
            raise LookupError

        with pytest.raises(LookupError):
            cancelled_while(steps(), when=begun)

    def test_closes_a_coroutine_that_was_made_on_the_thread_meanwhile(self):
        begun = threading.Event()
        seen = []

        async def steps():
            await ON_THREAD
            begun.set()
            time.sleep(0.05)
            try:
                await on_loop(gives(1))
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

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

        async def steps():
            generator = around()
            await on_loop(anext(generator))
            await ON_THREAD
            begun.set()
            time.sleep(0.05)
            with suppress(StopAsyncIteration):
                await on_loop(generator.asend("response"))

        async def main():
            task = asyncio.create_task(driven(steps()))
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

            async def steps():
                await on_loop(forever())

            task = asyncio.create_task(driven(steps()))
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

        async def steps():
            try:
                await on_loop(forever())
            finally:
                seen.append(await on_loop(gives("cleaned up")))

        async def main():
            async with asyncio.timeout(0.01):
                await run_async(steps())

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert seen == ["cleaned up"]


class TestTheAsyncDriver:
    def test_goes_on_on_the_loop_after_an_awaitable_and_on_a_thread_after_a_switch(self):
        async def steps():
            threads = [threading.get_ident()]
            await ON_THREAD
            threads.append(threading.get_ident())
            await ON_THREAD
            threads.append(threading.get_ident())
            await on_loop(gives(1))
            threads.append(threading.get_ident())
            return threads

        first, second, third, fourth = asyncio.run(driven(steps()))
        assert first == fourth == threading.get_ident()
        assert second == third != first

    @rows("leaving", [KeyboardInterrupt, SystemExit])
    def test_throws_what_ends_the_process_in_and_lets_it_out(self, leaving):
        seen = []

        async def steps():
            try:
                await on_loop(fails(leaving()))
            except BaseException as error:
                seen.append(type(error))
                raise

        async def main():
            with pytest.raises(leaving):
                await run_async(steps())

        asyncio.run(main())
        assert seen == [leaving]

    def test_lets_steps_swallow_a_cancellation_as_any_coroutine_may(self):
        begun = threading.Event()

        async def steps():
            try:
                begun.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return "went on"

        assert not cancelled_while(steps(), when=begun)

    @rows("fails", [False, True])
    @rows("waits", [None, "loop", "thread"])
    def test_that_its_scope_has_taken_back_is_gone(self, waits, fails):
        """The scope is within the steps; it ends while they are on a thread, and the cancellation is held back."""

        async def steps():
            await ON_LOOP
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await ON_THREAD
                    time.sleep(0.05)
                    await ON_LOOP
            if waits:
                await (asyncio.sleep(0) if waits == "loop" else ON_THREAD)
            if fails:
                raise LookupError
            return "steps"

        async def main():
            with suppress(LookupError):
                assert await driven(steps()) == "steps"
            await asyncio.sleep(0)
            return "here"

        assert asyncio.run(main()) == "here"

    def test_leaves_once_when_steps_raise_another_one(self):
        async def steps():
            await ON_THREAD
            time.sleep(0.05)
            raise asyncio.CancelledError

        async def main():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await driven(steps())
            await asyncio.sleep(0)
            return "here"

        assert asyncio.run(main()) == "here"


class TestAdvancing:
    @rows("switches", [[], [ON_THREAD], [ON_THREAD, ON_THREAD]], ids=len)
    def test_goes_on_to_the_end(self, switches):
        async def steps():
            for switch in switches:
                await switch
            return "result"

        assert advance(steps()) == (bool(switches), True, "result")

    @rows("switches", [[], [ON_THREAD]], ids=len)
    def test_stops_where_a_loop_is_wanted(self, switches):
        async def steps():
            for switch in switches:
                await switch
            await ON_LOOP
            return "result"

        taken = steps()
        assert advance(taken) == (bool(switches), False, None)
        assert asyncio.run(driven(taken)) == "result"

    def test_tells_steps_that_await_something_on_a_thread_what_to_say_before(self):
        async def steps():
            await ON_THREAD
            try:
                await gives(1)
            except RuntimeError as error:
                return str(error)

        _, has_ended, said = advance(steps())
        assert has_ended
        assert "await ON_LOOP" in said
