"""Memory of figures: records of a text and some cells, which one process writes and others read.

Others see a record once the count of cells in use includes it and its checksum is right. So a record that a process was
writing when it was killed is never read. A cell is written atomically, like any aligned number of 64 bits.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from zlib import crc32

_MAGIC = int.from_bytes(b"antiph01", "little")
_USED = 1
_HEAD = 8
"""The number of cells before the first record."""
_CELL = 8
"""The size of a cell in bytes."""


class Record(NamedTuple):
    """A text, the place of its first cell, and the number of its cells."""

    text: bytes
    at: int
    length: int


class NotOurs(ValueError):
    """Raised for a file without figures of this version."""


class Memory:
    """Records in a buffer. ``owner``, such as the locked file behind the buffer, lives as long as this object."""

    def __init__(self, buffer: Any, owner: object = None) -> None:
        if len(buffer) % _CELL:
            raise NotOurs
        self.owner = owner
        self.cells: memoryview[int] = memoryview(buffer).cast("B").cast("q")
        self.floats: memoryview[float] = memoryview(buffer).cast("B").cast("d")
        self._bytes = memoryview(buffer).cast("B")
        if len(self.cells) <= _HEAD or self.cells[0] != _MAGIC:
            raise NotOurs
        self.found: dict[Any, Any] = {}
        """Places that a writer looks up often."""
        self._places = {record.text: record.at for record in self.records()} if not self._bytes.readonly else {}

    @staticmethod
    def prepare(buffer: Any) -> None:
        """Write the head of an empty memory into a buffer of zeros."""
        cells = memoryview(buffer).cast("B").cast("q")
        cells[_USED] = _HEAD
        cells[0] = _MAGIC

    def records(self) -> Iterator[Record]:
        """Iterate over the complete records."""
        at, used = _HEAD, min(self.cells[_USED], len(self.cells))
        while at + 2 <= used:
            length, count = self.cells[at] & 0xFFFFFFFF, self.cells[at] >> 32
            first = at + 2 + _cells_of(length)
            text = bytes(self._bytes[(at + 2) * _CELL : (at + 2) * _CELL + length])
            if first + count > used or self.cells[at + 1] != _checksum(text, count):
                return
            yield Record(text, first, count)
            at = first + count

    def find(self, text: bytes) -> int | None:
        """Return the place of a record, or None if it does not exist."""
        return self._places.get(text)

    def append(self, text: bytes, count: int) -> int | None:
        """Append a record with cells of zero. Return the place of the first cell, or None if there is no room.

        Only one thread at a time may call this.
        """
        cells = self.cells
        at = cells[_USED]
        first = at + 2 + _cells_of(len(text))
        if first + count > len(cells):
            return None
        for each in range(first, first + count):
            cells[each] = 0
        self._bytes[(at + 2) * _CELL : (at + 2) * _CELL + len(text)] = text
        cells[at] = len(text) | count << 32
        cells[at + 1] = _checksum(text, count)
        cells[_USED] = first + count
        self._places[text] = first
        return first


def _cells_of(length: int) -> int:
    """Return the number of cells for ``length`` bytes."""
    return -(-length // _CELL)


def _checksum(text: bytes, count: int) -> int:
    return crc32(text, count)
