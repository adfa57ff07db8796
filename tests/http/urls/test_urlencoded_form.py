import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.multidict import MultiDict
from antiphon.http.urls.urlencoded import parse_form, parse_query
from tests.helpers.rows import rows


@rows(
    "data, charset, pairs",
    (b"", None, []),
    (b"a=caf%C3%A9", None, [("a", "café")]),
    (b"a=caf%E9", "iso-8859-1", [("a", "café")]),
    (b"caf\xe9=%E9&b", "latin1", [("café", "é"), ("b", "")]),
    (b"a=%E9+%2B&&_charset_=windows-1252", None, [("a", "é +"), ("_charset_", "windows-1252")]),
    (b"_charset_=koi8-r&a=%C6", "latin1", [("_charset_", "koi8-r"), ("a", "ф")]),
    (b"_charset_=&a=%E9", "latin1", [("_charset_", ""), ("a", "é")]),
    (b"_charset_=utf-7&a=%2BAGE-", None, [("_charset_", "utf-7"), ("a", "+AGE-")]),
    (b"_charset_=utf-16&a=b", None, [("_charset_", "utf-16"), ("a", "b")]),
    (b"x_charset_=latin1&a=%C3%A9", None, [("x_charset_", "latin1"), ("a", "é")]),
    (b"a=%83%65%83%58%83%67&b=%83%22", "shift_jis", [("a", "テスト"), ("b", '\ufffd"')]),
    (b"a=1%=2=%zz", "latin1", [("a", "1%=2=%zz")]),
)
def test_a_form_is_read_in_the_charset_that_it_names(data, charset, pairs):
    assert MultiDict(parse_form(data, None, charset)).items() == pairs


@rows("charset", [None, "latin1"])
def test_there_are_no_more_fields_than_allowed(charset):
    assert len(parse_form(b"a&b&c", 3, charset)) == 3
    with pytest.raises(ValueError, match="more than 2 fields"):
        parse_form(b"a&b&c", 2, charset)
    assert not parse_form(b"", 0, charset)


@given(st.binary())
def test_in_ascii_every_charset_reads_the_same(data):
    ascii_only = bytes(byte & 127 for byte in data).replace(b"%", b"")
    assert MultiDict(parse_form(ascii_only, None, "latin1")).items() == parse_query(ascii_only)
    assert MultiDict(parse_form(data)).items() == parse_query(data) or b"_charset_" in data
