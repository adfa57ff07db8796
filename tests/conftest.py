"""Settings for all tests."""

import gc
import os

from hypothesis import settings

# Where a change is judged, the examples are the same each time: what fails there was broken by the change.
EXAMPLES = int(os.environ.get("EXAMPLES", "100"))
settings.register_profile("shared machine", deadline=None, max_examples=EXAMPLES)
settings.register_profile("the same each time", deadline=None, max_examples=EXAMPLES, derandomize=True, database=None)
settings.load_profile("the same each time" if os.environ.get("CI") else "shared machine")


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over the tests themselves: many call it, and it would look at all of them."""
    gc.collect()
    gc.freeze()
