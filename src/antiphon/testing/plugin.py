"""A pytest plugin that runs another project's tests with a dialect in place of the original.

    pytest -p antiphon.testing.plugin --antiphon-dialect=werkzeug

Plugins passed with ``-p`` are loaded before others, which may import the original themselves.
"""

from collections.abc import Sequence

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
    """Install the dialects in configuration files, too, before the first conftest.py is imported."""
    _install(early_config.known_args_namespace.antiphon_dialect)


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
