"""What `importlib.metadata` tells of a package that a dialect is in place of: its version, and where it comes from."""

import importlib
import importlib.metadata
import re
from importlib.metadata import Distribution
from os import PathLike
from pathlib import Path

from antiphon.dialect_imports.entries import StandIn


class StandInDistribution(Distribution):
    """The version is the `__version__` of the package: that of the original whose names and habits it has."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    @property
    def name(self) -> str:
        """The name of what is replaced. To ask for it imports nothing, as whoever lists distributions does."""
        return self._stand_in.replaced

    def read_text(self, filename: str) -> str | None:
        """METADATA and top_level.txt; None for other files."""
        match filename:
            case "METADATA":
                return _METADATA.format(**self._stand_in._asdict(), version=self._version())
            case "top_level.txt":
                return f"{self.name}\n"
            case _:
                return None

    def locate_file(self, path: str | PathLike[str]) -> Path:
        """Where a file would be, if the distribution had any: beside the package."""
        file = importlib.import_module(self._stand_in.package).__file__ or ""
        return Path(file).parent.parent / path

    def _version(self) -> str:
        version = getattr(importlib.import_module(self._stand_in.package), "__version__", None)
        return str(version or importlib.metadata.version(self._stand_in.provider))


def normalized(name: str) -> str:
    """The name of a distribution, in the one of its spellings that is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


_METADATA = """\
Metadata-Version: 2.1
Name: {replaced}
Version: {version}
Summary: {provider}'s {dialect} dialect
Requires-Dist: {provider}
"""
