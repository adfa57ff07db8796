"""Code that says which dependencies it reads, in ``__reads__``: installed packages, features, functions and classes."""

import re
import shutil
import sys
from functools import wraps
from itertools import count
from pathlib import Path

import pytest

from antiphon import App, Dependency
from antiphon.features import Cache, MemoryStore, RateLimit
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

EXAMPLES = Path(__file__).parents[2] / "examples"
DATABASE = Dependency[str]("database")

HOOK = "def check(request):\n    pass\n"
READS = "from tests.app.test_declared_reads import DATABASE\ndef check(request):\n    request[DATABASE]\n"
HIDES = "def check(request):\n    getattr(request, 'method')\n"
OBJECT = "class Check:\n    {}\n    def __call__(self, request):\n        getattr(request, 'method')\ncheck = Check()\n"
WRAPS = "from tests.app.test_declared_reads import reading\ndef check(request):\n    pass\n"
CALLS = "from tests.app.test_declared_reads import fetch\n"


def fetch(request):
    return request[DATABASE]


def reading(function):
    return wraps(function)(lambda request: function(fetch(request)))


def opened_by(hook, handler=lambda request: "hi"):
    """Return whether a request opens the database, which its own handler doesn't read."""
    app, opened = App(), []

    async def connect(request):
        opened.append(request)
        return "open"

    app.provide(DATABASE, connect)
    app.before_request(hook)
    app.get("/")(handler)
    assert Client(app, "asgi").get("/").status == 200
    return bool(opened)


NUMBERS = count()


def hook_in(folder, text, monkeypatch):
    """Return the hook of a module that is written into a folder."""
    name = f"checking_{next(NUMBERS)}"
    folder.mkdir()
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(folder)
    return __import__(name).check


@rows(
    "text, is_opened",
    (HOOK, True),
    ("__reads__ = ()\n" + HOOK, False),
    ("__reads__ = 'named'\n" + HOOK, False),
    ("__reads__ = 'named'\n" + HIDES, False),
    ("__reads__ = 'named'\n" + READS, True),
    ("__reads__ = 'anything'\n" + HOOK, True),
    ("__reads__ = 'nothing'\n" + HOOK, True),
    ("__reads__ = []\n" + HOOK, True),
    (READS + "__reads__ = (DATABASE,)\n", True),
    (HIDES + CALLS + "__reads__ = (fetch,)\n", True),
    (HIDES + "check.__reads__ = ()\n", False),
    ("__reads__ = 'anything'\n" + HIDES + "check.__reads__ = ()\n", False),
    (OBJECT.format(""), True),
    (OBJECT.format("__reads__ = ()"), False),
    (OBJECT.format("__reads__ = property(lambda self: ())"), False),
    (OBJECT.format("__reads__ = property(lambda self: 1 / 0)"), True),
)
def test_an_installed_hook_opens_a_dependency_unless_it_says_that_it_does_not_read_it(
    tmp_path, monkeypatch, text, is_opened
):
    assert opened_by(hook_in(tmp_path / "site-packages", text, monkeypatch)) == is_opened


@rows(
    "text, is_opened",
    (HOOK, False),
    (HIDES, True),
    (READS, True),
    ("__reads__ = 'named'\n" + HIDES, False),
    (WRAPS + "check.__reads__ = ()\ncheck = reading(check)", True),
)
def test_an_applications_own_hook_is_followed_even_if_it_says_nothing(tmp_path, monkeypatch, text, is_opened):
    assert opened_by(hook_in(tmp_path / "own", text, monkeypatch)) == is_opened


def copied(feature, folder, name):
    """Return a feature's class from a copy of its module or package under another name, in the application's folder."""
    original = Path(sys.modules[feature.__module__].__file__)
    parts = feature.__module__.split(".")
    if len(parts) > 3:  # of a package, which says it for all its modules
        shutil.copytree(original.parent, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for file in (folder / name).glob("*.py"):
            file.write_text(file.read_text().replace(".".join(parts[:3]), name))
        __import__(f"{name}.{parts[-1]}")
        return getattr(sys.modules[f"{name}.{parts[-1]}"], feature.__name__)
    (folder / f"{name}.py").write_text(f'{original.read_text()}\n__reads__ = "named"\n')
    return getattr(__import__(name), feature.__name__)


@rows("feature, options", (Cache, ()), (RateLimit, ("9/minute",)))
@rows("is_copy", [False, True])
def test_a_copy_of_a_feature_under_another_name_opens_no_more_than_the_original(
    feature, options, is_copy, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"copied_{feature.__name__.lower()}"
    used = copied(feature, tmp_path, name) if is_copy else feature
    app, opened = App(store=MemoryStore()), []

    async def connect(request):
        opened.append(request)

    app.provide(DATABASE, connect)
    app.use(used(*options))
    app.get("/")(lambda request: "hi")
    assert Client(app, "asgi").get("/").status == 200
    assert opened == []


@rows(
    "package, use",
    ("feature_flags/antiphon_flags", lambda made, folder: made.Flags("dark", folder=folder)),
    ("maintenance/antiphon_maintenance", lambda made, folder: made.Maintenance()),
)
def test_a_package_that_is_shown_in_the_documents_opens_nothing(package, use, tmp_path, monkeypatch):
    name = Path(package).name
    shutil.copytree(EXAMPLES / package, tmp_path / "site-packages" / name)
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    monkeypatch.delitem(sys.modules, name, raising=False)
    app, opened = App(store=MemoryStore(), secret_keys=["k" * 32]), []

    async def connect(request):
        opened.append(request)

    app.provide(DATABASE, connect)
    app.use(use(__import__(name), tmp_path))
    app.get("/")(lambda request: "hi")
    assert Client(app, "asgi").get("/").status == 200
    assert opened == []


def test_a_wrong_declaration_is_opened_late_or_an_error_that_names_the_line(caplog):
    app = App()

    async def connect(request):
        return "open"

    def declared(request):
        return request[DATABASE]

    declared.__reads__ = ()
    app.provide(DATABASE, connect)
    app.get("/def")(declared)

    @app.get("/async")
    async def handler(request):
        return declared(request)

    client = Client(app, "asgi")
    assert (client.get("/def").text, client.get("/async").status) == ("open", 500)
    line = declared.__code__.co_firstlineno + 1
    assert re.search(rf"'database' is not resolved, but read at {re.escape(__file__)}:{line}:.*__reads__", caplog.text)
