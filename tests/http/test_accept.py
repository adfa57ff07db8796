import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.accept import Accept, AcceptEncoding, AcceptLanguage
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

ALL = (Accept, AcceptLanguage, AcceptEncoding)
CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
BAD_WEIGHTS = [
    "q=", "q=2", "q=-1", "q=nan", "q=inf", "q=1.5", "q=1.001", "q=1.0001", "q=0.5 0", "q=x", "q=1e-1", "q=+1", "q",
]  # fmt: skip

qualities = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)


def headers(ranges):
    elements = st.builds(lambda name, quality: f"{name};q={quality:g}", ranges, qualities) | ranges
    return st.lists(elements, max_size=6).map(", ".join)


media_ranges = st.sampled_from(
    ["*/*", "text/*", "text/html", "Text/Plain", "text/html;level=1", 'text/html; level="2"', "image/*", "image/png"]
)
language_ranges = st.sampled_from(["*", "en", "en-GB", "en-US", "de", "de-AT", "zh-Hant-TW", "zh-Hant", "zh", "fr-CH"])
codings = st.sampled_from(["*", "gzip", "br", "identity", "x-gzip", "ZSTD"])
charsets = st.sampled_from(["*", "utf-8", "UTF8", "iso-8859-1", "us-ascii"])
any_header = st.one_of(
    st.text(st.characters(max_codepoint=0xFF)),
    st.text('ab/*;q=01., "\\-_\t'),
    *map(headers, (media_ranges, language_ranges, codings, charsets)),
)
any_class = st.sampled_from(ALL)


@rows("accept", ALL)
class TestEveryHeader:
    def test_an_absent_header_accepts_anything_and_is_false(self, accept):
        absent = accept.parse(None)
        assert not absent
        assert list(absent) == []
        assert absent.items() == []
        assert str(absent) == ""
        assert "a/b" in absent
        assert absent.best(["x/y", "a/b"]) == "x/y"
        assert absent.best([]) is None
        assert repr(absent) == f"{accept.__name__}.parse(None)"

    def test_no_offer_gives_the_default(self, accept):
        assert accept.parse("*/*, *").best([]) is None
        assert accept.parse("*/*, *").best([], "x/y") == "x/y"
        assert accept.parse("*/*;q=0, *;q=0").best(["a/b"], "x/y") == "x/y"
        assert accept.parse("*/*;q=0, *;q=0").best(["a/b"]) is None

    def test_an_element_with_a_bad_weight_is_skipped(self, accept):
        good = "*/*" if accept is Accept else "*"
        bad = "a/b" if accept is Accept else "gzip"
        for weight in BAD_WEIGHTS:
            assert list(accept.parse(f"{bad};{weight}, {good};q=0.5")) == [good]
            assert list(accept.parse(f"{bad};a=b;{weight}, {good};q=0.5")) == [good]

    @rows("weight, quality", [("q=1.0000", 1), ("q=0.0000", 0), ("q=0.33333", 0.333)])
    def test_decimals_beyond_the_third_are_cut(self, accept, weight, quality):
        good = "a/b" if accept is Accept else "gzip"
        assert accept.parse(f"{good};{weight}").items() == [(good, quality)]

    def test_only_the_first_200_elements_count(self, accept):
        kind = "x/" if accept is Accept else "x-"
        first, last = f"{kind}first", f"{kind}last"
        read = accept.parse(f"{first}, {', ' * 198} {last}, {kind}late")
        assert list(read) == [first, last]
        assert accept.parse(str(read)) == read
        assert len(list(accept.parse(",".join(f"{kind}{number}" for number in range(10_000))))) == 200


@given(any_class, any_header)
def test_what_was_read_prints_and_reads_back(accept, header):
    read = accept.parse(header)
    assert accept.parse(str(read)) == (read if read.items() else accept.parse("" if read else None))
    assert not set(str(read)) & set("\r\n\0")
    assert [name for name, _ in read.items()] == list(read)
    assert [quality for _, quality in read.items()] == sorted((q for _, q in read.items()), reverse=True)


@given(any_class, any_header, st.lists(st.one_of(media_ranges.filter(lambda name: "*" not in name))))
def test_the_best_offer_is_acceptable_and_none_has_a_higher_quality(accept, header, offers):
    read = accept.parse(header)
    best = read.best(offers)
    if best is None:
        assert not any(offer in read for offer in offers)
    elif accept is not AcceptLanguage:
        assert read.quality(best) > 0
        assert best == max(offers, key=read.quality)


