"""The contents of `flask.cli`: the `flask` command and command groups for applications."""

from typing import TYPE_CHECKING

import click

from antiphon.dialects.flask.cli.commands import (
    CertParamType,
    SeparatedPathType,
    routes_command,
    run_command,
    shell_command,
    show_server_banner,
)
from antiphon.dialects.flask.cli.group import (
    AppGroup,
    FlaskGroup,
    NoAppException,
    ScriptInfo,
    find_app_by_string,
    find_best_app,
    get_version,
    load_dotenv,
    locate_app,
    pass_script_info,
    prepare_import,
    version_option,
    with_appcontext,
)
from antiphon.dialects.flask.globals import current_app
from antiphon.dialects.flask.helpers import get_debug_flag, get_load_dotenv
from antiphon.dialects.flask.imports import reexports

__all__ = [
    "AppGroup", "CertParamType", "FlaskGroup", "NoAppException", "ScriptInfo", "SeparatedPathType", "cli", "click",
    "current_app", "find_app_by_string", "find_best_app", "get_debug_flag", "get_load_dotenv", "get_version",
    "load_dotenv", "locate_app", "main", "pass_script_info", "prepare_import", "routes_command", "run_command",
    "shell_command", "show_server_banner", "version_option", "with_appcontext",
]  # fmt: skip

cli = FlaskGroup(
    name="flask",
    help="""Commands for a Flask application.

    Specify the application with '--app' or the FLASK_APP environment variable. Otherwise, it is looked for in
    'wsgi.py' or 'app.py' in the current directory.
    """,
)


def main() -> None:
    """Run the `flask` command."""
    cli.main()


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
