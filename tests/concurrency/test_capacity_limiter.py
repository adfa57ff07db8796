"""Tokens that threads take if one is free, and for which tasks wait in line."""

import asyncio
import threading

from antiphon.concurrency.workers import CapacityLimiter
from tests.helpers.waiting import in_time


def test_as_many_as_there_are_can_be_acquired_and_each_again_when_it_is_released():
    limiter = CapacityLimiter(2)
    assert [limiter.try_acquire() for _ in range(3)] == [True, True, False]
    limiter.release()
    assert [limiter.try_acquire() for _ in range(2)] == [True, False]


def test_tasks_wait_in_line_for_what_other_threads_release():
    async def main():
        limiter, order = CapacityLimiter(1), []

        async def wait(name):
            await limiter.acquire()
            order.append(name)
            threading.Thread(target=limiter.release).start()

        await limiter.acquire()
        tasks = [asyncio.create_task(wait(name)) for name in "abc"]
        await asyncio.sleep(0)
        is_free = limiter.try_acquire()
        limiter.release()
        await asyncio.gather(*tasks)
        return is_free, order

    assert in_time(lambda: asyncio.run(main())) == (False, ["a", "b", "c"])


def test_tasks_that_are_cancelled_leave_the_line_even_if_it_is_their_turn():
    async def main():
        limiter = CapacityLimiter(1)
        await limiter.acquire()
        tasks = [asyncio.create_task(limiter.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        limiter.release()
        tasks[0].cancel()  # which has been given the token, and does not know it yet
        await asyncio.wait(tasks)
        return [task.cancelled() for task in tasks], limiter.try_acquire()

    assert in_time(lambda: asyncio.run(main())) == ([True, True, False], False)


def test_a_task_whose_loop_is_closed_gets_none():
    limiter, loop = CapacityLimiter(1), asyncio.new_event_loop()
    limiter.try_acquire()
    waiting = loop.create_task(limiter.acquire())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    limiter.release()
    assert limiter.try_acquire()
    waiting.get_coro().close()
    assert not limiter.try_acquire()
    waiting._log_destroy_pending = False