@rows(
    "header, ordered",
    ("text/html, text/plain", ["text/html", "text/plain"]),
    ("*/*, text/*, text/html, text/html;level=1", ["text/html; level=1", "text/html", "text/*", "*/*"]),
    ("a/b;q=0.1, c/d;q=0.9, e/f", ["e/f", "c/d", "a/b"]),
    ("Text/HTML;Level=1;Q=0.3, a/b", ["a/b", "text/html; level=1"]),
    ("a/b;q=0.5;x=1", ["a/b; x=1"]),
    ('a/b;x="1,2;q=0.1";q=0.5, c/d', ["c/d", 'a/b; x="1,2;q=0.1"']),
    ("a/b;x, a/b;q=0", ["a/b", "a/b"]),
    ("a/b;, c/d;q=0.5;, e/f;q=0.7;q=0.1", ["a/b", "e/f", "c/d"]),
    (", ,a/b ,, c/d,", ["a/b", "c/d"]),
    ("a, /b, a/, a b/c, */b, a/b/c, *, a/b c, é/b, a/b\n, \0", []),
    ('a/b "x, c/d, y", e/f', ["e/f"]),
    ('a/b, c/d;x="e/f, g/h', ['c/d; x="e/f, g/h"', "a/b"]),
    ("a/b ; q = 0.5 , c/d\t;\tq=0.6", ["c/d", "a/b"]),
    ("a/b;q=.5, c/d;q=0.66666", ["c/d", "a/b"]),
    ("", []),
)
def test_media_ranges_are_ordered_by_preference(header, ordered):
    read = Accept.parse(header)
    assert list(read) == ordered
    assert bool(read) is bool(ordered)


@rows(
    "offer, quality",
    ("text/html;level=1", 1.0), ("text/html", 0.7), ("TEXT/HTML", 0.7), ("text/plain", 0.3), ("image/jpeg", 0.5),
    ("text/html;level=2", 0.4), ("text/html;level=3", 0.7), ("text/html; charset=utf-8; level=2", 0.4),
)  # fmt: skip
def test_the_example_of_the_standard(offer, quality):
    accept = Accept.parse("text/*;q=0.3, text/html;q=0.7, text/html;level=1, text/html;level=2;q=0.4, */*;q=0.5")
    assert accept.quality(offer) == quality
    assert offer in accept


@rows(
    "header, offers, best",
    ("text/html, application/json", ["application/json", "text/html"], "application/json"),
    ("text/html, application/json;q=0.9", ["application/json", "text/html"], "text/html"),
    (CHROME, ["application/json", "text/html"], "text/html"),
    (CHROME, ["application/json"], "application/json"),
    (CHROME, ["application/json", "application/xml"], "application/xml"),
    ("application/json", ["text/html"], None),
    ("*/*", ["text/html", "application/json"], "text/html"),
    ("text/html;q=0, */*", ["text/html", "application/json"], "application/json"),
    ("text/html;q=0, text/*", ["text/html"], None), ("image/*", ["text/html", "image/png"], "image/png"),
    ("text/html;level=1", ["text/html"], None),
    ("text/html;level=1", ["text/html", "text/html; level=1"], "text/html; level=1"),
    ("text/html", ["text/html; charset=utf-8"], "text/html; charset=utf-8"),
    ("text/html; charset=UTF-8, a/b;q=0.5", ["a/b", "text/html; charset=utf-8"], "text/html; charset=utf-8"),
    ("text/html;q=0.5, text/html", ["text/html", "a/b"], "text/html"),
    ("garbage", ["text/html"], "text/html"), ("a/b;q=x", ["text/html"], "text/html"),
    ("a/b;", ["text/html", "a/b"], "a/b"), ("a/b;q=0.5;q=0, c/d;q=0.4", ["c/d", "a/b"], "a/b"),
    ("a/*;x=1, a/b;q=0.5", ["a/b; x=1", "a/c; x=1"], "a/c; x=1"),
)  # fmt: skip
def test_the_best_media_type(header, offers, best):
    assert Accept.parse(header).best(offers) == best


@rows("offer", ["html", "", "json; a/b"])
def test_an_offer_that_is_no_media_type_is_an_error(offer):
    with pytest.raises(ValueError, match="not a media type"):
        Accept.parse("*/*").best([offer])


@rows(
    "header, offer, quality",
    ("en", "en-GB", 1.0), ("en", "EN_gb", 1.0), ("en-GB", "en", 0.0), ("en", "eng", 0.0),
    ("en;q=0.5, en-GB;q=0.8", "en-GB", 0.8), ("en;q=0.5, en-GB;q=0.8", "en-GB-oxendict", 0.8),
    ("en;q=0.5, en-GB;q=0.8", "en-US", 0.5), ("en;q=0.5, *;q=0.2", "de", 0.2), ("en-GB;q=0, en", "en-GB", 0.0),
    ("zh-Hant", "zh-Hant-TW", 1.0), ("zh-Hant", "zh-TW", 0.0),
)  # fmt: skip
def test_languages_are_filtered_by_their_beginning(header, offer, quality):
    accept = AcceptLanguage.parse(header)
    assert accept.quality(offer) == quality
    assert (offer in accept) is (quality > 0)


