"""Locks, threads and sleep for the scheduler: what would block a thread passes the turn, and time is virtual.

Conditions, events, semaphores, queues and executors of the standard library are made of these locks. The lines of the
application's own files are points, too: by ``sys.monitoring``, which costs nothing in other files and leaves debuggers
and coverage alone, or by ``sys.settrace`` on Python 3.11.
"""

import queue
import sys
import threading
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from antiphon.explanations import explained
from antiphon.testing.races.scheduler import OWNER, Actor, Ended, Scheduler
from antiphon.testing.races.scheduler import sleep as _sleep

OnLine = Callable[[str, int], None]

_TOOL_IDS: Final = (4, 3)  # the ones that no tool of Python's documentation has
_tracer: Any = None


@contextmanager
def observed(is_own: Callable[[str], bool], on_line: OnLine) -> Iterator[None]:
    """Call ``on_line`` with the file and the number of each line that is about to run in a file that is the app's own.

    On Python 3.11, only threads within ``monitored`` are observed.
    """
    if sys.version_info < (3, 12):
        with _traced(is_own, on_line):
            yield
        return
    monitoring = sys.monitoring
    tool = next((each for each in _TOOL_IDS if monitoring.get_tool(each) is None), None)
    if tool is None:
        raise explained(
            "bad-test-request",
            "races() finds no free tool of sys.monitoring: end the profiler that uses it",
            RuntimeError,
        )

    def note_line(code: CodeType, line: int) -> Any:
        if not is_own(code.co_filename):
            return monitoring.DISABLE
        on_line(code.co_filename, line)
        return None

    monitoring.use_tool_id(tool, "antiphon.testing.races")
    try:
        monitoring.register_callback(tool, monitoring.events.LINE, note_line)
        monitoring.set_events(tool, monitoring.events.LINE)
        monitoring.restart_events()
        yield
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, monitoring.events.LINE, None)
        monitoring.free_tool_id(tool)


@contextmanager
def _traced(is_own: Callable[[str], bool], on_line: OnLine) -> Iterator[None]:
    global _tracer  # noqa: PLW0603 - one world at a time

    def local(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            on_line(frame.f_code.co_filename, frame.f_lineno)
        return local

    _tracer = lambda frame, _event, _argument: local if is_own(frame.f_code.co_filename) else None  # noqa: E731
    try:
        yield
    finally:
        _tracer = None


@contextmanager
def monitored() -> Iterator[None]:
    """Observe the current thread, on Python 3.11."""
    if _tracer is None:
        yield
        return
    before = sys.gettrace()
    sys.settrace(_tracer)
    try:
        yield
    finally:
        sys.settrace(before)


ahead: list[Scheduler] = []
"""The scheduler of the run that is under way, if any."""


def scheduler() -> Scheduler | None:
    """Return the scheduler if it has the current thread."""
    running = ahead[-1] if ahead else None
    return running if running is not None and running.current() is not None else None


main: list[int] = []
"""The thread that makes the applications and checks, during a run."""


def run_of_thread() -> Scheduler | None:
    """Return the scheduler if the current thread belongs to the run: as an actor, or as the thread of the test.

    Other threads, which tests before this one may have left behind, use what is their own.
    """
    return ahead[-1] if ahead and threading.get_ident() in main else scheduler()


class Lock:
    """A lock that passes the turn while another thread holds it. Outside of a run, it is a lock like any other."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self.place: tuple[str, int] | None = None
        """Where it was acquired, while it is held."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Acquire the lock."""
        running = scheduler()
        if running is None:
            return self._lock.acquire(blocking, timeout)
        is_acquired = self._lock.acquire(False)
        deadline = None if timeout < 0 else running.now + timeout
        while not is_acquired and blocking and running.block(lambda: not self._lock.locked(), deadline):
            is_acquired = self._lock.acquire(False)
        if is_acquired:
            self.place = _caller(sys._getframe(1))
            held[id(self)] = self
        return is_acquired

    def release(self) -> None:
        """Release the lock."""
        held.pop(id(self), None)
        self._lock.release()

    def locked(self) -> bool:
        """Return True while a thread holds the lock."""
        return self._lock.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self._lock = allocate_lock()


held: dict[int, Lock] = {}
"""The locks that the threads of a run hold."""


class RLock(threading._RLock):  # type: ignore[misc]  # the one in Python
    """A reentrant lock that passes the turn while another thread holds it."""


class SimpleQueue(queue._PySimpleQueue):  # type: ignore[misc,name-defined]  # the one in Python
    """A queue that passes the turn while it is empty."""


def _caller(frame: FrameType | None) -> tuple[str, int] | None:
    while frame is not None and frame.f_code.co_filename in (__file__, threading.__file__):
        if frame.f_code.co_name == "wait":  # a condition's own lock, which is held as long as it waits
            return None
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


_init, _start, _join = threading.Thread.__init__, threading.Thread.start, threading.Thread.join


def init(thread: threading.Thread, *arguments: Any, **options: Any) -> None:
    """Initialize a thread. One that is to be a daemon has to ask for it, since all actors are daemons."""
    if scheduler() is not None and options.get("daemon") is None:
        options["daemon"] = False
    _init(thread, *arguments, **options)


def start(thread: threading.Thread) -> None:
    """Start a thread as an actor, if an actor starts it."""
    running = scheduler()
    if running is None:
        _start(thread)
        return
    actor = running.add(Actor(thread.name, OWNER.get()))
    begun: Any = thread
    target = getattr(begun, "_target", None)
    actor.is_service = thread.daemon or getattr(target, "__module__", "") == "concurrent.futures.thread"
    begun._race_actor, run = actor, thread.run

    def run_as_actor() -> None:
        try:
            with monitored():
                running.begin(actor)
                run()
        except Ended:
            pass
        finally:
            running.end(actor)
            del begun.run  # it leads to the whole run, and what has called this thread may keep the thread

    begun.run = run_as_actor
    thread.daemon = True  # one that can't be ended must not keep the process from its end
    me = running.of_thread.pop(threading.get_ident())
    try:
        _start(thread)  # waits for the thread, which waits for its turn
    finally:
        running.of_thread[threading.get_ident()] = me


def join(thread: threading.Thread, timeout: float | None = None) -> None:
    """Wait for a thread; for an actor, in virtual time."""
    running, actor = scheduler(), getattr(thread, "_race_actor", None)
    if running is not None and actor is not None:
        deadline = None if timeout is None else running.now + timeout
        if not running.block(lambda: actor.has_ended, deadline):
            return
    _join(thread, timeout)


def is_alive(thread: threading.Thread) -> bool:
    """Return True until a thread has ended; an actor ends in a fixed order."""
    actor = getattr(thread, "_race_actor", None)
    return _is_alive(thread) if actor is None or scheduler() is None else not actor.has_ended


_is_alive = threading.Thread.is_alive


def sleep(seconds: float) -> None:
    """Sleep in virtual time."""
    running = scheduler()
    if running is None or seconds < 0:
        _sleep(seconds)
        return
    running.block(lambda: False, running.now + max(seconds, 1e-9))
