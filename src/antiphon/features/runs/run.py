"""One run, from a program's point of view: its state, its values for followers, and a way to stop it."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import AbstractContextManager, aclosing
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from antiphon import explained
from antiphon.embedding import DRAINING, refuse_on_loop, seconds_of
from antiphon.features.channels.feed import Item
from antiphon.features.runs.production import Production, current
from antiphon.features.runs.questions import DAY, RunQuestion, ask, join_log, open_questions, take_replies
from antiphon.features.runs.record import (
    ABOUT_PEOPLE,
    START,
    Kind,
    Ledger,
    Line,
    Place,
    Record,
    RunEnd,
    RunState,
    end_of,
    large_name,
    part_name,
    read_event_id,
    read_line,
)
from antiphon.features.stores import Entry
from antiphon.http import Event
from antiphon.types import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.features.runs.runs import Runs

BATCH = 64
"""The number of values that are loaded from beside the log at once."""


class Gap(NamedTuple):
    """A number of values that a follower does not receive from the log, because it was too slow or came too late.

    None stands for values that the follower received, but that have since been replaced. ``after`` is the number of the
    value before the gap.
    """

    total: int | None
    after: int = 0


Told: TypeAlias = Line | Gap | RunEnd
"""An item for a follower: a value, a question, a reply, a gap or the end."""


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
        self._heard: set[tuple[str, bytes]] = set()
        """The questions and replies, which a worker writes again if it may have been lost before."""

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
        if line.kind in ABOUT_PEOPLE:
            if (line.kind, line.text) not in self._heard:
                self._heard.add((line.kind, line.text))
                yield line
            return
        if line.kind == Kind.BEGIN:
            if line.attempt > self._place.attempt > 0 and line.number < self._last:
                yield Gap(None)  # values that it received were lost with a server and have been replaced
                self._last = line.number
            self.total = line.number
            return
        if line.kind == Kind.END:
            if line.number > self._last:
                yield Gap(line.number - self._last, self._last)
            self.end = end_of(line)._replace(total=max(self.total, line.number))
            yield self.end
            return
        self.total = max(self.total, line.number)
        if line.number <= self._last:
            return
        if line.number > self._last + 1:
            yield Gap(line.number - self._last - 1, self._last)
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


def _is_in_log(told: list[Told]) -> bool:
    """True if all of these items are in the log itself."""
    return not any(each.kind == Kind.LARGE if isinstance(each, Line) else isinstance(each, Gap) for each in told)


def _with_rest(ledger: Ledger, id_: str, told: Iterable[Told]) -> Iterator[Told]:
    """Yield items with the values that are stored beside the log."""
    for each in told:
        if isinstance(each, Gap) and each.total is not None:
            yield from _closed(ledger, id_, each.after, each.after + each.total)
        else:
            yield _loaded(ledger, id_, each) if isinstance(each, Line) else each


def _loaded(ledger: Ledger, id_: str, line: Line) -> Line | Gap:
    if line.kind != Kind.LARGE:
        return line
    entry = ledger.get(id_, large_name(line))
    return (
        Gap(1, line.number - 1) if entry is None else Line(Kind.VALUE, line.attempt, line.number, entry.data["value"])
    )


def _closed(ledger: Ledger, id_: str, number: int, end: int) -> Iterator[Told]:
    """Yield the values after a number, up to another, from the parts of the log that are stored beside it."""
    missing = 0
    while number < end:
        at = number // ledger.part
        entry = ledger.get(id_, part_name(at))
        for line in [] if entry is None else map(read_line, entry.data["lines"].split(b"\n")):
            before = line.number - (line.kind not in ABOUT_PEOPLE)  # the number of the value before it
            if not number <= before < end + (line.kind in ABOUT_PEOPLE) or line.kind == Kind.BEGIN:
                continue
            if missing := missing + before - number:
                yield Gap(missing, before - missing)
            missing, number = 0, line.number
            yield _loaded(ledger, id_, line)
        last = min(end, (at + 1) * ledger.part)
        missing += last - number
        number = last
    if missing:
        yield Gap(missing, end - missing)


async def follow(
    ledger: Ledger, id_: str, since: Place, known_end: RunEnd | None, watch: AbstractContextManager[None]
) -> AsyncGenerator[list[Told], None]:
    """Yield a run's items after a position, in batches, until its end.

    ``known_end`` is the end of a run that has already ended, in case the log doesn't contain it.
    """
    async with aclosing(_follow_log(ledger, id_, since, known_end, watch)) as batches:
        async for told in batches:
            if _is_in_log(told):
                yield told
                continue
            rest = _with_rest(ledger, id_, told)
            while some := await _call(ledger, lambda rest=rest: [*islice(rest, BATCH)]):  # type: ignore[misc]
                yield some


async def _call(ledger: Ledger, function: "Callable[[], R]") -> "R":
    return await asyncio.to_thread(function) if ledger.store.blocks else function()


async def _follow_log(
    ledger: Ledger, id_: str, since: Place, known_end: RunEnd | None, watch: AbstractContextManager[None]
) -> AsyncGenerator[list[Told], None]:
    hub = ledger.hub(id_)
    with watch:
        feed = await join_log(ledger, id_)
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


def read_all(ledger: Ledger, id_: str) -> tuple[int, list[Line], list[Line]]:
    """Return a run's number of values, the lines of its log, and its stored values, reading them on this thread."""
    hub = ledger.hub(id_)
    feed = hub.join(ledger.log(id_), ledger.keep)
    try:
        hub.catch_up(feed)
        reading = Reading()
        told = [*reading.read(feed.all())]
    finally:
        hub.leave(feed)
    values = {
        each.number: each  # a later attempt may have replaced it
        for each in _with_rest(ledger, id_, told)
        if isinstance(each, Line) and each.kind not in ABOUT_PEOPLE
    }
    lines = [each for each in told if isinstance(each, Line)]
    return reading.total, lines, [values[number] for number in sorted(values) if number <= reading.total]


