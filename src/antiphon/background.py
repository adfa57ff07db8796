"""The event loop of a process whose server has none (WSGI): made on first use, on a thread of its own."""

import asyncio
import os
from collections.abc import Coroutine
from concurrent.futures import Future
from contextvars import Context
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundTask:
    """A task on a background loop, as another thread sees it: ``outcome`` is a future for that thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: Context) -> None:
        self.outcome: Future[Any] = Future()
        self._loop = loop
        self._coroutine = coroutine
        self._context = context
        loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._coroutine, context=self._context)
        self._task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[Any]") -> None:
        if task.cancelled():
            self.outcome.set_exception(asyncio.CancelledError())
        elif error := task.exception():
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(task.result())

    def cancel(self) -> None:
        """Have the task cancelled; it goes on until it has cleaned up."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        self._task.cancel()


class BackgroundLoop:
    """An event loop that runs on a daemon thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        Thread(target=self.loop.run_forever, name="antiphon-loop", daemon=True).start()

    def start(self, coroutine: Coroutine[Any, Any, Any], context: Context) -> BackgroundTask:
        """Run a coroutine as one task, in a context that nobody else is in meanwhile."""
        return BackgroundTask(self.loop, coroutine, context)

    def run(self, coroutine: Coroutine[Any, Any, T], context: Context) -> T:
        """Run a coroutine and wait for what it returns or raises. It is cancelled when the wait is interrupted."""
        task = self.start(coroutine, context)
        try:
            return task.outcome.result()  # type: ignore[no-any-return]  # the coroutine's T
        except BaseException:
            if not task.outcome.done():
                task.cancel()
            raise


_lock = Lock()
_loop: BackgroundLoop | None = None


def background_loop() -> BackgroundLoop:
    """This process's loop."""
    global _loop  # noqa: PLW0603 - one loop a process
    if _loop is None:
        with _lock:
            if _loop is None:
                _loop = BackgroundLoop()
    return _loop


def _forget() -> None:
    global _loop, _lock
    _loop, _lock = None, Lock()


os.register_at_fork(after_in_child=_forget)
