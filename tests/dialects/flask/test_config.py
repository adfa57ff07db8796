"""The configuration: each way to fill it, beside Flask's."""

import json
import tomllib

import pytest
from flask import config as theirs

from antiphon.dialects.flask import config as ours
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

SECRET_KEY = "the module's"

ENVIRONMENT = {
    "FLASK_NUMBER": "5", "FLASK_TRUE": "true", "FLASK_TEXT": "five", "FLASK_BROKEN": "{", "FLASK_LIST": "[1, 2]",
    "FLASK_DICT": '{"A": {"b": 1}}', "FLASK_DICT__A__c": "2", "FLASK_NEW__a__B": "null", "FLASK_NEW__": "1",
    "FLASK_lower": "1", "FLASK_": "empty", "FLASKER": "no", "OTHER_KEY": "yes", "OTHER_A__B": "x5",
}  # fmt: skip


class Base:
    A = 1
    a = 2

    @property
    def B(self):
        return 3


class Derived(Base):
    A = 4
    C_1 = 5


WAYS = {
    "an object by its name": lambda config: config.from_object(__name__),
    "an attribute by its name": lambda config: config.from_object(f"{__name__}.Derived"),
    "a class": lambda config: config.from_object(Base),
    "an object": lambda config: config.from_object(Derived()),
    "a Python file": lambda config: config.from_pyfile("config.py"),
    "a Python file by a variable": lambda config: config.from_envvar("NAMES_A_FILE"),
    "JSON": lambda config: config.from_file("config.json", load=json.load),
    "TOML": lambda config: config.from_file("config.toml", load=tomllib.load, text=False),
    "a part of a mapping": lambda config: [
        config.from_mapping({"A": 1, "A_B": 2, "A_C_D": 3, "B": 4}),
        config.get_namespace("A_"),
        config.get_namespace("A_", lowercase=False),
        config.get_namespace("A_", trim_namespace=False),
    ],
    "a mapping": lambda config: config.from_mapping({"A": 1, "b": 2}, C=3, d=4),
    "pairs": lambda config: config.from_mapping([("A", 1), ("b", 2)]),
    "both": lambda config: config.from_mapping({"A": 1}, A=2),
    "nothing": lambda config: config.from_mapping(),
    "the environment": lambda config: config.from_prefixed_env(),
    "the environment, by another prefix": lambda config: config.from_prefixed_env("OTHER"),
    "the environment, by another reader": lambda config: config.from_prefixed_env("OTHER", loads=str.upper),
    "a missing Python file, silently": lambda config: config.from_pyfile("missing.py", silent=True),
    "a file below a file, silently": lambda config: config.from_pyfile("config.py/x", silent=True),
    "a missing file, silently": lambda config: config.from_file("missing", load=json.load, silent=True),
    "a missing variable, silently": lambda config: config.from_envvar("MISSING", silent=True),
    "a folder, silently": lambda config: config.from_file(".", load=json.load, silent=True),
}
FAILURES = {
    "a missing Python file": lambda config: config.from_pyfile("missing.py"),
    "a missing file": lambda config: config.from_file("missing", load=json.load),
    "a folder": lambda config: config.from_pyfile("."),
    "a file below a file": lambda config: config.from_file("config.py/x", load=json.load, silent=True),
    "a variable that names none": lambda config: config.from_envvar("NAMES_NO_FILE"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "config.py").write_text("A = 1\nb = 2\nHERE = __file__\nNAME = __name__\n")
    (tmp_path / "config.json").write_text('{"A": 1, "b": 2, "C": {"d": [3]}}')
    (tmp_path / "config.toml").write_text("A = 1\nb = 2\n[TABLE]\nc = 3\n")
    monkeypatch.setenv("NAMES_A_FILE", "config.py")
    monkeypatch.setenv("NAMES_NO_FILE", "missing.py")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@rows("way", WAYS)
def test_is_filled_as_by_flask(way, folder):
    filled = {}
    for module in (ours, theirs):
        config = module.Config(folder, {"DEFAULT": 0})
        filled[module] = WAYS[way](config), dict(config)
    assert filled[ours] == filled[theirs]


@rows("way", FAILURES)
def test_a_file_that_can_not_be_read_is_named(way, folder):
    errors = []
    for module in (ours, theirs):
        with pytest.raises(OSError, match="Unable to load configuration file") as raised:
            FAILURES[way](module.Config(folder))
        errors.append((raised.value.errno, raised.value.filename))
    assert errors[0] == errors[1]


def test_a_way_through_what_is_no_dict_names_the_variable(folder, monkeypatch):
    monkeypatch.setenv("FLASK_NUMBER__X", "1")
    with pytest.raises(TypeError, match="FLASK_NUMBER__X can't be set: 'NUMBER' must be a dict, not int"):
        ours.Config(folder).from_prefixed_env()


def test_is_shown():
    assert repr(ours.Config(".", {"A": 1})) == repr(theirs.Config(".", {"A": 1}))


@rows("module", [ours, theirs])
def test_an_attribute_reads_and_writes_one_value(module):
    class Application:
        plain = module.ConfigAttribute("PLAIN")
        doubled = module.ConfigAttribute("DOUBLED", get_converter=lambda value: 2 * value)

        def __init__(self):
            self.config = module.Config(".", {"PLAIN": 1, "DOUBLED": 2})

    application = Application()
    assert (application.plain, application.doubled) == (1, 4)
    application.doubled = 5
    assert (application.config["DOUBLED"], application.doubled) == (5, 10)
    assert Application.plain.__name__ == "PLAIN"
