"""What is said of paths in the file system, wherever one is given."""

import os
from errno import ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

NOT_THERE = frozenset({ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG})
"""The errors for a path at which nothing is."""


def absolute_path(path: str | os.PathLike[str]) -> str:
    """The path as text. Raises TypeError for one in bytes, ValueError for a relative one."""
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"a path is text, not {type(text).__name__}")
    if not os.path.isabs(text):
        raise ValueError(
            f"{text!r} is relative, to a directory that nobody chose: say which, as in Path(__file__).parent / {text!r}"
        )
    return text
