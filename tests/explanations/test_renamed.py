"""Names that go: they work and warn until a day, and no longer."""

import ast
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

import antiphon
from antiphon.explanations.renamed import Renamed
from antiphon.lazy import import_on_use
from tests.helpers.rows import rows

pytestmark = pytest.mark.once
PACKAGE = Path(antiphon.__file__).parent


class Book:
    title = "Emma"
    name = Renamed("title", since="0.2", until="2999-01-31")
    label = Renamed("print_label", since="0.3", until="2999-01-31")

    def print_label(self):
        return f"<{self.title}>"


@pytest.fixture
def package(monkeypatch):
    """A package in which ``Environ`` is called ``Environment``."""
    module = ModuleType("antiphon.shelf")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    go = {"Environ": Renamed("Environment", since="0.2", until="2999-01-31")}
    module.__all__, module.__getattr__, module.__dir__ = import_on_use(
        module.__name__, {"environment.variables": "Environment"}, go
    )
    return module


@rows(
    "read, value, says",
    [
        (lambda: Book().name, "Emma", "has been called title since Antiphon 0.2, and will be removed on 2999-01-31"),
        (lambda: Book.name, "Emma", "Book.name has been called title since"),
        (lambda: Book().label(), "<Emma>", "Book.label has been called print_label since Antiphon 0.3"),
    ],
)
def test_the_old_name_works_and_warns_where_it_is_read(read, value, says):
    with pytest.warns(DeprecationWarning, match=says) as warned:
        assert read() == value
    assert warned[0].filename == __file__


def test_the_old_name_of_a_package_works_each_time_and_is_not_listed(package):
    for _ in range(2):
        with pytest.warns(DeprecationWarning, match="antiphon.shelf.Environ has been called Environment") as warned:
            assert package.Environ is antiphon.Environment
        assert warned[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="has been called Environment") as warned:
        exec(compile("from antiphon.shelf import Environ", "program.py", "exec"), {})
    assert warned[0].filename == "program.py"
    assert package.__all__ == ["Environment"]


def test_the_new_name_warns_of_nothing(package):
    assert package.Environment is antiphon.Environment


def renamed_in(source):
    """The words with which a module makes old names: each new name, with the version and the day."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Renamed":
            yield node.args[0].value, *(each.value.value for each in node.keywords)


def overdue(source, today):
    return [new for new, _, until in renamed_in(source) if date.fromisoformat(until) <= today]


def test_no_old_name_is_kept_beyond_its_day():
    kept = {str(path): overdue(path.read_text(), date.today()) for path in PACKAGE.rglob("*.py")}
    assert {path: names for path, names in kept.items() if names} == {}


def test_that_would_be_seen():
    source = 'class App:\n    fill = Renamed("provide", since="0.2", until="2027-06-01")\n'
    assert [overdue(source, date(2027, 5, 31)), overdue(source, date(2027, 6, 1))] == [[], ["provide"]]
