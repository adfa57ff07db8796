"""Responses as WSGI applications: HEAD, conditions, ranges, caching and content codings (RFC 9110 §13, §14)."""

import re
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import timedelta
from hashlib import md5
from typing import TYPE_CHECKING, Any

from antiphon.dialects.webob.byterange import ContentRange, Range
from antiphon.dialects.webob.datetime_utils import now, timedelta_to_seconds
from antiphon.dialects.webob.headers import Lines, check_sent_line, first_value, put_line, remove_lines, replace_line
from antiphon.dialects.webob.response.content import (
    AppIterRange,
    EmptyResponse,
    ResponseContent,
    gzip_app_iter,
    iter_close,
)
from antiphon.dialects.webob.response.head import ResponseFields, absolute_location
from antiphon.embedding import parse_or_none
from antiphon.http import ETag, IfRange, parse_http_date
from antiphon.http.conditional import is_weakly_among, read_etags

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.dialects.webob.cachecontrol import CacheControl


_UNCACHEABLE = {"no_store": True, "no_cache": True, "must_revalidate": True, "max_age": 0}


class ResponseCaching(ResponseContent, ResponseFields):
    """Cache-Control, Expires and entity tags, and compression of the body."""

    _cache_control_obj: Any = None

    # Cache-Control

    @property
    def cache_control(self) -> "CacheControl":
        """Cache-Control as an object whose changes are written to the header.

        It can be set to text, a dictionary, or such an object, which is copied.
        """
        header = first_value(self._headerlist, "cache-control") or ""
        parsed = self._cache_control_obj
        if parsed is None:
            parsed = self._cache_control_obj = _parse(header, self._write_cache_control)
        elif parsed.header_value != header:
            dict.clear(parsed.properties)  # dict's own methods don't report changes, so reading writes nothing
            dict.update(parsed.properties, _parse(header).properties)
        parsed.header_value = header
        found: CacheControl = parsed
        return found

    @cache_control.setter
    def cache_control(self, value: Any) -> None:
        if isinstance(value, dict):
            from antiphon.dialects.webob.cachecontrol import serialize_cache_control

            value = serialize_cache_control(value)
        if value:
            put_line(self._headerlist, "Cache-Control", str(value))
        else:
            del self.cache_control

    @cache_control.deleter
    def cache_control(self) -> None:
        remove_lines(self._headerlist, "cache-control")

    def _write_cache_control(self, changed: "CacheControl") -> None:
        self._cache_control_obj.header_value = text = str(changed)
        if text:
            replace_line(self._headerlist, "cache-control", ("Cache-Control", text))
        else:
            del self.cache_control

    @property
    def cache_expires(self) -> Callable[..., None]:
        """A method that lets caches store the response for a number of seconds. The default, 0, forbids storing it.

        It also accepts Cache-Control directives, as in ``cache_expires(60, private=True)``. Setting the attribute to a
        number of seconds or a timedelta calls the method. True means 0, and None changes nothing.
        """
        return self._cache_expires

    @cache_expires.setter
    def cache_expires(self, seconds: int | timedelta | None) -> None:
        self._cache_expires(seconds)

    def _cache_expires(self, seconds: int | timedelta | None = 0, **directives: Any) -> None:
        if isinstance(seconds, timedelta):
            seconds = timedelta_to_seconds(seconds)
        if seconds is not None:
            self._expire_in(0 if seconds is True else seconds)
        control = self.cache_control
        for name, value in directives.items():
            setattr(control, name, value)

    def _expire_in(self, seconds: int) -> None:
        moment = now()
        control = self.cache_control
        if seconds:
            control.properties.clear()
            control.max_age = seconds
            self.pragma = None
        else:
            for name, value in _UNCACHEABLE.items():
                setattr(control, name, value)
            if self.last_modified is None:
                self.last_modified = moment
            self.pragma = "no-cache"
        self.expires = moment + timedelta(seconds=seconds)

    # Entity tags

    def md5_etag(self, body: bytes | None = None, set_content_md5: bool = False) -> None:
        """Set ETag, and optionally Content-MD5, to a digest of the body or of other bytes."""
        digest = b64encode(md5(self.body if body is None else body, usedforsecurity=False).digest()).decode()
        self.etag = digest.rstrip("=")
        if set_content_md5:
            self.content_md5 = digest

    # Content codings

    def encode_content(self, encoding: str = "gzip", lazy: bool = False) -> None:
        """Compress the body with ``gzip``, or decompress it with ``identity``. ``lazy`` compresses it while sending.

        Raises AssertionError for any other encoding.
        """
        if encoding not in ("identity", "gzip"):
            raise AssertionError(f"Unknown encoding: {encoding!r}")
        if encoding == "identity":
            self.decode_content()
        elif self.content_encoding != "gzip":
            chunks = gzip_app_iter(self._app_iter)
            self.app_iter = chunks if lazy else list(chunks)
            self.content_length = None if lazy else sum(map(len, self._app_iter))
            self.content_encoding = "gzip"

    def decode_content(self) -> None:
        """Decompress the body. Raises ValueError if its coding is not gzip or deflate."""
        coding = self.content_encoding or "identity"
        if coding == "identity":
            return
        if coding not in ("gzip", "deflate"):
            raise ValueError(f"I don't know how to decode the content {coding}")
        self.body = _gunzip(self.body) if coding == "gzip" else _inflate(self.body)
        self.content_encoding = None


