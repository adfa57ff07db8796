"""Responses that are conditional and partial (RFC 9110 §13, §14), and what caches are told of them (RFC 9111).

No clock is asked, and nothing is read but the request's head and the response.
"""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from antiphon.head import Head
from antiphon.header_property import or_none, read_date
from antiphon.http.byteranges import MultipartByteRanges
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import Preconditions
from antiphon.http.dates import format_date
from antiphon.http.errors import PreconditionFailed, RangeNotSatisfiable
from antiphon.http.etag import ETag, generate_etag
from antiphon.http.headers import HeaderFields, MutableHeaders
from antiphon.http.not_modified import NotModified
from antiphon.http.ranges import ByteRange, ContentRange, Range
from antiphon.parts import Body, has_any_order, known_length, part_of, parts_of

_read_etag = or_none(ETag.parse)
_read_range = or_none(Range.parse)

_CONDITIONS = {
    "if_match": "if-match",
    "if_none_match": "if-none-match",
    "if_modified_since": "if-modified-since",
    "if_unmodified_since": "if-unmodified-since",
    "if_range": "if-range",
}

_OF_CONTENT = frozenset({
    "accept-ranges", "content-digest", "content-disposition", "content-encoding", "content-language", "content-length",
    "content-range", "content-type", "repr-digest", "trailer",
})  # fmt: skip
"""Fields that say what is sent, which a 304 leaves out: those of the kept response go on being true."""

_OF_KNOWN_CONTENT = _OF_CONTENT | {"last-modified"}

_LONGEST_LENGTH = 18


class Requested(Protocol):
    """What is asked of a request."""

    head: Head

    def after(self, function: Callable[[], object]) -> Callable[[], object]: ...


class WithHeaders(Protocol):
    """A response's header fields."""

    @property
    def headers(self) -> MutableHeaders: ...


class Answered(WithHeaders, Protocol):
    """What is asked of a response, and changed."""

    @property
    def status(self) -> int: ...
    @status.setter
    def status(self, status: int) -> None: ...
    @property
    def body(self) -> Body: ...
    @body.setter
    def body(self, body: Any) -> None: ...


R = TypeVar("R", bound=Answered)


def conditional(response: R, request: Requested, *, ranges: bool = True) -> R:
    """Have a response to GET or HEAD answer the request's conditions and its Range; it is changed in place, and given
    back.

    A 2xx becomes a 304, without a body, when the client has this version (RFC 9110 §13.2.2): that of the response's
    ETag and Last-Modified. With ``ranges``, a 200 of known length becomes a 206 with the parts asked for, and says
    that it could (Accept-Ranges), unless it says "none". A file knows its length; of other bodies in pieces it is known
    when Content-Length is set, and several parts of one are sent if they go forwards.

    Raises PreconditionFailed (412) and RangeNotSatisfiable (416). A stream that is not sent is closed when the request
    is answered. To other methods the response stays as it is, since their work is done: `precondition` is for those.
    """
    method = request.head.method
    if method not in ("GET", "HEAD") or not 200 <= response.status <= 299:
        return response
    range_applies = method == "GET"
    if conditions := _conditions(request):
        preconditions = Preconditions(method, **conditions)
        etag, modified = _validators(response.headers)
        status = preconditions.evaluate(etag, modified)
        if status is not None:
            close_unsent(response.body, request)
            if status == 412:
                raise _precondition_failed()
            _make_not_modified(response)
            return response
        range_applies = preconditions.range_applies(etag, modified)
    if ranges and response.status == 200 and (length := _length(response)) is not None:
        is_ranged = _accept_ranges(response.headers)
        if is_ranged and range_applies:
            _make_partial(response, request, length)
    return response


def precondition(
    request: Requested,
    *,
    etag: ETag | str | None = None,
    modified: datetime | None = None,
    exists: bool = True,
    headers: HeaderFields = (),
) -> None:
    """Go on only if the request's conditions let it: to be called before the work is done, for any method.

    ``etag`` and ``modified`` (UTC when naive) are of the current representation, None where it has none; ``exists`` is
    False when there is none yet. Raises NotModified, which is answered with a 304, for reading a version that the
    client has, and PreconditionFailed (412) for a version that the request is not meant for (RFC 9110 §13.2.2).

    A str as ``etag`` is the tag of a strong one; raises ValueError if it can't be. ``headers`` are for the 304: those
    that the 200 would have, such as Cache-Control and Vary. Its ETag, or without one its Last-Modified, is added.
    """
    if isinstance(etag, str):
        etag = ETag(etag)
    status = Preconditions(request.head.method, **_conditions(request)).evaluate(etag, modified, exists=exists)
    if status == 412:
        raise _precondition_failed()
    if status == 304:
        not_modified = NotModified(headers)
        if etag is not None:
            not_modified.headers["etag"] = str(etag)
        elif modified is not None:
            not_modified.headers["last-modified"] = format_date(modified)
        raise not_modified


