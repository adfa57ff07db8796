from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.conditional import ETag, IfRange, applicable_range, evaluate_preconditions
from antiphon.http.dates import format_http_date
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

ETAG = ETag("v2")
WEAK = ETag("v2", weak=True)
MODIFIED = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
SAME = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
BAD_DATES = [
    "", "yesterday", "784111777", "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
    "Mon, 31 Feb 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", f"{SAME}, {SAME}",
    pytest.param("a" * 100_000, id="long"),
]  # fmt: skip
UNREADABLE = [
    "",
    "v2",
    "*, *",
    '"v2',
    pytest.param("a" * 100_000, id="long"),
    pytest.param(", ".join(f'"{number}"' for number in range(10_000)), id="10,000 tags"),
]
READING = ["GET", "HEAD"]
WRITING = ["PUT", "POST", "PATCH", "DELETE", "PROPPATCH"]
METHODS = READING + WRITING


def asked(**headers):
    return {name.replace("_", "-"): value for name, value in headers.items()}.get


def outcome(method, etag=ETAG, modified=MODIFIED, exists=True, **headers):
    return evaluate_preconditions(method, asked(**headers), etag and str(etag), modified, exists=exists)


def range_applies(method, etag=None, modified=None, **headers):
    date = modified and format_http_date(modified)
    found = applicable_range(method, asked(range="bytes=0-1", **headers), etag and str(etag), date)
    assert found in (None, "bytes=0-1")
    return found is not None


@rows("method", METHODS)
@rows("exists", [True, False])
def test_no_conditions_let_every_request_go_on(method, exists):
    assert outcome(method, exists=exists) is None
    assert evaluate_preconditions(method, asked()) is None


class TestIfMatch:
    @rows(
        "header, etag, expected",
        ('"v2"', ETAG, None), ('"v1", "v2"', ETAG, None), ('"v1", broken, "v2"', ETAG, None), ("*", ETAG, None),
        ("*", WEAK, None), ("*", None, None), ('"v1"', ETAG, 412), ('W/"v2"', ETAG, 412), ('"v2"', WEAK, 412),
        ('W/"v2"', WEAK, 412), ('"v2"', None, 412),
    )  # fmt: skip
    def test_lets_pass_what_it_names_by_strong_comparison(self, header, etag, expected):
        assert {outcome(method, etag=etag, if_match=header) for method in METHODS} == {expected}

    @rows("header", UNREADABLE)
    def test_one_that_cannot_be_read_lets_nothing_pass(self, header):
        assert {outcome(method, if_match=header) for method in METHODS} == {412}

    @rows("header", ["*", '"v2"', ""])
    def test_lets_nothing_pass_where_nothing_is(self, header):
        assert outcome("PUT", etag=None, modified=None, exists=False, if_match=header) == 412

    @rows("date", [EARLIER, SAME, LATER, "yesterday"])
    def test_goes_before_if_unmodified_since(self, date):
        assert outcome("PUT", if_match='"v2"', if_unmodified_since=date) is None
        assert outcome("PUT", if_match='"v1"', if_unmodified_since=date) == 412


class TestIfUnmodifiedSince:
    @rows("date", BAD_DATES)
    def test_is_ignored_when_it_is_no_date(self, date):
        assert outcome("PUT", if_unmodified_since=date) is None

    def test_is_ignored_without_a_modification_date(self):
        assert outcome("PUT", modified=None, if_unmodified_since=EARLIER) is None
        assert outcome("PUT", exists=False, if_unmodified_since=EARLIER) is None


