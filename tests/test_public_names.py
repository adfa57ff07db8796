import subprocess
import sys

import pytest

import antiphon

PUBLIC = [
    "App",
    "Blueprint",
    "HTTPError",
    "Headers",
    "Limits",
    "MultiDict",
    "MutableHeaders",
    "MutableMultiDict",
    "Place",
    "Redirect",
    "Request",
    "Response",
    "abort",
    "current_request",
    "serve",
]

HEAVY = [
    "antiphon.cli",
    "antiphon.serialization.json",
    "antiphon.testing",
    "antiphon.serialization",
    "asyncio",
    "click",
    "dataclasses",
    "email",
    "granian",
    "http.client",
    "inspect",
    "logging",
    "msgspec",
]


def test_are_exactly_these():
    assert antiphon.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_resolve(name):
    assert getattr(antiphon, name).__name__ == name
    assert getattr(antiphon, name).__doc__


def test_come_with_a_star_import_and_nothing_else_does():
    namespace = {}
    exec("from antiphon import *", namespace)
    assert sorted(namespace.keys() - {"__builtins__"}) == sorted(PUBLIC)


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert antiphon.__version__ == version("antiphon")


def test_importing_the_package_loads_nothing_heavy():
    program = "import sys; before = set(sys.modules); import antiphon; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "antiphon.request.request" in loaded
    assert [name for name in HEAVY if name in loaded] == []