T = TypeVar("T")


class RunEnded(Exception):
    """The error for a run that failed, was stopped or was interrupted, and therefore did not end as "done".

    ``state`` is how it ended, ``total`` the number of its values, and ``problem`` that of a failure (RFC 9457), or
    None. Provisional.
    """

    def __init__(self, end: RunEnd) -> None:
        super().__init__("the run has failed" if end.state == "failed" else f"the run was {end.state}")
        self.state: RunState = end.state
        self.total, self.problem = end.total, end.problem


class ValuesMissed(Exception):
    """A gap in a run's values, because some are no longer kept; ``total`` is the number of missing values, if known.
    Provisional.
    """

    def __init__(self, total: int | None) -> None:
        super().__init__("some values of the run are no longer kept")
        self.total = total


class Run(Generic[T]):
    """A run, with the state that it had when it was started or found. You can follow its values and stop it.
    Provisional.

    ``started`` and ``ended`` are Unix times in seconds; ``ended`` is None if the run was live.
    """

    def __init__(self, runs: "Runs[T]", record: Record, owner: str | int | None = None) -> None:
        self._runs = runs
        self._record = record
        self._owner = owner
        self._written: list[T] = []
        self._production: Production | None = None

    @property
    def id(self) -> str:
        """The run's id: 128 unguessable bits."""
        return self._record.id

    @property
    def owner(self) -> str | int | None:
        """The owner with whom the run was started or found, a UUID as text; None if there is none.

        It is also None in a source that another process has started again, and in functions for the end, because only a
        hash of the owner is stored.
        """
        return self._owner

    @property
    def state(self) -> RunState:
        """The state: running, asking a person, waiting for a worker, done, failed, stopped or interrupted."""
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
        ``total``, or null if values that were sent have been replaced. A "question" contains its ``id``, ``text``,
        ``schema`` and ``expires``; a "reply" contains the question's ``id`` and the ``reply``, or that it has
        ``expired``. The last event is named "done", "failed", "stopped" or "interrupted"; it contains the ``total``
        number of values, and a failure's ``problem``. The first event is a comment, so that the client receives the
        response's head at once. Raises StoreUnavailable (503).
        """
        id_ = self.id
        yield Event(comment="")
        async with aclosing(self._told(since)) as batches:
            async for batch in batches:
                for told in batch:
                    yield told.event(id_) if isinstance(told, Line) and told.kind == Kind.VALUE else _event_of(told)

    async def values(self, since: str | None = None) -> AsyncGenerator[T, None]:
        """Yield the typed values after the one whose event has the id ``since``, until the end.

        Raises RunEnded unless the run ends with the state "done", ValuesMissed if values are no longer kept, and
        StoreUnavailable (503).
        """
        async with aclosing(self._items(since)) as items:
            async for item in items:
                if not isinstance(item, Line):
                    yield item

    async def _items(self, since: str | None = None) -> AsyncGenerator[T | Line, None]:
        """Yield the typed values, with the lines of questions and replies."""
        async with aclosing(self._told(since)) as batches:
            async for batch in batches:
                for told in batch:
                    if not isinstance(told, Line):
                        raise_for(told)
                    elif told.kind in ABOUT_PEOPLE:
                        yield told
                    else:
                        yield self._runs._read(told)

    async def _is_open(self, question: str) -> bool:
        return any(each.id == question for each in await self.aquestions())

    @property
    def _is_told(self) -> bool:
        """True if the run has ended, and no function for its end is left to be called."""
        return not (self._record.is_live or self._record.worker)

    def _told(self, since: str | None) -> AsyncGenerator[list[Told], None]:
        record = self._record
        own = self._runs._own()
        end = RunEnd(record.state, 0, record.problem) if self._is_told else None
        return follow(own.ledger, record.id, read_event_id(record.id, since), end, own.worker.following(record.id))

    # Asking a person

    async def ask(self, question: str, type: "type[R]", *, deadline: Duration = DAY) -> "R | None":  # noqa: A002
        """In the run's source, ask a person and return the reply as an object of a type; None if the person declines.

        The type is a class at the top level of a module, such as a dataclass. Followers receive the question, and
        ``areply`` takes the first reply. The run waits for the ``deadline``, in seconds or a timedelta, which its own
        deadline does not count. It goes on waiting in another process if its function is restartable.

        Characters that a person would not see are shown as their numbers. Raises TimeoutError after the deadline,
        TypeError for another type, ValueError for an empty question or one of more than 4,000 characters, and
        RuntimeError outside the run's source.
        """
        production = self._production
        if production is None or current.get() is not self:
            raise explained("no-current-run", "only a run's source can ask: current_run().ask(...)", RuntimeError)
        reply: R | None = await ask(production, self._runs._own().ledger, question, type, seconds_of(deadline))
        return reply

    def questions(self) -> list[RunQuestion]:
        """Return the questions that wait for a reply.

        Raises StoreUnavailable (503), and RuntimeError on an event loop.
        """
        refuse_on_loop("questions()", "aquestions()")
        return [question for question, _ in open_questions(self._runs._own().ledger, self.id)]

    async def aquestions(self) -> list[RunQuestion]:
        """``questions``, on an event loop."""
        return [question for question, _ in await self._aopen()]

    async def _aopen(self) -> list[tuple[RunQuestion, Any]]:
        return await self._runs._call(partial(open_questions, self._runs._own().ledger, self.id))

    def reply(self, data: object) -> str | None:
        """Take the replies to the run's questions from decoded JSON and return the last question's id, or None for a
        message of a protocol that has none.

        The JSON is ``{"id": ..., "reply": ...}``, what ``useChat`` posts, or MCP's
        ``inputResponses``. A null reply declines. A message of a protocol may repeat a reply.

        Raises UnprocessableContent (422) with each wrong field, NotFound (404) for an unknown question, Conflict (409)
        for a question that has a reply or is no longer open, StoreUnavailable (503), and RuntimeError on an event loop.
        """
        refuse_on_loop("reply()", "areply()")
        return take_replies(self._runs._own().ledger, self.id, data)

    async def areply(self, data: object) -> str | None:
        """``reply``, on an event loop."""
        return await self._runs._call(partial(take_replies, self._runs._own().ledger, self.id, data))

    # Stopping

    def stop(self) -> bool:
        """Stop the run, from any process. Return False if it has already ended. Raises StoreUnavailable (503).

        Its source is closed. An async source is closed at once, at the point where it is waiting, or within part of the
        lease if its process can't be reached; any other source is closed at its next value. Followers are notified
        immediately.
        """
        refuse_on_loop("stop()", "astop()")
        return self._stop()

    async def astop(self) -> bool:
        """Stop the run as ``stop`` does, without blocking the loop."""
        return await self._runs._call(self._stop)

    def _stop(self) -> bool:
        own = self._runs._own()
        production = own.worker.productions.get(self.id)
        end = RunEnd("stopped", production.count if production else 0)
        is_stopped = own.worker.end(self.id, None, end)
        if production is not None:
            production.end("stopped")
        elif is_stopped:
            own.worker.notify()
        return is_stopped

    def delete(self) -> None:
        """Delete the run, with its values, its questions and its key. If it is live, stop it first.

        Raises StoreUnavailable (503), and RuntimeError on an event loop.
        """
        refuse_on_loop("delete()", "adelete()")
        self._delete()

    async def adelete(self) -> None:
        """``delete``, on an event loop."""
        await self._runs._call(self._delete)

    def _delete(self) -> None:
        self._stop()
        ledger = self._runs._own().ledger
        if (record := ledger.load(self.id)) is not None:
            ledger.forget(record)


R = TypeVar("R")


def raise_for(told: "Gap | RunEnd") -> None:
    """Raise the error for a gap, or for the end of a run that is not done."""
    if isinstance(told, Gap):
        raise ValuesMissed(told.total)
    if told.state != "done":
        raise RunEnded(told)


def _event_of(told: Told) -> Event:
    if isinstance(told, Line):
        return Event(told.value(), event="question" if told.kind == Kind.QUESTION else "reply")
    if isinstance(told, Gap):
        return Event({"total": told.total}, event="missed")
    return Event({"total": told.total} | ({"problem": told.problem} if told.problem else {}), event=told.state)
