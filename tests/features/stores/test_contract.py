"""The contract of the stores that keep entries on the server, each on the real thing."""

import pytest

from antiphon.testing.stores import StoreTests

pytestmark = pytest.mark.usefixtures("kept")  # each test runs with each of the stores: they are its subject


class TestEachStore(StoreTests):
    """All of them are inherited."""
