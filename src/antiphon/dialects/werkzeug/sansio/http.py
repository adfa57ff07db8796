"""Functions that evaluate conditions and parse cookies from header values, without an environ."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from antiphon.dialects.werkzeug import http


def is_resource_modified(
    http_range: str | None = None,
    http_if_range: str | None = None,
    http_if_modified_since: str | None = None,
    http_if_none_match: str | None = None,
    http_if_match: str | None = None,
    etag: str | None = None,
    data: bytes | None = None,
    last_modified: datetime | str | None = None,
    ignore_if_range: bool = True,
) -> bool:
    """Return True unless the client already has this version. See ``http.is_resource_modified``."""
    given = {
        "HTTP_RANGE": http_range,
        "HTTP_IF_RANGE": http_if_range,
        "HTTP_IF_MODIFIED_SINCE": http_if_modified_since,
        "HTTP_IF_NONE_MATCH": http_if_none_match,
        "HTTP_IF_MATCH": http_if_match,
    }
    environ = {key: value for key, value in given.items() if value is not None}
    return http.is_resource_modified(environ, etag, data, last_modified, ignore_if_range)


def parse_cookie(cookie: str | None = None, cls: "Callable[..., Any] | None" = None) -> Any:
    """Parse the cookies in a header's value. See ``http.parse_cookie``."""
    return http.parse_cookie(cookie, cls)
