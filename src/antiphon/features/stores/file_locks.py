"""File locks, which show other processes that a file is in use, and a folder for this process's temporary files."""

import os
import shutil
import sys
import tempfile
import time
import weakref
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock

OLD = 24 * 3600.0
"""The number of seconds after which a file is considered abandoned if the file system has no locks."""


def lock(descriptor: int) -> None:
    """Lock an open file for as long as this process, or a process forked from it, has the file open."""
    if sys.platform != "win32":
        with suppress(OSError):  # file systems without locks
            flock(descriptor, LOCK_SH | LOCK_NB)


def lock_alone(descriptor: int) -> bool:
    """Lock an open file, unless it is locked elsewhere. Return True if it is now locked, or can't be."""
    if sys.platform != "win32":
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # file systems without locks
            pass
    return True


def unlock(descriptor: int) -> None:
    """Release the lock of an open file, if it has one."""
    if sys.platform != "win32":
        with suppress(OSError):
            flock(descriptor, LOCK_UN)


def is_abandoned(file: Path) -> bool:
    """Return True if no process has locked the file, and False if the file no longer exists."""
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
    """Create a folder that is removed when its owner is freed or the process ends. Raises OSError."""
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
    if os.getpid() == maker:  # not in a forked process
        shutil.rmtree(folder, ignore_errors=True)
