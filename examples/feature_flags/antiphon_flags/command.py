"""The command `antiphon flags`."""

import click

from antiphon.cli import load_feature
from antiphon_flags import Flags


@click.group()
def flags() -> None:
    """See which features of an app are switched on."""


@flags.command("list")
@click.argument("target", metavar="[MODULE:APP]", required=False)
def print_flags(target: str | None) -> None:
    """Print the flags of an app, and which of them are on for everyone."""
    feature = load_feature(target, Flags)
    for name in feature.names:
        click.echo(f"{name}  {'on for everyone' if feature.is_on_for_everyone(name) else 'by visitor'}")
