"""The standard header fields of a response, as typed attributes."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from antiphon.http.authorization import Challenge, parse_challenges
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import ETag
from antiphon.http.content_disposition import ContentDisposition
from antiphon.http.dates import format_retry_after, format_structured_date, parse_retry_after, parse_structured_date
from antiphon.http.grammar import parse_or_none
from antiphon.http.head import parse_length
from antiphon.http.header_property import (
    flag,
    header,
    members,
    or_none,
    print_date,
    print_list,
    print_number,
    print_text,
    print_tokens,
    read_boolean,
    read_date,
    read_items,
    read_list,
    read_number,
    read_text,
)
from antiphon.http.headers import field_value
from antiphon.http.link import Link, format_links, parse_links
from antiphon.http.media_type import MediaType
from antiphon.http.ranges import ContentRange
from antiphon.http.structured_fields import BareItem, Item, Priority, format_structured_list
from antiphon.http.urls.url import as_uri
from antiphon.response.fields import SharedFields

if TYPE_CHECKING:
    from antiphon.http.tracing import ServerTiming

T = TypeVar("T")


def _print_etag(value: ETag | str) -> str:
    return str(value if isinstance(value, ETag) else ETag(print_text(value)))


def _print_cache_control(value: CacheControl) -> str:
    return str(_of(CacheControl, value))


def _print_content_range(value: ContentRange) -> str:
    return str(_of(ContentRange, value))


def _of(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"it must be a {kind.__name__}")
    return value


def _disposition(value: str | None) -> ContentDisposition | None:
    return parse_or_none(ContentDisposition.parse, value)


def _print_disposition(value: ContentDisposition) -> str:
    return field_value(str(_of(ContentDisposition, value)))


def _links(value: str | None) -> tuple[Link, ...]:
    return tuple(parse_links(value)) if value else ()


def _print_links(values: Iterable[Link]) -> str:
    return field_value(format_links([_of(Link, value) for value in values]))


def _challenges(value: str | None) -> tuple[Challenge, ...]:
    return tuple(parse_challenges(value)) if value else ()


def _print_challenges(values: Challenge | Iterable[Challenge]) -> str:
    several = [values] if isinstance(values, Challenge) else values
    return field_value(", ".join([str(_of(Challenge, value)) for value in several]))


def _timings(value: str | None) -> "tuple[ServerTiming, ...]":
    from antiphon.http.tracing import parse_server_timing

    return tuple(parse_server_timing(value)) if value else ()


def _print_timings(values: "Iterable[ServerTiming]") -> str:
    from antiphon.http.tracing import ServerTiming, format_server_timing

    return field_value(format_server_timing([_of(ServerTiming, value) for value in values]))


def _quoted(value: str | None) -> tuple[str, ...]:
    return tuple(element.strip('"') for element in read_list(value))


def _print_quoted(values: Iterable[str]) -> str:
    return ", ".join([f'"{element}"' for element in print_list(values).split(", ") if element])


def _print_type(value: str | MediaType) -> str:
    return SharedFields.only_typed(value if isinstance(value, MediaType) else _of(str, value))[0][1]


def _print_location(value: str) -> str:
    return as_uri(_of(str, value))


def _print_deprecation(value: datetime) -> str:
    return format_structured_date(_of(datetime, value))


def _print_priority(value: Priority) -> str:
    return str(_of(Priority, value))


def _print_items(values: Iterable[Item | BareItem]) -> str:
    return format_structured_list(values)


_directives: tuple[Callable[[str | None], dict[str, int | str]], Callable[[Mapping[str, int | str]], str]] = members(
    bool, int, str
)


def _expires(value: str | None) -> datetime | None:
    """Read a date; anything else is in the past (RFC 9111 §5.3)."""
    return None if value is None else read_date(value) or _LONG_AGO


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class ResponseHeaders:
    """Typed header attributes that read and set ``headers``.

    An absent or malformed header reads as None, False or empty. Setting None, False or an empty value removes the
    header, as ``del`` does. Setting an invalid value raises ValueError.
    """

    __slots__ = ()

    accept_ch = header("accept-ch", read_list, print_tokens)
    """Accept-Ch (RFC 8942 §3.1), a tuple of text: header names."""
    accept_encodings = header("accept-encoding", read_list, print_list)
    """Accept-Encoding (RFC 9110 §12.5.3), a tuple of text: the content codings that the server accepts, in a 415."""
    accept_patch = header("accept-patch", read_list, print_list)
    """Accept-Patch (RFC 5789 §3.1), a tuple of text: media types."""
    accept_post = header("accept-post", read_list, print_list)
    """Accept-Post (LDP), a tuple of text: media types."""
    accept_query = header("accept-query", read_items, _print_items)
    """Accept-Query (RFC 10008 §3), a tuple of ``Item``: the media types that QUERY requests may have; you can also set
    text.
    """
    accept_ranges = header("accept-ranges", read_text, print_text)
    """Accept-Ranges (RFC 9110 §14.3), text: ``bytes`` or ``none``."""
    access_control_allow_credentials = header("access-control-allow-credentials", *flag("true"))
    """Access-Control-Allow-Credentials (Fetch), a bool."""
    access_control_allow_headers = header("access-control-allow-headers", read_list, print_tokens)
    """Access-Control-Allow-Headers (Fetch), a tuple of text: names."""
    access_control_allow_methods = header("access-control-allow-methods", read_list, print_tokens)
    """Access-Control-Allow-Methods (Fetch), a tuple of text: methods."""
    access_control_allow_origin = header("access-control-allow-origin", read_text, print_text)
    """Access-Control-Allow-Origin (Fetch), text."""
    access_control_expose_headers = header("access-control-expose-headers", read_list, print_tokens)
    """Access-Control-Expose-Headers (Fetch), a tuple of text: names."""
    access_control_max_age = header("access-control-max-age", read_number, print_number)
    """Access-Control-Max-Age (Fetch), an int, in seconds."""
    age = header("age", read_number, print_number)
    """Age (RFC 9111 §5.1), an int, in seconds."""
    allow = header("allow", read_list, print_tokens)
    """Allow (RFC 9110 §10.2.1), a tuple of text: methods."""
    alt_svc = header("alt-svc", read_text, print_text)
    """Alt-Svc (RFC 7838 §3), text."""
    cache_control = header("cache-control", CacheControl.parse, _print_cache_control)
    """Cache-Control (RFC 9111 §5.2), a ``CacheControl``."""
    cache_status = header("cache-status", read_items, _print_items)
    """Cache-Status (RFC 9211 §2), a tuple of ``Item``: the caches, each with parameters that describe what it did."""
    cdn_cache_control = header("cdn-cache-control", *_directives)
    """CDN-Cache-Control (RFC 9213 §3.1), a dict of directives: ``{"max-age": 60, "no-transform": True}``."""
    clear_site_data = header("clear-site-data", _quoted, _print_quoted)
    """Clear-Site-Data (Clear Site Data), a tuple of text, such as ``cache``, printed in quotes."""
    content_digest = header("content-digest", *members(bytes))
    """Content-Digest (RFC 9530 §2), a dict of bytes by algorithm: ``{"sha-256": hashlib.sha256(body).digest()}``."""
    content_disposition = header("content-disposition", _disposition, _print_disposition)
    """Content-Disposition (RFC 6266 §4), a ``ContentDisposition``."""
    content_encoding = header("content-encoding", read_text, print_text)
    """Content-Encoding (RFC 9110 §8.4), text."""
    content_language = header("content-language", read_list, print_list)
    """Content-Language (RFC 9110 §8.5), a tuple of text: language tags."""
    content_length = header("content-length", or_none(parse_length), print_number)
    """Content-Length (RFC 9110 §8.6), an int, in bytes. A body in memory is sent with its own length."""
    content_location = header("content-location", read_text, print_text)
    """Content-Location (RFC 9110 §8.7), text."""
    content_range = header("content-range", or_none(ContentRange.parse), _print_content_range)
    """Content-Range (RFC 9110 §14.4), a ``ContentRange``."""
    content_security_policy = header("content-security-policy", read_text, print_text)
    """Content-Security-Policy (CSP3 §3.1), text."""
    content_security_policy_report_only = header("content-security-policy-report-only", read_text, print_text)
    """Content-Security-Policy-Report-Only (CSP3 §3.2), text."""
    content_type = header("content-type", read_text, _print_type)
    """Content-Type (RFC 9110 §8.3), text: the media type of the body with its parameters. You can also set a
    ``MediaType``, such as that of an upload.
    """
    cross_origin_embedder_policy = header("cross-origin-embedder-policy", read_text, print_text)
    """Cross-Origin-Embedder-Policy (HTML), text."""
    cross_origin_embedder_policy_report_only = header("cross-origin-embedder-policy-report-only", read_text, print_text)
    """Cross-Origin-Embedder-Policy-Report-Only (HTML), text."""
    cross_origin_opener_policy = header("cross-origin-opener-policy", read_text, print_text)
    """Cross-Origin-Opener-Policy (HTML), text."""
    cross_origin_opener_policy_report_only = header("cross-origin-opener-policy-report-only", read_text, print_text)
    """Cross-Origin-Opener-Policy-Report-Only (HTML), text."""
    cross_origin_resource_policy = header("cross-origin-resource-policy", read_text, print_text)
    """Cross-Origin-Resource-Policy (Fetch), text."""
    date = header("date", read_date, print_date)
    """Date (RFC 9110 §6.6.1), a ``datetime``."""
    deprecation = header("deprecation", or_none(parse_structured_date), _print_deprecation)
    """Deprecation (RFC 9745 §2.1), a ``datetime``."""
    etag = header("etag", or_none(ETag.parse), _print_etag)
    """ETag (RFC 9110 §8.8.3), an ``ETag``; you can also set text."""
    expires = header("expires", _expires, print_date)
    """Expires (RFC 9111 §5.3), a ``datetime``; an invalid date is read as one in the past."""
    incremental = header("incremental", read_boolean, flag("?1")[1])
    """Incremental (RFC 10036 §3), a bool: True asks proxies to forward each chunk of the body as it arrives."""
    last_modified = header("last-modified", read_date, print_date)
    """Last-Modified (RFC 9110 §8.8.2), a ``datetime``."""
    links = header("link", _links, _print_links)
    """Link (RFC 8288 §3), a tuple of ``Link``."""
    location = header("location", read_text, _print_location)
    """Location (RFC 9110 §10.2.2), text: the URL of a redirect or a created resource. Characters that aren't allowed in
    a URI are escaped.
    """
    permissions_policy = header("permissions-policy", read_text, print_text)
    """Permissions-Policy (Permissions Policy), text."""
    permissions_policy_report_only = header("permissions-policy-report-only", read_text, print_text)
    """Permissions-Policy-Report-Only (Permissions Policy), text."""
    preference_applied = header("preference-applied", read_list, print_list)
    """Preference-Applied (RFC 7240 §3), a tuple of text."""
    priority = header("priority", or_none(Priority.parse), _print_priority)
    """Priority (RFC 9218 §5), a ``Priority``."""
    referrer_policy = header("referrer-policy", read_text, print_text)
    """Referrer-Policy (Referrer Policy), text."""
    refresh = header("refresh", read_text, print_text)
    """Refresh (HTML), text."""
    reporting_endpoints = header("reporting-endpoints", *members(str))
    """Reporting-Endpoints (Reporting API), a dict of text: URLs by endpoint name."""
    repr_digest = header("repr-digest", *members(bytes))
    """Repr-Digest (RFC 9530 §3), a dict of bytes by algorithm: ``{"sha-256": hashlib.sha256(body).digest()}``."""
    retry_after = header("retry-after", or_none(parse_retry_after), format_retry_after)
    """Retry-After (RFC 9110 §10.2.3), seconds or a ``datetime``; you can also set a ``timedelta`` or float."""
    server = header("server", read_text, print_text)
    """Server (RFC 9110 §10.2.4), text."""
    server_timing = header("server-timing", _timings, _print_timings)
    """Server-Timing (Server Timing), a tuple of ``ServerTiming``: durations are in milliseconds."""
    service_worker_allowed = header("service-worker-allowed", read_text, print_text)
    """Service-Worker-Allowed (Service Workers), text."""
    strict_transport_security = header("strict-transport-security", read_text, print_text)
    """Strict-Transport-Security (RFC 6797 §6.1), text."""
    sunset = header("sunset", read_date, print_date)
    """Sunset (RFC 8594 §3), a ``datetime``."""
    timing_allow_origin = header("timing-allow-origin", read_list, print_list)
    """Timing-Allow-Origin (Resource Timing), a tuple of text: origins, or ``*``."""
    www_authenticate = header("www-authenticate", _challenges, _print_challenges)
    """WWW-Authenticate (RFC 9110 §11.6.1), a tuple of ``Challenge``; you can also set a single one."""
    x_content_type_options = header("x-content-type-options", read_text, print_text)
    """X-Content-Type-Options (Fetch), text: ``nosniff``."""
    x_frame_options = header("x-frame-options", read_text, print_text)
    """X-Frame-Options (HTML), text: ``DENY`` or ``SAMEORIGIN``."""
    x_robots_tag = header("x-robots-tag", read_text, print_text)
    """X-Robots-Tag (de facto), text."""
