"""The tests that a store of your own must pass, for pytest."""

import pytest

from antiphon.lazy import import_on_use

pytest.register_assert_rewrite(f"{__name__}.entries")

__all__, __getattr__, __dir__ = import_on_use(__name__)
