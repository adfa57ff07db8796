"""Commands whose options are set by flags, environment variables or the file `.env`, in this order."""

import os
from difflib import get_close_matches
from typing import Any

import click
from click.core import ParameterSource

from antiphon.cli.errors import BadCommand
from antiphon.cli.settings import ENV_FILE, PREFIX, read
from antiphon.cli.workers.control import INHERITED

_ELSEWHERE = {"APP", "METRICS_FOLDER", "PURE"}
"""Variables, without their prefix, that are not options of a command."""


class Configured(click.Command):
    """A command whose parameters can be set in the environment and in `.env`, such as `--port` as ANTIPHON_PORT."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for each in self.params:
            if isinstance(each, click.Option):
                each.envvar = [PREFIX + each.opts[0].lstrip("-").replace("-", "_").upper(), *_variables(each)]
                each.show_envvar = True

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Return the context of a run, in which the values of `.env` are defaults."""
        values = _read_unless_reloading()
        if INHERITED not in os.environ:
            self._warn_of_unknown({*os.environ, *values})
        defaults: dict[str, Any] = {}
        for each in self.params:
            found = next((values[name] for name in _variables(each) if values.get(name)), None)
            if found is not None:
                defaults[str(each.name)] = found.split() if each.multiple else found
        return super().make_context(*arguments, default_map=defaults, **options)

    def _warn_of_unknown(self, names: set[str]) -> None:
        """Warn of variables that look like settings, and are none."""
        known = {name.removeprefix(PREFIX) for each in self.params for name in _variables(each)} | _ELSEWHERE
        found = {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)}
        for name in sorted(found - known):
            near = get_close_matches(name, sorted(known), 1)
            hint = f" Did you mean {PREFIX}{near[0]}?" if near else ""
            click.secho(f"Warning: {PREFIX}{name} is not a setting, so it is ignored.{hint}", err=True, fg="yellow")


def _read_unless_reloading() -> dict[str, str]:
    """Read `.env`. A worker ignores a malformed one, since it is read again when the application is loaded."""
    try:
        return read(ENV_FILE)
    except BadCommand:
        if INHERITED in os.environ:
            return {}
        raise


def _variables(parameter: click.Parameter) -> list[str]:
    names = parameter.envvar or []
    return [names] if isinstance(names, str) else [*names]


def source_of(name: str) -> str:
    """Return the flag or the variable that set an option of the running command."""
    source = click.get_current_context().get_parameter_source(name)
    if source is ParameterSource.COMMANDLINE:
        return f"--{name}"
    return f"{PREFIX}{name.upper()}{' in .env' if source is ParameterSource.DEFAULT_MAP else ''}"
