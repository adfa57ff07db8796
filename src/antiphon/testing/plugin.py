"""A pytest plugin that runs another project's tests with a dialect in place of the original.

    pytest -p antiphon.testing.plugin --antiphon-dialect=werkzeug

Plugins passed with ``-p`` are loaded before others, which may import the original themselves.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the option, which can be repeated. Dialects on the command line are installed immediately."""
    parser.getgroup("antiphon").addoption(
        "--antiphon-dialect",
        action="append",
        default=[],
        metavar="NAME",
        help="Make imports of the package that Antiphon's dialect NAME replaces find the dialect.",
    )
    config = pluginmanager.get_plugin("pytestconfig")
    if isinstance(config, pytest.Config):
        _install(parser.parse_known_args(config.invocation_params.args).antiphon_dialect)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Install the dialects in configuration files, too, before the first conftest.py is imported.

    Python programs that tests start find the dialects by a ``sitecustomize`` module in PYTHONPATH.
    """
    dialects = early_config.known_args_namespace.antiphon_dialect
    _install(dialects)
    if dialects:
        folder, patch = TemporaryDirectory(), pytest.MonkeyPatch()
        early_config.add_cleanup(folder.cleanup)
        early_config.add_cleanup(patch.undo)
        Path(folder.name, "sitecustomize.py").write_text(_AT_START)
        patch.setenv("PYTHONPATH", folder.name, prepend=os.pathsep)
        patch.setenv("ANTIPHON_DIALECT", " ".join(dialects))


_AT_START = """
import os, sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

sys.path.remove(os.path.dirname(__file__))
try:
    from antiphon.dialect_imports import install
except ModuleNotFoundError:  # in an environment of its own
    pass
else:
    install(*os.environ.get("ANTIPHON_DIALECT", "").split())
if spec := PathFinder.find_spec("sitecustomize"):  # the one that this one hides
    spec.loader.exec_module(module_from_spec(spec))
"""


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Fail a test if a module of an original has been imported in spite of the dialect."""
    if not item.config.getoption("antiphon_dialect"):
        return
    from antiphon.dialect_imports import TooLate, check_imports

    try:
        check_imports()
    except TooLate as error:
        pytest.fail(str(error), pytrace=False)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Show the dialects on which the tests run."""
    dialects = config.getoption("antiphon_dialect")
    return f"antiphon dialects: {', '.join(dialects)}" if dialects else None


def _install(dialects: Sequence[str]) -> None:
    if not dialects:
        return
    from antiphon.dialect_imports import TooLate, UnknownDialect, install  # imported late: usually there are none

    try:
        install(*dialects)
    except (TooLate, UnknownDialect) as error:
        raise pytest.UsageError(str(error)) from None
