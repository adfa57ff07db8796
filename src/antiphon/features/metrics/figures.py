"""The figures of one process: the memory that it writes to, and the place of each set of labels."""

import os
from collections.abc import Iterable
from logging import getLogger
from pathlib import Path
from threading import RLock
from weakref import WeakSet

from antiphon.concurrency.process import call_after_fork
from antiphon.explanations import explained
from antiphon.features.metrics.definition import Group, definitions, series_of, series_text
from antiphon.features.metrics.folder import find_folder, open_memory
from antiphon.features.metrics.memory import Memory


class Defined:
    """A group, as the figures of this process know it."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.text = group.encoded()
        self.places: dict[tuple[str, ...], int] = {}
        """The place of each set of labels in the memory."""
        self.overflow = -1
        """The place of all sets above the limit."""


class Figures:
    """Figures in memory that other processes of the server can read, or in this process's memory if there are none.

    It is opened when the first figure is written. A forked process opens its own.
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
        """Add a group of metrics. Raises ValueError for a name that is taken, and if the file has no room for it."""
        with self._lock:
            for metric in group.metrics:
                if metric.name in self._groups:
                    raise explained("bad-feature-option", ValueError(f"there are two metrics named {metric.name}"))
            defined = Defined(group)
            if self.memory is not None:
                self._write(self.memory, defined)
            self._groups.update(dict.fromkeys([metric.name for metric in group.metrics], defined))
            return defined

    def open(self) -> Memory:
        """Return the memory, which is opened once."""
        with self._lock:
            if self.memory is None:
                memory = self._open()
                for defined in self.defined():
                    self._write(memory, defined)
                self.memory = memory
            return self.memory

    def defined(self) -> Iterable[Defined]:
        """Return the groups, each once."""
        return dict.fromkeys(self._groups.values())

    def _open(self) -> Memory:
        if self.folder is None:  # a forked process has that of its parent
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
        """Write the definition of a group, and find the places of its figures."""
        defined.places = {tuple(values): at for values, at in series_of(memory, defined.text) if values is not None}
        overflow = self._find(memory, series_text(defined.text, None), defined.group.count)
        if overflow is None or self._find(memory, defined.text, 0) is None:
            raise explained(
                "bad-feature-option", ValueError("there is no room for more metrics in the file of figures")
            )
        defined.overflow = overflow
        if not defined.group.labels:
            self._place(memory, defined, ())

    def _find(self, memory: Memory, text: bytes, count: int) -> int | None:
        found = memory.find(text)
        return memory.append(text, count) if found is None else found

    def place(self, defined: Defined, values: tuple[str, ...]) -> int:
        """Return the place of a set of labels, or the place of all others if there are too many by now."""
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
        """Forget the memory, which belongs to the parent of this forked process."""
        self._lock = RLock()
        self.memory = None
        for defined in self.defined():
            defined.places = {}


def _forget_living(memory: Memory) -> None:
    """Set the gauges left by a dead process to zero."""
    for text, group in definitions(memory):
        if not group.is_kept:
            for _, at in series_of(memory, text):
                memory.cells[at] = 0


_all: WeakSet[Figures] = WeakSet()


def _renew_all() -> None:
    for each in [*_all]:
        each.renew()


call_after_fork(_renew_all)
