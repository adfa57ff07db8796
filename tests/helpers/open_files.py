"""Files that this process has open in a folder."""

import gc
import os
from contextlib import suppress

from tests.helpers.waiting import eventually


def files_in(folder):
    """Return the paths of the open files in a folder, deleted ones included, after a garbage collection."""
    gc.collect()
    return open_in(folder)


def open_in(folder):
    """Return the paths of the open files in a folder, deleted ones included, with those that are left as garbage."""
    paths = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the descriptor of the listing itself
            paths.append(os.readlink(f"/proc/self/fd/{name}"))
    return [path for path in paths if path.startswith(f"{folder}/")]


def is_without_files(folder):
    return eventually(lambda: True if not files_in(folder) else None, f"files in {folder} are still open")
