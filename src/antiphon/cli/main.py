"""The commands of `antiphon`. Each imports what it needs when it runs, so that the others stay quick."""

import sys
from typing import Literal

import click

from antiphon.cli.failure import Refused


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="antiphon")
def main() -> None:
    """Antiphon: one Request and one Response for every Python web app."""


@main.command()
@click.argument("target", metavar="MODULE:APP")
@click.option("--host", default="127.0.0.1", show_default=True, help="Name or address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: a free one.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="How many processes.")
@click.option(
    "--interface",
    type=click.Choice(["auto", "wsgi", "asgi", "rsgi"]),
    default="auto",
    show_default=True,
    help="auto: WSGI when every handler is def and no proxies are trusted, otherwise ASGI.",
)
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Seconds that open requests get at the end. Streams are cut off after that.",
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
    from antiphon.cli.serve import serve  # late: --help and --version have no use for it

    asked = None if interface == "auto" else interface
    if dialects:
        from antiphon.cli.dialects import use

        use(dialects)
    sys.exit(serve(target, asked, host=host, port=port, workers=workers, drain=drain))
