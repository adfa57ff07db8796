"""Targets such as `module:app` or `development.ini`: finding, parsing and loading them, and explaining failures.

The search, by the usual names, imports nothing, since importing a module may have any effect.
"""

import ast
import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from inspect import Parameter
from itertools import chain
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import antiphon
from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import Choice, flaw, speaks
from antiphon.cli.settings import ENV_FILE, add_to_environment, setting
from antiphon.explanations import add_notes
from antiphon.handler.callables import describe, is_async, signature_of
from antiphon.lazy import compiled_late

ANTIPHON = os.path.join(os.path.dirname(antiphon.__file__), "")
"""The prefix of the paths to this package's files."""
_INSTALLED = compiled_late(r"[/\\](?:site|dist)-packages[/\\]")
_STDLIB = os.path.join(os.path.dirname(os.__file__), "")


def is_own(path: str) -> bool:
    """Return True for a file of the project: below the current directory, and neither installed nor Antiphon's."""
    if path.startswith(("<", ANTIPHON, _STDLIB)) or _INSTALLED.search(path):
        return False
    here = _here()
    return os.path.abspath(path).startswith(here) or os.path.realpath(path).startswith(os.path.realpath(here) + os.sep)


def _here() -> str:
    try:
        return os.path.join(os.getcwd(), "")
    except FileNotFoundError:  # it was removed
        return os.sep


def shown_path(path: str) -> str:
    """Return a path for people: relative to the current directory or to the installed packages, or else absolute."""
    installed = _INSTALLED.search(path)
    if installed:
        return path[installed.end() :]
    if path.startswith(ANTIPHON):
        return os.path.join("antiphon", path.removeprefix(ANTIPHON))
    return path.removeprefix(_STDLIB).removeprefix(_here())


_MOST_LINES = 15
_MOST_FRAMES = 6
_MACHINERY = (ANTIPHON, os.path.join(os.path.dirname(importlib.__file__), ""), "<frozen importlib")
"""Filename prefixes of the frames between this command and the module, or between one module and the next."""


def explain_failure(what: str, error: BaseException) -> str:
    """Return at most fifteen lines: what failed, where in the user's own files, and the error.

    A SyntaxError is shown with its line and a caret.
    """
    lines = [what, *map(_line, _most_useful(user_frames(error))), *_reason(error)]
    return "\n".join(lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "..."])


def user_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of an error, outermost first, without imports, this package and compiled code."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if not frame.filename.startswith(_MACHINERY) and frame.filename[-4:] != ".pyx"]


