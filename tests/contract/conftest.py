"""Makes pytest explain the assertions of the contract suite, which are in the package."""

import pytest

pytest.register_assert_rewrite("antiphon.testing.contract.suite", "antiphon.testing.contract.bad_input")
