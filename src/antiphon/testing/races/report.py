"""The message of a race: its number, the switches, and the lines of the requests beside each other."""

import linecache
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from antiphon.testing.races.running import Outcome
from antiphon.testing.races.scheduler import Place

WIDTH = 50
"""The width of a column if there are two, in characters."""
AROUND = 4
"""The number of lines that are shown before and after each switch."""


class RaceFound(AssertionError):
    """An order of requests in which something fails. Its ``seed`` is the number that brings it back."""

    def __init__(self, message: str, seed: int) -> None:
        super().__init__(message)
        self.seed = seed


def describe(seed: int, outcome: Outcome) -> RaceFound:
    """Return the error for a run that failed."""
    switches, faults = outcome.applied
    count = f"{len(switches)} switch{'' if len(switches) == 1 else 'es'}"
    parts = [f"seed {seed}", *(_fault(fault.kind) for fault in faults), count]
    places = [place for place in outcome.places if place.owner]
    turns = [(before, after) for before, after in pairwise(places) if before.owner != after.owner]
    story = ", then ".join(_place(place) for place in _turning(turns))
    head = f"{', '.join(parts)}: {story + '; ' if story else ''}again with seeds=[{seed}]"
    failure = outcome.failure
    reason = f"{type(failure).__name__}: {failure}" if str(failure) else repr(failure)
    found = RaceFound("\n".join([head, reason, *_columns(outcome.places)]), seed)
    found.__cause__ = failure
    return found


def _turning(turns: Sequence[tuple[Place, Place]]) -> list[Place]:
    """Return the places of the first turn: the last line of one request and the first of the next."""
    return [*turns[0]] if turns else []


def _fault(kind: str) -> str:
    return {
        "die": "the process dies", "leave": "a client leaves", "refuse": "the store refuses",
        "slow": "the store is slow", "terminate": "SIGTERM",
    }[kind]  # fmt: skip


def _place(place: Place) -> str:
    return f"request {place.owner} at {Path(place.file).name}:{place.line} `{_source(place)}`"


def _source(place: Place) -> str:
    return linecache.getline(place.file, place.line).strip()


def _columns(places: Sequence[Place]) -> list[str]:
    """Return the lines around the switches, in a column for each request, in the order in which they ran."""
    places = [place for place in places if place.owner]
    owners = sorted({place.owner for place in places})
    width = max(WIDTH // max(len(owners) - 1, 1), 24)
    near = {
        index + offset
        for index, (before, after) in enumerate(pairwise(places))
        if before.owner != after.owner
        for offset in range(1 - AROUND, AROUND + 1)
    }
    shown = [index for index in range(len(places)) if index in near][: 10 * AROUND]
    if not shown:
        return []
    lines = ["  " + " ".join(f"{f'request {owner}':{width}}" for owner in owners).rstrip()]
    for before, index in zip([shown[0] - 1, *shown], shown, strict=False):
        if index > before + 1:
            lines.append("  ...")
        place = places[index]
        text = f"{Path(place.file).name}:{place.line} {_source(place)}"[:width]
        lines.append("  " + " " * ((width + 1) * owners.index(place.owner)) + text)
    return lines
