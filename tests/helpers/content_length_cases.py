"""Header fields that declare a body, and the length that every head reads from them, of a body without coding."""

import pytest

_CASES = {
    "a number": ([("content-length", "5")], 5),
    "nothing": ([("content-length", "0")], 0),
    "zeros before it": ([("content-length", "007")], 7),
    "no length": ([("content-type", "text/plain")], None),
    "empty": ([("content-length", "")], None),
    "a sign": ([("content-length", "+5")], None),
    "negative": ([("content-length", "-1")], None),
    "an underscore": ([("content-length", "1_0")], None),
    "another digit": ([("content-length", "\xb2")], None),
    "too many digits": ([("content-length", "1" * 20)], None),
    "a list": ([("content-length", "5, 5")], None),
    "coded": ([("content-length", "5"), ("content-encoding", "gzip")], None),
    "chunked, too": ([("content-length", "5"), ("transfer-encoding", "chunked")], None),
}

uncoded_lengths = pytest.mark.parametrize(("fields", "wanted"), _CASES.values(), ids=_CASES)
