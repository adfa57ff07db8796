"""`env`: variables of the environment, as text or as the type that is asked for."""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from antiphon import env
from tests.helpers.rows import rows


@rows(
    "text, read, value",
    ("x", lambda: env("A"), "x"),
    ("", lambda: env("A", "x"), ""),
    ("x", lambda: env["A"], "x"),
    ("x", lambda: ("A" in env, "B" in env), (True, False)),
    (None, lambda: env("A"), None),
    (None, lambda: env("A", "x"), "x"),
    (None, lambda: env("A", cast=int), None),
    (None, lambda: env("A", "auto", cast=int), "auto"),
    ("true", lambda: env("A"), "true"),
    *((text, lambda: env("A", False), True) for text in ("true", "1", "yes", "on", " True ", "YES")),
    *((text, lambda: env("A", True), False) for text in ("false", "0", "no", "off", "False")),
    ("true", lambda: env("A", cast=bool), True),
    ("4", lambda: env("A", 1), 4),
    ("-4 ", lambda: env("A", cast=int), -4),
    ("4", lambda: env("A", 0.5), 4.0),
    ("0.10", lambda: env("A", cast=Decimal), Decimal("0.10")),
    ("/srv", lambda: env("A", cast=Path), Path("/srv")),
    ("a b", lambda: env("A", [], cast=str.split), ["a", "b"]),
    ("4", lambda: env("A", "auto", cast=int), 4),
)
def test_is_text_or_of_the_type_of_the_default_or_what_the_cast_makes(monkeypatch, text, read, value):
    monkeypatch.delenv("A", raising=False)
    if text is not None:
        monkeypatch.setenv("A", text)
    found = read()
    assert (found, type(found)) == (value, type(value))


@rows(
    "text, read, error, words",
    (None, lambda: env["A"], KeyError, ["A", "not set", "env('A', default)"]),
    ("s3cret", lambda: env("A", 1), ValueError, ["A", "whole number"]),
    ("", lambda: env("A", cast=int), ValueError, ["A", "whole number", "it is empty"]),
    ("s3cret", lambda: env("A", False), ValueError, ["A", "true or false"]),
    ("s3cret", lambda: env("A", cast=float), ValueError, ["A", "a number"]),
    ("s3cret", lambda: env("A", cast=json.loads), ValueError, ["A", "loads", "JSONDecodeError"]),
    ("s3cret", lambda: env("A", []), TypeError, ["'A'", "list", "cast=str.split"]),
    (None, lambda: env("A", {}), TypeError, ["'A'", "dict", "cast="]),
    ("s3cret", lambda: env("A", cast=list), TypeError, ["'A'", "list", "cast=str.split"]),
    ("s3cret", lambda: env("A", Path()), TypeError, ["'A'", "cast=Path"]),
    ("s3cret", lambda: env("A", cast="int"), TypeError, ["'A'", "'int'", "function"]),
)
def test_a_bad_value_is_named_with_the_fix_and_not_shown(monkeypatch, text, read, error, words):
    monkeypatch.delenv("A", raising=False)
    if text is not None:
        monkeypatch.setenv("A", text)
    with pytest.raises(error) as raised:
        read()
    message = str(raised.value)
    assert [word for word in words if word not in message] == []
    assert "s3cret" not in message
    assert raised.value.__context__ is None  # which would show the value, too


@pytest.fixture
def variables(monkeypatch):
    """Names that no test before this has set, and that are as they were after it."""
    for name in ("A", "B", "C"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return monkeypatch


def test_takes_from_a_file_what_the_environment_has_not(variables, tmp_path):
    variables.setenv("A", "1")
    variables.setenv("B", "")
    (tmp_path / ".env").write_text("A=2\nB=3\nC='4'")
    assert env.load(tmp_path / ".env") is True
    assert (env["A"], env["B"], os.environ["C"]) == ("1", "", "4")
    assert env.load(tmp_path / "none.env") is False


def test_takes_nothing_from_a_file_with_a_mistake(variables, tmp_path):
    (tmp_path / "dev.env").write_text("A=1\nB")
    with pytest.raises(ValueError, match=r"dev\.env, line 2"):
        env.load(tmp_path / "dev.env")
    assert "A" not in env


def test_finds_the_file_beside_the_code_that_asks_for_it(variables, tmp_path):
    (tmp_path / ".env").write_text("A=beside")
    (tmp_path / "other.env").write_text("B=other")
    code = "from antiphon import env\nenv.load()\nenv.load('other.env')"
    exec(code, {"__file__": str(tmp_path / "settings.py")})
    assert (env("A"), env("B")) == ("beside", "other")
    with pytest.raises(ValueError, match="relative"):
        exec(code, {})


def test_a_cast_reads_a_default_that_is_text(monkeypatch):
    monkeypatch.delenv("FOLDER", raising=False)
    assert env("FOLDER", "a.db", cast=Path) == Path("a.db")
    assert env("FOLDER", "a b", cast=str.split) == ["a", "b"]
    assert env("FOLDER", "8000", cast=int) == 8000
    assert env("FOLDER", "a.db", cast=str) == "a.db"
    assert env("FOLDER", None, cast=Path) is None
    assert env("FOLDER", ["a"], cast=str.split) == ["a"]
    assert env("FOLDER", "auto", cast=int) == "auto"
