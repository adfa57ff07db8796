"""Installation of dialects in this process, instead of the packages that they replace."""

import sys

from antiphon.dialect_imports.entries import StandIn, stand_ins
from antiphon.dialect_imports.finder import StandInFinder


class TooLate(RuntimeError):
    """The error for an original that has already been imported."""


def install(*dialects: str) -> None:
    """Make imports find these dialects, even if the originals are installed, too.

    If two dialects replace the same package, a module comes from the first one that has it. A dialect that is already
    installed is not changed. Raises `UnknownDialect` and `TooLate`; nothing is then installed.
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
            f"{first.replaced} was imported before its dialect could be installed, from {place}."
            " Install the dialect earlier."
        )
