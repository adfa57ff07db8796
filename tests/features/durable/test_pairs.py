"""Durable requests beside every other feature. Their row is here, since it takes a database of PostgreSQL."""

import os
from itertools import combinations

import pytest

from antiphon.features.durable import stored
from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Feature, Option
from antiphon.testing.pairs.table import WRITES, features
from antiphon.testing.pairs.trying import failures
from antiphon.testing.stores.entries import at_once
from tests.helpers.postgres import execute, plant_functions, set_default

pytestmark = pytest.mark.processes
pytest.importorskip("dbos")

OPTION = Option(
    "durable=True", WRITES, once=True, rate=0.7, refuses=frozenset({"IdempotentWrites", "ResumableUploads"})
)


IN_CI = {
    "AccessLog", "ByKey", "Cache", "CSRFTokens", "IdempotentWrites", "RateLimit", "Recorder", "Sessions", "Signatures"
}  # fmt: skip
OTHERS = [
    each
    for each in sorted(each.name for each in features())
    if each in IN_CI or not os.environ.get("CI")  # `scripts/weekly all-tests` runs all
]


@pytest.mark.parametrize("other", OTHERS)
def test_they_keep_what_always_holds(other, postgres_server):
    known = [*features(), durable(postgres_server.url)]
    pairs = [*combinations(sorted(each.name for each in known), 2)]
    program = program_of(pairs.index(tuple(sorted(["Durable", other]))), known)
    found = failures(program)
    # The collector has to free expressions of SQLAlchemy that DBOS makes, and its threads work meanwhile.
    of_dbos = "what only the collector frees", "much work"
    assert [each for each in found if not each.kind.startswith(of_dbos)] == []


def durable(url):
    return Feature(
        "Durable",
        f"app.use(Durable({url!r}, name=token_hex(8), path='/of-durable'))",
        "from secrets import token_hex",
        options=(OPTION,),
        statuses=frozenset({202, 400, 422, 503}),
        parameters=frozenset({"idempotency-key"}),
    )


def test_statements_call_no_code_of_another_role_and_fail_at_no_isolation(postgres):
    plant_functions(postgres)
    for setting in "search_path = public", "default_transaction_isolation = serializable":
        set_default(postgres, setting)
    execute(postgres, "create schema dbos")
    tables = stored.Tables(postgres)
    tables.make()
    at_once(lambda _: [tables.run(stored.BEAT, id="1", app="shop") for _ in range(5)], 4)
    tables.run(stored.POST, job="job", id="1", app="shop")
    assert tables.run(stored.KNOWN, app="shop") == [("1",)]
    assert tables.run(stored.DEAD, app="shop", patience=100) == []
    assert tables.run(stored.TAKE, app="shop") == [("1", "job")]
    tables.run(stored.LEAVE, id="1")
    tables.run(stored.BURY, id="1", patience=100)
    assert tables.run(stored.KNOWN, app="shop") == []
    tables.engine.dispose()
