import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.headers import read_raw_utf8, write_raw_utf8
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows(
    "text, read",
    ("plain", "plain"), ("na\xc3\xafve", "naïve"), ("na\xefve", "naïve"), ("\xe6\x97\xa5", "日"), ("日本", "日本"),
    ("\xc3\xaf\xff", "\xc3\xaf\xff"), ("", ""),
)  # fmt: skip
def test_utf8_is_read_and_anything_else_stays(text, read):
    assert read_raw_utf8(text) == read


@given(st.text())
def test_what_was_written_is_read_back(text):
    written = write_raw_utf8(text)
    assert written.encode("latin-1") == text.encode()
    assert read_raw_utf8(written) == text


def test_a_lone_surrogate_cannot_be_written():
    with pytest.raises(ValueError, match="surrogates not allowed"):
        write_raw_utf8("\ud800")
