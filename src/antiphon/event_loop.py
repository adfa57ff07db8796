"""Whether code may block, or is on an event loop."""

import sys


def is_on_loop() -> bool:
    """Whether an event loop of asyncio runs on this thread. It isn't imported to find that out."""
    if "asyncio" not in sys.modules:
        return False
    from asyncio import get_running_loop

    try:
        get_running_loop()
    except RuntimeError:
        return False
    return True
