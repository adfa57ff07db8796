"""The kept requests in a store, one encrypted entry per cause, and the thread that writes them, so that no response has
to wait.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Thread
from typing import Any, NamedTuple

import msgspec

from antiphon.embedding import FeatureStore, call_after_fork, call_at_exit
from antiphon.features import Store
from antiphon.features.recorder.disguise import Disguise
from antiphon.features.recorder.record import Record, Trace, without_secrets
from antiphon.features.seal import Seal
from antiphon.features.secret_names import marked_names

_OWNER = FeatureStore.declare("kept", until="minor", unreadable="absent")("requests", "")
"""The owner of all entries, by which the store lists them."""
_MOST_IDS = 50
"""The number of requests with the same cause, the most recent ones, that can be found by their ids."""
_ATTEMPTS = 5


class RecordGroup(msgspec.Struct, kw_only=True):
    """The requests with the same cause: the first, the last, and their number."""

    id: str
    why: str
    count: int
    first: Record
    last: Record
    request_ids: list[str]

    @property
    def users(self) -> set[str]:
        """The keys of the users who sent the first and the last request."""
        return {record.user for record in (self.first, self.last) if record.user}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(RecordGroup).decode


class Shelf:
    """An application's kept requests in its store. All methods call the store."""

    def __init__(self, store: Store, seal: Seal, *, max_records: int, ttl: float) -> None:
        self._store = store
        self._seal = seal
        self._max_records = max_records
        self._ttl = ttl

    def put(self, new: RecordGroup) -> None:
        """Add requests to the stored ones that have the same cause.

        Raises StoreUnavailable, or RuntimeError if other processes keep writing to the same cause.
        """
        key = f"kept\n{new.id}"
        for _ in range(_ATTEMPTS):
            entry = self._store.change(key, {}, ttl=self._ttl, owner=_OWNER)  # without data if it is new
            assert entry is not None  # noqa: S101 - the call creates it if needed
            known, written = self._unsealed(new.id, entry.data), _encode(new)
            if known is None or _read(new.id, known) is None:
                self._make_room()
            else:
                written = _joined(known, written)
            data = self._sealed(new.id, written)
            if self._store.replace(key, data, version=entry.version, ttl=self._ttl) is not None:
                return
        raise RuntimeError(f"other processes changed the record {new.id} {_ATTEMPTS} times before it was written")

    def _make_room(self) -> None:
        owned = sorted(self._store.owned_by(_OWNER), key=lambda entry: entry.changed)
        for oldest in owned[: max(0, len(owned) - self._max_records)]:
            self._store.delete_owned(_OWNER, only=oldest.id)

    def all(self) -> list[RecordGroup]:
        """Return the causes, most recent first. A cause that no key decrypts is skipped and logged."""
        found = [self._opened_any(entry.data) for entry in self._store.owned_by(_OWNER)]
        return sorted((each for each in found if each is not None), key=lambda kept: -kept.last.time)

    def find(self, id_: str) -> RecordGroup | None:
        """Return the cause with this id, or the cause of the request with this id. The beginning of an id is enough."""
        if not id_:
            return None
        every = self.all()
        exact = [kept for kept in every if kept.id == id_] or [kept for kept in every if id_ in kept.request_ids]
        begun = [kept for kept in every if kept.id.startswith(id_) or any(map(_begins(id_), kept.request_ids))]
        return exact[0] if exact else begun[0] if len(begun) == 1 else None

    def forget(self, user: str) -> int:
        """Delete the causes that include a request of this user, and return their number."""
        forgotten = 0
        for entry in self._store.owned_by(_OWNER):
            kept = self._opened_any(entry.data)
            if kept is not None and user in kept.users:
                forgotten += self._store.delete_owned(_OWNER, only=entry.id)
        return forgotten

    def _sealed(self, id_: str, kept: bytes) -> dict[str, Any]:
        return {"id": id_, "sealed": self._seal.close(kept, id_)}

    def _opened_any(self, data: dict[str, Any]) -> RecordGroup | None:
        return self._opened(str(data.get("id", "")), data)

    def _opened(self, id_: str, data: dict[str, Any]) -> RecordGroup | None:
        written = self._unsealed(id_, data)
        return None if written is None else _read(id_, written)

    def _unsealed(self, id_: str, data: dict[str, Any]) -> bytes | None:
        if not data:  # a process is about to write it
            return None
        written = self._seal.open(data.get("sealed", b""), id_)
        if written is None:
            logging.getLogger("antiphon").warning("the kept request %s can't be decrypted with the secret keys", id_)
        return written


def _read(id_: str, written: bytes) -> RecordGroup | None:
    try:
        return _decode(written)
    except msgspec.DecodeError:
        logging.getLogger("antiphon").warning("the kept request %s was written by another release", id_)
        return None


