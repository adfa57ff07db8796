"""One process's figures: the definitions of metrics, and the places in its memory where the figures for each set of
labels are.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from logging import getLogger
from math import inf
from operator import lt
from pathlib import Path
from threading import RLock
from typing import Literal
from weakref import WeakSet
from zlib import crc32

from antiphon import explained
from antiphon.embedding import call_after_fork
from antiphon.features.metrics.folder import Memory, find_folder, open_memory

Kind = Literal["counter", "gauge", "histogram"]

OVERFLOW = "otel_metric_overflow"
"""The label of the series for all sets of labels above the limit, named as in OpenTelemetry."""
LONGEST_VALUE = 200
"""The maximum length of a label's value in characters. Longer values are cut."""

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class Definition:
    """A metric's name and kind, in OpenMetrics terms.

    ``bounds`` are the bounds of a histogram's buckets. The sum of the histogram's values is a whole number in units of
    1 / ``scale``. If ``scale`` is 0, it is a float, like a gauge's value.
    """

    name: str
    kind: Kind
    help: str
    unit: str = ""
    bounds: tuple[float, ...] = ()
    scale: int = 1

    @property
    def count(self) -> int:
        """The number of cells for one set of labels."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


@dataclass(frozen=True)
class Group:
    """Metrics with the same labels, whose cells are next to each other."""

    labels: tuple[str, ...]
    metrics: tuple[Definition, ...]

    @property
    def count(self) -> int:
        """The number of cells for one set of labels."""
        return sum(metric.count for metric in self.metrics)

    @property
    def is_kept(self) -> bool:
        """False if only the figures of living processes are included, as for gauges."""
        return self.metrics[0].kind != "gauge"

    def encoded(self) -> bytes:
        """The text of the record that defines this group."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, text: bytes) -> "Group":
        """Return the group defined by a record."""
        found = json.loads(text)
        metrics = [Definition(**{**each, "bounds": tuple(each["bounds"])}) for each in found["metrics"]]
        return cls(tuple(found["labels"]), tuple(metrics))


def series_text(group: bytes, values: Sequence[str] | None) -> bytes:
    """Return the text of the record for a set of labels. None means all sets above the limit."""
    return json.dumps([crc32(group), values]).encode()


def definitions(memory: Memory) -> list[tuple[bytes, Group]]:
    """Return the groups in a memory, each with its record's text."""
    return [(each.text, Group.decode(each.text)) for each in memory.records() if each.text.startswith(b"{")]


def series_of(memory: Memory, group: bytes) -> list[tuple[Sequence[str] | None, int]]:
    """Return the sets of labels of a group, given its record's text, each with the place of its first cell."""
    start = b"[%d, " % crc32(group)
    return [(json.loads(each.text)[1], each.at) for each in memory.records() if each.text.startswith(start)]


def check_metric(name: str, labels: Iterable[str], unit: str) -> tuple[str, ...]:
    """Return the label names. Raises ValueError for names that OpenMetrics does not allow."""
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
    """Return the bounds of buckets. Raises ValueError for bounds that don't increase, and for more than 100."""
    found = tuple(map(float, bounds))
    if not 0 < len(found) <= 100 or not all(map(lt, (-inf, *found), (*found, inf))):
        raise _bad(f"the bounds of buckets must be up to 100 increasing numbers: {bounds!r}")
    return found


def label_values(name: str, names: tuple[str, ...], given: Mapping[str, object]) -> tuple[str, ...]:
    """Return the labels' values as text, in the order of the names. Raises TypeError for a missing or unknown label."""
    if given.keys() != {*names}:
        wanted = ", ".join(names) or "no labels"
        raise explained("bad-feature-option", f"{name} takes {wanted}, not {', '.join(given) or 'none'}", TypeError)
    return tuple([str(given[each])[:LONGEST_VALUE] for each in names])


def _bad(message: str) -> ValueError:
    return explained("bad-feature-option", message)


