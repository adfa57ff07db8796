"""Parts of a response."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.attributes import live_header
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.range import ContentRange
from antiphon.dialects.werkzeug.exceptions.client_errors import RequestedRangeNotSatisfiable
from antiphon.dialects.werkzeug.http.conditions import is_resource_modified
from antiphon.dialects.werkzeug.http.parsing import parse_content_range_header, parse_range_header
from antiphon.dialects.werkzeug.utils.accessors import header_property
from antiphon.dialects.werkzeug.wsgi.iterators import RangeWrapper

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def _parse_part(value: str | None, on_update: Callable[[ContentRange], None]) -> ContentRange:
    return parse_content_range_header(value, on_update) or ContentRange(None, None, None, on_update=on_update)


class PartialResponseMixin:
    """Answers to Range: of several parts none is given, since only one has a Content-Range."""

    headers: Headers
    content_length: Any
    response: Any
    if TYPE_CHECKING:

        @property
        def status_code(self) -> int: ...
        @status_code.setter
        def status_code(self, code: int) -> None: ...

    accept_ranges = header_property[str]("Accept-Ranges", doc="The unit of parts that may be asked for, or `none`.")

    content_range = live_header(
        "Content-Range", _parse_part, "Which part this is (RFC 9110 §14.4), an empty one where that is not said."
    )

    def _process_range_request(
        self, environ: "WSGIEnvironment", complete_length: int | None, accept_ranges: bool | str
    ) -> bool:
        """Make it the part that is asked for; False where it stays whole. Raises RequestedRangeNotSatisfiable."""
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
        """Whether parts are wanted, and of this version."""
        if "HTTP_RANGE" not in environ:
            return False
        return "HTTP_IF_RANGE" not in environ or not is_resource_modified(
            environ, self.headers.get("ETag"), last_modified=self.headers.get("Last-Modified"), ignore_if_range=False
        )

    def _wrap_range_response(self, start: int, length: int) -> None:
        if self.status_code == 206:
            self.response = RangeWrapper(self.response, start, length)
