"""Cells: whole numbers of 64 bits in memory that processes can share, which threads add to."""

from bisect import bisect_left
from threading import RLock

from antiphon.concurrency.process import call_after_fork
from antiphon.speedups import accelerated

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The bounds of the buckets for durations, as OpenTelemetry's conventions advise."""
BYTES = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
"""The bounds of the buckets for sizes."""
NANO = 1_000_000_000

_RECEIVED = len(SECONDS) + 2
_SENT = _RECEIVED + len(BYTES) + 2
EXCHANGE = _SENT + len(BYTES) + 2
"""The number of cells for the exchanges of one route, method and status: for each of three histograms, its buckets and
the sum of its values, in nanoseconds for durations.
"""


class _Lock:
    """The lock of all cells. A finalizer can take it again, and forked children renew it."""

    def __init__(self) -> None:
        self.renew()
        call_after_fork(self.renew)

    def renew(self) -> None:
        self.held = RLock()


LOCK = _Lock()


@accelerated
def add_to_cell(cells: "memoryview[int]", at: int, amount: int, /) -> None:
    """Add a number to a cell, on any thread. Raises IndexError for a missing cell."""
    with LOCK.held:
        cells[at] += amount


@accelerated
def count_exchange(cells: "memoryview[int]", active: int, at: int, seconds: float, received: int, sent: int, /) -> None:
    """Count an exchange in the cells that begin at ``at``, and subtract it from the ``active`` ones, on any thread.

    ``received`` and ``sent`` are the sizes of the bodies in bytes. If the process is killed in the middle, only some of
    the histograms have counted it, but each of them is valid.
    """
    with LOCK.held:
        cells[at + bisect_left(SECONDS, seconds)] += 1
        cells[at + len(SECONDS) + 1] += int(seconds * NANO)
        cells[at + _RECEIVED + bisect_left(BYTES, received)] += 1
        cells[at + _RECEIVED + len(BYTES) + 1] += received
        cells[at + _SENT + bisect_left(BYTES, sent)] += 1
        cells[at + _SENT + len(BYTES) + 1] += sent
        cells[active] -= 1
