import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.ranges import ByteRange, ContentRange, Range, requested_parts
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

positions = st.integers(0, 10**40 - 1) | st.integers(0, 200)
spans = st.tuples(positions, positions).map(lambda pair: (min(pair), max(pair)))
specs = spans | st.tuples(positions, st.none()) | st.tuples(st.none(), positions)
units = st.sampled_from(["bytes", "items", "x-lines"])
ranges = st.builds(lambda listed, unit: Range(listed, unit=unit), st.lists(specs, min_size=1, max_size=64), units)
small_specs = st.integers(0, 30).flatmap(
    lambda first: st.sampled_from([(first, None), (None, first)]) | st.tuples(st.just(first), st.integers(first, 40))
)


class TestRange:
    @rows(
        "text, unit, listed, printed",
        ("bytes=0-499", "bytes", [(0, 499)], "bytes=0-499"),
        ("bytes=9500-", "bytes", [(9500, None)], "bytes=9500-"),
        ("bytes=-500", "bytes", [(None, 500)], "bytes=-500"),
        ("bytes=-0", "bytes", [(None, 0)], "bytes=-0"),
        ("bytes=0-0", "bytes", [(0, 0)], "bytes=0-0"),
        ("bytes=0-0,-1", "bytes", [(0, 0), (None, 1)], "bytes=0-0,-1"),
        (
            "bytes= 0-999, 4500-5499 ,\t-1000",
            "bytes",
            [(0, 999), (4500, 5499), (None, 1000)],
            "bytes=0-999,4500-5499,-1000",
        ),
        ("bytes=,0-1,,", "bytes", [(0, 1)], "bytes=0-1"),
        ("BYTES=007-010", "bytes", [(7, 10)], "bytes=7-10"),
        ("items=3-5", "items", [(3, 5)], "items=3-5"),
        ("bytes=0-18446744073709551615", "bytes", [(0, 2**64 - 1)], "bytes=0-18446744073709551615"),
    )
    def test_is_read_and_printed(self, text, unit, listed, printed):
        found = Range.parse(text)
        assert found.unit == unit
        assert list(found.ranges) == listed
        assert str(found) == printed
        assert found == Range(listed, unit=unit)

    @rows(
        "text",
            "", "bytes", "bytes=", "bytes=,", "=0-1", "by tes=0-1", "bytes =0-1", "bytes:0-1", "bytes=-", "bytes=5",
            "bytes=2-1", "bytes=0-1,5-4", "bytes=0-1,x", "bytes=0-1;2-3", "bytes=0--1", "bytes=--1", "bytes=+0-1",
            "bytes=0 - 1", "bytes=0x0-0x1", "bytes=1_0-2_0", "bytes=0-1-2", "bytes=0.0-1.0", "bytes=\u0660-\u0661",
            "bytes=0-1\n", 'bytes="0-1"', "bytes=*",
            "bytes=0-" + "9" * 41,
            pytest.param("bytes=-" + "9" * 100_000, id="many digits"),
    )  # fmt: skip
    def test_anything_else_is_refused(self, text):
        with pytest.raises(ValueError, match="range") as refused:
            Range.parse(text)
        assert len(str(refused.value)) < 500

    @rows(
        "listed",
        [], [(None, None)], [(1, 0)], [(-1, None)], [(None, -1)], [(0, 10**40)], [(0.0, 1)], [(True, None)],
        [("0", "1")], [(0, 1)] * 65,
    )  # fmt: skip
    def test_is_not_made_of_what_no_header_can_say(self, listed):
        with pytest.raises(ValueError, match=r"range|whole number"):
            Range(listed)

    @rows("unit", ["", "by tes", "b=", "bytes\r\n"])
    def test_the_unit_is_a_token(self, unit):
        with pytest.raises(ValueError, match="unit"):
            Range([(0, 1)], unit=unit)

    def test_64_are_read_and_no_more(self):
        assert len(Range.parse("bytes=" + ",".join(["0-0"] * 64)).ranges) == 64
        with pytest.raises(ValueError, match="more than 64 ranges"):
            Range.parse("bytes=" + ",".join(["0-0"] * 65))

    @given(ranges)
    def test_printing_and_reading_give_it_back(self, found):
        assert Range.parse(str(found)) == found


