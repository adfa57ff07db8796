"""The standard header fields of a request, as typed values."""

from typing import TYPE_CHECKING

from antiphon.http.accept import Accept, AcceptEncoding, AcceptLanguage
from antiphon.http.authorization import Authorization
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import IfMatch, IfNoneMatch, IfRange
from antiphon.http.grammar import TCHARS, is_token, parse_or_none
from antiphon.http.head import Head
from antiphon.http.header_property import (
    members,
    negotiated,
    of_fields,
    or_none,
    parsed,
    read_boolean,
    read_date,
    read_items,
    read_list,
    read_number,
    read_string,
    read_text,
)
from antiphon.http.media_type import MediaType
from antiphon.http.ranges import ContentRange, Range
from antiphon.http.structured_fields import Priority
from antiphon.http.user_agent import UserAgent
from antiphon.lazy import compiled_late

if TYPE_CHECKING:
    from antiphon.http.tracing import TraceParent

_essence = compiled_late(rf"[ \t]*+({TCHARS}/{TCHARS})[ \t]*+(?:;|\Z)")
_USUAL_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")


def _trace_parent(value: str | None) -> "TraceParent | None":
    from antiphon.http.tracing import TraceParent

    return parse_or_none(TraceParent.parse, value)


def _user_agent(value: str | None) -> UserAgent:
    return UserAgent(value or "")


def _last_event_id(value: str | None) -> str | None:
    try:
        return (value or "").encode("latin-1").decode() or None
    except UnicodeError:
        return None


def _idempotency_key(value: str | None) -> str | None:
    return value if value and is_token(value) else read_string(value)


_digests = members(bytes)[0]


