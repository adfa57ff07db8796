"""Worker threads for blocking calls, and limits on how many threads and tasks work at once.

All calls of one task are made on one thread, its home: an object that a handler has opened on its thread, such as a
sqlite3 connection, can be used by hooks, by the generator that streams the response, and after the response.
"""

from asyncio import get_running_loop
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any

from antiphon.concurrency.calls import Call
from antiphon.concurrency.process import call_after_fork, call_at_exit, join_at_exit


class CapacityLimiter:
    """``capacity`` tokens, acquired and released on any thread, first come, first served."""

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._waiting: deque[_Waiter] = deque()
        self._lock = Lock()

    def try_acquire(self) -> bool:
        """Acquire a token and return True, unless none is free."""
        with self._lock:
            is_free = self._free > 0
            self._free -= is_free
            return is_free

    async def acquire(self) -> None:
        """Wait in line and acquire a token."""
        waiter = _Waiter()
        with self._lock:
            self._waiting.append(waiter)
            self._hand_over()
        try:
            await waiter.future
        except BaseException:
            with self._lock:
                # The token was handed over, and the cancellation came before the task ran.
                if waiter.has_token:
                    self._free += 1
                    self._hand_over()
                elif waiter in self._waiting:
                    self._waiting.remove(waiter)
            raise

    def release(self) -> None:
        """Return a token, or pass it to the next task in line."""
        with self._lock:
            self._free += 1
            self._hand_over()

    def _hand_over(self) -> None:
        while self._free and self._waiting:
            waiter = self._waiting.popleft()
            with suppress(RuntimeError):  # its loop is closed
                waiter.loop.call_soon_threadsafe(waiter.wake)
                waiter.has_token = True
                self._free -= 1


class _Waiter:
    """A task in line."""

    def __init__(self) -> None:
        self.loop = get_running_loop()
        self.future = self.loop.create_future()
        self.has_token = False

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


WORKERS = 40
"""The number of a process's threads for blocking handlers."""
RECEIVING = WORKERS // 2
"""The number of these threads that may wait for bodies at once."""
RESOLVING = WORKERS // 2
"""The number of these threads that may load sessions, users and other dependencies from slow services at once."""
FILE_WORKERS = 8
"""The number of a process's threads that are only for files and compression."""


class Worker:
    """A worker thread with its next work: calls that only it makes, or a check of the calls for any thread."""

    __slots__ = ("has_just_returned", "next", "returning", "thread")

    thread: Thread

    def __init__(self) -> None:
        self.next: SimpleQueue[Call[Any] | Look | None] = SimpleQueue()
        self.returning = 0
        """The number of tasks that will return to this thread."""
        self.has_just_returned = False
        """True if its last call was one of its own, so that a call for any thread is next."""


class Look:
    """The request to a worker to check the calls that wait for any thread."""


_LOOK = Look()


class Home:
    """The thread of one task: the thread that makes the task's first call makes all others, too."""

    __slots__ = (
        "has_left", "is_left_at_end", "is_receiving", "waits_to_receive", "will_return", "worker", "workers",
    )  # fmt: skip

    def __init__(self, workers: "Workers") -> None:
        self.workers = workers
        self.worker: Worker | None = None
        self.will_return = self.has_left = self.is_left_at_end = False
        self.is_receiving = False
        """True while this is one of the few homes whose calls may wait for a body."""
        self.waits_to_receive = False
        """True if the next call waits until this is one of those homes."""

    def run(self, call: Call[Any]) -> None:
        """Make a call on the thread to which this task returns."""
        call.home = self
        self.workers.run(call)

    def wait_to_receive(self) -> None:
        """Make the next call wait until few enough other calls may wait for a body."""
        self.waits_to_receive = not self.is_receiving

    def end_receiving(self) -> None:
        """Record that none of this task's calls waits for a body any longer."""
        self.workers.end_receiving(self)

    def leave(self) -> None:
        """Record that this task makes no more calls."""
        self.workers.leave(self)


