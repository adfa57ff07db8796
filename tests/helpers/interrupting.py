"""A coroutine in a task of its own, which is interrupted at one of its awaits."""

import asyncio
from types import coroutine

AWAITS = 500
"""More awaits than any coroutine of a test has: it would never end."""


def cancel(_):
    asyncio.current_task().cancel()


def cancel_woken(awaited):
    """Cancel the current task as soon as it has what it waits for, before it goes on."""
    task = asyncio.current_task()
    if awaited is None or awaited.done():
        task.cancel()
    else:
        awaited.add_done_callback(lambda _: task.cancel())


class Interrupted:
    """The run of a coroutine in a task, with ``acts`` at its await of a given number, counted from 1, and at the next.

    Each act is called with what is awaited: a future, or None. ``done`` are those that were called; there are none if
    the coroutine has ended before.
    """

    def __init__(self, number, acts):
        self._until = number
        self._acts = list(acts)
        self.done = []

    async def run(self, steps, seconds=10):
        """Run a coroutine to its end, whatever that is, and return the task. Raises TimeoutError, with the stack."""
        task = asyncio.create_task(self._run(steps))
        ended, _ = await asyncio.wait([task], timeout=seconds)
        if not ended:
            task.print_stack()
            raise TimeoutError(f"the task goes on, {seconds} seconds after {self.done}")
        return task

    async def _run(self, steps):
        return await self._counted(steps)

    @coroutine
    def _counted(self, steps):
        resume, given = steps.send, None
        while True:
            try:
                awaited = resume(given)
            except StopIteration as end:
                return end.value
            self._until -= 1
            if self._until <= 0 and self._acts:
                self.done.append(self._acts.pop(0))
                self.done[-1](awaited)
            try:
                given, resume = (yield awaited), steps.send
            except BaseException as error:
                given, resume = error, steps.throw
