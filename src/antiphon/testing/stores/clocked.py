"""A store under test, and a way to let time pass."""

import time
from collections.abc import Callable

from antiphon.app.store import Store


class Clock:
    """A clock, which tests set: seconds since 1970."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class ClockedStore:
    """A store for ``StoreTests``. ``make`` opens it with a clock, a function that returns seconds since 1970.

    Each call of ``make`` returns another store of the same data, as another process would open it.
    """

    ttl = 100.0
    """A time to live that ``pass_time`` lets end, in seconds."""

    def __init__(self, make: Callable[[Clock], Store]) -> None:
        self.clock = Clock()
        self._make = make
        self.store = self.open()

    def open(self) -> Store:
        """Open the store once more."""
        return self._make(self.clock)

    def pass_time(self) -> None:
        """Let the time pass after which entries with this ``ttl`` expire."""
        self.clock.now += self.ttl


class TimedStore(ClockedStore):
    """A ``ClockedStore`` whose entries expire by the clock of a server, so that ``pass_time`` waits."""

    ttl = 0.05

    def pass_time(self) -> None:
        super().pass_time()
        time.sleep(self.ttl * 1.2)
