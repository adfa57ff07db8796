"""Assertions of the contract suite are explained by pytest, though its modules are not test modules."""

import pytest

pytest.register_assert_rewrite("tests.contract.suite", "tests.contract.bad_input")
