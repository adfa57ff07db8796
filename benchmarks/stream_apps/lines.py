"""The lines that all of them stream: those of an export, as short as they often are."""

from collections.abc import AsyncIterator, Iterator

COUNT = 100_000


def lines() -> Iterator[bytes]:
    for number in range(COUNT):
        yield b"%d,Lamp,2.5\n" % number


async def async_lines() -> AsyncIterator[bytes]:
    for number in range(COUNT):
        yield b"%d,Lamp,2.5\n" % number


WHOLE = b"".join(lines())
