"""The figures of all processes of a server, summed."""

from collections.abc import Iterator
from typing import NamedTuple

from antiphon.features.metrics.definition import Definition, Group, definitions, series_of
from antiphon.features.metrics.figures import Figures
from antiphon.features.metrics.folder import other_memories
from antiphon.features.metrics.memory import Memory


class Series(NamedTuple):
    """The figures of one set of labels. For a histogram they are its separate buckets and the sum."""

    values: tuple[str, ...] | None
    """The values of the labels, or None for all sets above the limit."""
    figures: list[float]


class Family(NamedTuple):
    """A metric with its figures, by sets of labels."""

    metric: Definition
    labels: tuple[str, ...]
    series: list[Series]


def sum_up(figures: Figures) -> tuple[list[Family], int]:
    """Return all metrics, summed over the processes of a server, and the number of living processes.

    Gauges of dead processes don't count. If processes define a metric differently, as during the rollout of a new
    version, the definition of this process counts.
    """
    own = figures.open()
    groups: dict[bytes, Group] = {}
    sums: dict[bytes, dict[tuple[str, ...] | None, list[float]]] = {}
    living = 0
    for memory, lives in _memories(figures, own):
        living += lives
        for text, group in definitions(memory):
            if lives or group.is_kept:
                _add(sums.setdefault(text, {}), memory, text, group)
                groups.setdefault(text, group)
    return [*_families(groups, sums)], living


def _memories(figures: Figures, own: Memory) -> Iterator[tuple[Memory, bool]]:
    yield own, True
    if figures.folder is not None:
        yield from other_memories(figures.folder, own)


def _add(sums: dict[tuple[str, ...] | None, list[float]], memory: Memory, text: bytes, group: Group) -> None:
    for values, at in series_of(memory, text):
        key = None if values is None else tuple(values)
        found = _read(memory, at, group)
        sums[key] = [*map(sum, zip(sums[key], found, strict=True))] if key in sums else found


def _read(memory: Memory, at: int, group: Group) -> list[float]:
    """Read the cells of a set of labels."""
    found: list[float] = [*memory.cells[at : at + group.count].tolist()]
    end = 0
    for metric in group.metrics:
        end += metric.count
        if metric.kind != "counter" and not metric.scale:
            found[end - 1] = memory.floats[at + end - 1]
        elif metric.scale > 1:
            found[end - 1] /= metric.scale
    return found


def _families(
    groups: dict[bytes, Group], sums: dict[bytes, dict[tuple[str, ...] | None, list[float]]]
) -> Iterator[Family]:
    names = set()
    for text, group in groups.items():
        start = 0
        for metric in group.metrics:
            part = slice(start, start + metric.count)
            start += metric.count
            if metric.name not in names:
                names.add(metric.name)
                yield Family(metric, group.labels, [*_series(sums[text], part)])


def _series(sums: dict[tuple[str, ...] | None, list[float]], part: slice) -> Iterator[Series]:
    for values, figures in sums.items():
        if values is not None or any(figures[part]):  # the series for sets above the limit is seldom used
            yield Series(values, figures[part])
