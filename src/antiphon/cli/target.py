"""A target, `module:app`: its syntax, its import, and errors that name what is wrong and the fix."""

import os
import sys
from types import FunctionType, ModuleType
from typing import NamedTuple

from antiphon.cli.errors import BadCommand
from antiphon.cli.importing import import_module
from antiphon.cli.interface import Interface, flaw


class Target(NamedTuple):
    """`shop.web:app` as its two parts; each a dotted name."""

    module: str
    attribute: str

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Raises `BadCommand` when `text` is not `module:app`."""
        module, _, attribute = text.partition(":")
        if _is_dotted_name(module) and _is_dotted_name(attribute) and not module.endswith(".py"):
            return cls(module, attribute)
        raise BadCommand(f"{text!r} is not a target: write MODULE:APP, such as {_guess(text)}.")

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"

    def load(self, asked: Interface | None) -> object:
        """Import the module, from the current directory if it is there, and return the application.

        Raises `BadCommand` for a module that is missing or fails, for a missing name, for what can't be served over
        the interface that was `asked` for, and for routes that are in each other's way.
        """
        folder = os.getcwd()
        if sys.path[:1] != [folder]:
            sys.path.insert(0, folder)
        module = import_module(self.module)
        found: object = module
        for name in self.attribute.split("."):
            if not hasattr(found, name):
                raise BadCommand(f"There is no {self.attribute!r} in {_place(module)}. {self._others(module)}")
            found = getattr(found, name)
        reason = flaw(found, asked)
        if reason is not None:
            raise BadCommand(f"{self} {reason}. {self._others(module)}")
        try:
            _plan(found)
        except ValueError as error:
            raise BadCommand(f"{self} can't be served: {error}.") from None
        return found

    def _others(self, module: ModuleType) -> str:
        names = [name for name, value in vars(module).items() if _looks_like_application(name, value)]
        if not names:
            return "Nothing in it looks like an application."
        return f"What looks like an application: {', '.join(f'{self.module}:{name}' for name in names)}."


def _plan(app: object) -> None:
    """Plan the routes of an application and of those in it: over WSGI that waits for the first request otherwise."""
    from antiphon.app import App  # late: it is imported already where it is needed

    if isinstance(app, App):
        app.freeze()
        for mount in app.mounts:
            _plan(mount.application)


def _is_dotted_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _guess(text: str) -> str:
    path, _, attribute = text.partition(":")
    module = path.removesuffix(".py").replace(os.sep, ".").strip(".")
    name = attribute or "app"
    return f"{module}:{name}" if _is_dotted_name(module) and _is_dotted_name(name) else "shop:app"


def _place(module: ModuleType) -> str:
    return f"the module {module.__name__!r} ({module.__file__ or 'a folder without __init__.py'})"


def _looks_like_application(name: str, value: object) -> bool:
    if name.startswith("_") or isinstance(value, type | ModuleType):
        return False
    if isinstance(value, FunctionType):
        return value.__code__.co_varnames[:1] in (("environ",), ("scope",))
    package = type(value).__module__.partition(".")[0]
    return package not in sys.stdlib_module_names and flaw(value, None) is None
