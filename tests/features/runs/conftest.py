"""The stores of runs under test, each on the real thing."""

import threading

import pytest

from tests.features.channels.conftest import open_store
from tests.helpers.waiting import eventually

__all__ = ["open_store"]


@pytest.fixture
def all_end(open_store):
    """Wait until the threads of a test's runs have ended, before their stores are closed."""
    before = {*live_threads()}  # one that does not end fails the test that has left it, and no other
    yield
    eventually(lambda: None if {*live_threads()} - before else True, "runs have not ended")


def live_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("antiphon-run")]
