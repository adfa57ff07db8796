import sys

import pytest

from antiphon.cli.errors import BadCommand
from antiphon.cli.target import Target
from tests.helpers.rows import rows


@rows(
    "text, example",
        ("shop", "shop:app"), ("shop:", "shop:app"), ("shop.py", "shop:app"), ("shop.py:web", "shop:web"),
        ("./src/shop.py:web", "src.shop:web"), (":app", "shop:app"), ("shop:create_app(1)", "shop:app"),
        ("shop:a:b", "shop:app"), ("http://localhost", "shop:app"), ("shop-1:app", "shop:app"),
        ("", "shop:app"),
)  # fmt: skip
def test_what_is_none_is_told_with_an_example_that_is(text, example):
    with pytest.raises(BadCommand) as error:
        Target.parse(text)
    assert repr(text) in error.value.message
    assert f"such as {example}." in error.value.message
    Target.parse(example)


def test_the_current_directory_comes_first(tmp_path, monkeypatch):
    for folder, reply in (("here", 1), ("elsewhere", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "found_here.py").write_text(f"def app(environ, start_response, reply={reply}): ...\n")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "elsewhere"), *sys.path])
    app = Target("found_here", "app").load(None)
    del sys.modules["found_here"]
    assert app.__defaults__ == (1,)


@rows(
    "source, target, words",
    (None, "target_of_tests:app", ["No module named 'target_of_tests'", "(the current directory)"]),
    ("1 / 0", "target_of_tests:app", ["'target_of_tests' was found, but its import failed", "ZeroDivisionError"]),
    ("import missing_one", "target_of_tests:app", ["its import failed", "missing_one"]),
    ("raise SystemExit(2)", "target_of_tests:app", ["its import failed", "SystemExit"]),
    ("site = 1", "target_of_tests:app", ["no 'app' in the module", "Nothing in it looks like an application"]),
    (
        "from antiphon import App\nsite = App()",
        "target_of_tests:app",
        ["no 'app' in the module", "These look like applications: target_of_tests:site."],
    ),
    (
        "from antiphon import App, env\ndef build() -> App:\n    return App()",
        "target_of_tests:app",
        ["no 'app' in the module", "These look like applications: target_of_tests:build."],
    ),
    ("from antiphon import env", "target_of_tests:env", ["is antiphon.env, not an application"]),
    ("app = 1", "target_of_tests:app", ["target_of_tests:app", "Nothing in it looks like an application"]),
    (
        "from antiphon import App\napp = App()\napp.get('/')(lambda request: '')\napp.get('/')(lambda request: '')",
        "target_of_tests:app",
        ["target_of_tests:app can't be served: "],
    ),
    (
        "from antiphon import App\nclass Late(App):\n  def _freeze(self):\n    import missing_one\napp = Late()",
        "target_of_tests:app",
        ["target_of_tests:app was found, but can't be served:", ", line 4: import missing_one", "ModuleNotFound"],
    ),
    (
        "from antiphon import App\nclass Late(App):\n  def _freeze(self):\n    int('one')\napp = Late()",
        "target_of_tests:app",
        ["target_of_tests:app was found, but can't be served:", ", line 4: int('one')", "ValueError"],
    ),
    ids=[
        "no module",
        "fails",
        "imports",
        "exits",
        "no name",
        "another name",
        "factory",
        "ours",
        "no app",
        "twice",
        "late",
        "late value",
    ],
)
def test_an_application_that_cannot_be_had_is_told_with_the_reason(tmp_path, monkeypatch, source, target, words):
    if source is not None:
        (tmp_path / "target_of_tests.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "target_of_tests", raising=False)
    with pytest.raises(BadCommand) as error:
        Target.parse(target).load(None)
    sys.modules.pop("target_of_tests", None)
    assert [word for word in words if word not in error.value.message] == []
