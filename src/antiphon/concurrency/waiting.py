"""The threads of a task: the one that waits for it, or else the worker thread to which all its calls return."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from antiphon.concurrency.calls import Call, Threads
from antiphon.concurrency.forks import call_after_fork
from antiphon.concurrency.workers import Home, file_workers, workers


class WaitingThread:
    """A thread that waits for a task, and makes the task's calls in the meantime.

    The thread is free for them, while the worker threads may all be waiting, each for a task that needs one of them.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Call[Any] | None] = SimpleQueue()
        self._has_left = False
        self._lock = Lock()

    def run(self, call: Call[Any]) -> None:
        """Make a call as soon as the thread waits; on a worker thread if it has left."""
        with self._lock:
            if not self._has_left:
                self._calls.put(call)
                return
        workers().run(call)

    def wait(self, is_over: Callable[[], bool], seconds: float | None = None) -> bool:
        """Make calls on this thread until ``is_over`` returns True after a ``wake``. Leave if that is interrupted.

        Returns False if nothing has come for some ``seconds``. Earlier calls that nothing waits for are made, too.
        """
        try:
            while not is_over():
                try:
                    call = self._calls.get(timeout=seconds)
                except Empty:
                    return False
                if call is not None and call.claim():
                    call.run()
                    call.notify()
                del call  # or it would be kept until the next one
            if not self._calls.empty():
                self._make_the_rest()
        except BaseException:
            self.leave()
            raise
        return True

    def _make_the_rest(self) -> None:
        with suppress(Empty):
            while True:
                call = self._calls.get_nowait()
                if call is not None and call.claim():
                    call.run()
                    call.notify()

    def wake(self, *_: object) -> None:
        """Make the thread check whether its wait is over."""
        self._calls.put(None)

    def leave(self) -> None:
        """Make no more calls. The worker threads make those that are queued, and all later ones."""
        with self._lock:
            self._has_left = True
        with suppress(Empty):
            while True:
                if call := self._calls.get_nowait():
                    workers().run(call)


class WaitedTask(asyncio.Task[None]):
    """A task that a thread waits for."""

    thread: WaitingThread


_homes: WeakKeyDictionary["asyncio.Task[Any]", Home] = WeakKeyDictionary()
"""The home of each running task that has made a call."""


def threads_of_task() -> Threads:
    """Return the threads that make the calls of the current task: the thread that waits for it, or else one of the
    worker threads.

    Such a thread is for its task alone, not for tasks that this one has made: it makes one call at a time, and is never
    busy when its task needs another.
    """
    task = asyncio.current_task()
    if isinstance(task, WaitedTask):
        return task.thread
    return workers() if task is None else _home_of(task)


def file_threads_of_task() -> Threads:
    """Return the threads that read and write files for the current task, and compress: none that may wait for long."""
    task = asyncio.current_task()
    return task.thread if isinstance(task, WaitedTask) else file_workers()


def _home_of(task: "asyncio.Task[Any]") -> Home:
    home = _homes.get(task)
    if home is None:
        home = _homes[task] = Home(workers())
    return home


def leave_at_end(home: Home) -> None:
    """Make the current task leave its home when it has ended."""
    task = asyncio.current_task()
    if task is not None and not home.is_left_at_end:
        home.is_left_at_end = True
        task.add_done_callback(lambda _: home.leave())


def wait_to_receive() -> Callable[[], None]:
    """Make the next call of the current task wait until few enough calls of others may wait for a body.

    Return a function that says that this task's calls no longer wait for a body.
    """
    task = asyncio.current_task()
    if task is None or isinstance(task, WaitedTask):
        return _do_nothing
    home = _home_of(task)
    leave_at_end(home)
    home.wait_to_receive()
    return home.end_receiving


def _do_nothing() -> None:
    """Do nothing: no thread waits here."""


call_after_fork(_homes.clear)
