"""Programs that only the system has, and what becomes of tests without: `make system-packages` installs them."""

import os
import shutil

import pytest

PLACES = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
"""Where programs are; servers are where not every user looks."""


def required_program(name):
    """A fixture of this name: the path of a program.

    Where it is missing, tests that want it are skipped, but fail where a change is judged (``CI`` is set).
    """

    @pytest.fixture(scope="session", name=name)
    def program():
        path = shutil.which(name, path=PLACES)
        if path is None:
            reason = f"{name} is not installed; `make system-packages` installs it where it may"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
        return path

    return program
