"""Mixins for conditional requests, ranges, entity tags and Cache-Control."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from antiphon.dialects._environ.attributes import live_header
from antiphon.dialects.werkzeug.datastructures.cache_control import RequestCacheControl, ResponseCacheControl
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.range import ContentRange
from antiphon.dialects.werkzeug.exceptions.statuses import RequestedRangeNotSatisfiable
from antiphon.dialects.werkzeug.http import (
    is_resource_modified,
    parse_cache_control_header,
    parse_content_range_header,
    parse_etags,
    parse_if_range_header,
    parse_range_header,
)
from antiphon.dialects.werkzeug.tokens import generate_etag, http_date, parse_date, quote_etag, unquote_etag
from antiphon.dialects.werkzeug.utils import environ_header, header_property
from antiphon.dialects.werkzeug.wsgi import RangeWrapper

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def _parse_part(value: str | None, on_update: Callable[[ContentRange], None]) -> ContentRange:
    return parse_content_range_header(value, on_update) or ContentRange(None, None, None, on_update=on_update)


_NAME = "Cache-Control"


class VersionMixin:
    """Attributes for a response's headers that concern its version, range and caching."""

    headers: Headers

    accept_ranges = header_property[str]("Accept-Ranges", doc="The unit of ranges that clients may request, or `none`.")

    content_range = live_header(
        "Content-Range",
        _parse_part,
        "The range in this response (RFC 9110 §14.4). An empty ContentRange if the header is missing.",
    )

    @property
    def cache_control(self) -> ResponseCacheControl:
        """The cache directives (RFC 9111 §5.2.2). Changes to them change the header."""
        return parse_cache_control_header(self.headers.get(_NAME), self._set_cache_control, ResponseCacheControl)

    def _set_cache_control(self, control: ResponseCacheControl) -> None:
        if control:
            self.headers[_NAME] = control.to_header()
        else:
            self.headers.remove(_NAME)

    def set_etag(self, etag: str, weak: bool = False) -> None:
        """Set the entity tag (RFC 9110 §8.8.3)."""
        self.headers["ETag"] = quote_etag(etag, weak)

    def get_etag(self) -> tuple[str, bool] | tuple[None, None]:
        """Return the entity tag, and True if it is weak, or (None, None) if there is no tag."""
        return unquote_etag(self.headers.get("ETag"))


class PartialResponseMixin(VersionMixin):
    """A mixin that handles Range requests. Only a single range is supported."""

    content_length: Any
    response: Any
    if TYPE_CHECKING:

        @property
        def status_code(self) -> int: ...
        @status_code.setter
        def status_code(self, code: int) -> None: ...

    def _process_range_request(
        self, environ: "WSGIEnvironment", complete_length: int | None, accept_ranges: bool | str
    ) -> bool:
        """Reduce the response to the requested range. Return False if the response remains complete.

        Raises RequestedRangeNotSatisfiable.
        """
        if not accept_ranges:
            return False
        self.accept_ranges = "bytes" if accept_ranges is True else accept_ranges
        if not complete_length or not self._is_range_request_processable(environ):
            return False
        start, stop = self._wanted(environ, complete_length)
        self.content_length = stop - start
        self.content_range = ContentRange("bytes", start, stop, complete_length)
        self.status_code = 206
        self._wrap_range_response(start, stop - start)
        return True

    def _wanted(self, environ: "WSGIEnvironment", complete_length: int) -> tuple[int, int]:
        asked = parse_range_header(environ.get("HTTP_RANGE"))
        wanted = None if asked is None else asked.range_for_length(complete_length)
        if wanted is None:
            raise RequestedRangeNotSatisfiable(complete_length)
        return wanted

    def _is_range_request_processable(self, environ: "WSGIEnvironment") -> bool:
        """Return True if the request is for a range of this version."""
        if "HTTP_RANGE" not in environ:
            return False
        return "HTTP_IF_RANGE" not in environ or not is_resource_modified(
            environ, self.headers.get("ETag"), last_modified=self.headers.get("Last-Modified"), ignore_if_range=False
        )

    def _wrap_range_response(self, start: int, length: int) -> None:
        if self.status_code == 206:
            self.response = RangeWrapper(self.response, start, length)


def _request_cache_control(raw: str | None) -> RequestCacheControl:
    return parse_cache_control_header(raw)


class ETagRequestMixin:
    """Attributes for a request's conditional headers, ranges and Cache-Control."""

    cache_control = environ_header(
        "HTTP_CACHE_CONTROL", _request_cache_control, "The cache directives (RFC 9111 §5.2)."
    )
    if_match = environ_header(
        "HTTP_IF_MATCH", parse_etags, "The versions that the request is meant for (RFC 9110 §13.1.1)."
    )
    if_none_match = environ_header("HTTP_IF_NONE_MATCH", parse_etags, "The versions that the client has (§13.1.2).")
    if_modified_since = environ_header(
        "HTTP_IF_MODIFIED_SINCE", parse_date, "The date of the client's copy (RFC 9110 §13.1.3)."
    )
    if_unmodified_since = environ_header(
        "HTTP_IF_UNMODIFIED_SINCE", parse_date, "The date of the version that the request is meant for (§13.1.4)."
    )
    if_range = environ_header(
        "HTTP_IF_RANGE", parse_if_range_header, "The version that the ranges belong to (§13.1.5)."
    )
    range = environ_header("HTTP_RANGE", parse_range_header, "The requested ranges, or None (§14.2).")


class ETagResponseMixin(PartialResponseMixin):
    """A mixin for a response's entity tag and Cache-Control, and for evaluating conditions and ranges."""

    automatically_set_content_length: bool
    get_data: Any
    calculate_content_length: Any

    def add_etag(self, overwrite: bool = False, weak: bool = False) -> None:
        """Set a tag computed from the body, unless there is one already and ``overwrite`` is False."""
        if overwrite or "ETag" not in self.headers:
            self.set_etag(generate_etag(self.get_data()), weak)

    def make_conditional(
        self,
        request_or_environ: "WSGIEnvironment | Any",
        accept_ranges: bool | str = False,
        complete_length: int | None = None,
    ) -> Self:
        """Evaluate the conditions of a GET or HEAD request and turn the response into a 304 or 412 if needed, in place.

        This also adds a Date. With ``accept_ranges`` (True means bytes) and a ``complete_length`` in bytes, the
        response is reduced to the requested range (see ``PartialResponseMixin``). Raises RequestedRangeNotSatisfiable.
        """
        environ = getattr(request_or_environ, "environ", request_or_environ)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self
        if "Date" not in self.headers:
            self.headers["Date"] = http_date()
        if not self._process_range_request(environ, complete_length, accept_ranges) and not self._is_modified(environ):
            self.status_code = 412 if parse_etags(environ.get("HTTP_IF_MATCH")) else 304
        if self.automatically_set_content_length and "Content-Length" not in self.headers:
            length = self.calculate_content_length()
            if length is not None:
                self.headers["Content-Length"] = str(length)
        return self

    def _is_modified(self, environ: "WSGIEnvironment") -> bool:
        return is_resource_modified(environ, self.headers.get("ETag"), last_modified=self.headers.get("Last-Modified"))