def _begins(start: str) -> Any:
    return lambda id_: len(start) >= 6 and id_.startswith(start)


def _joined(known: bytes, new: bytes) -> bytes:
    """Join two groups as they are written, so that what a newer version has added to the known one stays."""
    before, added = msgspec.msgpack.decode(known), msgspec.msgpack.decode(new)
    count, ids = before["count"] + added["count"], [*before["request_ids"], *added["request_ids"]][-_MOST_IDS:]
    return msgspec.msgpack.encode({**before, **added, "first": before["first"], "count": count, "request_ids": ids})


_MOST = 64
"""The maximum number of causes that are waiting to be written."""
_RARELY = 1.0
"""The number of seconds during which further requests with a waiting cause are only counted."""
_SAID_EVERY = 60.0
"""The number of seconds between log messages about dropped requests."""
_AT_EXIT = 2.0
"""The number of seconds that a process waits at exit for the rest to be written."""


class Caught(NamedTuple):
    """A request to keep, including its secrets, while it is in memory."""

    record: Record
    trace: Trace | None


class _Waiting:
    """Requests with the same cause that are waiting to be written."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.count = 0
        self.first: Caught | None = None
        self.last: Caught | None = None
        self.request_ids: list[str] = []


class Writer:
    """A queue of causes, and the thread that writes them, which runs while any is waiting.

    The thread disguises each cause and then calls ``put`` with it.
    """

    def __init__(self, put: Callable[[RecordGroup], None]) -> None:
        self._put = put
        self._last_said = 0.0
        self._begin()
        call_after_fork(self._begin)

    def _begin(self) -> None:
        """Start empty in a new process, because its parent writes the waiting requests and may have held the lock."""
        self._changed = Condition()
        self._waiting: dict[str, _Waiting] = {}
        self._is_writing = False

    def add(self, id_: str, why: str, request_id: str, caught: Callable[[], Caught]) -> bool:
        """Record another request with a cause. Return False if it was dropped. Never waits for the store."""
        with self._changed:
            waiting = self._waiting.get(id_)
            if waiting is None:
                if len(self._waiting) >= _MOST:
                    self._say("there are too many causes at once, or the store is too slow")
                    return False
                waiting = self._waiting[id_] = _Waiting(why)
            waiting.count += 1
            waiting.request_ids = [*waiting.request_ids[-49:], request_id]
            if waiting.last is None or time.time() - waiting.last.record.time > _RARELY:
                waiting.last = caught()
                waiting.first = waiting.first or waiting.last
            if not self._is_writing:
                self._is_writing = True
                forget_exit = call_at_exit(self.flush)
                Thread(target=self._write_all, args=(forget_exit,), name="antiphon-keep", daemon=True).start()
        return True

    def flush(self, timeout: float = _AT_EXIT) -> bool:
        """Wait until everything is written. Return True if everything was."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_writing, timeout)

    def _write_all(self, forget_exit: Callable[[], object]) -> None:
        while (taken := self._take()) is not None:
            try:
                self._put(_kept(*taken))
            except Exception as error:  # the store is gone, or an unusual request can't be recorded
                self._say(f"{type(error).__name__}: {error}")
        forget_exit()

    def _take(self) -> tuple[str, _Waiting] | None:
        """Take the cause that has waited longest, or None if the thread has written all and ends."""
        with self._changed:
            for id_ in self._waiting:
                return id_, self._waiting.pop(id_)
            self._is_writing = False
            self._changed.notify_all()
        return None

    def _say(self, reason: str) -> None:
        now = time.monotonic()
        if now - self._last_said >= _SAID_EVERY or not self._last_said:
            self._last_said = now
            logging.getLogger("antiphon").error("failed requests are not kept: %s", reason)


def _kept(id_: str, waiting: _Waiting) -> RecordGroup:
    assert waiting.first is not None  # noqa: S101 - the first request with a cause is always caught
    assert waiting.last is not None  # noqa: S101
    names = marked_names()
    first = disguised(waiting.first, names)
    last = first if waiting.last is waiting.first else disguised(waiting.last, names)
    return RecordGroup(
        id=id_, why=waiting.why, count=waiting.count, first=first, last=last, request_ids=waiting.request_ids
    )


def disguised(caught: Caught, names: frozenset[str] | None = None) -> Record:
    """Return a record without secrets, with a description of the error. ``names`` are the marked ones of now."""
    hidden = Disguise(marked_names() if names is None else names)
    without_secrets(caught.record, hidden)
    hidden.search_again()
    record = without_secrets(caught.record, hidden)
    if caught.trace is not None:
        with suppress(Exception):  # the error's own methods may raise
            record = msgspec.structs.replace(record, **caught.trace.described(hidden))
    return record
