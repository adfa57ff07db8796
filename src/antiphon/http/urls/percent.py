"""Percent-decoding (WHATWG URL §1.3)."""

import re
from binascii import a2b_qp
from collections.abc import Callable, Iterator

from antiphon.speedups import accelerated

BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SLICE = 64 << 10
"""Bytes decoded at once: `re.sub` keeps an object of some 80 bytes for each broken escape until its end."""


@accelerated
def percent_decode(data: bytes, /) -> bytes:
    """Undo the percent-escapes in `data`; broken ones stay as they are (WHATWG URL §1.3)."""
    if b"%" not in data:
        return data
    return _by_slices(_undo_escapes, data)


def double_broken_escapes(data: bytes) -> bytes:
    """Write `%25` for each `%` in `data` that does not begin an escape."""
    return _by_slices(_mend, data)


def _undo_escapes(data: bytes) -> bytes:
    return a2b_qp(_mend(data).replace(b"=", b"%3D").replace(b"%", b"="))


def _mend(data: bytes) -> bytes:
    return BROKEN_ESCAPE.sub(b"%25", data)


def _by_slices(read: Callable[[bytes], bytes], data: bytes) -> bytes:
    """Call `read` on slices of `data`, and join the results."""
    return read(data) if len(data) <= _SLICE else b"".join([read(part) for part in _slices(data)])


def _slices(data: bytes) -> Iterator[bytes]:
    """Yield slices of `data` that do not cut an escape."""
    start = 0
    while start < len(data):
        end = start + _SLICE
        # Only an escape that starts in the last two bytes reaches beyond the end: it begins the next slice.
        if end < len(data) and (percent := data.find(b"%", end - 2, end)) >= 0:
            end = percent
        yield data[start:end]
        start = end