def _most_useful(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """Return the project's last frames, or else the first frame of other code, and the frame that raised, each once."""
    own = [frame for frame in frames if is_own(frame.filename)]
    chosen = [*(own[1 - _MOST_FRAMES :] or frames[:1]), *frames[-1:]]
    return [frame for index, frame in enumerate(chosen) if frame not in chosen[:index]]


def _line(frame: traceback.FrameSummary) -> str:
    return f"  {frame.filename.removeprefix(_project())}, line {frame.lineno}: {frame.line}"


def _reason(error: BaseException) -> list[str]:
    """Return the lines that describe an error, the error that it was raised from, and the errors in a group."""
    if isinstance(error, SystemExit):
        return [f"It ended the process: SystemExit({error.code!r})"]
    add_notes(error)
    text = _shown("".join(traceback.format_exception_only(error)))
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    below = chain(
        *([*map(_line, _most_useful(user_frames(each))[-1:]), f"  {_short(each)}"] for each in inner),
        [f"  raised from {_short(error.__cause__)}"] if error.__cause__ else [],
    )
    return [*text.rstrip().splitlines(), *below]


def _short(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].partition("\n")[0]


def _shown(text: str) -> str:
    """Return the text with the paths of frames relative to the current directory."""
    return text.replace(f'File "{_project()}', 'File "')


def _project() -> str:
    return os.path.join(os.getcwd(), "")


NAMES = ("app", "application", "create_app", "make_app")
"""The usual names of applications and of functions that create them."""


def import_module(name: str) -> ModuleType:
    """Import a module. Raises `BadCommand` with the places searched, or with the error in the module."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name is not None and f"{name}.".startswith(f"{error.name}.")
        if missing and not user_frames(error):
            raise BadCommand(_not_found(error)) from None
        raise _failed_import(name, error) from error
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # a module may raise anything
        raise _failed_import(name, error) from error


def _not_found(error: ModuleNotFoundError) -> str:
    here, *others = sys.path
    places = [f"{here} (the current directory)", *filter(os.path.exists, others)]
    return "\n  ".join([f"{error}. These places were searched:", *places])


def _failed_import(name: str, error: BaseException) -> BadCommand:
    return BadCommand(explain_failure(f"The module {name!r} was found, but its import failed:", error))


class Target(NamedTuple):
    """The two parts of a target such as `shop.web:app`, each a dotted name. The second may be followed by `()`."""

    module: str
    attribute: str

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Parse `module:app`, or the path of a settings file. Raises `BadCommand`."""
        if text.partition("#")[0].endswith(".ini"):
            return IniFile.parse(text)
        module, _, attribute = text.partition(":")
        if _is_dotted_name(module) and _is_dotted_name(attribute.removesuffix("()")) and not module.endswith(".py"):
            return cls(module, attribute)
        raise BadCommand(f"{text!r} is not a target: write MODULE:APP, such as {_guess(text)}.")

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"

    def load(self, requested: Choice | None) -> object:
        """Import the module, preferably from the current directory, and return the application.

        A function without arguments is called to create the application. `main(global_config, **settings)`, a factory
        for PasteDeploy's settings files, is called without settings. Raises `BadCommand` if the module, the name or the
        function is missing or fails, if the object can't be served over the requested interface, if routes conflict, or
        if importing pages fails.
        """
        _look_here()
        module = import_module(self.module)
        found: object = module
        for name in self.attribute.removesuffix("()").split("."):
            if not hasattr(found, name):
                raise BadCommand(f"There is no {self.attribute!r} in {_described(module)}. {self._others(module)}")
            found = getattr(found, name)
        is_made = self.attribute.endswith("()") or _makes_application(found)
        found = self._made_by(found) if is_made else found
        reason = flaw(found, requested and requested.interface)
        if reason is not None:
            fix = "" if is_made or not isinstance(found, FunctionType | MethodType) else self._fix(found)
            raise BadCommand(
                f"{self} {'returned an object that ' if is_made else ''}{reason}. {fix or self._others(module)}"
            )
        try:
            _plan(found)
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # pages are imported, and can raise anything
            if isinstance(error, ValueError) and not user_frames(error):
                raise BadCommand(f"{self} can't be served: {error}.") from None
            raise BadCommand(explain_failure(f"{self} was found, but can't be served:", error)) from error
        return found

    def _made_by(self, function: Any) -> object:
        if not callable(function):
            raise BadCommand(f"{self} is of type {type(function).__name__}, not a function: leave out the ().")
        is_configured = _is_paste_factory(function)
        if not (is_configured or _needs_nothing(function)):
            raise BadCommand(f"{self} can't be called: {describe(function)} needs arguments. {self._fix(function)}")
        if is_async(function):
            raise BadCommand(f"{self} can't be called: {describe(function)} is async. Make it a plain def.")
        try:
            return function({}) if is_configured else function()
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            raise BadCommand(
                explain_failure(f"{self} was called, but failed to create an application:", error)
            ) from error

    def _fix(self, function: Callable[..., object]) -> str:
        """Return the fix for a function that may create the application but needs arguments."""
        needed = ", ".join(each.name for each in _parameters(function))
        name = self.attribute.removesuffix("()")
        return (
            f"If {name}({needed}) makes the application, give its arguments defaults, or call it in the module:"
            f" app = {name}(...), and name {self.module}:app."
        )

    def _others(self, module: ModuleType) -> str:
        names = [name for name, value in vars(module).items() if _looks_like_application(name, value, module)]
        if not names:
            return "Nothing in it looks like an application."
        return f"These look like applications: {', '.join(f'{self.module}:{name}' for name in names)}."


class IniFile(Target):
    """A target that is a settings file in PasteDeploy's format: its path, and the name of the application in it.

    An empty name means the application named `main`.
    """

    @classmethod
    def parse(cls, text: str) -> "IniFile":
        """Parse `development.ini` or `development.ini#name`."""
        path, _, name = text.partition("#")
        return cls(path, name)

    def __str__(self) -> str:
        return f"{self.module}#{self.attribute}" if self.attribute else self.module

    def load(self, requested: Choice | None) -> object:
        """Set up logging if the file configures it, and return the application that the file describes.

        Raises `BadCommand` if the file is missing or invalid, if the application can't be created or can't be served
        over the requested interface, or if plaster is not installed.
        """
        _look_here()
        if not os.path.isfile(self.module):
            raise BadCommand(f"There is no file {self.module!r} in {os.getcwd()}.")
        loader = self._loader()
        try:
            if "loggers" in loader.get_sections():
                loader.setup_logging()
            found: object = loader.get_wsgi_app()
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # applications may raise anything
            raise BadCommand(explain_failure(f"{self} was read, but its application can't be made:", error)) from error
        reason = flaw(found, requested and requested.interface)
        if reason is not None:
            raise BadCommand(f"{self} describes an object that {reason}.")
        return found

    def _loader(self) -> Any:
        try:
            import plaster
            import plaster_pastedeploy  # noqa: F401 - plaster finds this reader of the files
        except ImportError:
            raise BadCommand(
                f"{self} is read with plaster, which is not installed. Install it: pip install 'antiphon[pyramid]'"
            ) from None
        return plaster.get_loader(str(self), protocols=["wsgi"])


def find_target(text: str | None) -> Target:
    """Return the given target, or the target in ANTIPHON_APP, or else the application in the current directory.

    Raises `BadCommand` for a malformed target, or if the current directory contains none or several.
    """
    text = text or setting("ANTIPHON_APP")
    if text:
        return Target.parse(text)

    return find()


def _look_here() -> None:
    """Read the `.env` file in the current directory, and make Python look for modules in this directory first."""
    add_to_environment(ENV_FILE)
    folder = os.getcwd()
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)