@rows(
    "header, offers, best",
    ("en-US,en;q=0.9,de;q=0.8", ["de", "en"], "en"), ("en-GB", ["de", "en"], "en"),
    ("en-GB", ["en", "en-GB"], "en-GB"),
    ("zh-Hant-CN-x-private1-private2", ["zh", "zh-Hant"], "zh-Hant"),
    ("zh-Hant-CN", ["zh-TW", "zh"], "zh"), ("en", ["de", "en-GB"], "en-GB"), ("en", ["en-GB", "en"], "en"),
    ("en-US, en;q=0.5", ["en-GB", "fr"], "en-GB"), ("en-US, de;q=0.5", ["en-GB", "de"], "de"),
    ("en-US, fr;q=0.9, en;q=0.3", ["fr", "en"], "en"), ("de, en", ["en", "de"], "en"),
    ("de-AT, en, fr", ["fr", "en", "de"], "fr"), ("*", ["fr", "en"], "fr"), ("en, *", ["fr", "en"], "en"),
    ("en;q=0.5, *", ["en", "fr"], "fr"), ("en;q=0.5, *", ["en"], "en"), ("*;q=0.5, de", ["fr", "en-GB"], "fr"),
    ("en-GB;q=0, en", ["en-GB", "en-US"], "en-US"), ("en-GB;q=0, en", ["en-GB"], None),
    ("en-US, en;q=0", ["en"], None), ("en-US;q=0", ["en"], None), ("de, *;q=0", ["en", "de-AT"], "de-AT"),
    ("fr", ["en", "de"], None), ("EN-gb", ["en_GB"], "en_GB"), ("en", ["en_GB", "en-GB"], "en_GB"),
    ("garbage!", ["de", "en"], "de"),
)  # fmt: skip
def test_the_best_language(header, offers, best):
    assert AcceptLanguage.parse(header).best(offers) == best


@given(headers(language_ranges), st.lists(language_ranges.filter(lambda name: name != "*")))
def test_an_acceptable_language_alone_is_the_best(header, offers):
    accept = AcceptLanguage.parse(header)
    for offer in offers:
        if offer in accept:
            assert accept.best([offer]) == offer
    if any(offer in accept for offer in offers):
        assert accept.best(offers) in offers


@given(headers(language_ranges), st.lists(language_ranges.filter(lambda name: name != "*"), unique=True))
def test_lookup_takes_an_offer_of_the_highest_range_that_has_one(header, offers):
    accept = AcceptLanguage.parse(header)
    best = accept.best(offers)
    listed = {name: accept.quality(name) for name in accept}
    if listed and best is not None and "*" not in listed and 0.0 not in listed.values():
        reached = max(listed[name] for name in listed if related(name, best))
        assert all(listed[name] <= reached for offer in offers for name in listed if related(name, offer))


def related(language_range, tag):
    return f"{language_range}-".startswith(f"{tag}-") or f"{tag}-".startswith(f"{language_range}-")


@rows(
    "header, offer, quality",
    ("gzip, br;q=0.5", "gzip", 1.0), ("gzip, br;q=0.5", "BR", 0.5), ("gzip, br;q=0.5", "zstd", 0.0),
    ("gzip", "identity", 0.001), ("gzip, identity;q=0.5", "identity", 0.5), ("gzip, identity;q=0", "identity", 0.0),
    ("gzip, *;q=0", "identity", 0.0), ("gzip, *;q=0", "br", 0.0), ("identity;q=0.5, *;q=0", "identity", 0.5),
    ("*", "identity", 1.0), ("*", "br", 1.0), ("x-gzip", "gzip", 1.0), ("x-gzip, gzip;q=0.5", "gzip", 0.5),
    ("", "identity", 0.001), ("", "gzip", 0.0), ("(bad)", "gzip", 0.0), (None, "identity", 1.0),
    (None, "gzip", 0.001),
)  # fmt: skip
def test_qualities_of_codings(header, offer, quality):
    assert AcceptEncoding.parse(header).quality(offer) == quality


def test_an_empty_accept_encoding_is_present():
    assert AcceptEncoding.parse("")
    assert AcceptEncoding.parse("") != AcceptEncoding.parse(None)
    assert AcceptEncoding.parse("") == AcceptEncoding.parse(str(AcceptEncoding.parse("")))


@rows(
    "accept, header, printed",
    (Accept, "a/b ; Q=0.50,C/D;x=1;q=.25 , bad", "a/b;q=0.5, c/d; x=1;q=0.25"),
    (AcceptLanguage, "de;q=0.001, en-US;q=1.000,fr;q=0", "en-US, de;q=0.001, fr;q=0"),
    (AcceptEncoding, "GZIP, *;q=0", "GZIP, *;q=0"),
)
def test_headers_print_in_the_order_of_preference(accept, header, printed):
    assert str(accept.parse(header)) == printed
    assert repr(accept.parse(header)) == f"{accept.__name__}.parse({printed!r})"


@rows("parameters, weight, is_read", [(8, "", True), (7, ";q=0.5", True), (9, "", False), (8, ";q=0.5", False)])
def test_a_media_range_with_more_than_8_parameters_is_skipped(parameters, weight, is_read):
    named = "text/html" + "".join(f"; p{number}=1" for number in range(parameters))
    accept = Accept.parse(f"text/plain;q=0.1, {named}{weight}, image/png;q=0.2")
    assert accept.best([named, "text/plain", "image/png"]) == (named if is_read else "image/png")
    assert len(list(accept)) == 2 + is_read