def _parse(header: str, updates_to: Callable[[Any], None] | None = None) -> Any:
    from antiphon.dialects.webob.cachecontrol import CacheControl

    return CacheControl.parse(header, updates_to=updates_to, type="response")


def _gunzip(data: bytes) -> bytes:
    from gzip import decompress

    return decompress(data)


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:  # some servers omit the container that RFC 9110 §8.4.1.2 requires
        return zlib.decompress(data, -zlib.MAX_WBITS)


_unquoted = re.compile(r'[^"*,]+').fullmatch
"""The pattern of an entity tag without quotes. Some clients and programs that build requests omit them."""


class SentResponse(ResponseCaching):
    """The methods of a response that depend on the request."""

    conditional_response: bool
    """True if the response evaluates the request's conditions and ranges."""
    _status: str

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request. Location becomes absolute, and a response to HEAD has no body."""
        if self.conditional_response:
            return self.conditional_response_app(environ, start_response)
        start_response(self._status, self._sent_lines(environ))
        chunks: Iterable[bytes] = self._app_iter
        return EmptyResponse(chunks) if environ["REQUEST_METHOD"] == "HEAD" else chunks

    def conditional_response_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request like ``__call__``, but evaluate the conditions and ranges of GET and HEAD requests.

        If-None-Match and If-Modified-Since may result in a 304. Range results in a 206, or in a 416 if it is outside
        the body; this requires a status of 200 and a Content-Length.
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
        """Return the body from ``start`` up to ``stop``, using the body's own ``app_iter_range`` if it has one."""
        whole = self._app_iter
        if isinstance(whole, list) and len(whole) == 1 and 0 <= start <= (start if stop is None else stop):
            return [whole[0][start:stop]]
        own = getattr(whole, "app_iter_range", None)
        chunks: Iterable[bytes] = AppIterRange(whole, start, stop) if own is None else own(start, stop)
        return chunks

    def _sent_lines(self, environ: "WSGIEnvironment") -> Lines:
        """Return a new list with the lines to send.

        Raises ValueError if a name is not a token or a line contains control characters. Lines that were appended
        directly to the list have not been checked before.
        """
        lines = [*self._headerlist]
        for line in lines:
            name, value = line
            check_sent_line(name, value)
            if len(name) == 8 and name.lower() == "location":
                lines[lines.index(line)] = name, absolute_location(environ, value)
        return lines

    def _is_known_to(self, environ: "WSGIEnvironment") -> bool:
        """Return True if the client has this version according to If-None-Match or else its date (RFC 9110 §13.2.2)."""
        tags = environ.get("HTTP_IF_NONE_MATCH")
        if tags is not None:
            listed, _ = read_etags(f'"{tags}"' if _unquoted(tags) else tags)
            return is_weakly_among(listed, first_value(self._headerlist, "etag"))
        since = parse_or_none(parse_http_date, environ.get("HTTP_IF_MODIFIED_SINCE"))
        modified = since and parse_or_none(parse_http_date, first_value(self._headerlist, "last-modified"))
        return since is not None and modified is not None and modified <= since

    def _wanted_range(self, environ: "WSGIEnvironment") -> Range | None:
        """Return the range to send, or None for the whole body."""
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
    """Return the header lines without those with the given names, which must be in lower case."""
    return [line for line in hlist if line[0].lower() not in remove_headers]
