"""What is answered to a form, the same for all."""

from collections.abc import Sequence
from typing import Any, Protocol

ENDS = 16
"""How many bytes of a large file's beginning and end are told."""


class SeekableFile(Protocol):
    """What every framework makes of a file."""

    def read(self, size: int = ..., /) -> bytes: ...
    def seek(self, offset: int, whence: int = ..., /) -> Any: ...
    def tell(self) -> int: ...


def large_file(title: str, filename: str, file: SeekableFile) -> str:
    """The text that answers a large file: it is looked at where it is kept."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(0)
    first = file.read(ENDS)
    file.seek(size - ENDS)
    return ends(title, filename, size, first, file.read(ENDS))


def ends(title: str, filename: str, size: int, first: bytes, last: bytes) -> str:
    return f"{title}: {filename} has {size} bytes, from {first.hex()} to {last.hex()}"


def fields(values: Sequence[str]) -> str:
    """The text that answers a form without a file."""
    return f"{values[0]}: {sum(map(len, values))} characters"
