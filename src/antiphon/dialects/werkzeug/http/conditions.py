"""Conditions of a request (RFC 9110 §13)."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from antiphon.dialects.werkzeug.datastructures.range import IfRange
from antiphon.dialects.werkzeug.http.parsing import parse_etags, parse_if_range_header
from antiphon.dialects.werkzeug.tokens.dates import parse_date
from antiphon.dialects.werkzeug.tokens.etags import generate_etag, quote_etag, unquote_etag

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def is_resource_modified(
    environ: "WSGIEnvironment",
    etag: str | None = None,
    data: bytes | None = None,
    last_modified: datetime | str | None = None,
    ignore_if_range: bool = True,
) -> bool:
    """Return True if the client lacks the version with this tag (as headers have it), or of these bytes, and this date.

    Raises TypeError if both a tag and bytes are given.
    """
    if data is not None:
        if etag is not None:
            raise TypeError("give either a tag or data, not both: the tag is made of the data")
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
    """Return True if the request's tags show that the client has the version; ``unmodified`` if the request has no
    tags.
    """
    if unwanted := parse_etags(environ.get("HTTP_IF_NONE_MATCH")):
        unmodified = unwanted.contains_weak(tag)
    if wanted := parse_etags(environ.get("HTTP_IF_MATCH")):
        unmodified = not wanted.is_strong(tag)
    return unmodified
