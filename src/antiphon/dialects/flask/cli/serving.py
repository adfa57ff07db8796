"""The server for development: within the program, or by `antiphon run`, which reloads the program at each change."""

import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from antiphon.dialects.flask.helpers import get_debug_flag, get_load_dotenv
from antiphon.dialects.werkzeug._reloader import RUNS_AS_CHILD, is_running_from_reloader

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.werkzeug.serving.server import WSGIRequestHandler

PROGRAM = "_ANTIPHON_FLASK_PROGRAM"
"""The environment variable that tells a worker which program to load: its kind, name and arguments, in JSON."""
_IN_VAIN = (
    " * app.run() does nothing while a command of flask loads the program, which it would keep from going on.\n"
    '   Put the call below `if __name__ == "__main__":`.'
)
_loading: list[bool] = []


def is_loading() -> bool:
    """True while a worker runs the program, to get its application."""
    return bool(_loading)


class Loaded(BaseException):
    """The end of a program that a worker runs: the application that it would have served."""

    def __init__(self, app: "Flask") -> None:
        self.app = app


def show_server_banner(debug: bool | None, app_import_path: str | None) -> None:
    """Print what is served, once for all reloads."""
    if is_running_from_reloader():
        return
    if app_import_path is not None:
        click.echo(f" * Serving Flask app '{app_import_path}'")
    if debug is not None:
        click.echo(f" * Debug mode: {'on' if debug else 'off'}")


def run_app(
    app: "Flask", host: str | None, port: int | None, debug: bool | None, load_dotenv: bool, **options: Any
) -> None:
    """Serve an application, as ``Flask.run`` does; do nothing within a command of `flask`."""
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
    """Serve an application until Ctrl-C: with ``use_reloader`` by `antiphon run`, if that has all the options.

    ``use_debugger`` has it show errors on a page. All other options are those of ``werkzeug.serving.run_simple``,
    which a program may replace.
    """
    if is_loading():
        raise Loaded(app)
    from antiphon.dialects.werkzeug import serving
    from antiphon.dialects.werkzeug.serving import run_simple

    if serving.run_simple is not run_simple:
        serving.run_simple(host, port, app, use_debugger=use_debugger, **options)
        return
    options.pop("use_evalex", None)  # of a debugger that runs code which is sent
    program = _program()
    if options.get("use_reloader") and program is not None and _is_all_known(options):
        _become_command(_command(app, host, port, use_debugger), program)
    if options.get("request_handler") is None:
        _log_requests(app)
        options["request_handler"] = _unlogged()
    run_simple(host, port, app, **options)


def _unlogged() -> "type[WSGIRequestHandler]":
    """Return the class of request handlers for an application that logs its requests itself."""
    from antiphon.dialects.werkzeug.serving.server import WSGIRequestHandler

    class Unlogged(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log nothing."""

    return Unlogged


def _log_requests(app: "Flask") -> None:
    """Log each request, unless the application does: to stderr, unless the program says where records go."""
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
    """True if `antiphon run` has all options that are set. It has threads, and no processes on Windows."""
    others = {name for name, value in options.items() if value} - {"use_reloader", "threaded"}
    return sys.platform != "win32" and not others and options.get("threaded") is not False


def _program() -> list[object] | None:
    """Return how this program was started: its kind, name and arguments, or None if that is not known."""
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
        "antiphon.dialects.flask.program:app",
    ]


def _become_command(command: list[str], program: list[object]) -> NoReturn:
    """Replace this process, so that it is the command that gets its signals."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(command[0], command, {**os.environ, RUNS_AS_CHILD: "true", PROGRAM: json.dumps(program)})  # noqa: S606
