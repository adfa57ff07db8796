"""The methods of stores that lock all entries during a change, implemented with tables of rows."""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from os import urandom
from typing import Any, NamedTuple, Protocol

from antiphon.features import OwnedEntry, Store, StoreEntry, StoreUnavailable
from antiphon.features.stores import StoredKind, check_ttl, decode, encode, hash_key, owned_entries


class Row(NamedTuple):
    """An entry in its stored form."""

    data: bytes
    version: int
    created: float
    changed: float
    expires: float
    owner: str | None


ROW_SIZE = 512
"""The approximate overhead of a row in bytes."""


def size_of(row: Row) -> int:
    """Return the size of a row in a bounded store, in bytes."""
    return len(row.data) + ROW_SIZE


class Rows(Protocol):
    """The entries, including expired ones, by the hashes of their keys."""

    def get(self, id_: bytes, /) -> Row | None: ...
    def put(self, id_: bytes, row: Row, /) -> None: ...
    def remove(self, id_: bytes, /) -> None: ...
    def of_owner(self, owner: str, /) -> list[tuple[bytes, Row]]: ...


class RowStore(Store):
    """A store of rows. ``clock`` returns Unix time in seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Rows]:
        """Open the rows for reading."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[Rows]:
        """Open the rows for one writer at a time. If the writer fails, nothing changes."""

    def _row(self, id_: bytes) -> Row | None:
        with self._reading() as rows:
            return rows.get(id_)

    def load(self, key: str) -> StoreEntry | None:
        row = self._row(hash_key(key))
        return self._entry(key, row, self.clock())

    def reload(self, known: StoreEntry) -> StoreEntry | None:
        row = self._row(hash_key(known.key))
        now = self.clock()
        is_same = row is not None and row.version == known.version and row.changed == known.changed
        return known if is_same and known.expires > now else self._entry(known.key, row, now)

    def change(
        self,
        key: str,
        updates: Mapping[str, Any],
        *,
        ttl: float = Store.FOREVER,
        remove: Iterable[str] = (),
        create: bool = True,
        owner: str | None = None,
    ) -> StoreEntry | None:
        check_ttl(ttl)
        new = decode(encode(updates, key), key) or {}  # what can't be stored fails here, before others have to wait
        id_ = hash_key(key)
        with self._writing() as rows:
            now = self.clock()
            before = self._entry(key, row := rows.get(id_), now)
            if before is None and not create:
                return None
            if before is None and row is not None and row.expires > now:
                raise StoreUnavailable.for_now(has_line=True)  # nothing is written over what can't be read
            data = new if before is None else {**before.data, **new}
            for name in remove:
                data.pop(name, None)
            if owner is None and row is not None and before is not None:
                owner = row.owner
            created = now if before is None else before.created
            entry = StoreEntry(key, data, new_version(), created, now, now + ttl, owner)
            rows.put(id_, Row(StoredKind.of(key).encode(data), *entry[2:]))
        return entry

    def delete(self, key: str) -> bool:
        id_ = hash_key(key)
        with self._writing() as rows:
            row = rows.get(id_)
            rows.remove(id_)
        return row is not None and row.expires > self.clock()

    def rotate(self, key: str, new_key: str) -> StoreEntry | None:
        id_ = hash_key(key)
        with self._writing() as rows:
            entry = self._entry(key, row := rows.get(id_), self.clock())
            if row is not None and entry is not None:
                rows.remove(id_)
                rows.put(hash_key(new_key), row)
        return None if entry is None else entry._replace(key=new_key)

    def owned_by(self, owner: str) -> list[OwnedEntry]:
        with self._reading() as rows:
            found = rows.of_owner(owner)
        now = self.clock()
        return owned_entries(
            owner, [(id_.hex(), row) for id_, row in found], lambda key, row: self._entry(key, row, now)
        )

    def delete_owned(self, owner: str, *, only: str | None = None, keep: str | None = None) -> int:
        kept = None if keep is None else hash_key(keep)
        with self._writing() as rows:
            doomed = [(id_, row) for id_, row in rows.of_owner(owner) if id_ != kept and only in (None, id_.hex())]
            for id_, _ in doomed:
                rows.remove(id_)
        now = self.clock()
        return sum(row.expires > now for _, row in doomed)

    def add(self, key: str, data: Mapping[str, Any], *, ttl: float = Store.FOREVER) -> StoreEntry | None:
        return self._put(key, data, ttl, None)

    def replace(
        self, key: str, data: Mapping[str, Any], *, version: int, ttl: float = Store.FOREVER
    ) -> StoreEntry | None:
        return self._put(key, data, ttl, version)

    def _put(self, key: str, data: Mapping[str, Any], ttl: float, version: int | None) -> StoreEntry | None:
        check_ttl(ttl)
        stored = encode(data, key)
        id_ = hash_key(key)
        with self._writing() as rows:
            now = self.clock()
            row = rows.get(id_)
            before = None if row is None or row.expires <= now else row  # also one that can't be read
            if version != (None if before is None else before.version):
                return None
            created, owner = (now, None) if before is None else (before.created, before.owner)
            rest = new_version(), created, now, now + ttl, owner
            rows.put(id_, Row(stored, *rest))
        return StoreEntry(key, decode(stored, key) or {}, *rest)

    def _entry(self, key: str, row: Row | None, now: float) -> StoreEntry | None:
        """Return a row's entry, or None if it has expired or can't be read. Raises the same error as ``decode``."""
        if row is None or row.expires <= now or (data := decode(row.data, key)) is None:
            return None
        return tuple.__new__(StoreEntry, (key, data, *row[1:]))  # in two thirds of the time of its constructor


def new_version() -> int:
    """Return 63 random bits as a version, so that an entry that is deleted and recreated never repeats a version."""
    return int.from_bytes(urandom(8)) >> 1
