"""Results that are kept for a while, since the same few values come with most requests.

Those of long texts are not: a client that sends others each time must not fill the memory.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

LONGEST_KEPT = 256
"""Characters of a text whose result is kept."""


def kept(most: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Have so many results of a function kept."""

    def decorate(compute: Callable[[str], T]) -> Callable[[str], T]:
        known = lru_cache(most)(compute)
        return lambda text: known(text) if len(text) <= LONGEST_KEPT else compute(text)

    return decorate
