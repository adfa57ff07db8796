"""Settings for all tests."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers import combinations, quick, skips

# Where a change is judged, the examples are the same each time: what fails there was broken by the change.
EXAMPLES = int(os.environ.get("EXAMPLES", "100"))
settings.register_profile("shared machine", deadline=None, max_examples=EXAMPLES)
settings.register_profile("the same each time", deadline=None, max_examples=EXAMPLES, derandomize=True, database=None)
settings.load_profile("the same each time" if os.environ.get("CI") else "shared machine")


@pytest.fixture(scope="module", autouse=True)
def _only_new_objects_are_garbage() -> None:
    """Have the garbage collector pass over what was there before a module: many tests call it."""
    gc.collect()
    gc.freeze()


TESTS = Path(__file__).parent
ONCE = {TESTS / name for name in ("body", "browser", "dialects", "http", "oracles", "uploads")}
"""What stands on values and names that no version of Python changes: it is tested on the newest one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of these tests."""
    combinations.add_option(parser)
    quick.add_option(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is tested once, and choose what runs."""
    for item in items:
        if not ONCE.isdisjoint(item.path.parents):
            item.add_marker(pytest.mark.once)
    combinations.thin(config, items)
    quick.select(config, items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Judge what was skipped."""
    skips.fail_for_unlisted(session)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was skipped."""
    skips.tell_unlisted(terminalreporter)
