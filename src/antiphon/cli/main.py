"""The commands of `antiphon`. Each has its imports within it, so that the others stay quick."""

import re
import sys
from collections.abc import Sequence
from typing import Literal

import click
from click.core import ParameterSource

from antiphon.cli.errors import BadCommand, Refused
from antiphon.dialect_imports import TooLate, UnknownDialect, install

_LONGEST = 1e9
"""Seconds, about thirty years. No process can sleep for much longer."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="antiphon")
def main() -> None:
    """Antiphon: one Request and one Response for every Python web app."""


def _octal(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is not None and not re.fullmatch("0?[0-7]{3}", value):
        raise click.BadParameter(f"{value!r} is not three octal digits.", context, parameter)
    return None if value is None else int(value, 8)


def _seconds(context: click.Context, parameter: click.Parameter, value: float) -> float:
    if not value <= _LONGEST:  # nan is neither less nor more
        raise click.BadParameter(f"{value:g} seconds never pass.", context, parameter)
    return value


def _refuse_two_places(context: click.Context) -> None:
    """Raise `BadCommand` for options that have no meaning beside others."""
    typed = [
        f"--{name}" for name in ("host", "port") if context.get_parameter_source(name) == ParameterSource.COMMANDLINE
    ]
    if context.params["uds"] is None:
        if context.params["uds_permissions"] is not None:
            raise BadCommand("--uds-permissions has no meaning without --uds PATH.")
    elif typed:
        raise BadCommand(f"--uds says where to listen: leave {' and '.join(typed)} out.")


@main.command()
@click.argument("target", metavar="MODULE:APP")
@click.option("--host", default="127.0.0.1", show_default=True, help="Name or address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: a free one.")
@click.option("--uds", metavar="PATH", help="Listen on a unix socket at this path, in place of a host and port.")
@click.option("--uds-permissions", metavar="OCTAL", callback=_octal, help="Permissions of its file, such as 660.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="How many processes.")
@click.option(
    "--interface",
    type=click.Choice(["auto", "wsgi", "asgi", "rsgi"]),
    default="auto",
    show_default=True,
    help="auto: ASGI for an app of Antiphon, otherwise what the app speaks.",
)
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    callback=_seconds,
    default=2.0,
    show_default=True,
    help="Seconds that open requests get at the end. Streams are cut off then.",
)
@click.option(
    "--dialect",
    "dialects",
    metavar="NAME",
    multiple=True,
    help="Let imports of the package that this dialect stands for find the dialect. May be given more than once.",
)
def run(
    target: str,
    host: str,
    port: int,
    uds: str | None,
    uds_permissions: int | None,
    workers: int,
    interface: Literal["auto", "wsgi", "asgi", "rsgi"],
    drain: float,
    dialects: tuple[str, ...],
) -> None:
    """Serve the application APP of the module MODULE, on Granian.

    The module is looked for in the current directory first. Ctrl-C ends the server; pressed twice, at once.
    """
    if sys.platform == "win32":
        raise Refused("This command needs POSIX processes. On Windows, run: granian MODULE:APP")
    from antiphon.cli.serve import Port, SocketPath, serve  # late: --help and --version do not need it

    _refuse_two_places(click.get_current_context())
    place = Port(host, port) if uds is None else SocketPath(uds, uds_permissions)
    requested = None if interface == "auto" else interface
    if dialects:
        use(dialects)
    sys.exit(serve(target, requested, place, workers=workers, drain=drain))


def use(names: Sequence[str]) -> None:
    """Install dialects by name. Raises `BadCommand` for one that is unknown or can't be installed."""
    try:
        install(*names)
    except (TooLate, UnknownDialect) as error:
        raise BadCommand(str(error)) from None
