"""Whether code may block, or is on an event loop, and then lets it pass."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Task

TURN = 0.01
"""Seconds for which who finds all that he waits for there already has an event loop to himself, before he lets it pass.

Longer than ``sys.getswitchinterval()``: a loop that lets the interpreter go, and takes it back, more often than that
may not leave it to the threads of a server for seconds.
"""


def is_on_loop() -> bool:
    """Whether an event loop of asyncio runs on this thread. It isn't imported to find that out."""
    asyncio = sys.modules.get("asyncio")
    # Where it is still being imported, by another thread, no loop can run here. The public function would raise.
    running_loop = getattr(asyncio, "_get_running_loop", None)
    return running_loop is not None and running_loop() is not None


async def let_pass() -> None:
    """Where an event loop runs, have it do what else is due: nothing lets it that finds all it waits for there."""
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
