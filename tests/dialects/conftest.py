"""Dialects stand on public names of the layers below, which are tested on each Python: they are tested on one."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the dialects."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.once)
