"""The search for an application: in a module, by a name or a call of a factory, or under the usual names."""

import ast
import inspect
import os
import sys
import traceback
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import click

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask

_APPS = ("app", "application")
_FACTORIES = ("create_app", "make_app")


class NoAppException(click.UsageError):
    """The error of a command that finds no application, or can't load it."""


def find_best_app(module: ModuleType) -> "Flask":
    """Return the application of a module: ``app`` or ``application``, the only one there, or that of a factory.

    Raises NoAppException.
    """
    found = [value for name in _APPS if _is_app(value := getattr(module, name, None))]
    found = found[:1] or [value for value in vars(module).values() if _is_app(value)]
    if len(found) > 1:
        raise NoAppException(
            f"The module '{module.__name__}' has several Flask applications: say which one is meant, as in"
            f" '{module.__name__}:name'."
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
                f"The factory '{name}' of the module '{module.__name__}' needs arguments: give them, as in"
                f" '{module.__name__}:{name}(\"production\")'.",
            )
            if _is_app(app):
                return cast("Flask", app)
    raise NoAppException(
        f"The module '{module.__name__}' has no Flask application or factory by a usual name: say which one is meant,"
        f" as in '{module.__name__}:name'."
    )


def find_app_by_string(module: ModuleType, app_name: str) -> "Flask":
    """Return the application that a name in a module means, or that a call such as ``create_app('dev')`` makes.

    Raises NoAppException.
    """
    name, args, kwargs = _parsed(app_name)
    try:
        found = getattr(module, name)
    except AttributeError as error:
        raise NoAppException(f"Failed to find attribute {name!r} in {module.__name__!r}.") from error
    if inspect.isfunction(found):
        reason = f"The factory {app_name!r} of the module {module.__name__!r} takes other arguments than these."
        found = _made_by(found, args, kwargs, reason)
    if _is_app(found):
        return cast("Flask", found)
    raise NoAppException(f"'{module.__name__}:{app_name}' is no Flask application, and no function that returns one.")


def _parsed(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Return the name, and the arguments of a call, none without one. Raises NoAppException."""
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
    """Call a factory. Raises NoAppException for the reason that arguments don't fit, and what the factory raises."""
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
    """Return the dotted name of a module by its path, and have its folder searched for modules first."""
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
    """Import a module and return its application, by a name or the usual ones.

    Raises NoAppException; for a module that is missing only with ``raise_if_not_found``, otherwise returns None.
    """
    try:
        __import__(module_name)
    except ImportError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next:  # raised within the module
            text = traceback.format_exc()
            raise NoAppException(f"While importing {module_name!r}, an ImportError was raised:\n\n{text}") from None
        if raise_if_not_found:
            raise NoAppException(f"Could not import {module_name!r}.") from None
        return None
    module = sys.modules[module_name]
    return find_best_app(module) if app_name is None else find_app_by_string(module, app_name)
