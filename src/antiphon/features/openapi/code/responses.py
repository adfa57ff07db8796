"""Responses created by calls: ``Response.html(...)``, ``Page(...)``."""

from collections.abc import Mapping
from dataclasses import replace
from mimetypes import guess_type
from os import PathLike
from typing import Any

from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.parts import item_of, kind_of
from antiphon.features.openapi.code.values import (
    NONE,
    TEXT,
    UNKNOWN,
    Encoded,
    Fields,
    Items,
    Known,
    Of,
    ResponseValue,
    Statuses,
    Stream,
    Tuple,
    Unknown,
    Value,
    alternatives,
    either,
)
from antiphon.http import Event

HTML, PLAIN, JSON, BYTES = "text/html", "text/plain", "application/json", "application/octet-stream"
EVENTS, NDJSON, PROBLEM = "text/event-stream", "application/x-ndjson", "application/problem+json"
ANY = "*/*"

SETS: dict[str, str] = {
    "add_etag": "etag", "cache_for": "cache-control", "no_store": "cache-control", "vary": "vary",
    "set_cookie": "set-cookie", "delete_cookie": "set-cookie",
}  # fmt: skip
"""The methods of responses that set a header field, and the field."""
_OF_ERRORS = {"retry_after": "retry-after", "challenge": "www-authenticate", "allow": "allow", "upgrade": "upgrade"}
"""The options of errors that become header fields."""

_MEDIA: dict[str, str] = {
    "html": HTML, "text": PLAIN, "json": JSON, "stream": PLAIN, "events": EVENTS, "ndjson": NDJSON,
}  # fmt: skip


def statuses_in(value: Value | None, default: tuple[int, ...] | None = None) -> tuple[int, ...] | None:
    """Return a value's possible statuses, or None if they aren't known. A value of None stands for ``default``."""
    if value is None:
        return default
    found: list[int] = []
    for each in alternatives(value):
        match each:
            case Known(int() as code) if not isinstance(code, bool):
                found.append(int(code))
            case Known(None) if default is not None:
                found += default
            case Statuses(codes):
                found += codes
            case _:
                return None
    return tuple(dict.fromkeys(found))


def fields_of(value: Value | None) -> Fields | None:
    """Return the items of a dict, or None if they aren't known. A value of None counts as an empty dict."""
    match value:
        case Fields():
            return value
        case Known(dict() as held) if all(isinstance(name, str) for name in held):
            return Fields(tuple((name, Known(each)) for name, each in held.items()))
        case None | Known(None | ()):
            return Fields(())
        case Items(item) if (pairs := [*map(_pair, alternatives(item))]) and None not in pairs:
            return Fields(tuple(each for each in pairs if each is not None))
    return None


def _pair(value: Value) -> tuple[str, Value] | None:
    """Return a header field that is a tuple of its name and its value, except one that may change the media type."""
    match value:
        case Tuple((Known(str() as name), field)) if name.lower() != "content-type":
            return name, field
    return None


def header_names(value: Value | None) -> tuple[str, ...]:
    """Return the names of the headers in a dict, except the media type, which is described elsewhere."""
    known = fields_of(value)
    return tuple(name.lower() for name, _ in known.items if name.lower() != "content-type") if known else ()


