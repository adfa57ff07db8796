"""Attributes for headers, with numbers for seconds and with naive datetimes in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Any

from antiphon.dialects._environ.attributes import environ_value
from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures.range import IfRange
from antiphon.dialects.werkzeug.http import parse_if_range_header
from antiphon.dialects.werkzeug.tokens import dump_age, http_date, parse_age
from antiphon.dialects.werkzeug.tokens import parse_date as parse_aware_date
from antiphon.dialects.werkzeug.utils import environ_header, header_property


def parse_date(value: str | None) -> datetime | None:
    """Return a date as a naive datetime in UTC; None if it is malformed."""
    return as_naive(parse_aware_date(value))


def as_naive(moment: datetime | None) -> datetime | None:
    """Return a moment as a naive datetime in UTC."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _parse_seconds(raw: str | None) -> int | None:
    age = parse_age(raw)
    return None if age is None else int(age.total_seconds())


class CommonRequestDescriptorsMixin(wrappers.CommonRequestDescriptorsMixin):
    """Attributes for the usual headers of a request, which can only be read."""

    date = environ_value("HTTP_DATE", parse_date, "The date of the message; None if it is malformed.")


class CommonResponseDescriptorsMixin(wrappers.CommonResponseDescriptorsMixin):
    """Attributes for the usual headers of a response. They can be read, set and deleted."""

    age = header_property[int](  # type: ignore[assignment]  # a timedelta today
        "Age", None, _parse_seconds, dump_age, doc="The seconds in a cache (RFC 9111 §5.1)."
    )
    date = header_property[datetime](
        "Date", None, parse_date, http_date, doc="The date of the message (RFC 9110 §6.6.1)."
    )
    expires = header_property[datetime](
        "Expires", None, parse_date, http_date, doc="The end of freshness (RFC 9111 §5.3)."
    )
    last_modified = header_property[datetime](
        "Last-Modified", None, parse_date, http_date, doc="The time of the last change (RFC 9110 §8.8.2)."
    )

    @property
    def retry_after(self) -> Any:
        """The time to retry (RFC 9110 §10.2.3): seconds, or a moment; None without the header. Either may be set."""
        value = self.headers.get("Retry-After")
        seconds = _parse_seconds(value)
        return parse_date(value) if seconds is None else seconds

    @retry_after.setter
    def retry_after(self, value: datetime | timedelta | int | str | None) -> None:
        if value is None:
            self.headers.remove("Retry-After")
        elif isinstance(value, timedelta):
            self.headers["Retry-After"] = str(int(value.total_seconds()))
        else:
            self.headers["Retry-After"] = http_date(value) if isinstance(value, datetime) else str(value)

    @retry_after.deleter
    def retry_after(self) -> None:
        self.headers.remove("Retry-After")


def _parse_if_range(raw: str | None) -> IfRange:
    parsed = parse_if_range_header(raw)
    return IfRange(parsed.etag, as_naive(parsed.date))


class ETagRequestMixin(wrappers.ETagRequestMixin):
    """Attributes for conditions, ranges and Cache-Control of a request."""

    if_modified_since = environ_header(
        "HTTP_IF_MODIFIED_SINCE", parse_date, "The date of the client's version (§13.1.3)."
    )
    if_unmodified_since = environ_header(
        "HTTP_IF_UNMODIFIED_SINCE", parse_date, "The date of the version that the request is meant for (§13.1.4)."
    )
    if_range = environ_header("HTTP_IF_RANGE", _parse_if_range, "The version that the ranges belong to (§13.1.5).")
