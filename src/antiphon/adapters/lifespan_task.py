"""An application's run in a process: it is started, serves requests, and is stopped, all in one task.

Cancel scopes and task groups that were entered at startup can be exited only in the same task.
"""

import os
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from functools import partial
from os.path import dirname, join
from typing import TYPE_CHECKING, Any
from weakref import ref

from antiphon.concurrency.process import call_at_exit
from antiphon.handler.contract import ON_LOOP, Steps
from antiphon.handler.drive import advance, driven, run_async

if TYPE_CHECKING:
    from asyncio import Task
    from concurrent.futures import Future


_tasks: "set[Task[None]]" = set()
"""The running tasks, because event loops refer to their tasks only weakly."""


class LifespanTask:
    """One run of an application from startup to shutdown, both given as steps.

    It is started once, by ``start`` on an event loop or by ``start_on_thread``. Steps that need no loop for the startup
    run without one and are paused until the shutdown. An application whose startup failed, or whose loop was closed, is
    over, and another run may start it.
    """

    _task: "Task[None] | None" = None
    _paused: Steps[None] | None = None
    _context: Context
    _error: BaseException | None = None

    def __init__(self, startup: Callable[[], Steps[None]], shutdown: Callable[[], Steps[None]]) -> None:
        self._startup = startup
        self._shutdown = shutdown
        self._process = os.getpid()
        self._started = _signal()
        self._stopping = _signal()
        self._ended = _signal()

    @property
    def is_over(self) -> bool:
        """True if the application has failed or ended, or its loop was closed."""
        if self._error is not None or self._ended.done():
            return True
        return self._task is not None and self._task.get_loop().is_closed()

    def start(self) -> None:
        """Start as a task of the running loop."""
        from asyncio import create_task

        for task in [*_tasks]:
            if task.get_loop().is_closed():  # it never ends, to be discarded
                _tasks.discard(task)
        self._task = create_task(self._run())
        _tasks.add(self._task)
        self._task.add_done_callback(_tasks.discard)
        self._task.add_done_callback(self._finish)

    async def wait_started(self) -> None:
        """Wait until the startup is done. Raises the startup's error."""
        await _sent(self._started)
        self._raise_error()

    async def stop(self) -> None:
        """Shut down and wait until that is done. Raises the shutdown's error."""
        _send(self._stopping)
        if paused := self._take_paused():
            from antiphon.concurrency.crossing import Crossing

            await run_async(paused, Crossing(self._context))
            self._finish()
        await _sent(self._ended)
        self._raise_error()

    async def cancel(self) -> None:
        """Cancel the task if it is running on this loop and isn't being cancelled, and wait until it has cleaned up."""
        from asyncio import get_running_loop, wait

        task = self._task
        if task is not None and not task.done() and task.get_loop() is get_running_loop():
            # A second cancellation would interrupt its cleaning up.
            if not task.cancelling():
                task.cancel()
            await wait([task])

    def start_on_thread(self, context: Context) -> None:
        """Start on this thread, in a context, and continue on the background loop if the steps need one."""
        self._context = context
        steps = self._steps()
        _, is_done, _ = context.run(advance, steps)
        if is_done:
            self._finish()
        elif self._started.done():
            self._paused = steps
        else:
            self._continue_in_background(steps)

    def _continue_in_background(self, steps: Steps[None]) -> None:
        from antiphon.concurrency.background import BackgroundTask, background_loop

        task = BackgroundTask(background_loop().loop, *self._on_loop(steps))
        task.ended.add_done_callback(self._finish)
        try:
            task.start()
            task.wake_after(self._started)
            task.wait(self._started)
        except BaseException:
            task.cancel()
            raise
        # From here on, worker threads make its calls: this one goes on to serve.
        task.leave()

    def stop_at_exit(self, is_kept: bool) -> None:
        """Shut down when the interpreter exits, unless that is over by then. An application that isn't kept may be
        freed before that.
        """
        if not self.is_over:
            forget = call_at_exit(partial(_stop, self._itself if is_kept else ref(self)))
            self._ended.add_done_callback(lambda _: forget())

    def _itself(self) -> "LifespanTask":
        return self

    def block_until_started(self) -> None:
        """Block this thread until the startup is done. Raises the startup's error."""
        self._started.result()
        self._raise_error()

    def stop_on_thread(self) -> None:
        """Shut down, and block this thread until that is done, without starting threads, as at exit. Raises its
        error.
        """
        # A forked child has what its parent has started, but did not start it.
        if os.getpid() != self._process:
            return
        _send(self._stopping)
        if paused := self._take_paused():
            _, is_done, _ = self._context.run(advance, paused)
            if not is_done:
                self._continue_without_threads(paused)
            self._finish()
        self._ended.result()
        self._raise_error()

    def _continue_without_threads(self, steps: Steps[None]) -> None:
        from antiphon.concurrency.background import started_loop

        rest, context = self._on_loop(steps)
        if loop := started_loop():
            loop.run(rest, context)
        else:
            import asyncio

            context.run(asyncio.run, rest)

    def _take_paused(self) -> Steps[None] | None:
        paused, self._paused = self._paused, None
        return paused

    def _on_loop(self, steps: Steps[None]) -> tuple[Coroutine[Any, Any, None], Context]:
        """Return the remaining steps as a coroutine, and a context for it; on threads, the first context is kept."""
        from antiphon.concurrency.crossing import Crossing

        return driven(steps, Crossing(self._context)), self._context.copy()

    async def _run(self) -> None:
        # The steps are made here: a task that is cancelled before it starts would leave them unawaited.
        await run_async(self._steps())

    async def _steps(self) -> None:
        try:
            await self._startup()
        except BaseException as error:
            self._error = error
            _send(self._started)
            if isinstance(error, Exception):
                return
            raise
        _send(self._started)
        await ON_LOOP  # steps that have not needed a loop so far pause here and may continue on any thread
        cancellation = None
        try:
            if not self._stopping.done():
                await _sent(self._stopping)
        except GeneratorExit:
            raise
        except BaseException as error:
            cancellation = error
        await self._end(cancellation)

    async def _end(self, cancellation: BaseException | None) -> None:
        """Shut down, because of ``stop`` or because the task was cancelled."""
        try:
            await self._shutdown()
        except GeneratorExit:
            raise
        except BaseException as error:
            self._error = error
            if cancellation is not None:
                _log_failed_shutdown(error)
            if isinstance(error, Exception):
                return
            raise
        if cancellation is not None:
            raise cancellation

    def _finish(self, _: object = None) -> None:
        _send(self._started)  # not sent yet if the task was cancelled before its first step
        _send(self._ended)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error


