"""The table of mutants: changes of the core, written by hand, each of which breaks something that users rely on."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "antiphon"
TABLE = Path(__file__).with_name("mutants.toml")
ROOMS = Path(__file__).with_name("rooms.txt")
LEAST = 0.8
"""The share of a folder's mutants that its cheap tests are to notice."""


@dataclass(frozen=True)
class Mutant:
    """A change of a file of the core: ``old``, which is there once, becomes ``new``. ``tests`` should notice it."""

    breaks: str
    file: str
    old: str
    new: str
    tests: list[str]

    def applied(self, source: Path = SOURCE) -> str:
        """Return the changed text of the file below a folder. Raises LookupError unless ``old`` is there once."""
        text = (source / self.file).read_text()
        if text.count(self.old) != 1 or self.old == self.new:
            raise LookupError(f"{self.file} has {text.count(self.old)} times: {self.old}")
        return text.replace(self.old, self.new)


def mutants() -> list[Mutant]:
    """Read the table."""
    with TABLE.open("rb") as file:
        return [Mutant(**row) for row in tomllib.load(file)["mutant"]]


def rooms() -> dict[str, float]:
    """Read the folders whose cheap tests notice less, with the shares that they do."""
    lines = (line.split() for line in ROOMS.read_text().splitlines() if line[:1] != "#")
    return {room: int(noticed) / int(of) for room, noticed, _, of in lines}
