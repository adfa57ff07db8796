"""Whether code may block, or is on an event loop, and then lets it pass."""

import sys

TIME_SLICE = 0.01
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


async def yield_to_loop() -> None:
    """Where an event loop runs, have it do what else is due: nothing lets it that finds all it waits for there."""
    if is_on_loop():
        from asyncio import sleep

        await sleep(0)
