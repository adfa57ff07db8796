import pytest

from antiphon.http.header_property import parse_number
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

MOST = 1 << 31


@rows(
    "text, number",
    ("0", 0), ("000", 0), ("7", 7), ("2147483647", MOST - 1), ("2147483648", MOST), ("2147483649", MOST),
    ("99999999999", MOST), ("0" * 30 + "7", 7), ("0" * 5000, 0), ("9" * 5000, MOST),
)  # fmt: skip
def test_a_number_may_have_any_length(text, number):
    assert parse_number(text) == number


@rows("text", ["", "-1", "+1", "1.0", " 1", "1_0", "²", "٣"])
def test_other_text_is_no_number(text):
    with pytest.raises(ValueError, match="not a number"):
        parse_number(text)
