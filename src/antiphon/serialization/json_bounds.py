"""Bounds of JSON that are looked for before it is decoded: its depth, and numbers that take long to read."""

import re
from collections.abc import Iterator
from itertools import accumulate, islice

from antiphon.speedups import accelerated

_ALL_BUT_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")
_SLICE = 64 << 10
"""Bytes that are taken apart at once: what splits them makes an object of some 40 bytes for each string."""


@accelerated
def is_nested_deeper(data: bytes, depth: int, /) -> bool:
    """True if arrays and objects are nested more than ``depth`` deep: ``[{}]`` has a depth of 2.

    In malformed JSON only the part before the mistake counts, since a decoder reads no further.
    """
    if len(data) <= depth or data.count(b"[") + data.count(b"{") <= depth:
        return False
    brackets, levels = _outside_strings(data), 0
    while brackets and 2 * len(within := brackets.replace(b"[]", b"")) <= len(brackets):
        brackets, levels = within, levels + 1
    steps = memoryview(brackets.translate(_STEPS)).cast("b")
    return levels + max(accumulate(steps, initial=0)) > depth


def _outside_strings(data: bytes) -> bytes:
    """Return the brackets outside of strings, all of them as square ones."""
    marks = _without_escaped_quotes(data).translate(_BRACKETS, _ALL_BUT_MARKS).replace(b'""', b"")
    return b"".join(_between_quotes(marks)) if b'"' in marks else marks


def _without_escaped_quotes(data: bytes) -> bytes:
    return data.replace(b"\\\\", b"").replace(b'\\"', b"") if data.find(b"\\") >= 0 else data


def _between_quotes(data: bytes) -> Iterator[bytes]:
    """Yield the bytes outside of strings: a string ends at every second quote."""
    within = 0
    for start in range(0, len(data), _SLICE):
        pieces = data[start : start + _SLICE].split(b'"')
        yield b"".join(pieces[within::2])
        within = (within + len(pieces) - 1) % 2


MOST_SLOW_NUMBERS = 1000
"""How many numbers with an exponent of three digits are read as all others are."""

SIZE_OF_MANY = 6 * MOST_SLOW_NUMBERS
"""Bytes that more such numbers have at least, each with what separates it from the next."""

_PLAIN_EXPONENTS = bytes.maketrans(b"123456789E", b"000000000e")
_three_digits = re.compile(b"e000").finditer


def has_slow_numbers(data: bytes) -> bool:
    """True if more than ``MOST_SLOW_NUMBERS`` numbers have an exponent of three digits, as 5e-324 and 1e308 have.

    msgspec, up to 0.22, reads most floats in 20 nanoseconds. But where a float lies at the end of its range, or in the
    middle between two others, it takes the longer the larger the exponent is, up to 20 microseconds.
    """
    if len(data) < SIZE_OF_MANY or not _has_many_exponents(data):
        return False
    return _has_many_exponents(b"".join(_between_quotes(_without_escaped_quotes(data))))


def _has_many_exponents(data: bytes) -> bool:
    found = _three_digits(data.translate(_PLAIN_EXPONENTS, b"+-"))
    return next(islice(found, MOST_SLOW_NUMBERS, None), None) is not None
