"""Memory of figures: records of a text and some cells, of which one process writes and others read.

Others see a record once the count of cells in use includes it, and its checksum fits: so none is read that a
process was writing when it was killed. A cell is written at once, as aligned numbers of 64 bits are.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from zlib import crc32

_MAGIC = int.from_bytes(b"antiph01", "little")
_USED = 1
_HEAD = 8
"""How many cells come before the first record."""
_CELL = 8
"""How many bytes a cell has."""


class Record(NamedTuple):
    """A text, the place of its first cell, and how many cells it has."""

    text: bytes
    at: int
    length: int


class NotOurs(ValueError):
    """A file that has no figures of this version."""


class Memory:
    """Records in a buffer. ``owner`` is kept as long as this is, such as the locked file that the buffer shows."""

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
        """The places that a writer looks up often."""
        self._places = {record.text: record.at for record in self.records()} if not self._bytes.readonly else {}

    @staticmethod
    def prepare(buffer: Any) -> None:
        """Write the head of a memory without records into a buffer of zeros."""
        cells = memoryview(buffer).cast("B").cast("q")
        cells[_USED] = _HEAD
        cells[0] = _MAGIC

    def records(self) -> Iterator[Record]:
        """Iterate over the records that are whole."""
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
        """Return the place of a record; None without one."""
        return self._places.get(text)

    def append(self, text: bytes, count: int) -> int | None:
        """Append a record with cells of zero. Return the place of the first; None if there is no room.

        One thread at a time may call this.
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
    """Return how many cells so many bytes take."""
    return -(-length // _CELL)


def _checksum(text: bytes, count: int) -> int:
    return crc32(text, count)
