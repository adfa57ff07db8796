"""Code that may be on an event loop: find out, and yield to it."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Task

TIME_SLICE = 0.01
"""Seconds for which a coroutine that never has to wait may keep the event loop, before it yields.

Longer than ``sys.getswitchinterval()``: a loop that releases the GIL, and takes it back, more often than that may keep
the threads of a server from getting it for seconds.
"""


def is_on_loop() -> bool:
    """Return True if an asyncio event loop runs on this thread. Does not import asyncio."""
    asyncio = sys.modules.get("asyncio")
    # While another thread still imports asyncio, no loop can run here. The public function would raise.
    running_loop = getattr(asyncio, "_get_running_loop", None)
    return running_loop is not None and running_loop() is not None


async def yield_to_loop() -> None:
    """Let the event loop, if one runs, do what else is due. Awaiting what is there already does not."""
    if is_on_loop():
        from asyncio import sleep

        await sleep(0)


async def wait_ended(task: "Task[Any]", grace: float | None = None) -> None:
    """Wait until a task has ended, even if this wait is cancelled. Raises that cancellation afterwards.

    The task is cancelled after ``grace`` seconds, unless that is None, and when the wait is cancelled.
    """
    from asyncio import CancelledError, wait

    cancellation = None
    while not task.done():
        try:
            await wait([task], timeout=grace)
        except CancelledError as error:
            cancellation = error
        if not task.done():
            task.cancel()
        grace = None
    if cancellation is not None:
        raise cancellation
