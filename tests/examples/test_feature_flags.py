"""The example of a feature, a package of its own: installed, found by its entry points, on public names alone."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from tests.helpers.example_packages import assert_imports_public_names_only, install

pytestmark = pytest.mark.processes
SOURCE = Path(__file__).parents[2] / "examples/feature_flags"
SHOP = """
from antiphon import App
from antiphon_flags import Flags

app = App(secret_keys=["a key of sixteen bytes or more"])
app.use(Flags("dark", folder={folder!r}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder in which the package is installed."""
    return install(SOURCE, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def run(site, tmp_path):
    """Runs a module of Python where the package is installed; returns its exit code and what it prints."""
    (tmp_path / "shop.py").write_text(SHOP.format(folder=str(tmp_path)))

    def run(*arguments):
        command = [sys.executable, "-m", *arguments]
        environment = os.environ | {"PYTHONPATH": str(site)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_its_own_tests_pass(run, tmp_path):
    copytree(SOURCE / "tests", tmp_path / "tests", ignore=ignore_patterns("__pycache__"))
    code, told = run("pytest", "-p", "no:cacheprovider", "--basetemp", "temporary", "tests")
    assert code == 0, told
    assert " passed" in told


def test_its_command_is_one_of_antiphon(run):
    assert run("antiphon", "flags", "list", "shop:app") == (0, "dark  by visitor\n")
    assert "See which features of an app are switched on." in run("antiphon", "--help")[1]


def test_its_errors_are_explained(run):
    code, told = run("antiphon", "explain", "flags.unknown-flag")
    assert code == 0
    assert told.startswith("flags.unknown-flag\n\nA flag was named that the app does not have")


def test_its_explanation_raises_what_it_explains(site, run, tmp_path):
    from antiphon.cli.docs import Explanation

    kind, text = "flags.unknown-flag", (site / "antiphon_flags/errors.md").read_text().partition("## ")[2]
    [raising] = Explanation(kind, "", text).raising
    (tmp_path / "raising.py").write_text(raising)
    code, told = run("raising")
    assert code == 1
    assert f"LookupError: there is no flag 'new-checkout', but dark\nTo read more: antiphon explain {kind}" in told


def test_it_imports_public_places_only():
    assert_imports_public_names_only(SOURCE)
