"""Bounds that are checked before JSON is decoded: its depth, numbers that are slow to read, and NULs."""

import re
import sys
from collections.abc import Iterator
from itertools import accumulate, islice

from antiphon.speedups import accelerated

NO_BOUND, DEPTH_BOUND, SLOW_NUMBERS, NULS = 0, 1, 2, 4
"""The bounds that JSON text exceeds: none, the maximum depth, the maximum number of numbers that msgspec reads slowly,
and the maximum number of NULs.
"""

MOST_SLOW_NUMBERS = 1000
"""The maximum number of numbers with a three-digit exponent that are read like other numbers."""
ANY_NUMBER = sys.maxsize
"""As a bound, for text that may contain any number of NULs."""

_SLOW_EXPONENT = len("e000")
_NUL = rb"\u0000"
_backslashes = re.compile(rb"\\(?:\\|u0000)").finditer
SHORT = MOST_SLOW_NUMBERS * _SLOW_EXPONENT
"""The maximum size, in bytes, of JSON text that can't contain more of them."""

_ALL_BUT_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")
_SLICE = 64 << 10
"""The number of bytes split at a time, because splitting creates an object of about 40 bytes for each string."""


@accelerated
def crossed_bounds(data: bytes, depth: int, most: int, nuls: int, /) -> int:
    """Return the bounds that JSON exceeds, as one number.

    ``DEPTH_BOUND``: arrays and objects are nested more than ``depth`` deep. ``[{}]`` has a depth of 2. In malformed
    JSON, only the text before the mistake is examined, because a decoder reads no further.

    ``SLOW_NUMBERS``: more than ``most`` numbers have an exponent of three digits, such as 5e-324 and 1e308. msgspec, up
    to 0.22, reads most floats in 20 nanoseconds. But a float at the end of its range, or halfway between two others,
    takes up to 20 microseconds, longer with larger exponents.

    ``NULS``: more than ``nuls`` are in names and strings, where they are escaped.

    Text that is nested too deep is not examined any further.
    """
    if _is_nested_deeper(data, depth):
        return DEPTH_BOUND
    return SLOW_NUMBERS * _has_slow_numbers(data, most) | NULS * _has_more_nuls(data, nuls)


def _is_nested_deeper(data: bytes, depth: int) -> bool:
    if len(data) <= depth or data.count(b"[") + data.count(b"{") <= depth:
        return False
    brackets, levels = _bracket_sequence(data), 0
    while brackets and 2 * len(within := brackets.replace(b"[]", b"")) <= len(brackets):
        brackets, levels = within, levels + 1
    steps = memoryview(brackets.translate(_STEPS)).cast("b")
    return levels + max(accumulate(steps, initial=0)) > depth


def _bracket_sequence(data: bytes) -> bytes:
    """Return the brackets outside strings, all converted to square brackets."""
    marks = _without_escapes(data).translate(_BRACKETS, _ALL_BUT_MARKS).replace(b'""', b"")
    return b"".join(_replace_strings(marks, b"")) if b'"' in marks else marks


def _without_escapes(data: bytes) -> bytes:
    """Replace escaped quotes and backslashes."""
    return data.replace(b"\\\\", b".").replace(b'\\"', b".") if data.find(b"\\") >= 0 else data


def _replace_strings(data: bytes, replacement: bytes) -> Iterator[bytes]:
    """Yield the text with each string, or part of a string, replaced. A string ends at every second quote."""
    within = 0
    for start in range(0, len(data), _SLICE):
        pieces = data[start : start + _SLICE].split(b'"')
        pieces[1 - within :: 2] = [replacement] * len(pieces[1 - within :: 2])
        yield b"".join(pieces)
        within = (within + len(pieces) - 1) % 2


_PLAIN_EXPONENTS = bytes.maketrans(b"123456789E", b"000000000e")
_find_three_digits = re.compile(b"e000").finditer
_find_slow_exponents = re.compile(b"[eE][-+]?[0-9]{3}").finditer


def _has_slow_numbers(data: bytes, most: int) -> bool:
    if len(data) <= most * _SLOW_EXPONENT:
        return False
    # Most documents contain none, inside or outside strings, which can be checked without splitting.
    if not _has_more(_find_three_digits(data.translate(_PLAIN_EXPONENTS, b"+-")), most):
        return False
    text = b"".join(_replace_strings(_without_escapes(data), b'"'))
    return _has_more(_find_slow_exponents(text), most)


def _has_more_nuls(data: bytes, most: int) -> bool:
    found = (each for each in _backslashes(data) if each[0] == _NUL)
    return data.count(_NUL) > most and _has_more(found, most)


def _has_more(found: Iterator[object], most: int) -> bool:
    return next(islice(found, most, None), None) is not None
