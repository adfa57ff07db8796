from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.dates import MOST_SECONDS, format_retry_after, parse_retry_after
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

MOMENT = datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)


@rows(
    "text, after",
    [("120", 120), ("0", 0), ("007", 7), ("9999999999", MOST_SECONDS), ("Fri, 31 Dec 1999 23:59:59 GMT", MOMENT)],
)
def test_reading(text, after):
    assert parse_retry_after(text) == after


@rows("text", ["", "-1", "+1", "1.5", "1e3", " 1", "1\n", "٣", "1_0", "soon", "9" * 11, "9" * 10**6])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="neither seconds nor an HTTP date"):
        parse_retry_after(text)


@rows(
    "after, printed",
    (120, "120"), (0, "0"), (0.25, "1"), (59.0, "59"), (timedelta(minutes=2), "120"),
    (timedelta(milliseconds=1), "1"), (MOST_SECONDS, "9999999999"), (MOMENT, "Fri, 31 Dec 1999 23:59:59 GMT"),
    ids=repr,
)  # fmt: skip
def test_printing(after, printed):
    assert format_retry_after(after) == printed


@rows("after", [-1, -0.5, timedelta(seconds=-1), 10**10, float("inf"), float("nan"), MOST_SECONDS + 0.5, "5"], ids=repr)
def test_what_no_header_can_say_is_refused(after):
    with pytest.raises(ValueError, match="Retry-After must be seconds"):
        format_retry_after(after)


@given(
    st.integers(0, MOST_SECONDS)
    | st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
)
def test_what_was_printed_is_read_back(after):
    assert parse_retry_after(format_retry_after(after)) == after
