"""Iterables of chunks as applications return them: with functions to call on close, and cut to a part."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any


class ClosingIterator:
    """An iterable that calls functions when it is closed, after the iterable's own ``close``."""

    __slots__ = ("_callbacks", "_iterator")

    def __init__(
        self,
        iterable: Iterable[bytes],
        callbacks: Callable[[], object] | Iterable[Callable[[], object]] | None = None,
    ) -> None:
        self._iterator = iter(iterable)
        own = getattr(iterable, "close", None)
        first = () if own is None else (own,)
        others = (callbacks,) if callable(callbacks) else tuple(callbacks or ())
        self._callbacks: tuple[Callable[[], object], ...] = (*first, *others)

    def __iter__(self) -> "ClosingIterator":
        return self

    def __next__(self) -> bytes:
        return next(self._iterator)

    def close(self) -> None:
        """Call the functions."""
        for callback in self._callbacks:
            callback()


def part_of(iterable: Any, start: int, length: int | None) -> Iterator[bytes]:
    """Give ``length`` bytes from ``start`` in chunks; all up to the end if ``length`` is None.

    An iterable with positions, such as a file, is sought; any other is read up to the start.
    """
    seekable = getattr(iterable, "seekable", None)
    if seekable is not None and seekable():
        iterable.seek(start)
        start = 0
    end = None if length is None else start + length
    position = 0
    for chunk in iterable:
        before, position = position, position + len(chunk)
        if position > start and (wanted := chunk[max(start - before, 0) : None if end is None else end - before]):
            yield wanted
        if end is not None and position >= end:
            return
