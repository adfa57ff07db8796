"""What is known of the servers, as tables in Markdown."""

from collections.abc import Iterable

from tests.contract.bad_input import BAD_INPUTS
from tests.contract.probes import PROBES
from tests.contract.servers import SERVERS


def differences() -> str:
    """A row for each probe, a column for each server. What is not the best answer is bold."""
    rows = []
    for probe in PROBES:
        answers = (server.gaps.get(probe.name, probe.best) for server in SERVERS)
        rows.append([probe.name, *(answer if answer == probe.best else f"**{answer}**" for answer in answers)])
    return _table(rows)


def refusals() -> str:
    """A row for each bad input, a column for each server. What is accepted is bold."""
    rows = []
    for bad_input in BAD_INPUTS:
        outcomes = (server.refusals.get(bad_input.name, str(bad_input.usual)) for server in SERVERS)
        rows.append([bad_input.name, *(outcome if outcome != "200" else "**200**" for outcome in outcomes)])
    return _table(rows)


def _table(rows: Iterable[list[str]]) -> str:
    head = ["", *(server.name for server in SERVERS)]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
