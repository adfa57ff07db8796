"""Programs that only the system has, and what becomes of tests without: `make system-packages` installs them."""

import os
import shutil

import pytest

PLACES = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
"""The folders of programs; servers are in some that are not on every user's PATH."""


def required_program(name, *others):
    """Return a fixture of this name, whose value is the path of a program, or of another one that does as well.

    Tests that need a missing program are skipped, but fail in CI (``CI`` is set).
    """

    @pytest.fixture(scope="session", name=name)
    def program():
        path = next(filter(None, (shutil.which(each, path=PLACES) for each in (name, *others))), None)
        if path is None:
            reason = f"{name} is not installed; `make system-packages` installs it where it may"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
        return path

    return program
