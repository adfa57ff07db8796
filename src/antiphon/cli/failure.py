"""Descriptions of why an application can't be loaded, in a few lines: the frames of the user's own files, the error."""

import importlib
import os
import traceback
from itertools import chain

from antiphon.cli.own_files import ANTIPHON, is_own
from antiphon.explanations.words import explain

_MOST_LINES = 15
_MOST_FRAMES = 6
_MACHINERY = (ANTIPHON, os.path.join(os.path.dirname(importlib.__file__), ""), "<frozen importlib")
"""Prefixes of the file names of frames between this command and the module, or between one module and the next."""


def explain_failure(what: str, error: BaseException) -> str:
    """Return at most fifteen lines: `what` failed, the place in the user's own files, and the error.

    A SyntaxError is shown with its line and a caret.
    """
    lines = [what, *map(_line, _most_useful(user_frames(error))), *_reason(error)]
    return "\n".join(lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "..."])


def user_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of an error, outermost first, without imports, this package and compiled code."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if not frame.filename.startswith(_MACHINERY) and frame.filename[-4:] != ".pyx"]


def _most_useful(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """Return the last frames of the project, or else the first other ones, and the frame that raised; each once."""
    own = [frame for frame in frames if is_own(frame.filename)]
    chosen = [*(own[1 - _MOST_FRAMES :] or frames[:1]), *frames[-1:]]
    return [frame for index, frame in enumerate(chosen) if frame not in chosen[:index]]


def _line(frame: traceback.FrameSummary) -> str:
    return f"  {frame.filename.removeprefix(_project())}, line {frame.lineno}: {frame.line}"


def _reason(error: BaseException) -> list[str]:
    """Return the lines for an error, for the error that it was raised from, and for the errors of a group."""
    if isinstance(error, SystemExit):
        return [f"It ended the process: SystemExit({error.code!r})"]
    explain(error)
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
    """Return a text in which the files of frames are relative to the current directory."""
    return text.replace(f'File "{_project()}', 'File "')


def _project() -> str:
    return os.path.join(os.getcwd(), "")
