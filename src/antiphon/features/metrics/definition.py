"""Definitions of metrics: what their figures are called, and how many cells each set of labels has."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from operator import lt
from typing import Literal
from zlib import crc32

from antiphon.explanations import explained
from antiphon.features.metrics.memory import Memory

Kind = Literal["counter", "gauge", "histogram"]

OVERFLOW = "otel_metric_overflow"
"""The label of the series that stands for all sets of labels above the bound, as OpenTelemetry names it."""
LONGEST_VALUE = 200
"""Characters of a label's value. More are cut off."""

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class Definition:
    """The name and the kind of a metric, in words of OpenMetrics.

    ``bounds`` are those of a histogram's buckets. The sum of its values is in a cell of whole numbers, of which
    ``scale`` make one, or with 0 in a cell of a float, like the value of a gauge.
    """

    name: str
    kind: Kind
    help: str
    unit: str = ""
    bounds: tuple[float, ...] = ()
    scale: int = 1

    @property
    def count(self) -> int:
        """How many cells a set of labels has."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


@dataclass(frozen=True)
class Group:
    """Metrics of the same labels, whose cells lie side by side."""

    labels: tuple[str, ...]
    metrics: tuple[Definition, ...]

    @property
    def count(self) -> int:
        """How many cells a set of labels has."""
        return sum(metric.count for metric in self.metrics)

    @property
    def is_kept(self) -> bool:
        """False if the figures are those of living processes alone, as those of gauges are."""
        return self.metrics[0].kind != "gauge"

    def encoded(self) -> bytes:
        """Return the text of the record that defines this group."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, text: bytes) -> "Group":
        """Return the group that a record defines."""
        found = json.loads(text)
        metrics = [Definition(**{**each, "bounds": tuple(each["bounds"])}) for each in found["metrics"]]
        return cls(tuple(found["labels"]), tuple(metrics))


def series_text(group: bytes, values: Sequence[str] | None) -> bytes:
    """Return the text of the record with the figures of a set of labels; None is that of all sets above the bound."""
    return json.dumps([crc32(group), values]).encode()


def definitions(memory: Memory) -> list[tuple[bytes, Group]]:
    """Return the groups of a memory, each with the text of its record."""
    return [(each.text, Group.decode(each.text)) for each in memory.records() if each.text.startswith(b"{")]


def series_of(memory: Memory, group: bytes) -> list[tuple[Sequence[str] | None, int]]:
    """Return the sets of labels of a group, by the text of its record, each with the place of its first cell."""
    start = b"[%d, " % crc32(group)
    return [(json.loads(each.text)[1], each.at) for each in memory.records() if each.text.startswith(start)]


def check_metric(name: str, labels: Iterable[str], unit: str) -> tuple[str, ...]:
    """Return the names of labels. Raises ValueError for what OpenMetrics does not allow."""
    labels = (labels,) if isinstance(labels, str) else tuple(labels)
    for each in (name, *labels):
        if not _NAME.fullmatch(each):
            raise _bad(f"the names of metrics and labels have letters, digits and underscores: {each!r}")
    for suffix in ("_total", "_created", "_bucket", "_count", "_sum", "_info"):
        if name.endswith(suffix):
            raise _bad(f"metrics get endings such as {suffix} on the page, so leave it out of {name!r}")
    if taken := [each for each in labels if each.startswith("__") or each in ("le", "quantile", OVERFLOW)]:
        raise _bad(f"the label {taken[0]!r} of {name} has a meaning of its own")
    if len(set(labels)) != len(labels):
        raise _bad(f"{name} has a label twice: {', '.join(labels)}")
    if unit and not name.endswith(f"_{unit}"):
        raise _bad(f"the name of a metric ends with its unit: {name}_{unit}")
    return labels


def check_bounds(bounds: Iterable[float]) -> tuple[float, ...]:
    """Return the bounds of buckets. Raises ValueError for those that don't rise, and more than 100."""
    found = tuple(map(float, bounds))
    if not 0 < len(found) <= 100 or not all(map(lt, (-inf, *found), (*found, inf))):
        raise _bad(f"the bounds of buckets are up to 100 numbers, each above the one before: {bounds!r}")
    return found


def label_values(name: str, names: tuple[str, ...], given: Mapping[str, object]) -> tuple[str, ...]:
    """Return values of labels as text, in the order of their names. Raises TypeError if one is missing or unknown."""
    if given.keys() != {*names}:
        wanted = ", ".join(names) or "no labels"
        raise explained("bad-feature-option", TypeError(f"{name} has {wanted}, not {', '.join(given) or 'none'}"))
    return tuple([str(given[each])[:LONGEST_VALUE] for each in names])


def _bad(message: str) -> ValueError:
    return explained("bad-feature-option", ValueError(message))
