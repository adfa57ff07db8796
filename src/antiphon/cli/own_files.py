"""Code files of the user's own project, and their paths as the user knows them."""

import os
import re
import sysconfig

import antiphon

ANTIPHON = os.path.join(os.path.dirname(antiphon.__file__), "")
"""The beginning of the paths of this package's files."""
_INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\]")
_STDLIB = os.path.join(sysconfig.get_path("stdlib"), "")


def is_own(path: str) -> bool:
    """Return True for a file of the project: below the current directory, and neither installed nor Antiphon's."""
    if path.startswith(("<", ANTIPHON, _STDLIB)) or _INSTALLED.search(path):
        return False
    here = _here()
    return os.path.abspath(path).startswith(here) or os.path.realpath(path).startswith(os.path.realpath(here) + os.sep)


def _here() -> str:
    try:
        return os.path.join(os.getcwd(), "")
    except FileNotFoundError:  # it was removed
        return os.sep


def shown_path(path: str) -> str:
    """Return a path as people know it: relative to the current directory or the installed packages, or absolute."""
    installed = _INSTALLED.search(path)
    if installed:
        return path[installed.end() :]
    if path.startswith(ANTIPHON):
        return os.path.join("antiphon", path.removeprefix(ANTIPHON))
    return path.removeprefix(_STDLIB).removeprefix(_here())
