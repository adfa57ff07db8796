"""The values of a run for one follower, each once and in order, to the run's end."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, TypeAlias, cast

from antiphon.features.channels.hub import Hub
from antiphon.features.channels.message import Entry, Item, Keep
from antiphon.features.runs.record import START, Kind, Line, Place, RunEnd, end_of, read_line


class Gap(NamedTuple):
    """A number of values that a follower does not receive, because it was too slow, or came too late.

    None stands for values that it has received, and that were replaced by others.
    """

    total: int | None


Told: TypeAlias = Line | Gap | RunEnd
"""An item for a follower: a value, a gap or the end."""


class Reading:
    """A log's entries as one follower reads them: duplicates, abandoned attempts and entries after the end are left
    out, and gaps are reported.
    """

    def __init__(self, since: Place = START) -> None:
        self._attempt = 0
        self._place: Place | Line = since
        self._last = since.number
        """The number of the last reported value."""
        self.total = 0
        """The number of the newest value."""
        self.end: RunEnd | None = None

    def read(self, items: list[Item]) -> Iterator[Told]:
        """Yield the values, gaps and end in these items."""
        for item in items:
            if isinstance(item, Entry) and self.end is None:
                line = cast("Line", item.read) or line_of(item)
                if line.number == self._last + 1 and line.attempt == self._attempt and line.kind == Kind.VALUE:
                    self._last = self.total = line.number
                    self._place = line
                    yield line
                elif line.attempt >= self._attempt:
                    yield from self._told(line)

    def _told(self, line: Line) -> Iterator[Told]:
        self._attempt = line.attempt
        if line.kind == Kind.BEGIN:
            if line.attempt > self._place.attempt > 0 and line.number < self._last:
                yield Gap(None)  # what it received was lost with a server, and other values replace it
                self._last = line.number
            return
        if line.kind == Kind.END:
            if line.number > self._last:
                yield Gap(line.number - self._last)
            self.end = end_of(line)._replace(total=max(self.total, line.number))
            yield self.end
            return
        self.total = max(self.total, line.number)
        if line.number <= self._last:
            return
        if line.number > self._last + 1:
            yield Gap(line.number - self._last - 1)
        self._last = line.number
        self._place = line
        yield line


def line_of(item: Entry) -> Line:
    """Return the entry of a log, which is read once for all followers."""
    if item.read is None:
        item.read = read_line(item.data)
    return cast("Line", item.read)


def _start(items: list[Item], since: Place) -> int:
    """Return the index after the newest item of a place, or 0."""
    if since != START:
        for index in range(len(items) - 1, -1, -1):
            item = items[index]
            if (
                isinstance(item, Entry)
                and (line := line_of(item)).kind == Kind.VALUE
                and (line.attempt, line.number) == since
            ):
                return index + 1
    return 0


async def follow(
    hub: Hub,
    name: str,
    keep: Keep,
    since: Place,
    known_end: RunEnd | None,
    watch: AbstractContextManager[None],
) -> AsyncGenerator[list[Told], None]:
    """Yield the items of a log after a place, in batches, to its end.

    ``known_end`` is the end of a run that has already ended, in case the log contains none.
    """
    with watch:
        joined = hub.joined(name, keep)
        feed = await asyncio.to_thread(hub.join, name, keep) if joined is None else joined
        try:
            if hub.blocks and known_end is not None:
                await asyncio.to_thread(hub.catch_up, feed)
            reading = Reading(since)
            number, items = feed.numbered()
            told = [*reading.read(items[_start(items, since) :])]
            number += len(items)
            while True:
                if told:
                    yield told
                if reading.end is not None:
                    return
                if known_end is not None:
                    yield [known_end._replace(total=reading.total)]
                    return
                await feed.wait_on_loop(number)
                found, number = feed.take(number, None)
                told = [*reading.read(found)]
        finally:
            hub.leave(feed)


def read_all(hub: Hub, name: str, keep: Keep) -> tuple[Reading, list[Line]]:
    """Return the state of a log and its stored values, on this thread."""
    feed = hub.join(name, keep)
    try:
        hub.catch_up(feed)
        reading = Reading()
        return reading, [told for told in reading.read(feed.all()) if isinstance(told, Line)]
    finally:
        hub.leave(feed)
