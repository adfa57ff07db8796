"""Caches of results for short texts: the same few header values come with most requests.

Results for long texts are computed each time, so that a client that sends other ones each time can't fill the memory.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

LONGEST_CACHED = 256
"""Characters of a text whose result is cached."""


def cache_short(maxsize: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Cache the last ``maxsize`` results of a function of one text, unless the text is long. Used as a decorator."""

    def decorate(compute: Callable[[str], T]) -> Callable[[str], T]:
        cached = lru_cache(maxsize)(compute)
        return lambda text: cached(text) if len(text) <= LONGEST_CACHED else compute(text)

    return decorate
