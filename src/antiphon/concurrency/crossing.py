"""Moving from a task to threads and back, with context variables copied both ways, and finding a task's threads."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, ContextVar, Token, copy_context
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, get_ident
from typing import Any, Self, TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

from antiphon.concurrency.calls import Call, Threads
from antiphon.concurrency.process import call_after_fork
from antiphon.concurrency.workers import Home, file_workers, workers


class WaitingThread:
    """A thread that waits for a task and makes the task's calls in the meantime.

    This thread is free for the calls, while all worker threads may be waiting for tasks that need a worker thread.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Call[Any] | None] = SimpleQueue()
        self._has_left = False
        self._lock = Lock()

    def run(self, call: Call[Any]) -> None:
        """Make a call as soon as this thread is waiting, or on a worker thread if this thread has left."""
        with self._lock:
            # Under the lock: a call that is queued after ``leave`` has emptied the queue would never be made.
            if not self._has_left:
                self._calls.put(call)
                return
        workers().run(call)

    def wait(self, is_over: Callable[[], bool], seconds: float | None = None) -> bool:
        """Make calls on this thread until ``is_over`` returns True after a ``wake``. If interrupted, leave.

        Returns False if nothing happens for ``seconds``. Earlier calls for which nothing waits are also made.
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
                del call  # else it would be kept until the next one
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
        """Stop making calls. The worker threads make the queued calls and all later ones."""
        with self._lock:
            self._has_left = True
        with suppress(Empty):
            while True:
                if call := self._calls.get_nowait():
                    workers().run(call)


class WaitedTask(asyncio.Task[None]):
    """A task that a thread is waiting for."""

    thread: WaitingThread


_homes: WeakKeyDictionary["asyncio.Task[Any]", Home] = WeakKeyDictionary()
"""The home of each running task that has made a call."""


def threads_of_task() -> Threads:
    """Return the threads that make the current task's calls: the thread that waits for it, otherwise one of the worker
    threads.

    A waiting thread serves only its own task, not that task's subtasks. It makes one call at a time, and is never busy
    when its task needs another.
    """
    task = asyncio.current_task()
    if isinstance(task, WaitedTask):
        return task.thread
    return workers() if task is None else _home_of(task)


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
    """Make the current task's next call wait until few enough calls of other tasks may wait for a body.

    Return a function that reports that this task's calls no longer wait for a body.
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


T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

_MISSING = object()

Tokens = dict[ContextVar[Any], Token[Any]]


