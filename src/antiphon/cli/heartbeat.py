"""The heartbeat of a worker, which continues as long as the thread that answers requests is not blocked."""

import asyncio
import time
from collections.abc import Callable
from threading import Thread

BEATS = 4
"""The number of missed beats after which a worker counts as hanging."""


def beat_on_loop(loop: asyncio.AbstractEventLoop, beat: Callable[[], object], pause: float) -> None:
    """Call ``beat`` every ``pause`` seconds on an event loop, while the loop runs and is not blocked by a call."""
    beat()
    loop.call_later(pause, beat_on_loop, loop, beat, pause)


def beat_on_thread(beat: Callable[[], object], pause: float) -> None:
    """Call ``beat`` every ``pause`` seconds on a thread of its own, except while a call in C holds the interpreter."""

    def beat_for_ever() -> None:
        while True:
            beat()
            time.sleep(pause)

    Thread(target=beat_for_ever, name="antiphon-heartbeat", daemon=True).start()
