"""Worker threads for calls that block, waited for on event loops.

An executor's futures have a condition each, for threads that wait; without them a call takes up to a third less.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

from antiphon.at_exit import call_at_exit

T = TypeVar("T")

WORKERS = 40
"""How many threads a process has for handlers that block."""


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


class Workers:
    """Up to ``most`` threads, each begun when all others are at work."""

    def __init__(self, most: int) -> None:
        self._most = most
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
        thread = Thread(target=self._work, name=f"antiphon-{len(self._threads)}", daemon=True)
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


_workers: Workers | None = None
_lock = Lock()


def workers() -> Workers:
    """This process's worker threads."""
    global _workers  # noqa: PLW0603 - one pool a process
    if _workers is None:
        with _lock:
            _workers = _workers or Workers(WORKERS)
    return _workers


def _forget() -> None:
    global _workers, _lock
    if _workers is not None:
        _workers.forget()
    _workers, _lock = None, Lock()


os.register_at_fork(after_in_child=_forget)
