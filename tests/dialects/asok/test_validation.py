"""Asok's rules, beside Asok's own; schemas; and rules of a project."""

import datetime
import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from antiphon.dialects.asok import Field, Schema, Validator
from antiphon.dialects.asok.validation.validator import OWN_RULES
from tests.dialects.asok import beside_forms, beside_rules
from tests.helpers.rows import rows


@pytest.fixture(autouse=True)
def _no_more_rules(monkeypatch):
    for name in [*OWN_RULES]:
        monkeypatch.delitem(OWN_RULES, name)
    yield
    OWN_RULES.clear()


@pytest.mark.processes
@rows("table", [beside_rules, beside_forms], ids=["rules", "forms"])
def test_all_is_as_asok_says(table):
    """Thousands of texts, definitions and submissions: what is valid, the messages, the data, the inputs."""
    command = [sys.executable, "-m", table.__name__, "asok"]
    theirs = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    ours = table.answers("antiphon.dialects.asok")
    assert {case: said for case, said in ours.items() if said != theirs[case]} == {}
    assert ours.keys() == theirs.keys()


@rows(
    "rules, message",
    ("unique:User,email", "of f needs the models of Asok's ORM"),
    ("regex:(", r"the rule 'regex:\(' has an invalid pattern"),
    ("min", "the rule 'min' needs an argument"),
    ("nothing", "f has the rule 'nothing', which does not exist; the rules are"),
    ("size:much", "the rule 'size:much' needs a number of bytes, as in 'size:2M'"),
)
def test_a_rule_that_is_written_wrongly_says_how_to_write_it(rules, message):
    with pytest.raises((ValueError, NotImplementedError), match=message):
        Validator({"f": "x"}).rule("f", rules)


@rows(
    "rules, text, is_right",
    (r"regex:^\d{2}:\d{2}$", "12:34", True),  # Asok ends the pattern at its colon
    (r"regex:^\d{2}:\d{2}$", "12:3", False),
    ("email", "ada@example.com\n", False),  # Asok lets a line end pass
    ("in:a:b,c", "a:b", True),
    (" min:2 ", "x", False),
)
def test_where_rules_are_not_as_asok_reads_them(rules, text, is_right):
    assert Validator({"f": text}).rule("f", rules) is is_right


def test_rules_of_several_fields_are_checked_with_their_own_messages():
    checked = Validator({"age": "7", "name": "x"})
    assert checked.rules({"age": "min:1"})
    assert not checked.rules({"age": "min:1", "name": ("min:2", {"min": "Longer!"})})
    assert checked.errors == {"name": "Longer!"}


@rows("value", [None, 7, 4.5, True])
def test_values_of_json_are_checked_as_they_are_written(value):
    checked = Validator({"f": value})
    checked.rule("f", "min:1")
    assert bool(checked.errors) is (value is None)


HOSTILE = ("a@" + "a" * 1998, "a" * 1999 + "@", "1-" * 99, "a." * 999, "(" * 1999, "A1!" * 300_000, "[" * 900_000)


@rows("rules", [rule for rule in beside_rules.RULES if ":" not in rule])
def test_no_text_takes_long(rules):
    before = time.thread_time()
    for text in HOSTILE:
        Validator({"field": text}).rule("field", rules)
    assert time.thread_time() - before < 20  # it takes milliseconds; what backtracks takes minutes


class Person(Schema):
    name = Field.String(max_length=9)
    born = Field.Date()


class Author(Person):
    books = Field.Integer()


def test_a_schema_writes_and_reads_the_names_that_it_has():
    ada = SimpleNamespace(name="Ada", born=datetime.date(1815, 12, 10), secret="x")
    assert Person().dump(ada) == {"name": "Ada", "born": "1815-12-10"}
    assert Author(many=True).dump([{"name": "Ada"}]) == [{"name": "Ada", "born": None, "books": None}]
    assert Person(many=True).load([{"name": "Ada", "secret": "x"}]) == [{"name": "Ada", "born": None}]
    with pytest.raises(TypeError, match=r"Person\.load needs a dict, not str"):
        Person().load("Ada")
    assert Person().request is None
