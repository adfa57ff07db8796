"""The stores of channels under test, each on the real thing."""

from contextlib import ExitStack, closing

import pytest

from antiphon.features import MemoryStore, PostgresStore, SQLiteStore, ValkeyStore
from tests.features.conftest import SERVERS
from tests.features.stores.conftest import ON_SERVERS


def opening(stack, request, folder):
    """Return a function that opens the store that the parameter of a fixture names, or another one of the same data."""
    memory = MemoryStore()

    def open_():
        match request.param:
            case "memory":
                return memory
            case "sqlite":
                store = SQLiteStore(folder / "store.db", timeout=30)
            case "postgres" | "pgbouncer" as kind:
                store = PostgresStore(request.getfixturevalue(kind), timeout=30)
            case kind:
                store = ValkeyStore(request.getfixturevalue(SERVERS[kind]).url, prefix=f"{folder}:", timeout=30)
        return stack.enter_context(closing(store))

    return open_


@pytest.fixture(params=["memory", "sqlite", *ON_SERVERS])
def open_store(request, tmp_path):
    """Open the store, or another one of the same data."""
    with ExitStack() as stack:
        yield opening(stack, request, tmp_path)
