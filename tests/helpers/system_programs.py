"""Programs that only the system has, and what becomes of tests without: `make system-packages` installs them."""

import glob
import inspect
import os
import shutil

import pytest

SERVERS = "/usr/local/sbin", "/usr/sbin", "/sbin", *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
"""Folders of servers, which are not on every user's PATH."""

PLACES = os.environ.get("PROGRAMS") or os.pathsep.join([os.environ.get("PATH", os.defpath), *SERVERS])
"""The folders of programs; ``scripts/test-without-programs`` names one without those that tests ask for."""


MISSING = "is not installed; `make system-packages` installs it where it may"
_names = set()


def keep_asking(items):
    """Keep the tests that ask for a program, or for a fixture while they run, which may do so; where all are hidden."""
    if os.environ.get("PROGRAMS"):
        items[:] = filter(_asks, items)


def _asks(item):
    makers = [
        fixture.func for name in item.fixturenames for fixture in item._fixtureinfo.name2fixturedefs.get(name, ())
    ]
    codes = [inspect.unwrap(function).__code__ for function in (item.obj, *makers)]
    return bool(_names & {*item.fixturenames}) or any("getfixturevalue" in code.co_names for code in codes)


def path_of(*names):
    """Return the path of the first of these programs that there is, or None."""
    return next(filter(None, (shutil.which(each, path=PLACES) for each in names)), None)


def required_program(name, *others):
    """Return a fixture of this name, whose value is the path of a program, or of another one that does as well.

    Tests that need a missing program are skipped, but fail in CI (``CI`` is set) unless none are to be installed there
    (``SYSTEM_PACKAGES=no``): .ci/run says at its beginning what is missing, and fails at its end.
    """
    _names.add(name)

    @pytest.fixture(scope="session", name=name)
    def program():
        path = path_of(name, *others)
        return path or lack(name)

    return program


def lack(name):
    """Skip a test for lack of a program, or fail it."""
    fails = os.environ.get("CI") and os.environ.get("SYSTEM_PACKAGES") != "no"
    (pytest.fail if fails else pytest.skip)(f"{name} {MISSING}")
