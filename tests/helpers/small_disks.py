"""Disks that are soon full."""

import os
import resource
import subprocess
from contextlib import contextmanager

import pytest

ROOM = 1 << 20


@contextmanager
def small_files(room=ROOM):
    """Have this process make no file larger than ``room``, not even that of its output: so print nothing inside."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def small_file_system(kind, folder, room=ROOM):
    """Mount a file system of a MiB or two, or of ``room``; skip the test where that can't be done."""
    disk = folder / "small"
    disk.mkdir()
    commands = [["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", disk]]
    if kind == "ext4":
        image = folder / "disk"
        image.write_bytes(bytes(2 * room))
        commands = [["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", image], ["mount", "-o", "loop", image, disk]]
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    for name in os.listdir(disk):
        os.rmdir(disk / name)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