class Workers:
    """Up to ``most`` worker threads, of which ``most_receiving`` may wait for bodies. Each is started when needed.

    A task returns to its home, even if other threads are idle. So new tasks' calls go to threads to which no task will
    return. Only if there are none, and no more may be started, do they go to the other threads, in turn.
    """

    def __init__(self, most: int, name: str = "antiphon", most_receiving: int | None = None) -> None:
        self._most = most
        self._name = name
        self._workers: list[Worker] = []
        self._free: dict[Worker, None] = {}
        """The idle workers to which no task will return."""
        self._kept: dict[Worker, None] = {}
        """The idle workers to which a task will return."""
        self._waiting: deque[Call[Any]] = deque()
        """The calls for any worker."""
        self._is_looked_at = False
        """True if a worker is about to check these calls. Workers are woken one by one, because the first may make
        several calls.
        """
        self._most_receiving = most if most_receiving is None else most_receiving
        self._receiving = 0
        self.resolving = CapacityLimiter(RESOLVING)
        """The tokens of tasks whose calls may load dependencies."""
        self._held: deque[Call[Any]] = deque()
        """Calls that wait until their home may receive."""
        self._accepted = 0
        """The number of calls that a thread has made or will make."""
        self.finished = 0
        """The number of calls that have been made."""
        self._lock = Lock()
        self._has_ended = False
        self.forget = call_at_exit(self.end)
        """Cancels the wait for these threads at exit."""

    def run(self, call: Call[Any]) -> None:
        """Make a call at its home, or on the next free thread, or on this thread if the interpreter is exiting."""
        with self._lock:
            is_queued = self._queue(call)
            self._accepted += is_queued
        if not is_queued:
            call.run()
            call.notify()

    def _queue(self, call: Call[Any]) -> bool:
        """Let a worker make a call. Returns False if there is no thread at all."""
        if self._has_ended:
            return False
        home = call.home
        worker = None
        if home is not None:
            if home.waits_to_receive and not self._admit(home):
                self._held.append(call)
                return True
            worker = home.worker
        if worker is None:
            if not (self._is_looked_at or self._wake() or self._workers):
                return False
            call.queued = monotonic()
            self._waiting.append(call)
            return True
        if worker in self._free:
            del self._free[worker]
        elif worker in self._kept:
            del self._kept[worker]
        worker.next.put(call)
        return True

    def _wake(self) -> bool:
        """Let an idle worker, or a new one, check the calls: preferably one to which no task will return."""
        if self._free:
            worker = self._free.popitem()[0]
        elif len(self._workers) < self._most and (started := self._start()) is not None:
            worker = started
        elif self._kept:
            worker = next(iter(self._kept))  # idle the longest, so that new tasks use all of them in turn
            del self._kept[worker]
        else:
            return False
        self._is_looked_at = True
        worker.next.put(_LOOK)
        return True

    def _start(self) -> Worker | None:
        worker = Worker()
        name = f"{self._name}-{len(self._workers)}"
        # A daemon, because a blocked call must not keep the process from its end.
        worker.thread = Thread(target=self._work, args=(worker,), name=name, daemon=True)
        try:
            Context().run(worker.thread.start)  # else it may keep its starter's context, and thus the request
        except RuntimeError:  # the system has no more threads
            return None
        self._workers.append(worker)
        return worker

    def _work(self, worker: Worker) -> None:
        take = worker.next.get
        following: Call[Any] | None = None
        while (call := following or take() or self._take_last(worker)) is not None:
            if isinstance(call, Look):
                following = self._look(worker)
                continue
            is_claimed = call.claim()
            if is_claimed:
                call.run()
            with self._lock:
                self.finished += 1
                if is_claimed and call.home is not None:
                    _expect(call.home, worker, call.is_last)
                following = self._following(worker)
            if is_claimed:  # last: the woken task may make the next call at once
                call.notify()
            del call  # else it would be kept until the next one

    def _look(self, worker: Worker) -> Call[Any] | None:
        with self._lock:
            self._is_looked_at = False
            if self._waiting:
                return self._take(worker)
            # A call of its own may be in its queue already: it is not idle then.
            if worker.next.empty():
                self._make_idle(worker)
            return None

    def _following(self, worker: Worker) -> Call[Any] | None:
        """Return a call for any worker; None if this worker checks its own calls or becomes idle.

        Its own calls and those for any worker take turns. A worker to which a task will return leaves calls for any
        worker to the worker that is about to check them.
        """
        has_own = not worker.next.empty()
        if (
            self._waiting
            and not (worker.returning and self._is_looked_at)
            and (worker.has_just_returned or not has_own)
        ):
            worker.has_just_returned = False
            return self._take(worker)
        worker.has_just_returned = has_own
        if not has_own:
            self._make_idle(worker)
        return None

    def _take(self, worker: Worker) -> Call[Any]:
        call = self._waiting.popleft()
        if call.home is not None and call.home.worker is None:
            call.home.worker = worker
        if self._waiting and not (self._is_looked_at or self._has_ended):
            self._wake()
        return call

    def _make_idle(self, worker: Worker) -> None:
        (self._kept if worker.returning else self._free)[worker] = None

    def _take_last(self, worker: Worker) -> Call[Any] | None:
        """Return a call that is still waiting although everything has ended, or None."""
        with self._lock:
            if not self._waiting:
                return None
            # The end is put back, for after this call.
            worker.next.put(None)
            return self._take(worker)

    def leave(self, home: Home) -> None:
        """No longer expect calls from a home."""
        with self._lock:
            home.has_left = True
            worker = home.worker
            if worker is not None:
                _expect(home, worker, is_last=True)
                if not worker.returning and worker in self._kept:
                    del self._kept[worker]
                    self._free[worker] = None
            self._end_receiving(home)

    def _admit(self, home: Home) -> bool:
        """Return True if a home may receive a body, as one of the few homes that may."""
        if self._receiving >= self._most_receiving:
            return False
        self._receiving += 1
        home.is_receiving, home.waits_to_receive = True, False
        return True

    def end_receiving(self, home: Home) -> None:
        """Let another home receive a body, if this one may receive one."""
        with self._lock:
            home.waits_to_receive = False
            self._end_receiving(home)

    def _end_receiving(self, home: Home) -> None:
        if home.is_receiving:
            home.is_receiving = False
            self._receiving -= 1
            while self._held and self._receiving < self._most_receiving:
                call = self._held.popleft()
                if call.home is not None and not call.home.has_left:
                    self._queue(call)
                else:
                    self._accepted -= 1

    @property
    def is_backed_up(self) -> bool:
        """True if a call waits for any thread."""
        return bool(self._waiting)

    def load(self) -> tuple[int, int]:
        """Return the number of threads making a call, and the number of calls waiting for any thread or for their
        own.
        """
        with self._lock:
            busy = len(self._workers) - len(self._free) - len(self._kept)
            return busy, max(self._accepted - self.finished - busy, 0)

    def refuse(self, error_of: Callable[[Call[Any]], BaseException | None]) -> None:
        """Refuse the calls waiting for any thread that begin a request and for which a function returns an error."""
        with self._lock:
            kept = deque[Call[Any]]()
            for call in self._waiting:
                error = None if call.begun_in is None else error_of(call)
                if error is None or not call.refuse(error):
                    kept.append(call)
            self._accepted -= len(self._waiting) - len(kept)
            self._waiting = kept

    def end(self) -> None:
        """Wait a few seconds for all queued calls to be made. The interpreter doesn't wait for daemon threads."""
        with self._lock:
            self._has_ended = True
            # They are made, too: the process ends, whoever may receive.
            self._waiting += self._held
            self._held.clear()
            for worker in self._workers:
                worker.next.put(None)
        join_at_exit(worker.thread for worker in self._workers)


