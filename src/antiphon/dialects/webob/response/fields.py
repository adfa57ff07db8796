"""The headers of a response as attributes: parsed when read, printed when set, removed when deleted."""

from typing import Any

from antiphon.dialects.webob.datetime_utils import parse_date_delta, serialize_date_delta
from antiphon.dialects.webob.header_properties import date_header, header_getter, header_property, list_header
from antiphon.dialects.webob.header_values import (
    parse_auth,
    parse_content_range,
    parse_etag_response,
    parse_int_safe,
    serialize_auth,
    serialize_content_range,
    serialize_etag_response,
    serialize_int,
)
from antiphon.dialects.webob.lines import Lines, first_value


class ResponseFields:
    """One attribute for each header. None stands for an absent one."""

    _headerlist: Lines

    accept_ranges = header_getter("Accept-Ranges")
    age = header_property("Age", parse_int_safe, serialize_int)
    allow = list_header("Allow")
    content_disposition = header_getter("Content-Disposition")
    content_encoding = header_getter("Content-Encoding")
    content_language = list_header("Content-Language")
    content_location = header_getter("Content-Location")
    content_range = header_property("Content-Range", parse_content_range, serialize_content_range)
    date = date_header("Date")
    etag = header_property("ETag", parse_etag_response, serialize_etag_response)
    expires = date_header("Expires")
    last_modified = date_header("Last-Modified")
    location = header_getter("Location")
    pragma = header_getter("Pragma")
    retry_after = header_property("Retry-After", parse_date_delta, serialize_date_delta)
    server = header_getter("Server")
    vary = list_header("Vary")
    www_authenticate = header_property("WWW-Authenticate", parse_auth, serialize_auth)

    @property
    def etag_strong(self) -> Any:
        """The entity tag; None for a weak one."""
        return parse_etag_response(first_value(self._headerlist, "etag"), strong=True)
