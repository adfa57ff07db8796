"""Disks that are full."""

import os
import resource
import subprocess

import pytest

from tests.uploads.spools import SPOOLS

ROOM = 1 << 20


@pytest.fixture(params=SPOOLS.values(), ids=SPOOLS)
def make(request):
    """Makes a spool of some bytes."""
    return request.param


@pytest.fixture(params=["tmpfs", "ext4"])
def small_disk(request, tmp_path):
    """A folder on a file system of a MiB or two."""
    folder = tmp_path / "small"
    folder.mkdir()
    commands = [["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", folder]]
    if request.param == "ext4":
        image = tmp_path / "disk"
        image.write_bytes(bytes(2 * ROOM))
        commands = [["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", image], ["mount", "-o", "loop", image, folder]]
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    for name in os.listdir(folder):
        os.rmdir(folder / name)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def small_files():
    """This process can't make a file larger than 1 MiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
