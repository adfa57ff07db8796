"""Values that come one by one, as the pieces of a streamed body: server-sent events, or lines of JSON.

A source is an iterable of either colour. It is closed in every case, once, and an async one runs in one task from
start to close.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from math import inf
from typing import NamedTuple, TypeAlias

from antiphon.heartbeat import BeatingIterator, close_source
from antiphon.http.errors import HTTPError, InternalServerError
from antiphon.http.event import Event
from antiphon.json_codec import encode_json

Source: TypeAlias = Iterable[object] | AsyncIterable[object]
Pieces: TypeAlias = Iterator[bytes] | AsyncIterator[bytes]


class Form(NamedTuple):
    """How values are written: each one, what comes before them, and at the end what made the source fail."""

    write: Callable[[object], bytes]
    preamble: bytes = b""
    write_failure: Callable[[Exception], bytes] | None = None


def event_stream(source: Source, heartbeat: float | None, retry: int | None) -> Pieces:
    """Events as they are sent, each in a piece. An async source that is silent for ``heartbeat`` seconds is covered for
    by comments. ``retry``, in milliseconds, is told first.

    Raises TypeError for what is no source, ValueError for a heartbeat or ``retry`` that can't be.
    """
    if heartbeat is not None and not 0 < heartbeat < inf:
        raise ValueError(f"a heartbeat is a number of seconds above 0, or None, not {heartbeat!r}")
    preamble = b"" if retry is None else str(Event(retry=retry)).encode()
    form = Form(_write_event, preamble, _write_failure)
    if heartbeat is not None and isinstance(source, AsyncIterable):
        return AsyncPieces(BeatingIterator(source, heartbeat), form)
    return _pieces(source, form)


def json_lines(source: Source) -> Pieces:
    """One JSON value a line and a piece. Raises TypeError for what is no source."""
    return _pieces(source, Form(_write_line))


def _pieces(source: Source, form: Form) -> Pieces:
    if isinstance(source, AsyncIterable):
        return AsyncPieces(source, form)
    is_value = isinstance(source, str | bytes | bytearray | memoryview) or hasattr(source, "keys")
    if is_value or not isinstance(source, Iterable):
        raise TypeError(f"a source is an iterator or an async iterator of values, not {type(source).__name__}")
    return BlockingPieces(source, form)


def _write_line(value: object) -> bytes:
    return encode_json(value) + b"\n"


def _write_event(value: object) -> bytes:
    """An Event, text, or another value as JSON."""
    event = value if isinstance(value, Event) else Event("null" if value is None else value)
    if not (event.data is None or isinstance(event.data, str)):
        event = event.with_data(encode_json(event.data).decode())
    return str(event).encode()


def _write_failure(error: Exception) -> bytes:
    """The event that tells of a failure: an HTTPError's own problem details, of others only that something failed."""
    if isinstance(error, HTTPError):
        try:
            return _write_event(Event(error.problem(), event="error"))
        except (TypeError, ValueError):  # a failure has to be told, whatever it bears
            pass
    hidden = InternalServerError()
    return _write_event(Event({"title": hidden.title, "status": hidden.status}, event="error"))


class BlockingPieces:
    """What a blocking source gives, written. A source that fails raises its error after that is written."""

    def __init__(self, source: Iterable[object], form: Form) -> None:
        self._source = source
        self._iterator: Iterator[object] | None = None
        self._form = form
        self._pieces = self._write()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Close the source, wherever it stands."""
        self._pieces.close()
        close = getattr(self._iterator, "close", None) or getattr(self._source, "close", None)
        if close is not None:
            close()

    def _write(self) -> Generator[bytes, None, None]:
        if self._form.preamble:
            yield self._form.preamble
        try:
            self._iterator = iter(self._source)
            for value in self._iterator:
                yield self._form.write(value)
        except Exception as error:
            if self._form.write_failure:
                yield self._form.write_failure(error)
            raise


class AsyncPieces:
    """What an async source gives, written. A source that fails raises its error after that is written."""

    def __init__(self, source: AsyncIterable[object], form: Form) -> None:
        self._source = source
        self._iterator: AsyncIterator[object] | None = None
        self._form = form
        self._pieces = self._write()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """Close the source, wherever it stands."""
        await self._pieces.aclose()
        await close_source(self._iterator, self._source)

    async def _write(self) -> AsyncGenerator[bytes, None]:
        if self._form.preamble:
            yield self._form.preamble
        try:
            self._iterator = aiter(self._source)
            async for value in self._iterator:
                yield self._form.write(value)
        except Exception as error:
            if self._form.write_failure:
                yield self._form.write_failure(error)
            raise
