"""The lines of the application's own files as points: by ``sys.monitoring``, or by ``sys.settrace`` on Python 3.11.

``sys.monitoring`` costs nothing in other files once it has seen their lines, and leaves debuggers and coverage alone.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, Final

from antiphon.explanations import explained

OnLine = Callable[[str, int], None]

_TOOL_IDS: Final = (4, 3)  # the ones that no tool of Python's documentation has
_tracer: Any = None


@contextmanager
def observed(is_own: Callable[[str], bool], on_line: OnLine) -> Iterator[None]:
    """Call ``on_line`` with the file and the number of each line that is about to run in a file that is the app's own.

    On Python 3.11, only threads within ``monitored`` are observed.
    """
    if sys.version_info < (3, 12):
        with _traced(is_own, on_line):
            yield
        return
    monitoring = sys.monitoring
    tool = next((each for each in _TOOL_IDS if monitoring.get_tool(each) is None), None)
    if tool is None:
        raise explained(
            "bad-test-request",
            "races() finds no free tool of sys.monitoring: end the profiler that uses it",
            RuntimeError,
        )

    def note_line(code: CodeType, line: int) -> Any:
        if not is_own(code.co_filename):
            return monitoring.DISABLE
        on_line(code.co_filename, line)
        return None

    monitoring.use_tool_id(tool, "antiphon.testing.races")
    try:
        monitoring.register_callback(tool, monitoring.events.LINE, note_line)
        monitoring.set_events(tool, monitoring.events.LINE)
        monitoring.restart_events()
        yield
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, monitoring.events.LINE, None)
        monitoring.free_tool_id(tool)


@contextmanager
def _traced(is_own: Callable[[str], bool], on_line: OnLine) -> Iterator[None]:
    global _tracer  # noqa: PLW0603 - one world at a time

    def local(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            on_line(frame.f_code.co_filename, frame.f_lineno)
        return local

    _tracer = lambda frame, _event, _argument: local if is_own(frame.f_code.co_filename) else None  # noqa: E731
    try:
        yield
    finally:
        _tracer = None


@contextmanager
def monitored() -> Iterator[None]:
    """Observe the current thread, on Python 3.11."""
    if _tracer is None:
        yield
        return
    before = sys.gettrace()
    sys.settrace(_tracer)
    try:
        yield
    finally:
        sys.settrace(before)
