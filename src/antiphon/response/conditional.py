"""Conditional and partial responses (RFC 9110 §13, §14), and their caching fields (RFC 9111). This module reads only
the request's head and the response; it doesn't read the clock.
"""

from collections.abc import AsyncIterable, Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeAlias, TypeGuard

from antiphon.concurrency.iterables import AsyncByteGenerator, ByteGenerator, made_chunks
from antiphon.explanations import explained
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import READING, ETag, applicable_range, evaluate_preconditions, generate_etag
from antiphon.http.dates import format_http_date
from antiphon.http.errors import PreconditionFailed, RangeNotSatisfiable
from antiphon.http.head import Head
from antiphon.http.headers import HeaderFields, MutableHeaders, combined
from antiphon.http.ranges import ByteRange, ContentRange, requested_parts
from antiphon.http.redirect import NotModified
from antiphon.response.fields import Line
from antiphon.response.files import Windowed
from antiphon.response.message import Body

_OF_CONTENT = frozenset({
    "accept-ranges", "content-digest", "content-disposition", "content-encoding", "content-language", "content-length",
    "content-range", "content-type", "repr-digest", "trailer",
})  # fmt: skip
"""Fields about the content. A 304 leaves them out, because those of the stored response still apply."""

_OF_TAGGED_CONTENT = _OF_CONTENT | {"last-modified"}
"""Fields that a 304 with an ETag leaves out (RFC 9110 §15.4.5)."""
_OF_THE_WHOLE = frozenset({"content-digest", "content-length", "content-range"})
"""Fields about the whole content, which a part must not have or must have with other values."""

_LONGEST_LENGTH = 18


class ConditionalRequest(Protocol):
    """A request with conditions and ranges."""

    head: Head

    def after_response(self, function: Callable[[], object]) -> Callable[[], object]: ...


class WithHeaders(Protocol):
    """A response's header fields."""

    @property
    def headers(self) -> MutableHeaders: ...


