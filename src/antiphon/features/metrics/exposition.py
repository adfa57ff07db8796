"""The sums of all processes' figures, as text: OpenMetrics 1.0, and the older Prometheus format, 0.0.4."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import inf
from typing import NamedTuple

from antiphon.features.metrics.figures import OVERFLOW, Definition, Figures, Group, definitions, series_of
from antiphon.features.metrics.folder import Memory, other_memories


class Series(NamedTuple):
    """The figures for one set of labels. For a histogram, these are its separate buckets and the sum."""

    values: tuple[str, ...] | None
    """The labels' values, or None for all sets above the limit."""
    figures: list[float]


class Family(NamedTuple):
    """A metric and its figures, by set of labels."""

    metric: Definition
    labels: tuple[str, ...]
    series: list[Series]


def sum_up(figures: Figures) -> tuple[list[Family], int]:
    """Return all metrics, summed over the server's processes, and the number of living processes.

    Gauges of dead processes are omitted. If processes define a metric differently, as during the rollout of a new
    version, this process's definition is used.
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
    """Read the cells of one set of labels."""
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
        if values is not None or any(figures[part]):  # the series for sets above the limit is rarely used
            yield Series(values, figures[part])


OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

_VALUE = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})


def exposition(families: Iterable[Family], *, is_open: bool) -> str:
    """Return metrics as text: as OpenMetrics if ``is_open`` is true, otherwise in Prometheus' format 0.0.4."""
    lines = [line for family in families for line in _lines(family, is_open=is_open)]
    if is_open:
        lines.append("# EOF")
    return "".join([f"{line}\n" for line in lines])


def _lines(family: Family, *, is_open: bool) -> Iterator[str]:
    metric = family.metric
    sample = f"{metric.name}_total" if metric.kind == "counter" else metric.name
    name = metric.name if is_open else sample
    yield f"# HELP {name} {metric.help.translate(_VALUE if is_open else _HELP)}"
    yield f"# TYPE {name} {metric.kind}"
    if metric.unit and is_open:
        yield f"# UNIT {name} {metric.unit}"
    for series in sorted(family.series, key=lambda each: each.values or ()):
        labels = _labels(family.labels, series)
        if metric.kind == "histogram":
            yield from _histogram(metric.name, metric.bounds, labels, series.figures)
        else:
            yield f"{sample}{_braced(labels)} {number(series.figures[0])}"


def _histogram(name: str, bounds: tuple[float, ...], labels: str, figures: list[float]) -> Iterator[str]:
    """Yield a histogram's lines. Its count is the sum of its buckets, even while values are being written."""
    *buckets, total = figures
    counts = [*accumulate(buckets)]
    before = f"{labels}," if labels else ""
    for bound, count in zip((*bounds, inf), counts, strict=True):
        yield f'{name}_bucket{{{before}le="{number(float(bound))}"}} {number(count)}'
    yield f"{name}_count{_braced(labels)} {number(counts[-1])}"
    yield f"{name}_sum{_braced(labels)} {number(total)}"


def _labels(names: tuple[str, ...], series: Series) -> str:
    if series.values is None:
        return f'{OVERFLOW}="true"'
    return ",".join([f'{name}="{value.translate(_VALUE)}"' for name, value in zip(names, series.values, strict=True)])


def _braced(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def number(value: float) -> str:
    """Return a number as written in both formats."""
    if value in (inf, -inf):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if value != value else repr(value)
