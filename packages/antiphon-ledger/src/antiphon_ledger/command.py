"""The command `antiphon changes`."""

import click

from antiphon.cli import load_feature
from antiphon_ledger import Ledger
from antiphon_ledger.changes import quoted

_target = click.argument("target", metavar="[MODULE:APP]", required=False)


@click.group()
def changes() -> None:
    """See who has changed what, and prepare a database for that."""


@changes.command("create")
@_target
@click.option("--role", required=True, help="The role by which the app's handlers connect.")
def create(target: str | None, role: str) -> None:
    """Make the ledger's schema and the triggers of its tables, or renew the triggers."""
    ledger = load_feature(target, Ledger)
    ledger.records.create(ledger.declared, role)


@changes.command("list")
@_target
@click.option("--number", default=20, show_default=True, help="How many to print.")
def print_changes(target: str | None, number: int) -> None:
    """Print the last writes and previews: when, who, by which credential and program, where, and how many rows."""
    for each in load_feature(target, Ledger).records.last(number):
        who = " ".join([quoted(each["caller"]), each["credential"], quoted(each["agent"]) if each["agent"] else "-"])
        click.echo(
            f"{each['at']:%Y-%m-%d %H:%M:%S}  {each['kind']}  {who}  {quoted(each['route'])}  {each['rows']} rows"
        )


@changes.command("prune")
@_target
def prune(target: str | None) -> None:
    """Delete what is older than the ledger keeps it."""
    ledger = load_feature(target, Ledger)
    ledger.records.prune(ledger.keep)


@changes.command("erase")
@click.argument("target", metavar="MODULE:APP")
@click.argument("table")
@click.argument("key", nargs=-1, required=True, metavar="COLUMN=VALUE...")
def erase(target: str, table: str, key: tuple[str, ...]) -> None:
    """Remove the values of a row, by its whole primary key, from all notes."""
    values = dict(each.split("=", 1) for each in key)
    click.echo(f"{load_feature(target, Ledger).records.erase(table, values)} notes erased")
