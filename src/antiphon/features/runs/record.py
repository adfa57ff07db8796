"""The states of a run, and its record and log in a store, for all processes that use the store.

| state | what it means, and who wrote it | what follows |
|---|---|---|
| running | a worker produces it: the one that started it, or one that took it over | each of the others |
| waiting | its worker has ended, and any other worker may start it again | running, stopped, interrupted |
| done | its source reached its end; written by its worker | |
| failed | its source raised an error or exceeded its deadline; written by its worker | |
| stopped | someone stopped it; written by any process | |
| interrupted | its worker ended or was killed; written by that worker, or by the first process that noticed | |

The record decides: a state is written only over the version of the record that was read, so that only one of several
processes succeeds. That process then writes the end to the log, where followers find it. The log has one order for
everyone. Entries after the end are ignored, as are a worker's entries after another worker has begun the next attempt.
A worker that was frozen, and does not know that it was given up, can therefore change nothing.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, NamedTuple, TypeAlias

from antiphon.app.store import OwnedEntry, Store, StoreEntry, store_name
from antiphon.features.channels.hub import Hub, hub_of
from antiphon.features.channels.message import Keep
from antiphon.http.event import Event
from antiphon.serialization.json import decode_json, encode_json

RunState: TypeAlias = Literal["running", "waiting", "done", "failed", "stopped", "interrupted"]
"""The state of a run. The last four are final."""

LIVE = ("running", "waiting")
CRASHES = 3
"""The number of workers that a run may lose without warning, since the run itself may be what kills them."""


class Record(NamedTuple):
    """A run as stored, without its values.

    ``worker`` is the token of the process that produces it, ``attempt`` is the number of times it was started, and
    ``crashes`` is the number of times its process died without warning. ``function`` and ``arguments`` are needed to
    start it again.
    """

    id: str
    owner: str | int | None
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
        """The data in the record's entry."""
        return dict(zip(self._fields[:_OWN], self[:_OWN], strict=True))


_OWN = Record._fields.index("started")


def record_of(entry: StoreEntry | OwnedEntry | None) -> Record | None:
    """Return the record in an entry; None for an entry of another kind."""
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
    """The kinds of log entries."""

    VALUE = "v"
    BEGIN = "b"
    """The start of an attempt."""
    END = "e"


class _PrintedEvent(Event):
    """An event that many followers send, serialized only once."""

    __slots__ = ("_printed",)

    def __init__(self, data: str, *, id: str) -> None:  # noqa: A002 - as in the base class
        super().__init__(data, id=id)
        self._printed = super().__str__()

    def __str__(self) -> str:
        return self._printed


class Line:
    """A log entry: a value and its number, or the start or end of an attempt and the number of values so far.

    The text is the JSON of a value, or of an end: its state and, for a failure, the problem.
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
        """Return a value's event, shared by all followers: text is sent as is, other values as JSON."""
        if self._event is None:
            text = self.value() if self.text[:1] == b'"' else self.text.decode()
            self._event = _PrintedEvent(text, id=f"{run[:TAG]}.{self.attempt}-{self.number}")
        return self._event


def read_line(data: bytes) -> Line:
    """Return the log entry with this content."""
    kind, attempt, number, text = data.split(b" ", 3)
    return Line(kind.decode(), int(attempt), int(number), text)


class RunEnd(NamedTuple):
    """How a run ended: its final ``state``, the ``total`` number of its values, and, after a failure, the ``problem``
    (RFC 9457).
    """

    state: RunState
    total: int
    problem: dict[str, Any] | None = None


def end_line(attempt: int, end: RunEnd) -> Line:
    """Return the log entry for an end."""
    return Line(Kind.END, attempt, end.total, encode_json([end.state, end.problem]))


def end_of(line: Line) -> RunEnd:
    """Return the end recorded by an entry."""
    state, problem = line.value()
    return RunEnd(state, line.number, problem)


# Event ids


class Place(NamedTuple):
    """The position of a value in a run: the attempt that produced it, and its number."""

    attempt: int
    number: int


START = Place(0, 0)
_place = re.compile("([A-Za-z0-9_-]{1,64})\\.([1-9][0-9]{0,8})-([1-9][0-9]{0,17})").fullmatch
TAG = 8
"""The number of characters of a run's id used in the ids of its events. The id itself may be a secret."""


def read_event_id(run: str, text: str | None) -> Place:
    """Return the position for an event's id, or the start if the id belongs to another run or to none."""
    found = None if text is None else _place(text)
    return Place(int(found[2]), int(found[3])) if found and found[1] == run[:TAG] else START


LIVE_TTL = 24 * 3600.0
"""The number of seconds after which a store forgets a run that no process renews."""
RENEW_EVERY = 3600.0
"""The number of seconds between renewals."""