class Defined:
    """A group, as defined in this process's figures."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.text = group.encoded()
        self.places: dict[tuple[str, ...], int] = {}
        """The place of each set of labels in the memory."""
        self.overflow = -1
        """The place of the figures for all sets above the limit."""


class Figures:
    """Figures in memory that the server's other processes can read, or in private memory if there are no others.

    The memory is opened when the first figure is written. A forked process opens a new one.
    """

    def __init__(self, folder: str | os.PathLike[str] | None, most: int, size: int) -> None:
        self._given = folder
        self._most = most
        self._size = size
        self._groups: dict[str, Defined] = {}
        self._lock = RLock()
        self.folder: Path | None = None
        self.memory: Memory | None = None
        _all.add(self)

    def define(self, group: Group) -> Defined:
        """Add a group of metrics, unless it is there. Raises ValueError for a name that is taken, or if the file has no
        room for the group."""
        with self._lock:
            for metric in group.metrics:
                if (known := self._groups.get(metric.name)) is not None:
                    if known.group == group:
                        return known
                    raise explained("bad-feature-option", f"there are two metrics named {metric.name}")
            defined = Defined(group)
            if self.memory is not None:
                self._write(self.memory, defined)
            self._groups.update(dict.fromkeys([metric.name for metric in group.metrics], defined))
            return defined

    def open(self) -> Memory:
        """Return the memory, opening it on first use."""
        with self._lock:
            if self.memory is None:
                memory = self._open()
                for defined in self.defined():
                    self._write(memory, defined)
                self.memory = memory
            return self.memory

    def defined(self) -> Iterable[Defined]:
        """Return the groups, each only once."""
        return dict.fromkeys(self._groups.values())

    def _open(self) -> Memory:
        if self.folder is None:  # a forked process has its parent's
            self.folder = find_folder(self._given)
        if self.folder is not None:
            try:
                memory = open_memory(self.folder, self._size)
            except OSError as error:
                getLogger("antiphon.metrics").error(
                    "only this process sees its figures, since it can't share them in %s: %s",
                    self.folder, error,
                )  # fmt: skip
            else:
                getLogger("antiphon.metrics").debug("the figures of this process are in %s", self.folder)
                _forget_living(memory)
                return memory
        buffer = bytearray(self._size)
        Memory.prepare(buffer)
        return Memory(buffer)

    def _write(self, memory: Memory, defined: Defined) -> None:
        """Write a group's definition and find where its figures are."""
        defined.places = {tuple(values): at for values, at in series_of(memory, defined.text) if values is not None}
        overflow = self._find(memory, series_text(defined.text, None), defined.group.count)
        if overflow is None or self._find(memory, defined.text, 0) is None:
            raise explained("bad-feature-option", "the metrics file has no room for more metrics")
        defined.overflow = overflow
        if not defined.group.labels:
            self._place(memory, defined, ())

    def _find(self, memory: Memory, text: bytes, count: int) -> int | None:
        found = memory.find(text)
        return memory.append(text, count) if found is None else found

    def place(self, defined: Defined, values: tuple[str, ...]) -> int:
        """Return where a set of labels is counted, which is a shared place if there are already too many sets."""
        with self._lock:
            return self._place(self.open(), defined, values)

    def _place(self, memory: Memory, defined: Defined, values: tuple[str, ...]) -> int:
        known = defined.places.get(values)
        if known is not None:
            return known
        at = None
        if len(defined.places) < self._most:
            at = self._find(memory, series_text(defined.text, values), defined.group.count)
        if at is None:
            return defined.overflow
        defined.places[values] = at
        return at

    def renew(self) -> None:
        """Forget the memory, which belongs to this forked process's parent."""
        self._lock = RLock()
        self.memory = None
        for defined in self.defined():
            defined.places = {}


def _forget_living(memory: Memory) -> None:
    """Reset the gauges left by a dead process to zero."""
    for text, group in definitions(memory):
        if not group.is_kept:
            for _, at in series_of(memory, text):
                memory.cells[at] = 0


_all: WeakSet[Figures] = WeakSet()


def _renew_all() -> None:
    for each in [*_all]:
        each.renew()


call_after_fork(_renew_all)
