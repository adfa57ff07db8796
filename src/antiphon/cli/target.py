"""A target, `module:app`: its syntax, its import, and errors that name the mistake and the fix."""

import importlib
import os
import sys
import traceback
from types import FunctionType, ModuleType
from typing import NamedTuple

import antiphon
from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import Interface, flaw

_DIALECT_IMPORTS = os.path.join(os.path.dirname(antiphon.__file__), "dialect_imports", "")


def import_module(name: str) -> ModuleType:
    """Import `name`. Raises `BadCommand` with the places searched, or with the error in the module."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name is not None and f"{name}.".startswith(f"{error.name}.")
        message = _not_found(error) if missing and not _frames(error) else _failed(name, error)
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # a module may raise anything
        message = _failed(name, error)
    raise BadCommand(message)


def _not_found(error: ModuleNotFoundError) -> str:
    here, *others = sys.path
    places = [f"{here} (the current directory)", *filter(os.path.exists, others)]
    return "\n  ".join([f"{error}. These places were searched:", *places])


def _failed(name: str, error: BaseException) -> str:
    frames = _most_useful(_frames(error))
    lines = [f"  {_shown(frame.filename)}, line {frame.lineno}: {frame.line}" for frame in frames]
    if isinstance(error, SystemExit):
        reason = f"It ended the process: SystemExit({error.code!r})"
    else:
        reason = "".join(traceback.format_exception_only(error)).rstrip()
    return "\n".join([f"The module {name!r} was found, but its import failed:", *lines, reason])


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of the error, without those of the import itself."""
    machinery = (__file__, importlib.__file__, "<frozen importlib", _DIALECT_IMPORTS)
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if not frame.filename.startswith(machinery)]


def _most_useful(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """Return the frame of the module itself, the project's last one, and the one that raised; each once."""
    own = [frame for frame in frames if frame.filename.startswith(_project())]
    chosen = [*frames[:1], *own[-1:], *frames[-1:]]
    return [frame for index, frame in enumerate(chosen) if frame not in chosen[:index]]


def _shown(path: str) -> str:
    return path.removeprefix(_project())


def _project() -> str:
    return os.path.join(os.getcwd(), "")


class Target(NamedTuple):
    """The two parts of a target such as `shop.web:app`, each a dotted name."""

    module: str
    attribute: str

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Parse `module:app`. Raises `BadCommand`."""
        module, _, attribute = text.partition(":")
        if _is_dotted_name(module) and _is_dotted_name(attribute) and not module.endswith(".py"):
            return cls(module, attribute)
        raise BadCommand(f"{text!r} is not a target: write MODULE:APP, such as {_guess(text)}.")

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"

    def load(self, requested: Interface | None) -> object:
        """Import the module, from the current directory if it is there, and return the application.

        Raises `BadCommand` for a module that is missing or fails, for a missing name, for an object that can't be
        served over the requested interface, and for routes that conflict.
        """
        folder = os.getcwd()
        if sys.path[:1] != [folder]:
            sys.path.insert(0, folder)
        module = import_module(self.module)
        found: object = module
        for name in self.attribute.split("."):
            if not hasattr(found, name):
                raise BadCommand(f"There is no {self.attribute!r} in {_described(module)}. {self._others(module)}")
            found = getattr(found, name)
        reason = flaw(found, requested)
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
    """Plan the routes of an application and of those mounted in it. Over WSGI, the first request would do that."""
    from antiphon.app.application import App  # late: it is imported already where it is needed

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


def _described(module: ModuleType) -> str:
    return f"the module {module.__name__!r} ({module.__file__ or 'a folder without __init__.py'})"


def _looks_like_application(name: str, value: object) -> bool:
    if name.startswith("_") or isinstance(value, type | ModuleType):
        return False
    if isinstance(value, FunctionType):
        return value.__code__.co_varnames[:1] in (("environ",), ("scope",))
    package = type(value).__module__.partition(".")[0]
    return package not in sys.stdlib_module_names and flaw(value, None) is None
