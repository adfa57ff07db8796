"""Print the lowest versions that the project promises to work with, as constraints for pip.

python -m scripts.lowest
"""

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
_bounded = re.compile(r"([\w.-]+)>=([\d.]+)").match


def lowest_versions() -> dict[str, str]:
    """Return the lower bound of each dependency by its name. Raises ValueError for a dependency without one."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    versions = {}
    for dependency in chain(project["dependencies"], *project["optional-dependencies"].values()):
        found = _bounded(dependency)
        if found is None:
            raise ValueError(f"{dependency!r} in pyproject.toml has no lower bound: write name>=version")
        name, version = found.groups()
        if versions.setdefault(name, version) != version:
            raise ValueError(f"{name} has two lower bounds in pyproject.toml: {versions[name]} and {version}")
    return versions


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in lowest_versions().items())