def headers_of_error(named: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the names of the header fields that are passed to an error."""
    options = [field for name, field in _OF_ERRORS.items() if named.get(name, NONE) != NONE]
    return (*header_names(named.get("headers")), *options)


def media_in(headers: Value | None, default: str | None) -> str | Unknown | None:
    """Return the media type specified by headers, the default if they don't specify one, or UNKNOWN."""
    known = fields_of(headers)
    if known is None:
        return UNKNOWN
    written = [value for name, value in known.items if name.lower() == "content-type"]
    return (media_type(written[0]) or UNKNOWN) if len(written) == 1 else UNKNOWN if written else default


def media_type(value: Value | None) -> str | None:
    """Return the media type in a header's text, without parameters."""
    if isinstance(value, Known) and isinstance(value.value, str):
        return value.value.partition(";")[0].strip().lower()
    return None


def value_of_response(maker: str, positional: list[Value], named: dict[str, Value]) -> Value:
    """Return the response created by calling Response, or one of its functions, such as ``html``."""
    for name in ("headers", "content_type"):
        if len(several := alternatives(named.get(name, NONE))) > 1:
            return either(*[value_of_response(maker, positional, {**named, name: each}) for each in several])
    if maker in ("redirect", "back"):
        codes = statuses_in(argument(positional, named, 1 if maker == "redirect" else 2, "status"), (303,))
        return ResponseValue(codes, None, NONE, ("location",), has_own_status=True)
    if maker == "template":
        return _rendered(positional, named)
    body = argument(positional, named, 0, _BODY_NAMES.get(maker, "body"))
    status = argument(positional, named, 1, "status")
    codes, is_own = statuses_in(status, (200,)), status not in (None, NONE)
    headers = argument(positional, named, 2, "headers")
    given = named.get("content_type", NONE)
    media = media_in(headers, None) if given == NONE else media_type(given) or UNKNOWN
    if isinstance(media, Unknown):
        return UNKNOWN
    if maker == "file":
        conditional = not (isinstance(flag := named.get("conditional"), Known) and flag.value is False)
        return ResponseValue(
            codes, media or _media_of_file(body), Of(bytes), header_names(headers), conditional, conditional, is_own
        )
    if maker == "json":
        return ResponseValue(codes, media or JSON, body or UNKNOWN, header_names(headers), has_own_status=is_own)
    if maker in _MEDIA:
        parts = _streamed(maker, body or UNKNOWN)
        return ResponseValue(codes, media or _MEDIA[maker], parts, header_names(headers), has_own_status=is_own)
    if maker == "multipart":
        return ResponseValue(codes, "multipart/mixed", Of(bytes), header_names(headers), has_own_status=is_own)
    if maker:
        return UNKNOWN
    made = ResponseValue(codes, media, NONE, header_names(headers), has_own_status=is_own)
    return either(*[_plain(each, made) for each in alternatives(body or NONE)])


_BODY_NAMES = {"json": "value", "stream": "chunks", "events": "source", "ndjson": "source", "file": "source"}


def _streamed(maker: str, source: Value) -> Value:
    """Return a stream's body. An event's data is JSON, unless it is text or an ``Event``."""
    if maker not in ("events", "ndjson"):
        return TEXT
    item = item_of(source)
    kinds = [each.type if isinstance(each, Of) else type(getattr(each, "value", None)) for each in alternatives(item)]
    classes = [annotations.class_of(each) for kind in kinds for each in annotations.members(kind)]
    is_json = all(each not in (None, Any, object) and not issubclass(each, str | Event) for each in classes)
    return Stream(item if maker == "ndjson" or is_json else UNKNOWN)


def argument(positional: list[Value], named: dict[str, Value], at: int, name: str) -> Value | None:
    """Return an argument by position or name; None if it isn't passed."""
    return positional[at] if at < len(positional) else named.get(name)


def _media_of_file(source: Value | None) -> str:
    """Return the media type for a file's name, or the type for any file."""
    if isinstance(source, Known) and isinstance(source.value, str | PathLike):
        return guess_type(str(source.value))[0] or BYTES
    return ANY


def _plain(body: Value, made: ResponseValue) -> Value:
    """Return the response created by ``Response`` itself, depending on its body's type."""
    kind: Any = body.type if isinstance(body, Of) else type(body.value) if isinstance(body, Known) else None
    if body == NONE:
        return made
    if isinstance(body, Items):
        kind = bytes  # sent chunk by chunk
    if not isinstance(kind, type):
        return UNKNOWN if made.media is None else replace(made, body=body_in(made.media, Of(bytes)))
    text = issubclass(kind, str)
    media = made.media or (PLAIN if text else BYTES)
    return replace(
        made, media=media, body=body_in(media, body if isinstance(body, Encoded) else TEXT if text else Of(bytes))
    )


def body_in(media: str | None, body: Value) -> Value:
    """Return a response's body. A string that is sent as JSON can be any JSON."""
    if media is None or "json" not in media or kind_of(body) not in (str, bytes):
        return body
    return body.content if isinstance(body, Encoded) else UNKNOWN


def value_of_page(positional: list[Value], named: dict[str, Value], status_at: int) -> Value:
    """Return a template's page, and the JSON that it offers. ``status_at`` is the position of the status."""
    page = _rendered(positional, named, status_at, is_conditional=True)
    offered = named.get("_json")
    if offered is None or (isinstance(offered, Known) and offered.value is False):
        return page
    if isinstance(offered, Known):  # all of the page's data
        offered = Fields(tuple((name, value) for name, value in named.items() if not name.startswith("_")))
    return either(page, ResponseValue(page.statuses, JSON, offered))


def _rendered(
    positional: list[Value], named: dict[str, Value], status_at: int = 1, *, is_conditional: bool = False
) -> ResponseValue:
    """Return a template's text. The template's name determines the media type."""
    status = argument(positional, named, status_at, "_status")
    codes = statuses_in(status, (200,))
    name = positional[0].value if positional and isinstance(positional[0], Known) else ""
    headers = header_names(argument(positional, named, status_at + 1, "_headers"))
    return ResponseValue(
        codes, guess_type(str(name))[0] or HTML, TEXT, headers, is_conditional, False, status is not None
    )