def _stop(find: "Callable[[], LifespanTask | None]") -> None:
    task = find()
    if task is not None and not task.is_over:
        task.stop_on_thread()


def _signal() -> "Future[None]":
    """Make a future that threads and loops can wait for and that the waiting code can't cancel."""
    from concurrent.futures import Future  # imports logging, which a program may do without

    signal: Future[None] = Future()
    # A future that is running can't be cancelled.
    signal.set_running_or_notify_cancel()
    return signal


def _send(signal: "Future[None]") -> None:
    if not signal.done():
        signal.set_result(None)


async def _sent(signal: "Future[None]") -> None:
    from asyncio import wrap_future

    await wrap_future(signal)


def _log_failed_shutdown(error: BaseException) -> None:
    """Log the error of a shutdown that nothing waits for."""
    import logging

    logging.getLogger("antiphon").error("the application was shut down while it was serving", exc_info=error)


async def call_lifespan(
    start: Callable[[], Awaitable[None]],
    stop: Callable[[], Awaitable[None]],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Start and stop an application as an ASGI server requests, and report failures to it."""
    for event, act in (("startup", start), ("shutdown", stop)):
        await receive()
        try:
            await act()
        except Exception as error:
            await send({"type": f"lifespan.{event}.failed", "message": _traceback_of(error)})
            raise
        await send({"type": f"lifespan.{event}.complete"})


_PACKAGE = join(dirname(dirname(__file__)), "")


def _traceback_of(error: Exception) -> str:
    """Return the traceback of an error without this package's frames: some servers log only that."""
    from traceback import StackSummary, TracebackException

    told = TracebackException.from_exception(error)
    told.stack = StackSummary.from_list([frame for frame in told.stack if not frame.filename.startswith(_PACKAGE)])
    return "".join(told.format()).rstrip()
