"""The places where the tasks of a hanging process wait, which the stacks of its threads do not show."""

import asyncio
import sys
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

from antiphon.handler.drive import run_async

_ATTRIBUTES = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
"""The attributes of coroutines, generators and async generators for their frame, and for what they await."""


def write_stacks(loop: asyncio.AbstractEventLoop | None) -> None:
    """Write to stderr where the tasks of a loop wait, down to the innermost await. May be called on any thread."""
    for task in asyncio.all_tasks(loop) if loop is not None else ():
        lines = traceback.StackSummary.extract((frame, frame.f_lineno) for frame in _frames(task.get_coro())).format()
        sys.stderr.write(f"Task {task.get_name()} waits (most recent call last):\n{''.join(lines)}")
    sys.stderr.flush()


def _frames(awaited: Any) -> Iterator[FrameType]:
    """Return the frames of a coroutine, and of what it awaits or drives."""
    while awaited is not None:
        for frame_of, awaited_by in _ATTRIBUTES:
            if frame := getattr(awaited, frame_of, None):
                yield frame
                awaited = getattr(awaited, awaited_by)
                if awaited is None and frame.f_code is run_async.__code__:
                    awaited = frame.f_locals["steps"]
                break
        else:
            return
