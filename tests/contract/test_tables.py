"""The contract's data is consistent and not empty, and the page on servers has the same tables."""

from pathlib import Path

import pytest

from tests.contract.bad_input import BAD_INPUTS
from tests.contract.exchanges import EXCHANGES
from tests.contract.probes import PROBES
from tests.contract.servers import SERVERS, SOCKET_SERVERS
from tests.contract.sockets.cases import CASES
from tests.contract.sockets.frames import CASES as FRAME_CASES
from tests.contract.sockets.frames import FAMILIES, FRAME_GAPS
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

AT_THE_END = "End at SIGTERM"
DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "servers.md"


def test_names_are_given_once():
    for things in (EXCHANGES, PROBES, BAD_INPUTS, SERVERS, CASES, SOCKET_SERVERS, FRAME_CASES):
        names = [thing.name for thing in things]
        assert len(names) == len(set(names))


def test_every_exchange_is_tried_with_def_and_async_def_handlers():
    named = {exchange.name for exchange in EXCHANGES}
    assert {name.replace("(def)", "(async)") for name in named} == {name for name in named if "(async)" in name}
    assert len(named) >= 90


@rows("server", SERVERS, ids=lambda server: server.name)
def test_what_a_server_does_otherwise_is_something_that_is_asked(server):
    answers = {probe.name: probe.answers for probe in PROBES}
    for name, answer in server.gaps.items():
        assert answer in answers[name][1:]
    usual = {bad_input.name: str(bad_input.usual) for bad_input in BAD_INPUTS}
    for name, outcome in server.refusals.items():
        assert outcome != usual[name]


@rows("probe", PROBES, ids=lambda probe: probe.name)
def test_each_answer_is_given_by_some_server(probe):
    given = {server.gaps.get(probe.name, probe.best) for server in SERVERS}
    assert given == set(probe.answers)


@rows("server", SOCKET_SERVERS, ids=lambda server: server.name)
def test_what_a_server_does_otherwise_with_sockets_is_something_that_is_asked(server):
    answers = {case.name: case.answers for case in CASES} | {AT_THE_END: ("1012", "1005", "nothing")}
    for name, answer in server.gaps.items():
        assert answer in answers[name][1:]


def sockets():
    """A row for each case in which servers differ, and for the end, a column for each server."""
    best = {case.name: case.best for case in CASES} | {AT_THE_END: "1012"}
    rows = []
    for name, answer in best.items():
        answers = [server.gaps.get(name, answer) for server in SOCKET_SERVERS]
        if {*answers} != {answer}:
            rows.append([name, *(each if each == answer else f"**{each}**" for each in answers)])
    return markdown_table(rows, SOCKET_SERVERS)


def frames():
    """A row for each family of frames: how many of them each server treats as the RFC says."""
    servers = [server for server in SOCKET_SERVERS if server.name in FRAME_GAPS]
    rows = []
    for name, family in {**FAMILIES, "All": FRAME_CASES}.items():
        gaps = [
            sum(FRAME_GAPS[server.name].get(case.name, case.best) != case.best for case in family) for server in servers
        ]
        counts = [f"{len(family) - gap} of {len(family)}" for gap in gaps]
        rows.append([name, *(f"**{count}**" if gap else count for count, gap in zip(counts, gaps, strict=True))])
    return markdown_table(rows, servers)


def differences():
    """A row for each probe that servers answer differently, a column for each server. All but the best is bold."""
    rows = []
    for probe in PROBES:
        answers = [server.gaps.get(probe.name, probe.best) for server in SERVERS]
        if {*answers} != {probe.best}:
            rows.append([probe.name, *(answer if answer == probe.best else f"**{answer}**" for answer in answers)])
    return markdown_table(rows)


def refusals():
    """A row for each bad input that servers treat differently, a column for each server. An accepted input is bold."""
    rows = []
    for bad_input in BAD_INPUTS:
        outcomes = [server.refusals.get(bad_input.name, str(bad_input.usual)) for server in SERVERS]
        if len({*outcomes}) > 1:
            rows.append([bad_input.name, *(outcome if outcome != "200" else "**200**" for outcome in outcomes)])
    return markdown_table(rows)


def markdown_table(rows, servers=SERVERS):
    head = ["", *(server.name for server in servers)]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def test_the_documentation_has_the_same_tables():
    pages = DOCUMENT.read_text().split("\n## ")
    rows = [line for page in pages if not page.startswith("HTTP/2") for line in page.splitlines() if line[:1] == "|"]
    tables = (differences(), sockets(), frames(), refusals())
    assert rows == [line for table in tables for line in table.splitlines()]
