"""The stores under test, each on the real thing, with a way to let time pass."""

import time

import pytest

from antiphon.features import MemoryStore, PostgresStore, SQLiteStore, ValkeyStore
from tests.features.conftest import SERVERS, Clock


class Clocked:
    """A store that goes by a clock of the test."""

    ttl = 100.0
    """A time to live that ``pass_time`` lets end."""

    def __init__(self, make):
        self.clock = Clock()
        self._make = make
        self.store = self.open()

    def open(self):
        """Another store of the same data, as another process would have it."""
        return self._make(self.clock)

    def pass_time(self):
        self.clock.now += self.ttl


class Timed(Clocked):
    """A store that goes by the clock of its server."""

    ttl = 0.05

    def pass_time(self):
        super().pass_time()
        time.sleep(self.ttl * 1.2)


OF_SEVERAL_SERVERS = [
    pytest.param(kind, marks=[pytest.mark.processes, pytest.mark.once]) for kind in ("pgbouncer", "cluster", "sentinel")
]


ON_SERVERS = [
    *(pytest.param(kind, marks=pytest.mark.processes) for kind in ("postgres", "valkey")),
    *OF_SEVERAL_SERVERS,
]


@pytest.fixture(params=["memory", "sqlite", *ON_SERVERS])
def kept(request, tmp_path):
    """One of the stores that keep entries on the server, with its clock."""
    opened = []

    def opening(make):
        def open_(clock):
            opened.append(make(clock))
            return opened[-1]

        return open_

    match request.param:
        case "memory":
            yield Clocked(opening(lambda clock: opened[0] if opened else MemoryStore(clock=clock)))
        case "sqlite":
            yield Clocked(opening(lambda clock: SQLiteStore(tmp_path / "store.db", timeout=30, clock=clock)))
        case "postgres" | "pgbouncer" as kind:
            url = request.getfixturevalue(kind)
            yield Clocked(opening(lambda clock: PostgresStore(url, timeout=30, clock=clock)))
        case kind:
            url = request.getfixturevalue(SERVERS[kind]).url
            yield Timed(opening(lambda clock: ValkeyStore(url, prefix=f"{tmp_path}:", timeout=30, clock=clock)))
    for each in opened:
        each.close()


@pytest.fixture
def store(kept):
    return kept.store
