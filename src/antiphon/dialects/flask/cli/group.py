"""Groups of commands: those of an application, and the `flask` command, which has them besides its own."""

import importlib.metadata
import os
import platform
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from antiphon.dialects.flask.cli.env_files import load_dotenv
from antiphon.dialects.flask.cli.finding import NoAppException
from antiphon.dialects.flask.cli.script import ScriptInfo, with_appcontext
from antiphon.dialects.flask.globals import _cv_app

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask


class AppGroup(click.Group):
    """A group whose commands run in the context of the application, unless they say ``with_appcontext=False``."""

    def command(self, *args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Command]:  # type: ignore[override]
        """Make a command of a function, as ``click.Group.command`` does."""
        in_context = kwargs.pop("with_appcontext", True)
        decorate = super().command(*args, **kwargs)
        return lambda function: decorate(with_appcontext(function) if in_context else function)

    def group(self, *args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Group]:  # type: ignore[override]
        """Make a group of a function, which is an ``AppGroup`` too, as ``click.Group.group`` does."""
        kwargs.setdefault("cls", AppGroup)
        return super().group(*args, **kwargs)  # type: ignore[no-any-return]


def _set_app(context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        context.ensure_object(ScriptInfo).app_import_path = value
    return value


def _set_debug(context: click.Context, option: click.Parameter, value: bool) -> bool | None:
    source = context.get_parameter_source(str(option.name))
    if source in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP):
        return None
    os.environ["FLASK_DEBUG"] = "1" if value else "0"  # where a factory finds it
    return value


def _load_env_file(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _has_dotenv():
        raise click.BadParameter(
            "Files of variables are read by python-dotenv, which is not installed.", context, option
        )
    defaults = context.obj.load_dotenv_defaults
    if value is not None or defaults:
        load_dotenv(value, load_defaults=defaults)
    return value


def _has_dotenv() -> bool:
    from importlib.util import find_spec

    return find_spec("dotenv") is not None


def get_version(context: click.Context, _: click.Parameter, value: Any) -> None:
    """Print the versions of Python, and of the Flask and the Werkzeug that the dialects are, and end."""
    if not value or context.resilient_parsing:
        return
    from antiphon.dialects import flask, werkzeug

    click.echo(
        f"Python {platform.python_version()}\nFlask {flask.__version__}\nWerkzeug {werkzeug.__version__}\n"
        f"Antiphon {importlib.metadata.version('antiphon')}",
        color=context.color,
    )
    context.exit()


# Eager options are read before --help is answered, which lists the commands of the application, in this order.
_env_file_option = click.Option(
    ["-e", "--env-file"],
    type=click.Path(exists=True, dir_okay=False),
    help="Set variables of the environment from this file, before '.env' and '.flaskenv'. Needs python-dotenv.",
    is_eager=True,
    expose_value=False,
    callback=_load_env_file,
)
_app_option = click.Option(
    ["-A", "--app"],
    metavar="IMPORT",
    help="The application or its factory: a module or a file, and behind a colon a name, or a call with arguments."
    " Names that need not be given: 'app', 'application', 'create_app', 'make_app'.",
    is_eager=True,
    expose_value=False,
    callback=_set_app,
)
debug_option = click.Option(["--debug/--no-debug"], help="Set debug mode.", expose_value=False, callback=_set_debug)
version_option = click.Option(
    ["--version"],
    help="Show the Flask version.",
    expose_value=False,
    callback=get_version,
    is_flag=True,
    is_eager=True,
)


class FlaskGroup(AppGroup):
    """The `flask` command: its own commands, those that packages install, and those of the application.

    ``create_app`` makes the application for a command of your own. ``load_dotenv`` reads `.env` and `.flaskenv`;
    ``set_debug_flag`` sets ``debug`` of the application by the environment.
    """

    def __init__(
        self,
        add_default_commands: bool = True,
        create_app: "Callable[..., Flask] | None" = None,
        add_version_option: bool = True,
        load_dotenv: bool = True,
        set_debug_flag: bool = True,
        **extra: Any,
    ) -> None:
        params = [*(extra.pop("params", None) or ()), _env_file_option, _app_option, debug_option]
        if add_version_option:
            params.append(version_option)
        extra["context_settings"] = {"auto_envvar_prefix": "FLASK", **(extra.get("context_settings") or {})}
        super().__init__(params=params, **extra)
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        self._has_plugins = False
        if add_default_commands:
            from antiphon.dialects.flask.cli.commands import routes_command, run_command, shell_command

            for command in (run_command, shell_command, routes_command):
                self.add_command(command)

    def _load_plugin_commands(self) -> None:
        if not self._has_plugins:
            for entry in importlib.metadata.entry_points(group="flask.commands"):
                self.add_command(entry.load(), entry.name)
            self._has_plugins = True

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the group, or of the application, whose context is entered with it."""
        self._load_plugin_commands()
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        try:
            app = ctx.ensure_object(ScriptInfo).load_app()
        except NoAppException as error:
            _say(f"Error: {error.format_message()}")
            return None
        current = _cv_app.get()
        if current is None or current.app is not app:
            ctx.with_resource(app.app_context())
        return app.cli.get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands. If the application can't be loaded, print why."""
        self._load_plugin_commands()
        names = {*super().list_commands(ctx)}
        try:
            names.update(ctx.ensure_object(ScriptInfo).load_app().cli.list_commands(ctx))
        except NoAppException as error:
            _say(f"Error: {error.format_message()}")
        except Exception:
            _say(traceback.format_exc())
        return sorted(names)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Make the context of a run, in which ``Flask.run`` does nothing: a module may call it when it is imported."""
        os.environ["FLASK_RUN_FROM_CLI"] = "true"
        if "obj" not in extra and "obj" not in self.context_settings:
            extra["obj"] = ScriptInfo(
                create_app=self.create_app,
                set_debug_flag=self.set_debug_flag,
                load_dotenv_defaults=self.load_dotenv,
            )
        return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse arguments. A mere ``--help`` reads the environment, too: it lists the commands of the application."""
        is_help = len(args) == 1 and args[0] in self.get_help_option_names(ctx)
        if is_help or (not args and self.no_args_is_help):
            for option in (_env_file_option, _app_option):
                option.handle_parse_result(ctx, {}, [])
        try:
            return super().parse_args(ctx, args)
        except BaseException:
            ctx.close()  # click has not used it yet: looking for a command pushes a context
            raise


def _say(text: str) -> None:
    click.secho(f"{text}\n", err=True, fg="red")
