"""The functions of `werkzeug.http`, which parse and format header values.

They are based on the value classes of `antiphon.http`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from antiphon.dialects._environ.heads import LONGEST_CACHED
from antiphon.dialects.werkzeug.datastructures.accept import Accept
from antiphon.dialects.werkzeug.datastructures.auth import Authorization, WWWAuthenticate
from antiphon.dialects.werkzeug.datastructures.cache_control import RequestCacheControl
from antiphon.dialects.werkzeug.datastructures.csp import ContentSecurityPolicy
from antiphon.dialects.werkzeug.datastructures.dicts import HeaderSet
from antiphon.dialects.werkzeug.datastructures.etag import ETags
from antiphon.dialects.werkzeug.datastructures.range import ContentRange, IfRange, Range, is_byte_range_valid
from antiphon.dialects.werkzeug.datastructures.structures import MultiDict
from antiphon.dialects.werkzeug.exceptions.base import HTTP_STATUS_CODES
from antiphon.dialects.werkzeug.tokens import (
    cookie_date,
    dump_age,
    dump_cookie,
    dump_csp_header,
    dump_header,
    dump_options_header,
    generate_etag,
    http_date,
    parse_age,
    parse_date,
    parse_dict_header,
    parse_list_header,
    parse_options_header,
    quote_etag,
    quote_header_value,
    read_cookies,
    read_etags,
    unquote_etag,
    unquote_header_value,
)
from antiphon.http import ranges
from antiphon.http.grammar import OWS, TCHARS, read_weighted, split_weight, weighted_element
from antiphon.http.headers import HOP_BY_HOP

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.werkzeug.datastructures.headers import Headers


_ENTITY_HEADERS = frozenset({
    "allow", "content-encoding", "content-language", "content-length", "content-location", "content-md5",
    "content-range", "content-type", "expires", "last-modified",
})  # fmt: skip
_HOP_BY_HOP_HEADERS = HOP_BY_HOP.keys() - {"trailers"}


class COEP(Enum):
    """The values of Cross-Origin-Embedder-Policy."""

    UNSAFE_NONE = "unsafe-none"
    REQUIRE_CORP = "require-corp"


class COOP(Enum):
    """The values of Cross-Origin-Opener-Policy."""

    UNSAFE_NONE = "unsafe-none"
    SAME_ORIGIN_ALLOW_POPUPS = "same-origin-allow-popups"
    SAME_ORIGIN = "same-origin"


def is_entity_header(header: str) -> bool:
    """Return True if a field describes the content."""
    return header.lower() in _ENTITY_HEADERS


def is_hop_by_hop_header(header: str) -> bool:
    """Return True if a field applies only to the next hop."""
    return header.lower() in _HOP_BY_HOP_HEADERS


def remove_entity_headers(
    headers: "Headers | list[tuple[str, str]]", allowed: Iterable[str] = ("expires", "content-location")
) -> None:
    """Remove the fields that describe the content, in place, except those in ``allowed``."""
    kept = {name.lower() for name in allowed}
    headers[:] = [(name, value) for name, value in headers if not is_entity_header(name) or name.lower() in kept]


def remove_hop_by_hop_headers(headers: "Headers | list[tuple[str, str]]") -> None:
    """Remove the fields that apply only to the next hop, in place."""
    headers[:] = [(name, value) for name, value in headers if not is_hop_by_hop_header(name)]


A = TypeVar("A", bound=Accept)
C = TypeVar("C")

_element = weighted_element(rf"{TCHARS}(?>(?:/{TCHARS})?)", parameters=True)


@overload
def parse_accept_header(value: str | None, cls: None = None) -> "Accept": ...
@overload
def parse_accept_header(value: str | None, cls: type[A]) -> A: ...
def parse_accept_header(value: str | None, cls: "type[A] | None" = None) -> "A | Accept":
    """Parse the accepted values as a ``cls``, by default an Accept. Elements with a malformed quality are skipped.

    Results are cached, since they are immutable and most requests contain the same few values.
    """
    made = Accept if cls is None else cls
    if not value:
        return made(None)
    return _parse(value, made) if len(value) > LONGEST_CACHED else _parse_kept(value, made)


def _parse(value: str, cls: "type[A]") -> A:
    return cls([(name, quality) for item in read_weighted(_element, value) for name, quality in _separate(*item)])


@lru_cache(256)
def _parse_kept(value: str, cls: "type[Accept]") -> Any:
    return _parse(value, cls)


def _separate(item: str, quality: float) -> list[tuple[str, float]]:
    """Return an element with its parameters and its quality, which may be among the parameters."""
    if ";" not in item:
        return [(item, quality)]
    name, _, written = item.partition(";")
    try:
        parameters, weight = split_weight(written)
    except ValueError:
        return []
    return [(dump_options_header(name.rstrip(), parameters), min(weight, quality))]


@overload
def parse_cache_control_header(
    value: str | None, on_update: Callable[..., None] | None = None, cls: None = None
) -> "RequestCacheControl": ...
@overload
def parse_cache_control_header(value: str | None, on_update: Callable[..., None] | None, cls: type[C]) -> C: ...
def parse_cache_control_header(
    value: str | None, on_update: Callable[..., None] | None = None, cls: type[C] | None = None
) -> "C | RequestCacheControl":
    """Parse the directives as a ``cls``, by default a RequestCacheControl."""
    make = cast("Callable[..., C]", RequestCacheControl if cls is None else cls)
    made: C | RequestCacheControl = make(parse_dict_header(value) if value else (), on_update)
    return made


def parse_set_header(value: str | None, on_update: "Callable[[HeaderSet], None] | None" = None) -> "HeaderSet":
    """Parse the elements as a set that calls ``on_update`` after each change."""
    return HeaderSet(parse_list_header(value) if value else None, on_update)


def parse_csp_header(
    value: str | None,
    on_update: "Callable[[ContentSecurityPolicy], None] | None" = None,
    cls: "Callable[..., C] | None" = None,
) -> "C | ContentSecurityPolicy":
    """Parse the directives that have sources as a ``cls``, by default a ContentSecurityPolicy."""
    make: Callable[..., Any] = ContentSecurityPolicy if cls is None else cls
    pieces = [piece.strip(OWS).partition(" ") for piece in (value or "").split(";")]
    items = [(directive, sources.strip(OWS)) for directive, space, sources in pieces if space]
    made: C | ContentSecurityPolicy = make(items, on_update)
    return made


def parse_cookie(
    header: "Mapping[str, Any] | str | None", cls: "Callable[..., C] | None" = None
) -> "C | MultiDict[str, str]":
    """Parse the cookies in a header's value or an environ as a ``cls``, by default a MultiDict."""
    make: Callable[..., Any] = MultiDict if cls is None else cls
    value = header if header is None or isinstance(header, str) else header.get("HTTP_COOKIE")
    made: C | MultiDict[str, str] = make(read_cookies(value)) if value else make()
    return made