class WithContent(WithHeaders, Protocol):
    """A response with content from which an ETag can be made."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> Body: ...


ConditionalResponse: TypeAlias = tuple[int, list[Line], Body]
"""Status, header fields and body of a response."""


def conditional(
    request: ConditionalRequest, status: int, lines: Collection[Line], body: Body, *, ranges: bool = True
) -> ConditionalResponse | None:
    """Apply a request's conditions and Range to a response to GET or HEAD. Return None if the response doesn't change.

    A 2xx becomes a 304, without a body, if the client has the version that ETag and Last-Modified identify (RFC 9110
    §13.2.2). With ``ranges``, a 200 of known length gets Accept-Ranges, unless it already has it, and becomes a 206
    if one part is requested. A file's length is known. Other bodies in chunks need a Content-Length.

    Raises PreconditionFailed (412) and RangeNotSatisfiable (416). A stream that is not sent is closed after the
    request. Responses to other methods don't change, because their work is already done; call `precondition` before
    that work.
    """
    head = request.head
    method = head.method
    if method not in READING or not 200 <= status <= 299:
        return None
    etag = modified = None
    for name, value in lines:
        if name == "etag":
            etag = value if etag is None else ""  # two ETags are meaningless
        elif name == "last-modified":
            modified = value if modified is None else ""
    outcome = evaluate_preconditions(method, head.field, etag, modified)
    if outcome is None:
        return _ranged(request, lines, body, etag, modified) if ranges and status == 200 else None
    if not isinstance(body, bytes):
        close_unsent(body, request)
    if outcome == 412:
        raise _precondition_failed()
    left_out = _OF_CONTENT if etag is None else _OF_TAGGED_CONTENT
    return 304, [line for line in lines if line[0] not in left_out], b""


def precondition(
    request: ConditionalRequest,
    *,
    etag: ETag | str | None = None,
    modified: datetime | None = None,
    exists: bool = True,
    headers: HeaderFields = (),
) -> None:
    """Check the conditions of a request with any method, before its work is done.

    ``etag`` and ``modified`` describe the current representation, or are None; ``exists`` is False if there is no
    representation yet. Raises NotModified, which becomes a 304, if the client already has the version it requests, and
    PreconditionFailed (412) if the request isn't meant for this version (RFC 9110 §13.2.2).

    A str as ``etag`` makes a strong tag. Raises ValueError for an invalid tag and for a naive ``modified``, and
    TypeError for a ``modified`` that isn't a datetime. ``headers`` are sent with the 304: pass those that the 200 would
    have, such as Cache-Control and Vary. The ETag is added or, without one, Last-Modified.
    """
    if modified is not None and not isinstance(modified, datetime):
        raise explained(
            "bad-header-value", f"modified must be a datetime or None, not {type(modified).__name__}", TypeError
        )
    tag = None if etag is None else str(ETag(etag) if isinstance(etag, str) else etag)
    status = evaluate_preconditions(request.head.method, request.head.field, tag, modified, exists=exists)
    if status == 412:
        raise _precondition_failed()
    if status == 304:
        fields = MutableHeaders(headers)
        if tag is not None:
            fields["etag"] = tag
        elif modified is not None:
            fields["last-modified"] = format_http_date(modified)
        raise NotModified(fields)


def add_etag(response: WithContent, *, weak: bool = False, overwrite: bool = False) -> None:
    """Set an ETag made from the body, unless the response has one; ``overwrite`` replaces an existing one.

    Raises TypeError for a body in chunks, ValueError for a 206 or 304, which doesn't contain the whole body.
    """
    if not overwrite and "etag" in response.headers:
        return
    body = response.body
    if not isinstance(body, bytes):
        raise explained(
            "body-is-streamed",
            "an entity tag is made from a body in bytes, and this one is streamed: set the ETag yourself",
            TypeError,
        )
    if response.status in (206, 304):
        raise explained(
            "body-is-streamed", f"a {response.status} does not have the whole body: add the ETag before conditional()"
        )
    etag = generate_etag(body)
    response.headers["etag"] = str(ETag(etag.tag, weak=True) if weak else etag)


def cache_for(
    response: WithHeaders,
    seconds: int | timedelta,
    *,
    public: bool = False,
    immutable: bool = False,
    stale_while_revalidate: int | timedelta | None = None,
    stale_if_error: int | timedelta | None = None,
) -> None:
    """Let the client's cache keep the response for some seconds or a timedelta; with ``public``, shared caches may keep
    it, too. An ``immutable`` response is not revalidated during that time (RFC 8246). After that time, a cache may
    still serve the response for ``stale_while_revalidate`` while it fetches a new one, and for ``stale_if_error``
    instead of an error (RFC 5861). Other Cache-Control directives stay, unless they conflict. Raises ValueError unless
    times are whole seconds from 0 to 2**31.

    A ``public`` stream loses ``X-Accel-Buffering: no``, because nginx caches only responses that it buffers.
    """
    headers = response.headers
    headers["cache-control"] = str(
        CacheControl.parse(headers.get("cache-control")).replace(
            max_age=seconds,
            s_maxage=None,
            stale_while_revalidate=stale_while_revalidate,
            stale_if_error=stale_if_error,
            public=public,
            private=not public,
            immutable=immutable,
            no_cache=False,
            no_store=False,
        )
    )
    _forget_older(headers)
    if public and headers.get("x-accel-buffering") == "no":
        headers.pop("x-accel-buffering")


def no_store(response: WithHeaders) -> None:
    """Forbid caches from storing the response (RFC 9111 §5.2.2.5)."""
    response.headers["cache-control"] = str(CacheControl(no_store=True))
    _forget_older(response.headers)


def _forget_older(headers: MutableHeaders) -> None:
    """Remove the fields that Cache-Control replaces (RFC 9111 §5.3, §5.4)."""
    headers.pop("expires")
    headers.pop("pragma")


def _precondition_failed() -> PreconditionFailed:
    return PreconditionFailed("The request is not meant for the current version.")


def _ranged(
    request: ConditionalRequest, lines: Collection[Line], body: Body, etag: str | None, modified: str | None
) -> ConditionalResponse | None:
    """Return a 200 with Accept-Ranges, or the requested part, or None if the response can't be sent in parts."""
    fields = combined(lines)
    length = known_length(body)
    if length is None and (length := _declared_length(fields)) is None:
        return None
    own_lines = [*lines]
    unit = fields.get("accept-ranges")
    if unit is None:
        own_lines.append(("accept-ranges", "bytes"))
    elif unit.lower() != "bytes":
        return None
    head = request.head
    wanted = applicable_range(head.method, head.field, etag, modified)
    parts = None if wanted is None else requested_parts(wanted, length)
    if parts is None:
        return 200, own_lines, body
    if not parts:
        close_unsent(body, request)
        unsatisfied = {"content-range": str(ContentRange.unsatisfied(length)), "accept-ranges": "bytes"}
        raise RangeNotSatisfiable(f"No range begins within the {length} bytes.", headers=unsatisfied)
    # Clients that ask for several parts take the whole, too (RFC 9110 §14.2).
    return _with_part(own_lines, body, parts[0], length, fields) if len(parts) == 1 else (200, own_lines, body)


