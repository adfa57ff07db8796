"""What is known of a file system, and said of it once."""

import os
import tempfile

import pytest

from antiphon.uploads.spool import Spool
from antiphon.uploads.temporary_file import file_system, warn_of_memory

pytestmark = pytest.mark.once


@pytest.fixture
def in_memory():
    if not os.path.isdir("/dev/shm"):
        pytest.skip("there is no folder in memory")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield folder


@pytest.fixture
def on_a_disk():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        if file_system(folder) in (None, "tmpfs"):
            pytest.skip("there is no folder on a disk")
        yield folder


class TestTheWarning:
    def test_comes_with_the_first_file_and_then_no_more(self, in_memory, caplog):
        Spool(threshold=5, folder=in_memory).write(b"small")
        assert caplog.messages == []
        for _ in range(3):
            Spool(threshold=5, folder=in_memory).write(b"larger")
        (message,) = caplog.messages
        assert repr(in_memory) in message
        assert "in memory (tmpfs)" in message
        assert "TMPDIR" in message

    def test_does_not_come_for_a_disk(self, on_a_disk, caplog):
        Spool(threshold=0, folder=on_a_disk).write(b"x")
        assert caplog.messages == []

    def test_does_not_come_where_nobody_knows(self, tmp_path, caplog):
        warn_of_memory(os.fspath(tmp_path / "missing"))
        assert caplog.messages == []


class TestTheFileSystem:
    @pytest.mark.processes
    def test_is_the_one_that_was_mounted(self, request, small_disk):
        assert file_system(small_disk) == request.node.callspec.params["small_disk"]

    def test_is_the_one_that_a_link_leads_to(self, in_memory, tmp_path):
        (tmp_path / "link").symlink_to(in_memory)
        assert file_system(tmp_path / "link") == "tmpfs"

    def test_of_nothing_is_unknown(self, tmp_path):
        assert file_system(tmp_path / "missing") is None
