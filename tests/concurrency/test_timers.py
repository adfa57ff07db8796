"""Waits for a coroutine that end when their time is up, with one timer for all those of a loop."""

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from types import coroutine

import pytest
import uvloop

from antiphon.concurrency import timers
from antiphon.concurrency.timers import finished_within
from tests.helpers.rows import rows

SOON, LATE = 0.02, 60.0


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request):
    """Run a coroutine on a new loop, for ten seconds at most."""

    def run_it(coroutine):
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(asyncio.wait_for(coroutine, 10))

    return run_it


async def within(seconds, coroutine):
    """Start a coroutine, as code does that first looks for bytes already received, and wait for the rest of it."""
    return await finished_within(seconds, coroutine, coroutine.send(None))


async def in_the_next_pass():
    """Return a value that comes in the next pass of the loop."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.set_result, "it")
    return await future


async def never():
    await asyncio.get_running_loop().create_future()


async def spin():
    while True:
        await asyncio.sleep(0)


async def in_steps(steps, value):
    for _ in range(steps):
        await asyncio.sleep(0.001)
        await asyncio.sleep(0)
    return value


def cancellations():
    return asyncio.current_task().cancelling()


class Reluctant:
    """Cleans up when it is cancelled, for some passes of the loop, and calls a function meanwhile."""

    def __init__(self, then=lambda: None):
        self.cancelled = 0
        self.then = then

    async def wait(self):
        try:
            await never()
        except asyncio.CancelledError:
            self.cancelled += 1
            for _ in range(5):
                await asyncio.sleep(0)
            self.then()
            await asyncio.sleep(0.005)
            raise


class TestAWait:
    @rows("seconds", [SOON * 50, LATE, float("inf")])
    def test_gives_what_came_in_time(self, run, seconds):
        assert run(within(seconds, in_steps(3, "it"))) == "it"

    @rows("coroutine", [never, spin, lambda: Reluctant().wait()], ids=["idle", "busy", "reluctant"])
    @rows("seconds", [0, SOON])
    def test_ends_when_its_time_is_up_and_not_before(self, run, seconds, coroutine):
        async def main():
            start = monotonic()
            result = await within(seconds, coroutine())
            return result, monotonic() - start >= seconds, cancellations()

        assert run(main()) == (None, True, 0)

    def test_raises_what_is_raised(self, run):
        async def fail():
            await asyncio.sleep(0)
            raise TimeoutError("its own")

        with pytest.raises(TimeoutError, match="its own"):
            run(within(LATE, fail()))

    def test_cancels_once(self, run, monkeypatch):
        monkeypatch.setattr(timers, "INTERVAL", 0.0)
        reluctant = Reluctant()
        assert run(within(0, reluctant.wait())) is None
        assert reluctant.cancelled == 1

    def test_gives_what_comes_in_the_pass_in_which_its_time_is_up(self, run):
        assert run(within(0, in_the_next_pass())) == "it"

    def test_gives_what_comes_in_the_next_pass_of_a_loop_that_is_late(self, run):
        @coroutine
        def begun_slowly(steps):
            effect = steps.send(None)
            sleep(0.02)  # so that timers are due before the loop's next pass
            while True:
                try:
                    effect = steps.send((yield effect))
                except StopIteration as end:
                    return end.value

        async def main():
            return await begun_slowly(within(0, in_the_next_pass()))

        assert run(main()) == "it"

    def test_ends_at_what_is_awaited_next_if_the_first_is_done_by_then(self, run):
        async def wait():
            await in_the_next_pass()
            await never()

        assert run(within(0, wait())) is None

    def test_may_be_within_another_of_the_same_task(self, run):
        assert run(within(LATE, within(SOON, never()))) is None
        assert run(within(SOON, within(LATE, never()))) is None


class TestACancellationByOthers:
    def test_is_raised(self, run):
        async def main():
            task = asyncio.create_task(within(LATE, never()))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        run(main())

    @rows("first", ["the cancellation", "the end of the time"])
    def test_is_raised_if_the_time_is_up_as_well(self, run, first):
        async def main():
            tasks = []
            reluctant = Reluctant(lambda: tasks[0].cancel() if first == "the end of the time" else None)

            async def wait():  # a task, so that the cancellation takes a while
                await asyncio.create_task(reluctant.wait())

            tasks.append(asyncio.create_task(within(SOON, wait())))
            await asyncio.sleep(0)
            if first == "the cancellation":
                reluctant.then = lambda: [wait.end() for wait in timers._waits.get(tasks[0].get_loop())._waits]
                tasks[0].cancel()
            await asyncio.wait(tasks)
            return tasks[0].cancelled(), tasks[0].cancelling()

        assert run(main()) == (True, 1)

    def test_that_was_caught_before_does_not_count(self, run):
        async def stubborn():
            with pytest.raises(asyncio.CancelledError):
                await never()
            return await within(SOON, never()), cancellations()

        async def main():
            task = asyncio.create_task(stubborn())
            await asyncio.sleep(0)
            task.cancel()
            return await task

        assert run(main()) == (None, 1)

    @rows("outer, inner, expected", [(SOON, LATE, "outer"), (LATE, SOON, None)])
    def test_by_a_timeout_around_it_is_told_from_its_own(self, run, outer, inner, expected):
        async def main():
            try:
                async with asyncio.timeout(outer):
                    return await within(inner, never()), cancellations()
            except TimeoutError:
                return "outer", cancellations()

        assert run(main()) == (expected, 0)


class TestTheTimer:
    def timers(self):
        return [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]

    def test_looks_at_many_waits_together(self, monkeypatch):
        looks = []

        async def main():
            call_later = asyncio.get_running_loop().call_later
            monkeypatch.setattr(
                asyncio.get_running_loop(),
                "call_later",
                lambda *call, **named: (looks.append(call), call_later(*call, **named))[1],
            )
            return await asyncio.gather(*[within(SOON + place / 10_000, never()) for place in range(1000)])

        assert asyncio.run(main()) == [None] * 1000
        assert len(looks) < 10

    def test_is_not_started_for_what_has_no_end(self):
        async def main():
            task = asyncio.create_task(within(float("inf"), never()))
            await asyncio.sleep(0)
            timers = self.timers()
            task.cancel()
            return timers

        assert asyncio.run(main()) == []

    def test_runs_out_when_nobody_waits(self):
        async def main():
            assert await within(SOON, in_steps(1, "it")) == "it"
            while self.timers():
                await asyncio.sleep(0)

        asyncio.run(main())

    def test_is_of_its_own_loop(self, run):
        barrier = threading.Barrier(4)

        def wait_on_a_loop(_):
            barrier.wait()
            return run(asyncio.wait_for(within(SOON, never()), 10))

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(wait_on_a_loop, range(4))) == [None] * 4

    def test_keeps_nothing_of_what_has_ended(self, run):
        class Result:
            pass

        async def main():
            result = await within(LATE, in_steps(1, Result()))
            reference = weakref.ref(result)
            del result
            return reference

        assert run(main())() is None

    def test_keeps_no_loop_that_was_closed_once_another_waits(self, run):
        async def main():
            await within(LATE, in_steps(1, "it"))
            return weakref.ref(asyncio.get_running_loop())

        closed = run(main())
        run(main())
        gc.collect()
        assert closed() is None
