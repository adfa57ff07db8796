"""The states of a run, its record in a store, and the entries of its log.

| state | what it means, and who wrote it | what follows |
|---|---|---|
| running | a worker produces it: the one that started it, or that took it over | each of the others |
| waiting | its worker has ended, and it may be started again by any other | running, stopped, interrupted |
| done | its source came to its end; by its worker | |
| failed | its source raised an error, or took longer than its deadline; by its worker | |
| stopped | somebody has stopped it; by any process | |
| interrupted | its worker has ended or was killed; by that worker, or by the first process that noticed | |

The record decides: a state is written only over the version of the record that was read, so that one of many processes
succeeds. That process then writes the end into the log, from which followers learn it. The log has one order for all.
What follows its end, and what a worker writes after another has begun the next attempt, does not count. So a worker
that was frozen, and does not know that others gave it up, changes nothing.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, NamedTuple, TypeAlias

from antiphon.app.store import OwnedEntry, StoreEntry
from antiphon.http.event import Event
from antiphon.serialization.json import decode_json, encode_json

RunState: TypeAlias = Literal["running", "waiting", "done", "failed", "stopped", "interrupted"]
"""The state of a run: the last four are final."""

LIVE = ("running", "waiting")
CRASHES = 3
"""The number of workers that a run may lose without a warning. It may be what kills them."""


class Record(NamedTuple):
    """A run as a store keeps it, without the values.

    ``worker`` is the token of the process that produces it, ``attempt`` counts the times that it was started, and
    ``crashes`` those that ended without a warning. ``function`` and ``arguments`` say how to start it again.
    """

    id: str
    owner: str | None
    state: RunState
    worker: str
    attempt: int = 1
    crashes: int = 0
    deadline: float | None = None
    function: str | None = None
    arguments: bytes = b""
    problem: dict[str, Any] | None = None
    started: float = 0.0
    changed: float = 0.0
    version: int = 0

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def data(self) -> dict[str, Any]:
        """The data of the record's entry."""
        return dict(zip(self._fields[:_OWN], self[:_OWN], strict=True))


_OWN = Record._fields.index("started")


def record_of(entry: StoreEntry | OwnedEntry | None) -> Record | None:
    """Return the record in an entry; None for another entry."""
    if entry is None:
        return None
    try:
        data: Mapping[str, Any] = {name: entry.data[name] for name in Record._fields[:_OWN]}
    except KeyError:
        return None
    version = entry.version if isinstance(entry, StoreEntry) else 0
    return Record(**data, started=entry.created, changed=entry.changed, version=version)


# The log


class Kind(StrEnum):
    """The kinds of entries in a log."""

    VALUE = "v"
    BEGIN = "b"
    """The beginning of an attempt."""
    END = "e"


class _PrintedEvent(Event):
    """An event that many followers send, and that is printed once."""

    __slots__ = ("_printed",)

    def __init__(self, data: str, *, id: str) -> None:  # noqa: A002 - as in the base class
        super().__init__(data, id=id)
        self._printed = super().__str__()

    def __str__(self) -> str:
        return self._printed


class Line:
    """An entry of a log: a value and its number, or the begin or the end of an attempt and the number of values so far.

    The text is a value's JSON, or that of an end: the state and, for a failure, the problem.
    """

    __slots__ = ("_event", "attempt", "kind", "number", "text")

    def __init__(self, kind: str, attempt: int, number: int, text: bytes) -> None:
        self.kind = kind
        self.attempt = attempt
        self.number = number
        self.text = text
        self._event: Event | None = None

    @property
    def written(self) -> bytes:
        return b"%s %d %d %s" % (self.kind.encode(), self.attempt, self.number, self.text)

    def value(self) -> Any:
        return decode_json(self.text)

    def event(self, run: str) -> Event:
        """Return the event of a value, the same one for all followers: text as it is, other values as JSON."""
        if self._event is None:
            text = self.value() if self.text[:1] == b'"' else self.text.decode()
            self._event = _PrintedEvent(text, id=f"{run[:TAG]}.{self.attempt}-{self.number}")
        return self._event


def read_line(data: bytes) -> Line:
    """Return the entry with this content."""
    kind, attempt, number, text = data.split(b" ", 3)
    return Line(kind.decode(), int(attempt), int(number), text)


class RunEnd(NamedTuple):
    """The end of a run: its final ``state``, the ``total`` of its values, and a failure's ``problem`` (RFC 9457)."""

    state: RunState
    total: int
    problem: dict[str, Any] | None = None


def end_line(attempt: int, end: RunEnd) -> Line:
    """Return the entry for an end."""
    return Line(Kind.END, attempt, end.total, encode_json([end.state, end.problem]))


def end_of(line: Line) -> RunEnd:
    """Return the end that an entry tells."""
    state, problem = line.value()
    return RunEnd(state, line.number, problem)


# The ids of events


class Place(NamedTuple):
    """The place of a value in a run: the attempt that gave it, and its number."""

    attempt: int
    number: int


START = Place(0, 0)
_place = re.compile("([A-Za-z0-9_-]{1,64})\\.([1-9][0-9]{0,8})-([1-9][0-9]{0,17})").fullmatch
TAG = 8
"""The number of characters of a run's id in the ids of its events. The id itself may be a secret."""


def read_event_id(run: str, text: str | None) -> Place:
    """Return the place that the id of an event names: the start for one of another run, or of none."""
    found = None if text is None else _place(text)
    return Place(int(found[2]), int(found[3])) if found and found[1] == run[:TAG] else START
