"""Calling a WSGI application in the same process, without a server, and handling the chunks of its response."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class ClosingIterator:
    """An iterable that, when closed, closes the iterable it wraps and then calls the given functions."""

    __slots__ = ("__dict__", "__weakref__", "_callbacks", "_iterator")

    def __init__(
        self, iterable: Iterable[bytes], callbacks: Callable[[], object] | Iterable[Callable[[], object]] | None = None
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
        """Close the wrapped iterable and call the functions."""
        for callback in self._callbacks:
            callback()


def part_of(iterable: Any, start: int, length: int | None) -> Iterator[bytes]:
    """Yield ``length`` bytes from ``start`` in chunks, or everything to the end if ``length`` is None.

    A seekable iterable, such as a file, is moved to ``start``; any other is read up to ``start``, and those bytes are
    discarded.
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


Fields = list[tuple[str, str]]


def call_application(
    application: "WSGIApplication", environ: "WSGIEnvironment", buffered: bool = False, caught: list[Any] | None = None
) -> tuple[Iterable[bytes], str, Fields]:
    """Call an application with an environ and return the body, status line and header fields of its response.

    The body includes everything that the application wrote with ``write``. It is read until the application has called
    ``start_response``; with ``buffered``, it is read to the end and then closed. Raises the application's errors, or
    RuntimeError if it never calls ``start_response``. An error that the application passes to ``start_response`` is
    added to ``caught`` as a triple, or raised if ``caught`` is None.
    """
    call = _Call(caught)
    answer = application(environ, call.start_response)
    close = getattr(answer, "close", None)
    if buffered:
        try:
            rest = list(answer)
        finally:
            if close is not None:
                close()
        return [*call.written, *rest], *call.head()
    body: Iterable[bytes] = answer  # a server's file wrapper might not be iterable
    if call.started is None or call.written:
        chunks = iter(answer)
        while call.started is None and (chunk := next(chunks, None)) is not None:
            call.written.append(chunk)
        body = chain(call.written, chunks)
    status, fields = call.head()
    if close is not None and body is not answer:
        body = ClosingIterator(body, close)
    return body, status, fields


class _Call:
    """The arguments passed to ``start_response`` and the chunks passed to ``write``."""

    def __init__(self, caught: list[Any] | None) -> None:
        self._caught = caught
        self.started: tuple[str, Fields] | None = None
        self.written: list[bytes] = []

    def start_response(self, status: str, fields: Fields, exc_info: Any = None, /) -> Any:
        if exc_info and self._caught is not None:
            self._caught.append(exc_info)
        elif exc_info:
            raise exc_info[1].with_traceback(exc_info[2])
        self.started = status, fields
        return self.written.append

    def head(self) -> tuple[str, Fields]:
        if self.started is None:
            raise RuntimeError("the application did not call start_response")
        return self.started
