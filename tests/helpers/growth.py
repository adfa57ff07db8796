"""How the time that code takes grows with the length of its input."""

from collections.abc import Callable
from time import thread_time

SHORT = 1 / 2000
"""Seconds that tell nothing: what takes no longer for the larger input is bounded, or fast enough."""


def seconds(prepare: Callable[[str], Callable[[], object]], text: str) -> float:
    """The least time of several that a call takes which is prepared anew for a text each time."""
    least = float("inf")
    for _ in range(3):
        call = prepare(text)
        start = thread_time()
        call()
        least = min(least, thread_time() - start)
    return least


def is_slow(
    prepare: Callable[[str], Callable[[], object]], unit: str, start: str = "", end: str = "", length: int = 64 << 10
) -> bool:
    """True if an input of a length takes more than ten times as long as a quarter: linear is 4, quadratic is 16.

    What was an accident does not come again.
    """
    return all(_grows(prepare, unit, start, end, length) for _ in range(4))


def _grows(prepare: Callable[[str], Callable[[], object]], unit: str, start: str, end: str, length: int) -> bool:
    count = length // 4 // len(unit)
    four = seconds(prepare, start + unit * 4 * count + end)
    return four > SHORT and four > 10 * seconds(prepare, start + unit * count + end)