def _with_part(
    lines: list[Line], body: Body, part: ByteRange, length: int, fields: Mapping[str, str]
) -> ConditionalResponse:
    first, last = part
    sent = part_of(body, part)
    if not _OF_THE_WHOLE.isdisjoint(fields):
        lines = [line for line in lines if line[0] not in _OF_THE_WHOLE]
    lines.append(("content-range", f"bytes {first}-{last}/{length}"))
    if not isinstance(sent, bytes):
        lines.append(("content-length", str(last - first + 1)))
    return 206, lines, sent


def _declared_length(fields: Mapping[str, str]) -> int | None:
    declared = fields.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) <= _LONGEST_LENGTH else None


def close_unsent(body: object, request: ConditionalRequest) -> None:
    """After the request, close a stream that won't be read."""
    if aclose := getattr(body, "aclose", None):

        async def close_it() -> None:
            await aclose()

        request.after_response(close_it)
    elif close := getattr(body, "close", None):
        request.after_response(close)


def known_length(body: Body) -> int | None:
    """Return the length of a body in bytes; None if it is unknown."""
    if isinstance(body, bytes):
        return len(body)
    return body.length if _is_windowed(body) else None


def part_of(body: Body, part: ByteRange) -> Body:
    """Return a part of a body, which must lie within it. Closing the part, read or not, closes the body."""
    if isinstance(body, bytes):
        return body[part.first : part.last + 1]
    if _is_windowed(body) and body.length is not None:
        return body.window(part.first, part.length)
    return made_chunks(body, partial(_cut, part), partial(_cut_async, part))


def _is_windowed(body: object) -> TypeGuard[Windowed]:
    return hasattr(body, "window")


class _Cutter:
    """A cutter for a body's chunks, which are fed to it in order, and of which it returns what is in a part."""

    def __init__(self, part: ByteRange) -> None:
        self._part = part
        self._position = 0

    @property
    def is_over(self) -> bool:
        """True if no more of the body needs to be sent."""
        return self._position > self._part.last

    def feed(self, chunk: bytes | str) -> bytes:
        """Return the part of the next chunk to send, possibly empty."""
        data = chunk.encode() if isinstance(chunk, str) else chunk
        start = self._position
        self._position += len(data)
        return data[max(self._part.first - start, 0) : self._part.last + 1 - start]


def _cut(part: ByteRange, stream: Iterable[bytes | str]) -> ByteGenerator:
    """Yield a chunk, possibly empty, for each one read, so that the iteration can stop between any two."""
    cutter = _Cutter(part)
    for chunk in stream:
        yield cutter.feed(chunk)
        if cutter.is_over:
            return


async def _cut_async(part: ByteRange, stream: AsyncIterable[bytes | str]) -> AsyncByteGenerator:
    cutter = _Cutter(part)
    async for chunk in stream:
        yield cutter.feed(chunk)
        if cutter.is_over:
            return
