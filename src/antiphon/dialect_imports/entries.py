"""The installed dialects, and the packages that they replace, by the entry-point group `antiphon.dialects`.

The entry `werkzeug = "antiphon.dialects.werkzeug"` replaces `werkzeug` with that package. A dialect replaces further
packages with dotted entries: `kay.werkzeug` is the package with which the dialect `kay` replaces `werkzeug`. Modules
that it lacks come from the dialect `werkzeug`.

A distribution has the name of its package, unless an entry in the group `antiphon.dialect_distributions` says
otherwise: `PyYAML = "yaml"`.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

GROUP = "antiphon.dialects"
DISTRIBUTIONS = "antiphon.dialect_distributions"


class UnknownDialect(LookupError):
    """A name that no installed dialect has."""


class StandIn(NamedTuple):
    """A package that replaces another one."""

    dialect: str
    replaced: str
    """The top-level module that is replaced."""
    package: str
    """The dotted name of the package that replaces it."""
    provider: str
    """The name of the distribution that contains the package."""
    distribution: str
    """The name of the distribution that is replaced."""

    def lacks(self, module: str) -> str:
        """Return the error message for a module that the dialect lacks."""
        own = self.package.startswith(f"{GROUP}.")
        page = f"docs/reference/dialects/{self.dialect}.md" if own else f"the documentation of {self.provider}"
        return f"{self.provider}'s {self.dialect} dialect has no module {module}: see {page}"


def known_dialects() -> list[str]:
    """Return the names of the installed dialects, sorted."""
    return sorted({_dialect(entry) for entry in entry_points(group=GROUP)})


def stand_ins(dialect: str) -> list[StandIn]:
    """Return the stand-ins of a dialect, in the order in which they are searched. Raises `UnknownDialect`."""
    entries = entry_points(group=GROUP)
    own = [_stand_in(entry) for entry in entries if _dialect(entry) == dialect]
    if not own:
        known = ", ".join(known_dialects()) or "none"
        raise UnknownDialect(f"There is no dialect {dialect!r}. Known dialects: {known}.")
    replaced = {stand_in.replaced for stand_in in own} - {dialect}
    return own + [_stand_in(entry) for entry in entries if entry.name in replaced]


def _dialect(entry: EntryPoint) -> str:
    return entry.name.partition(".")[0]


def _stand_in(entry: EntryPoint) -> StandIn:
    dialect, _, replaced = entry.name.partition(".")
    replaced = replaced or dialect
    provider = entry.dist.name if entry.dist else "antiphon"
    declared = entry.dist.entry_points.select(group=DISTRIBUTIONS, value=replaced) if entry.dist else ()
    return StandIn(dialect, replaced, entry.module, provider, next((each.name for each in declared), replaced))
