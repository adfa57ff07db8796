import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.conditional import (
    ETag,
    ETags,
    IfMatch,
    IfNoneMatch,
    generate_etag,
    is_strongly_among,
    is_weakly_among,
    read_etags,
)
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

ETAG_CHARACTERS = "".join(chr(code) for code in (0x21, *range(0x23, 0x7F), *range(0x80, 0x100)))
NO_TAGS = ["a b", 'a"b', '"abc"', "a\r\nb", "a\0", "a\x7f", "a\t", "\u0100", " "]
ALL = (ETags, IfMatch, IfNoneMatch)

tags = st.text(ETAG_CHARACTERS, max_size=8)
etags = st.builds(lambda tag, weak: ETag(tag, weak=weak), tags, st.booleans())
lists = st.builds(IfMatch, st.lists(etags, min_size=1, max_size=5))
any_header = st.text(st.characters(max_codepoint=0xFF)) | st.text('"W/a,* \\\t')


class TestETag:
    @rows(
        "text, tag, weak",
        ('"xyzzy"', "xyzzy", False), ('W/"xyzzy"', "xyzzy", True), ('""', "", False), ('W/""', "", True),
        ('"a,b"', "a,b", False), ('"a\\b"', "a\\b", False), ('"W/a"', "W/a", False), ('"é\x80ÿ"', "é\x80ÿ", False),
    )  # fmt: skip
    def test_is_read_and_printed(self, text, tag, weak):
        etag = ETag.parse(text)
        assert (etag.tag, etag.weak) == (tag, weak)
        assert str(etag) == text
        assert etag == ETag(tag, weak=weak)

    @rows(
        "text", ["", "xyzzy", '"', '"a', 'a"', "W/", "W/a", 'w/"a"', 'W "a"', '"a" ', '"a", "b"', '"a b"', '"a"b"', "*"]
    )
    def test_anything_else_is_refused(self, text):
        with pytest.raises(ValueError, match="not an entity tag"):
            ETag.parse(text)

    @rows("weak", [False, True])
    @rows("tag", NO_TAGS)
    def test_what_no_header_can_have_is_no_tag(self, tag, weak):
        with pytest.raises(ValueError, match="an entity tag must not contain"):
            ETag(tag, weak=weak)

    @rows(
        "left, right, strong, weak",
        ('W/"1"', 'W/"1"', False, True), ('W/"1"', 'W/"2"', False, False), ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True), ('"a"', '"A"', False, False), ('"W/1"', 'W/"1"', False, False),
    )  # fmt: skip
    def test_the_two_comparisons(self, left, right, strong, weak):
        for one, other in ((left, right), (right, left)):
            assert ETag.parse(one).strong_match(ETag.parse(other)) is strong
            assert ETag.parse(one).weak_match(ETag.parse(other)) is weak

    @given(etags)
    def test_printing_and_reading_give_it_back(self, etag):
        assert ETag.parse(str(etag)) == etag


