"""Durable requests beside every other feature. Their row is here, since it takes a database of PostgreSQL."""

import os
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


QUICK = {"AccessLog", "ByKey"}
IN_CI = QUICK | {"Cache", "CSRFTokens", "IdempotentWrites", "RateLimit", "Recorder", "Sessions", "Signatures"}
OTHERS = [
    each if each in QUICK else pytest.param(each, marks=pytest.mark.slow)
    for each in sorted(each.name for each in features())
    if each in IN_CI or not os.environ.get("CI")  # `scripts/weekly all-tests` runs all
]


@pytest.mark.parametrize("other", OTHERS)
def test_they_keep_what_always_holds(other, postgres_server):
    known = [*features(), durable(postgres_server.url)]
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
