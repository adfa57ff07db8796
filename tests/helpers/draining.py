"""A process that drains, as one module hears of it: fixtures for tests of what ends then."""

import pytest

from antiphon.concurrency.process import Announcement


def draining_for(module):
    """Return a fixture of the announcement that the process drains, which this module alone hears."""

    @pytest.fixture
    def draining(monkeypatch):
        news = Announcement()
        monkeypatch.setattr(module, "DRAINING", news)
        return news

    return draining
