"""The page on other projects' undocumented names lists each that the package uses, and the file that uses it."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from functools import cache
from importlib import import_module
from importlib.metadata import distributions, version
from importlib.util import find_spec
from itertools import chain
from typing import NamedTuple

import pytest
from starlette.requests import Request as StarletteRequest

from antiphon.cli.doctor import _number as number
from antiphon.frameworks.recognition import request_of
from antiphon.serialization.types import translated
from scripts.lowest import ROOT, lowest_versions
from tests.helpers.rows import rows

PACKAGE = ROOT / "src/antiphon"
PAGE = (ROOT / "docs/maintainers/dependencies.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCUMENTED = {"_asdict", "_current_frames", "_exit", "_field_defaults", "_fields", "_make", "_replace", "_thread"}
DOCUMENTED |= {"_async_wrapper"}
"""Names of Python, and of Blinker, that begin with an underscore, and are documented."""
MODULES = """
    aiohttp anyio.from_thread asgiref.sync babel babel.messages.mofile babel.messages.pofile blinker bottle click
    click.core click.testing croniter cryptography cryptography.exceptions cryptography.hazmat.primitives
    cryptography.hazmat.primitives.asymmetric cryptography.hazmat.primitives.asymmetric.ec
    cryptography.hazmat.primitives.asymmetric.ed25519 cryptography.hazmat.primitives.asymmetric.padding
    cryptography.hazmat.primitives.asymmetric.rsa cryptography.hazmat.primitives.asymmetric.utils
    cryptography.hazmat.primitives.ciphers.aead cryptography.hazmat.primitives.hashes dbos django.conf
    django.contrib.auth django.contrib.auth.middleware django.contrib.messages django.contrib.messages.middleware
    django.contrib.sessions.exceptions django.contrib.sessions.middleware django.core.exceptions django.core.handlers.wsgi
    django.core.signals django.db
    django.db.backends.signals django.http django.middleware.csrf django.urls django.utils.safestring falcon.asgi granian.constants
    granian.http granian.rsgi hypothesis itsdangerous itsdangerous.encoding jinja2 jinja2.ext jinja2.nodes joserfc
    joserfc.errors joserfc.jwk litestar litestar.response litestar.template.base markdown_it markupsafe
    msgspec msgspec.json multidict opentelemetry opentelemetry.metrics opentelemetry.trace plaster
    plaster_pastedeploy psycopg psycopg.conninfo psycopg.errors psycopg.pq psycopg.rows pydantic pydantic.errors
    pydantic.json_schema pydantic_core pyramid.csrf pyramid.interfaces pytest redis redis.asyncio redis.backoff redis.exceptions
    rest_framework.renderers rest_framework.views sanic
    sanic.response sqlalchemy sqlalchemy.engine sqlalchemy.exc sqlalchemy.orm starlette.background starlette.concurrency
    starlette.responses time_machine
    tornado.iostream tornado.routing tornado.web translationstring typing_extensions uvicorn venusian watchfiles webauthn
    webauthn.helpers webauthn.helpers.exceptions webauthn.helpers.structs webob wsproto.events zope.component
    zope.interface zope.interface.adapter zope.interface.interface zope.interface.interfaces zope.interface.registry
