"""The heartbeat of a worker, which continues as long as the thread that answers requests is not blocked by one call."""

import sys
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from inspect import CO_COROUTINE
from threading import Thread, get_ident
from types import FrameType

BEATS = 4
"""The number of missed beats after which a worker counts as hanging."""


def beat_on_thread(beat: Callable[[], object], pause: float) -> None:
    """Call ``beat`` every ``pause`` seconds on a thread of its own, except while a call in C holds the interpreter."""

    def beat_for_ever() -> None:
        while True:
            beat()
            time.sleep(pause)

    Thread(target=beat_for_ever, name="antiphon-heartbeat", daemon=True).start()


class Progress:
    """The progress of an event loop, as another thread sees it.

    A loop that has too much to do may need long for one pass, in which it runs a step of each task that is ready. So
    there is progress if the loop has begun another pass, runs another task, or has begun to answer another request.
    ``before_next_request`` calls a function once, when the next request arrives.
    """

    def __init__(self, loop: AbstractEventLoop, before_next_request: Callable[[Callable[[], None]], object]) -> None:
        self._loop = loop
        self._before_next_request = before_next_request
        self._thread = get_ident()
        self._has_passed = True
        self._is_asked = True
        self._step: FrameType | None = None

    def is_made(self) -> bool:
        """Return True if there was progress since the last call. Raises RuntimeError once the loop is closed."""
        step = None if self._has_passed else current_step(self._thread)
        is_made = self._has_passed or self._is_asked or step is not self._step
        self._step = step
        if self._has_passed:
            self._has_passed = False
            self._loop.call_soon_threadsafe(self._pass)
        elif self._is_asked:  # only now, since every request before it costs nothing
            self._is_asked = False
            self._before_next_request(self._ask)
        return is_made

    def _pass(self) -> None:
        self._has_passed = True

    def _ask(self) -> None:
        self._is_asked = True


def current_step(thread: int) -> FrameType | None:
    """Return the frame of the task that a thread runs; None if it runs none.

    A loop runs one step of each task in a pass, so the same frame in the same pass is the same step. The frame itself
    is returned, since its place in memory could be taken otherwise.
    """
    frame, outermost = sys._current_frames().get(thread), None  # noqa: SLF001 - public, and documented
    while frame is not None:
        if frame.f_code.co_flags & CO_COROUTINE:
            outermost = frame
        frame = frame.f_back
    return outermost


def beat_while_progressing(progress: Progress, beat: Callable[[], object], pause: float) -> None:
    """Call ``beat`` every ``pause`` seconds on a thread of its own, if there was progress, until the loop is closed."""

    def beat_until_closed() -> None:
        while True:
            try:
                if progress.is_made():
                    beat()
            except RuntimeError:
                return
            time.sleep(pause)

    Thread(target=beat_until_closed, name="antiphon-heartbeat", daemon=True).start()
