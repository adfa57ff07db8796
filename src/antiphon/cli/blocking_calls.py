"""Calls that block an event loop, logged with their lines by a thread that watches the loop in debug mode."""

import linecache
import logging
import sys
import time
from asyncio import AbstractEventLoop
from threading import Event, Thread, get_ident
from types import FrameType
from typing import NamedTuple

from antiphon.cli.debug.frames import stack_of
from antiphon.cli.interface import shorten
from antiphon.cli.own_files import is_own, shown_path
from antiphon.request.request import Request

LIMIT = 0.1
"""Seconds for which a loop may be blocked."""
_PAUSE = 0.02
"""Seconds between two checks of a loop that runs, and of one that is blocked."""
_LONGEST = 5.0
"""Seconds after which a call that still blocks is logged."""


class Place(NamedTuple):
    """A line of the project that was running, and its request, if that is known."""

    path: str
    line: int
    function: str
    request: Request | None


def watch(loop: AbstractEventLoop) -> None:
    """Log calls that block a loop for longer than `LIMIT`, each line once, until the loop is closed."""
    Thread(target=_Watch(loop).run, name="antiphon-blocking-calls", daemon=True).start()


class _Watch:
    """The loop, the thread that runs it, and the lines that were logged."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._thread: int | None = None
        self._logged: set[tuple[str, int]] = set()
        self._turned = Event()

    def run(self) -> None:
        """Call a function on the loop at intervals, which wakes an idle loop, and check that the loop runs it."""
        while True:
            self._turned.clear()
            asked = time.monotonic()
            try:
                self._loop.call_soon_threadsafe(self._turn)
            except RuntimeError:  # it is closed
                return
            if not self._turned.wait(LIMIT):
                self._wait_blocked(asked)
            time.sleep(_PAUSE)

    def _turn(self) -> None:
        self._thread = get_ident()
        self._turned.set()

    def _wait_blocked(self, since: float) -> None:
        """Find the line that blocks the loop, wait until the loop runs again, and log how long that took."""
        place = self._place()
        while not self._turned.wait(_PAUSE):
            place = place or self._place()
            if place is not None and time.monotonic() - since > _LONGEST:
                self._log(place, f"has been blocked for {_LONGEST:g} s, and still is")
        if place is not None:
            self._log(place, f"was blocked for {time.monotonic() - since:.2f} s")

    def _place(self) -> Place | None:
        """Return the innermost line of the project that the loop's thread runs; None if none runs, as when it waits."""
        frame = sys._current_frames().get(self._thread or 0)  # noqa: SLF001 - public, and documented
        if not self._loop.is_running():
            return None
        stack = [*stack_of(frame)]
        own = next((each for each in stack if is_own(each.f_code.co_filename)), None)
        if own is None:
            return None
        request = next(filter(None, map(_request_of, stack)), None)
        return Place(own.f_code.co_filename, own.f_lineno or 0, own.f_code.co_name, request)

    def _log(self, place: Place, fact: str) -> None:
        if (place.path, place.line) in self._logged:
            return
        self._logged.add((place.path, place.line))
        code = linecache.getline(place.path, place.line).strip()
        where = f"{shown_path(place.path)}, line {place.line}, in {place.function}"
        logging.getLogger("antiphon").warning(
            "The event loop %s, and all requests with it: %s: %s%s. Await instead, call it with asyncio.to_thread, or"
            " write a handler that blocks as `def`.",
            *(fact, where, code, _described(place.request)),
        )


def _request_of(frame: FrameType) -> Request | None:
    """Return the request that a frame of Antiphon handles."""
    if not frame.f_globals.get("__name__", "").startswith("antiphon."):
        return None
    request = frame.f_locals.get("request")
    return request if isinstance(request, Request) else None


def _described(request: Request | None) -> str:
    if request is None:
        return ""
    return f" ({request.method} {request.path!r}, answered by {shorten(request.route.answered_by)})"
