"""Attributes for the usual headers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from antiphon.dialects._environ.attributes import environ_text, environ_value, live_header
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.http.parsing import parse_set_header
from antiphon.dialects.werkzeug.tokens.dates import dump_age, http_date, parse_age, parse_date
from antiphon.dialects.werkzeug.tokens.lists import dump_header
from antiphon.dialects.werkzeug.utils.accessors import environ_header, header_property
from antiphon.dialects.werkzeug.wrappers.media_type import MediaType


def _parse_number(raw: str | None) -> int | None:
    try:
        return None if raw is None else int(raw)
    except ValueError:
        return None


class CommonRequestDescriptorsMixin:
    """Attributes for the usual headers of a request, which can only be read."""

    environ: dict[str, Any]

    content_type = environ_text("CONTENT_TYPE", "The media type of the body, with its parameters (RFC 9110 §8.3).")
    content_encoding = environ_text("HTTP_CONTENT_ENCODING", "The codings of the body (RFC 9110 §8.4).")
    content_md5 = environ_text("HTTP_CONTENT_MD5", "The MD5 of the body in Base64 (RFC 1864).")
    referrer = environ_text("HTTP_REFERER", "The URL of the referring page (RFC 9110 §10.1.3).")
    date = environ_value("HTTP_DATE", parse_date, "The date of the message; None if it is malformed.")
    max_forwards = environ_value(
        "HTTP_MAX_FORWARDS", _parse_number, "The number of proxies that may forward the request (RFC 9110 §7.6.2)."
    )
    pragma = environ_header("HTTP_PRAGMA", parse_set_header, "Directives, nearly always `no-cache` (RFC 9111 §5.4).")


class CommonResponseDescriptorsMixin(MediaType):
    """Attributes for the usual headers of a response. They can be read, set and deleted."""

    headers: Headers

    location = header_property[str]("Location", doc="The target of a redirect (RFC 9110 §10.2.2).")
    age = header_property[timedelta]("Age", None, parse_age, dump_age, doc="The time in a cache (RFC 9111 §5.1).")
    content_type = header_property[str]("Content-Type", doc="The media type, with its parameters (RFC 9110 §8.3).")
    content_length = header_property[int](
        "Content-Length", None, int, str, doc="The length of the body in bytes (§8.6)."
    )
    content_location = header_property[str]("Content-Location", doc="The URL of the content (RFC 9110 §8.7).")
    content_encoding = header_property[str]("Content-Encoding", doc="The codings of the body (RFC 9110 §8.4).")
    content_md5 = header_property[str]("Content-MD5", doc="The MD5 of the body in Base64 (RFC 1864).")
    date = header_property[datetime](
        "Date", None, parse_date, http_date, doc="The date of the message (RFC 9110 §6.6.1)."
    )
    expires = header_property[datetime](
        "Expires", None, parse_date, http_date, doc="The end of freshness (RFC 9111 §5.3)."
    )
    last_modified = header_property[datetime](
        "Last-Modified", None, parse_date, http_date, doc="The time of the last change (RFC 9110 §8.8.2)."
    )
    vary = live_header(
        "Vary", parse_set_header, "The request headers that the response depends on (RFC 9110 §12.5.5).", dump_header
    )
    content_language = live_header(
        "Content-Language", parse_set_header, "The languages of the audience (RFC 9110 §8.5).", dump_header
    )
    allow = live_header("Allow", parse_set_header, "The allowed methods (RFC 9110 §10.2.1).", dump_header)

    @property
    def retry_after(self) -> datetime | None:
        """The time to retry (RFC 9110 §10.2.3). It may be set to seconds, or to a datetime."""
        value = self.headers.get("Retry-After")
        seconds = _parse_number(value)
        return parse_date(value) if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)

    @retry_after.setter
    def retry_after(self, value: datetime | int | str | None) -> None:
        if value is None:
            self.headers.remove("Retry-After")
        else:
            self.headers["Retry-After"] = http_date(value) if isinstance(value, datetime) else str(value)
