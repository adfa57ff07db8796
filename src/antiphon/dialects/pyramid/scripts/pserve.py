"""`pserve development.ini`: serve the application in a file with the server in that file, as with PasteDeploy.

`antiphon run --dialect pyramid development.ini` serves it over ASGI without that server. This module is intended for
programs that call `pserve` in their own command.
"""

import os
import shlex
import sys
import webbrowser
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from antiphon.dialects.pyramid.scripts.common import get_config_loader, parse_vars


def main(argv: Sequence[str] = sys.argv, quiet: bool = False) -> int:
    """Serve as specified by a command line, which starts with the name of the command.

    Returns 0 at the end, or 2 if no file is given. Raises LookupError if the file has no such application or server,
    and SystemExit for malformed arguments.
    """
    options = _parser().parse_args(argv[1:])
    if not options.config_uri:
        print("You must give a config file", file=sys.stderr)  # noqa: T201 - a command
        return 2
    values = parse_vars(options.config_vars)
    if options.reload:
        return _reload(options)
    loader = get_config_loader(options.config_uri)
    loader.setup_logging(values)
    app = loader.get_wsgi_app(options.app_name, values)
    server = loader.get_wsgi_server(options.server_name, values)
    if options.browser:
        _open_browser(loader.get_settings(f"server:{options.server_name or 'main'}", values))
    if options.verbose and not quiet:
        print(f"Starting server in PID {os.getpid()}.")  # noqa: T201
    server(app)
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="pserve", description="Serve the application in a file with the server in that file.")
    parser.add_argument("-n", "--app-name", metavar="NAME", help="the application's section (main)")
    parser.add_argument("--server-name", metavar="NAME", help="the server's section (main)")
    parser.add_argument("--reload", action="store_true", help="reload when a file changes")
    parser.add_argument(
        "--reload-interval", type=int, default=1, help="ignored, since changes are detected immediately"
    )
    parser.add_argument("-b", "--browser", action="store_true", help="open the application in a browser")
    parser.add_argument("-v", "--verbose", action="count", default=1, help="print what is done")
    parser.add_argument("-q", "--quiet", action="store_const", const=0, dest="verbose", help="say nothing")
    parser.add_argument("config_uri", nargs="?", help="the file, such as development.ini or development.ini#name")
    parser.add_argument("config_vars", nargs="*", help="name=value, for %%(name)s in the file")
    return parser


def _reload(options: Namespace) -> int:
    """Run this process's command, and restart it after each change in the folders of the file and the command."""
    from watchfiles import run_process

    words = [word for word in sys.orig_argv if word != "--reload"]
    folders = {Path(options.config_uri.partition("#")[0]).resolve().parent, Path.cwd()}
    run_process(*folders, target=shlex.join(words), target_type="command")
    return 0


def _open_browser(settings: dict[str, str]) -> None:
    """Open the address in a server's section with a browser."""
    listens = settings.get("listen", "").split()
    address = listens[0] if listens else f"{settings.get('host', '127.0.0.1')}:{settings.get('port', '8080')}"
    webbrowser.open(f"http://{address.replace('0.0.0.0', '127.0.0.1').replace('*:', '127.0.0.1:')}/")  # noqa: S104


if __name__ == "__main__":
    sys.exit(main())
