"""Features as packages of others: a copy under another name is planned as ours is, and passes all of their tests."""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).parents[2]
FEATURES = ROOT / "src/antiphon/features"
# Python imports this when it starts: whoever asks for a module of the feature gets the copy, in other processes, too.
MOVING = """
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec


class Moved:
    def find_spec(name, path=None, target=None):
        if name.startswith("antiphon.features.") and name.split(".")[2] in {copied!r}:
            return ModuleSpec(name, Moved)

    def create_module(spec):
        return import_module(spec.name.replace("antiphon.features", "elsewhere"))

    def exec_module(module):
        pass


sys.meta_path.insert(0, Moved)
"""
IN_USE = "from antiphon.features import {0}; assert {0}.__module__.startswith('elsewhere.'), {0}.__module__"


def copy_to(folder, copied):
    """Copy modules into the package ``elsewhere``, in which they import each other by its name."""
    package = folder / "elsewhere"
    package.mkdir()
    (package / "__init__.py").write_text('__reads__ = "named"\n')
    for each in copied:
        if (FEATURES / each).is_dir():
            copytree(FEATURES / each, package / each, ignore=ignore_patterns("__pycache__"))
        else:
            (package / f"{each}.py").write_text((FEATURES / f"{each}.py").read_text())
    own = re.compile(rf"\bantiphon\.features\.({'|'.join(copied)})\b")
    for file in package.rglob("*.py"):
        file.write_text(own.sub(r"elsewhere.\1", file.read_text()))
    (folder / "sitecustomize.py").write_text(MOVING.format(copied=copied))


EACH = [
    ("CORS", ["cors"], ["test_cors.py"]),
    ("OpenTelemetry", ["open_telemetry"], ["test_open_telemetry.py"]),
    ("Cache", ["cache"], ["cache"]),
    ("Sessions", ["sessions", "tracked_session", "bound_sessions"], ["test_sessions*.py", "test_bound_sessions.py"]),
    ("Tools", ["tools"], ["tools"]),
    ("Live", ["live"], ["live"]),
    ("IdempotentWrites", ["idempotency"], ["test_idempotency.py", "test_idempotent_callers.py"]),
]


@pytest.mark.parametrize(
    ("name", "copied", "tests"), EACH, ids=[name for name, *_ in EACH]
)  # minutes on a busy machine
def test_they_pass_their_tests(name, copied, tests, tmp_path):
    copy_to(tmp_path, copied)
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    subprocess.run([sys.executable, "-c", IN_USE.format(name)], check=True, cwd=ROOT, env=env)
    paths = [str(path) for each in tests for path in sorted((ROOT / "tests/features").glob(each))]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not processes", *paths]
    done = subprocess.run(command, check=False, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
