"""Moments as code of Werkzeug 0.8 expects them: in UTC, without a zone that says so."""

from datetime import UTC, datetime

from antiphon.dialects.werkzeug.tokens.dates import parse_date as parse_aware_date


def parse_date(value: str | None) -> datetime | None:
    """The moment in UTC, naive; None for what is no date."""
    return as_naive(parse_aware_date(value))


def as_naive(moment: datetime | None) -> datetime | None:
    """The same moment in UTC without a zone."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
