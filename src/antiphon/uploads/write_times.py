"""Whether an event loop may write batches itself: as long as the system takes them at once.

What is written goes to memory first, in less time than it takes to have a thread do it. A disk that falls behind, or a
network, makes writers wait; then threads do that, until it has caught up.
"""

SLOW = 0.002
"""Seconds for a batch from which on it was not taken at once: ten times what memory needs for one."""
WARY = 16
"""How many batches in a row have to be taken at once after one that was not."""


class WriteTimes:
    """How long the last batches took, whoever wrote them. Of the first one nothing is known."""

    __slots__ = ("_wary",)

    def __init__(self) -> None:
        self._wary = 1

    @property
    def are_short(self) -> bool:
        """Whether the next batch is likely to be taken at once."""
        return not self._wary

    def add(self, seconds: float) -> None:
        """Tell how long a batch took."""
        self._wary = WARY if seconds >= SLOW else max(self._wary - 1, 0)


WRITE_TIMES = WriteTimes()
"""Those of this process. Which file system it was is not told apart: a loop serves the bodies of all."""
