"""The stores of runs under test, each on the real thing."""

import threading
from contextlib import ExitStack

import pytest

from tests.features.channels.conftest import opening
from tests.features.stores.conftest import ON_SERVERS
from tests.helpers.waiting import eventually

KINDS = [each for each in ON_SERVERS if each.values[0] not in ("pgbouncer", "sentinel")]
"""The stores on servers. Runs stand on entries and channels, whose contracts hold behind a pooler and Sentinel too."""


@pytest.fixture(params=["memory", "sqlite", *KINDS])
def open_store(request, tmp_path):
    """Open the store, or another one of the same data."""
    with ExitStack() as stack:
        yield opening(stack, request, tmp_path)


@pytest.fixture
def all_end(open_store):
    """Wait until the threads of a test's runs have ended, before their stores are closed."""
    before = {*live_threads()}  # one that does not end fails the test that has left it, and no other
    yield
    eventually(lambda: None if {*live_threads()} - before else True, "runs have not ended")


def live_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("antiphon-run")]
