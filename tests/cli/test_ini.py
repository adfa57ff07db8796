"""A target that is a file of settings, which describes an application as PasteDeploy reads it."""

import logging
import sys

import pytest

from antiphon.cli.errors import BadCommand
from antiphon.cli.target import Target

pytestmark = pytest.mark.once

SHOP = """
from antiphon import App

def main(global_config, **settings):
    app = App()
    app.get("/")(lambda request: f"{settings} {sorted(global_config)}")
    return app

def fails(global_config, **settings):
    raise LookupError(settings["database"])

def nothing(global_config, **settings):
    return 1
"""
INI = """
[app:main]
paste.app_factory = shop_of_ini:main
greeting = hello from %(here)s

[app:admin]
paste.app_factory = shop_of_ini:main
greeting = admin

[app:broken]
paste.app_factory = shop_of_ini:fails
database = lost.db

[app:nothing]
paste.app_factory = shop_of_ini:nothing
"""
LOGGING = """
[loggers]
keys = root, shop_of_ini
[handlers]
keys =
[formatters]
keys =
[logger_root]
handlers =
[logger_shop_of_ini]
level = ERROR
qualname = shop_of_ini
handlers =
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "shop_of_ini.py").write_text(SHOP)
    (tmp_path / "development.ini").write_text(INI)
    yield tmp_path
    sys.modules.pop("shop_of_ini", None)


@pytest.mark.parametrize(
    ("text", "greeting"), [("development.ini", "hello from "), ("./development.ini#admin", "admin")]
)
def test_an_application_that_a_file_describes(folder, text, greeting):
    from antiphon.testing import Client

    target = Target.parse(text)
    assert (str(target), isinstance(target, Target)) == (text, True)
    answer = Client(target.load(None)).get("/").text
    assert answer.startswith(f"{{'greeting': '{greeting}")
    assert answer.endswith("['__file__', 'here']")


def test_loggers_are_set_up_as_the_file_says(folder, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [*logging.getLogger().handlers])
    monkeypatch.setattr(logging.getLogger("shop_of_ini"), "level", logging.NOTSET)
    (folder / "development.ini").write_text(INI + LOGGING)
    Target.parse("development.ini").load(None)
    assert logging.getLogger("shop_of_ini").level == logging.ERROR


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("production.ini", ["no file 'production.ini' in "]),
        ("development.ini#shop", ["development.ini#shop was read, but its application can't be made", "shop"]),
        ("development.ini#broken", ["its application can't be made", "shop_of_ini.py, line 10: raise", "lost.db"]),
        ("development.ini#nothing", ["development.ini#nothing describes an object that is of type int"]),
    ],
)
def test_a_file_that_describes_none_is_told_with_the_reason(folder, text, words):
    with pytest.raises(BadCommand) as error:
        Target.parse(text).load(None)
    assert [word for word in words if word not in error.value.message] == []


def test_plaster_is_asked_for_where_it_is_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "plaster_pastedeploy", None)
    with pytest.raises(BadCommand) as error:
        Target.parse("development.ini").load(None)
    assert "pip install 'antiphon[pyramid]'" in error.value.message
