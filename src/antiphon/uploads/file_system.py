"""What is known of the file system on which large bodies are kept: it may be slow to find room, or save no memory."""

import os
from functools import cache

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_RESERVES_QUICKLY = frozenset({"ext4", "overlay"})
_MOUNTS = "/proc/self/mountinfo"


@cache
def warn_of_memory(folder: str) -> None:
    """Log a warning, once, where a folder's files are in memory, as far as the system tells."""
    if (kind := file_system(folder)) not in _IN_MEMORY:
        return
    import logging

    logging.getLogger("antiphon").warning(
        "large request bodies are written to %r, which is in memory (%s): name a folder on a disk, as by TMPDIR",
        folder,
        kind,
    )


@cache
def reserves_quickly(folder: str) -> bool:
    """Whether files grow in less time when room for what is written is reserved before.

    On ext4 that saves a quarter; what is above ext4 in containers is like it. XFS and Btrfs need as long either way,
    and file systems that can't do it have the C library write to every block, which takes three times as long.
    """
    return hasattr(os, "posix_fallocate") and file_system(folder) in _RESERVES_QUICKLY


def file_system(folder: str) -> str | None:
    """The kind of the file system that a folder is on, such as "ext4"; None where that can't be told."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as mounts:
            device = os.stat(folder).st_dev
            number = f"{os.major(device)}:{os.minor(device)}"
            for line in mounts:
                mount, _, described = line.partition(" - ")
                if mount.split(" ", 3)[2] == number:
                    return described.partition(" ")[0]
    except OSError:
        pass
    return None
