"""What is counted of an application, the same on each machine: the strings that it keeps, and the work of a request."""

import asyncio
import gc
import sys
import threading
import tracemalloc
import types
from collections.abc import Iterator
from contextlib import contextmanager

_NOT_KEPT = (
    type, types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, asyncio.Future,
    asyncio.AbstractEventLoop, threading.Thread,
)  # fmt: skip
"""What belongs to the process, or ends by itself."""


def kept_texts(*roots: object) -> Iterator[tuple[str, str | bytes]]:
    """Yield the strings that can be reached from some objects, each with the names of the types on the way."""
    seen, waiting = {*map(id, roots)}, [(each, "") for each in roots]
    while waiting:
        each, way = waiting.pop()
        if isinstance(each, str | bytes | bytearray):
            yield way, each if isinstance(each, str) else bytes(each)
            continue
        if isinstance(each, types.FunctionType):
            inner: list[object] = [*(each.__closure__ or ()), *(each.__defaults__ or ())]  # not its module
        else:
            inner = gc.get_referents(each)
        for one in inner:
            if id(one) not in seen and not isinstance(one, _NOT_KEPT):
                seen.add(id(one))
                waiting.append((one, f"{type(each).__name__} {way}"))


MOST_LINES, MOST_BYTES = 30_000, 1 << 20
"""For a hostile body of 7 KiB."""


class Work:
    """The work of one request: the lines of Python that ran, and the most bytes that it took."""

    lines = 0
    """Counted after what a first request imports."""
    size = 0


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