def add_etag(response: Answered, *, weak: bool = False, overwrite: bool = False) -> None:
    """Set the ETag to one made from the body, unless there is one; ``overwrite`` replaces that.

    Raises TypeError for a body in pieces, ValueError for a 206 or 304, which has not the whole.
    """
    if not overwrite and "etag" in response.headers:
        return
    body = response.body
    if not isinstance(body, bytes):
        raise TypeError("an entity tag is made from a body in bytes, and this one is streamed: set the ETag yourself")
    if response.status in (206, 304):
        raise ValueError(f"a {response.status} has not the whole body: add the ETag before it is made conditional")
    etag = generate_etag(body)
    response.headers["etag"] = str(ETag(etag.tag, weak=True) if weak else etag)


def cache_for(response: WithHeaders, seconds: int, *, public: bool = False, immutable: bool = False) -> None:
    """Let the client keep the response for some seconds; with ``public`` caches that others use, too.

    An ``immutable`` one is not asked for again before (RFC 8246). What Cache-Control says otherwise stays, as far as it
    does not speak against that. Raises ValueError for seconds that are no whole number from 0 to 2**31.
    """
    headers = response.headers
    headers["cache-control"] = str(
        CacheControl.parse(headers.get("cache-control")).replace(
            max_age=seconds,
            s_maxage=None,
            public=public,
            private=not public,
            immutable=immutable,
            no_cache=False,
            no_store=False,
        )
    )
    _forget_older(headers)


def no_store(response: WithHeaders) -> None:
    """Have nobody keep the response (RFC 9111 §5.2.2.5)."""
    response.headers["cache-control"] = str(CacheControl(no_store=True))
    _forget_older(response.headers)


def _forget_older(headers: MutableHeaders) -> None:
    """Remove what Cache-Control takes the place of (RFC 9111 §5.3, §5.4)."""
    headers.pop("expires")
    headers.pop("pragma")


def _conditions(request: Requested) -> dict[str, str]:
    """The headers of the request that make conditions."""
    field = request.head.field
    return {keyword: value for keyword, name in _CONDITIONS.items() if (value := field(name)) is not None}


def _validators(headers: MutableHeaders) -> tuple[ETag | None, datetime | None]:
    """What a response says of its version, as far as it can be read."""
    return _read_etag(headers.get("etag")), read_date(headers.get("last-modified"))


def _precondition_failed() -> PreconditionFailed:
    return PreconditionFailed("The current version is not one that the request is meant for.")


def _make_not_modified(response: Answered) -> None:
    """Leave what a kept response is brought up to date by; Last-Modified only without a tag (RFC 9110 §15.4.5)."""
    headers = response.headers
    headers.discard(_OF_KNOWN_CONTENT if "etag" in headers else _OF_CONTENT)
    response.body = None
    response.status = 304


def _accept_ranges(headers: MutableHeaders) -> bool:
    """Say that parts are to be had, unless it was said whether they are; and whether they are."""
    said = headers.get("accept-ranges")
    if said is None:
        headers.put("accept-ranges", "bytes")
    return said is None or said.lower() == "bytes"


def _make_partial(response: Answered, request: Requested, length: int) -> None:
    wanted = _read_range(request.head.field("range"))
    parts = None if wanted is None else wanted.resolve(length)
    if parts is None:
        return
    if not parts:
        close_unsent(response.body, request)
        unsatisfied = {"content-range": str(ContentRange.unsatisfied(length)), "accept-ranges": "bytes"}
        raise RangeNotSatisfiable(f"No range begins within the {length} bytes.", headers=unsatisfied)
    if len(parts) == 1:
        _send_part(response, parts[0], length)
    elif _can_send(response, parts):
        _send_parts(response, parts, length)


def _can_send(response: Answered, parts: list[ByteRange]) -> bool:
    """Whether several parts can be sent. The coding would be taken for one of all parts together (RFC 9110 §8.4)."""
    return "content-encoding" not in response.headers and (has_any_order(response.body) or parts == sorted(parts))


def _send_part(response: Answered, part: ByteRange, length: int) -> None:
    response.body = part_of(response.body, part)
    headers = response.headers
    headers.put("content-range", str(ContentRange(*part, length)))
    _be_partial(response, headers, part.length)


def _send_parts(response: Answered, parts: list[ByteRange], length: int) -> None:
    headers = response.headers
    content_type = headers.get("content-type")
    multipart = MultipartByteRanges(parts, length, boundary=os.urandom(16).hex(), content_type=content_type)
    response.body = parts_of(response.body, multipart)
    headers.put("content-type", multipart.content_type)
    _be_partial(response, headers, multipart.content_length)


def _be_partial(response: Answered, headers: MutableHeaders, length: int) -> None:
    headers.discard(("content-digest", "content-length"))
    if not isinstance(response.body, bytes):
        headers.put("content-length", str(length))
    response.status = 206


def _length(response: Answered) -> int | None:
    """The length of the body in bytes; None where it is not known before the end."""
    length = known_length(response.body)
    if length is not None:
        return length
    declared = response.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) <= _LONGEST_LENGTH else None


def close_unsent(body: object, request: Requested) -> None:
    """Have a stream closed that nobody will read."""
    if aclose := getattr(body, "aclose", None):

        async def close_it() -> None:
            await aclose()

        request.after(close_it)
    elif close := getattr(body, "close", None):
        request.after(close)