class RequestHeaders:
    """The header fields of a request as attributes, each parsed when first read.

    An absent or malformed header reads as None, False or empty.
    """

    head: Head
    consulted: tuple[str, ...] = ()

    @of_fields
    def _declared_type(self) -> str:
        """Content-Type as it was sent; empty if it is absent."""
        return self.head.field("content-type") or ""

    @of_fields
    def mimetype(self) -> str:
        """The media type of the body without parameters, in lower case; empty if it is missing or malformed."""
        declared = self._declared_type
        essence = declared.partition(";")[0]
        if essence in _USUAL_TYPES:
            return essence
        match = _essence.match(declared)
        return match[1].lower() if match is not None else ""

    @property
    def charset(self) -> str | None:
        """The charset that the content type declares, in lower case."""
        if "charset" not in self._declared_type.lower():  # as in most content types
            return None
        content_type = self.content_type
        return content_type.charset if content_type is not None else None

    accept = negotiated("accept", Accept.parse)
    """Accept (RFC 9110 §12.5.1), an ``Accept``: the media types that the client accepts, with their preference. An
    absent header accepts all media types.
    """
    accept_encodings = negotiated("accept-encoding", AcceptEncoding.parse)
    """Accept-Encoding (RFC 9110 §12.5.3), an ``AcceptEncoding``: the content codings that the client can decode. An
    absent header accepts every coding.
    """
    accept_languages = negotiated("accept-language", AcceptLanguage.parse)
    """Accept-Language (RFC 9110 §12.5.4), an ``AcceptLanguage``: the languages that the client prefers. An absent
    header accepts every language.
    """
    authorization = parsed("authorization", or_none(Authorization.parse))
    """Authorization (RFC 9110 §11.6.2), an ``Authorization``: the credentials of the client, or None."""
    baggage = parsed("baggage", read_text)
    """baggage (Baggage), text: the values that accompany a trace, or None."""
    cache_control = parsed("cache-control", CacheControl.parse)
    """Cache-Control (RFC 9111 §5.2), a ``CacheControl``: the client's directives to caches, otherwise empty."""
    content_digest = parsed("content-digest", _digests)
    """Content-Digest (RFC 9530 §2), a dict of bytes by algorithm, such as ``sha-256``: the digests of the content as it
    was sent, otherwise empty. Antiphon doesn't verify them.
    """
    content_encoding = parsed("content-encoding", read_text)
    """Content-Encoding (RFC 9110 §8.4), text: the content coding in which the body was sent, or None. Antiphon decodes
    the body.
    """
    content_language = parsed("content-language", read_list)
    """Content-Language (RFC 9110 §8.5), a tuple of language tags: the languages of the body, otherwise empty."""
    content_location = parsed("content-location", read_text)
    """Content-Location (RFC 9110 §8.7), text: a URL of the body, or None."""
    content_range = parsed("content-range", or_none(ContentRange.parse))
    """Content-Range (RFC 9110 §14.4), a ``ContentRange``: the range of the whole representation that the body contains,
    or None.
    """
    content_type = parsed("content-type", or_none(MediaType.parse))
    """Content-Type (RFC 9110 §8.3), a ``MediaType``: the media type of the body with its parameters, or None."""
    date = parsed("date", read_date)
    """Date (RFC 9110 §6.6.1), a ``datetime`` in UTC: the time when the request was made, or None."""
    expect = parsed("expect", read_text)
    """Expect (RFC 9110 §10.1.1), text: ``100-continue``, which the server handles, or None."""
    idempotency_key = parsed("idempotency-key", _idempotency_key)
    """Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), text without its quotes: the key that makes the
    request safe to repeat, or None. A token without quotes, which many clients send, is also accepted.
    """
    if_match = parsed("if-match", IfMatch.parse)
    """If-Match (RFC 9110 §13.1.1), an ``IfMatch``: the entity tags that the client has, otherwise empty. See
    ``precondition``.
    """
    if_modified_since = parsed("if-modified-since", read_date)
    """If-Modified-Since (RFC 9110 §13.1.3), a ``datetime`` in UTC: the modification time of the client's copy, or
    None.
    """
    if_none_match = parsed("if-none-match", IfNoneMatch.parse)
    """If-None-Match (RFC 9110 §13.1.2), an ``IfNoneMatch``: the entity tags of the client's copies, otherwise empty.
    See ``precondition``.
    """
    if_range = parsed("if-range", IfRange.parse)
    """If-Range (RFC 9110 §13.1.5), an ``IfRange``: the entity tag or date under which ``range`` applies, otherwise
    empty.
    """
    if_unmodified_since = parsed("if-unmodified-since", read_date)
    """If-Unmodified-Since (RFC 9110 §13.1.4), a ``datetime`` in UTC: the modification time of the client's copy, or
    None.
    """
    incremental = parsed("incremental", read_boolean)
    """Incremental (RFC 10036 §3), a bool: True if intermediaries should forward each chunk of the body as it
    arrives.
    """
    last_event_id = parsed("last-event-id", _last_event_id)
    """Last-Event-Id (HTML §9.2.4), text, as UTF-8: the id of the last event that an event source received, or None."""
    max_forwards = parsed("max-forwards", read_number)
    """Max-Forwards (RFC 9110 §7.6.2), an int: how many times TRACE and OPTIONS may be forwarded, or None."""
    origin = parsed("origin", read_text)
    """Origin (Fetch), text: the origin of the page that made the request, or ``null``, or None."""
    pragma = parsed("pragma", read_list)
    """Pragma (RFC 9111 §5.4), a tuple of directives, such as ``no-cache``, otherwise empty. It is obsolete."""
    prefer = parsed("prefer", read_list)
    """Prefer (RFC 7240 §2), a tuple of preferences, such as ``return=minimal``, otherwise empty."""
    priority = parsed("priority", or_none(Priority.parse))
    """Priority (RFC 9218 §5), a ``Priority``: how urgent the response is, or None."""
    range = parsed("range", or_none(Range.parse))
    """Range (RFC 9110 §14.2), a ``Range``: the part of the resource that the client asks for, or None."""
    referrer = parsed("referer", read_text)
    """Referer (RFC 9110 §10.1.3), text: the URL of the page that led here, or None."""
    repr_digest = parsed("repr-digest", _digests)
    """Repr-Digest (RFC 9530 §3), a dict of bytes by algorithm, such as ``sha-256``: the digests of the representation
    without content codings, otherwise empty. Antiphon doesn't verify them.
    """
    sec_ch_ua = parsed("sec-ch-ua", read_items)
    """Sec-CH-UA (User-Agent Client Hints), a tuple of ``Item``: the brands of the browser, each with its version in the
    ``v`` parameter, otherwise empty.
    """
    sec_fetch_dest = parsed("sec-fetch-dest", read_text)
    """Sec-Fetch-Dest (Fetch Metadata §2.1), text: the intended use of the response, such as ``document`` or ``image``,
    or None.
    """
    sec_fetch_mode = parsed("sec-fetch-mode", read_text)
    """Sec-Fetch-Mode (Fetch Metadata §2.2), text: ``navigate``, ``cors``, ``no-cors``, ``same-origin`` or
    ``websocket``, or None.
    """
    sec_fetch_site = parsed("sec-fetch-site", read_text)
    """Sec-Fetch-Site (Fetch Metadata §2.3), text: ``same-origin``, ``same-site``, ``cross-site`` or ``none``, or None.
    """
    traceparent = parsed("traceparent", _trace_parent)
    """traceparent (Trace Context §3.2), a ``TraceParent``: the trace and span that the request belongs to, or None.
    """
    tracestate = parsed("tracestate", read_text)
    """tracestate (Trace Context §3.3), text: what tracing systems add to ``traceparent``, or None."""
    user_agent = parsed("user-agent", _user_agent)
    """User-Agent (RFC 9110 §10.1.5), a ``UserAgent``: the header's text, with the browser and operating system as
    attributes, otherwise empty.
    """
    x_requested_with = parsed("x-requested-with", read_text)
    """X-Requested-With (de facto), text: ``XMLHttpRequest`` from some scripts, or None."""
