"""WebOb, and Werkzeug for what cookies look like, reads the same in any well-formed header, and prints the same."""

from datetime import UTC, datetime

import pytest
import werkzeug.http
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Response
from antiphon.http.accept import Accept, AcceptEncoding, AcceptLanguage
from antiphon.http.authorization import Challenge
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import ETag, IfMatch, IfNoneMatch
from antiphon.http.cookies import SetCookie, parse_cookies
from antiphon.http.dates import format_http_date, parse_http_date
from antiphon.http.ranges import ContentRange, Range
from tests.oracles.webob_modules import acceptparse, byterange, datetime_utils, descriptors, webob

TAGS = ["a", "b", "c-1", "W", "x,y"]
MEDIA_TYPES = ["text/html", "text/plain", "image/png", "application/json"]
MEDIA_RANGES = [*MEDIA_TYPES, "text/*", "image/*", "*/*"]
LANGUAGES = ["en", "en-GB", "de", "de-AT-1996", "fr", "zh-Hant-TW"]

weights = st.sampled_from(["", ";q=1", ";q=0", ";q=0.5", ";q=0.25", "; q=0.001", " ;Q=0.9", ";q=1.000"])
small = st.integers(0, 40)
seconds = st.integers(0, 2**31)
moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2068, 12, 31), timezones=st.just(UTC))
tokens = st.text("abcXYZ019-_.!#", min_size=1, max_size=8)
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='",;\\[]'), max_size=12)


@st.composite
def headers_of(draw, items):
    """A list of some of these, each with a weight or none."""
    names = draw(st.lists(st.sampled_from(items), min_size=1, max_size=5, unique=True))
    return draw(st.sampled_from([",", ", ", " , "])).join([name + draw(weights) for name in names])


class TestAccept:
    @given(headers_of(MEDIA_RANGES), st.lists(st.sampled_from(MEDIA_TYPES), unique=True, min_size=1))
    def test_the_best_media_type_is_the_same(self, header, offers):
        theirs = acceptparse.create_accept_header(header).acceptable_offers(offers)
        ours = Accept.parse(header)
        assert {offer: quality for offer in offers if (quality := ours.quality(offer))} == dict(theirs)
        assert ours.best(offers) == (theirs[0][0] if theirs else None)

    @given(headers_of(["en", "de", "fr", "zh-Hant", "*"]), st.lists(st.sampled_from(LANGUAGES), unique=True))
    def test_the_same_languages_are_acceptable(self, header, offers):
        theirs = acceptparse.create_accept_language_header(header).basic_filtering(offers)
        ours = AcceptLanguage.parse(header)
        assert {offer: quality for offer in offers if (quality := ours.quality(offer))} == dict(theirs)

    @given(headers_of(["gzip", "br", "zstd", "identity", "*"]), st.permutations(["gzip", "br", "zstd"]))
    def test_the_best_coding_is_the_same(self, header, offers):
        theirs = acceptparse.create_accept_encoding_header(header).acceptable_offers(offers)
        ours = AcceptEncoding.parse(header)
        assert {offer: quality for offer in offers if (quality := ours.quality(offer))} == dict(theirs)
        assert ours.best(offers) == (theirs[0][0] if theirs else None)


class TestConditions:
    @given(
        st.lists(st.builds(lambda tag, weak: ETag(tag, weak=weak), st.sampled_from(TAGS), st.booleans()), min_size=1)
    )
    def test_the_same_tags_match(self, listed):
        header = ", ".join(map(str, listed))
        theirs = webob.Request.blank("/", headers={"If-Match": header, "If-None-Match": header})
        for tag in TAGS:
            assert IfMatch.parse(header).strong_match(ETag(tag)) == (tag in theirs.if_match)
            assert IfNoneMatch.parse(header).weak_match(ETag(tag)) == (tag in theirs.if_none_match)

    @given(moments)
    def test_dates_are_the_same(self, moment):
        assert format_http_date(moment) == datetime_utils.serialize_date(moment)
        assert parse_http_date(format_http_date(moment)) == datetime_utils.parse_date(format_http_date(moment))


