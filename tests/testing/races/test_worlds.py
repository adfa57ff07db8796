"""The framework's own state in worlds, a few numbers each: `scripts/weekly worlds` tries new ones for minutes."""

import pytest

from antiphon.features.idempotency.table import TableClaims
from antiphon.features.stores import memory
from tests.helpers.rows import rows
from tests.testing.races.worlds import SERVERS, WORLDS, explore

pytestmark = [pytest.mark.processes, pytest.mark.once]


@pytest.fixture(scope="module", autouse=True)
def servers_end():
    with SERVERS:
        yield


@rows("name", [*WORLDS])
def test_no_race_is_found(name):
    assert explore(name, range(2)) is None


class NoLock:
    """A lock that everybody gets."""

    def __enter__(self):
        return True

    def __exit__(self, *_):
        return None


@rows("name", ["counters_in_memory", "sessions_in_memory", "refresh_tokens", "rate_limits", "idempotency_in_memory"])
def test_missing_lock_is_found(name, monkeypatch):
    monkeypatch.setattr(memory, "Lock", NoLock)
    assert explore(name, range(60)) is not None


def test_table_that_others_see_before_its_commit_is_found(monkeypatch):
    create_table, created = TableClaims.create_table, set()

    async def create_once(claims):
        if claims._writes not in created:
            created.add(claims._writes)
            await create_table(claims)

    monkeypatch.setattr(TableClaims, "create_table", create_once)
    assert explore("idempotency_in_a_transaction", range(60)) is not None
