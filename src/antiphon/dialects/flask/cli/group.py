"""Command groups, including the `flask` command, and the search for a command's application."""

import ast
import importlib.metadata
import inspect
import os
import platform
import re
import sys
import traceback
from collections.abc import Callable
from functools import update_wrapper
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

import click
from click.core import ParameterSource

from antiphon.dialects.flask.globals import _cv_app, current_app
from antiphon.dialects.flask.helpers import get_debug_flag, get_load_dotenv

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask


def load_dotenv(path: str | os.PathLike[str] | None = None, load_defaults: bool = True) -> bool:
    """Set environment variables from the given file, from `.env` and from `.flaskenv`, except those that are already
    set.

    The file takes precedence over the nearest `.env`, and `.env` over `.flaskenv`. Returns True if any variable was
    found, and False without python-dotenv.
    """
    try:
        dotenv: Any = import_module("dotenv")
    except ImportError:
        if path or os.path.isfile(".env") or os.path.isfile(".flaskenv"):
            tip = " * The .env files here are ignored: install python-dotenv to load them."
            click.secho(tip, fg="yellow", err=True)
        return False
    paths = [dotenv.find_dotenv(name, usecwd=True) for name in (".flaskenv", ".env")] if load_defaults else []
    if path is not None and os.path.isfile(path):
        paths.append(os.fspath(path))
    values: dict[str, str | None] = {}
    for each in filter(None, paths):
        values |= dotenv.dotenv_values(each, encoding="utf-8")
    for name, value in values.items():
        if value is not None:
            os.environ.setdefault(name, value)
    return bool(values)


_APPS = ("app", "application")
_FACTORIES = ("create_app", "make_app")


class NoAppException(click.UsageError):
    """Raised by a command that can't find or load the application."""


def find_best_app(module: ModuleType) -> "Flask":
    """Return a module's application: ``app`` or ``application``, the only application in it, or a factory's result.

    Raises NoAppException.
    """
    found = [value for name in _APPS if _is_app(value := getattr(module, name, None))]
    found = found[:1] or [value for value in vars(module).values() if _is_app(value)]
    if len(found) > 1:
        raise NoAppException(
            f"Detected multiple Flask applications in module '{module.__name__}'. Use '{module.__name__}:name' to"
            " specify the correct one."
        )
    if found:
        return cast("Flask", found[0])
    for name in _FACTORIES:
        factory = getattr(module, name, None)
        if inspect.isfunction(factory):
            app = _made_by(
                factory,
                (),
                {},
                f"Detected factory '{name}' in module '{module.__name__}', but could not call it without arguments."
                f" Use '{module.__name__}:{name}(args)' to specify arguments.",
            )
            if _is_app(app):
                return cast("Flask", app)
    raise NoAppException(
        f"Failed to find Flask application or factory in module '{module.__name__}'. Use '{module.__name__}:name' to"
        " specify one."
    )


def find_app_by_string(module: ModuleType, app_name: str) -> "Flask":
    """Return the application that a name in a module refers to, or that a call like ``create_app('dev')`` returns.

    Raises NoAppException.
    """
    name, args, kwargs = _parsed(app_name)
    try:
        found = getattr(module, name)
    except AttributeError as error:
        raise NoAppException(f"Failed to find attribute {name!r} in {module.__name__!r}.") from error
    if inspect.isfunction(found):
        reason = (
            f"The factory {app_name!r} in module {module.__name__!r} could not be called with the specified arguments."
        )
        found = _made_by(found, args, kwargs, reason)
    if _is_app(found):
        return cast("Flask", found)
    raise NoAppException(f"A valid Flask application was not obtained from '{module.__name__}:{app_name}'.")