class Ledger:
    """The runs with one name in a store. Methods block if the store does, and raise StoreUnavailable (503).

    ``keep`` limits the entries in a log, and ``seconds`` is how long an ended run is kept.
    """

    def __init__(self, store: Store, name: str, keep: Keep, seconds: float) -> None:
        self.store = store
        self.keep = keep
        self._name = name
        self._seconds = seconds

    # Records

    def add(self, record: Record) -> None:
        """Add a live run, or write its record again."""
        self.store.change(self._key(record.id), record.data, ttl=LIVE_TTL, owner=self._index("live"))

    def remove(self, id_: str) -> None:
        self.store.delete(self._key(id_))

    def load(self, id_: str) -> Record | None:
        return record_of(self.store.load(self._key(id_)))

    def live(self) -> dict[str, Record]:
        """Return the runs that have not ended, by id."""
        found = self._indexed("live")
        for record in found.values():
            if not record.is_live:  # its process may have been killed while writing the end
                self._settle(record)
        return {id_: record for id_, record in found.items() if record.is_live}

    def owned_by(self, owner: str | int) -> list[Record]:
        """Return an owner's runs, oldest first."""
        live = self._indexed("live")  # read first: a run that ends now is in at least one of the two
        found = {id_: record for id_, record in live.items() if record.owner == owner}
        found |= self._indexed(_ended_of(owner))
        return sorted(found.values(), key=lambda record: record.started)

    def _indexed(self, kind: str) -> dict[str, Record]:
        found = [record_of(entry) for entry in self.store.owned_by(self._index(kind))]
        return {record.id: record for record in found if record is not None}

    def take(self, record: Record, token: str, *, is_crash: bool) -> Record | None:
        """Take over a run for its next attempt, or return None if another process was faster."""
        known = self.load(record.id)  # entries from a list have no version
        if known is None or known.data != record.data:
            return None
        crashes = record.crashes + is_crash
        taken = record._replace(state="running", worker=token, attempt=record.attempt + 1, crashes=crashes)
        return self._replace(known, taken)

    def release(self, record: Record) -> Record | None:
        """Let any process take over a run and return its record, unless it has ended or has another worker."""
        return self._change(record.id, record.attempt, "waiting", None)

    def end(self, id_: str, attempt: int | None, end: RunEnd) -> bool:
        """End a run if it is live and, unless ``attempt`` is None, still in this attempt.

        Return True if this call ended it.
        """
        ended = self._change(id_, attempt, end.state, end)
        if ended is None:
            return False
        self.tell_end(ended.id, ended.attempt, end)
        self._settle(ended)
        return True

    def _change(self, id_: str, attempt: int | None, state: RunState, end: RunEnd | None) -> Record | None:
        while (known := self.load(id_)) is not None and known.is_live and attempt in (None, known.attempt):
            problem = end.problem if end else None
            if changed := self._replace(known, known._replace(state=state, worker="", problem=problem)):
                return changed
        return None

    def _replace(self, known: Record, new: Record) -> Record | None:
        entry = self.store.replace(self._key(new.id), new.data, version=known.version, ttl=LIVE_TTL)
        return record_of(entry)

    def _settle(self, record: Record) -> None:
        """Move an ended run to its owner's ended runs."""
        index = self._index(_ended_of(record.owner))
        self.store.change(self._key(record.id), {}, ttl=self._seconds, create=False, owner=index)
        self.hub(record.id).expire(self.log(record.id), self._seconds)

    def _key(self, id_: str) -> str:
        return store_name("run", self._name, id_)

    def _index(self, kind: str) -> str:
        """Return the owner for entries of a kind."""
        return store_name("runs", self._name, kind)

    # Logs

    def hub(self, id_: str) -> Hub:
        return hub_of(self.store, self.log(id_), "Runs")

    def log(self, id_: str) -> str:
        """Return the name of a run's log."""
        return store_name("run", self._name, id_)

    def tell_end(self, id_: str, attempt: int, end: RunEnd) -> None:
        """Write the end of a run to its log. Only the first end takes effect."""
        self.hub(id_).send(self.log(id_), self.keep, end_line(attempt, end).written)

    def renew(self, id_: str) -> None:
        """Extend the time for which a live run is kept."""
        self.store.change(self._key(id_), {}, ttl=LIVE_TTL, create=False)
        self.hub(id_).expire(self.log(id_), LIVE_TTL)

    # Workers

    def beat(self, token: str, number: int, lease: float) -> None:
        """Record that a worker is alive."""
        self.store.change(self._index(f"worker {token}"), {"beat": number}, ttl=10 * lease)

    def last_beat(self, token: str) -> int | None:
        """Return the number of a worker's last heartbeat, or None if it has been forgotten."""
        entry = self.store.load(self._index(f"worker {token}"))
        return None if entry is None else entry.data.get("beat")


def _ended_of(owner: str | int | None) -> str:
    """Return the kind of an owner's ended runs. The owners 1 and "1" differ."""
    return "ended" if owner is None else f"{'number' if isinstance(owner, int) else 'of'} {owner}"
