"""Print the lowest versions that the project promises to work with, and locked ones of the rest, as pip's constraints.

python -m scripts.lowest
"""

import re
import sys
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
_bounded = re.compile(r"([\w.-]+)(?:\[(\w+)\])?>=([\d.]+)").match


@cache
def lowest_versions() -> dict[str, str]:
    """Return the lower bound of each dependency by its name. Raises ValueError for a dependency without one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions: dict[str, str] = {}
    for dependency in chain(project["dependencies"], *project["optional-dependencies"].values()):
        found = _bounded(dependency)
        if found is None:
            raise ValueError(f"{dependency!r} in pyproject.toml has no lower bound: write name>=version")
        name, extra, version = found.groups()
        if versions.setdefault(_normalized(name), version) != version:
            raise ValueError(f"{name} has two lower bounds in pyproject.toml")
        if extra and f"{name}-{extra}" in locked_versions():  # psycopg[binary] wants its own version of that
            versions[f"{name}-{extra}"] = version
    return versions


@cache
def locked_versions() -> dict[str, list[str]]:
    """Return the lines of each package in constraints.txt by its name: one for each range of Pythons."""
    locked: dict[str, list[str]] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            locked.setdefault(_normalized(line.partition("==")[0]), []).append(line)
    return locked


def _normalized(name: str) -> str:
    """Return the name by which packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    lowest = {name: [f"{name}=={version}"] for name, version in lowest_versions().items()}
    sys.stdout.writelines(f"{line}\n" for line in chain(*{**locked_versions(), **lowest}.values()))
