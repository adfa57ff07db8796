"""The `run`, `shell` and `routes` commands, their parameters, and the development server."""

import json
import logging
import os
import runpy
import ssl
import sys
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from antiphon.dialects.flask.cli.group import (
    NoAppException,
    ScriptInfo,
    debug_option,
    pass_script_info,
    with_appcontext,
)
from antiphon.dialects.flask.globals import current_app
from antiphon.dialects.flask.helpers import get_debug_flag, get_load_dotenv
from antiphon.dialects.werkzeug._reloader import RUNS_AS_CHILD, is_running_from_reloader
from antiphon.dialects.werkzeug.utils import import_string

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.werkzeug.routing.rules import Rule
    from antiphon.dialects.werkzeug.serving import WSGIRequestHandler


class CertParamType(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click
    """The value of `--cert`: the path of a certificate, ``adhoc``, or the import name of an ``ssl.SSLContext``."""

    name = "path"

    def __init__(self) -> None:
        self.path_type = click.Path(exists=True, dir_okay=False, resolve_path=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the object that the value refers to. Raises BadParameter."""
        try:
            return self.path_type(value, param, ctx)
        except click.BadParameter:
            text = click.STRING(value, param, ctx).lower()
            if text == "adhoc":
                if not _has_cryptography():
                    words = "An ad-hoc certificate needs the cryptography package."
                    raise click.BadParameter(words, ctx, param) from None
                return text
            found = import_string(text, silent=True)
            if isinstance(found, ssl.SSLContext):
                return found
            raise


def _has_cryptography() -> bool:
    try:
        import_module("cryptography")
    except ImportError:
        return False
    return True


def validate_key(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Return the path of a certificate's key, and make ``cert`` a pair of the two paths. Raises BadParameter."""
    certificate = ctx.params.get("cert")
    has_key = certificate == "adhoc" or isinstance(certificate, ssl.SSLContext)
    if value is None:
        if certificate and not has_key:
            raise click.BadParameter('Required when using "--cert".', ctx, param)
        return value
    if has_key:
        kind = "adhoc" if certificate == "adhoc" else "an SSLContext object"
        shown = f'"{kind}"' if certificate == "adhoc" else kind
        raise click.BadParameter(f'When "--cert" is {shown}, "--key" is not used.', ctx, param)
    if not certificate:
        raise click.BadParameter('"--cert" must also be specified.', ctx, param)
    ctx.params["cert"] = certificate, value
    return value


class SeparatedPathType(click.Path):
    """An option type for several paths, separated as in the system's PATH."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a list of the paths. Raises BadParameter."""
        convert = super().convert
        return [convert(each, param, ctx) for each in os.fspath(value).split(os.pathsep) if each]


PROGRAM = "_ANTIPHON_FLASK_PROGRAM"
"""The environment variable that tells a worker which program to load, as JSON with kind, name and arguments."""
_IN_VAIN = (
    " * app.run() does nothing here, since it would block the flask command that is loading this program.\n"
    '   Put the call below `if __name__ == "__main__":`.'
)
_loading: list[bool] = []


def is_loading() -> bool:
    """True while a worker runs the program to get its application."""
    return bool(_loading)


class Loaded(BaseException):
    """The exception that ends a program run by a worker, with the application that the program would have served."""

    def __init__(self, app: "Flask") -> None:
        self.app = app


def show_server_banner(debug: bool | None, app_import_path: str | None) -> None:
    """Print what is being served, but only once, not after every reload."""
    if is_running_from_reloader():
        return
    if app_import_path is not None:
        click.echo(f" * Serving Flask app '{app_import_path}'")
    if debug is not None:
        click.echo(f" * Debug mode: {'on' if debug else 'off'}")


def run_app(
    app: "Flask", host: str | None, port: int | None, debug: bool | None, load_dotenv: bool, **options: Any
) -> None:
    """Serve an application as ``Flask.run`` does. Within a command of `flask`, do nothing."""
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        if not is_running_from_reloader():
            click.secho(_IN_VAIN, fg="red")
        return
    if get_load_dotenv(load_dotenv):
        from antiphon.dialects.flask import cli

        cli.load_dotenv()
        if "FLASK_DEBUG" in os.environ:
            app.debug = get_debug_flag()
    if debug is not None:
        app.debug = bool(debug)
    own_host, _, own_port = (app.config["SERVER_NAME"] or "").partition(":")
    show_server_banner(app.debug, app.name)
    options = {"use_reloader": app.debug, "use_debugger": app.debug, "threaded": True} | options
    serve(app, host or own_host or "127.0.0.1", int(own_port or 5000) if port is None else int(port), **options)


def serve(app: "Flask", host: str, port: int, *, use_debugger: bool = False, **options: Any) -> None:
    """Serve an application until Ctrl-C. ``use_reloader`` uses `antiphon run` if that supports all the options.

    ``use_debugger`` shows errors on a page. All other options are passed to ``werkzeug.serving.run_simple``, which a
    program may replace.
    """
    if is_loading():
        raise Loaded(app)
    from antiphon.dialects.werkzeug import serving

    if serving.run_simple is not serving.own_run_simple:
        serving.run_simple(host, port, app, use_debugger=use_debugger, **options)
        return
    options.pop("use_evalex", None)  # for a debugger that executes code from its page
    program = _program()
    if options.get("use_reloader") and program is not None and _is_all_known(options):
        _become_command(_command(app, host, port, use_debugger), program)
    if options.get("request_handler") is None:
        _log_requests(app)
        options["request_handler"] = _unlogged()
    serving.own_run_simple(host, port, app, **options)


def _unlogged() -> "type[WSGIRequestHandler]":
    """Return a request handler class that logs nothing, for an application that logs its own requests."""
    from antiphon.dialects.werkzeug.serving import WSGIRequestHandler

    class Unlogged(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log nothing."""

    return Unlogged


def _log_requests(app: "Flask") -> None:
    """Log each request unless the application does. Log to stderr unless the program has configured logging."""
    from antiphon.features import AccessLog
    from antiphon.logs import TextFormatter

    if any(isinstance(each, AccessLog) for each in app._observers.all):
        return
    app.observe(AccessLog())
    logger = logging.getLogger("antiphon.access")
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(TextFormatter())
        logger.addHandler(handler)


def _is_all_known(options: dict[str, Any]) -> bool:
    """True if `antiphon run` supports all the given options. It always uses threads, and is not used on Windows."""
    others = {name for name, value in options.items() if value} - {"use_reloader", "threaded"}
    return sys.platform != "win32" and not others and options.get("threaded") is not False


def _program() -> list[object] | None:
    """Return how this program was started, as its kind, name and arguments; None if that is unknown."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return ["module", spec.name.removesuffix(".__main__"), sys.argv]
    if file is not None and os.path.isfile(file):
        return ["file", os.path.abspath(file), sys.argv]
    return None


def _command(app: "Flask", host: str, port: int, has_page: bool) -> list[str]:
    here = Path.cwd()
    folders = {here, *(each for each in (Path(app.root_path).resolve(),) if not each.is_relative_to(here))}
    watched = [word for each in sorted(folders) for word in ("--reload-dir", str(each))]
    page = "--debug" if has_page else "--no-debug"
    place = ["--host", host, "--port", str(port)]
    return [
        sys.executable,
        "-m",
        "antiphon",
        "run",
        "--reload",
        page,
        *place,
        *watched,
        "antiphon.dialects.flask.cli.commands:served_program",
    ]


def _become_command(command: list[str], program: list[object]) -> NoReturn:
    """Replace this process with the command, so that the command receives its signals."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(command[0], command, {**os.environ, RUNS_AS_CHILD: "true", PROGRAM: json.dumps(program)})  # noqa: S606


def served_program() -> "Flask":
    """Run the program again in a worker, up to its call to ``app.run()``, and return the application to serve.

    Raises RuntimeError if the program ends too early.
    """
    kind, name, sys.argv = json.loads(os.environ.pop(PROGRAM))
    _loading.append(True)
    try:
        if kind == "file":
            sys.path.insert(0, os.path.dirname(name))
            runpy.run_path(name, run_name="__main__")
        else:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
    except Loaded as loaded:
        return loaded.app
    finally:
        _loading.clear()
    raise RuntimeError(f"{name} ended without calling app.run(), although it called it the first time")


@click.command("run", short_help="Run a development server.")
@click.option("--host", "-h", default="127.0.0.1", help="The interface to bind to.")
@click.option("--port", "-p", default=5000, help="The port to bind to.")
@click.option("--cert", type=CertParamType(), help="Specify a certificate file to use HTTPS.", is_eager=True)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    callback=validate_key,
    expose_value=False,
    help="The certificate's key file.",
)
@click.option(
    "--reload/--no-reload", default=None, help="Reload the application when files change. On by default with --debug."
)
@click.option("--debugger/--no-debugger", default=None, help="Show errors on a page. On by default with --debug.")
@click.option(
    "--with-threads/--without-threads", default=True, help="Handle several requests at once, or one at a time."
)
@click.option("--extra-files", type=SeparatedPathType(), help="Additional files whose changes trigger a reload.")
@click.option("--exclude-patterns", type=SeparatedPathType(), help="Patterns of files to ignore for reloads.")
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

    With --debug, it is reloaded when a file is saved, and errors are shown on a page. For production, see `antiphon
    run`.
    """
    try:
        app = info.load_app()
    except NoAppException as error:
        if is_loading() and error.__context__ is not None:
            raise error.__context__ from None  # for the page that shows the error
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
    """Start a Python shell with the application's names, in its context."""
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
    """Return the titles of the columns, by name. Domains are included if any rule has one."""
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
