"""Durable requests beside every other feature, and on servers whose database fails."""

import os
from itertools import combinations

import pytest

from antiphon.features.durable import stored
from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Around
from antiphon.testing.pairs.table import features
from antiphon.testing.pairs.trying import failures
from antiphon.testing.stores.entries import at_once
from tests.helpers.postgres import execute, plant_functions, set_default
from tests.helpers.rows import rows
from tests.pairs.databases import SETTLED, durable, on_database
from tests.pairs.databases import failures as failures_on
from tests.pairs.test_faults import ACCEPTS

pytestmark = pytest.mark.processes
pytest.importorskip("dbos")

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
    known = [*features(), durable(f"{postgres_server.url!r}, name=__import__('secrets').token_hex(8)")]
    pairs = [*combinations(sorted(each.name for each in known), 2)]
    program = program_of(pairs.index(tuple(sorted(["Durable", other]))), known)
    found = failures(program)
    # The collector has to free expressions of SQLAlchemy that DBOS makes, and its threads work meanwhile.
    of_dbos = "what only the collector frees", "much work"
    assert [each for each in found if not each.kind.startswith(of_dbos)] == []


def failing(seed, *more):
    """Return the program of a seed, with only logins, and requests while the database fails, and their repeats."""
    program = on_database(seed)
    begin = {SETTLED, *[each.name for each in program.routes if each.kind == "begin"]}
    sent = tuple([each for each in program.sent if each.route in begin or "x-fault" in dict(each.fields)])
    return program._replace(sent=sent, around=(*program.around, *more))


@rows("seed", 4, 219)
def test_a_database_that_fails_once_on_a_server_loses_and_doubles_nothing(seed, postgres_server):
    """``python -m tests.pairs.databases`` tries more, with a new seed each time."""
    assert failures_on(failing(seed), postgres_server) == []


def test_a_write_that_is_lost_while_the_database_fails_is_found(postgres_server):
    programs = (failing(seed, Around("planted", ACCEPTS)) for seed in range(2, 12))
    found = (each.kind for program in programs for each in failures_on(program, postgres_server))
    assert "an accepted write has 0 effects at a fault" in found  # mostly by the first program


AT_ONCE = """\
Bank._mail = lambda self, request, value: SharedList("mails").append(value)
Bank._job = lambda self, request, value: deliver(value)"""


def test_what_does_not_hang_on_its_transaction_is_found(postgres_server):
    found = {each.kind for each in failures_on(failing(219, Around("planted", AT_ONCE)), postgres_server)}
    assert found >= {"a mail has no effect", "a job has no effect"}


def test_statements_call_no_code_of_another_role_and_fail_at_no_isolation(postgres):
    plant_functions(postgres)
    for setting in "search_path = public", "default_transaction_isolation = serializable":
        set_default(postgres, setting)
    execute(postgres, "create schema dbos")
    tables = stored.Tables(postgres)
    assert tables.run("select application_name from pg_stat_activity where pid = pg_backend_pid()") == [
        [("antiphon durable",)]
    ]
    tables.make()
    at_once(lambda _: [tables.run(stored.BEAT, id="1", app="shop") for _ in range(5)], 4)
    tables.run(stored.POST, job="job", id="1", app="shop")
    [[(_, seen)], jobs] = tables.run(stored.KNOWN, stored.TAKE, app="shop")
    assert (seen > 0, jobs) == (True, [("1", "job")])
    tables.run(stored.LEAVE, id="1")
    tables.run(stored.BURY, id="1", seen=seen)
    assert tables.run(stored.KNOWN, app="shop") == [[("1", 0.0)]]
    tables.run(stored.BURY, id="1", seen=0.0)
    assert tables.run(stored.KNOWN, app="shop") == [[]]
    tables.engine.dispose()
