"""The frames of a traceback: whose code they run, the source with the failing expression marked, and the locals."""

import linecache
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import groupby, islice
from types import CodeType, FrameType, TracebackType
from typing import NamedTuple, TypeAlias

from antiphon.cli.debug.values import Printer
from antiphon.cli.target import is_own, shown_path
from antiphon.features.masking import Mask

_BEFORE, _AFTER = 5, 4
"""The number of lines of source to show around a line."""
_WIDTH, _LONGEST = 500, 5_000
"""The number of a line's characters to show, and the number to search for secrets first."""
_LITERAL = 40
"""The maximum number of lines that are recognized as parts of the same literal, such as a key."""
_TAB = 4
_LOCALS = 40
_FIRST, _LAST = 15, 35
"""How many of the first and the last frames of a longer stack to show."""
_words = re.compile(r"\w+").findall


Positions: TypeAlias = tuple[int | None, int | None, int | None, int | None]
"""The first and last line, and the first and last column, in bytes."""
_NOWHERE: Positions = (None, None, None, None)


class Line(NamedTuple):
    """A line of source. ``start`` and ``end`` are the columns of the failing expression; both are 0 without one."""

    number: int
    text: str
    start: int = 0
    end: int = 0


class Frame(NamedTuple):
    """A location in the code. ``repeats`` is the number of frames left out directly after it."""

    file: str
    """The path for people: relative to the current directory or the installed packages."""
    path: str
    line: int
    function: str
    lines: tuple[Line, ...]
    variables: tuple[tuple[str, str], ...]
    is_own: bool
    """True for a file of the project: below the current directory, and not installed."""
    repeats: int = 0

    @property
    def code(self) -> str:
        """The source line that ran, without its indentation."""
        return next((line.text.strip() for line in self.lines if line.number == self.line), "")


class Place(NamedTuple):
    """A Python frame object, its line, and the offset of the instruction that ran."""

    frame: FrameType
    line: int
    instruction: int


def places_of(traceback: TracebackType | None) -> list[Place]:
    """Return the places in a traceback, outermost first, except those in Python's import machinery."""
    places: list[Place] = []
    while traceback is not None:
        frame = traceback.tb_frame
        if not frame.f_code.co_filename.startswith("<frozen importlib"):
            line = traceback.tb_lineno or frame.f_code.co_firstlineno
            places.append(Place(frame, line, traceback.tb_lasti))
        traceback = traceback.tb_next
    return places


