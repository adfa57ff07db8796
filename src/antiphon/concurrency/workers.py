"""Threads for calls that block, waited for on event loops: those of pools, and those that wait for a task themselves.

An executor's futures have a condition each, for threads that wait; without them a call takes up to a third less.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, Protocol, TypeVar

from antiphon.concurrency.at_exit import call_at_exit

T = TypeVar("T")

WORKERS = 40
"""How many threads a process has for handlers that block."""
FILE_WORKERS = 4
"""How many it has for files alone."""


class Call(Generic[T]):
    """A function that is called once on a worker thread, and whose end is waited for on the running loop.

    ``result`` is then what it returned, and ``error`` what it raised.
    """

    __slots__ = ("_function", "_loop", "_unbegun", "_waiter", "error", "is_done", "result")

    result: T
    error: BaseException | None

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._loop = asyncio.get_running_loop()
        self._waiter = self._loop.create_future()
        self._unbegun = [None]
        self.is_done = False

    def claim(self) -> bool:
        """Whether it had not begun: whoever is told so has it for himself, to call it or to drop it."""
        try:
            self._unbegun.pop()  # of several threads, one
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

    def tell(self) -> None:
        """Wake who waits, if the loop still runs."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake)

    async def wait(self) -> None:
        """Wait until it is done. May be cancelled, and asked for again."""
        if self._waiter.done():
            self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if not self._waiter.done():
            self._waiter.set_result(None)


class Threads(Protocol):
    """Who makes calls."""

    def run(self, call: Call[Any]) -> None:
        """Have a call made."""
        ...


class Workers:
    """Up to ``most`` threads, each begun when all others are at work."""

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
        """Has nobody wait for them at the exit."""

    def run(self, call: Call[Any]) -> None:
        """Run a call on a thread as soon as there is one; at the interpreter's exit, here and now."""
        with self._lock:
            is_put = self._reserve()
            if is_put:
                self._calls.put(call)
        if not is_put:
            call.run()
            call.tell()

    def _reserve(self) -> bool:
        """Have a thread for one more call, a new one if all are at work: whether there is one, now or later."""
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
        except RuntimeError:  # the system gives no more of them
            return False
        self._threads.append(thread)
        return True

    def _work(self) -> None:
        next_call = self._calls.get
        while (call := next_call()) is not None:
            is_mine = call.claim()
            if is_mine:
                call.run()
            with self._lock:
                self._idle += 1
            if is_mine:  # last: who is told may have the next call at once
                call.tell()
            del call  # or it would be kept until the next one

    def end(self) -> None:
        """Wait until the threads have done all that was put: nobody waits for daemons otherwise."""
        with self._lock:
            self._has_ended = True
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()


class _OfProcess:
    """Threads that a process has once: made when they are first wanted, and forgotten by its forked children."""

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


workers = _OfProcess(WORKERS, "antiphon")
"""This process's worker threads."""
file_workers = _OfProcess(FILE_WORKERS, "antiphon-files")
"""Those for files alone. Nothing that they do waits for anybody, so that there is one soon even while all others wait
for a loop, which may want a file before it goes on.
"""


class Attendant:
    """A thread that waits for a task, and meanwhile makes the calls that the task wants made.

    It has nothing else to do, while the worker threads may all be waiting, each for a task that wants one of them.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Call[Any] | None] = SimpleQueue()
        self._has_left = False
        self._lock = Lock()

    def run(self, call: Call[Any]) -> None:
        """Make a call as soon as the thread waits; if it has left, on a worker thread."""
        with self._lock:
            if not self._has_left:
                self._calls.put(call)
                return
        workers().run(call)

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Make calls on this thread until that is so, and ``wake`` tells it. Where that is interrupted, it leaves."""
        try:
            while not is_over():
                call = self._calls.get()
                if call is not None and call.claim():
                    call.run()
                    call.tell()
                del call  # or it would be kept until the next one
        except BaseException:
            self.leave()
            raise

    def wake(self, *_: object) -> None:
        """Have the thread look whether its wait is over."""
        self._calls.put(None)

    def leave(self) -> None:
        """Make no more calls, also none of those that wait for it: the worker threads do."""
        with self._lock:
            self._has_left = True
        with suppress(Empty):
            while True:
                if call := self._calls.get_nowait():
                    workers().run(call)


class AttendedTask(asyncio.Task[None]):
    """A task that a thread waits for, which is its attendant."""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, None],
        loop: asyncio.AbstractEventLoop,
        context: Context,
        attendant: Attendant,
    ) -> None:
        super().__init__(coroutine, loop=loop, context=context)
        self.attendant = attendant


def threads_of_task() -> Threads:
    """Who makes the calls of the current task: the thread that waits for it, if one does, else worker threads.

    That thread is for this task and no other, not for those that it has made: it makes one call at a time, and is never
    in one when the task wants another.
    """
    task = asyncio.current_task()
    return task.attendant if isinstance(task, AttendedTask) else workers()
