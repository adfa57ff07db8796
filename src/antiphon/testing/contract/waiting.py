"""Waiting for what another process does, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 10.0
"""Seconds. No wait for a server takes longer."""

PAUSE = 0.02
"""Seconds between two looks."""


def eventually(look: Callable[[], T | None], what: str, deadline: float = DEADLINE) -> T:
    """Look until something is found. Raises TimeoutError, which says ``what`` was not."""
    end = time.monotonic() + deadline
    while (found := look()) is None:
        if time.monotonic() > end:
            raise TimeoutError(f"{what}, {deadline} seconds long")
        time.sleep(PAUSE)
    return found
