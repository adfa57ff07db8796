"""Calls in forked children, which start with what their parent had in memory, but without its threads."""

import os
from collections.abc import Callable


def call_after_fork(function: Callable[[], object]) -> None:
    """Register a function to be called in each child. On Windows, which has no forks, nothing is done."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)