class TestRanges:
    @given(small, small | st.none(), st.integers(1, 40))
    def test_the_same_part_is_meant(self, first, count, length):
        spec = first, None if count is None else first + count
        theirs = byterange.Range.parse(str(Range([spec]))).range_for_length(length)
        assert Range([spec]).resolve(length) == ([] if theirs is None else [(theirs[0], theirs[1] - 1)])

    @given(st.integers(1, 80), st.integers(1, 40))
    def test_the_same_suffix_is_meant(self, count, length):
        theirs = byterange.Range.parse(str(Range([(None, count)]))).range_for_length(length)
        expected = max(length - count, 0), length - 1
        assert Range([(None, count)]).resolve(length) == [expected]
        assert theirs == (expected[0], length) or (
            theirs is None and count > length
        )  # RFC 9110 §14.1.2: then the whole

    @given(small, st.integers(1, 30), st.integers(1, 30) | st.none())
    def test_parts_are_named_in_the_same_way(self, first, count, more):
        ours = ContentRange(first, first + count - 1, None if more is None else first + count + more)
        theirs = byterange.ContentRange(first, first + count, ours.length)
        assert str(ours) == str(theirs)
        assert ContentRange.parse(str(theirs)) == ours


LIFETIMES = ("max_age", "s_maxage", "stale_if_error")
FLAGS = ("public", "no_store", "no_transform", "must_revalidate")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(LIFETIMES, seconds) | dict.fromkeys(FLAGS, st.booleans())))
def test_a_response_may_be_kept_as_long(directives):
    ours = CacheControl(**directives)
    theirs = webob.Response(headers={"Cache-Control": str(ours)}).cache_control
    for name in LIFETIMES:
        assert getattr(theirs, name) == directives.get(name)
    for name in FLAGS:
        assert bool(getattr(theirs, name)) == directives.get(name, False)
    assert CacheControl.parse(str(theirs)) == ours


class TestCookies:
    @given(tokens, values)
    def test_what_is_set_comes_back(self, name, value):
        pair = SetCookie(name, value).pair
        assert webob.Request.blank("/", headers={"Cookie": pair}).cookies[name] == value
        assert werkzeug.http.parse_cookie(pair)[name] == value

    @pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning:webob")
    @given(tokens, values, seconds | st.none(), st.booleans(), st.booleans(), st.sampled_from(["Lax", "Strict"]))
    def test_attributes_are_printed_by_all_so_that_they_read_the_same(
        self, name, value, max_age, secure, httponly, same
    ):
        ours = SetCookie(name, value, max_age=max_age, secure=secure, httponly=httponly, samesite=same)
        flags = {"max_age": max_age, "secure": secure, "httponly": httponly, "samesite": same}
        response = webob.Response()
        response.set_cookie(name, value, **flags)
        for printed in (werkzeug.http.dump_cookie(name, value, **flags), response.headers["Set-Cookie"]):
            assert SetCookie.parse(printed)._replace(expires=None) == ours  # which they compute from max_age

    @given(
        st.lists(
            st.tuples(tokens.filter(lambda name: name[0] != "$"), values), max_size=5, unique_by=lambda pair: pair[0]
        )
    )
    def test_several_are_read_in_the_same_way(self, cookies):
        header = "; ".join(f"{name}={value}" for name, value in cookies)
        assert parse_cookies(header) == cookies
        assert dict(webob.Request.blank("/", headers={"Cookie": header}).cookies) == dict(cookies)


@given(st.text("abc xyz,=;", max_size=12))
def test_challenges_are_read_in_the_same_way(realm):
    response = Response()
    response.www_authenticate = Challenge.basic(realm, charset=None)
    assert descriptors.parse_auth(response.headers["www-authenticate"]) == ("Basic", {"realm": realm})
