"""Which dialects are installed, and what packages they put in place of others: the group `antiphon.dialects`.

The entry `werkzeug = "antiphon.dialects.werkzeug"` puts that package in place of `werkzeug`. A dialect stands for
others than its namesake by dotted entries: `kay.werkzeug` is what the dialect `kay` puts in place of `werkzeug`, and
the modules that it lacks are those of the dialect `werkzeug`.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

GROUP = "antiphon.dialects"


class UnknownDialect(LookupError):
    """No package that is installed has a dialect of this name."""


class StandIn(NamedTuple):
    """A package in place of another."""

    dialect: str
    replaced: str
    """The top-level module that it is found for."""
    package: str
    """The dotted name of the package that is found."""
    provider: str
    """The name of the distribution that it comes with."""

    def lacks(self, module: str) -> str:
        """What to say when `module` is asked for and the dialect has no such module."""
        own = self.package.startswith(f"{GROUP}.")
        page = f"docs/reference/dialects/{self.dialect}.md" if own else f"the documentation of {self.provider}"
        return f"{self.provider}'s {self.dialect} dialect has no module {module}: see {page}"


def known_dialects() -> list[str]:
    """The names of the dialects that are installed, in order."""
    return sorted({_dialect(entry) for entry in entry_points(group=GROUP)})


def stand_ins(dialect: str) -> list[StandIn]:
    """What `dialect` puts in place of other packages; what is asked first comes first. Raises `UnknownDialect`."""
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
    provider = entry.dist.name if entry.dist else "antiphon"
    return StandIn(dialect, replaced or dialect, entry.module, provider)
