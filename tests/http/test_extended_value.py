import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.grammar import decode_extended, encode_extended
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows(
    "value, text",
    ("iso-8859-1'en'%A3%20rates", "£ rates"),
    ("UTF-8''%c2%a3%20and%20%e2%82%ac%20rates", "£ and € rates"),
    ("utf-8'de-AT'na%C3%AFve", "naïve"),
    ("UTF-8''", ""),
    ("UTF-8''a b'c", "a b'c"),
)
def test_reading(value, text):
    assert decode_extended(value) == text


@rows(
    "value",
    "", "plain", "UTF-8'plain", "''plain", "UTF-16''%00a", "unknown''a", "UTF-8''%", "UTF-8''%4", "UTF-8''%GG",
    "UTF-8''%u20ac", "UTF-8''%FF", "UTF-8''%C3", "UTF-8''é", "UTF-8''a\n", "UTF-8'e n'a", "\nUTF-8''a",
)  # fmt: skip
def test_what_cannot_be_read_is_refused(value):
    with pytest.raises(ValueError, match="extended value"):
        decode_extended(value)


@rows(
    "text, value",
    ("€ rates", "UTF-8''%E2%82%AC%20rates"),
    ("a'b*c%(d)", "UTF-8''a%27b%2Ac%25%28d%29"),
    ("\r\n\0", "UTF-8''%0D%0A%00"),
)
def test_writing(text, value):
    assert encode_extended(text) == value


@given(st.text())
def test_what_was_written_is_read_back(text):
    written = encode_extended(text)
    assert re.fullmatch(r"UTF-8''(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})*", written)
    assert decode_extended(written) == text


def test_a_lone_surrogate_cannot_be_written():
    with pytest.raises(ValueError, match="surrogates not allowed"):
        encode_extended("\ud800")


@given(st.text(), st.text("%0aF'\xc3"))
def test_any_value_is_read_or_refused(beginning, rest):
    for value in (beginning + rest, f"UTF-8''{rest}"):
        with suppress(ValueError):
            text = decode_extended(value)
            assert decode_extended(encode_extended(text)) == text
