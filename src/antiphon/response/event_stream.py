"""Values that come one by one, as the pieces of a streamed body: server-sent events, or lines of JSON.

A source is an iterable of either colour. It is closed in every case, once, and an async one runs in one task from
start to close.
"""

from collections.abc import AsyncIterable, Callable, Iterable
from functools import partial
from math import inf
from typing import NamedTuple, TypeAlias

from antiphon.concurrency.iterables import AsyncMade, AsyncPieces, BlockingPieces, Made
from antiphon.http.errors import HTTPError, InternalServerError
from antiphon.http.event import Event
from antiphon.response.events import BeatingIterator
from antiphon.serialization.json import encode_json

Source: TypeAlias = Iterable[object] | AsyncIterable[object]
Pieces: TypeAlias = BlockingPieces[object] | AsyncPieces[object]


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
        return AsyncPieces(BeatingIterator(source, heartbeat), partial(_write_async, form))
    return _pieces(source, form)


def json_lines(source: Source) -> Pieces:
    """One JSON value a line and a piece. Raises TypeError for what is no source."""
    return _pieces(source, Form(_write_line))


def _pieces(source: Source, form: Form) -> Pieces:
    if isinstance(source, AsyncIterable):
        return AsyncPieces(source, partial(_write_async, form))
    is_value = isinstance(source, str | bytes | bytearray | memoryview) or hasattr(source, "keys")
    if is_value or not isinstance(source, Iterable):
        raise TypeError(f"a source is an iterator or an async iterator of values, not {type(source).__name__}")
    return BlockingPieces(source, partial(_write, form))


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


def _write(form: Form, source: Iterable[object]) -> Made:
    """What a source gives, written. One that fails raises its error after that is written."""
    if form.preamble:
        yield form.preamble
    try:
        for value in source:
            yield form.write(value)
    except Exception as error:
        if form.write_failure:
            yield form.write_failure(error)
        raise


async def _write_async(form: Form, source: AsyncIterable[object]) -> AsyncMade:
    if form.preamble:
        yield form.preamble
    try:
        async for value in source:
            yield form.write(value)
    except Exception as error:
        if form.write_failure:
            yield form.write_failure(error)
        raise
