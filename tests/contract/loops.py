"""Event loops that servers are told to use, by name."""

import asyncio
import sys


def debugged() -> asyncio.AbstractEventLoop:
    """Return a loop in asyncio's debug mode, which starts tasks at once where Python can."""
    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    if sys.version_info >= (3, 12):
        loop.set_task_factory(asyncio.eager_task_factory)
    return loop
