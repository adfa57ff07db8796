"""Entity tags as text, with or without quotes (RFC 9110 §8.8.3)."""

import re

from antiphon.dialects._environ.caching import cache_short
from antiphon.embedding import OWS
from antiphon.http import etag as tags

_quoted = re.compile(r'(W/)?"([^"]*+)"').findall


def quote_etag(etag: str, weak: bool = False) -> str:
    """Return a tag as headers have it. Raises ValueError for a tag with a quote inside."""
    if '"' in etag:
        raise ValueError(f"an entity tag has no quotes inside: {etag[:80]!r}")
    return f'W/"{etag}"' if weak else f'"{etag}"'


def unquote_etag(etag: str | None) -> tuple[str, bool] | tuple[None, None]:
    """Return a tag without quotes, and True if it is weak; (None, None) without one."""
    if not etag:
        return None, None
    weak = etag[:2] in ("W/", "w/")
    opaque = etag[2:] if weak else etag
    return (opaque[1:-1] if opaque[:1] == '"' and opaque[-1:] == '"' else opaque), weak


def generate_etag(data: bytes) -> str:
    """Return a tag for these bytes: the same one in every process, and in Werkzeug."""
    from hashlib import sha1

    return sha1(data, usedforsecurity=False).hexdigest()


@cache_short(256)
def read_etags(value: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Return the strong tags, the weak ones, and True for the star."""
    listed = tags.ETags.parse(value)
    if listed.is_complete:
        read: list[tuple[bool | str | None, str]] = _quoted(str(listed))
    else:
        loose = [unquote_etag(stripped) for element in value.split(",") if (stripped := element.strip(OWS))]
        read = [(weak, tag) for tag, weak in loose if tag and '"' not in tag]
    return tuple([tag for weak, tag in read if not weak]), tuple([tag for weak, tag in read if weak]), listed.star
