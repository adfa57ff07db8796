"""Metrics as text: OpenMetrics 1.0, and the older format of Prometheus, 0.0.4."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import inf

from antiphon.features.metrics.definition import OVERFLOW
from antiphon.features.metrics.summing import Family, Series

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
    """Yield the lines of a histogram. Its count is the sum of its buckets, whatever is written at the same time."""
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
    """Return a number as both formats write it."""
    if value in (inf, -inf):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if value != value else repr(value)
