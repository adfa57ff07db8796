"""Disks that are full."""

import resource

import pytest

from tests.helpers.small_disks import ROOM, small_file_system
from tests.uploads.spools import SPOOLS


@pytest.fixture(params=SPOOLS.values(), ids=SPOOLS)
def make(request):
    """Makes a spool of some bytes."""
    return request.param


@pytest.fixture(params=["tmpfs", "ext4"])
def small_disk(request, tmp_path):
    """A folder on a file system of a MiB or two."""
    with small_file_system(request.param, tmp_path) as folder:
        yield folder


@pytest.fixture
def small_files():
    """This process can't make a file larger than 1 MiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