def parse_etags(value: str | None) -> "ETags":
    """Parse the tags in If-Match or If-None-Match.

    Tags without quotes are accepted. Results are cached, since all clients with the current version send the same
    value.
    """
    if not value:
        return ETags()
    return ETags(*read_etags(value))


def parse_if_range_header(value: str | None) -> "IfRange":
    if not value:
        return IfRange()
    moment = None if '"' in value else parse_date(value)
    return IfRange(date=moment) if moment else IfRange(unquote_etag(value)[0])


def parse_range_header(value: str | None, make_inclusive: bool = True) -> "Range | None":  # noqa: ARG001
    """Parse the requested ranges, which must be ascending and not overlap. Return None for any other value."""
    if not value or "=" not in value:
        return None
    unit, _, written = value.partition("=")
    try:
        parsed = ranges.Range.parse(f"{unit.strip(OWS).lower()}={_without_spaces(written)}")
    except ValueError:
        return None
    if not _are_rising(parsed.ranges):
        return None
    return Range(parsed.unit, [_with_stop(first, last) for first, last in parsed.ranges])


def _without_spaces(written: str) -> str:
    """Remove the spaces around hyphens in ranges. A space before a suffix's number is kept, since it is an error."""
    if " " not in written and "\t" not in written:
        return written
    return ",".join([_without_space(part.strip(OWS)) for part in written.split(",")])


def _without_space(part: str) -> str:
    first, hyphen, last = part.partition("-")
    return f"{first.rstrip(OWS)}{hyphen}{last.lstrip(OWS)}" if first else part


def _with_stop(first: int | None, last: int | None) -> tuple[int, int | None]:
    if first is None:
        return -(last or 0), None
    return first, None if last is None else last + 1


