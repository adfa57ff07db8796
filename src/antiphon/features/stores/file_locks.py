"""File locks, which show processes whether a file is still in use, and a folder for temporary files of this process."""

import os
import shutil
import sys
import tempfile
import time
import weakref
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock

OLD = 24 * 3600.0
"""The number of seconds after which a file counts as abandoned if there are no locks."""


def lock(descriptor: int) -> None:
    """Lock an open file while this process, or one that it has forked, has it open."""
    if sys.platform != "win32":
        with suppress(OSError):  # file systems without locks
            flock(descriptor, LOCK_SH | LOCK_NB)


def is_abandoned(file: Path) -> bool:
    """Return True if no process has the file locked, and False if it no longer exists."""
    try:
        if sys.platform == "win32":
            return file.stat().st_mtime < time.time() - OLD
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return False
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


_PREFIX = "antiphon-bodies-"
_LOCK = "lock"


def temporary_folder(owner: object) -> Path:
    """Make a folder that is removed when its owner is freed, or at the end of the process. Raises OSError."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if is_abandoned(left / _LOCK):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    lock(descriptor)
    weakref.finalize(owner, _remove, folder, descriptor, os.getpid())
    return folder


def _remove(folder: Path, descriptor: int, maker: int) -> None:
    os.close(descriptor)
    if os.getpid() == maker:  # not in a process that it has forked
        shutil.rmtree(folder, ignore_errors=True)
