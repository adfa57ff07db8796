"""A process that drains, as one module hears of it: fixtures for tests of what ends then."""

import pytest

from antiphon.concurrency.process import Announcement


def draining_for(*modules, name="DRAINING"):
    """Return a fixture of the announcement that the process drains, or another one, which these modules alone hear."""

    @pytest.fixture
    def draining(monkeypatch):
        news = Announcement()
        for module in modules:
            monkeypatch.setattr(module, name, news)
        return news

    return draining
