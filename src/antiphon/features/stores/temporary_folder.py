"""A folder for temporary files of this process, which goes with it; those of killed processes go with the next one."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path

from antiphon.features.stores.file_locks import is_abandoned, lock

_PREFIX = "antiphon-bodies-"
_LOCK = "lock"


def temporary_folder(owner: object) -> Path:
    """Make a folder that goes when its owner is freed, or at the end of the process. Raises OSError."""
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