class TestLists:
    @rows("etags", ALL)
    @rows(
        "header, printed",
        ('"xyzzy"', ['"xyzzy"']),
        ('"xyzzy", "r2d2xxxx", "c3piozzzz"', ['"xyzzy"', '"r2d2xxxx"', '"c3piozzzz"']),
        ('W/"xyzzy",W/"r2d2xxxx" ,\t""', ['W/"xyzzy"', 'W/"r2d2xxxx"', '""']),
        ('"a,b", "c,"', ['"a,b"', '"c,"']),
        (', ,"a",, "b", ,', ['"a"', '"b"']),
        (' "a" ', ['"a"']),
        ('"a\\", "b"', ['"a\\"', '"b"']),
    )
    def test_are_read_in_order(self, etags, header, printed):
        found = etags.parse(header)
        assert [str(etag) for etag in found] == printed
        assert str(found) == ", ".join(printed)
        assert found.is_complete
        assert found
        assert not found.star

    @rows(
        "header, printed",
        ("", []), (" ,, ", []), ("xyzzy", []), ('w/"a"', []), ("*, *", []), ('*, "a"', ['"a"']),
        ('"a", b, "c"', ['"a"', '"c"']), ('"a" "b", "c"', ['"c"']), ('"a b, "c", "d"', []), ('x"a, "b", "c"', []),
        ('"a", "b', ['"a"']), ('"a", "b, "c"', ['"a"']), ('"a", "\x00"', ['"a"']),
    )  # fmt: skip
    def test_broken_elements_match_nothing_and_are_not_forgotten(self, header, printed):
        found = ETags.parse(header)
        assert [str(etag) for etag in found] == printed
        assert not found.is_complete
        assert found

    @rows("etags", ALL)
    def test_an_absent_header_is_false_and_has_nothing(self, etags):
        absent = etags.parse(None)
        assert not absent
        assert absent.is_complete
        assert list(absent) == []
        assert ETag("a") not in absent
        assert None not in absent
        assert absent == etags()
        assert str(absent) == ""

    @rows("header", ["*", " *\t"])
    @rows("etags", ALL)
    def test_a_star_takes_whatever_there_is(self, etags, header):
        star = etags.parse(header)
        assert star
        assert star.star
        assert star.is_complete
        assert list(star) == []
        assert str(star) == "*"
        assert star == etags(star=True)
        for etag in (ETag("a"), ETag("a", weak=True), None):
            assert star.strong_match(etag)
            assert star.weak_match(etag)
            assert etag in star

    def test_a_representation_without_a_tag_is_not_listed(self):
        assert not ETags.parse('"a"').strong_match(None)
        assert not ETags.parse('"a"').weak_match(None)

    @rows("etags", ALL)
    @rows("text", ["a", '"a"', b"a"])
    def test_text_is_not_compared_with_tags(self, etags, text):
        with pytest.raises(TypeError, match="ETag"):
            text in etags.parse('"a"')  # noqa: B015
        with pytest.raises(TypeError, match="ETag"):
            etags([text])

    def test_a_star_stands_alone(self):
        with pytest.raises(ValueError, match="a star must stand alone"):
            ETags([ETag("a")], star=True)

    def test_only_the_first_256_are_read(self):
        header = ", ".join(f'"{number}"' for number in range(10_000))
        found = ETags.parse(header)
        assert len(list(found)) == 256
        assert found.strong_match(ETag("255"))
        assert not found.strong_match(ETag("256"))
        assert not found.is_complete

    @given(lists)
    def test_printing_and_reading_give_them_back(self, found):
        assert IfMatch.parse(str(found)) == found

    @given(any_header)
    def test_any_header_reads_as_something_that_can_be_printed(self, header):
        found = IfMatch.parse(header)
        assert found
        if found.is_complete:
            assert IfMatch.parse(str(found)) == found
        else:
            assert all(etag in found or etag.weak for etag in found)


class TestGenerated:
    def test_equal_bytes_have_equal_strong_tags(self):
        etag = generate_etag(b"content")
        assert etag == generate_etag(bytearray(b"content")) == generate_etag(memoryview(b"content"))
        assert not etag.weak
        assert ETag.parse(str(etag)) == etag
        assert len(etag.tag) == 32

    @given(st.sets(st.binary(), min_size=2))
    def test_other_bytes_have_other_tags(self, contents):
        assert len({generate_etag(content) for content in contents}) == len(contents)

    @pytest.mark.processes
    def test_another_process_gives_the_same(self):
        code = "from antiphon.http.conditional import generate_etag; print(generate_etag(b'content'))"
        printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert printed.strip() == str(generate_etag(b"content"))


class TestATagAmongThoseListed:
    @given(any_header | lists.map(str), etags)
    def test_is_one_that_is_equal_by_the_comparison(self, header, etag):
        listed, _ = read_etags(header)
        found = ETags.parse(header)
        assert is_weakly_among(listed, str(etag)) == (found.star or any(tag.weak_match(etag) for tag in found))
        assert is_strongly_among(listed, str(etag)) == (found.star or any(tag.strong_match(etag) for tag in found))

    @rows("text", [None, "", '"', "a", "*", '"a", "b"', 'W/W/"b"', 'w/"a"', ' "a"'])
    def test_is_a_tag(self, text):
        listed, is_complete = read_etags('"a", "b", W/"b"')
        assert is_complete
        assert not is_weakly_among(listed, text)
        assert not is_strongly_among(listed, text)
        star, _ = read_etags("*")
        assert is_weakly_among(star, text)
        assert is_strongly_among(star, text)
