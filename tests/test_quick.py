"""Tests that start processes are marked, which every run enforces, and ``--quick`` leaves them out."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]

CONFTEST = """
from tests.helpers import quick

def pytest_addoption(parser):
    quick.add_option(parser)

def pytest_configure(config):
    config.addinivalue_line("markers", "processes: as in this project")
    quick.configure(config)

def pytest_collection_modifyitems(config, items):
    quick.select(config, items)
"""
TESTS = """
import os, subprocess, sys
import pytest

def test_that_starts_nothing(): ...

def test_that_says_nothing():
    subprocess.run([sys.executable, "--version"])

@pytest.mark.processes
def test_that_says_so():
    subprocess.run([sys.executable, "--version"])
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["--quick"], {"passed": 1, "failed": 1, "deselected": 1}), ([], {"passed": 2, "failed": 1})],
)
def test_what_starts_processes_is_marked(pytester, monkeypatch, arguments, expected):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=TESTS)
    outcome = pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)
    outcome.assert_outcomes(**expected)
    assert "this test starts a process: mark it `processes`" in outcome.stdout.str()


@pytest.mark.processes
@pytest.mark.parametrize(
    ("package", "expected"), [("not_installed", {"passed": 1, "skipped": 1}), ("antiphon.renamed", {"errors": 1})]
)
def test_only_what_needs_a_package_that_is_not_installed_is_skipped(pytester, monkeypatch, package, expected):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("CI", raising=False)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        test_that_can_run="def test_it(): ...", test_that_cannot=f"import {package}\ndef test_it(): ..."
    )
    outcome = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--quick")
    outcome.assert_outcomes(**expected)
    assert ("lack of not_installed" in outcome.stdout.str()) == ("skipped" in expected)
