"""Timeouts whose errors say where the application hangs."""

import asyncio
import sys
import traceback
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float | None, work: Coroutine[Any, Any, T], message: Callable[[], str]) -> T:
    """Await a coroutine, but not for longer than ``seconds``.

    Raises TimeoutError; ``message`` is called before the coroutine is cancelled, and returns the error's text. Without
    a limit, no event loop is needed.
    """
    if seconds is None:
        return await work
    limit = asyncio.timeout(seconds)
    text = ""
    try:
        async with limit:
            try:
                return await work
            except asyncio.CancelledError:
                text = message()
                raise
    except TimeoutError as error:
        if not limit.expired() or not text:
            raise
        raise TimeoutError(text) from error
    finally:
        del limit  # it keeps the task, and thus its error, which keeps this frame


def task_position(task: "asyncio.Task[Any]") -> str:
    """Return the lines where a task waits, outermost first; empty when it has ended."""
    frames: list[FrameType] = []
    waiting: Any = task.get_coro()
    while (frame := getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)) is not None:
        frames.append(frame)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    return _lines(frames)


def thread_position(ident: int | None) -> str:
    """Return the lines that a thread is running, outermost first; empty when it has ended."""
    frame = sys._current_frames().get(ident or 0)  # noqa: SLF001 - there is no other way
    frames: list[FrameType] = []
    while frame is not None:
        frames.insert(0, frame)
        frame = frame.f_back
    return _lines(frames)


def _lines(frames: list[FrameType]) -> str:
    summary = traceback.StackSummary.extract((frame, frame.f_lineno) for frame in frames)
    return "".join(summary.format())
