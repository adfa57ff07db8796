"""Imports of an original's name that find a dialect, each in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.rows import rows

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.processes

PROVIDER = {
    "choir-2.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: choir\nVersion: 2.5\n",
    "choir-2.5.dist-info/entry_points.txt": (
        "[antiphon.dialects]\nlute = choir.lute\nshawm = choir.shawm\nshawm.lute = choir.shawm.lute\n"
        "viol = choir.viol\n"
        "[antiphon.dialect_distributions]\nPyShawm-Reeds = shawm\n"
    ),
    "choir/__init__.py": "",
    "choir/lute/__init__.py": (
        "__version__ = '7.1'\nfrom choir.lute.strings import plucked\nfrom choir.lute.tuning import tuning\n"
    ),
    "choir/lute/__main__.py": "import sys\nprint('played as', __name__, sys.argv[1:])\n",
    "choir/lute/strings.py": "print('strings are loaded')\nplucked = True\n",
    "choir/lute/tuning.py": "class tuning:\n    pass\n",
    "choir/lute/frets/__init__.py": "",
    "choir/lute/frets/gut.py": "import no_such_module\n",
    "choir/lute/frets/tied.py": "from lute.strings import plucked\n",
    "choir/shawm/__init__.py": "",
    "choir/viol/__init__.py": "__version__ = '3'\n__distribution__ = 'viol.py'\nprint('the viol is loaded')\n",
    "choir/shawm/lute/__init__.py": "",
    "choir/shawm/lute/strings.py": "plucked = False\n",
}
"""A distribution with two dialects: one for `lute`, and one for `shawm` that stands for a part of `lute` too."""

ORIGINAL = {
    "lute-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Lute\nVersion: 1.0\nRequires-Dist: gut\n",
    "lute/__init__.py": "print('the original is loaded')\n",
    "lute/strings.py": "print('the original is loaded')\n",
    "lute/pegs.py": "print('the original is loaded')\n",
}

INSTALL = "from antiphon.dialect_imports import TooLate, UnknownDialect, install, known_dialects\n"


@pytest.fixture
def folders(tmp_path):
    """Folders with the distribution `choir`: one has `lute` itself beside it, and one has not."""
    both = {tmp_path / "with the original": PROVIDER | ORIGINAL, tmp_path / "without the original": PROVIDER}
    for folder, files in both.items():
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    return [*both]


@pytest.fixture
def python(folders):
    """Runs a program in each folder; returns what it prints, which is the same in all of them."""

    def run(program: str, folders=folders) -> str:
        [printed] = {printed_in(folder, program) for folder in folders}
        return printed

    return run


def printed_in(folder, program):
    command = [sys.executable, "-W", "error", "-c", INSTALL + program]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


SERVING = ("antiphon.adapters.servers.embedded", "asyncio", "logging", "ssl", "tempfile")
UNUSED = {
    "flask": ("Flask, request", ("asyncio", "logging", "msgspec", "ssl")),
    "microdot": ("Microdot, Request, Response", (*SERVING, "difflib", "msgspec")),
    "webob": ("Request, Response", (*SERVING[:-1], "antiphon.adapters.asgi", "antiphon.request.request", "msgspec")),
    "werkzeug": ("Request, Response", ("antiphon.adapters.asgi", "antiphon.request.request", "asyncio", "msgspec")),
}
"""What the first line of an application imports of a dialect, and what that leaves for later."""


@pytest.mark.processes
@rows("dialect", UNUSED)
def test_a_dialect_loads_what_serves_and_json_when_they_are_used(dialect):
    names, unused = UNUSED[dialect]
    program = f"import sys; from antiphon.dialects.{dialect} import {names}; print(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    loaded = finished.stdout.split()
    assert f"antiphon.dialects.{dialect}" in loaded
    assert [name for name in unused if name in loaded] == []


@rows(
    "imports",
    pytest.param("import lute.strings, choir.lute.strings", id="the original's name first"),
    pytest.param("import choir.lute.strings, lute.strings", id="the dialect's name first"),
    pytest.param("import lute.frets.tied, lute.strings, choir.lute.frets.tied", id="imported by a dialect"),
    pytest.param("install('lute'); import lute.strings", id="installed twice"),
)
def test_a_module_is_one_under_both_names_and_loaded_once(python, imports):
    program = (
        f"import sys; install('lute'); {imports}\n"
        "assert sys.modules['lute'] is sys.modules['choir.lute']\n"
        "assert sys.modules['lute.strings'] is sys.modules['choir.lute.strings'] is lute.strings\n"
        "assert (lute.strings.__name__, lute.strings.__spec__.name) == ('lute.strings', 'choir.lute.strings')\n"
        "assert lute.__spec__.submodule_search_locations == list(lute.__path__)\n"
        "assert len({finder for finder in sys.meta_path if 'StandIn' in type(finder).__name__}) == 1"
    )
    assert python(program) == "strings are loaded"


@rows(
    "imports",
    pytest.param("import lute", id="the package"),
    pytest.param("import lute.tuning", id="the module"),
    pytest.param("import choir.lute, lute", id="the dialect's name first"),
    pytest.param("import lute.frets.tied, choir.lute.tuning", id="both names"),
)
def test_a_class_named_like_its_module_stays_what_the_package_has(python, imports):
    program = (
        f"import sys; install('lute'); {imports}\n"
        "assert isinstance(lute.tuning, type) and sys.modules['lute.tuning'].tuning is lute.tuning\n"
        "from lute import tuning; assert tuning is lute.tuning is sys.modules['choir.lute'].tuning"
    )
    assert python(program) == "strings are loaded"


@rows("module", ["lute", "lute.__main__"])
def test_a_package_is_run_as_a_program_as_by_python_m(python, module):
    program = (
        f"import runpy, sys; install('lute'); sys.argv[1:] = ['loud']\n"
        f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    assert python(program).splitlines()[-1] == "played as __main__ ['loud']"


def test_a_module_can_be_loaded_again_by_itself(python):
    program = "import importlib, sys; install('lute'); import lute.strings; importlib.reload(lute.strings)"
    assert python(program).splitlines() == ["strings are loaded"] * 2


def test_nothing_is_imported_before_it_is_asked_for(python):
    assert python("import sys; install('lute'); print([name for name in sys.modules if 'choir' in name])") == "[]"


def test_what_the_dialect_lacks_is_said_to_lack_and_is_not_taken_from_the_original(python):
    program = (
        "install('lute')\n"
        "try:\n"
        "    import lute.pegs\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error.name, error, sep=': ')"
    )
    assert python(program).splitlines() == [
        "strings are loaded",
        "lute.pegs: choir's lute dialect has no module lute.pegs: see the documentation of choir",
    ]


def test_an_error_inside_a_module_is_its_own(python):
    program = (
        "install('lute')\ntry:\n    import lute.frets.gut\nexcept ModuleNotFoundError as error:\n    print(error.name)"
    )
    assert python(program).endswith("no_such_module")


def test_an_error_of_the_package_that_a_dialect_is_in_is_its_own(python, folders):
    for folder in folders:
        (folder / "choir/__init__.py").write_text("import no_such_module\n")
    program = "install('lute')\ntry:\n    import lute\nexcept ModuleNotFoundError as error:\n    print(error.name)"
    assert python(program) == "no_such_module"


def test_a_dialect_may_stand_for_a_part_and_leave_the_rest_to_the_namesake(python):
    program = (
        "install('shawm')\n"
        "import shawm, lute.strings, lute.frets\n"
        "print(*(each.__spec__.name for each in (shawm, lute, lute.strings, lute.frets)))"
    )
    assert python(program).splitlines()[-1] == "choir.shawm choir.shawm.lute choir.shawm.lute.strings choir.lute.frets"


@rows("order, plucked", [pytest.param("'lute', 'shawm'", True), pytest.param("'shawm', 'lute'", False)])
def test_of_two_dialects_for_the_same_the_first_is_found(python, order, plucked):
    assert python(f"install({order}); import lute.strings; print(lute.strings.plucked)").endswith(str(plucked))


def test_metadata_is_that_of_the_dialect(python):
    program = (
        "import sys; install('lute')\n"
        "from importlib.metadata import distribution, distributions, entry_points, requires, version\n"
        "found = distribution('LUTE')\n"
        "assert 'lute' not in [each.name for each in distributions()]\n"  # as for `pip list`
        "assert entry_points(group='console_scripts')\n"
        "assert 'choir.lute' not in sys.modules\n"
        "print(version('Lute'), requires('lute'), found.metadata['Summary'], found.files)"
    )
    assert python(program).splitlines()[-1] == "7.1 ['choir'] choir's lute dialect None"


def test_a_package_without_a_version_has_that_of_its_distribution(python):
    program = "install('shawm'); from importlib.metadata import version; print(version('pyshawm_reeds'))"
    assert python(program) == "2.5"


def test_a_distribution_has_the_name_that_its_dialect_declares(python):
    program = (
        "install('lute', 'shawm'); from importlib.metadata import *\n"
        "import lute, shawm; names = [each.name for each in distributions()]\n"
        "print(*names[:2], distribution('PyShawm.Reeds').read_text('top_level.txt').strip(), 'shawm' in names)"
    )
    assert python(program).splitlines()[-1] == "lute PyShawm-Reeds shawm False"


def test_a_dialect_says_the_name_of_its_distribution_without_being_imported(python):
    program = (
        "install('viol'); from importlib.metadata import *\n"
        "print(distribution('viol.py').name); print(version('viol.py'))"
    )
    assert python(program).splitlines() == ["viol.py", "the viol is loaded", "3"]


def test_other_imports_and_metadata_stay_as_they_are(python):
    program = (
        "install('lute')\n"
        "import importlib.util, importlib.metadata\n"
        "assert importlib.util.find_spec('lutetia') is None\n"
        "try:\n"
        "    importlib.metadata.version('lutetia')\n"
        "except importlib.metadata.PackageNotFoundError:\n"
        "    print(importlib.metadata.version('choir'))"
    )
    assert python(program) == "2.5"


def test_unknown_dialects_are_refused_with_those_that_are_known(python):
    program = (
        "import sys; before = list(sys.meta_path)\n"
        "try:\n"
        "    install('lute', 'sackbut')\n"
        "except UnknownDialect as error:\n"
        "    print(error)\n"
        "assert sys.meta_path == before and 'lute' in known_dialects()"
    )
    message = python(program)
    assert message.startswith("There is no dialect 'sackbut'. Known dialects: ")
    assert {"lute", "shawm", "werkzeug"} <= set(message.removesuffix(".").partition("dialects: ")[2].split(", "))


def test_a_dialect_comes_too_late_when_the_original_is_imported(python, folders):
    program = (
        "import lute, sys; before = list(sys.meta_path)\n"
        "try:\n"
        "    install('lute')\n"
        "except TooLate as error:\n"
        "    print(error)\n"
        "assert sys.meta_path == before"
    )
    assert "lute was imported from the original, " in python(program, folders[:1])


def test_a_dialect_that_is_imported_by_its_own_name_is_not_too_late(python):
    assert python("import choir.lute; install('lute'); import lute; assert lute is choir.lute") == "strings are loaded"


def test_a_dialect_is_installed_when_python_starts_by_the_file_that_the_page_shows(tmp_path):
    page = (ROOT / "docs/how-to/run-on-a-dialect.md").read_text()
    [line] = re.findall(r'^import .*install\("flask"\)$', page, re.MULTILINE)
    (tmp_path / "dialect.pth").write_text(line.replace("flask", "microdot"))
    (tmp_path / "microdot.py").write_text("")
    program = f"import site; site.addsitedir({str(tmp_path)!r}); import microdot; print(microdot.__package__)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "antiphon.dialects.microdot"


HOOKS = """
import importlib.util, sys
from importlib.abc import Loader, MetaPathFinder

