"""The contract of the stores that keep entries on the server, each on the real thing."""

import subprocess
import sys
import time

import pytest

from antiphon.testing.stores import StoreTests
from antiphon.testing.stores.entries import WRITERS

pytestmark = pytest.mark.usefixtures("kept")  # each test runs with each of the stores: they are its subject


class TestEachStore(StoreTests):
    @pytest.mark.processes
    @pytest.mark.parametrize(
        "kept", ["sqlite", "postgres", "valkey", pytest.param("cluster", marks=pytest.mark.once)], indirect=True
    )
    def test_in_processes_lose_nothing(self, kept, where, tmp_path):
        command = [sys.executable, "-m", "tests.features.stores.writers", where, f"{tmp_path}:"]
        subprocess.run([*command, str(WRITERS)], check=True, timeout=60)
        kept.clock.now = time.time()
        assert kept.open().load("key").data == self.TestManyWriters.EXPECTED
