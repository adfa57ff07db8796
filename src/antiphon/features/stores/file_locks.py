"""File locks, which show processes whether a file is still in use or was left by a killed process."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock

OLD = 24 * 3600.0
"""Seconds after which a file counts as abandoned if there are no locks."""


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