def _positions(code: CodeType, instruction: int) -> Positions:
    if not code.co_filename.endswith((".py", ".pyw")):  # a compiled template's columns are those of its Python code
        return _NOWHERE
    return next(islice(code.co_positions(), max(instruction, 0) // 2, None), _NOWHERE)


def frames_of(places: list[Place], printer: Printer, mask: Mask) -> tuple[Frame, ...]:
    """Return the frames for places. Repetitions become one frame, and the middle of a deep stack is left out."""
    folded = list(_folded(places))
    if len(folded) > _FIRST + _LAST:
        middle = folded[_FIRST:-_LAST]
        last, repeats = folded[_FIRST - 1]
        left_out = repeats + sum(1 + each for _, each in middle)
        folded[_FIRST - 1 : -_LAST] = [(last, left_out)]
    return tuple(_frame(place, repeats, printer, mask) for place, repeats in folded)


def _folded(places: Iterable[Place]) -> Iterator[tuple[Place, int]]:
    """Yield each place with the number of places left out after it. For a recursion, only the first and last place are
    kept.
    """
    for _, group in groupby(places, key=lambda place: (place.frame.f_code, place.line)):
        first, *others = group
        yield first, max(len(others) - 1, 0)
        if others:
            yield others[-1], 0


def _frame(place: Place, repeats: int, printer: Printer, mask: Mask) -> Frame:
    code, path = place.frame.f_code, place.frame.f_code.co_filename
    own = is_own(path)
    linecache.checkcache(path)
    source = linecache.getlines(path, place.frame.f_globals)
    return Frame(
        file=readable(mask.known(shown_path(path))),
        path=readable(mask.known(path)),
        line=place.line,
        function=readable(mask.known(_name(code))),
        lines=source_lines(source, place.line, _positions(code, place.instruction), mask),
        variables=tuple(_variables(place, source, printer)) if own else (),
        is_own=own,
        repeats=repeats,
    )


def _name(code: CodeType) -> str:
    """Return the name of a function or of a template's block, whose qualified name Jinja2 leaves as "<module>"."""
    return code.co_name if code.co_qualname == "<module>" else code.co_qualname


def source_lines(source: list[str], line: int, positions: Positions, mask: Mask) -> tuple[Line, ...]:
    """Return the lines around a line, with the part between two positions marked."""
    first, last, start, end = positions
    if first is None or last is None or start is None or end is None or not first <= line <= last:
        first = last = line
        start = end = None
    numbers = range(max(line - _BEFORE, 1), min(max(line, min(last, line + _AFTER)) + _AFTER, len(source)) + 1)
    lines = []
    masked = _masked(source, numbers, mask)
    for number in numbers:
        text = source[number - 1].rstrip()[:_LONGEST]
        marked = (0, 0)
        if first <= number <= last:
            marked = _marked(text, start if number == first else None, end if number == last else None)
        shown = masked[number].expandtabs(_TAB)
        start_shown, end_shown = marked if shown == text.expandtabs(_TAB) else _whole(shown, marked)
        lines.append(Line(number, shown[:_WIDTH], min(start_shown, _WIDTH), min(end_shown, _WIDTH)))
    return tuple(lines)


def _masked(source: list[str], numbers: range, mask: Mask) -> dict[int, str]:
    """Return the lines with these numbers, with secrets masked. A literal may begin long before the first line."""
    first = max(numbers.start - _LITERAL, 1)
    text = "\n".join(line.rstrip()[:_LONGEST] for line in source[first - 1 : numbers.stop - 1])
    return dict(enumerate(mask.code(text).split("\n"), first))


def _marked(text: str, start: int | None, end: int | None) -> tuple[int, int]:
    """Return the columns of part of a line that is given in bytes; None means the beginning or end of its text."""
    encoded = text.encode("utf-8", "replace")
    begins = len(text) - len(text.lstrip()) if start is None else len(encoded[:start].decode("utf-8", "replace"))
    ends = len(text) if end is None else len(encoded[:end].decode("utf-8", "replace"))
    if text[begins:ends].isspace():  # an indentation error
        ends = len(text)
    return len(text[:begins].expandtabs(_TAB)), len(text[: max(begins, ends)].expandtabs(_TAB))


def _whole(text: str, marked: tuple[int, int]) -> tuple[int, int]:
    """Return the columns of all text in a line if part of it was marked before masking changed the line."""
    return (len(text) - len(text.lstrip()), len(text)) if any(marked) else (0, 0)


def _variables(place: Place, source: list[str], printer: Printer) -> Iterator[tuple[str, str]]:
    """Yield the locals and the globals that the line uses, with their values; names in that line come first.

    For a module, these are all its names.
    """
    frame = place.frame
    mentioned = set(_words(source[place.line - 1])) if 0 < place.line <= len(source) else set()
    is_module = frame.f_code.co_qualname == "<module>"  # or a template, whose globals are Jinja2's own
    kept = {name: value for name, value in dict(frame.f_locals).items() if not is_module or _is_data(name, value)}
    for name in () if is_module else _globals_read(frame.f_code):
        if name in mentioned and name in frame.f_globals and _is_data(name, frame.f_globals[name]):
            kept[name] = frame.f_globals[name]
    names = sorted(kept, key=lambda name: name not in mentioned)
    for name in names[:_LOCALS]:
        yield readable(name), printer.show(kept[name], name)
    if len(names) > _LOCALS:
        yield "...", f"{len(names) - _LOCALS} more"


def _globals_read(code: CodeType) -> list[str]:
    from dis import get_instructions

    return [each.argval for each in get_instructions(code) if each.opname == "LOAD_GLOBAL"]


def _is_data(name: str, value: object) -> bool:
    return not name.startswith("__") and type(value).__name__ not in ("module", "function", "type")


def readable(text: str) -> str:
    """Return the text with characters replaced that UTF-8 can't encode."""
    return text.encode("utf-8", "replace").decode()


def stack_of(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame and its callers, innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def nearest_name(error: NameError) -> str | None:
    """Return the name in an error's innermost frame that is most similar to the missing name."""
    name, places = getattr(error, "name", None), places_of(error.__traceback__)
    if not isinstance(name, str) or not places:
        return None
    frame = places[-1].frame
    known = {*frame.f_locals, *frame.f_globals, *frame.f_builtins} - {name}
    return next(iter(get_close_matches(name, [each for each in known if isinstance(each, str)], 1, 0.7)), None)
