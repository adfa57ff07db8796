"""Putting dialects in place of the packages that they stand for, in this process."""

import sys

from antiphon.dialect_imports.entries import StandIn, stand_ins
from antiphon.dialect_imports.finder import StandInFinder


class TooLate(RuntimeError):
    """The original has been imported already."""


def install(*dialects: str) -> None:
    """From now on imports of what `dialects` stand for find these, whether or not the originals are installed.

    Where two stand for the same, the earlier one is asked first. To install one again does nothing. Raises
    `UnknownDialect` and `TooLate`; nothing is installed then.
    """
    finder = next((each for each in sys.meta_path if isinstance(each, StandInFinder)), StandInFinder())
    together = {replaced: list(chain) for replaced, chain in finder.stand_ins.items()}
    for stand_in in [stand_in for dialect in dialects for stand_in in stand_ins(dialect)]:
        chain = together.setdefault(stand_in.replaced, [])
        if stand_in not in chain:
            chain.append(stand_in)
    for chain in together.values():
        _check_in_time(chain[0])
    finder.stand_ins = together
    if finder not in sys.meta_path:
        sys.meta_path.insert(0, finder)


def _check_in_time(first: StandIn) -> None:
    imported = sys.modules.get(first.replaced)
    if imported is not None and imported is not sys.modules.get(first.package):
        place = getattr(imported, "__file__", None) or "no file"
        raise TooLate(
            f"{first.replaced} was imported before its dialect could be installed, from {place}:"
            " install the dialect earlier."
        )
