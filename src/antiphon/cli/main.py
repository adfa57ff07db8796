"""The commands of `antiphon`. Each imports what it needs when it runs, which keeps the others fast."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
from click.core import ParameterSource

from antiphon.cli.commands import (
    Commands,
    Configured,
    aligned,
    faults_of,
    guard_options,
    print_lines,
    size_in_bytes,
    source_of,
)
from antiphon.cli.errors import BadCommand, Refused
from antiphon.cli.interface import Choice
from antiphon.cli.jobs import jobs
from antiphon.cli.logs import Logs
from antiphon.cli.settings import ENV_FILE, add_to_environment
from antiphon.cli.target import find_target
from antiphon.cli.workers.options import Guards, ServerOptions

if TYPE_CHECKING:
    from antiphon.cli.serve import Place
    from antiphon.request.request import Request

F = TypeVar("F", bound=Callable[..., Any])

_LONGEST = 1e9
"""The longest time in seconds, about thirty years. Processes can't sleep much longer."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="antiphon")
def main() -> None:
    """Antiphon: one Request and one Response for every Python web app.

    You can set an option with its flag, its environment variable, or the file .env, in this order of precedence. The
    exit code is 0 for success, 1 for a failure, 2 for a mistake in the command or the app, 3 for a problem with
    the machine, and 4 if nothing is worse than unknown.
    """
    if os.environ.get("NO_COLOR"):  # no-color.org
        click.get_current_context().color = False


