"""The syntax of a route's path: literal segments and parameters, ``/users/<int:id>/posts/<slug>``."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

_PARAMETER = re.compile(r"<(?:([a-z_]\w*):)?([A-Za-z_]\w*)>", re.ASCII)


class Converter(NamedTuple):
    """How a segment of the path becomes a value. ``to_python`` raises ValueError for a segment that doesn't fit."""

    name: str
    to_python: Callable[[str], Any]
    rank: int
    """Of several parameters in one place, the lowest is tried first."""


def _whole_number(segment: str) -> int:
    if not segment.isdecimal() or not segment.isascii() or len(segment) > 19:
        raise ValueError(f"{segment[:20]!r} is not a whole number of at most 19 digits")
    return int(segment)


def _text(segment: str) -> str:
    if not segment:
        raise ValueError("a segment is not empty")
    return segment


CONVERTERS = {
    "int": Converter("int", _whole_number, 1),
    "str": Converter("str", _text, 9),
}


class Parameter(NamedTuple):
    """A segment that matches by its converter."""

    name: str
    converter: Converter


def parse_pattern(pattern: str) -> list[str | Parameter]:
    """The segments of a route's path, without the slash at its beginning. Raises ValueError where it is malformed."""
    if not pattern.startswith("/"):
        raise ValueError(f"a route's path begins with a slash: {pattern!r}")
    segments = [_segment(segment, pattern) for segment in pattern[1:].split("/")]
    names = [segment.name for segment in segments if isinstance(segment, Parameter)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{pattern!r} has several parameters named {', '.join(sorted(twice))}")
    return segments


def _segment(segment: str, pattern: str) -> str | Parameter:
    if "<" not in segment and ">" not in segment:
        return segment
    found = _PARAMETER.fullmatch(segment)
    if not found:
        raise ValueError(f"{segment!r} in {pattern!r} is neither literal nor one <name> or <converter:name>")
    converter = CONVERTERS.get(found[1] or "str")
    if converter is None:
        raise ValueError(f"{pattern!r}: no converter {found[1]!r}; there are {', '.join(sorted(CONVERTERS))}")
    return Parameter(found[2], converter)
