"""Mutants of the dialects: what a row of their table names is broken, to see whether a test that holds the row fails.

Beside the tests of a dialect, ``targets.csv`` has for each row the dotted names that are broken for it, one or several
separated by spaces: attributes of classes, which raise when they are read, and functions, which raise when called.
"""

import csv
import os
import signal
import sys
from collections.abc import Iterable
from importlib import import_module
from random import Random
from typing import Any, NoReturn

import pytest
from _pytest.runner import runtestprotocol

from tests.dialects.features import FOLDER, Features, collected, say

LONGEST = 60
"""Seconds after which tests that hang have failed."""


class BrokenError(Exception):
    """What was broken is used."""


class Broken:
    """In the place of a function or a class, or of an attribute of a class: any use of it raises a BrokenError."""

    def __init__(self, name: str, owner_is_class: bool) -> None:
        self.name = name
        self.owner_is_class = owner_is_class

    def __get__(self, instance: object, owner: type) -> "Broken":
        if self.owner_is_class:
            raise BrokenError(self.name)
        return self

    def __set__(self, instance: object, value: object) -> None:
        """Be in the way of what instances have, too."""

    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise BrokenError(self.name)


def targets() -> dict[str, list[str]]:
    """The dotted names of each row that has any."""
    found = {}
    for path in sorted(FOLDER.glob("*/targets.csv")):
        with path.open(newline="") as file:
            found.update({row["id"]: row["targets"].split() for row in csv.DictReader(file)})
    return found


def find(name: str) -> tuple[Any, str]:
    """The object, and its attribute, that a dotted name means. Raises LookupError where there is none."""
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:-1]:
            owner = getattr(owner, part, None)
        if parts[-1] in {*dir(owner), *_of_instances(owner)}:
            return owner, parts[-1]
    raise LookupError(f"there is nothing of the name {name}")


def _of_instances(owner: Any) -> set[str]:
    """The attributes that instances of a class get when they are made, as far as that can be seen."""
    names: set[str] = set()
    for base in getattr(owner, "__mro__", ()):
        made = getattr(vars(base).get("__init__"), "__code__", None)
        names |= {*_annotated(base), *(made.co_names if made else ())}
    return names


def _annotated(cls: type) -> Iterable[str]:
    """The names that a class annotates."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(cls, format=Format.FORWARDREF)
    return vars(cls).get("__annotations__", ())


def break_down(name: str) -> None:
    """Have what a dotted name means raise from now on."""
    owner, attribute = find(name)
    setattr(owner, attribute, Broken(name, isinstance(owner, type)))


def is_noticed(names: list[str], items: list[pytest.Item]) -> bool:
    """Whether a test fails when these are broken. They are broken in a process of their own."""
    for name in names:
        find(name)
    child = os.fork()
    if child == 0:
        os._exit(_try(names, items))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) != 0


def _try(names: list[str], items: list[pytest.Item]) -> int:
    """Run the tests with these broken, until one fails: 1 if one does."""
    signal.alarm(LONGEST)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    try:
        for name in names:
            break_down(name)
        return int(any(_fails(item) for item in items))
    except BaseException:
        return 1


def _fails(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


class BrokenRows(Features):
    """A plugin of pytest that breaks what some rows name, row by row, and notes those whose tests all pass then."""

    def __init__(self, count: int, seed: int) -> None:
        super().__init__()
        self.count = count
        self.seed = seed

    def look(self) -> None:
        """Break the rows that are chosen."""
        chosen = sorted(set(self.tests) & set(self.rows))
        if len(chosen) > self.count:
            chosen = sorted(Random(self.seed).sample(chosen, self.count))
        known = targets()
        missed = []
        for row in chosen:
            if row not in known:
                missed.append(f"{row}: no targets.csv says what to break")
            elif not is_noticed(known[row], self.tests[row]):
                missed.append(f"{row}: its tests pass without {' and '.join(known[row])}")
        say(f"{len(chosen) - len(missed)} of {len(chosen)} were noticed.")
        self.complaints += missed


def tried_rows(count: int, seed: int, paths: list[str]) -> int:
    """Break what so many rows name that have tests below the paths. Returns the exit status."""
    return collected(BrokenRows(count, seed), paths or [str(FOLDER)])
