"""JSON with tags for values that JSON lacks, as in Flask's session cookies. Flask can read the results.

A value that JSON lacks becomes an object with one member, whose name begins with a space: `{" b": "aGk="}` is `b"hi"`.
In a cookie, this JSON is packed for URLs in itsdangerous's format.
"""

import json
import zlib
from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from antiphon import explained
from antiphon.http import format_http_date, parse_http_date

_OBJECT = " di"
"""The tag of an object that would otherwise look like a tagged value: its member's name gets two more underscores."""

_READERS: dict[str, Callable[[Any], Any]] = {
    _OBJECT: lambda value: {name.removesuffix("__"): each for name, each in value.items()},
    " t": tuple,
    " b": b64decode,
    " m": str,
    " u": UUID,
    " d": parse_http_date,
    " i": datetime.fromisoformat,
}

PLAIN = frozenset({str, int, bool, type(None), float})
"""Types that need no tag."""

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def dumps(value: Any) -> str:
    """Return a value as JSON. Raises TypeError or ValueError for most values that JSON can't express.

    A store reads a value back after writing it and compares the two: NaN and the infinities come back as None.
    """
    return dumps_tagged(tag(value))


def dumps_tagged(tagged: Any) -> str:
    """Return a tagged value as JSON."""
    try:
        return msgspec.json.encode(tagged).decode()
    except (TypeError, ValueError):  # subclasses, or text that is not Unicode
        return _encode(tagged)


def loads(text: str | bytes) -> Any:
    """Decode JSON, given as text or as bytes in UTF-8. Raises ValueError for malformed JSON."""
    if isinstance(text, bytes):
        text = text.decode()
    if not has_tags(text):
        try:
            return _read(text)
        except (ValueError, msgspec.MsgspecError):
            pass  # the standard library accepts more
    return _decode(text)


def has_tags(text: str) -> bool:
    """Return True if JSON may contain tags. If it contains none, its values need none when they are written again."""
    return '{" ' in text


def tag(value: Any) -> Any:
    """Return a value in which everything that JSON lacks is tagged."""
    if type(value) in PLAIN:
        return value
    match value:
        case dict():
            tagged = {name: each if type(each) in PLAIN else tag(each) for name, each in value.items()}
            name = next(iter(tagged)) if len(tagged) == 1 else None
            return {_OBJECT: {f"{name}__": tagged[name]}} if name in _READERS else tagged
        case list():
            return [tag(each) for each in value]
        case tuple():
            return {" t": [tag(each) for each in value]}
        case bytes():
            return {" b": b64encode(value).decode()}
        case UUID():
            return {" u": value.hex}
        case datetime():
            return _tag_datetime(value)
    return value


def _tag_datetime(moment: datetime) -> dict[str, str]:
    """Return a tagged datetime. Whole seconds use Flask's format, which has no fractions."""
    if moment.utcoffset() is None:
        raise explained("datetime-without-zone", "a datetime needs a time zone", TypeError)
    return {" i": moment.astimezone(UTC).isoformat()} if moment.microsecond else {" d": format_http_date(moment)}


def _untag(value: dict[str, Any]) -> Any:
    if len(value) != 1:
        return value
    [(name, inner)] = value.items()
    reader = _READERS.get(name)
    return value if reader is None else reader(inner)


_read = msgspec.json.Decoder().decode
_decode = json.JSONDecoder(object_hook=_untag).decode

COMPRESSED_FROM = 512
"""The size in bytes from which JSON is compressed; smaller JSON is not worth the time."""


def pack(text: str) -> bytes:
    """Return JSON packed for URLs in itsdangerous's format: base64, with a dot before compressed data."""
    data = text.encode()
    if len(data) >= COMPRESSED_FROM and len(compressed := zlib.compress(data)) < len(data) - 1:
        return b"." + urlsafe_b64encode(compressed).rstrip(b"=")
    return urlsafe_b64encode(data).rstrip(b"=")


def unpack(payload: bytes) -> str:
    """Return the JSON in a payload. Raises ValueError or zlib.error for a malformed payload."""
    data = from_base64(payload)
    return (zlib.decompress(data) if payload.startswith(b".") else data).decode()


def from_base64(text: bytes) -> bytes:
    """Return the bytes that URL-safe base64 encodes, with or without a dot before it. Raises ValueError otherwise."""
    return a2b_base64(text.replace(b"-", b"+").replace(b"_", b"/") + b"==")  # which passes over the dot
