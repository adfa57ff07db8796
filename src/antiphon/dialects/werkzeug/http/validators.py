"""Entity tags, and whether a client has the current version already."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from antiphon.dialects.werkzeug import datastructures as ds
from antiphon.dialects.werkzeug.http.moments import parse_date
from antiphon.dialects.werkzeug.keeping import kept
from antiphon.http import etag as tags
from antiphon.http.grammar import OWS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.werkzeug.datastructures import ETags, IfRange

_quoted = re.compile(r'(W/)?"([^"]*+)"').findall


def quote_etag(etag: str, weak: bool = False) -> str:
    """The tag as headers have it. Raises ValueError for one with a quote."""
    if '"' in etag:
        raise ValueError(f"an entity tag has no quotes inside: {etag[:80]!r}")
    return f'W/"{etag}"' if weak else f'"{etag}"'


def unquote_etag(etag: str | None) -> tuple[str, bool] | tuple[None, None]:
    """The tag without quotes, and whether it is weak; (None, None) without one."""
    if not etag:
        return None, None
    weak = etag[:2] in ("W/", "w/")
    opaque = etag[2:] if weak else etag
    return (opaque[1:-1] if opaque[:1] == '"' and opaque[-1:] == '"' else opaque), weak


def parse_etags(value: str | None) -> "ETags":
    """The tags of If-Match or If-None-Match; those without quotes count, too.

    What was read is kept for a while: all clients that have the current version send the same.
    """
    if not value:
        return ds.ETags()
    return ds.ETags(*_read(value))


@kept(256)
def _read(value: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """The strong tags, the weak ones, and whether it is the star."""
    listed = tags.ETags.parse(value)
    if listed.is_complete:
        read: list[tuple[bool | str | None, str]] = _quoted(str(listed))
    else:
        loose = [unquote_etag(stripped) for element in value.split(",") if (stripped := element.strip(OWS))]
        read = [(weak, tag) for tag, weak in loose if tag and '"' not in tag]
    return tuple([tag for weak, tag in read if not weak]), tuple([tag for weak, tag in read if weak]), listed.star


def generate_etag(data: bytes) -> str:
    """A tag for these bytes: the same in every process, another one for other bytes."""
    return tags.generate_etag(data).tag


def parse_if_range_header(value: str | None) -> "IfRange":
    """The date or the tag of If-Range."""
    if not value:
        return ds.IfRange()
    moment = None if '"' in value else parse_date(value)
    return ds.IfRange(date=moment) if moment else ds.IfRange(unquote_etag(value)[0])


def is_resource_modified(
    environ: "WSGIEnvironment",
    etag: str | None = None,
    data: bytes | None = None,
    last_modified: datetime | str | None = None,
    ignore_if_range: bool = True,
) -> bool:
    """Whether the client lacks the version with this tag (as headers have it), or of these bytes, and this date.

    Raises TypeError for a tag beside bytes.
    """
    if data is not None:
        if etag is not None:
            raise TypeError("the tag of the data is made of them: give one of both")
        etag = quote_etag(generate_etag(data))
    if_range = ds.IfRange()
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
    """Whether the tags that the request names say that nothing has to be sent; ``unmodified`` where it names none."""
    if unwanted := parse_etags(environ.get("HTTP_IF_NONE_MATCH")):
        unmodified = unwanted.contains_weak(tag)
    if wanted := parse_etags(environ.get("HTTP_IF_MATCH")):
        unmodified = not wanted.is_strong(tag)
    return unmodified