"""
"""The modules of other projects that the package imports, and that are documented there."""
OURS = {"_asok_priority", "_authtkt_reissue_revoked", "_authtkt_reissued", "_on_update", "_route_options"}
"""Names that we give to attributes of objects, outside of their classes."""
CHAPTERS = ("frameworks/", "adapters/servers/granian.py")
"""Where objects of other projects are handled: what is read from one is foreign, though we also have such a name."""
GIVEN = {"given", "morsel", "server", "worker", "task"}
"""How these objects are named there."""

SHARED = {"_body", "_form", "_receive"}
"""Names of their attributes that are also names of ours."""


class Row(NamedTuple):
    """A row of the table of undocumented names."""

    project: str
    names: set[str]
    files: set[str]
    oldest: str
    newest: str


def _code(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def _rows() -> list[Row]:
    table = PAGE.partition("## The undocumented names")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    return [
        Row(project, _code(names), _code(files), *(tested.split(" to ") if " to " in tested else ("", "")))
        for project, names, files, tested, _, _ in rows
    ]


ROWS = _rows()


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name.isidentifier() and name.strip("_") != ""


@pytest.fixture(scope="module", autouse=True)
def _free_trees():
    """Free the trees of the whole package after the tests of this file: they take 200 MB."""
    yield
    _trees.cache_clear()


@cache
def _used() -> set[tuple[str, str]]:
    """Return the private names of other projects that the package uses, each with the file."""
    return {(name, file) for file, tree in _trees().items() for name in private_names(file, tree)}


@cache
def _trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def _own_names() -> set[str]:
    """Return the names that the package gives to attributes, functions, classes and variables of its own."""
    own = set()
    for tree in _trees().values():
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    own.add(name)
                case ast.arg(arg=name):
                    own.add(name)
                case ast.Attribute(value=ast.Name("self" | "cls"), attr=name, ctx=ast.Store()) | ast.Name(
                    name, ast.Store()
                ):
                    own.add(name)
                case ast.Assign(targets=[ast.Name("__slots__")], value=slots):
                    own.update(each.value for each in ast.walk(slots) if isinstance(each, ast.Constant))
    return own | DOCUMENTED | OURS


def _imports(tree: ast.Module) -> dict[str, str]:
    """Return what a module imports from other projects by the name that it gets: ``module`` or ``module.name``."""
    found = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                found |= {(each.asname or each.name): each.name for each in names}
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found |= {(each.asname or each.name): f"{module}.{each.name}" for each in names}
    ours = ("antiphon", "__future__", "_typeshed")  # the last one is for type checkers
    return {name: where for name, where in found.items() if where.partition(".")[0] not in ours}


def private_names(file: str, tree: ast.Module) -> set[str]:
    """Return the names with an underscore that a module imports or reads from other projects, or overrides there."""
    imported = _imports(tree)
    found = {part for where in imported.values() for part in where.split(".")} - DOCUMENTED
    is_chapter = file.startswith(CHAPTERS)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(receiver), attr=name) if is_chapter and receiver in GIVEN:
                found |= {name} - DOCUMENTED
            case ast.Attribute(attr=name):
                found |= {name} - _own_names()
            case ast.keyword(arg=str(name)):
                found |= {name} - _own_names()
            case ast.Call(func=ast.Name("getattr" | "hasattr"), args=[_, ast.Constant(str(name)), *_]):
                found |= {name} - _own_names()
            case ast.Constant(str(name)) if is_chapter:
                found |= {name} - (_own_names() - SHARED)
            case ast.ClassDef(bases=bases, body=body):
                bases = [imported[base.id] for base in bases if isinstance(base, ast.Name) and base.id in imported]
                found |= {each.name for each in body if isinstance(each, ast.FunctionDef) and _is_in(bases, each.name)}
    return set(filter(_is_private, found))


def _is_in(bases: list[str], name: str) -> bool:
    """Return True if a class of another project has a private name."""
    if not _is_private(name):
        return False
    here = [base.rpartition(".") for base in bases if find_spec(base.partition(".")[0])]
    return any(hasattr(getattr(import_module(module), cls), name) for module, _, cls in here)


def test_each_private_name_has_a_row_with_its_file():
    told = {(part, file) for row in ROWS for name in row.names for part in name.split(".") for file in row.files}
    assert _used() - told == set()


def test_no_row_names_what_is_not_used():
    used = defaultdict(set)
    for name, file in _used():
        used[name].add(file)
    sources = {file: (PACKAGE / file).read_text() for row in ROWS for file in row.files}
    for row in ROWS:
        for name in row.names:
            last = re.findall(r"\w+", name)[-1]
            assert not _is_private(last) or last.startswith("_handle") or used[last] & row.files, name
            assert any(re.search(rf"\b{last}\b", sources[file]) for file in row.files), name


@rows(
    "code, names",
    ("from click._compat import WIN", {"_compat"}),
    ("import jinja2._identifier", {"_identifier"}),
    ("from jinja2.compiler import _make_finalize as made", {"_make_finalize"}),
    ("import msgspec\nmsgspec.inspect._is_class", {"_is_class"}),
    ("def f(task): return task._num_cancels", {"_num_cancels"}),
    ("getattr(task, '_must_cancel', None)", {"_must_cancel"}),
    ("from jinja2 import Environment\nclass Mine(Environment):\n    def _parse(self): ...", {"_parse"}),
    ("from jinja2 import Environment\nclass Mine(Environment):\n    def _read_own_things(self): ...", set()),
    ("import sys\nsys.exit()", set()),
)
def test_a_new_private_name_is_found(code, names):
    assert private_names("app/new.py", ast.parse(code)) == names


def test_each_module_of_other_projects_is_listed():
    """A module that is new here has to be put among the documented ones, or get a row."""
    from sys import stdlib_module_names

    used = set()
    for tree in _trees().values():
        for node in ast.walk(tree):
            match node:
                case ast.Import(names):
                    used |= {each.name for each in names}
                case ast.ImportFrom(module=str(module), level=0):
                    used.add(module)
    ours = {"antiphon", "_typeshed", "annotationlib", *stdlib_module_names}  # annotationlib is of Python 3.14
    used = {each for each in used if each.partition(".")[0] not in ours}
    listed = {*MODULES.split()} | {name for row in ROWS for name in row.names}
    assert used - listed == set()


@rows("row", ROWS, ids=lambda row: f"{row.project} {min(row.names)}")
def test_the_tested_versions_are_those_that_are_installed(row):
    """A framework that is newer than its row may have changed: the row is read again, and then changed."""
    if row.project == "Python":
        assert PROJECT["requires-python"] == f">={row.oldest}"
        assert f"Programming Language :: Python :: {row.newest}" in PROJECT["classifiers"]
    elif row.newest:
        installed = [number(each.version) for each in distributions(name=row.project)]  # none, if this Python can't
        newest = number(row.newest)
        assert [each for each in installed if not number(row.oldest) <= each or each[: len(newest)] > newest] == []
        assert number(lowest_versions().get(row.project, row.oldest)) == number(row.oldest)


def test_the_bounds_are_those_of_the_project():
    table = PAGE.partition("## Upper bounds")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `([\w.-]+)` \| `<([\d.]+)` \|", table, re.MULTILINE))
    required = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    bounds = dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?>=[\d.]+,<([\d.]+)", "\n".join(required), re.MULTILINE))
    assert told == bounds
    capped = {re.match(r"[\w.-]+", each)[0] for each in required if ",<" in each}
    without = {re.match(r"[\w.-]+", each)[0] for each in required if ",<" not in each}
    assert capped & without == set()


SILENT = {
    "jinja2.compiler.CodeGenerator._output_child_pre": ("jinja2", "antiphon.features.templates.environment"),
    "jinja2.environment.Environment._parse": ("jinja2", "antiphon.dialects.asok.templating.environment"),
    "zope.interface.registry.Components._init_registries": ("zope.interface", "antiphon.dialects.pyramid.registry"),
}
"""Names of classes whose absence nothing else would show, with their package and our module that finds it out."""


@pytest.mark.processes
@pytest.mark.parametrize("name", SILENT)
def test_the_absence_of_an_overridden_name_is_found_at_import(name):
    place, _, attribute = name.rpartition(".")
    module, _, cls = place.rpartition(".")
    package, ours = SILENT[name]
    code = f"import {ours.rpartition('.')[0]}\nfrom {module} import {cls}\ndel {cls}.{attribute}\nimport {ours}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"but {package} {version(package)} is installed, which has no " in done.stderr
    assert f"{cls}.{attribute}. Install a version that has it: pip install '{package}==" in done.stderr


@pytest.mark.processes
def test_a_client_of_sentinel_that_may_keep_late_answers_is_found_at_import():
    code = (
        "import redis.sentinel\n"
        "class SentinelManagedConnection:\n    def read_response(self): ...\n"
        "redis.sentinel.SentinelManagedConnection.read_response = SentinelManagedConnection.read_response\n"
        "import antiphon.features.stores.valkey.sentinel"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "SentinelManagedConnection.read_response.disconnect_on_error. Install a version" in done.stderr


def test_a_msgspec_without_its_translator_is_named(monkeypatch):
    monkeypatch.delattr("msgspec.inspect._Translator")
    with pytest.raises(ImportError, match=r"which has no msgspec\.inspect\._Translator\. Install a version"):
        translated(int)


def test_a_request_of_a_framework_without_an_attribute_is_named():
    given = StarletteRequest({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})
    assert request_of(given).path == "/"
    del given._stream_consumed
    with pytest.raises(ImportError, match=r"no starlette\.requests\.Request\(\)\._stream_consumed\. Install"):
        request_of(given)