def _octal(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is not None and not re.fullmatch("0?[0-7]{3}", value):
        raise click.BadParameter(f"{value!r} is not three octal digits.", context, parameter)
    return None if value is None else int(value, 8)


def _seconds(context: click.Context, parameter: click.Parameter, value: float) -> float:
    if not value <= _LONGEST:  # nan is neither less nor more
        raise click.BadParameter(f"{value:g} seconds are too many.", context, parameter)
    return value


def _option_in_seconds(flag: str, default: float, help_text: str) -> Callable[[F], F]:
    return click.option(
        flag, type=click.FloatRange(min=0), callback=_seconds, default=default, show_default=True, help=help_text
    )


def _number(flag: str, default: int, help_text: str, least: int = 0, most: int | None = None) -> Callable[[F], F]:
    """Make an option for a whole number. PORT and WEB_CONCURRENCY, which hosts set, are variables of two of them."""
    variables = {"--port": "PORT", "--workers": "WEB_CONCURRENCY"}
    numbers = click.IntRange(least, most)
    return click.option(
        flag, type=numbers, default=default, envvar=variables.get(flag), show_default=True, help=help_text
    )


def _choice(flag: str, choices: str, help_text: str) -> Callable[[F], F]:
    """Make an option with some choices, of which the first one is the default."""
    first, *others = choices.split()
    return click.option(flag, type=click.Choice([first, *others]), default=first, show_default=True, help=help_text)


_option_for_dialects = click.option(
    "--dialect",
    "dialects",
    metavar="NAME",
    multiple=True,
    help="Make imports of the package that this dialect replaces find the dialect. Can be repeated.",
)


def _typed_places(context: click.Context) -> list[str]:
    return [
        f"--{name.replace('_', '-')}"
        for name in ("host", "port", "uds", "uds_permissions")
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE
    ]


def socket_path(context: click.Context, path: str | None) -> str | None:
    """Return the path of the unix socket, or None for a port. Raises `BadCommand` for contradictory flags."""
    typed = _typed_places(context)
    at_port = [flag for flag in typed if not flag.startswith("--uds")]
    if at_port and "--uds" in typed:
        raise BadCommand(f"--uds determines where to listen: leave out {' and '.join(at_port)}.")
    if at_port or path is None:
        if "--uds-permissions" in typed:
            raise BadCommand("--uds-permissions has no meaning without --uds PATH.")
        return None
    return path


def _place(context: click.Context, host: str, port: int, uds: str | None, permissions: int | None) -> "Place":
    """Return where to listen. Raises `BadCommand` or `Refused`."""
    from antiphon.cli.listener import given_socket
    from antiphon.cli.serve import Port, SocketPath

    if given := given_socket():
        if typed := _typed_places(context):
            raise BadCommand(f"systemd determines where to listen: leave out {' and '.join(typed)}.")
        return given
    path = socket_path(context, uds)
    return Port(host, port) if path is None else SocketPath(path, permissions)


def _check_debug_is_typed(name: str) -> None:
    """Raise `BadCommand` if it isn't the command line that turns debug mode on."""
    if not (source := source_of(name)).startswith("--"):
        raise BadCommand(
            f"{source} turns debug mode on, but others can reach this address, and would see the app's code and values."
            f" Remove {source}, listen on 127.0.0.1, or write --debug here if they may."
        )


def _tls(certificate: str | None, key: str | None) -> tuple[str, str] | None:
    """Return the files of a certificate and its key. Raises `BadCommand` if they can't be used."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise BadCommand("--tls-certificate and --tls-key need each other: set both.")
    from antiphon.cli.certificates import explain_unusable

    if reason := explain_unusable(certificate, key):
        raise BadCommand(f"--tls-certificate {certificate} and --tls-key {key} can't be used: {reason}.")
    return os.path.abspath(certificate), os.path.abspath(key)


@main.command(cls=Configured)
@click.argument("target", metavar="[MODULE:APP]", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Name or address to listen on.")
@_number("--port", 8000, "Port to listen on; 0: any free port.", most=65535)
@click.option("--uds", metavar="PATH", help="Listen on a unix socket at this path, instead of a host and port.")
@click.option("--uds-permissions", metavar="OCTAL", callback=_octal, help="The socket's permissions, such as 660.")
@_number("--workers", 1, "Number of worker processes.", least=1)
@_choice("--server", "granian uvicorn", "uvicorn: less CPU time for bodies, ASGI and HTTP/1.1 only.")
@_choice(
    "--interface",
    "auto wsgi asgi rsgi",
    "auto: ASGI for an Antiphon app, otherwise the interface that the app supports.",
)
@_option_in_seconds("--grace", 30.0, "Seconds that open requests get to finish on shutdown.")
@_option_in_seconds(
    "--worker-timeout", 30.0, "Seconds after which a hanging worker is replaced; 0: never, as with --reload."
)
@_option_in_seconds(
    "--start-timeout",
    60.0,
    "Seconds that a worker may take to start before it is killed; 0: no limit, as with --reload.",
)
@_option_in_seconds(
    "--queue-timeout",
    0.0,
    "Seconds that clients wait: under overload, requests that would wait longer get a 503; 0: no refusals.",
)
@_number("--max-requests", 0, "Number of requests that a worker handles before it is replaced; 0: no limit.")
@_number(
    "--max-connections",
    0,
    "Number of connections, and of requests, that a worker has open at once; 0: as many as its descriptors allow.",
)
@click.option(
    "--worker-memory",
    metavar="SIZE",
    callback=size_in_bytes,
    help="Resident memory above which a worker is replaced, such as 512M; no limit by default.",
)
@click.option(
    "--tls-certificate", metavar="FILE", help="Serve https, HTTP/1.1 and HTTP/2, with this certificate (PEM)."
)
@click.option("--tls-key", metavar="FILE", help="The certificate's private key (PEM, not encrypted).")
@_option_in_seconds(
    "--drain-delay", 0.0, "Seconds on shutdown during which requests are still accepted, so load balancers notice."
)
@click.option("--production", is_flag=True, help="Refuse to start with what `antiphon doctor MODULE:APP` finds.")
@click.option("--preload", is_flag=True, help="Load the application once, then fork: workers share its memory.")
@click.option("--reload", is_flag=True, help="Reload the application whenever one of its files is saved.")
@click.option(
    "--reload-dir",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False),
    multiple=True,
    help="Watch this folder instead of the current one. Can be repeated.",
)
@click.option(
    "--debug/--no-debug",
    default=None,
    help="Respond to errors with a page that shows the code and its values. On by default with --reload.",
)
@click.option("--no-access-log", is_flag=True, help="Turn off the access log.")
@click.option(
    "--log-field",
    "log_fields",
    type=click.Choice(["ip", "trace_id"]),
    multiple=True,
    help="Add the client's address, or its trace's id, to the access log. Can be repeated.",
)
@_choice("--log-format", "text json", "Format of the log on stderr, unless the app configures logging.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="Lowest level that is logged on stderr.",
)
@_option_for_dialects
@guard_options
def run(
    target: str | None,
    host: str,
    port: int,
    uds: str | None,
    uds_permissions: int | None,
    workers: int,
    server: Literal["granian", "uvicorn"],
    interface: Literal["auto", "wsgi", "asgi", "rsgi"],
    grace: float,
    worker_timeout: float,
    start_timeout: float,
    queue_timeout: float,
    max_requests: int,
    max_connections: int,
    worker_memory: int | None,
    tls_certificate: str | None,
    tls_key: str | None,
    drain_delay: float,
    production: bool,
    preload: bool,
    reload: bool,
    reload_dir: tuple[str, ...],
    debug: bool | None,
    no_access_log: bool,
    log_fields: tuple[Literal["ip", "trace_id"], ...],
    log_format: Literal["text", "json"],
    log_level: str,
    dialects: tuple[str, ...],
    trusted_hosts: tuple[str, ...],
    refuse_cross_site: bool,
    max_body: int | None,
    security_headers: bool,
) -> None:
    """Serve the application APP of the module MODULE on Granian or Uvicorn.

    APP can be a function without arguments that creates the application. The module is looked up in the current
    directory first. Without MODULE:APP, the command looks for an app, application, create_app or make_app in the
    modules there. Instead of MODULE:APP, you can name a settings file, such as development.ini. Ctrl-C stops the
    server; a second Ctrl-C stops it immediately. SIGUSR2 restarts the workers one after another.
    """
    if sys.platform == "win32":
        raise Refused(
            "This command needs POSIX processes, which Windows lacks: use another server, such as `granian MODULE:APP`"
            " or `uvicorn MODULE:APP`, or run this command in WSL."
        )
    if find_spec(server) is None:
        name = server.capitalize()
        raise Refused(f"This command serves on {name}, which is not installed. Install it: pip install {server}")
    if server == "uvicorn" and interface in ("wsgi", "rsgi"):
        raise BadCommand(f"Uvicorn serves over ASGI only: leave out {source_of('interface')}, or serve on Granian.")
    from antiphon.cli.entry import importing

    with importing():  # late: --help and --version don't need them
        from antiphon.cli.serve import serve
    place = _place(click.get_current_context(), host, port, uds, uds_permissions)
    requested = None if interface == "auto" else Choice(interface, f"requested by {source_of('interface')}")
    if server == "uvicorn":
        requested = Choice("asgi", "on Uvicorn")
    if dialects:
        use(dialects)
    logs = Logs(log_format, log_level, not no_access_log, log_fields)
    options = ServerOptions(
        workers=workers,
        server=server,
        grace=grace,
        worker_timeout=worker_timeout,
        start_timeout=start_timeout,
        queue_timeout=queue_timeout,
        max_requests=max_requests,
        max_connections=max_connections,
        worker_memory=worker_memory or 0,
        tls=_tls(tls_certificate, tls_key),
        drain_delay=drain_delay,
        debug=reload if debug is None else debug,
        logs=logs,
        guards=Guards(trusted_hosts, refuse_cross_site, max_body, security_headers),
        dialects=dialects,
        is_for_production=production,
        preloads=preload,
    )
    if options.debug and not place.is_for_loopback:
        _check_debug_is_typed("reload" if debug is None else "debug")
    if preload and reload:
        raise BadCommand("--reload loads the application repeatedly, but --preload only once: leave one of them out.")
    if production and reload:
        raise BadCommand("--reload is for development, and not for --production: leave one of them out.")
    if reload:
        options = options.for_reloading()
    elif click.get_current_context().get_parameter_source("reload_dir") == ParameterSource.COMMANDLINE:
        raise BadCommand("--reload-dir has no meaning without --reload.")
    watched = (reload_dir or (".",)) if reload else ()
    sys.exit(serve(find_target(target), requested, place, options, watched))


@main.command()
@click.argument("target", metavar="[MODULE:APP]", required=False)
@click.argument("url", metavar="[URL]", required=False)
@click.option("--method", default="GET", show_default=True, help="Method of the request for the URL.")
def routes(target: str | None, url: str | None, method: str) -> None:
    """Print the routes of an application, or the route for a URL or a path.

    The exit code is 1 if no handler is found.
    """
    from antiphon.cli.routes import find_handling, load, table

    if url is None and target is not None and (target.startswith("/") or "://" in target):
        target, url = None, target
    app = load(find_target(target))
    if url is None:
        lines, is_handled = aligned(table(app)), True
    else:
        lines, is_handled = find_handling(app, _request(url, method), has_host="://" in url)
    print_lines(lines)
    sys.exit(not is_handled)


@main.command()
@click.argument("target", metavar="[MODULE:APP]", required=False)
@click.option(
    "--check", "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False), help="Compare with this document."
)
@click.option("--against", "revision", metavar="REVISION", help="Compare with the code of this git revision.")
@click.option("--strict", is_flag=True, help="Exit with 1 if anything in the document is unknown.")
@click.option("--prefix", help="Describe the routes below this prefix.")
@_option_for_dialects
def openapi(
    target: str | None,
    file: str | None,
    revision: str | None,
    strict: bool,
    prefix: str | None,
    dialects: tuple[str, ...],
) -> None:
    """Print the OpenAPI document of an application, made by reading the code of its handlers.

    Unknown parts are listed on stderr, with handler, file and line. With --check or --against, print what differs from
    the document in FILE, or from the code of a git revision, instead: what BREAKS clients, what is safe, and what is
    unknown. The exit code is 1 if anything breaks clients, and 4 if the worst is unknown.
    """
    from antiphon.cli.openapi import check, document, load, written, written_changes

    if file is not None and revision is not None:
        raise BadCommand("Leave out --check or --against.")
    if dialects:
        use(dialects)
    found = find_target(target)
    app = load(found)
    made = document(found, app, prefix)
    for each in made.unknown:
        click.echo(f"Unknown: {each}", err=True)
    status = int(strict and bool(made.unknown))
    if revision is not None:
        status = written_changes(found, app, revision, prefix, dialects) or status
    elif file is not None:
        status = check(app, made, Path(file)) or status
    else:
        click.echo(written(made))
    sys.exit(status)


@main.command()
@click.argument("target", metavar="[MODULE:APP]", required=False)
@click.option("--record", is_flag=True, help="Print the record of processing personal data, as a Markdown table.")
def audit(target: str | None, record: bool) -> None:
    """Print who may do what to whom where that looks wrong, read from the code of an application.

    Each line has a rule: owner (nothing asks whose the object is), guessing (a secret without a rate limit), exposed
    (a field that goes out to anyone) or sibling (a write lacks what the others have). A comment in the handler silences
    one: # audit: RULE: REASON. The exit code is 1 if there is a line, and 4 if all of them are unknown.
    """
    from antiphon.cli.routes import load
    from antiphon.features.openapi.audit.report import audited, recorded

    app = load(find_target(target))
    if record:
        click.echo("\n".join(recorded(app, os.getcwd())))
        return
    lines, silenced, status = audited(app, os.getcwd())
    for each in lines:
        click.echo(each)
    for each in silenced:
        click.echo(each, err=True)
    sys.exit(status)


@main.command()
@click.argument("target", metavar="MODULE:APP")
@click.argument("file", metavar="CASES", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--before", metavar="[FOLDER/]MODULE:APP", help="The application before a change.")
@click.option("--original", metavar="PYTHON", help="Python that has the original, or runs --before.")
@click.option(
    "--ignore", multiple=True, metavar="FIELD", help="Ignore this header field, or set-cookie:NAME. Can be repeated."
)
@click.option("--mask", multiple=True, metavar="PATTERN", help="Ignore what this pattern matches. Can be repeated.")
@_option_for_dialects
def compare(
    target: str,
    file: Path,
    before: str | None,
    original: str | None,
    ignore: tuple[str, ...],
    mask: tuple[str, ...],
    dialects: tuple[str, ...],
) -> None:
    """Send the requests in CASES, a .http file, to an application before and after a change, or with its original
    library and with a dialect.

    Print the parts of the responses that differ. The exit code is 1 if any do. In MODULE:APP, parts that end with ()
    are called, as in shop:app.wsgifunc().
    """
    from antiphon.cli.compare import compare as compared
    from antiphon.dialect_imports import known_dialects

    if unknown := [name for name in dialects if name not in known_dialects()] or not (dialects or before):
        known = ", ".join(known_dialects())
        named = f"{unknown[0]!r} is not a dialect" if isinstance(unknown, list) else "--before or --dialect is missing"
        raise BadCommand(f"{named}. Known dialects: {known}.")
    add_to_environment(ENV_FILE)
    lines, are_alike = compared(original or sys.executable, target, file, dialects, ignore, mask, before)
    print_lines(lines)
    sys.exit(not are_alike)


@main.command()
@click.argument("target", metavar="[MODULE:APP]", required=False)
@_option_for_dialects
def records(target: str | None, dialects: tuple[str, ...]) -> None:
    """Print the requests that an application has kept with `Recorder`, one line for each cause.

    A line shows the time, the status, the route, the error and where it was raised, how often it occurred, and the ID.
    """
    from antiphon.cli.records import KeepingApp

    if dialects:
        use(dialects)
    print_lines(KeepingApp.load(find_target(target)).table() or ["No requests are kept."])


main.add_command(jobs)


@main.command()
@click.argument("id_", metavar="ID")
@click.argument("target", metavar="[MODULE:APP]", required=False)
@click.option(
    "--as-test", metavar="FILE", type=click.Path(dir_okay=False), help="Don't replay, but write a test to the new FILE."
)
@click.option("--url", metavar="URL", help="Send the request to the server at URL instead.")
@click.option("--user", metavar="MODULE:FUNCTION", help="Log in the user that this function makes from the user's key.")
@click.option("--first", is_flag=True, help="Replay the first request of the cause, not the last one.")
@_option_for_dialects
def replay(
    id_: str,
    target: str | None,
    as_test: str | None,
    url: str | None,
    user: str | None,
    first: bool,
    dialects: tuple[str, ...],
) -> None:
    """Replay a kept request with the current code and print where it differs from the kept run.

    ID is an ID that `antiphon records` printed, the ID of a request in the log, or the request_id of a problem.
    Credentials and other secrets were not kept, nor was the state of databases. The exit code is 1 if the request fails
    again.
    """
    from antiphon.cli.records import KeepingApp, again, chosen, over_socket, user_factory, write_test
    from antiphon.cli.replay import Restored

    if as_test is not None and url is not None:
        raise BadCommand("Leave out --as-test or --url.")
    if dialects:
        use(dialects)
    found = find_target(target)
    keeping = KeepingApp.load(found)
    causes = keeping.find(id_)
    record = chosen(causes, is_first=first)
    restored = Restored(user_factory(user))
    if as_test is not None:
        print_lines(write_test(keeping, found, causes, record, Path(as_test), restored, user))
        return
    outcome, lines = again(keeping, record, restored) if url is None else over_socket(record, url)
    print_lines(lines)
    sys.exit(outcome.status >= 500 or outcome.error is not None)


@main.command()
@click.argument("name")
@_choice(
    "--template",
    "pages accounts api agent",
    "pages: a login, a list and forms. accounts: registration by mail, new passwords, a second factor."
    " api: typed JSON for programs, with OpenAPI. agent: a chat with tools.",
)
def new(name: str, template: str) -> None:
    """Create a small project in a new folder NAME: an app, its tests, a Dockerfile and a CI workflow.

    Nothing is overwritten.
    """
    from antiphon.cli.new_project import ProjectName, make, requirement

    names = ProjectName.parse(name)
    folder = make(names, template)
    click.echo(f"Created {folder} with the package {names.package}. Next steps, as in its README.md:\n")
    click.echo(f"  cd {folder}")
    click.echo("  python3 -m venv .venv && . .venv/bin/activate\n  pip install -e '.[test]'")
    click.echo("  pytest\n  antiphon run --reload")
    if " @ file:" in (required := requirement("")):
        click.echo(f"\nIts pyproject.toml requires {required}: CI and Docker need an address that they can reach.")


@main.command()
@click.argument("urls", metavar="[MODULE:APP | PACKAGE | URL...]", nargs=-1)
@click.option("--ca", metavar="FILE", type=click.Path(exists=True, dir_okay=False), help="Trust this authority (PEM).")
def doctor(urls: tuple[str, ...], ca: str | None) -> None:
    """Test what clients can forge on a running application: hosts, proxy headers, slashes, writes from other sites.

    Also check the rules that the application sends to browsers: cookie flags, frames, https. Each URL gets some GET
    requests and one empty POST. The exit code is 1 if something can be forged from this machine.

    For MODULE:APP, print the number of connections to PostgreSQL that each worker may open, and the settings with which
    `antiphon run --production` refuses to start; the exit code is 2 if there are any. For an installed package of
    features, check its entry points, errors.md, py.typed, locales and imports. Without an argument, print the
    installed versions and which extras are complete. The exit code is 1 if a package has a fault, a dependency is
    missing, or its version is not supported.
    """
    from importlib.metadata import Distribution

    from antiphon.cli.doctor import examine, report, worst

    if len(urls) == 1 and (package := next(iter(Distribution.discover(name=urls[0])), None)) is not None:
        faults = [*faults_of(package)]
        click.echo("\n".join(faults or [f"{urls[0]} is complete."]))
        sys.exit(bool(faults))
    if len(urls) == 1 and re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_].*", urls[0]):
        from antiphon.cli.production import check_production, connections_of

        app = find_target(urls[0]).load(None)
        if opened := connections_of(app):
            click.echo(opened)
        check_production(app, urls[0], ServerOptions(workers=2), is_at_unix_socket=False)
        click.echo("Nothing speaks against production.")
        return

    if not urls:
        lines, is_complete = report()
        click.echo("\n".join(lines))
        sys.exit(not is_complete)
    if ca is not None:
        os.environ["SSL_CERT_FILE"] = ca  # OpenSSL reads it for each connection
    colors = {"forged": "red", "lacking": "yellow", "refused": "green", "unseen": None}
    findings = worst([examine(url) for url in urls])
    for each in findings:
        click.echo(f"{click.style(f'{each.state:8}', fg=colors[each.state])} {each.trial}")
        if each.state in ("forged", "lacking"):
            click.echo(f"         Fix: {each.mend}.")
    if any(each.state == "unseen" for each in findings):
        click.echo(
            "Unseen: no response shows it. Add a URL that shows request.url and request.ip, has two segments, takes"
            " POST, sets a cookie, or returns a page, over https."
        )
    sys.exit(any(each.state == "forged" for each in findings))


@main.command()
@click.argument("kind", metavar="[ID]", required=False)
def explain(kind: str | None) -> None:
    """Print what an error means and what to write instead. Without ID, list all errors.

    The ID is in the error's note, below its message.
    """
    from antiphon.cli.docs import explanation_of, listed

    click.echo(explanation_of(kind) if kind else "\n".join(listed()).lstrip())


@main.command()
@click.argument("words", metavar="[NAME | WORDS]...", nargs=-1)
def docs(words: tuple[str, ...]) -> None:
    """Print a page of this version's documentation, without using the network. Without NAME, list all pages.

    NAME is a page such as websockets or reference/websockets. For other words, list the pages about them.
    """
    from antiphon.cli.docs import contents, page, search

    if not (name := " ".join(words)):
        click.echo("\n".join(contents()).lstrip())
        return
    if (found := page(name)) is None:
        hits, is_answered = search(name)
        if not is_answered:
            click.echo(f"There is no page about this.{' The nearest are:' if hits else ''}", err=True)
        for each in hits:
            click.echo(f"{each.name:32}  {each.title}" + (f": {each.section}" if each.section else ""))
        sys.exit(not is_answered)
    text, others, files = found
    click.echo(text.rstrip())
    if others:
        click.echo(f"\nPages of the same name: {', '.join(others)}.", err=True)
    if files:
        click.echo(f"\nIn a copy of Antiphon's source, but not in an installation: {', '.join(files)}.", err=True)


def _request(url: str, method: str) -> "Request":
    from antiphon.request.request import Request

    try:
        return Request.blank(url, method.upper())
    except ValueError as error:
        raise BadCommand(f"{url!r} is not a URL: {error}.") from None


def use(names: Sequence[str]) -> None:
    """Install dialects by name. Raises `BadCommand` if one is unknown or can't be installed."""
    from antiphon.dialect_imports import TooLate, UnknownDialect, install  # imported late: it looks at all packages

    try:
        install(*names)
    except (TooLate, UnknownDialect) as error:
        raise BadCommand(str(error)) from None
