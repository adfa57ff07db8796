"""Where an application stands, for the message of a timeout."""

import asyncio
import sys
import traceback
from types import FrameType
from typing import Any


def task_position(task: "asyncio.Task[Any]") -> str:
    """The lines at which a task waits, outermost first; empty when it has ended."""
    frames: list[FrameType] = []
    waiting: Any = task.get_coro()
    while (frame := getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)) is not None:
        frames.append(frame)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    return _lines(frames)


def thread_position(ident: int | None) -> str:
    """The lines at which a thread is, outermost first; empty when it has ended."""
    frame = sys._current_frames().get(ident or 0)  # noqa: SLF001 - there is no other way
    frames: list[FrameType] = []
    while frame is not None:
        frames.insert(0, frame)
        frame = frame.f_back
    return _lines(frames)


def _lines(frames: list[FrameType]) -> str:
    summary = traceback.StackSummary.extract((frame, frame.f_lineno) for frame in frames)
    return "".join(summary.format())