def _makes_application(found: object) -> bool:
    if not isinstance(found, FunctionType | MethodType):
        return False
    takes_any = any(each.kind is each.VAR_POSITIONAL for each in _parameters(found))  # an application may have *args
    return not takes_any and (_needs_nothing(found) or _is_paste_factory(found))


def _is_paste_factory(function: Callable[..., object]) -> bool:
    match list(_parameters(function)):
        case [first, rest]:
            return first.name in ("global_config", "global_conf") and rest.kind is rest.VAR_KEYWORD
        case _:
            return False


def _needs_nothing(function: Callable[..., object]) -> bool:
    some = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return all(each.default is not each.empty or each.kind in some for each in _parameters(function))


def _parameters(function: Callable[..., object]) -> Iterable[Parameter]:
    return signature_of(function).parameters.values()


def _plan(app: object) -> None:
    """Plan the routes of an app and its mounted apps. Otherwise, the first request over WSGI would do that."""
    from antiphon.adapters.servable import Servable  # imported late: if it is needed, it is already imported
    from antiphon.app.application import App

    if isinstance(app, App):
        app._freeze()
        for mount in app.mounts:
            _plan(mount.application)
    elif isinstance(app, Servable) and callable(freeze := getattr(app, "freeze", None)):
        freeze()  # a dialect's own


def _is_dotted_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _guess(text: str) -> str:
    path, _, attribute = text.partition(":")
    module = path.removesuffix(".py").replace(os.sep, ".").strip(".")
    name = attribute or "app"
    return f"{module}:{name}" if _is_dotted_name(module) and _is_dotted_name(name) else "shop:app"


def _described(module: ModuleType) -> str:
    return f"the module {module.__name__!r} ({module.__file__ or 'a folder without __init__.py'})"


def _looks_like_application(name: str, value: object, module: ModuleType) -> bool:
    if name.startswith("_") or isinstance(value, type | ModuleType):
        return False
    if isinstance(value, FunctionType):
        is_usual = name in NAMES or value.__code__.co_varnames[:1] in (("environ",), ("scope",))
        return is_usual or (_needs_nothing(value) and _returns_application(value, module))
    package = type(value).__module__.partition(".")[0]
    return package not in sys.stdlib_module_names and flaw(value, None) is None


def _returns_application(function: FunctionType, module: ModuleType) -> bool:
    """Return True if a function is annotated to return a servable object."""
    returned = function.__annotations__.get("return")
    if isinstance(returned, str):
        returned = vars(module).get(returned)
    return isinstance(returned, type) and speaks(returned)


