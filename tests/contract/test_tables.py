"""The contract's data: it is consistent, there is enough of it, and the documentation says the same."""

from pathlib import Path

import pytest

from tests.contract.bad_input import BAD_INPUTS
from tests.contract.exchanges import EXCHANGES
from tests.contract.probes import PROBES
from tests.contract.servers import SERVERS
from tests.contract.tables import differences, refusals

pytestmark = pytest.mark.once

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "servers.md"


def test_names_are_given_once():
    for things in (EXCHANGES, PROBES, BAD_INPUTS, SERVERS):
        names = [thing.name for thing in things]
        assert len(names) == len(set(names))


def test_every_exchange_is_had_with_handlers_of_both_colours():
    named = {exchange.name for exchange in EXCHANGES}
    assert {name.replace("(def)", "(async)") for name in named} == {name for name in named if "(async)" in name}
    assert len(named) >= 90


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_what_a_server_does_otherwise_is_something_that_is_asked(server):
    answers = {probe.name: probe.answers for probe in PROBES}
    for name, answer in server.gaps.items():
        assert answer in answers[name][1:]
    usual = {bad_input.name: str(bad_input.usual) for bad_input in BAD_INPUTS}
    for name, outcome in server.refusals.items():
        assert outcome != usual[name]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_each_answer_is_given_by_some_server(probe):
    given = {server.gaps.get(probe.name, probe.best) for server in SERVERS}
    assert given == set(probe.answers)


def test_the_documentation_has_the_same_tables():
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("|")]
    assert rows == [*differences().splitlines(), *refusals().splitlines()]
