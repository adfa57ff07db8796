"""The heartbeat of a worker, which goes on as long as the thread that answers requests does."""

import asyncio
import time
from collections.abc import Callable
from threading import Thread

BEATS = 4
"""The number of beats that a worker has left out when it counts as hanging."""


def beat_on_loop(loop: asyncio.AbstractEventLoop, beat: Callable[[], object], pause: float) -> None:
    """Call ``beat`` every few seconds on an event loop: no longer than that runs, and not while a call blocks it."""
    beat()
    loop.call_later(pause, beat_on_loop, loop, beat, pause)


def beat_on_thread(beat: Callable[[], object], pause: float) -> None:
    """Call ``beat`` every few seconds on a thread of its own: not while a call in C holds the interpreter."""

    def beat_for_ever() -> None:
        while True:
            beat()
            time.sleep(pause)

    Thread(target=beat_for_ever, name="antiphon-heartbeat", daemon=True).start()
