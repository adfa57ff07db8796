"""What is counted of an application, the same on each machine: the strings that it keeps, and the work of a request."""

import asyncio
import gc
import sys
import threading
import tracemalloc
import types
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Literal, cast

_NOT_KEPT = (
    type, types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, asyncio.Future,
    asyncio.AbstractEventLoop, threading.Thread, int, float, types.NoneType,
)  # fmt: skip
"""What belongs to the process, or ends by itself, or leads nowhere."""


@lru_cache(512)  # a program's class holds its app
def _role(kind: Any) -> Literal["text", "way", ""]:
    return "text" if issubclass(kind, str | bytes | bytearray) else "" if issubclass(kind, _NOT_KEPT) else "way"


def kept_texts(*roots: object) -> Iterator[tuple[tuple[Any, ...], str | bytes | bytearray]]:
    """Yield the strings that can be reached from some objects, each with the types on the way, from the last one on:
    a type, and the way before it.
    """
    seen: set[int] = {*map(id, roots)}
    waiting: list[tuple[Any, tuple[Any, ...]]] = [(each, ()) for each in roots]
    while waiting:
        each, before = waiting.pop()
        way = (type(each), before)
        if isinstance(each, types.FunctionType):
            inner: list[object] = [*(each.__closure__ or ()), *(each.__defaults__ or ())]  # not its module
        else:
            inner = gc.get_referents(each)
        for one in inner:
            if id(one) in seen:
                continue
            seen.add(id(one))
            kind: Any = type(one)
            if (role := _role(kind)) == "text":
                yield way, cast("str | bytes | bytearray", one)
            elif role:
                waiting.append((one, way))


class Work:
    """The work of one request: the lines of Python that ran, and the most bytes that it took."""

    lines = size = 0


@contextmanager
def counted(*, wants_size: bool) -> Iterator[Work]:
    """Count the work in the block, in all threads. Its size takes twice as long. Python 3.11 counts no lines."""
    work = Work()
    if sys.version_info < (3, 12):
        yield work
        return
    monitoring, tool = sys.monitoring, 4  # one that no debugger, profiler or measuring of coverage has

    def count(*_: object) -> None:
        work.lines += 1

    monitoring.use_tool_id(tool, "pairs")
    monitoring.register_callback(tool, monitoring.events.LINE, count)
    monitoring.set_events(tool, monitoring.events.LINE)
    if wants_size:
        tracemalloc.start()
    try:
        yield work
    finally:
        work.size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
