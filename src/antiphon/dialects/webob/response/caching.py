"""The caching headers of a response, and the content codings of its body."""

import zlib
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from hashlib import md5
from typing import TYPE_CHECKING, Any

from antiphon.dialects.webob.datetime_utils import now, timedelta_to_seconds
from antiphon.dialects.webob.lines import first_value, put_line, remove_lines, replace_line
from antiphon.dialects.webob.response.content import ResponseContent
from antiphon.dialects.webob.response.fields import ResponseFields
from antiphon.dialects.webob.response.iterables import gzip_app_iter

if TYPE_CHECKING:
    from antiphon.dialects.webob.cachecontrol import CacheControl

_UNCACHEABLE = {"no_store": True, "no_cache": True, "must_revalidate": True, "max_age": 0}


class ResponseCaching(ResponseContent, ResponseFields):
    """Cache-Control, Expires and entity tags; compressing and decompressing the body."""

    _cache_control_obj: Any = None

    # Cache-Control

    @property
    def cache_control(self) -> "CacheControl":
        """Cache-Control as an object whose changes are written to the header.

        It may be set to text, to a dictionary, or to such an object, which is copied.
        """
        header = first_value(self._headerlist, "cache-control") or ""
        parsed = self._cache_control_obj
        if parsed is None:
            parsed = self._cache_control_obj = _parse(header, self._write_cache_control)
        elif parsed.header_value != header:
            dict.clear(parsed.properties)  # without a report: nothing is written that was only read
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
        """A method that lets caches keep the response for some seconds, and forbids it for 0, the default.

        It takes directives of Cache-Control, too, as in ``cache_expires(60, private=True)``. Setting the attribute to
        seconds, or to a timedelta, calls the method; True is 0, and None changes nothing.
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
        """Set an ETag that is made from the body, or from other bytes, and Content-MD5 if that is wanted."""
        digest = b64encode(md5(self.body if body is None else body, usedforsecurity=False).digest()).decode()
        self.etag = digest.rstrip("=")
        if set_content_md5:
            self.content_md5 = digest

    # Content codings

    def encode_content(self, encoding: str = "gzip", lazy: bool = False) -> None:
        """Compress the body with gzip, or undo it with ``identity``; ``lazy`` compresses while it is sent.

        Raises AssertionError for another encoding.
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
        """Decompress the body. Raises ValueError for a coding other than gzip and deflate."""
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
    except zlib.error:  # some servers leave out the container that RFC 9110 §8.4.1.2 asks for
        return zlib.decompress(data, -zlib.MAX_WBITS)
