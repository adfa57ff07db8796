"""Bounds of JSON that are looked for before it is decoded."""

from collections.abc import Iterator
from itertools import accumulate

_ALL_BUT_OPENING = bytes(set(range(256)) - set(b"[{"))
_ALL_BUT_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")
_SLICE = 64 << 10
"""Bytes that are taken apart at once: what splits them makes an object of some 40 bytes for each string."""


def is_nested_deeper(data: bytes, depth: int) -> bool:
    """True if arrays and objects are nested more than ``depth`` deep: ``[{}]`` has a depth of 2.

    In malformed JSON only the part before the mistake counts, since a decoder reads no further.
    """
    if len(data) <= depth or len(data.translate(None, _ALL_BUT_OPENING)) <= depth:
        return False
    brackets, levels = _outside_strings(data), 0
    while brackets and 2 * len(within := brackets.replace(b"[]", b"")) <= len(brackets):
        brackets, levels = within, levels + 1
    steps = memoryview(brackets.translate(_STEPS)).cast("b")
    return levels + max(accumulate(steps), default=0) > depth


def _outside_strings(data: bytes) -> bytes:
    """Return the brackets outside of strings, all of them as square ones."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(_BRACKETS, _ALL_BUT_MARKS).replace(b'""', b"")
    return b"".join(_between_quotes(marks)) if b'"' in marks else marks


def _between_quotes(marks: bytes) -> Iterator[bytes]:
    """Yield the marks outside of strings: a string ends at every second quote."""
    within = 0
    for start in range(0, len(marks), _SLICE):
        pieces = marks[start : start + _SLICE].split(b'"')
        yield b"".join(pieces[within::2])
        within = (within + len(pieces) - 1) % 2
