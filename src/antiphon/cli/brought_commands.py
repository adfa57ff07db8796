"""Commands that other packages add in the entry-point group `antiphon.commands`: `antiphon flags list`.

A package is imported when its command is called, or when the help lists it. Our own commands don't pay for others.
"""

from typing import TYPE_CHECKING, Any, NoReturn

import click

from antiphon.cli.errors import BadCommand, CommandError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "antiphon.commands"


class Commands(click.Group):
    """A group of commands, together with the commands that other packages add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands: our own first, then the others, sorted."""
        own = super().list_commands(ctx)
        return [*own, *sorted({entry.name for entry in _entries()} - {*own})]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; a command that can't be loaded says so when it is called."""
        return super().get_command(ctx, cmd_name) or _brought(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command. Its errors are shown without a traceback, like those of click."""
        try:
            return super().invoke(ctx)
        except CommandError as error:
            failure = click.ClickException(error.message)
            failure.exit_code = error.exit_code  # type: ignore[misc]  # click reads it of the instance
            raise failure from error
        except ImportError as error:
            if error.name != "granian":
                raise
            raise click.ClickException(str(error)) from error  # it lacks a name, or is missing


class BrokenCommand(click.Command):
    """A command of a package that can't be loaded."""

    def __init__(self, name: str, error: BadCommand) -> None:
        super().__init__(name, short_help=f"Can't be loaded: `antiphon {name}` says why.")
        self._error = error

    def make_context(self, *_arguments: Any, **_options: Any) -> NoReturn:
        """Say why it can't be loaded."""
        raise self._error


def _entries() -> "list[EntryPoint]":
    from importlib.metadata import entry_points  # late: commands that are ours don't need it

    return [*entry_points(group=GROUP)]


def _brought(name: str) -> click.Command | None:
    entries = [entry for entry in _entries() if entry.name == name]
    if not entries:
        return None
    try:
        return _loaded(entries)
    except BadCommand as error:
        return BrokenCommand(name, error)


def _loaded(entries: "list[EntryPoint]") -> click.Command:
    """Import the command of the only entry. Raises `BadCommand` for several entries, and for anything but a command."""
    from antiphon.cli.target import explain_failure

    name, entry = entries[0].name, entries[0]
    if len(entries) > 1:
        packages = " and ".join(sorted(map(_package, entries)))
        raise BadCommand(f"The packages {packages} each add a command {name!r}: uninstall all but one.")
    what = f"The command {name!r} of the package {_package(entry)}"
    try:
        found: object = entry.load()
    except (Exception, SystemExit) as error:  # a module may raise anything
        raise BadCommand(explain_failure(f"{what} can't be loaded:", error)) from error
    if not isinstance(found, click.Command):
        raise BadCommand(f"{what} is of type {type(found).__name__}: {entry.value} has to be a command of click.")
    return found


def _package(entry: "EntryPoint") -> str:
    return entry.dist.name if entry.dist else entry.module