def _are_rising(parts: Iterable[ranges.RangeSpec]) -> bool:
    """Return True if each range begins after the previous one, only the last is open-ended, and none is empty."""
    reached: int | None = 0
    for first, last in parts:
        if reached is None or (first is None and last == 0) or (first is not None and first < reached):
            return False
        reached = None if first is None or last is None else last + 1
    return True


def parse_content_range_header(
    value: str | None, on_update: "Callable[[ContentRange], None] | None" = None
) -> "ContentRange | None":
    """Parse the range that a message contains. Return None if the value is malformed."""
    if value is None:
        return None
    value = value.strip(OWS)
    unit, _, written = value.partition(" ")
    if written == "*/*":
        return ContentRange(unit, None, None, None, on_update=on_update)
    try:
        parsed = ranges.ContentRange.parse(value)
    except ValueError:
        return None
    stop = None if parsed.last is None else parsed.last + 1
    return ContentRange(unit, parsed.first, stop, parsed.length, on_update=on_update)


def parse_authorization_header(value: str | None) -> "Authorization | None":
    """Parse the credentials. Return None if they are absent or malformed."""
    return Authorization.from_header(value)


def parse_www_authenticate_header(
    value: str | None, on_update: "Callable[[WWWAuthenticate], None] | None" = None
) -> "WWWAuthenticate":
    """Parse the challenge, by default an empty one for Basic. It calls ``on_update`` after each change."""
    found = WWWAuthenticate.from_header(value) or WWWAuthenticate("basic")
    found._on_update = on_update  # noqa: SLF001 - of this dialect
    return found


def is_resource_modified(
    environ: "WSGIEnvironment",
    etag: str | None = None,
    data: bytes | None = None,
    last_modified: datetime | str | None = None,
    ignore_if_range: bool = True,
) -> bool:
    """Return True unless the client already has the version with this tag (or these bytes) and date.

    ``etag`` is quoted as in headers. Raises TypeError if both ``etag`` and ``data`` are given.
    """
    if data is not None:
        if etag is not None:
            raise TypeError("both data and etag given")
        etag = quote_etag(generate_etag(data))
    if_range = IfRange()
    if not ignore_if_range and "HTTP_RANGE" in environ:
        if_range = parse_if_range_header(environ.get("HTTP_IF_RANGE"))
    unmodified = _is_as_old(last_modified, if_range.date or parse_date(environ.get("HTTP_IF_MODIFIED_SINCE")))
    if not etag:
        return not unmodified
    tag = unquote_etag(etag)[0] or ""
    if if_range.etag is not None:
        return bool(if_range.etag != tag)
    return not _is_known(environ, tag, unmodified)


def _is_as_old(last_modified: datetime | str | None, since: datetime | None) -> bool:
    if isinstance(last_modified, str):
        last_modified = parse_date(last_modified)
    if last_modified is None or since is None:
        return False
    if last_modified.tzinfo is None:
        last_modified = last_modified.replace(tzinfo=UTC)
    return last_modified.replace(microsecond=0) <= since


def _is_known(environ: "WSGIEnvironment", tag: str, unmodified: bool) -> bool:
    """Return True if the request's tags show that the client has this version. Without tags, return ``unmodified``."""
    if unwanted := parse_etags(environ.get("HTTP_IF_NONE_MATCH")):
        unmodified = unwanted.contains_weak(tag)
    if wanted := parse_etags(environ.get("HTTP_IF_MATCH")):
        unmodified = not wanted.is_strong(tag)
    return unmodified


__all__ = [
    "COEP", "COOP", "HTTP_STATUS_CODES", "cookie_date", "dump_age", "dump_cookie", "dump_csp_header", "dump_header",
    "dump_options_header", "generate_etag", "http_date", "is_byte_range_valid", "is_entity_header",
    "is_hop_by_hop_header", "is_resource_modified", "parse_accept_header", "parse_age",
    "parse_authorization_header", "parse_cache_control_header", "parse_content_range_header", "parse_cookie",
    "parse_csp_header", "parse_date", "parse_dict_header", "parse_etags", "parse_if_range_header",
    "parse_list_header", "parse_options_header", "parse_range_header", "parse_set_header",
    "parse_www_authenticate_header", "quote_etag", "quote_header_value", "remove_entity_headers",
    "remove_hop_by_hop_headers", "unquote_etag", "unquote_header_value",
]  # fmt: skip
