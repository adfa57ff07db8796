"""What a client has: as today, with moments as Werkzeug 0.8 had them."""

from antiphon.dialects.kay.werkzeug.wrappers.moments import as_naive, parse_date
from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures.range import IfRange
from antiphon.dialects.werkzeug.http.parsing import parse_if_range_header
from antiphon.dialects.werkzeug.utils.accessors import environ_header


def _parse_if_range(raw: str | None) -> IfRange:
    parsed = parse_if_range_header(raw)
    return IfRange(parsed.etag, as_naive(parsed.date))


class ETagRequestMixin(wrappers.ETagRequestMixin):
    """Conditions, ranges, and how the client keeps what it gets."""

    if_modified_since = environ_header(
        "HTTP_IF_MODIFIED_SINCE", parse_date, "How old the client's version is (§13.1.3)."
    )
    if_unmodified_since = environ_header("HTTP_IF_UNMODIFIED_SINCE", parse_date, "How old the version is (§13.1.4).")
    if_range = environ_header("HTTP_IF_RANGE", _parse_if_range, "The version that ranges are of (§13.1.5).")
