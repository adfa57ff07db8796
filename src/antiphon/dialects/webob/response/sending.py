"""A response as a WSGI application: HEAD, conditional requests and ranges (RFC 9110 §13, §14)."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from antiphon.dialects.webob.byterange import ContentRange, Range
from antiphon.dialects.webob.lines import Lines, check_sent_line, first_value
from antiphon.dialects.webob.response.caching import ResponseCaching
from antiphon.dialects.webob.response.iterables import AppIterRange, EmptyResponse, iter_close
from antiphon.dialects.webob.response.location import absolute_location
from antiphon.http import ETag, IfRange, parse_http_date
from antiphon.http.etag import is_weakly_among, read_etags
from antiphon.http.grammar import parse_or_none

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


_unquoted = re.compile(r'[^"*,]+').fullmatch
"""A tag without its quotes, which some clients send, and programs that make requests."""


class SentResponse(ResponseCaching):
    """The parts of a response that are sent for a request."""

    conditional_response: bool
    """True if conditions and ranges of the request are honoured."""
    _status: str

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request: with only headers for HEAD, and with an absolute Location."""
        if self.conditional_response:
            return self.conditional_response_app(environ, start_response)
        start_response(self._status, self._sent_lines(environ))
        chunks: Iterable[bytes] = self._app_iter
        return EmptyResponse(chunks) if environ["REQUEST_METHOD"] == "HEAD" else chunks

    def conditional_response_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request as ``__call__`` does, but a GET or HEAD with 304 or 206 where it asks for that.

        If-None-Match and If-Modified-Since lead to 304, and Range to 206, or to 416 where no byte is in it. The last
        two need a status of 200 and a Content-Length.
        """
        lines = self._sent_lines(environ)
        method = environ.get("REQUEST_METHOD", "GET")
        if method in ("GET", "HEAD") and self._status[:1] == "2":
            if self._is_known_to(environ):
                start_response("304 Not Modified", filter_headers(lines))
                return EmptyResponse(self._app_iter)
            wanted = self._wanted_range(environ)
            if wanted is not None:
                return self._send_part(wanted, lines, method, start_response)
        start_response(self._status, lines)
        chunks: Iterable[bytes] = self._app_iter
        return EmptyResponse(chunks) if method == "HEAD" else chunks

    def app_iter_range(self, start: int, stop: int | None) -> Iterable[bytes]:
        """Return the part of the body from ``start`` to before ``stop``, by the body's own method if it has one."""
        whole = self._app_iter
        if isinstance(whole, list) and len(whole) == 1 and 0 <= start <= (start if stop is None else stop):
            return [whole[0][start:stop]]
        own = getattr(whole, "app_iter_range", None)
        chunks: Iterable[bytes] = AppIterRange(whole, start, stop) if own is None else own(start, stop)
        return chunks

    def _sent_lines(self, environ: "WSGIEnvironment") -> Lines:
        """Return a new list with the lines to send.

        Raises ValueError for a name that is not a token, and for control characters in lines that were appended to the
        list, which nothing has checked yet.
        """
        lines = [*self._headerlist]
        for line in lines:
            name, value = line
            check_sent_line(name, value)
            if len(name) == 8 and name.lower() == "location":
                lines[lines.index(line)] = name, absolute_location(environ, value)
        return lines

    def _is_known_to(self, environ: "WSGIEnvironment") -> bool:
        """True if the client has this version, by its tag, or without If-None-Match by its date (RFC 9110 §13.2.2)."""
        tags = environ.get("HTTP_IF_NONE_MATCH")
        if tags is not None:
            listed, _ = read_etags(f'"{tags}"' if _unquoted(tags) else tags)
            return is_weakly_among(listed, first_value(self._headerlist, "etag"))
        since = parse_or_none(parse_http_date, environ.get("HTTP_IF_MODIFIED_SINCE"))
        modified = since and parse_or_none(parse_http_date, first_value(self._headerlist, "last-modified"))
        return since is not None and modified is not None and modified <= since

    def _wanted_range(self, environ: "WSGIEnvironment") -> Range | None:
        """Return the range to send, or None for the whole content."""
        header = environ.get("HTTP_RANGE")
        if header is None or self._status[:3] != "200" or self.content_length is None or self.content_range is not None:
            return None
        return Range.parse(header) if self._is_version(environ.get("HTTP_IF_RANGE")) else None

    def _is_version(self, if_range: str | None) -> bool:
        if if_range is None:
            return True
        etag = parse_or_none(ETag.parse, first_value(self._headerlist, "etag"))
        modified = parse_or_none(parse_http_date, first_value(self._headerlist, "last-modified"))
        return IfRange.parse(if_range).matches(etag, modified)

    def _send_part(self, wanted: Range, lines: Lines, method: str, start_response: Any) -> Iterable[bytes]:
        found = wanted.content_range(self.content_length)
        if found is None:
            return self._send_unsatisfiable(wanted, lines, method, start_response)
        start, stop, _ = found
        length = str((stop or 0) - (start or 0))
        head = [("Content-Length", length), ("Content-Range", str(found))]
        start_response("206 Partial Content", head + filter_headers(lines, ("content-length",)))
        return EmptyResponse(self._app_iter) if method == "HEAD" else self.app_iter_range(start or 0, stop)

    def _send_unsatisfiable(self, wanted: Range, lines: Lines, method: str, start_response: Any) -> Iterable[bytes]:
        iter_close(self._app_iter)
        body = f"Requested range not satisfiable: {wanted}".encode()
        head = [
            ("Content-Length", str(len(body))),
            ("Content-Range", str(ContentRange(None, None, self.content_length))),
            ("Content-Type", "text/plain"),
        ]
        start_response("416 Requested Range Not Satisfiable", head + filter_headers(lines))
        return () if method == "HEAD" else [body]


def filter_headers(hlist: Lines, remove_headers: Any = ("content-length", "content-type")) -> Lines:
    """Return header lines without those of some names, given in lower case."""
    return [line for line in hlist if line[0].lower() not in remove_headers]
