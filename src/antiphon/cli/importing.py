"""Importing the module that a target names; the errors tell where it was looked for, or which line failed."""

import importlib
import os
import sys
import traceback
from types import ModuleType

import antiphon
from antiphon.cli.errors import BadCommand

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
    frames = _telling(_frames(error))
    lines = [f"  {_shown(frame.filename)}, line {frame.lineno}: {frame.line}" for frame in frames]
    if isinstance(error, SystemExit):
        reason = f"It ended the process: SystemExit({error.code!r})"
    else:
        reason = "".join(traceback.format_exception_only(error)).rstrip()
    return "\n".join([f"The module {name!r} was found, but its import failed:", *lines, reason])


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """The frames of the error, without those of the import itself."""
    machinery = (__file__, importlib.__file__, "<frozen importlib", _DIALECT_IMPORTS)
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if not frame.filename.startswith(machinery)]


def _telling(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """The line in the module itself, the last one in the project, and the one that raised; each once."""
    own = [frame for frame in frames if frame.filename.startswith(_project())]
    telling = [*frames[:1], *own[-1:], *frames[-1:]]
    return [frame for index, frame in enumerate(telling) if frame not in telling[:index]]


def _shown(path: str) -> str:
    return path.removeprefix(_project())


def _project() -> str:
    return os.path.join(os.getcwd(), "")