class TestIfNoneMatch:
    @rows(
        "header, etag, known",
        ('"v2"', ETAG, True), ('W/"v2"', ETAG, True), ('"v2"', WEAK, True), ('W/"v2"', WEAK, True),
        ('"v1", "v2"', ETAG, True), ('broken, "v2"', ETAG, True), ("*", ETAG, True), ("*", None, True),
        ('"v1"', ETAG, False), ('"v1", W/"v3"', ETAG, False), ('"v2"', None, False),
    )  # fmt: skip
    def test_ends_the_request_for_what_it_names_by_weak_comparison(self, header, etag, known):
        for method in READING:
            assert outcome(method, etag=etag, if_none_match=header) == (304 if known else None)
        for method in WRITING:
            assert outcome(method, etag=etag, if_none_match=header) == (412 if known else None)

    @rows("header", UNREADABLE)
    def test_one_that_cannot_be_read_lets_readers_pass_and_no_writers(self, header):
        for method in READING:
            assert outcome(method, if_none_match=header) is None
        for method in WRITING:
            assert outcome(method, if_none_match=header) == 412

    @rows("header", ["*", '"v2"', "broken"])
    def test_lets_all_pass_where_nothing_is(self, header):
        assert outcome("PUT", etag=None, modified=None, exists=False, if_none_match=header) is None

    @rows("date", [EARLIER, SAME, LATER])
    def test_goes_before_if_modified_since(self, date):
        assert outcome("GET", if_none_match='"v2"', if_modified_since=date) == 304
        assert outcome("GET", if_none_match='"v1"', if_modified_since=date) is None
        assert outcome("GET", if_none_match="broken", if_modified_since=date) is None
        assert outcome("GET", etag=None, if_none_match='"v2"', if_modified_since=date) is None

    def test_comes_after_those_that_guard(self):
        assert outcome("GET", if_match='"v1"', if_none_match='"v2"') == 412
        assert outcome("GET", if_match='"v2"', if_none_match='"v2"') == 304
        assert outcome("GET", if_unmodified_since=EARLIER, if_none_match='"v2"') == 412
        assert outcome("GET", if_unmodified_since=LATER, if_none_match='"v2"') == 304


class TestIfModifiedSince:
    @rows("method", WRITING)
    def test_is_for_readers_only(self, method):
        assert outcome(method, if_modified_since=LATER) is None

    @rows("date", BAD_DATES)
    def test_is_ignored_when_it_is_no_date(self, date):
        assert outcome("GET", if_modified_since=date) is None

    def test_is_ignored_without_a_modification_date(self):
        assert outcome("GET", modified=None, if_modified_since=LATER) is None

    @rows(
        "modified", MODIFIED.replace(microsecond=999_999), MODIFIED.astimezone(timezone(timedelta(hours=5, minutes=30)))
    )
    def test_compares_whole_seconds_in_utc(self, modified):
        assert outcome("GET", modified=modified, if_modified_since=SAME) == 304
        assert outcome("GET", modified=modified, if_modified_since=EARLIER) is None
        assert outcome("PUT", modified=modified, if_unmodified_since=SAME) is None

    @rows("zone", [UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))])
    @rows("moment", [datetime.min, datetime.max])
    def test_the_ends_of_time_compare_too(self, moment, zone):
        assert outcome("GET", modified=moment.replace(tzinfo=zone), if_modified_since=SAME) == (
            304 if moment == datetime.min else None
        )

    def test_asks_a_date_as_it_asks_a_moment(self):
        for date, expected in ((EARLIER, None), (SAME, 304), (LATER, 304)):
            assert outcome("GET", modified=SAME, if_modified_since=date) == expected
        assert outcome("GET", modified="yesterday", if_modified_since=LATER) is None
        assert outcome("GET", modified="yesterday", if_modified_since="yesterday") is None

    def test_a_modification_in_the_future_is_like_any_other(self):
        future = datetime(9999, 1, 1, tzinfo=UTC)
        assert outcome("GET", modified=future, if_modified_since=SAME) is None
        assert outcome("GET", modified=future, if_modified_since=format_http_date(future)) == 304


