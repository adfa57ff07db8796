"""A new file that is at its path when it is complete, and never before."""

import os
from collections.abc import Callable
from contextlib import suppress
from errno import EEXIST, EISDIR
from stat import S_ISDIR, S_ISLNK, S_ISREG

from antiphon.uploads.no_room import no_room_is_507

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_link: Callable[[str, str], None] | None = getattr(os, "link", None)


def save(path: str, fill: Callable[[int], None], *, overwrite: bool = False) -> None:
    """Make the file at ``path`` of what ``fill`` writes to the descriptor that it is given.

    It gets the permissions that ``open`` would give it. Until it's complete it has another, hidden name in the same
    folder, and it leaves none if that fails. What is at the path stays, unless it is to ``overwrite`` it: then a file
    is replaced in one step, and of a link the link and not what it leads to, but no folder, device, pipe or socket. It
    is not synchronised with the disk.

    Raises FileExistsError, InsufficientStorage (507) when the disk is full, other OSErrors, and what ``fill`` raises.
    """
    _check_free(path, overwrite)
    hidden = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}.part")
    with no_room_is_507():
        descriptor = os.open(hidden, _FLAGS, 0o666)
        try:
            try:
                fill(descriptor)
            finally:
                os.close(descriptor)
            if overwrite:
                os.replace(hidden, path)
            else:
                give_name(hidden, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(hidden)
            raise


def give_name(hidden: str, path: str, link: Callable[[str, str], None] | None = _link) -> None:
    """Give a file its final name, if nothing has that. Of several who do so at once, one succeeds.

    Where a file system knows no links, the name is taken by an empty file for a moment. Raises FileExistsError.
    """
    if os.name == "nt":
        os.rename(hidden, path)
        return
    try:
        if link is None:
            raise NotImplementedError
        link(hidden, path)
    except FileExistsError:
        raise _exists(path) from None
    except (OSError, NotImplementedError):
        os.close(os.open(path, _FLAGS, 0o666))
        try:
            os.replace(hidden, path)
        except BaseException:
            os.unlink(path)
            raise
    else:
        os.unlink(hidden)


def _check_free(path: str, overwrite: bool) -> None:
    """Raise FileExistsError, or IsADirectoryError, where there is what must stay."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):  # nothing is there, or no file can be made there either
        return
    if not overwrite:
        raise _exists(path)
    if not (S_ISREG(mode) or S_ISLNK(mode)):
        raise OSError(EISDIR if S_ISDIR(mode) else EEXIST, "only files and links are overwritten", path)


def _exists(path: str) -> FileExistsError:
    return FileExistsError(EEXIST, "there is a file already, which is not to be overwritten", path)
