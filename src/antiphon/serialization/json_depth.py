"""How deeply a JSON text is nested: found in linear time before it is decoded, since decoders recurse."""

from collections.abc import Iterator
from itertools import accumulate

from antiphon.http.limits import Limits

DEPTH = Limits().json_depth
"""How many arrays and objects may lie in one another, unless it is said."""

_ALL_BUT_OPENING = bytes(set(range(256)) - set(b"[{"))
_ALL_BUT_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")
_SLICE = 64 << 10
"""Bytes that are taken apart at once: what splits them makes an object of some 40 bytes for each string."""


def is_deeper(data: bytes, depth: int) -> bool:
    """Whether more than ``depth`` arrays and objects lie in one another: ``[{}]`` has a depth of 2.

    Of a malformed text it holds for the part before the mistake, which is all that a decoder reads.
    """
    if len(data) <= depth or len(data.translate(None, _ALL_BUT_OPENING)) <= depth:
        return False
    brackets, levels = _outside_strings(data), 0
    while brackets and 2 * len(within := brackets.replace(b"[]", b"")) <= len(brackets):
        brackets, levels = within, levels + 1
    steps = memoryview(brackets.translate(_STEPS)).cast("b")
    return levels + max(accumulate(steps), default=0) > depth


def _outside_strings(data: bytes) -> bytes:
    """The brackets of arrays and objects alike, as square ones."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(_BRACKETS, _ALL_BUT_MARKS).replace(b'""', b"")
    return b"".join(_between_quotes(marks)) if b'"' in marks else marks


def _between_quotes(marks: bytes) -> Iterator[bytes]:
    """What is outside of strings, which every second quote ends."""
    within = 0
    for start in range(0, len(marks), _SLICE):
        pieces = marks[start : start + _SLICE].split(b'"')
        yield b"".join(pieces[within::2])
        within = (within + len(pieces) - 1) % 2
