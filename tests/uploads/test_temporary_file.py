"""A file without a name: where its room comes from."""

import os

import pytest

from antiphon.uploads.temporary_file import UnnamedFile, file_system, reserves_quickly
from tests.helpers.small_disks import small_files
from tests.uploads.spools import opened_in

pytestmark = pytest.mark.once

MIB = 1 << 20


class TestReserving:
    def test_takes_room_from_the_disk_before_anything_is_written(self, tmp_path):
        if file_system(tmp_path) != "ext4":
            pytest.skip("temporary files are not on ext4 here")
        file = UnnamedFile(tmp_path)
        file.reserve(MIB)
        assert opened_in(tmp_path).st_blocks * 512 == MIB
        assert file.size == 0

    def test_leaves_what_is_written_as_it_is(self, tmp_path):
        file = UnnamedFile(tmp_path)
        for number in range(3):
            file.reserve(1000)
            file.append([bytes([number]) * 600])
        assert file.size == 1800
        assert file.read_at(0, 1800) == b"\0" * 600 + b"\1" * 600 + b"\2" * 600

    def test_is_an_error_where_there_is_no_room(self, tmp_path):
        if not reserves_quickly(os.fspath(tmp_path)):
            pytest.skip("room is not reserved here")
        file = UnnamedFile(tmp_path)
        with small_files(), pytest.raises(OSError, match="too large"):
            file.reserve(2 * MIB)

    @pytest.mark.processes
    def test_is_left_where_it_saves_nothing(self, small_disk, request):
        kind = request.node.callspec.params["small_disk"]
        assert reserves_quickly(os.fspath(small_disk)) is (kind == "ext4")