class Hook(MetaPathFinder, Loader):
    "An import hook as agents have it: it goes by the name of the module that another finder has found."
    def find_spec(self, name, path=None, target=None):
        if name in WANTED and not WANTED[name]:
            WANTED[name] = "looked for"
            spec = importlib.util.find_spec(name)
            self.loader, spec.loader = spec.loader, self
            return spec
    def create_module(self, spec):
        return self.loader.create_module(spec)
    def exec_module(self, module):
        self.loader.exec_module(module)
        WANTED[module.__name__] = "imported"

WANTED = {"lute.strings": ""}
"""


@rows("order", ["sys.meta_path.insert(0, Hook()); install('lute')", "install('lute'); sys.meta_path.insert(0, Hook())"])
@rows("module", ["lute.strings", "lute", "choir.lute"])
def test_import_hooks_find_a_replaced_module_by_its_name(python, order, module):
    """Even if only the dialect itself imports it, by its own name."""
    assert python(f"{HOOKS}\n{order}\nimport {module}\nprint(WANTED)").endswith("{'lute.strings': 'imported'}")


CODE = {
    "werkzeug": ("werkzeug.debug.console", """
import sys, werkzeug.wrappers
from importlib.metadata import version
from werkzeug import Client, MultiDict, Request, redirect, url_quote
from werkzeug.middleware.proxy_fix import ProxyFix
assert sys.modules["werkzeug.wrappers"] is sys.modules["antiphon.dialects.werkzeug.wrappers"]
assert Request is werkzeug.wrappers.Request and redirect is werkzeug.utils.redirect
assert version("werkzeug") == version(werkzeug.__package__) == werkzeug.__version__
"""),
    "kay": ("werkzeug.debug.console", """
