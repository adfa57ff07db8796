"""The states of a run, and its record and log in a store, for all processes that use the store.

| state | what it means, and who wrote it | what follows |
|---|---|---|
| running | a worker produces it: the one that started it, or one that took it over | each of the others |
| asking | as running, but its source waits for a person's reply | each of the others |
| waiting | its worker has ended, and any other worker may start it again | running, stopped, interrupted |
| done | its source reached its end; written by its worker | |
| failed | its source raised an error or exceeded its deadline; written by its worker | |
| stopped | someone stopped it; written by any process | |
| interrupted | its worker ended or was killed; written by that worker, or by the first process that noticed | |

The record decides: a state is written only over the version of the record that was read, so that only one of several
processes succeeds. That process then calls the functions for the end, and after them writes the end to the log, where
followers find it. Until then, the record of the ended run has this process as its worker, and stays among the live
ones; if the process dies, another one does the same again. The log has one order for
everyone. Entries after the end are ignored, as are a worker's entries after another worker has begun the next attempt.
A worker that was frozen, and does not know that it was given up, can therefore change no values and no state. Its late
entry may trim the log by one entry that the newer attempt has not stored yet.
"""

import re
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from antiphon.embedding import FeatureStore, decode_json, encode_json
from antiphon.features import OwnedEntry, Store, StoreEntry
from antiphon.features.channels.feed import Keep
from antiphon.features.channels.hub import Hub, hub_of
from antiphon.http import Event

Live: TypeAlias = Literal["running", "asking", "waiting"]
RunState: TypeAlias = Literal[Live, "done", "failed", "stopped", "interrupted"]
"""The state of a run. The last four are final."""

LIVE: tuple[Live, ...] = get_args(Live)
PRODUCED = LIVE[:2]
"""The states of a run that has a worker."""
_named = FeatureStore.declare("run", until="minor", unreadable="refused")
CRASHES = 3
"""The number of workers that a run may lose without warning, since the run itself may be what kills them."""


class Record(NamedTuple):
    """A run as stored, without its values.

    ``worker`` is the token of the process that produces it, ``attempt`` is the number of times it was started, and
    ``crashes`` is the number of times its process died without warning. ``function`` and ``arguments`` are needed to
    start it again. ``owner``, ``key``, ``given``, what was given with the key, and ``caller``, by whom a run without an
    owner is counted, are hashes.
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
    key: str | None = None
    given: str = ""
    caller: str = ""
    others: Mapping[str, Any] = {}
    """What a newer version keeps in the entry, and has to find again."""
    started: float = 0.0
    changed: float = 0.0
    version: int = 0

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def data(self) -> dict[str, Any]:
        """The data in the record's entry."""
        return {**self.others, **dict(zip(_OWN, self, strict=False))}


_OWN = Record._fields[: Record._fields.index("others")]
_NEEDED = {*Record._fields} - {*Record._field_defaults}


def record_of(entry: StoreEntry | OwnedEntry | None) -> Record | None:
    """Return the record in an entry; None for an entry of another kind."""
    if entry is None or not entry.data.keys() >= _NEEDED:
        return None
    data: Mapping[str, Any] = {name: entry.data[name] for name in _OWN if name in entry.data}
    others = {name: value for name, value in entry.data.items() if name not in _OWN}
    version = entry.version if isinstance(entry, StoreEntry) else 0
    return Record(**data, others=others, started=entry.created, changed=entry.changed, version=version)


# The log


class Kind(StrEnum):
    """The kinds of log entries."""

    VALUE = "v"
    LARGE = "l"
    """A value that is stored beside the log. Its text is its size."""
    BEGIN = "b"
    """The start of an attempt."""
    QUESTION = "q"
    REPLY = "r"
    END = "e"


ABOUT_PEOPLE = (Kind.QUESTION, Kind.REPLY)


class _PrintedEvent(Event):
    """An event that many followers send, serialized only once."""

    __slots__ = ("_printed",)

    def __init__(self, data: str, *, id: str) -> None:  # noqa: A002 - as in the base class
        super().__init__(data, id=id)
        self._printed = super().__str__()

    def __str__(self) -> str:
        return self._printed


