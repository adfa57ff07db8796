"""The stores under test, each on the real thing, with a way to let time pass."""

import pytest

from antiphon.features import MemoryStore, PostgresStore, SQLiteStore, ValkeyStore
from antiphon.testing.stores import ClockedStore, TimedStore
from tests.features.conftest import SERVERS

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
            yield ClockedStore(opening(lambda clock: opened[0] if opened else MemoryStore(clock=clock)))
        case "sqlite":
            yield ClockedStore(opening(lambda clock: SQLiteStore(tmp_path / "store.db", timeout=30, clock=clock)))
        case "postgres" | "pgbouncer" as kind:
            url = request.getfixturevalue(kind)
            yield ClockedStore(opening(lambda clock: PostgresStore(url, timeout=30, clock=clock)))
        case kind:
            url = request.getfixturevalue(SERVERS[kind]).url
            yield TimedStore(opening(lambda clock: ValkeyStore(url, prefix=f"{tmp_path}:", timeout=30, clock=clock)))
    for each in opened:
        each.close()


@pytest.fixture
def where(kept, request, tmp_path):
    """The place of the store, for other processes."""
    kind = request.node.callspec.params["kept"]
    match kind:
        case "sqlite":
            return str(tmp_path / "store.db")
        case "postgres":
            return request.getfixturevalue("postgres")
    return request.getfixturevalue(SERVERS[kind]).url
