"""A store in one process's memory, for tests and for single-process applications whose data may be lost."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Protocol, TypeVar

from antiphon.features import Store, StoreCount, StoreEntry
from antiphon.features.stores import check_ttl, hash_key
from antiphon.features.stores.rows import Row, RowStore, size_of

MOST_COUNTERS = 100_000
"""The maximum number of counters in a store, which take about 25 MB."""

LOOKED_AT = 4
"""The number of entries that each write checks for expiry: more than it adds."""

_GONE = object()
"""A value that no check returns."""


class MemoryStore(RowStore):
    """A store that lives as long as its process, for tests and development. Other processes do not see it.

        app = App(store=MemoryStore())

    Beyond 100,000 counters, it drops one whenever a new one is added, so that a client with many keys can't fill the
    memory. ``clock`` returns Unix time in seconds; tests can pass a different one.
    """

    blocks: ClassVar[bool] = False
    keeps_files: ClassVar[bool] = True

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock)
        self._lock = Lock()
        self._rows = _Rows()
        self._bounded: MemoryStore | None = None
        self._folder: Path | None = None
        self._counters: OrderedDict[bytes, _Counter] = OrderedDict()

    def bounded(self, max_bytes: int) -> "MemoryStore":
        with self._lock:
            if self._bounded is None:
                self._bounded = MemoryStore(clock=self.clock)
                self._bounded._rows = _BoundedRows(max_bytes)  # noqa: SLF001 - of this very class
            return self._bounded

    def files_folder(self, *, make: bool) -> Path | None:
        from antiphon.features.stores.file_locks import temporary_folder

        with self._lock:
            if self._folder is None and make:
                self._folder = temporary_folder(self)
            return self._folder

    def unchanged_check(self, known: StoreEntry) -> tuple[Callable[[Any], object], Any, object]:
        id_, get = hash_key(known.key), self._rows.by_id.get  # one step without the lock, and not recorded as a use
        row = get(id_)
        return get, id_, row if row is not None and row.version == known.version else _GONE

    @contextmanager
    def _reading(self) -> Iterator["_Rows"]:
        with self._lock:
            yield self._rows

    def _row(self, id_: bytes) -> Row | None:
        with self._lock:  # a context manager of ours would take ten times as long
            return self._rows.get(id_)

    @contextmanager
    def _writing(self) -> Iterator["_Rows"]:
        with self._lock:
            for id_ in self._rows.expired(self.clock()):
                self._rows.remove(id_)
            yield self._rows

    def increment(self, key: str, *, ttl: float = Store.FOREVER, by: int = 1) -> StoreCount:
        check_ttl(ttl)
        id_ = hash_key(key)
        with self._lock:
            now = self.clock()
            for expired in _expired(self._counters, now):
                del self._counters[expired]
            counter = self._counters.get(id_)
            if counter is None or not counter.began <= now < counter.expires:  # the clock may have been set back
                if counter is None and len(self._counters) >= MOST_COUNTERS:
                    self._counters.popitem(last=False)
                counter = self._counters[id_] = _Counter(now, now + ttl)
            counter.value += by
            return StoreCount(counter.value, counter.expires - now)


class _Counter:
    __slots__ = ("began", "expires", "value")

    def __init__(self, began: float, expires: float) -> None:
        self.began = began
        self.expires = expires
        self.value = 0


class _Rows:
    def __init__(self) -> None:
        self.by_id: OrderedDict[bytes, Row] = OrderedDict()
        self._of_owners: dict[str, set[bytes]] = {}
        self.get = self.by_id.get

    def expired(self, now: float) -> list[bytes]:
        """Return some expired rows. Each call checks different rows."""
        return _expired(self.by_id, now)

    def put(self, id_: bytes, row: Row) -> None:
        self.remove(id_)
        self.by_id[id_] = row
        if row.owner is not None:
            self._of_owners.setdefault(row.owner, set()).add(id_)

    def remove(self, id_: bytes) -> None:
        row = self.by_id.pop(id_, None)
        if row is not None and row.owner is not None:
            ids = self._of_owners[row.owner]
            ids.discard(id_)
            if not ids:
                del self._of_owners[row.owner]

    def of_owner(self, owner: str) -> list[tuple[bytes, Row]]:
        return [(id_, self.by_id[id_]) for id_ in self._of_owners.get(owner, ())]


class _BoundedRows(_Rows):
    """Rows of up to ``most`` bytes in total, in order of last use."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._bytes = 0
        self.get = self._use  # type: ignore[assignment]  # as the base class sets it

    def _use(self, id_: bytes) -> Row | None:
        row = self.by_id.get(id_)
        if row is not None:
            self.by_id.move_to_end(id_)
        return row

    def expired(self, now: float) -> list[bytes]:
        first = next(iter(self.by_id.items()), None)
        return [first[0]] if first is not None and first[1].expires <= now else []

    def put(self, id_: bytes, row: Row) -> None:
        super().put(id_, row)
        self._bytes += size_of(row)
        while self._bytes > self._most:
            self.remove(next(iter(self.by_id)))

    def remove(self, id_: bytes) -> None:
        row = self.by_id.get(id_)
        if row is not None:
            self._bytes -= size_of(row)
        super().remove(id_)


class _Expires(Protocol):
    @property
    def expires(self) -> float: ...


E = TypeVar("E", bound=_Expires)


def _expired(entries: OrderedDict[bytes, E], now: float) -> list[bytes]:
    """Return the expired entries among the first few and move the others to the end."""
    found = []
    for id_ in [id_ for id_, _ in zip(entries, range(LOOKED_AT), strict=False)]:
        if entries[id_].expires <= now:
            found.append(id_)
        else:
            entries.move_to_end(id_)
    return found
