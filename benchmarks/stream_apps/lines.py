"""The lines that all of them stream: those of an export, as short as they often are."""

import os
from collections.abc import AsyncIterator, Iterator

COUNT = int(os.environ.get("STREAMED_LINES", "100000"))
"""Fewer take less time where each costs a switch to a thread and back."""


def lines() -> Iterator[bytes]:
    for number in range(COUNT):
        yield b"%d,Lamp,2.5\n" % number


async def async_lines() -> AsyncIterator[bytes]:
    for number in range(COUNT):
        yield b"%d,Lamp,2.5\n" % number


WHOLE = b"".join(lines())
