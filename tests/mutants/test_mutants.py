"""The mutants of the table can be applied."""

import ast

import pytest

from tests.mutants.table import ROOT, mutants


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.breaks)
def test_a_mutant_changes_what_is_there_once_to_what_can_be_read(mutant):
    assert ast.parse(mutant.applied())
    assert [path for path in mutant.tests if not (ROOT / path).exists()] == []