def _expect(home: Home, worker: Worker, is_last: bool) -> None:
    """Count a home among those that will return to a worker, unless it has left, or has made its last call."""
    will_return = not (is_last or home.has_left)
    worker.returning += will_return - home.will_return
    home.will_return = will_return


class _ProcessWorkers:
    """A process's worker threads, created on first use and forgotten by forked children."""

    def __init__(self, most: int, name: str, most_receiving: int | None = None) -> None:
        self._arguments = most, name, most_receiving
        self._workers: Workers | None = None
        self._lock = Lock()
        call_after_fork(self._forget)

    def __call__(self) -> Workers:
        if self._workers is None:
            with self._lock:
                self._workers = self._workers or Workers(*self._arguments)
        return self._workers

    def load(self) -> tuple[int, int]:
        """Return the number of threads making a call, and the number of calls waiting for any thread or for their
        own.
        """
        return (0, 0) if self._workers is None else self._workers.load()

    def refuse(self, error_of: Callable[[Call[Any]], BaseException | None]) -> None:
        """Refuse the calls waiting for any thread that begin a request and for which a function returns an error."""
        if self.is_backed_up and self._workers is not None:
            self._workers.refuse(error_of)

    @property
    def is_backed_up(self) -> bool:
        """True if a call waits for any thread."""
        return self._workers is not None and self._workers.is_backed_up

    @property
    def finished(self) -> int:
        """The number of calls that have been made."""
        return 0 if self._workers is None else self._workers.finished

    def _forget(self) -> None:
        if self._workers is not None:
            self._workers.forget()
        # A child has no threads of its parent, one of which may have held the lock.
        self._workers, self._lock = None, Lock()


workers = _ProcessWorkers(WORKERS, "antiphon", RECEIVING)
"""This process's worker threads."""
file_workers = _ProcessWorkers(FILE_WORKERS, "antiphon-files")
"""This process's worker threads that are only for files and compression.

Their calls wait only for the disk and the processor. So one of these threads is soon free even while all ``workers``
wait for a database, or for a loop that needs a file before it can go on.
"""
