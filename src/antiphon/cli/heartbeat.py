"""The heartbeat of a worker, which goes on as long as the thread that answers requests does."""

import asyncio
import time
from collections.abc import Callable
from threading import Thread

BEATS = 4
"""The number of beats that a worker has left out when it counts as hanging."""


class Heartbeat:
    """A call of `beat` every few seconds."""

    def __init__(self, beat: Callable[[], object], pause: float) -> None:
        self._beat = beat
        self._pause = pause

    def beat_on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Beat on an event loop: no longer than that runs, and not while a call blocks it."""
        self._beat()
        loop.call_later(self._pause, self.beat_on_loop, loop)

    def beat_on_thread(self) -> None:
        """Beat on a thread of its own: not while a call in C holds the interpreter."""
        Thread(target=self._beat_for_ever, name="antiphon-heartbeat", daemon=True).start()

    def _beat_for_ever(self) -> None:
        while True:
            self._beat()
            time.sleep(self._pause)
