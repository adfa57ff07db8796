from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.dates import format_http_date, format_structured_date, parse_http_date, parse_structured_date
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
whole_seconds = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))


@rows(
    "text",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sun Nov 06 08:49:37 1994",
)
def test_the_three_forms(text):
    assert parse_http_date(text) == MOMENT
    assert parse_http_date(text).tzinfo is UTC


@rows(
    "text",
        "", "yesterday", "0", "784111777", "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun, 06 Nov 199 08:49:37 GMT", "Thu, 31 Feb 1994 08:49:37 GMT", "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT\n", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994  08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 0٦ Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 31-Feb-94 08:49:37 GMT", "Sun Nov 31 08:49:37 1994",
        "Sun Nov   08:49:37 1994", "1994-11-06T08:49:37Z",
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="not an HTTP date"):
        parse_http_date(text)


@rows("weekday", ["Mon", "Xyz"])
def test_the_name_of_the_day_is_not_checked(weekday):
    assert parse_http_date(f"{weekday}, 06 Nov 1994 08:49:37 GMT") == MOMENT


def test_a_leap_second_is_the_second_before():
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@rows("digits, year", [("70", 1970), ("99", 1999), ("00", 2000), ("69", 2069)])
def test_two_digit_years_are_within_1970_to_2069_by_default(digits, year):
    assert parse_http_date(f"Monday, 01-Jan-{digits} 00:00:00 GMT").year == year


@rows(
    "digits, latest_year, year",
    [("94", 2076, 1994), ("76", 2076, 2076), ("77", 2076, 1977), ("00", 2099, 2000), ("99", 2099, 2099)],
)
def test_two_digit_years_are_the_last_until_the_latest_year(digits, latest_year, year):
    assert parse_http_date(f"Monday, 01-Jan-{digits} 00:00:00 GMT", latest_year=latest_year).year == year


@given(st.integers(0, 99), st.integers(200, 9000))
def test_two_digit_years_keep_their_digits(digits, latest_year):
    year = parse_http_date(f"Monday, 01-Jan-{digits:02} 00:00:00 GMT", latest_year=latest_year).year
    assert year % 100 == digits
    assert latest_year - 100 < year <= latest_year


@rows(
    "moment",
    float("nan"), float("inf"), float("-inf"), 1e12, -1e12, 1e300, 253402300800, -62135596801,
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-1))),
    ids=repr,
)  # fmt: skip
def test_moments_out_of_range_are_refused(moment):
    with pytest.raises(ValueError, match="HTTP date cannot represent"):
        format_http_date(moment)


@given(whole_seconds)
def test_a_printed_date_is_read_back(moment):
    assert parse_http_date(format_http_date(moment)) == moment


@given(whole_seconds)
def test_all_forms_of_a_date_are_read_alike(moment):
    imf = format_http_date(moment)
    assert parse_http_date(f"{imf[:3]} {imf[8:11]} {moment.day:2} {imf[17:25]} {moment.year:04}") == moment
    rfc850 = f"{imf[:3]}day, {moment.day:02}-{imf[8:11]}-{moment.year % 100:02} {imf[17:25]} GMT"
    if 100 < moment.year < 9900:
        assert parse_http_date(rfc850, latest_year=moment.year) == moment


@given(st.integers(-62135596800, 253402300799))
def test_seconds_and_datetimes_print_alike(seconds):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert format_http_date(seconds) == format_http_date(moment)
    assert format_http_date(float(seconds)) == format_http_date(moment)


@given(st.text())
def test_any_text_is_a_date_or_a_value_error(text):
    with pytest.raises(ValueError, match="not an HTTP date"):
        parse_http_date(text)


def test_the_two_moments_of_an_hour_that_comes_twice_print_as_they_are():
    zone = ZoneInfo("Europe/Vienna")
    first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1))
    assert format_http_date(first) == "Sun, 25 Oct 2026 00:30:00 GMT"
    assert format_http_date(second) == "Sun, 25 Oct 2026 01:30:00 GMT"


def test_the_last_moment_of_all_is_not_rounded_up():
    assert format_http_date(datetime.max.replace(tzinfo=UTC)) == "Fri, 31 Dec 9999 23:59:59 GMT"
    assert format_http_date(-0.5) == "Wed, 31 Dec 1969 23:59:59 GMT"


@rows(
    "moment, text",
    (datetime(1970, 1, 1, tzinfo=UTC), "@0"),
    (datetime(2022, 8, 4, 1, 57, 13, tzinfo=UTC), "@1659578233"),
    (datetime(1969, 12, 31, 23, 59, 58, tzinfo=UTC), "@-2"),
    (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "@253402300799"),
    (datetime(1, 1, 1, tzinfo=UTC), "@-62135596800"),
)
def test_dates_of_structured_fields(moment, text):
    assert format_structured_date(moment) == text
    assert parse_structured_date(text) == moment


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_part_of_a_second_is_cut_off_a_structured_date(moment):
    read = parse_structured_date(format_structured_date(moment))
    assert read == moment.replace(microsecond=0)


def test_a_structured_date_that_no_datetime_can_hold_is_not_printed():
    with pytest.raises(ValueError, match="1 to 9999"):
        format_structured_date(datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))))


@rows(
    "text",
        "", "@", "@-", "@--2", "@+2", "@1.5", "-2", "2", " @2", "@2 ", "@\u0662", "@2;a", "@253402300800",
        "@-62135596801", "@999999999999999", "@9999999999999999", "@" + "9" * 1_000_000,
    ids=lambda text: ascii(text[:20]),
)  # fmt: skip
def test_no_structured_dates(text):
    with pytest.raises(ValueError, match="date"):
        parse_structured_date(text)
