"""Whether code may block, or is on an event loop, and then lets it pass."""

import sys


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
