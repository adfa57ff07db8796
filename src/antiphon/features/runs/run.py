"""One run, from a program's point of view: its state, its values for followers, and a way to stop it."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractContextManager, aclosing
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar, cast

from antiphon.app.channel_log import Entry
from antiphon.concurrency.loop import refuse_on_loop
from antiphon.concurrency.process import DRAINING
from antiphon.explanations import renamed
from antiphon.explanations.words import NamesOurs, names_ours
from antiphon.features.channels.hub import Hub
from antiphon.features.channels.message import Item, Keep
from antiphon.features.runs.record import (
    START,
    Kind,
    Line,
    Place,
    Record,
    RunEnd,
    RunState,
    end_of,
    read_event_id,
    read_line,
)
from antiphon.http.event import Event

if TYPE_CHECKING:
    from antiphon.features.runs.runs import Runs


class Gap(NamedTuple):
    """A number of values that a follower does not receive, because it was too slow or came too late.

    None stands for values that the follower received, but that have since been replaced.
    """

    total: int | None


Told: TypeAlias = Line | Gap | RunEnd
"""An item for a follower: a value, a gap or the end."""


class Reading:
    """A log's entries as one follower reads them: without duplicates, abandoned attempts and entries after the end.
    Gaps are reported.
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
        """Yield the values, gaps and end found in these items."""
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
                yield Gap(None)  # values that it received were lost with a server and have been replaced
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
    """Return the log entry for an item, which is parsed once for all followers."""
    if item.read is None:
        item.read = read_line(item.data)
    return cast("Line", item.read)


def _start(items: list[Item], since: Place) -> int:
    """Return the index after the newest item at or before a position, or 0."""
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
    """Yield a log's items after a position, in batches, until its end.

    ``known_end`` is the end of a run that has already ended, in case the log doesn't contain it.
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
    """Return the state of a log and its stored values, reading them on this thread."""
    feed = hub.join(name, keep)
    try:
        hub.catch_up(feed)
        reading = Reading()
        return reading, [told for told in reading.read(feed.all()) if isinstance(told, Line)]
    finally:
        hub.leave(feed)


T = TypeVar("T")


class RunEnded(Exception):
    """The error for a run that failed, was stopped or was interrupted, and therefore did not end as "done". ``end``
    contains its state.
    """

    def __init__(self, end: RunEnd) -> None:
        super().__init__("the run has failed" if end.state == "failed" else f"the run was {end.state}")
        self.end = end


class ValuesMissed(Exception):
    """A gap in a run's values, because some are no longer kept; ``total`` is the number of missing values, if known."""

    def __init__(self, total: int | None) -> None:
        super().__init__("some values of the run are no longer kept")
        self.total = total


@names_ours(renamed.RUN)
class Run(Generic[T], metaclass=NamesOurs):
    """A run, with the state that it had when it was started or found. You can follow its values and stop it.

    ``started`` and ``ended`` are Unix times in seconds; ``ended`` is None if the run was live.
    """

    def __init__(self, runs: "Runs[T]", record: Record) -> None:
        self._runs = runs
        self._record = record
        self._written: list[T] = []

    @property
    def id(self) -> str:
        """The run's id: 128 unguessable bits."""
        return self._record.id

    @property
    def owner(self) -> str | int | None:
        """The owner, a UUID as text; None if there is none."""
        return self._record.owner

    @property
    def state(self) -> RunState:
        """The state: running, waiting for a worker, done, failed, stopped or interrupted."""
        return self._record.state

    @property
    def started(self) -> float:
        """The time when the run was started."""
        return self._record.started

    @property
    def ended(self) -> float | None:
        """The time when the run ended."""
        return None if self._record.is_live else self._record.changed

    @property
    def is_draining(self) -> bool:
        """True, in a run's source, if the process is about to end: only the rest of the grace period remains."""
        return DRAINING.is_given

    def earlier_values(self) -> list[T]:
        """In the source of a run that was started again, return the stored values of earlier attempts."""
        return [*self._written]

    # Following

    async def follow(self, since: str | None = None) -> AsyncGenerator[Event, None]:
        """Yield the values after the one with the id ``since`` as events, until the end, for ``Response.events``.

        If ``since`` is None or belongs to another run, begin at the start. Text is sent as the event's data, and other
        values as JSON. If values are missing because they are no longer kept, an event named "missed" contains their
        ``total``, or null if values that were sent have been replaced. The last event is named "done", "failed",
        "stopped" or "interrupted"; it contains the ``total`` number of values, and a failure's ``problem``. The first
        event is a comment, so that the client receives the response's head at once. Raises StoreUnavailable (503).
        """
        id_ = self.id
        yield Event(comment="")
        async with aclosing(self._told(since)) as batches:
            async for batch in batches:
                for told in batch:
                    yield told.event(id_) if isinstance(told, Line) else _event_of(told)

    async def values(self, since: str | None = None) -> AsyncGenerator[T, None]:
        """Yield the typed values after the one whose event has the id ``since``, until the end.

        Raises RunEnded unless the run ends with the state "done", ValuesMissed if values are no longer kept, and
        StoreUnavailable (503).
        """
        async with aclosing(self._told(since)) as batches:
            async for batch in batches:
                for told in batch:
                    if isinstance(told, Line):
                        yield self._runs._read(told)
                    elif isinstance(told, Gap):
                        raise ValuesMissed(told.total)
                    elif told.state != "done":
                        raise RunEnded(told)

    def _told(self, since: str | None) -> AsyncGenerator[list[Told], None]:
        record = self._record
        own = self._runs._own()
        end = None if record.is_live else RunEnd(record.state, 0, record.problem)
        ledger = own.ledger
        place = read_event_id(record.id, since)
        watch = own.worker.following(record.id)
        return follow(ledger.hub(record.id), ledger.log(record.id), ledger.keep, place, end, watch)

    # Stopping

    def stop(self) -> bool:
        """Stop the run, from any process. Return False if it has already ended. Raises StoreUnavailable (503).

        Its source is closed. An async source is closed at once, at the point where it is waiting, or within part of the
        lease if its process can't be reached; any other source is closed at its next value. Followers are notified
        immediately.
        """
        refuse_on_loop("stop", "astop")
        return self._stop()

    async def astop(self) -> bool:
        """Stop the run as ``stop`` does, without blocking the loop."""
        return await self._runs._call(self._stop)

    def _stop(self) -> bool:
        own = self._runs._own()
        production = own.worker.productions.get(self.id)
        end = RunEnd("stopped", production.count if production else 0)
        is_stopped = own.ledger.end(self.id, None, end)
        if production is not None:
            production.end("stopped")
        elif is_stopped:
            own.worker.notify()
        return is_stopped


def _event_of(told: "Gap | RunEnd") -> Event:
    if isinstance(told, Gap):
        return Event({"total": told.total}, event="missed")
    return Event({"total": told.total} | ({"problem": told.problem} if told.problem else {}), event=told.state)