class Line:
    """A log entry: a value and its number; the start or end of an attempt and the number of values so far; or a
    question or reply and its number.

    The text is the JSON of a value, question or reply, or of an end: its state and, for a failure, the problem.
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


def large_name(line: Line) -> str:
    """Return the name of a large value, which is stored beside the log."""
    return f"value {line.attempt}-{line.number}"


def part_name(at: int) -> str:
    """Return the name of a part of the log that is stored beside it."""
    return f"part {at}"


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


START: Place = Place(0, 0)
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
CLAIMING = 5.0
"""The number of seconds after which a key is taken from a process that has claimed it, but has not stored a run."""


class Ledger:
    """The runs with one name in a store. Methods block if the store does, and raise StoreUnavailable (503).

    ``keep`` limits the entries in a log, and ``seconds`` is how long an ended run is kept.
    """

    def __init__(self, store: Store, name: str, keep: Keep, seconds: float) -> None:
        self.store = store
        self.keep = keep
        self.part = max(1, keep.most // 8)
        """The number of values in a part of a log that is stored beside it."""
        self._name = name
        self._seconds = seconds

    # Records

    def add(self, record: Record) -> None:
        """Add a live run, or write its record again."""
        self.store.change(self._key(record.id), record.data, ttl=LIVE_TTL, owner=self._key("live"))

    def claim(self, record: Record) -> Record | None:
        """Claim a run's key for it and return None, or return the run that has the key."""
        if record.key is None:
            return None
        name, end = self._key(record.key), time.monotonic() + CLAIMING
        while self.store.add(name, {"run": record.id}, ttl=LIVE_TTL) is None:
            claim = self.store.load(name)
            known = None if claim is None else self.load(claim.data["run"])
            if known is not None:
                return known
            if claim is not None and time.monotonic() > end:
                if self.store.replace(name, claim.data | {"run": record.id}, version=claim.version, ttl=LIVE_TTL):
                    return None
                end += CLAIMING
            time.sleep(0.01)
        return None

    def has_claimed(self, record: Record) -> bool:
        """True if a stored run has its key, which another process may have taken from a slow one."""
        claim = None if record.key is None else self.store.load(self._key(record.key))
        return claim is None or claim.data["run"] == record.id

    def remove(self, record: Record) -> None:
        """Delete a run that was not started, and its key."""
        if record.key is not None and self.has_claimed(record):
            self.store.delete(self._key(record.key))
        self.store.delete(self._key(record.id))

    def forget(self, record: Record) -> None:
        """Delete an ended run, its values and its key. What is left has no owner who could find it, and tells a process
        that still produces the run that it has not been lost.
        """
        if record.key is not None and self.has_claimed(record):
            self.store.delete(self._key(record.key))
        self.store.delete_owned(self._key(f"of {record.id}"))
        self.hub(record.id).expire(self.log(record.id), 0)
        left = {"owner": "", "caller": "", "function": None, "arguments": b"", "problem": None, "worker": ""}
        left |= {"key": None, "given": ""}
        self.store.change(self._key(record.id), left, ttl=self._seconds, create=False, owner=self._key("forgotten"))

    def load(self, id_: str) -> Record | None:
        return record_of(self.store.load(self._key(id_)))

    def live(self) -> dict[str, Record]:
        """Return the runs that have not ended, by id."""
        return {id_: record for id_, record in self.unsettled().items() if record.is_live}

    def unsettled(self) -> dict[str, Record]:
        """Return the runs whose end has not been written to their log, by id."""
        found = self._indexed("live")
        for record in found.values():
            if not record.is_live and not record.worker:  # its process may have been killed while writing the end
                self._settle(record)
        return {id_: record for id_, record in found.items() if record.is_live or record.worker}

    def owned_by(self, owner: str) -> list[Record]:
        """Return an owner's runs, oldest first."""
        live = self._indexed("live")  # read first: a run that ends now is in at least one of the two
        found = {**live, **self._indexed(_ended_of(owner))}
        return sorted([each for each in found.values() if each.owner == owner], key=lambda record: record.started)

    def _indexed(self, kind: str) -> dict[str, Record]:
        found = [record_of(entry) for entry in self.store.owned_by(self._key(kind))]
        return {record.id: record for record in found if record is not None}

    def take(self, record: Record, token: str, *, is_crash: bool) -> Record | None:
        """Take over a run for its next attempt, or return None if another process was faster."""
        crashes = record.crashes + is_crash
        return self._change_known(
            record, record._replace(state="running", worker=token, attempt=record.attempt + 1, crashes=crashes)
        )

    def take_end(self, record: Record, token: str) -> Record | None:
        """Take over an ended run whose worker has not written its end, or return None if another process was faster."""
        return self._change_known(record, record._replace(worker=token))

    def _change_known(self, record: Record, changed: Record) -> Record | None:
        known = self.load(record.id)  # entries from a list have no version
        return None if known is None or known.data != record.data else self._replace(known, changed)

    def release(self, record: Record) -> Record | None:
        """Let any process take over a run and return its record, unless it has ended or has another worker."""
        return self._change(record.id, record.attempt, "waiting", None)

    def mark(self, record: Record, state: RunState) -> None:
        """Change the state of a run that its worker goes on to produce."""
        self._change(record.id, record.attempt, state, None, record.worker)

    def end(self, id_: str, attempt: int | None, end: RunEnd, worker: str = "") -> Record | None:
        """End a run if it is live and, unless ``attempt`` is None, still in this attempt.

        Return the record if this call ended it. Its end is to be told by ``settle``: by the ``worker``, if given.
        """
        return self._change(id_, attempt, end.state, end, worker)

    def settle(self, record: Record, end: RunEnd) -> None:
        """Write an end to the log of an ended run."""
        self.tell_end(record.id, record.attempt, end)
        self._settle(record)

    def _change(
        self, id_: str, attempt: int | None, state: RunState, end: RunEnd | None, worker: str = ""
    ) -> Record | None:
        while (known := self.load(id_)) is not None and known.is_live and attempt in (None, known.attempt):
            problem = end.problem if end else None
            if changed := self._replace(known, known._replace(state=state, worker=worker, problem=problem)):
                return changed
        return None

    def _replace(self, known: Record, new: Record) -> Record | None:
        entry = self.store.replace(self._key(new.id), new.data, version=known.version, ttl=LIVE_TTL)
        return record_of(entry)

    def _settle(self, record: Record) -> None:
        """Move an ended run to its owner's ended runs."""
        self._extend(record, self._seconds)
        index = self._key(_ended_of(record.owner))
        changed = {"worker": ""} if record.worker else {}
        self.store.change(self._key(record.id), changed, ttl=self._seconds, create=False, owner=index)

    def renew(self, record: Record) -> None:
        """Extend the time for which a live run is kept."""
        self._extend(record, LIVE_TTL)
        self.store.change(self._key(record.id), {}, ttl=LIVE_TTL, create=False)

    def _extend(self, record: Record, seconds: float) -> None:
        """Keep all that belongs to a run for some time."""
        for each in self.beside(record.id):
            self.store.change(self._key(record.id, each["name"]), {}, ttl=seconds, create=False)
        if record.key is not None:
            self.store.change(self._key(record.key), {}, ttl=seconds, create=False)
        self.hub(record.id).expire(self.log(record.id), seconds)

    def _key(self, *parts: str) -> str:
        """Return the key of a run, a claim or a worker, the name of a log, or the owner of entries of some kind."""
        return _named(self._name, *parts)

    log = _key

    # Beside the log: large values, parts of the log that have left it, and questions

    def put(self, id_: str, name: str, data: Mapping[str, Any]) -> None:
        """Store data of a run beside its log."""
        self.store.change(self._key(id_, name), {"name": name, **data}, ttl=LIVE_TTL, owner=self._key(f"of {id_}"))

    def put_new(self, id_: str, name: str, data: Mapping[str, Any]) -> bool:
        """Store data of a run beside its log and return True, unless there is some under this name."""
        if self.store.add(key := self._key(id_, name), {"name": name, **data}, ttl=LIVE_TTL) is None:
            return False
        self.store.change(key, {}, ttl=LIVE_TTL, create=False, owner=self._key(f"of {id_}"))
        return True

    def put_part(self, record: Record, name: str, data: Mapping[str, Any]) -> None:
        """Store a part of a run's log, unless a later attempt has: this worker may not know that it was given up."""
        part = {**data, "attempt": record.attempt}
        while (known := self.get(record.id, name)) is None or known.data["attempt"] <= record.attempt:
            if self.put_new(record.id, name, part) if known is None else self.put_again(record.id, known, part):
                return

    def get(self, id_: str, name: str) -> StoreEntry | None:
        return self.store.load(self._key(id_, name))

    def put_again(self, id_: str, known: StoreEntry, changes: Mapping[str, Any]) -> bool:
        """Change stored data and return True, unless it has changed in the meantime."""
        key = self._key(id_, known.data["name"])
        return self.store.replace(key, {**known.data, **changes}, version=known.version, ttl=LIVE_TTL) is not None

    def drop(self, id_: str, name: str) -> None:
        self.store.delete(self._key(id_, name))

    def beside(self, id_: str) -> list[dict[str, Any]]:
        """Return all data of a run that is stored beside its log."""
        return [entry.data for entry in self.store.owned_by(self._key(f"of {id_}"))]

    # Logs

    def hub(self, id_: str) -> Hub:
        return hub_of(self.store, self.log(id_), "Runs")

    def tell(self, id_: str, line: Line) -> None:
        """Write to a run's log."""
        self.hub(id_).send(self.log(id_), self.keep, line.written)

    def tell_end(self, id_: str, attempt: int, end: RunEnd) -> None:
        """Write the end of a run to its log. Only the first end takes effect."""
        self.tell(id_, end_line(attempt, end))

    # Workers

    def beat(self, token: str, number: int, lease: float) -> None:
        """Record that a worker is alive."""
        self.store.change(self._key(f"worker {token}"), {"beat": number}, ttl=10 * lease)

    def last_beat(self, token: str) -> int | None:
        """Return the number of a worker's last heartbeat, or None if it has been forgotten."""
        entry = self.store.load(self._key(f"worker {token}"))
        return None if entry is None else entry.data.get("beat")


def _ended_of(owner: str | None) -> str:
    """Return the kind of an owner's ended runs."""
    return "ended" if owner is None else f"of owner {owner}"
