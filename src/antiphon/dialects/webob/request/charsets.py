"""Charsets of requests: those that Content-Type names, and those that are set."""

import re
from collections.abc import Callable
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import TypeAlias

from antiphon.http.charset import CODECS

Decode: TypeAlias = Callable[[bytes], str]

UTF_8 = "UTF-8"
"""The charset of a request without any other."""

LATIN_1 = frozenset({
    "ascii", "latin-1", "latin", "latin_1", "l1", "latin1", "iso-8859-1", "iso8859_1", "iso_8859_1", "iso8859", "8859",
})  # fmt: skip
"""Names of the charset in which text in an environ needs no decoding (PEP 3333)."""

_SAFE = frozenset([codec.replace("-", "_") for codec in CODECS.values()] + ["ascii", "latin_1"])

_parameter = re.compile(r';\s*charset\s*=\s*("[^"]*"|[^;]*)', re.IGNORECASE)


def declared_charset(content_type: str) -> str | None:
    """Return the charset that a Content-Type names; None without one."""
    if ";" not in content_type:
        return None
    found = _parameter.search(content_type)
    return (found[1].strip('" \t') or None) if found else None


def with_charset(content_type: str, charset: str) -> str:
    """Return a Content-Type with a different charset."""
    named = f'; charset="{charset}"'
    if _parameter.search(content_type):
        return _parameter.sub(lambda _: named, content_type, count=1)
    return content_type + named


def is_utf_8(charset: str | None) -> bool:
    """Return True for UTF-8, and for no charset."""
    return not charset or charset.lower().replace("-", "").replace("_", "") == "utf8"


def named_charset(charset: str | None) -> str:
    """Return a charset by its name, that of UTF-8 in its usual form."""
    return UTF_8 if is_utf_8(charset) else str(charset)


def codec_of(charset: str) -> str:
    """Return the Python codec of a charset that a request can name. Raises LookupError for other charsets.

    Python knows more: those that are not charsets, or hide ASCII.
    """
    if charset == UTF_8:
        return "utf-8"
    label = charset.strip().lower()
    name = normalize_encoding(label)
    codec = aliases.get(name, name)
    if codec in _SAFE:
        return codec
    if label not in CODECS:
        raise LookupError(f"requests have no text in the charset {charset[:80]!r}")
    return CODECS[label]


def decoder(charset: str) -> Decode | None:
    """Return a function that decodes text in a charset, with U+FFFD for invalid bytes, or None for UTF-8.

    Text in a charset that requests can't have is read as UTF-8, like UTF-16, which no browser sends.
    """
    try:
        codec = codec_of(charset)
    except LookupError:
        return None
    return None if codec.startswith("utf") else lambda data: data.decode(codec, "replace")


def as_latin_1(data: bytes) -> str:
    """Return bytes as text with a character for each, as an environ has it (PEP 3333)."""
    return data.decode("latin-1")