@rows("text", ["v2", '"v1", "v2"', 'W/W/"v2"', '"', "*", ""])
def test_what_is_no_tag_is_the_version_of_none(text):
    listed = '"v1", "v2", W/"v2"'
    assert evaluate_preconditions("GET", asked(if_none_match=listed), text) is None
    assert evaluate_preconditions("GET", asked(if_match=listed), text) == 412
    assert evaluate_preconditions("GET", asked(if_none_match="*"), text) == 304


@rows("method", ["OPTIONS", "TRACE", "CONNECT"])
def test_methods_without_a_representation_have_no_conditions(method):
    assert outcome(method, if_match='"v1"', if_none_match='"v2"', if_unmodified_since=EARLIER) is None


class TestRangeApplies:
    @rows(
        "header, applies",
        (None, True), ('"v2"', True), ('"v1"', False), ('W/"v2"', False), (SAME, True), (EARLIER, False),
        (LATER, False), ("", False), ("v2", False), ("*", False), ('"v2", "v1"', False),
    )  # fmt: skip
    def test_when_if_range_names_this_version(self, header, applies):
        assert range_applies("GET", ETAG, MODIFIED, if_range=header) is applies

    @rows("method", ["HEAD", *WRITING])
    def test_to_get_only(self, method):
        assert not range_applies(method, ETAG, MODIFIED, if_range='"v2"')
        assert not range_applies(method, ETAG, MODIFIED)

    def test_to_what_has_validators_when_one_is_asked_for(self):
        assert range_applies("GET")
        assert not range_applies("GET", None, MODIFIED, if_range='"v2"')
        assert not range_applies("GET", ETAG, None, if_range=SAME)
        assert not range_applies("GET", WEAK, MODIFIED, if_range='"v2"')

    @rows("date", [EARLIER, SAME, LATER])
    def test_to_no_version_of_a_date_whose_tag_says_that_it_may_be_one_of_several(self, date):
        assert not range_applies("GET", WEAK, MODIFIED, if_range=date)
        assert not IfRange.parse(date).matches(WEAK, MODIFIED)

    def test_where_there_is_one_only(self):
        assert applicable_range("GET", asked(if_range='"v2"'), '"v2"') is None

    def test_never_ends_a_request(self):
        assert outcome("GET", if_range='"v1"') is None


class TestIfRange:
    def test_is_a_tag_or_a_date(self):
        tag, date = IfRange.parse(' "v2"'), IfRange.parse("Sunday, 06-Nov-94 08:49:37 GMT")
        assert (tag.etag, tag.date) == (ETAG, None)
        assert (date.etag, date.date) == (None, MODIFIED)
        assert (str(tag), str(date)) == ('"v2"', SAME)
        assert repr(tag) == "IfRange.parse('\"v2\"')"

    def test_dates_count_in_whole_seconds(self):
        assert IfRange(MODIFIED).matches(None, MODIFIED.replace(microsecond=999_999))

    def test_an_absent_header_matches_all_and_a_broken_one_nothing(self):
        absent, broken = IfRange.parse(None), IfRange.parse("v2")
        assert not absent
        assert absent.matches(None)
        assert absent.matches(ETAG, MODIFIED)
        assert absent.matches(WEAK, MODIFIED)
        assert broken
        assert not broken.matches(None)
        assert not broken.matches(ETAG, MODIFIED)
        assert absent != broken
        assert str(absent) == str(broken) == ""

    @rows("header", [*BAD_DATES, *UNREADABLE])
    def test_what_cannot_be_read_is_neither(self, header):
        found = IfRange.parse(header)
        assert found
        assert (found.etag, found.date) == (None, None)

    def test_a_date_that_no_header_can_have_is_refused(self):
        with pytest.raises(ValueError, match="HTTP date cannot represent"):
            IfRange(datetime.min.replace(tzinfo=timezone(timedelta(hours=1))))

    @given(st.datetimes(timezones=st.just(UTC)) | st.builds(lambda weak: ETag("a,b", weak=weak), st.booleans()))
    def test_printing_and_reading_give_it_back(self, validator):
        assert IfRange.parse(str(IfRange(validator))) == IfRange(validator)
