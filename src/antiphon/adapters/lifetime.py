"""The life of an application in a process: started up, then serving, then shut down, all of it in one task.

Cancel scopes and task groups that are entered at startup can only be left in the task that entered them.
"""

import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context
from typing import TYPE_CHECKING, Any

from antiphon.handler.contract import ON_LOOP, Steps
from antiphon.handler.drive import advance, driven, run_async

if TYPE_CHECKING:
    from asyncio import Task


_tasks: "set[Task[None]]" = set()
"""Loops refer to what waits in them weakly only."""


class Life:
    """One time of an application from startup to shutdown, both of them steps.

    It begins once, by ``begin`` on a loop or by ``begin_on_thread``. What needs no loop to start up has none: its steps
    are kept until it ends. An application whose startup failed, or whose loop has gone, is over, and may live again.
    """

    _task: "Task[None] | None" = None
    _kept: Steps[None] | None = None
    _context: Context
    _error: BaseException | None = None

    def __init__(self, startup: Callable[[], Steps[None]], shutdown: Callable[[], Steps[None]]) -> None:
        self._startup = startup
        self._shutdown = shutdown
        self._process = os.getpid()
        self._has_begun = _signal()
        self._leaving = _signal()
        self._has_ended = _signal()

    @property
    def is_over(self) -> bool:
        """Whether it has failed or ended, if only with its loop."""
        if self._error is not None or self._has_ended.done():
            return True
        return self._task is not None and self._task.get_loop().is_closed()

    def begin(self) -> None:
        """Begin as a task on the running loop."""
        from asyncio import create_task

        self._task = create_task(driven(self._steps()))
        _tasks.add(self._task)
        self._task.add_done_callback(_tasks.discard)
        self._task.add_done_callback(self._finish)

    async def begun(self) -> None:
        """Wait until it has started up. Raises what the startup has raised."""
        await _sent(self._has_begun)
        self._raise_error()

    async def end(self) -> None:
        """Shut down. Raises what the shutdown raises."""
        _send(self._leaving)
        if kept := self._take_kept():
            from antiphon.concurrency.crossing import Crossing

            await run_async(kept, Crossing(self._context))
            self._finish()
        await _sent(self._has_ended)
        self._raise_error()

    async def break_off(self) -> None:
        """Cancel what is left of it on this loop, unless it is cancelled already, and wait until it has cleaned up."""
        from asyncio import get_running_loop, wait

        task = self._task
        if task is not None and not task.done() and task.get_loop() is get_running_loop():
            if not task.cancelling():
                task.cancel()
            await wait([task])

    def begin_on_thread(self, context: Context) -> None:
        """Begin on this thread, in a context, and go on on the loop of this process if it needs one."""
        self._context = context
        steps = self._steps()
        _, has_ended, _ = context.run(advance, steps)
        if has_ended:
            self._finish()
        elif self._has_begun.done():
            self._kept = steps
        else:
            self._go_on_in_background(steps)

    def _go_on_in_background(self, steps: Steps[None]) -> None:
        from antiphon.concurrency.background import background_loop

        task = background_loop().start(*self._on_loop(steps))
        task.ended.add_done_callback(self._finish)
        try:
            task.wait(self._has_begun)
        except BaseException:
            task.cancel()
            raise
        task.leave()

    def wait_begun(self) -> None:
        """Block until it has started up. Raises what the startup has raised."""
        self._has_begun.result()
        self._raise_error()

    def end_at_exit(self) -> None:
        """Shut down while the interpreter exits, when no thread can be started any more. Raises what that raises."""
        if os.getpid() != self._process:
            return
        _send(self._leaving)
        if kept := self._take_kept():
            _, has_ended, _ = self._context.run(advance, kept)
            if not has_ended:
                self._go_on_at_exit(kept)
            self._finish()
        self._has_ended.result()
        self._raise_error()

    def _go_on_at_exit(self, steps: Steps[None]) -> None:
        from antiphon.concurrency.background import started_loop

        rest, context = self._on_loop(steps)
        if loop := started_loop():
            loop.run(rest, context)
        else:
            import asyncio

            context.run(asyncio.run, rest)

    def _take_kept(self) -> Steps[None] | None:
        kept, self._kept = self._kept, None
        return kept

    def _on_loop(self, steps: Steps[None]) -> tuple[Coroutine[Any, Any, None], Context]:
        """What is left of the steps, as a coroutine in a context of its own; on threads it is in the first one."""
        from antiphon.concurrency.crossing import Crossing

        return driven(steps, Crossing(self._context)), self._context.copy()

    async def _steps(self) -> None:
        try:
            await self._startup()
        except GeneratorExit:
            raise
        except BaseException as error:
            self._error = error
            _send(self._has_begun)
            if isinstance(error, Exception):
                return
            raise
        _send(self._has_begun)
        await ON_LOOP  # here they are kept where they have needed no loop so far, and go on on any thread
        broken_off = None
        try:
            if not self._leaving.done():
                await _sent(self._leaving)
        except GeneratorExit:
            raise
        except BaseException as error:
            broken_off = error
        await self._leave(broken_off)

    async def _leave(self, broken_off: BaseException | None) -> None:
        try:
            await self._shutdown()
        except GeneratorExit:
            raise
        except BaseException as error:
            self._error = error
            if broken_off is not None:
                _log_breaking_off(error)
            if isinstance(error, Exception):
                return
            raise
        if broken_off is not None:
            raise broken_off

    def _finish(self, _: object = None) -> None:
        _send(self._has_begun)  # by now, if it was cancelled before its first step
        _send(self._has_ended)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error


def _signal() -> "Future[None]":
    """What threads and loops can wait for, and who waits cannot cancel."""
    signal: Future[None] = Future()
    signal.set_running_or_notify_cancel()
    return signal


def _send(signal: "Future[None]") -> None:
    if not signal.done():
        signal.set_result(None)


async def _sent(signal: "Future[None]") -> None:
    from asyncio import wrap_future

    await wrap_future(signal)


def _log_breaking_off(error: BaseException) -> None:
    """Log what ended an application, or went wrong when its loop ended, while nobody waits for it."""
    import logging

    logging.getLogger("antiphon").error("the application was shut down while it served", exc_info=error)
