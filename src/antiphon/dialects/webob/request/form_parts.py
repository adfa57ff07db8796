"""Forms in parts (RFC 7578): fields and files, read from the body of a request."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from antiphon.dialects._environ.delimiters import DelimiterLines, follows_bare_line_feed
from antiphon.dialects.webob.file_field import FileField
from antiphon.dialects.webob.request.charsets import Decode, as_latin_1, declared_charset, decoder
from antiphon.embedding import (
    FormBounds,
    MultipartLimits,
    MultipartParser,
    PartHead,
    Spool,
    parse_boundary,
    read_whole_form,
)
from antiphon.http import HTTPError, Limits

_CHUNK = 64 << 10

_Part: TypeAlias = tuple[Any, ...]
"""The values of a `PartHead`, and the offset in the body at which the content ends."""


def read_parts(
    content_type: str, spool: Spool, data: bytes | None, limits: Limits, text: Decode | None
) -> Iterator[tuple[str, Any]]:
    """Yield the fields and files of a form. ``data`` is the content of the spool, if it is in memory."""
    boundary = parse_boundary(content_type)
    parts = None
    if data is not None and not follows_bare_line_feed(data, boundary):
        parts = read_whole_form(data, boundary, limits)
    if parts is None:
        lines = DelimiterLines(boundary)
        parts = _index(spool, lines, boundary, limits)
        if lines.has_bare_line_feed:
            spool = _spooled(DelimiterLines(boundary).in_crlf(_chunks(spool)))
    return _read_parts(parts, spool, text)


def _chunks(spool: Spool) -> Iterator[bytes]:
    offset = 0
    while chunk := spool.read_at(offset, _CHUNK):
        yield chunk
        offset += len(chunk)


def _spooled(chunks: Iterable[bytes]) -> Spool:
    spool = Spool()
    for chunk in chunks:
        spool.write(chunk)
    return spool


def _index(spool: Spool, lines: DelimiterLines, boundary: bytes, limits: Limits) -> list[_Part]:
    """Return the parts of a form, or none without a delimiter, as in WebOb."""
    parser = MultipartParser(boundary, limits=MultipartLimits(limits.parts))
    bounds = FormBounds(limits)
    chunks = lines.in_crlf(_chunks(spool))
    try:
        parts = [part for chunk in chunks for part in bounds.count(parser.feed(chunk))]
        parser.finish()
    except HTTPError:
        deque(chunks, maxlen=0)
        if lines.has_delimiter:
            raise
        return []
    return parts


def _read_parts(parts: list[_Part], spool: Spool, given: Decode | None) -> Iterator[tuple[str, Any]]:
    text = given or _utf_8
    for *values, end in parts:
        head = PartHead._make(values)
        if head.name is None:
            continue
        name = text(head.name)
        if head.filename:
            yield name, FileField(name, text(head.filename), spool, head, end)
            continue
        content = spool.read_at(head.offset, end - head.offset)
        if head.filename is not None:
            yield name, content  # no file was chosen
        elif head.content_type is None or given is as_latin_1:
            yield name, text(content)
        else:
            yield name, (_own_decoder(head.content_type) or text)(content)


def _utf_8(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _own_decoder(content_type: str) -> Decode | None:
    """Return the decoder of a field that names a charset itself (RFC 7578 §5.1.2); None for UTF-8."""
    charset = declared_charset(content_type)
    return (decoder(charset) or _utf_8) if charset else None
