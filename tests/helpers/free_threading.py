"""What differs for tests where Python runs without a GIL."""

import sys

import pytest

HAS_GIL = sys.version_info < (3, 13) or sys._is_gil_enabled()

INHERITS = bool(getattr(sys.flags, "thread_inherit_context", False))
"""True if a new thread begins with a copy of the context in which it is started."""

frees_at_once = pytest.mark.skipif(
    not HAS_GIL, reason="without a GIL an object is freed later, when the thread that made it runs next"
)