_CLASSES = {"App", "Asok", "FastAPI", "Flask", "Microdot", "Quart", "Starlette"}
"""The usual classes of applications."""
_NAME = rf"({'|'.join(NAMES)})\b"
_is_bound = compiled_late(rf"^(?:(?:async +)?def +{_NAME}|{_NAME} *(?:[,=](?!=)|:))", re.MULTILINE)
"""Match the usual names in a module with a syntax error, which is reported when the module is imported."""
_TESTS = compiled_late(r"conftest|setup|tests?|tests?_.*|.*_tests?")
_MOST_SHOWN = 20


class Module(NamedTuple):
    """Facts about a module, read from its source without importing it."""

    bound: set[str]
    """Names that the module defines."""
    imported: set[str]
    """Names that the module imports from other modules."""
    likely: set[str]
    """Names of instances of an application class, and of functions without arguments that return an instance."""

    @classmethod
    def parse(cls, text: str) -> "Module":
        """Parse a module's source, which may be invalid."""
        try:
            statements = ast.parse(text).body
        except (SyntaxError, ValueError):
            return cls({name for groups in _is_bound.findall(text) for name in groups}, set(), set())
        found = cls(set(), set(), set())
        for each in statements:
            if isinstance(each, ast.ImportFrom):
                found.imported.update(alias.asname or alias.name for alias in each.names)
            for name, made_by in _definitions(each):
                found.bound.add(name)
                if made_by is not None and ast.unparse(made_by).rpartition(".")[2].strip("'\"") in _CLASSES:
                    found.likely.add(name)
        return found


def _definitions(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names that a statement defines, each with the object's class if the statement shows it."""
    match statement:
        case ast.FunctionDef(name=name, args=arguments) | ast.AsyncFunctionDef(name=name, args=arguments):
            needed = len(arguments.posonlyargs + arguments.args) - len(arguments.defaults)
            yield name, statement.returns if not needed and isinstance(statement, ast.FunctionDef) else None
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                for each in ast.walk(target):
                    if isinstance(each, ast.Name):
                        yield each.id, value.func if isinstance(value, ast.Call) else None
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            yield name, value.func if isinstance(value, ast.Call) else None


def find() -> Target:
    """Find the only application in the modules of the current directory, or else in its packages' own modules.

    Modules that only import an application are considered if no module creates one. Raises `BadCommand` unless there is
    exactly one.
    """
    tried: dict[Path, Module] = {}
    for patterns in (("*.py", "*/__init__.py"), ("*/*.py",)):
        paths = [path for each in patterns for path in _modules(each)]
        modules = {path: Module.parse(path.read_text("utf-8", "replace")) for path in paths}
        tried |= modules
        for kind in ("bound", "imported"):
            named = {path: _first(getattr(module, kind)) for path, module in modules.items()}
            found = [Target(_dotted(path), name) for path, name in named.items() if name]
            if len(found) > 1:
                raise BadCommand(f"Several applications were found, so name one: {', '.join(map(str, sorted(found)))}.")
            if found:
                return found[0]
    raise BadCommand(_nothing(tried))


def _modules(pattern: str) -> list[Path]:
    found = (path for path in sorted(Path().glob(pattern)) if path.is_file())
    return [path for path in found if not any(map(_TESTS.fullmatch, path.with_suffix("").parts)) and _dotted(path)]


def _dotted(path: Path) -> str:
    """Return a module's name; empty if it can't have one, as for a script `back-up.py`."""
    parts = path.with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__") if all(part.isidentifier() for part in parts) else ""


def _first(names: set[str]) -> str:
    return next((name for name in NAMES if name in names), "")


def _nothing(tried: dict[Path, Module]) -> str:
    if not tried:
        return f"No application was named, and {Path.cwd()} has no modules. Name one as MODULE:APP."
    shown = [str(path) for path in [*tried][:_MOST_SHOWN]] + ["..."] * (len(tried) > _MOST_SHOWN)
    likely = [f"{_dotted(path)}:{name}" for path, module in tried.items() for name in sorted(module.likely)]
    offer = f" These look like applications: {', '.join(likely[:_MOST_SHOWN])}." if likely else ""
    return (
        f"No application was named, and none was found in {Path.cwd()}. The command looked for {', '.join(NAMES)} in"
        f" {', '.join(shown)}.{offer} Name one as {likely[0] if likely else 'MODULE:APP'}."
    )
