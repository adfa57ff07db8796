"""Disks that are full."""

import pytest

from tests.helpers.small_disks import small_file_system
from tests.uploads.spools import SPOOLS


@pytest.fixture(params=SPOOLS.values(), ids=SPOOLS)
def make(request):
    return request.param


@pytest.fixture(params=["tmpfs", "ext4"])
def small_disk(request, tmp_path):
    """A folder on a file system of a MiB or two."""
    with small_file_system(request.param, tmp_path) as folder:
        yield folder
