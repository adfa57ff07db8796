"""Paths in the file system, as options take them."""

import os
from errno import ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

NOT_THERE = frozenset({ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG})
"""Errors for a path that does not exist."""


def absolute_path(path: str | os.PathLike[str]) -> str:
    """Return a path as text. Raises TypeError for a path in bytes, ValueError for a relative one."""
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"a path is text, not {type(text).__name__}")
    if not os.path.isabs(text):
        raise ValueError(
            f"{text!r} is relative, to a directory that nobody chose: say which, as in Path(__file__).parent / {text!r}"
        )
    return text
