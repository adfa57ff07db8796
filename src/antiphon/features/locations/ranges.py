"""Ranges of numbers with a value each, packed into arrays, and found by bisection."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Protocol

_LOW = (1 << 64) - 1


class Numbers(Protocol):
    """A list of numbers that takes little memory."""

    def append(self, number: int, /) -> None: ...
    def __getitem__(self, index: int, /) -> int: ...

    def rank(self, number: int) -> int:
        """Return how many of the numbers, which are sorted, are not above ``number``."""
        ...


class Numbers32:
    """Numbers of up to 32 bits, such as IPv4 addresses, in four bytes each."""

    __slots__ = ("_numbers", "append")

    def __init__(self) -> None:
        self._numbers = array("I")
        self.append = self._numbers.append

    def __getitem__(self, index: int, /) -> int:
        return self._numbers[index]

    def rank(self, number: int) -> int:
        return bisect_right(self._numbers, number)


class Numbers128:
    """Numbers of up to 128 bits, such as IPv6 addresses, in sixteen bytes each: upper and lower halves."""

    __slots__ = ("_high", "_low")

    def __init__(self) -> None:
        self._high = array("Q")
        self._low = array("Q")

    def append(self, number: int, /) -> None:
        self._high.append(number >> 64)
        self._low.append(number & _LOW)

    def __getitem__(self, index: int, /) -> int:
        return self._high[index] << 64 | self._low[index]

    def rank(self, number: int) -> int:
        high = number >> 64
        end = bisect_right(self._high, high)
        return bisect_right(self._low, number & _LOW, bisect_left(self._high, high, 0, end), end)


class Ranges:
    """Ranges of numbers, each with a value, which is a number below 2**32.

    They are added in any order, and then arranged once. If several contain a number, the narrowest counts; if these are
    equally wide, the one that was added last.
    """

    __slots__ = ("_are_arranged", "_ends", "_kind", "_starts", "_values")

    def __init__(self, kind: type[Numbers32] | type[Numbers128]) -> None:
        self._kind = kind
        self._starts: Numbers = kind()
        self._ends: Numbers = kind()
        self._values = array("I")
        self._are_arranged = True

    def add(self, start: int, end: int, value: int) -> None:
        """Add the range from ``start`` to ``end``, inclusive."""
        if self._values and start <= self._ends[-1]:
            self._are_arranged = False
        self._starts.append(start)
        self._ends.append(end)
        self._values.append(value)

    def find(self, number: int) -> int | None:
        """Return the value of a number, or None if no range contains it. The ranges must be arranged."""
        index = self._starts.rank(number) - 1
        return self._values[index] if index >= 0 and number <= self._ends[index] else None

    def arranged(self) -> "Ranges":
        """Return these ranges in order, without overlaps."""
        if self._are_arranged:
            return self
        apart = Ranges(self._kind)
        for start, end, value in self._apart():
            apart.add(start, end, value)
        return apart

    def _apart(self) -> Iterator[tuple[int, int, int]]:
        starts, ends, values = self._starts, self._ends, self._values
        order = iter(sorted(range(len(values)), key=starts.__getitem__))
        ahead = next(order, None)
        at = 0
        covering: list[tuple[int, int, int, int]] = []
        while ahead is not None or covering:
            if not covering and ahead is not None:
                at = starts[ahead]
            while ahead is not None and starts[ahead] == at:
                heappush(covering, (ends[ahead] - at, -ahead, ends[ahead], values[ahead]))
                ahead = next(order, None)
            *_, end, value = covering[0]
            if end < at:
                heappop(covering)
                continue
            until = end if ahead is None else min(end, starts[ahead] - 1)
            yield at, until, value
            at = until + 1

    def __len__(self) -> int:
        return len(self._values)
