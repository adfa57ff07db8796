"""Threads for calls that block, and that a task waits for: worker threads, and a thread that waits for the task itself.

An executor's futures have a condition each, for threads that wait; without them a call takes up to a third less.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, Protocol, TypeVar

from antiphon.concurrency.at_exit import call_at_exit

T = TypeVar("T")

WORKERS = 40
"""How many threads a process has for handlers that block."""
FILE_WORKERS = 4
"""How many threads a process has for files alone."""


class Call(Generic[T]):
    """A call that one thread makes, once, while a task on the running loop waits for it.

    ``result`` is then what the function returned, and ``error`` what it raised.
    """

    __slots__ = ("_claims", "_function", "_loop", "_waiter", "error", "is_done", "result")

    result: T
    error: BaseException | None

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._loop = asyncio.get_running_loop()
        self._waiter = self._loop.create_future()
        self._claims = [None]
        self.is_done = False

    def claim(self) -> bool:
        """Claim the call. Returns True for exactly one caller, who then runs or drops it."""
        try:
            self._claims.pop()  # one of several threads succeeds
        except IndexError:
            return False
        return True

    def run(self) -> None:
        """Call the function."""
        try:
            self.result = self._function()
            self.error = None
        except BaseException as error:
            self.error = error
        self.is_done = True

    def notify(self) -> None:
        """Wake the task that waits, if its loop still runs."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake)

    async def wait(self) -> None:
        """Wait until the call is done. After a cancellation, wait again."""
        if self._waiter.done():
            self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if not self._waiter.done():
            self._waiter.set_result(None)


class Threads(Protocol):
    """One thread or several, on which calls are made."""

    def run(self, call: Call[Any]) -> None:
        """Have a thread make a call."""
        ...


class Workers:
    """Up to ``most`` worker threads. Each is started when all others are busy."""

    def __init__(self, most: int, name: str = "antiphon") -> None:
        self._most = most
        self._name = name
        self._calls: SimpleQueue[Call[Any] | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._idle = 0
        """How many threads wait for a call, less the calls that wait for a thread."""
        self._lock = Lock()
        self._has_ended = False
        self.forget = call_at_exit(self.end)
        """Leave these threads behind at exit, without waiting for them."""

    def run(self, call: Call[Any]) -> None:
        """Make a call on the next thread that is free; on this thread if the interpreter exits."""
        with self._lock:
            is_queued = self._reserve()
            if is_queued:
                self._calls.put(call)
        if not is_queued:
            call.run()
            call.notify()

    def _reserve(self) -> bool:
        """Reserve a thread for one more call, a new one if all are busy. Returns False if there is no thread at all."""
        if self._has_ended:
            return False
        if self._idle <= 0 and len(self._threads) < self._most and self._start():
            return True
        if not self._threads:
            return False
        self._idle -= 1
        return True

    def _start(self) -> bool:
        thread = Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads to give
            return False
        self._threads.append(thread)
        return True

    def _work(self) -> None:
        next_call = self._calls.get
        while (call := next_call()) is not None:
            is_claimed = call.claim()
            if is_claimed:
                call.run()
            with self._lock:
                self._idle += 1
            if is_claimed:  # last: the task that is woken may make the next call at once
                call.notify()
            del call  # or it would be kept until the next one

    def end(self) -> None:
        """Wait until all calls are made that have been queued. The interpreter does not wait for daemon threads."""
        with self._lock:
            self._has_ended = True
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()


class _ProcessWorkers:
    """The worker threads of a process, made on first use, and forgotten by forked children."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._workers: Workers | None = None
        self._lock = Lock()
        os.register_at_fork(after_in_child=self._forget)

    def __call__(self) -> Workers:
        if self._workers is None:
            with self._lock:
                self._workers = self._workers or Workers(self._most, self._name)
        return self._workers

    def _forget(self) -> None:
        if self._workers is not None:
            self._workers.forget()
        self._workers, self._lock = None, Lock()


workers = _ProcessWorkers(WORKERS, "antiphon")
"""This process's worker threads."""
file_workers = _ProcessWorkers(FILE_WORKERS, "antiphon-files")
"""This process's worker threads for files alone.

Their calls wait for nothing but the disk, so one of these threads is soon free even while all ``workers`` wait for a
loop, which may need a file before it goes on.
"""


class WaitingThread:
    """A thread that waits for a task, and makes the task's calls meanwhile.

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

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Make calls on this thread until ``is_over`` returns True after a ``wake``. Leave if that is interrupted."""
        try:
            while not is_over():
                call = self._calls.get()
                if call is not None and call.claim():
                    call.run()
                    call.notify()
                del call  # or it would be kept until the next one
        except BaseException:
            self.leave()
            raise

    def wake(self, *_: object) -> None:
        """Have the thread check whether its wait is over."""
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


def threads_of_task() -> Threads:
    """Return what makes the calls of the current task: the thread that waits for it, or else the worker threads.

    A waiting thread is for its task alone, not for tasks that this one has made: it makes one call at a time, and is
    never busy when its task needs another.
    """
    task = asyncio.current_task()
    return task.thread if isinstance(task, WaitedTask) else workers()