class TestResolved:
    @rows(
        "text, parts",
        ("bytes=0-499", [(0, 499)]), ("bytes=500-999", [(500, 999)]), ("bytes=-500", [(9500, 9999)]),
        ("bytes=9500-", [(9500, 9999)]), ("bytes=0-0,-1", [(0, 0), (9999, 9999)]), ("bytes=0-", [(0, 9999)]),
        ("bytes=0-9999", [(0, 9999)]), ("bytes=0-10000", [(0, 9999)]), ("bytes=9999-10000", [(9999, 9999)]),
        ("bytes=-10000", [(0, 9999)]), ("bytes=-10001", [(0, 9999)]),
        ("bytes=0-99999999999999999999999999", [(0, 9999)]), ("bytes=500-600,601-999", [(500, 600), (601, 999)]),
        ("bytes=0-1,10000-,4-5", [(0, 1), (4, 5)]), ("bytes=4-5,0-1", [(4, 5), (0, 1)]),
    )  # fmt: skip
    def test_gives_the_parts_in_the_order_asked_for(self, text, parts):
        assert Range.parse(text).resolve(10_000) == parts

    @rows("text", ["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=20000-,-0"])
    def test_has_no_part_when_nothing_is_satisfiable(self, text):
        assert Range.parse(text).resolve(10_000) == []

    @rows("text", ["items=0-1", "seconds=0-"])
    def test_other_units_are_ignored(self, text):
        assert Range.parse(text).resolve(10_000) is None

    @rows("text", ["bytes=0-", "bytes=0-99", "bytes=-5", "bytes=7-"])
    def test_an_empty_representation_is_sent_whole(self, text):
        assert Range.parse(text).resolve(0) is None

    @given(st.lists(small_specs, min_size=1, max_size=12), st.integers(1, 35))
    def test_has_each_byte_that_was_asked_for_once(self, listed, length):
        asked = set()
        for first, last in listed:
            if first is None:
                asked |= set(range(length)[-last:] if last else ())
            else:
                asked |= set(range(length)[first : None if last is None else last + 1])
        parts = Range(listed).resolve(length)
        sent = [position for first, last in parts for position in range(first, last + 1)]
        assert sorted(sent) == sorted(asked)
        assert all(isinstance(part, ByteRange) and part.length > 0 for part in parts)


class TestContentRange:
    @rows(
        "text, unit, first, last, length",
        ("bytes 42-1233/1234", "bytes", 42, 1233, 1234), ("bytes 42-1233/*", "bytes", 42, 1233, None),
        ("bytes */1234", "bytes", None, None, 1234), ("bytes 0-0/1", "bytes", 0, 0, 1),
        ("bytes */0", "bytes", None, None, 0), ("items 0-9/10", "items", 0, 9, 10),
    )  # fmt: skip
    def test_is_read_and_printed(self, text, unit, first, last, length):
        found = ContentRange.parse(text)
        assert (found.unit, found.first, found.last, found.length) == (unit, first, last, length)
        assert str(found) == text
        assert found == ContentRange(first, last, length, unit=unit)

    @rows(
        "text",
            "", "bytes", "bytes */*", "bytes 0-9", "bytes 0-9/", "bytes 0-/10", "bytes -9/10", "bytes 9-0/10",
            "bytes 0-10/10", "bytes=0-9/10", "bytes 0-9/10 ", "bytes 0-9/10\n", "bytes 0-9/-10", "bytes 0-\u0669/10",
            "by,tes 0-9/10",
            "bytes 0-9/" + "9" * 41,
            pytest.param("bytes 0-" + "9" * 1_000_000, id="many digits"),
            pytest.param("a" * 1_000_000, id="long"),
    )  # fmt: skip
    def test_anything_else_is_refused(self, text):
        with pytest.raises(ValueError, match=r"content range|a range ends|ends after") as refused:
            ContentRange.parse(text)
        assert len(str(refused.value)) < 500

    @rows(
        "first, last, length",
        (None, None, None), (0, None, 10), (None, 9, 10), (1, 0, 10), (0, 10, 10), (-1, 9, 10), (0, 9, -1),
        (None, None, -1), ("0", "9\r\n", None),
    )  # fmt: skip
    def test_is_not_made_of_what_no_header_can_say(self, first, last, length):
        with pytest.raises(ValueError, match=r"range|whole"):
            ContentRange(first, last, length)

    def test_the_unit_is_a_token(self):
        with pytest.raises(ValueError, match="unit"):
            ContentRange(0, 9, 10, unit="bytes\r\n")

    @given(spans, st.booleans(), units)
    def test_printing_and_reading_give_it_back(self, span, known, unit):
        first, last = min(span[0], 10**39), min(span[1], 10**39)
        found = ContentRange(first, last, last + 1 if known else None, unit=unit)
        assert ContentRange.parse(str(found)) == found


class TestRequestedParts:
    @given(ranges.map(str) | st.text("bytes=-,0123456789 "), st.integers(0, 60))
    def test_are_those_of_the_range_that_is_read(self, header, length):
        try:
            expected = Range.parse(header).resolve(length)
        except ValueError:
            expected = None
        assert requested_parts(header, length) == expected

    @rows("header", ["", "bytes", "bytes=", "bytes=-", "bytes=5-3", "items=0-1", f"bytes=0-{'9' * 41}"])
    def test_are_none_of_what_cannot_be_followed(self, header):
        assert requested_parts(header, 100) is None