def _parsed(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Split a call into its name and its arguments, which are empty for a mere name. Raises NoAppException."""
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise NoAppException(f"Failed to parse {text!r} as an attribute name or function call.") from None
    match expression:
        case ast.Name(id=name):
            return name, [], {}
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            try:
                values = [ast.literal_eval(each) for each in args]
                return name, values, {each.arg: ast.literal_eval(each.value) for each in keywords if each.arg}
            except ValueError:
                raise NoAppException(f"Failed to parse arguments as literal values: {text!r}.") from None
        case ast.Call():
            raise NoAppException(f"Function reference must be a simple name: {text!r}.")
    raise NoAppException(f"Failed to parse {text!r} as an attribute name or function call.")


def _made_by(factory: Any, args: "list[Any] | tuple[Any, ...]", kwargs: dict[str, Any], reason: str) -> object:
    """Call a factory. Raises NoAppException if the arguments don't fit, and any error that the factory raises."""
    try:
        return factory(*args, **kwargs)
    except TypeError as error:
        if _was_entered(factory, error):
            raise
        raise NoAppException(reason) from error


def _was_entered(function: Any, error: BaseException) -> bool:
    return any(frame.f_code is function.__code__ for frame, _ in traceback.walk_tb(error.__traceback__))


def _is_app(value: object) -> bool:
    from antiphon.dialects.flask.app import Flask

    return isinstance(value, Flask)


def prepare_import(path: str) -> str:
    """Convert a module's path to its dotted name, and add its folder to the module search path."""
    path = os.path.realpath(path).removesuffix(".py")
    if os.path.basename(path) == "__init__":
        path = os.path.dirname(path)
    folder, name = os.path.split(path)
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        name = f"{package}.{name}"
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    return name


@overload
def locate_app(module_name: str, app_name: str | None, raise_if_not_found: Literal[True] = True) -> "Flask": ...
@overload
def locate_app(module_name: str, app_name: str | None, raise_if_not_found: bool) -> "Flask | None": ...
def locate_app(module_name: str, app_name: str | None, raise_if_not_found: bool = True) -> "Flask | None":
    """Import a module and return its application, found by the given name or one of the usual names.

    Raises NoAppException. If the module is missing and ``raise_if_not_found`` is False, returns None instead.
    """
    try:
        __import__(module_name)
    except ImportError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next:  # raised inside the module
            text = traceback.format_exc()
            raise NoAppException(f"While importing {module_name!r}, an ImportError was raised:\n\n{text}") from None
        if raise_if_not_found:
            raise NoAppException(f"Could not import {module_name!r}.") from None
        return None
    module = sys.modules[module_name]
    return find_best_app(module) if app_name is None else find_app_by_string(module, app_name)


F = TypeVar("F", bound=Callable[..., Any])

_PATHS = ("wsgi.py", "app.py")
_NO_APP = (
    "Could not locate a Flask application. Use the 'flask --app' option, 'FLASK_APP' environment variable, or a"
    " 'wsgi.py' or 'app.py' file in the current directory."
)


class ScriptInfo:
    """A command's application, loaded on first use, and the ``data`` that commands share.

    The application is made by ``create_app``, or loaded from ``app_import_path``: a module or path, optionally followed
    by a colon and a name or a call. Otherwise, it is looked for in `wsgi.py` or `app.py`. Its ``debug`` is set from the
    environment unless ``set_debug_flag`` is False.
    """

    def __init__(
        self,
        app_import_path: str | None = None,
        create_app: "Callable[..., Flask] | None" = None,
        set_debug_flag: bool = True,
        load_dotenv_defaults: bool = True,
    ) -> None:
        self.app_import_path = app_import_path
        self.create_app = create_app
        self.data: dict[Any, Any] = {}
        self.set_debug_flag = set_debug_flag
        self.load_dotenv_defaults = get_load_dotenv(load_dotenv_defaults)
        self._loaded_app: Flask | None = None

    def load_app(self) -> "Flask":
        """Load the application once and return it. Raises NoAppException."""
        if self._loaded_app is None:
            app = self._found()
            if app is None:
                raise NoAppException(_NO_APP)
            if self.set_debug_flag:
                app.debug = get_debug_flag()
            self._loaded_app = app
        return self._loaded_app

    def _found(self) -> "Flask | None":
        if self.create_app is not None:
            return self.create_app()
        if self.app_import_path:
            path, *name = re.split(r":(?![\\/])", self.app_import_path, maxsplit=1)  # not a Windows drive
            return locate_app(prepare_import(path), name[0] if name else None)
        for path in _PATHS:
            app = locate_app(prepare_import(path), None, raise_if_not_found=False)
            if app is not None:
                return app
        return None


pass_script_info = click.make_pass_decorator(ScriptInfo, ensure=True)


def with_appcontext(f: F) -> F:
    """Make a function run in the application context. Commands of ``app.cli`` already do."""

    @click.pass_context
    def in_context(context: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        if not current_app:
            app = context.ensure_object(ScriptInfo).load_app()
            context.with_resource(app.app_context())
        return context.invoke(f, *args, **kwargs)

    return update_wrapper(in_context, f)  # type: ignore[return-value]


class AppGroup(click.Group):
    """A group whose commands run in the application context, unless declared with ``with_appcontext=False``."""

    def command(self, *args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Command]:  # type: ignore[override]
        """Turn a function into a command, as ``click.Group.command`` does."""
        in_context = kwargs.pop("with_appcontext", True)
        decorate = super().command(*args, **kwargs)
        return lambda function: decorate(with_appcontext(function) if in_context else function)

    def group(self, *args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Group]:  # type: ignore[override]
        """Turn a function into a group, an ``AppGroup`` by default, as ``click.Group.group`` does."""
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
    os.environ["FLASK_DEBUG"] = "1" if value else "0"  # a factory reads it from there
    return value


def _load_env_file(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _has_dotenv():
        raise click.BadParameter(
            "Reading variables from a file requires python-dotenv: install it first.", context, option
        )
    defaults = context.obj.load_dotenv_defaults
    if value is not None or defaults:
        load_dotenv(value, load_defaults=defaults)
    return value


def _has_dotenv() -> bool:
    from importlib.util import find_spec

    return find_spec("dotenv") is not None


def get_version(context: click.Context, _: click.Parameter, value: Any) -> None:
    """Print the versions of Python, Flask and Werkzeug (the latter two as emulated by the dialects), and exit."""
    if not value or context.resilient_parsing:
        return
    from antiphon.dialects import flask, werkzeug

    click.echo(
        f"Python {platform.python_version()}\nFlask {flask.__version__}\nWerkzeug {werkzeug.__version__}\n"
        f"Antiphon {importlib.metadata.version('antiphon')}",
        color=context.color,
    )
    context.exit()


# Eager options are processed, in this order, before --help, which lists the commands of the application.
_env_file_option = click.Option(
    ["-e", "--env-file"],
    type=click.Path(exists=True, dir_okay=False),
    help="Set environment variables from this file, before '.env' and '.flaskenv'. Requires python-dotenv.",
    is_eager=True,
    expose_value=False,
    callback=_load_env_file,
)
_app_option = click.Option(
    ["-A", "--app"],
    metavar="IMPORT",
    help="The application or its factory: a module or file, optionally followed by a colon and a name or a call."
    " The names 'app', 'application', 'create_app' and 'make_app' are found automatically.",
    is_eager=True,
    expose_value=False,
    callback=_set_app,
)
debug_option = click.Option(["--debug/--no-debug"], help="Set debug mode.", expose_value=False, callback=_set_debug)
version_option = click.Option(
    ["--version"], help="Show the Flask version.", expose_value=False, callback=get_version, is_flag=True, is_eager=True
)


class FlaskGroup(AppGroup):
    """The `flask` command, with its own commands and those of installed packages and the application.

    ``create_app`` returns the application, for a command of your own. ``load_dotenv`` reads `.env` and `.flaskenv`.
    ``set_debug_flag`` sets the application's ``debug`` from the environment.
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
        """Return a command of the group or the application. For the latter, push the application context."""
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
        """Make the context of an invocation.

        Inside it, ``Flask.run`` does nothing, since a module may call ``run`` on import.
        """
        os.environ["FLASK_RUN_FROM_CLI"] = "true"
        if "obj" not in extra and "obj" not in self.context_settings:
            extra["obj"] = ScriptInfo(
                create_app=self.create_app, set_debug_flag=self.set_debug_flag, load_dotenv_defaults=self.load_dotenv
            )
        return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse arguments. A lone ``--help`` also reads the environment, to list the application's commands."""
        is_help = len(args) == 1 and args[0] in self.get_help_option_names(ctx)
        if is_help or (not args and self.no_args_is_help):
            for option in (_env_file_option, _app_option):
                option.handle_parse_result(ctx, {}, [])
        try:
            return super().parse_args(ctx, args)
        except BaseException:
            ctx.close()  # not yet in use: the search for a command pushes its own context
            raise


def _say(text: str) -> None:
    click.secho(f"{text}\n", err=True, fg="red")
