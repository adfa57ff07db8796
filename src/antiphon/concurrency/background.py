"""The background loop: an event loop for a process whose server has none (WSGI), created on first use."""

import _thread
import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context
from threading import Lock, Thread
from types import BuiltinFunctionType
from typing import Any, TypeVar

from antiphon.concurrency.crossing import WaitedTask, WaitingThread
from antiphon.concurrency.loop import (
    ENDING_LOOP,
    forget_background_loops,
    is_on_background_loop,
    note_background_loop,
    thread,
)
from antiphon.concurrency.process import call_after_fork

T = TypeVar("T")

CLEANING_UP = 0.5
"""The seconds that a task gets to clean up when the wait for it was interrupted. Gunicorn kills a process after one
second.
"""


class BackgroundTask:
    """A task on a background loop, as seen by the thread that waits for it or stops waiting.

    The waiting thread makes the task's blocking calls; once it has left, worker threads make them. ``ended`` is done
    when the task has ended and no longer uses its context.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: Context) -> None:
        self.ended: Future[None] = Future()
        self._thread = WaitingThread()
        self._loop = loop
        self._coroutine = coroutine
        self._context = context
        self._task: asyncio.Task[None] | None = None
        self._result: Any = None
        self._error: BaseException | None = None

    def start(self) -> None:
        """Start the task on its loop."""
        self._loop.call_soon_threadsafe(self._start_on_loop)

    def _start_on_loop(self) -> None:
        self._task = task = WaitedTask(self._run(), loop=self._loop, context=self._context)
        # Before the first step, which may make a call.
        task.thread = self._thread
        task.add_done_callback(self._end)

    async def _run(self) -> None:
        try:
            self._result = await self._coroutine
        except BaseException as error:  # on a task's way out, SystemExit and KeyboardInterrupt would end the loop
            self._error = error

    def _end(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled():
            # Cancelled before its first step: the coroutine has not begun, and would warn that nothing awaits it.
            self._coroutine.close()
            self._error = asyncio.CancelledError()
        # Before the wake, since the thread looks at it then.
        self.ended.set_result(None)
        self._thread.wake()

    def wake_after(self, future: Future[Any]) -> None:
        """Let the waiting thread check its wait when a future is done."""
        future.add_done_callback(self._thread.wake)

    def wait(self, future: Future[Any], seconds: float | None = None) -> bool:
        """Wait until a future for which ``wake_after`` was called is done, or the task has ended.

        Returns False if nothing has happened for ``seconds``.
        """
        return self._thread.wait(lambda: future.done() or self.ended.done(), seconds)

    def leave(self) -> None:
        """Stop waiting for the task."""
        self._thread.leave()

    def result(self) -> Any:
        """Wait until the task has ended and return its result. Raises the coroutine's errors."""
        self._thread.wait(self.ended.done)
        self._thread.wake()  # for another wait
        if self._error is not None:
            raise self._error
        return self._result

    def forget_outcome(self) -> None:
        """Release the result and the error: each frame of an error may keep this task."""
        self._result = self._error = None

    def cancel(self) -> None:
        """Cancel the task and leave. The task continues until it has cleaned up."""
        self.leave()
        self.interrupt()

    def interrupt(self) -> None:
        """Cancel the task and stay: this thread makes the calls with which the task cleans up."""
        self._loop.call_soon_threadsafe(self.cancel_on_loop)

    def break_off(self) -> None:
        """Cancel the task, unless it has ended, and give it a moment to clean up, because the process may end after
        this.
        """
        if not self.ended.done():
            self.cancel()
            with suppress(TimeoutError):
                self.ended.result(CLEANING_UP)

    def cancel_on_loop(self) -> None:
        """Cancel the task, on its loop."""
        if self._task is not None:
            self._task.cancel()


class BackgroundLoop:
    """An event loop that runs on a daemon thread."""

    def __init__(self) -> None:
        empty = Context()  # else loop and thread keep their starter's context, and thus the request
        self.loop = empty.run(asyncio.new_event_loop)
        # On the loop's own thread, whose identifier it records.
        self.loop.call_soon(note_background_loop, self.loop)
        if not isinstance(_thread.start_new_thread, BuiltinFunctionType):
            _let_greenlets_wake(self.loop)
        thread = Thread(target=self._run_forever, name="antiphon-loop", daemon=True)
        empty.run(thread.start)

    def _run_forever(self) -> None:
        while True:
            # The error of one task, which has it as its outcome, would leave all others waiting for ever.
            with suppress(*ENDING_LOOP):
                return self.loop.run_forever()

    def start(self, coroutine: Coroutine[Any, Any, Any], context: Context) -> BackgroundTask:
        """Run a coroutine as one task, in a context that isn't otherwise in use."""
        task = BackgroundTask(self.loop, coroutine, context)
        task.start()
        return task

    def run(self, coroutine: Coroutine[Any, Any, T], context: Context) -> T:
        """Run a coroutine as ``run_on`` does."""
        return run_on(self.loop, coroutine, context)


def run_on(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], context: Context) -> T:
    """Run a coroutine on another thread's loop and return its result. Raises its errors.

    If the wait is interrupted, the coroutine is cancelled.
    """
    task = BackgroundTask(loop, coroutine, context)
    try:
        task.start()
        return task.result()  # type: ignore[no-any-return]  # the coroutine's T
    except BaseException:
        task.break_off()
        raise
    finally:
        task.forget_outcome()


def serving_loop(default: asyncio.AbstractEventLoop | None = None) -> asyncio.AbstractEventLoop:
    """Return the loop for which this thread works, or else ``default``, or else the background loop; none is closed."""
    for loop in (thread.loop, default):
        if loop is not None and not loop.is_closed():
            return loop
    return background_loop().loop


def _let_greenlets_wake(loop: asyncio.AbstractEventLoop) -> None:
    """Make ``call_soon`` wake a loop that another greenlet calls, if gevent or eventlet has replaced threads.

    asyncio mistakes each greenlet of the loop's thread for the loop itself, so the loop would continue to wait.
    """
    call_soon, wake_and_call_soon = loop.call_soon, loop.call_soon_threadsafe

    def call(callback: Callable[..., object], *arguments: Any, context: Context | None = None) -> asyncio.Handle:
        chosen = call_soon if is_on_background_loop() else wake_and_call_soon
        return chosen(callback, *arguments, context=context)

    loop.call_soon = call  # type: ignore[method-assign,assignment]  # of this loop only


_lock = Lock()
_loop: BackgroundLoop | None = None


def background_loop() -> BackgroundLoop:
    """Return this process's background loop."""
    global _loop  # noqa: PLW0603 - one loop per process
    if _loop is None:
        with _lock:
            if _loop is None:
                # Looked at again: another thread may have made it in the meantime.
                _loop = BackgroundLoop()
    return _loop


def started_loop() -> BackgroundLoop | None:
    """Return this process's background loop, or None if it has not been needed yet."""
    return _loop


def _forget() -> None:
    global _loop, _lock
    # A child has no threads of its parent, one of which may have held the lock.
    _loop, _lock = None, Lock()
    forget_background_loops()


call_after_fork(_forget)
