"""The commands `run`, `shell` and `routes`."""

import os
import sys
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import click

from antiphon.dialects.flask.cli.finding import NoAppException
from antiphon.dialects.flask.cli.group import debug_option
from antiphon.dialects.flask.cli.script import ScriptInfo, pass_script_info, with_appcontext
from antiphon.dialects.flask.cli.serving import is_loading, serve, show_server_banner
from antiphon.dialects.flask.cli.tls import CertParamType, SeparatedPathType, validate_key
from antiphon.dialects.flask.globals import current_app
from antiphon.dialects.flask.helpers import get_debug_flag

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.routing.rules import Rule


@click.command("run", short_help="Run a development server.")
@click.option("--host", "-h", default="127.0.0.1", help="The interface to bind to.")
@click.option("--port", "-p", default=5000, help="The port to bind to.")
@click.option("--cert", type=CertParamType(), help="Specify a certificate file to use HTTPS.", is_eager=True)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    callback=validate_key,
    expose_value=False,
    help="The file of the key for the certificate.",
)
@click.option("--reload/--no-reload", default=None, help="Reload the application at changes. By default with --debug.")
@click.option("--debugger/--no-debugger", default=None, help="Show errors on a page. By default with --debug.")
@click.option("--with-threads/--without-threads", default=True, help="Answer several requests at once, or one.")
@click.option("--extra-files", type=SeparatedPathType(), help="Further files whose change reloads it.")
@click.option("--exclude-patterns", type=SeparatedPathType(), help="Patterns of files whose change does not.")
@pass_script_info
def run_command(
    info: ScriptInfo,
    host: str,
    port: int,
    reload: bool | None,
    debugger: bool | None,
    with_threads: bool,
    cert: Any,
    extra_files: list[str] | None,
    exclude_patterns: list[str] | None,
) -> None:
    """Serve the application while you develop it.

    With --debug it is reloaded whenever one of its files is saved, and errors are shown on a page. For production,
    see `antiphon run`.
    """
    try:
        app = info.load_app()
    except NoAppException as error:
        if is_loading() and error.__context__ is not None:
            raise error.__context__ from None  # for the page on it
        raise
    debug = get_debug_flag()
    show_server_banner(debug, info.app_import_path)
    try:
        serve(
            app,
            host,
            port,
            use_reloader=debug if reload is None else reload,
            use_debugger=debug if debugger is None else debugger,
            threaded=with_threads,
            ssl_context=cert,
            extra_files=extra_files,
            exclude_patterns=exclude_patterns,
        )
    except NotImplementedError as error:
        raise click.UsageError(str(error)) from error


run_command.params.insert(0, debug_option)


@click.command("shell", short_help="Run a shell in the app context.")
@with_appcontext
def shell_command() -> None:
    """Run Python with the names of the application, in its context."""
    import code

    banner = (
        f"Python {sys.version} on {sys.platform}\nApp: {current_app.import_name}\nInstance: {current_app.instance_path}"
    )
    names: dict[str, Any] = {}
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup) as file:
            exec(compile(file.read(), startup, "exec"), names)  # noqa: S102 - as Python's own shell does
    names.update(current_app.make_shell_context())
    if hook := getattr(sys, "__interactivehook__", None):
        _complete(names)
        hook()
    code.interact(banner=banner, local=names)


def _complete(names: dict[str, Any]) -> None:
    try:
        import readline
        from rlcompleter import Completer
    except ImportError:
        return
    readline.set_completer(Completer(names).complete)


@click.command("routes", short_help="Show the routes for the app.")
@click.option(
    "--sort",
    "-s",
    type=click.Choice(("endpoint", "methods", "domain", "rule", "match")),
    default="endpoint",
    help="The column to sort by; 'match' is the order in which routes are tried.",
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS methods.")
@with_appcontext
def routes_command(sort: str, all_methods: bool) -> None:
    """Print the routes with their endpoints and methods."""
    rules = [*current_app.url_map.iter_rules()]
    if not rules:
        click.echo("No routes were registered.")
        return
    columns = _columns(rules)
    rows = [_row(rule, columns, all_methods) for rule in rules]
    if sort in columns:
        rows.sort(key=itemgetter([*columns].index(sort)))
    titles = [*columns.values()]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, ["-" * width for width in widths], *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def _columns(rules: "list[Rule]") -> dict[str, str]:
    """Return the titles of the columns by their names. Domains are shown if a rule has one."""
    columns = {"endpoint": "Endpoint", "methods": "Methods", "domain": "Subdomain", "rule": "Rule"}
    if current_app.url_map.host_matching:
        columns["domain"] = "Host"
    if not any(map(_domain, rules)):
        del columns["domain"]
    return columns


def _domain(rule: "Rule") -> str:
    return (rule.host if current_app.url_map.host_matching else rule.subdomain) or ""


def _row(rule: "Rule", columns: dict[str, str], all_methods: bool) -> list[str]:
    hidden = set() if all_methods else {"HEAD", "OPTIONS"}
    cells = {
        "endpoint": str(rule.endpoint),
        "methods": ", ".join(sorted((rule.methods or set()) - hidden)),
        "domain": _domain(rule),
        "rule": rule.rule,
    }
    return [cells[name] for name in columns]