import kay, werkzeug.wrappers
from werkzeug import Request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map
assert Request is werkzeug.wrappers.Request is kay.Request
assert Request.__module__.startswith("antiphon.dialects.kay.werkzeug.wrappers")
assert {each.__module__.rpartition("werkzeug")[0] for each in (Map, ProxyFix)} == {"antiphon.dialects."}
"""),
    "flask": ("werkzeug.debug.console", """
import flask, werkzeug.routing
assert flask.json.dumps(flask.globals.g is flask.g) == "true"
from flask import Flask, request
from importlib.metadata import version
from werkzeug.exceptions import NotFound
assert flask.request is flask.globals.request is request
assert version("Flask").startswith("3.1.") and version("werkzeug") == werkzeug.__version__
assert Flask.__module__.startswith("antiphon.dialects.flask.")
assert werkzeug.routing.Map.__module__.startswith("antiphon.dialects.werkzeug.")
assert NotFound.__module__ == "werkzeug.exceptions"
"""),
    "pyramid": ("pyramid.scripts.proutes", """
import pyramid.router, webob
from importlib.metadata import version
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response
assert issubclass(HTTPNotFound, Response) and issubclass(Response, webob.Response)
assert HTTPNotFound.__module__ == "pyramid.httpexceptions"
assert version("pyramid").startswith("2.1") and version("WebOb") == webob.__version__
assert Configurator.__module__.startswith("antiphon.dialects.pyramid.")
assert webob.Response.__module__.startswith("antiphon.dialects.webob.")
"""),
}  # fmt: skip
"""A module that each dialect lacks, and code that finds others."""


@rows("dialect", CODE)
def test_code_for_an_original_finds_its_dialect_and_those_below(dialect):
    absent, code = CODE[dialect]
    library = absent.partition(".")[0]
    lacking = f"try:\n    import {absent}\nexcept ImportError as error:\n    print(error)"
    program = f"{INSTALL}install({dialect!r}){code}{lacking}"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert finished.stdout == (
        f"antiphon's {library} dialect has no module {absent}: see docs/reference/dialects/{library}.md\n"
    ), finished.stderr
