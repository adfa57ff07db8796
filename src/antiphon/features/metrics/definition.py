"""Definitions of metrics: the names of their figures, and the number of cells for each set of labels."""

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
"""The label of the series for all sets of labels above the limit, as OpenTelemetry names it."""
LONGEST_VALUE = 200
"""The most characters of a label's value. The rest is cut off."""

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class Definition:
    """The name and the kind of a metric, in the terms of OpenMetrics.

    ``bounds`` are the bounds of a histogram's buckets. The sum of its values is in a cell with a whole number, in units
    of 1 / ``scale``. If ``scale`` is 0, it is in a cell with a float, like the value of a gauge.
    """

    name: str
    kind: Kind
    help: str
    unit: str = ""
    bounds: tuple[float, ...] = ()
    scale: int = 1

    @property
    def count(self) -> int:
        """The number of cells for a set of labels."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


@dataclass(frozen=True)
class Group:
    """Metrics with the same labels, whose cells are next to each other."""

    labels: tuple[str, ...]
    metrics: tuple[Definition, ...]

    @property
    def count(self) -> int:
        """The number of cells for a set of labels."""
        return sum(metric.count for metric in self.metrics)

    @property
    def is_kept(self) -> bool:
        """False if only the figures of living processes count, as for gauges."""
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
    """Return the text of the record with the figures of a set of labels. None stands for all sets above the limit."""
    return json.dumps([crc32(group), values]).encode()


def definitions(memory: Memory) -> list[tuple[bytes, Group]]:
    """Return the groups of a memory, each with the text of its record."""
    return [(each.text, Group.decode(each.text)) for each in memory.records() if each.text.startswith(b"{")]


def series_of(memory: Memory, group: bytes) -> list[tuple[Sequence[str] | None, int]]:
    """Return the sets of labels of the group whose record has this text, each with the place of its first cell."""
    start = b"[%d, " % crc32(group)
    return [(json.loads(each.text)[1], each.at) for each in memory.records() if each.text.startswith(start)]


def check_metric(name: str, labels: Iterable[str], unit: str) -> tuple[str, ...]:
    """Return the names of labels. Raises ValueError for names that OpenMetrics does not allow."""
    labels = (labels,) if isinstance(labels, str) else tuple(labels)
    for each in (name, *labels):
        if not _NAME.fullmatch(each):
            raise _bad(f"the names of metrics and labels must consist of letters, digits and underscores: {each!r}")
    for suffix in ("_total", "_created", "_bucket", "_count", "_sum", "_info"):
        if name.endswith(suffix):
            raise _bad(f"metrics get endings such as {suffix} on the page, so leave it out of {name!r}")
    if taken := [each for each in labels if each.startswith("__") or each in ("le", "quantile", OVERFLOW)]:
        raise _bad(f"the label {taken[0]!r} of {name} has a special meaning")
    if len(set(labels)) != len(labels):
        raise _bad(f"{name} has a duplicate label: {', '.join(labels)}")
    if unit and not name.endswith(f"_{unit}"):
        raise _bad(f"the name of a metric must end with its unit: {name}_{unit}")
    return labels


def check_bounds(bounds: Iterable[float]) -> tuple[float, ...]:
    """Return the bounds of buckets. Raises ValueError for bounds that don't rise, and for more than 100."""
    found = tuple(map(float, bounds))
    if not 0 < len(found) <= 100 or not all(map(lt, (-inf, *found), (*found, inf))):
        raise _bad(f"the bounds of buckets must be up to 100 rising numbers: {bounds!r}")
    return found


def label_values(name: str, names: tuple[str, ...], given: Mapping[str, object]) -> tuple[str, ...]:
    """Return the values of labels as text, in the order of the names. Raises TypeError if one is missing or unknown."""
    if given.keys() != {*names}:
        wanted = ", ".join(names) or "no labels"
        raise explained("bad-feature-option", TypeError(f"{name} has {wanted}, not {', '.join(given) or 'none'}"))
    return tuple([str(given[each])[:LONGEST_VALUE] for each in names])


def _bad(message: str) -> ValueError:
    return explained("bad-feature-option", ValueError(message))
