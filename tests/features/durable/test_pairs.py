"""Durable requests beside every other feature. Their row is here, since it takes a database of PostgreSQL."""

from itertools import combinations

import pytest

from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Feature, Option
from antiphon.testing.pairs.table import WRITES, features
from antiphon.testing.pairs.trying import failures

pytestmark = pytest.mark.processes
pytest.importorskip("dbos")

OPTION = Option(
    "durable=True", WRITES, once=True, rate=0.7, refuses=frozenset({"IdempotentWrites", "ResumableUploads"})
)


@pytest.mark.parametrize("other", ["AccessLog", "ByKey"])  # what DBOS logs keeps the output of a row
def test_they_keep_what_always_holds(other, postgres_server):
    check_beside(other, postgres_server.url)


@pytest.mark.slow
@pytest.mark.parametrize("other", sorted(each.name for each in features()))
def test_they_keep_it_beside_each_other_feature(other, postgres_server):
    check_beside(other, postgres_server.url)


def check_beside(other, url):
    known = [*features(), durable(url)]
    pairs = [*combinations(sorted(each.name for each in known), 2)]
    program = program_of(pairs.index(tuple(sorted(["Durable", other]))), known)
    found = failures(program)
    # The collector has to free expressions of SQLAlchemy that DBOS makes.
    assert [each for each in found if not each.kind.startswith("what only the collector frees")] == []


def durable(url):
    return Feature(
        "Durable",
        f"app.use(Durable({url!r}, name=token_hex(8), path='/of-durable'))",
        "from secrets import token_hex",
        options=(OPTION,),
        statuses=frozenset({202, 400, 422, 503}),
        parameters=frozenset({"idempotency-key"}),
    )
