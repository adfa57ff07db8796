"""Caches of results for short texts, since most requests have the same few header values.

Results for long texts are computed each time, so that a client that keeps sending new ones can't fill the memory.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

LONGEST_CACHED = 256
"""The longest text whose result is cached, in characters."""


def cache_short(maxsize: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Cache the last ``maxsize`` results of a function of one text, unless the text is long. Used as a decorator."""

    def decorate(compute: Callable[[str], T]) -> Callable[[str], T]:
        cached = lru_cache(maxsize)(compute)
        return lambda text: cached(text) if len(text) <= LONGEST_CACHED else compute(text)

    return decorate
