"""Streams of values: iterators that a function returns, with an annotation of the items' type."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from types import FunctionType, NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin
from weakref import WeakKeyDictionary

from antiphon.app.answering.arguments import resolved
from antiphon.handler.cancellation import SAFE
from antiphon.handler.contract import annotations_of, innermost
from antiphon.http.event import Event
from antiphon.request.request import Request
from antiphon.response.fields import EVENTS, JSON, NDJSON, SENT_AS_EVENTS, SENT_AT_ONCE, completed, only_typed
from antiphon.response.response import Response, response_of

FORMATS = (NDJSON, EVENTS, JSON)
"""The media types that a stream of values can have. The first is sent unless the client prefers another."""

_STREAMS = (Iterator, AsyncIterator, Generator, AsyncGenerator, Iterable, AsyncIterable)
_offered: "WeakKeyDictionary[Callable[..., Any], tuple[str, ...]]" = WeakKeyDictionary()
"""The formats that each function can stream, cached because reading an annotation takes as long as sending a short
response.
"""
_CHUNKS = (str, bytes, bytearray, memoryview, NoneType)


def stream_of_values(source: Callable[..., Any], values: Any, request: Request) -> Response | None:
    """Return the stream of an iterator that ``source`` returned, in the format that the client accepts.

    Returns None unless the annotation says that the items are values.
    """
    function = innermost(source)
    function = function if hasattr(function, "__code__") else type(function).__call__
    if not isinstance(function, FunctionType):
        return None
    offered = _offered.get(function)
    if offered is None:
        annotation = annotations_of(function).get("return")
        offered = () if annotation is None else formats_of(item_type(resolved(annotation, function)))
        _offered[function] = offered
    if not offered:
        return None
    if offered == (EVENTS,):
        resumes = request.method in SAFE  # only an EventSource reconnects, and it sends GET
        return Response.events(values, on_drain="end" if resumes else "finish")
    from antiphon.response.events import json_array, json_events, json_lines

    media = request.accept.best(offered, NDJSON)
    write = {NDJSON: json_lines, EVENTS: json_events, JSON: json_array}[media]
    app = request.route.app
    chunks = write(values, None if app is None else app.json_default)
    fields = SENT_AS_EVENTS if media == EVENTS else SENT_AT_ONCE
    return response_of(chunks, completed(only_typed(media), fields))


def item_type(annotation: Any) -> Any:
    """Return the item type of an iterator, alone or in a tuple or a union; Any if the annotation has none."""
    for each in _members(annotation):
        origin, arguments = get_origin(each), get_args(each)
        if origin is tuple and arguments:
            return item_type(arguments[0])
        if origin in _STREAMS and arguments:
            return arguments[0]
    return Any


def formats_of(item: Any) -> tuple[str, ...]:
    """Return the media types that a stream of items can have; none if the items are chunks of a body, or unknown."""
    kinds = [_class_of(each) for each in _members(item)]
    if any(kind in (None, Any, object) or issubclass(kind, Response) for kind in kinds):
        return ()
    if all(issubclass(kind, _CHUNKS) for kind in kinds if kind is not None):
        return ()
    return (EVENTS,) if any(issubclass(kind, Event) for kind in kinds if kind is not None) else FORMATS


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the alternatives in a type, without type aliases and metadata."""
    while hasattr(annotation, "__value__") or isinstance(annotation, NewType):
        annotation = annotation.__supertype__ if isinstance(annotation, NewType) else annotation.__value__
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _members(each)
    elif origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin is Literal:
        yield from map(type, get_args(annotation))
    else:
        yield annotation


def _class_of(annotation: Any) -> type | None:
    found = get_origin(annotation) or annotation
    return found if isinstance(found, type) else None
