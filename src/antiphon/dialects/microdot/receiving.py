"""Receiving the body of a request, within the present limits of the class."""

import sys
from functools import lru_cache

from antiphon.dialects.microdot.request import Request
from antiphon.embedding import Head
from antiphon.http import BadRequest, ContentTooLarge, Limits
from antiphon.http.urls.path import check_path
from antiphon.http.urls.url import quote_path

_MOST_ESCAPED = 12
"""The most bytes in which a character of a path is sent."""
_USUAL = Limits()
_AROUND_TARGET = len("  HTTP/1.1\r\n")


def check_request_line(head: Head) -> None:
    """Check the path, and that the request line, with its line end, is within ``max_readline``. Raises BadRequest."""
    path, query = head.path, head.query_string
    check_path(path)
    size = len(head.method) + (len(query) + 1 if query else 0) + _AROUND_TARGET
    if size + _MOST_ESCAPED * len(path) <= Request.max_readline and not head.root_path:
        return
    size += len(head.raw_path or quote_path(head.root_path + path))
    if size > Request.max_readline:
        raise BadRequest(f"the request line has {size} bytes; the limit is {Request.max_readline}")


def limits_at_once() -> Limits:
    """Return the limits of a body that is loaded without a further check."""
    return _limits(min(Request.max_body_length, Request.max_content_length))


async def receive(request: Request) -> None:
    """Load a body of up to ``max_body_length`` bytes, and leave a larger one to the stream.

    Raises ContentTooLarge for a body above ``max_content_length``, and the errors of ``Content.load``.
    """
    native = request.native
    content = native.content
    length, most = content.length, Request.max_content_length
    is_loaded = length is not None and length <= Request.max_body_length and length <= most
    if not is_loaded or most > _USUAL.memory:  # else the usual limits suffice
        native.limits = _limits(most)
    if is_loaded:
        await content.load(_limits(most))
        request.is_streamed = False
    elif length is None:
        await _load(request)
    elif length > most:
        raise ContentTooLarge
    else:
        content.is_kept = content.is_complete


async def _load(request: Request) -> None:
    """Load a body of unknown length, up to the limit."""
    content, limits = request.native.content, request.native.limits
    try:
        await content.load(_limits(min(limits.body, Request.max_body_length)))
    except ContentTooLarge:
        if content.received > limits.body or (content.is_complete and content.size > limits.body):
            raise
    else:
        request.is_streamed = False


@lru_cache(maxsize=16)
def _limits(size: float) -> Limits:
    """Return limits of a size, which may be any number."""
    size = max(int(min(size, sys.maxsize)), 0)
    return Limits(body=size, memory=size)
