"""What several processes of one run of the tests use, and the first that needs it makes."""

import atexit
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path


def _folder() -> Path:
    """Return the folder of this run. A process that was started alone has one of its own."""
    if "TESTS_FOLDER" not in os.environ:
        folder = os.environ["TESTS_FOLDER"] = tempfile.mkdtemp(prefix="tests-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(os.environ["TESTS_FOLDER"])


def made_once(name: str, make: Callable[[], Path]) -> Path:
    """Return the path at which there is what ``make`` returned the path of, in the first process that asked for it."""
    path = _folder() / name
    with (_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            subprocess.run(["mv", make(), path], check=True)  # with its owner, also to another file system
    return path
