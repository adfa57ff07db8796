"""Detecting calls that block an event loop: in debug mode, a thread watches the loop and logs them with their lines."""

import linecache
import logging
import sys
import time
from asyncio import AbstractEventLoop
from threading import Event, Thread, get_ident, get_native_id
from types import FrameType
from typing import NamedTuple

from antiphon.cli.debug.frames import stack_of
from antiphon.cli.interface import shorten
from antiphon.cli.target import is_own, shown_path
from antiphon.cli.workers.process import current_step
from antiphon.request.request import Request

LIMIT = 0.1
"""The maximum number of seconds for which a loop may be blocked."""
_PAUSE = 0.02
"""The number of seconds between two checks of a loop."""
_LONGEST = 5.0
"""The number of seconds after which a call that is still blocking is logged."""


class Place(NamedTuple):
    """The line of the project that was running, and its request if known."""

    path: str
    line: int
    function: str
    request: Request | None


def watch(loop: AbstractEventLoop) -> None:
    """Log calls that block a loop for longer than `LIMIT`, once for each line, until the loop is closed."""
    Thread(target=_Watch(loop).run, name="antiphon-blocking-calls", daemon=True).start()


class _Reading(NamedTuple):
    """A reading of the clock and of two counters of the loop's thread, in seconds."""

    now: float
    used: float
    """The processor time that the thread has used. Only Linux tells it of another thread, like the next."""
    delayed: float
    """The time during which the thread could have run, but others did instead."""


class _Watch:
    """The loop, the thread that runs it, and the lines that were logged.

    A call is logged if a single step of a task holds the loop for too long, but not if the loop merely runs many steps,
    if modules are being imported (which happens once per process), or if the process was not running.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._thread: int | None = None
        self._native_id = 0
        self._logged: set[tuple[str, int]] = set()
        self._turned = Event()

    def run(self) -> None:
        """At intervals, schedule a function on the loop (which wakes an idle loop), and check that the loop runs it."""
        while True:
            self._turned.clear()
            try:
                self._loop.call_soon_threadsafe(self._turn)
            except RuntimeError:  # it is closed
                return
            self._wait_turned()
            time.sleep(_PAUSE)

    def _turn(self) -> None:
        self._thread, self._native_id = get_ident(), get_native_id()
        self._turned.set()

    def _wait_turned(self) -> None:
        """Wait until the loop is running again; log each step that held it for too long with the first line found."""
        step, place, held, last = None, None, 0.0, self._read()
        while not self._turned.wait(_PAUSE) and not self._loop.is_closed():
            current, reading = current_step(self._thread or 0), self._read()
            if current is not step:
                self._blame(place, held)
                step, place, held = current, None, 0.0
            elif not self._is_importing():
                held += _ran(last, reading)
                place = place or self._place()
            last = reading
            if place is not None and held > _LONGEST:
                self._log(place, f"has been blocked for {_LONGEST:g} s, and still is")
        self._blame(place, held)

    def _blame(self, place: Place | None, seconds: float) -> None:
        if place is not None and seconds > LIMIT:
            self._log(place, f"was blocked for {seconds:.2f} s")

    def _read(self) -> _Reading:
        return _Reading(time.monotonic(), *_processor_times(self._native_id))

    def _stack(self) -> list[FrameType]:
        """Return the frames of the loop's thread, innermost first."""
        frame = sys._current_frames().get(self._thread or 0)  # noqa: SLF001 - public, and documented
        return [*stack_of(frame)] if self._loop.is_running() else []

    def _is_importing(self) -> bool:
        return any(frame.f_code.co_filename.startswith("<frozen importlib") for frame in self._stack())

    def _place(self) -> Place | None:
        """Return the innermost line of the project that the loop's thread is running; None if there is none."""
        stack = self._stack()
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


def _ran(last: _Reading, reading: _Reading) -> float:
    """Return the seconds between two readings, one pause apart, without the time when the process was not running.

    The process was not running if this thread was late although the loop's thread did not keep it from running.
    """
    passed = reading.now - last.now
    late = max(0.0, passed - _PAUSE)
    idle = max(0.0, passed - (reading.used - last.used))
    return passed - min(passed, max(min(late, idle), reading.delayed - last.delayed))


def _processor_times(native_id: int) -> tuple[float, float]:
    """Return the processor time that a thread has used, and the time for which it was delayed; zeros if unknown.

    The thread may have ended: pthread_getcpuclockid(), which is portable, would then crash the process.
    """
    try:
        with open(f"/proc/self/task/{native_id}/schedstat", "rb") as file:
            used, delayed, _ = file.read().split()
            return int(used) / 1e9, int(delayed) / 1e9
    except (OSError, ValueError):  # not Linux, an older kernel, or the thread has ended
        return 0.0, 0.0


def _request_of(frame: FrameType) -> Request | None:
    """Return the request that an Antiphon frame is handling."""
    if not frame.f_globals.get("__name__", "").startswith("antiphon."):
        return None
    request = frame.f_locals.get("request")
    return request if isinstance(request, Request) else None


def _described(request: Request | None) -> str:
    if request is None:
        return ""
    return f" ({request.method} {request.path!r}, handled by {shorten(request.route.handled_by)})"
