"""A report of an error: its chain of failures with their frames, and the request; all text, without secrets."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from antiphon.cli.debug.frames import Frame, frames_of, nearest_name, places_of, readable, source_lines
from antiphon.cli.debug.masking import Mask
from antiphon.cli.debug.request import Section, sections_of
from antiphon.cli.debug.values import Printer
from antiphon.cli.own_files import is_own, shown_path
from antiphon.request.request import Request

_LONGEST_CHAIN = 12
_MEMBERS = 10
_MESSAGE = 4_000
_NOTES = 20


class Failure(NamedTuple):
    """One error of a chain. ``relation`` is its relation to the previous one; ``members`` are the errors of a group."""

    relation: str
    kind: str
    message: str
    notes: tuple[str, ...]
    frames: tuple[Frame, ...]
    members: tuple["Failure", ...]
    members_left_out: int

    @property
    def summary(self) -> str:
        """The type and the message, as at the end of a traceback."""
        return f"{self.kind}: {self.message}" if self.message else self.kind

    @property
    def main_frame(self) -> Frame | None:
        """The innermost frame of the project's own code, or else the innermost frame."""
        own = [frame for frame in self.frames if frame.is_own]
        return own[-1] if own else self.frames[-1] if self.frames else None


class Report(NamedTuple):
    """The failures, the last one first, and the details of the request."""

    failures: tuple[Failure, ...]
    sections: tuple[Section, ...]


def report_of(error: BaseException, request: Request | None) -> Report:
    """Return the report of an error. It is made twice: secrets found by the first one are masked in the second."""
    mask = Mask()
    _report(error, request, mask)
    return _report(error, request, mask)


def _report(error: BaseException, request: Request | None, mask: Mask) -> Report:
    printer = Printer(mask)
    sections = sections_of(request, printer, mask) if request is not None else ()
    return Report(tuple(_Chain(printer, mask).failures(error)), sections)


class _Chain:
    """The failures of an error, each once."""

    def __init__(self, printer: Printer, mask: Mask) -> None:
        self._printer = printer
        self._mask = mask
        self._seen: set[int] = set()

    def failures(self, error: BaseException, relation: str = "") -> Iterator[Failure]:
        """Yield an error, then the error that it was raised from or while handling, and so on."""
        current = error
        for _ in range(_LONGEST_CHAIN):
            self._seen.add(id(current))
            yield self._failure(relation, current)
            if current.__cause__ is not None:
                relation, following = "It was raised from this error", current.__cause__
            elif current.__context__ is not None and not current.__suppress_context__:
                relation, following = "It was raised while this error was handled", current.__context__
            else:
                return
            if id(following) in self._seen:
                return
            current = following

    def _failure(self, relation: str, error: BaseException) -> Failure:
        frames = frames_of(places_of(error.__traceback__), self._printer, self._mask)
        members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        kept = [each for each in members[:_MEMBERS] if id(each) not in self._seen and len(self._seen) < 50]
        self._seen.update(map(id, kept))
        return Failure(
            relation,
            _kind(error),
            self._message(error),
            tuple(self._notes(error)),
            frames + _place_of_bad_syntax(error, self._mask),
            tuple(
                failure
                for number, each in enumerate(kept, 1)
                for failure in self.failures(each, f"Error {number} of the group")
            ),
            len(members) - len(kept),
        )

    def _message(self, error: BaseException) -> str:
        """Return the message. The app's own code makes its text, as for the log."""
        try:
            text = error.msg if isinstance(error, SyntaxError) else str(error)
        except Exception as broken:
            return f"<its message failed: {type(broken).__name__}>"
        near = nearest_name(error) if isinstance(error, NameError) else None
        return self._cleaned(f"{text}. Did you mean {near!r}?" if near else text)

    def _notes(self, error: BaseException) -> Iterator[str]:
        notes = getattr(error, "__notes__", ())
        if isinstance(notes, list | tuple):
            for note in notes[:_NOTES]:
                yield self._cleaned(note) if isinstance(note, str) else self._printer.show(note)

    def _cleaned(self, text: str) -> str:
        cleaned = self._mask.text(text)
        return cleaned if len(cleaned) <= _MESSAGE else f"{cleaned[:_MESSAGE]}..."


def _kind(error: BaseException) -> str:
    kind = type(error)
    name = readable(kind.__qualname__)
    return name if kind.__module__ in ("builtins", "__main__") else f"{readable(kind.__module__)}.{name}"


def _place_of_bad_syntax(error: BaseException, mask: Mask) -> tuple[Frame, ...]:
    """Return the place of a syntax error in source code, which no frame has run."""
    if not isinstance(error, SyntaxError) or not error.filename or not error.lineno:
        return ()
    path = error.filename
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            source = file.read(1 << 20).splitlines()
    except OSError:
        source = [""] * (error.lineno - 1) + [error.text or ""]
    start = (error.offset or 1) - 1
    end = (error.end_offset or 0) - 1 if error.end_lineno == error.lineno else start + 1
    text = source[error.lineno - 1] if error.lineno <= len(source) else ""
    columns = (_in_bytes(text, start), _in_bytes(text, max(end, start + 1)))
    lines = source_lines(source, error.lineno, (error.lineno, error.lineno, *columns), mask)
    own = is_own(os.path.abspath(path))
    return (Frame(readable(shown_path(path)), readable(path), error.lineno, "", lines, (), own),)


def _in_bytes(text: str, column: int) -> int:
    return len(text[:column].encode("utf-8", "replace"))
