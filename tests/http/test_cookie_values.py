"""Values as cookies have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.cookies import parse_cookies, quote_cookie_value
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows(
    "value, written",
    [("", ""), ("a=b", "a=b"), ("a b", '"a%20b"'), ('"\\;,', '"%22%5C%3B%2C"'), ("\u00fc", '"%C3%BC"')],
)
def test_what_a_cookie_cannot_have_is_quoted(value, written):
    assert quote_cookie_value(value) == written


@rows("value", ["a\r", "a\nb", "\0"])
def test_line_ends_and_nul_are_refused(value):
    with pytest.raises(ValueError, match="contain line ends"):
        quote_cookie_value(value)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")))
def test_values_come_back(value):
    assert parse_cookies(f"a={quote_cookie_value(value)}") == [("a", value)]
