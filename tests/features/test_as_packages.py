"""Features as packages of somebody else: a copy under another name passes their tests, on public names alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.example_packages import assert_imports_public_names_only
from tests.helpers.rows import rows

ROOT = Path(__file__).parents[2]
PLUGIN = """
import importlib, sys
import antiphon.features
moved = importlib.import_module("elsewhere.{name}")
sys.modules["antiphon.features.{name}"] = moved  # which is never imported from its own place
for each in {names!r}:
    setattr(antiphon.features, each, getattr(moved, each))
"""


@pytest.mark.processes
@rows("name, names", ("cors", ["CORS"]), ("open_telemetry", ["OpenTelemetry"]))
def test_they_pass_their_tests(name, names, tmp_path):
    package, source = tmp_path / "elsewhere", ROOT / f"src/antiphon/features/{name}.py"
    package.mkdir()
    (package / f"{name}.py").write_text(source.read_text())
    assert_imports_public_names_only(package)
    (tmp_path / "moving.py").write_text(PLUGIN.format(name=name, names=names))
    tests = f"tests/features/test_{name}.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "moving", "-m", "not processes", tests]
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    env = os.environ | {"PYTHONPATH": paths}
    done = subprocess.run(command, check=False, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
