"""File system paths passed as options."""

import os
import sys
from errno import ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
from types import FrameType

from antiphon.explanations import errors_name_it, explained

NOT_THERE = frozenset({ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG})
"""Errors for a path that does not exist."""


def absolute_path(path: str | os.PathLike[str]) -> str:
    """Return a path as text. Raises TypeError for a path in bytes, ValueError for a relative one."""
    text = os.fspath(path)
    if not isinstance(text, str):
        raise explained("relative-folder", f"a path must be text, not {type(text).__name__}", TypeError)
    if not os.path.isabs(text):
        raise explained(
            "relative-folder",
            f"{text!r} is a relative path, and it is not clear what it is relative to: write, for example,"
            f" Path(__file__).parent / {text!r}",
        )
    return text


def caller_file() -> str | None:
    """Return the file of the code that called the caller of this function; None if that code is not in a file."""
    return _file_of(sys._getframe(2))  # noqa: SLF001 - there is no public name


def _file_of(frame: FrameType) -> str | None:
    if (
        frame.f_globals is errors_name_it.__globals__ and frame.f_back is not None
    ):  # wrappers around feature constructors
        frame = frame.f_back
    file: str | None = frame.f_globals.get("__file__")
    return file


def folders_beside(*folders: str | os.PathLike[str]) -> list[str]:
    """Return the absolute paths of folders; a relative one is resolved against the folder of the file of the code that
    called the caller of this function. Raises ValueError for a missing folder.
    """
    file = _file_of(sys._getframe(2))  # noqa: SLF001 - there is no public name
    return [path_beside(file, each, is_folder=True) for each in folders]


def path_beside(file: str | None, path: str | os.PathLike[str], *, is_folder: bool = False) -> str:
    """Return the absolute path of a file or folder; a relative path is resolved against the folder of ``file``.

    Raises ValueError for a relative path if ``file`` is None, and for a missing folder if ``is_folder``.
    """
    beside = "" if file is None else os.path.dirname(os.path.abspath(file))
    found = os.path.normpath(absolute_path(os.path.join(beside, os.fspath(path))))
    if is_folder and not os.path.isdir(found):
        raise explained("missing-folder", f"there is no folder {found!r}")
    return found