class Crossing:
    """A way for a task to move to ``threads`` (by default, to the task's own thread) and back.

    ``ends`` returns true for the result of a call if the task is unlikely to make another call. All calls of one
    crossing run in one context, its own or one that isn't otherwise in use, so a token made in one call can be reset in
    a later one. Variables that calls set are copied back to the task, and variables that the task has set since are
    copied to the next call. While ``begins`` is true, a call begins a request, so ``Workers.refuse`` may refuse it.
    """

    begins = False

    def __init__(
        self, context: Context | None = None, threads: Threads | None = None, ends: Callable[[Any], bool] | None = None
    ) -> None:
        self._context = Context() if context is None else context
        self._threads = threads
        self._ends = ends
        self._task_tokens: Tokens = {}
        self._thread_tokens: Tokens = {}
        self._holds_cancellation = False

    @classmethod
    def for_files(cls) -> Self:
        """Return a crossing for functions that wait only for the disk and the processor."""
        task = asyncio.current_task()
        return cls(threads=task.thread if isinstance(task, WaitedTask) else file_workers())

    @staticmethod
    def back() -> "Crossing":
        """Return a way for a task back to this thread, which waits for the task."""
        return _CrossingBack()

    @staticmethod
    def loads() -> dict[str, tuple[int, int]]:
        """Return, for this process's "handlers" and "files", how many threads make a call, and how many calls wait."""
        return {"handlers": workers.load(), "files": file_workers.load()}

    def in_same_context(self, ends: Callable[[Any], bool] | None = None) -> "Crossing":
        """Return a crossing for other calls in the same context, of which only one may run at a time."""
        crossing = Crossing(self._context, self._threads, ends)
        crossing._task_tokens, crossing._thread_tokens = self._task_tokens, self._thread_tokens
        return crossing

    async def run(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Call a function on a thread. Raises the function's errors.

        If the task is cancelled while the function is running, this waits for the function. The cancellation is held
        back and reaches the task where it next waits, at the latest before its next call. A function that hasn't
        started is dropped, unless the task was already cancelled before the call: the task is then cleaning up, so the
        function is still called.
        """
        if self._holds_cancellation:
            await self.raise_held_cancellation()
        call = self.start(partial(function, *arguments))
        await self.wait(call)
        return self.end(call)

    async def run_shielded(self, function: Callable[[], T]) -> T:
        """Call a function on a thread even if the task is cancelled at any time: for cleaning up."""
        call = self.start(function)
        await self.wait_shielded(call)
        return self.end(call)

    async def raise_held_cancellation(self) -> None:
        """Let the task receive a cancellation that was held back, unless it has been withdrawn since."""
        await self.drop_withdrawn_cancellation()
        if self._holds_cancellation:
            self._holds_cancellation = False
            await asyncio.sleep(0)

    async def drop_withdrawn_cancellation(self, leaving: BaseException | None = None) -> None:
        """Drop a cancellation that was held back if it has been withdrawn since, or if another one is ``leaving``.

        Otherwise, two cancellations would outlive the scope that requested only one. A cancellation that arrives during
        this is also held back, so that the response reaches the code that closes it.
        """
        # The garbage collector closes a task that a closed loop has left: no loop runs then.
        if not self._holds_cancellation or (task := asyncio.current_task()) is None:
            return
        is_leaving = isinstance(leaving, asyncio.CancelledError)
        if is_leaving or not task.cancelling():
            self._holds_cancellation = False
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError as error:
                if task.cancelling() and not is_leaving:
                    _hold_back(task, error.args)
                    self._holds_cancellation = True

    def copy_to_threads(self, source: Context) -> None:
        """Copy the variables of ``source`` to the threads' context, once that is no longer in use."""
        self._context.run(copy_variables, source, self._thread_tokens)

    def copy_to_task(self) -> None:
        """Copy the variables of the threads' context to the task's, which is the current one."""
        copy_variables(self._context, self._task_tokens)

    def start(self, function: Callable[[], T]) -> Call[T]:
        """Start calling a function; ``wait`` and ``end`` do the rest."""
        context = copy_context()
        call = Call(partial(self._run, context, function), self._ends)
        if self.begins:
            call.begun_in = context
        (self._threads or threads_of_task()).run(call)
        return call

    def _run(self, task_context: Context, function: Callable[[], T]) -> T:
        return self._context.run(self._call, task_context, function)

    def _call(self, task_context: Context, function: Callable[[], T]) -> T:
        copy_variables(task_context, self._thread_tokens)
        return function()

    async def wait(self, call: Call[Any], is_enough: Callable[[], bool] | None = None) -> None:
        """Wait until a call is done, or is woken and ``is_enough()`` is true. A cancellation is treated as in
        ``run``.
        """
        task = asyncio.current_task()
        # A task that was cancelled before is cleaning up, and needs its calls.
        drops = task is None or not task.cancelling()
        self._holds_cancellation = await _wait_shielded(call, drops, is_enough)

    async def wait_shielded(self, call: Call[Any]) -> None:
        """Wait until a call is done, even if the task is cancelled."""
        self._holds_cancellation = await _wait_shielded(call, drops=False)

    def end(self, call: Call[T]) -> T:
        """Return the result of a call that is done. Raises the error that its function raised."""
        if call.home is not None and call.home.will_return:
            leave_at_end(call.home)
        self.copy_to_task()
        error, call.error = call.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # else its traceback would keep it and everything on the stack alive
        result: T = call.result
        del call.result  # an error's frames on the thread refer to the call
        return result


class _CrossingBack(Crossing):
    """A way for a task back to the thread that makes this object and waits for the task.

    Calls run in that thread's current context. Once the thread has left, they run in a copy of it.
    """

    def __init__(self) -> None:
        super().__init__(copy_context())
        self._thread = get_ident()

    def _run(self, task_context: Context, function: Callable[[], T]) -> T:
        if get_ident() != self._thread:
            return super()._run(task_context, function)
        try:
            return self._call(task_context, function)
        finally:
            # ``end`` copies the variables from there, and the calls after the thread has left continue with it.
            self._context = copy_context()


async def _wait_shielded(call: Call[Any], drops: bool, is_enough: Callable[[], bool] | None = None) -> bool:
    """Wait until a call is done, even if the task is cancelled. Returns True if a cancellation was held back.

    With ``drops``, a cancellation drops a call that is not running yet, and is raised. The wait also ends if the call
    is woken and ``is_enough()`` is true, unless the task was cancelled.
    """
    cancelled: tuple[object, ...] | None = None
    while not (call.is_done or (is_enough is not None and cancelled is None and is_enough())):
        try:
            await call.wait()
        except asyncio.CancelledError as error:
            if drops and call.claim():
                raise
            cancelled = error.args  # the error refers to this frame
    if cancelled is None or (task := asyncio.current_task()) is None:
        return False
    _hold_back(task, cancelled)
    return True


def _hold_back(task: "asyncio.Task[Any]", arguments: tuple[object, ...]) -> None:
    """Deliver a cancellation that the current task has already received again where the task next waits.

    ``arguments`` are its error's arguments.
    """
    task.uncancel()
    task.cancel(*arguments)


def copy_variables(source: Context, tokens: Tokens) -> None:
    """Set each context variable of ``source`` in the current context, and unset those that ``source`` no longer has.

    ``tokens`` keeps the required tokens from call to call.
    """
    for variable, value in source.items():
        before = variable.get(_MISSING)
        if before is not value:
            token = variable.set(value)
            # The token of a variable that had no value is the only way to unset it.
            if before is _MISSING:
                tokens[variable] = token
    # A list, because ``tokens`` loses items meanwhile.
    for variable in [variable for variable in tokens if variable not in source]:
        variable.reset(tokens.pop(variable))
