"""A process's lifecycle: calls at its exit and in forked children, and two announcements that it will end."""

import atexit
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from threading import Lock, Thread
from time import monotonic, sleep
from types import FrameType, MethodType
from typing import Literal, TypeAlias
from weakref import WeakMethod


def call_after_fork(function: Callable[[], object]) -> None:
    """Register a function to be called in each forked child, or a method, as long as its object exists.

    On Windows, which can't fork, this does nothing.
    """
    if hasattr(os, "register_at_fork"):
        is_method = isinstance(function, MethodType)
        os.register_at_fork(after_in_child=partial(_call_method, WeakMethod(function)) if is_method else function)


def _call_method(found: Callable[[], Callable[[], object] | None]) -> None:
    if (method := found()) is not None:
        method()


_first: list[Callable[[], object]] = []


def call_first_at_exit(function: Callable[[], object]) -> None:
    """Register a function to be called at exit, before all ``call_at_exit`` functions, whenever they are registered."""
    if not _first:
        call_at_exit(_call_first)
    _first.append(function)


def _call_first() -> None:
    while _first:
        # Popped before the call: every function at exit calls this, and each of these is called once.
        _first.pop()()


def call_at_exit(function: Callable[[], object]) -> Callable[[], object]:
    """Register a function to be called at exit. Return a function that cancels that.

    Processes started by ``multiprocessing`` end without running ``atexit`` functions.
    """

    def call() -> None:
        _call_first()
        function()

    return _register(call)


def _register(function: Callable[[], object]) -> Callable[[], object]:
    # While another thread imports the module, it lacks the name: this process is no child.
    parent_process = getattr(sys.modules.get("multiprocessing"), "parent_process", None)
    if parent_process is None or parent_process() is None:
        atexit.register(function)
        return partial(atexit.unregister, function)
    from multiprocessing.util import Finalize

    # Without a priority, multiprocessing does not call it at exit.
    return Finalize(None, function, exitpriority=0).cancel


SECONDS_AT_EXIT = 5.0
"""The maximum number of seconds that the exit waits for calls that have begun, because a call may be blocked
forever.
"""

_is_exit_limited = True


def limit_exit_elsewhere() -> None:
    """Let the exit wait until calls are done, in a process whose caller ends it in time."""
    global _is_exit_limited  # noqa: PLW0603 - one exit per process
    _is_exit_limited = False


def join_at_exit(threads: Iterable[Thread]) -> None:
    """Wait a limited time for daemon threads to end, and log what the remaining ones are running."""
    threads = list(threads)
    end = monotonic() + SECONDS_AT_EXIT
    for thread in threads:
        thread.join(max(0.0, end - monotonic()) if _is_exit_limited else None)
    for thread in threads:
        if thread.is_alive():
            import logging

            message = "the process ends without waiting longer for %s, which has not returned after %g seconds"
            logging.getLogger("antiphon").warning(message, _running(thread), SECONDS_AT_EXIT)


def _running(thread: Thread) -> str:
    """Return the name, file and line of the application's function that a thread is running."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - public, and documented
    frames: list[FrameType] = []
    while frame is not None:
        frames.insert(0, frame)
        frame = frame.f_back
    for frame in frames:
        names = frame.f_globals  # a dialect's modules have the names of those that they replace, in their own package
        if (names.get("__package__") or names.get("__name__", "")).partition(".")[0] not in ("antiphon", "threading"):
            return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
    return thread.name


class Announcement:
    """An event that is announced once, on any thread, to the subscribed functions."""

    def __init__(self) -> None:
        self.is_given = False
        self._lock = Lock()
        self._subscribers: dict[int, Callable[[], object]] = {}
        self._count = 0

    def give(self) -> None:
        """Call all subscribers on this thread. Further calls do nothing."""
        with self._lock:
            self.is_given = True
            subscribers, self._subscribers = self._subscribers, {}
        # Outside the lock, because they may subscribe or withdraw.
        for function in subscribers.values():
            function()

    def subscribe(self, function: Callable[[], object]) -> Callable[[], None]:
        """Call a function when the event is announced, or at once if it already was; return a function that cancels
        this.

        The function may be called on any thread. It must neither block nor raise.
        """
        with self._lock:
            if not self.is_given:
                self._count = number = self._count + 1
                self._subscribers[number] = function
                return lambda: self._withdraw(number)
        function()
        return _nothing

    def subscribe_on_loop(self, function: Callable[[], object]) -> Callable[[], None]:
        """Call a function on the running event loop soon after the event is announced; otherwise like ``subscribe``."""
        from asyncio import get_running_loop

        loop = get_running_loop()

        def call_soon() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(function)

        return self.subscribe(call_soon)

    def _withdraw(self, number: int) -> None:
        with self._lock:
            self._subscribers.pop(number, None)


def _nothing() -> None:
    pass


DRAINING = Announcement()
"""The process accepts no new requests: endless streams end, and readiness is false. Open requests are finished."""

GRACE_OVER = Announcement()
"""The time for open requests is over: requests that can be cancelled are cancelled."""

WaitOutcome: TypeAlias = Literal["begun", "refused", "left"]
"""How a request's wait in an overloaded worker ends: it begins, is refused, or its client has left."""

wait_observers: set[Callable[[WaitOutcome, float], object]] = set()
"""Functions that are called with the outcome of each wait in this process, and the seconds that it took."""

OPEN_SOCKETS: set[object] = set()
"""The WebSockets whose clients have not replied to a close, one arbitrary object each. All end when the process is
draining.
"""


def wait_sockets_closed(seconds: float) -> None:
    """On a thread without a loop, wait at most ``seconds`` until clients have replied to the close of all WebSockets.

    A WebSocket leaves ``OPEN_SOCKETS`` when its client has replied (RFC 6455 §7.1.1), or has not done so for a second.
    """
    end = monotonic() + seconds
    while OPEN_SOCKETS and monotonic() < end:
        sleep(0.01)
