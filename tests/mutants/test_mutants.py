"""Mutants can be applied."""

import ast

from tests.helpers.rows import rows
from tests.mutants.random_mutants import changes, random_mutants, random_mutants_of
from tests.mutants.table import LEAST, ROOT, SOURCE, mutants, rooms
from tests.pairs.__main__ import mutants as pairs_mutants

MUTANTS = mutants() + [mutant for _, mutant in pairs_mutants()]


@rows("mutant", MUTANTS, ids=lambda mutant: mutant.breaks)
def test_a_mutant_changes_what_is_there_once_to_what_can_be_read(mutant):
    assert ast.parse(mutant.applied())
    assert [path for path in mutant.tests if not (ROOT / path).exists()] == []


def test_mutants_at_random_change_one_place_of_many_folders_and_have_tests():
    made = random_mutants(60, seed=1)
    assert made == random_mutants(60, seed=1)
    assert len({each.file for each in made}) == 60
    assert len({each.file.partition("/")[0] for each in made}) > 8
    for each in made:
        assert ast.dump(ast.parse(each.applied())) != ast.dump(ast.parse((SOURCE / each.file).read_bytes()))
        assert [path for path in each.tests if not (ROOT / path).exists()] == []


def test_what_may_change(tmp_path):
    code = "def f(a: 'b < 1') -> 'c':\n    g(a)\n    x = a < 10\n    if not a and x:\n        return [a, True]\n"
    (tmp_path / "code.py").write_text(code)
    found = {each.new for each in changes(tmp_path / "code.py", tmp_path)}
    assert found == {"pass", "(a <= 10)", "11", "(not a or x)", "bool(a)", "return None", "False"}


def test_mutants_of_a_folder_are_all_of_it():
    made = random_mutants_of("features/tables", 20, seed=1)
    assert (len({*made}), {each.file.rpartition("/")[0] for each in made}) == (20, {"features/tables"})


def test_folders_whose_cheap_tests_notice_little_are_listed_until_they_notice_more():
    for room, noticed in rooms().items():
        assert [folder for folder in (SOURCE / room, ROOT / "tests" / room) if not folder.is_dir()] == []
        assert 0 < noticed < LEAST
