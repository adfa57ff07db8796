"""An application that a function makes, and one that is looked for in the folder."""

import sys

import pytest

from antiphon.cli.errors import BadCommand
from antiphon.cli.target import Target, find

APP = "from antiphon import App\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A function that writes files into the current directory. The modules among them are forgotten at the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    known = set(sys.modules)

    def write(**files):
        for name, text in files.items():
            path = tmp_path.joinpath(*name.split("/")).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    yield write
    for name in {*sys.modules} - known:
        if not name.startswith("antiphon"):
            del sys.modules[name]


MADE = {
    "create_app": APP + "def create_app(): return App(redirect_slashes=True)",
    "App()": APP + "def create_app(**config): return App()",
    "create_app()": APP + "def create_app(): return App(redirect_slashes=True)",
    "factories.small": APP + "class factories:\n    @staticmethod\n    def small(debug=False, name='x'): return App()",
    "main": APP
    + "def main(global_config, **settings): return App() if (global_config, settings) == ({}, {}) else None",
    "main()": APP + "def main(global_conf, **app_conf): return App()",
    "application()": "from functools import partial\n" + APP + "application = partial(App, redirect_slashes=True)",
}


@pytest.mark.parametrize("name", MADE)
def test_a_function_without_arguments_makes_the_application(folder, name):
    from antiphon import App

    folder(shop=MADE[name])
    target = Target.parse(f"shop:{name}")
    assert isinstance(target.load(None), App)
    assert str(target) == f"shop:{name}"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("create_app", "def create_app(): return {}", ["shop:create_app returned an object that is of type dict"]),
        ("create_app", "async def create_app(): ...", ["create_app", "is async", "a plain def"]),
        ("create_app", "def create_app():\n    raise KeyError('database')", ["shop.py, line 2: raise", "'database'"]),
        ("create_app", "def create_app():\n    exit(3)", ["shop.py, line 2", "SystemExit(3)"]),
        ("main()", "def main(global_config, other, **settings): ...", ["shop:main()", "needs arguments"]),
        ("create_app()", "def create_app(config): ...", ["shop:create_app()", "needs arguments"]),
        ("create_app", "def create_app(config): ...", ["If create_app(config) makes the application, give its"]),
        ("create_app()", "def create_app(config): ...", ["app = create_app(...), and name shop:app"]),
        ("build", "def build(config): ...", ["If build(config) makes", "defaults", "app = build(...)"]),
        ("create_app()", APP + "create_app = App()", ["shop:create_app()", "needs arguments"]),
        ("create_app()", "create_app = {}", ["shop:create_app()", "is of type dict, not a function"]),
        ("create_app", "def create_app(): return create_app", ["returned an object that is", "without arguments"]),
    ],
)
def test_what_makes_no_application(folder, name, text, words):
    folder(shop=text)
    with pytest.raises(BadCommand) as error:
        Target.parse(f"shop:{name}").load(None)
    for word in words:
        assert word in error.value.message


FOUND = [
    ({"shop": "app = 1"}, "shop:app"),
    ({"shop": "application: object = 1"}, "shop:application"),
    ({"shop": "app, other = 1, 2"}, "shop:app"),
    ({"shop": "def create_app(config=None): ..."}, "shop:create_app"),
    ({"shop": "@to_app\ndef application(request): ..."}, "shop:application"),
    ({"shop": "async def app(scope, receive, send): ..."}, "shop:app"),
    ({"shop": "def create_app(): ...\napp = 1"}, "shop:app"),
    ({"shop": "def make_app(): ...", "other": "app == 1\nif x:\n    app = 2\napp.get\nappend = 1"}, "shop:make_app"),
    ({"shop": "app = 1\nthis is no syntax"}, "shop:app"),
    ({"shop": "app = 1", "wsgi": "from shop import app"}, "shop:app"),
    ({"wsgi": "import os\nfrom shop.web import site as app, other"}, "wsgi:app"),
    ({"shop": "app = 1", "test_shop": "app = 2", "shop_test": "app = 2", "conftest": "app = 2"}, "shop:app"),
    ({"shop/__init__": "app = 1"}, "shop:app"),
    ({"shop/__init__": "", "shop/web": "app = 1", "tests/web": "app = 2"}, "shop.web:app"),
    ({"main": "app = 1", "shop/web": "app = 2"}, "main:app"),
]


@pytest.mark.parametrize(("files", "target"), FOUND)
def test_an_application_is_found_by_its_name_without_an_import(folder, files, target):
    folder(**files)
    assert str(find()) == target


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, ["has no modules"]),
        (
            {"shop": "site = 1", "pages/web": "x = 1"},
            ["app, application, create_app, make_app", "shop.py", "pages/web.py", "Name one as MODULE:APP."],
        ),
        ({"shop": "app = 1", "blog": "create_app = 2"}, ["blog:create_app, shop:app", "name one"]),
        (
            {"shop": "from antiphon import App\ndef build() -> App:\n    return App()\ndef other(x) -> App: ..."},
            ["none was found", "These look like applications: shop:build.", "Name one as shop:build."],
        ),
        ({"shop": "import antiphon\nsite = antiphon.App()"}, ["These look like applications: shop:site."]),
        ({"shop": '"""How to make one:\n\napp = App()\n"""'}, ["none was found"]),
    ],
)
def test_what_was_tried_is_listed(folder, files, words):
    folder(**files)
    with pytest.raises(BadCommand) as error:
        find()
    for word in words:
        assert word in error.value.message
