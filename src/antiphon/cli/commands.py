"""Commands of `antiphon`: options from flags, variables or `.env`, those of guards, and what other packages bring.

A package is imported only when its command is called or the help lists it, so it doesn't slow down our own commands.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from click.core import ParameterSource

from antiphon.cli.errors import BadCommand, CommandError, Refused
from antiphon.cli.settings import ENV_FILE, PREFIX, read
from antiphon.cli.target import explain_failure
from antiphon.explanations import renamed

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

F = TypeVar("F", bound=Callable[..., Any])

_ELSEWHERE = {"APP", "METRICS_FOLDER", "PURE", "READS_CODE"}
"""Variables, without their prefix, that are not options of a command."""


class Configured(click.Command):
    """A command whose parameters can also be set in the environment and in `.env`: ANTIPHON_PORT sets `--port`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for each in self.params:
            if isinstance(each, click.Option):
                each.envvar = [_variable_of(each.opts[0]), *_variables(each)]
                each.show_envvar = True

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Return the context of an invocation, with the values from `.env` as defaults."""
        values = read(ENV_FILE)
        self._check_known(values)
        defaults: dict[str, Any] = {}
        for each in self.params:
            found = next((values[name] for name in _variables(each) if values.get(name)), None)
            if found is not None:
                defaults[str(each.name)] = found.split() if each.multiple else found
        return super().make_context(*arguments, default_map=defaults, **options)

    def _check_known(self, values: dict[str, str]) -> None:
        """Warn about variables that look like settings but aren't, and give ``values`` the new name of what a version
        had.
        """
        known = {name.removeprefix(PREFIX) for each in self.params for name in _variables(each)} | _ELSEWHERE
        given = {**values, **os.environ}
        found = {name.removeprefix(PREFIX) for name in given if name.startswith(PREFIX)}
        for name in sorted(found - known):
            option = f"--{name.lower().replace('_', '-')}"
            if ours := renamed.still("antiphon", option, _tell):
                values.setdefault(_variable_of(ours), given[PREFIX + name])
                continue
            from difflib import get_close_matches  # imported late: few need it

            near = get_close_matches(name, sorted(known), 1)
            hint = f" Did you mean {PREFIX}{near[0]}?" if near else ""
            click.secho(f"Warning: {PREFIX}{name} is not a setting, so it is ignored.{hint}", err=True, fg="yellow")


def _tell(text: str) -> None:
    click.secho(f"Warning: {text}.", err=True, fg="yellow")


def _variable_of(option: str) -> str:
    """Return the variable that sets an option: ANTIPHON_PORT for `--port`."""
    return PREFIX + option.lstrip("-").replace("-", "_").upper()


def _variables(parameter: click.Parameter) -> list[str]:
    names = parameter.envvar or []
    return [names] if isinstance(names, str) else [*names]


def source_of(name: str) -> str:
    """Return the flag or variable that set an option of the running command."""
    source = click.get_current_context().get_parameter_source(name)
    if source is ParameterSource.COMMANDLINE:
        return f"--{name}"
    return f"{PREFIX}{name.upper()}{' in .env' if source is ParameterSource.DEFAULT_MAP else ''}"


GROUP = "antiphon.commands"


class Commands(click.Group):
    """A group of commands, together with the commands that other packages add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands: our own first, then those of packages, sorted."""
        own = super().list_commands(ctx)
        return [*own, *sorted({entry.name for entry in _entries()} - {*own})]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command. If it can't be loaded, calling it explains why."""
        return super().get_command(ctx, cmd_name) or _brought(cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that arguments name, by its new name if a version had another one."""
        for at, (name, *value) in enumerate([each.split("=", 1) for each in args]):
            if at == 0 or name.startswith("-"):
                args[at] = "=".join([renamed.still("antiphon", name, _tell) or name, *value])
        return super().resolve_command(ctx, args)

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command. If its output can't be written, the error has no traceback, as other errors have none."""
        try:
            return super().main(*arguments, **options)
        except OSError as error:
            if not _is_of_output(error):
                raise
            with suppress(OSError):  # stderr may be full, too
                click.echo(f"Error: The output can't be written: {error.strerror}.", err=True)
            sys.exit(Refused.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command. Its errors are shown without a traceback, as click's own are."""
        try:
            return super().invoke(ctx)
        except CommandError as error:
            failure = click.ClickException(error.message)
            failure.exit_code = error.exit_code  # type: ignore[misc]  # click reads it from the instance
            raise failure from error
        except ImportError as error:
            if error.name != "granian":
                raise
            raise click.ClickException(str(error)) from error  # a name that it lacks, or it is not installed


def _is_of_output(error: OSError) -> bool:
    """Return True if an error was raised where click writes."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is click.echo.__code__


class BrokenCommand(click.Command):
    """A package's command that can't be loaded."""

    def __init__(self, name: str, error: BadCommand) -> None:
        super().__init__(name, short_help=f"Can't be loaded: `antiphon {name}` explains why.")
        self._error = error

    def make_context(self, *_arguments: Any, **_options: Any) -> NoReturn:
        """Explain why the command can't be loaded."""
        raise self._error


def _entries() -> "list[EntryPoint]":
    from importlib.metadata import entry_points  # imported late: our own commands don't need it

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
    """Import an entry point's command. Raises `BadCommand` for several entry points, or if it isn't a command."""
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
        raise BadCommand(f"{what} is of type {type(found).__name__}: {entry.value} must be a click command.")
    return found


def _package(entry: "EntryPoint") -> str:
    return entry.dist.name if entry.dist else entry.module


_GROUPS = [f"antiphon.{name}" for name in ("commands", "dialects", "explanations", "frameworks", "pairs")]
_SOURCE = Path(__file__).parents[2]
_imported = re.compile(r"^ *(?:from|import) (antiphon(?!\w)[\w.]*)", re.MULTILINE).findall
_explained = re.compile(r"\bexplained\(\s*[\"']([\w-]+\.[\w-]+)[\"']").findall


def faults_of(package: "Distribution") -> Iterator[str]:
    """Yield what is wrong with an installed package of features: its entry points and files, and what it imports."""
    from antiphon.cli.docs import UnreadableError, explanations_of
    from antiphon.features import Languages

    entries = [each for each in package.entry_points if each.group.startswith("antiphon")]
    kinds: set[str] = set()
    for each in entries:
        try:
            if each.group not in _GROUPS:
                yield f"{each.group} is not a group of entry points, unlike {', '.join(_GROUPS)}"
            elif each.group == "antiphon.explanations":
                kinds.update(explanations_of(each.name))
            elif each.group == GROUP:
                _loaded([each])
            else:
                each.load()
        except (BadCommand, UnreadableError) as error:
            yield f"{error}"
        except Exception as error:
            yield f"{each.group}: {each.value} can't be loaded: {error!r}"
    for name in sorted({each.module.partition(".")[0] for each in entries}):
        folder = Path(str(package.locate_file(name)))
        if not (folder / "py.typed").exists():
            yield f"{folder} has no py.typed, so type checkers pass over its annotations"
        yield from _faults_of_code(folder, kinds)
        try:
            for catalogues in folder.glob("locales"):
                Languages(catalogues)
        except (ImportError, ValueError) as error:
            yield f"{error}"


def _faults_of_code(folder: Path, kinds: set[str]) -> Iterator[str]:
    for file in sorted(folder.rglob("*.py")):
        source = file.read_text("utf-8")
        yield from (f"{file}: no errors.md explains {kind}" for kind in _explained(source) if kind not in kinds)
        for name in dict.fromkeys(_imported(source)):
            place = _SOURCE.joinpath(*name.split("."))
            if not any(each.exists() for each in (place / "__init__.pyi", place.with_suffix(".pyi"))):
                yield f"{file}: {name} is not public and may change with any version"


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def print_lines(lines: Iterable[str]) -> None:
    """Print lines with text from clients or other programs, which must not control the terminal."""
    from antiphon.features.logs.formats import lines_below

    click.echo(lines_below("\n".join(lines)))


_UNITS = {"": 0, "K": 10, "M": 20, "G": 30}


def _hosts(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    hosts = tuple(host for value in values for host in value.split(","))
    if hosts:
        from antiphon.app.planning.request_checks import TrustedHosts

        try:
            TrustedHosts(hosts)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", context, parameter) from None
    return hosts


def size_in_bytes(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Return the bytes of a size such as 64K. Raises click.BadParameter."""
    if value is None:
        return None
    if (found := re.fullmatch("([0-9]{1,15})([KMG]?)", value.upper())) is None:
        raise click.BadParameter(f"{value!r} is not a size: write bytes, or 64K, 16M, 1G.", context, parameter)
    return int(found[1]) << _UNITS[found[2]]


_GUARDS = (
    click.option(
        "--trusted-hosts",
        metavar="HOST,...",
        multiple=True,
        callback=_hosts,
        help="Serve only these hosts (else 421): example.com, or .example.com for all its subdomains, too.",
    ),
    click.option("--refuse-cross-site", is_flag=True, help="Refuse writes by pages on other sites (403)."),
    click.option(
        "--max-body", metavar="SIZE", callback=size_in_bytes, help="Refuse larger bodies (413): bytes, or 64K, 16M, 1G."
    ),
    click.option("--security-headers", is_flag=True, help="Add the headers of SecurityHeaders() to all responses."),
)


def guard_options(command: F) -> F:
    """Add to a command the options for `Guards`, which apply to programs of other libraries."""
    for option in reversed(_GUARDS):
        command = option(command)
    return command
