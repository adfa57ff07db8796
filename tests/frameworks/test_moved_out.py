"""Five of the frameworks, moved out of Antiphon into a package that brings them by entry points, on public names.

The package is installed beside a copy of Antiphon without them, where their own tests run.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns
from xml.etree import ElementTree

import pytest

from tests.helpers.example_packages import install
from tests.test_public_names import PUBLIC

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
MOVED = ("aiohttp", "bottle", "falcon", "sanic", "tornado")
_imports = re.compile(r"^( *)from antiphon\.[\w.]+ import (.+)$", re.MULTILINE)
PROJECT = """
[build-system]
requires = ["setuptools>=77.0.3"]
build-backend = "setuptools.build_meta"

[project]
name = "antiphon-five"
version = "1.0"

[tool.setuptools]
packages = ["antiphon_five"]

[project.entry-points."antiphon.frameworks"]
"""
WHERE = """
import antiphon
from antiphon.frameworks.recognition import CHAPTERS, _brought
print(antiphon.__file__, sorted(CHAPTERS), *sorted(each.__module__ for each in map(type, _brought().values())))
"""


def on_public_names(code: str) -> str:
    """The code of a module that imports each name of Antiphon from its public place."""

    def public(found: re.Match[str]) -> str:
        indentation, names = found.groups()
        places = [(next(place for place in PUBLIC if name in PUBLIC[place]), name) for name in names.split(", ")]
        return "\n".join(f"{indentation}from {place} import {name}" for place, name in places)

    return _imports.sub(public, code)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The folders of Antiphon without the five, and of the package that has them."""
    folder = tmp_path_factory.mktemp("moved")
    antiphon, five = folder / "inner/antiphon", folder / "five/antiphon_five"
    copytree(ROOT / "src/antiphon", antiphon, ignore=ignore_patterns("__pycache__"))
    five.mkdir(parents=True)
    (five / "__init__.py").write_text("")
    recognition = antiphon / "frameworks/recognition.py"
    known, project = recognition.read_text(), PROJECT
    for name in MOVED:
        chapter = antiphon / f"frameworks/{name}.py"
        (five / f"{name}.py").write_text(on_public_names(chapter.read_text()))
        chapter.unlink()
        known, count = re.subn(rf'^    "{name}": .+\n', "", known, flags=re.MULTILINE)
        assert count == 1
        project += f'{name} = "antiphon_five.{name}:{name.title()}"\n'
    recognition.write_text(known.replace(', "bottle")', ")"))
    (five.parent / "pyproject.toml").write_text(project)
    return os.pathsep.join(map(str, (antiphon.parent, install(five.parent, folder), ROOT)))


def run(path: str, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-3000:]
    return finished.stdout


def test_five_frameworks_pass_their_tests_as_another_package_s(path, tmp_path):
    told = run(path, "-c", WHERE)
    assert told.startswith(path.partition(os.pathsep)[0])
    assert told.split()[-5:] == [f"antiphon_five.{name}" for name in MOVED]
    assert not any(f"'{name}'" in told for name in MOVED)
    tests = ["tests/frameworks", "-k", f"({' or '.join(MOVED)}) and not moved", "-p", "no:cacheprovider"]
    run(path, "-m", "pytest", "-q", f"--junitxml={tmp_path}/report.xml", *tests)
    [report] = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert int(report.get("tests")) - int(report.get("skipped")) > 100
    assert (report.get("failures"), report.get("errors")) == ("0", "0")
