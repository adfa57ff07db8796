"""Paths in the file system, as options take them."""

import os
import sys
from errno import ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

from antiphon.explanations import explained

NOT_THERE = frozenset({ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG})
"""Errors for a path that does not exist."""


def absolute_path(path: str | os.PathLike[str]) -> str:
    """Return a path as text. Raises TypeError for a path in bytes, ValueError for a relative one."""
    text = os.fspath(path)
    if not isinstance(text, str):
        raise explained("relative-folder", TypeError(f"a path is text, not {type(text).__name__}"))
    if not os.path.isabs(text):
        raise explained(
            "relative-folder",
            ValueError(
                f"{text!r} is relative, to a directory that nobody chose: say which, as in Path(__file__).parent /"
                f" {text!r}"
            ),
        )
    return text


def caller_file() -> str | None:
    """Return the file of the code that calls the function that calls this; None if it is in no file."""
    file: str | None = sys._getframe(2).f_globals.get("__file__")  # noqa: SLF001 - it has no other name
    return file


def path_beside(file: str | None, path: str | os.PathLike[str]) -> str:
    """Return the absolute path of a file or a folder; a relative one is beside a file.

    Raises ValueError for a relative one beside no file.
    """
    beside = "" if file is None else os.path.dirname(os.path.abspath(file))
    return os.path.normpath(absolute_path(os.path.join(beside, os.fspath(path))))


def folder_beside(file: str | None, path: str | os.PathLike[str]) -> str:
    """Return the absolute path of a folder; a relative one is beside a file.

    Raises ValueError for a missing folder, and for a relative one beside no file.
    """
    folder = path_beside(file, path)
    if not os.path.isdir(folder):
        raise explained("missing-folder", ValueError(f"there is no folder {folder!r}"))
    return folder
