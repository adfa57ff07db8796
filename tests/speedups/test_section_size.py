"""The size of a header section, which is counted for each request under the one server that bounds none."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.headers import section_size
from antiphon.speedups import PURE
from tests.helpers.rows import rows
from tests.helpers.twins import outcome

IN_PYTHON: Callable[..., Any] = PURE["section_size"]

SECTIONS: list[tuple[Any, int]] = [
    ([], 0),
    ([(b"host", b"example.com")], 47),
    ([(b"a", b"1"), (b"a", b"1"), (b"", b"")], 100),
    (((b"host", b"example.com"),), 47),
    ([[b"host", b"example.com"]], 47),
    ([(b"host", bytearray(b"example.com"))], 47),
    ([(b"cookie", b"a" * 100_000)] * 300, 300 * 100_038),
]


@rows("function", [IN_PYTHON, section_size])
@rows("lines, size", SECTIONS)
def test_counts_names_and_values_and_32_for_each_line(function, lines, size):
    assert function(lines) == size


@given(st.lists(st.tuples(st.binary(max_size=5), st.binary(max_size=5)) | st.sampled_from([(), (b"", 1), None, b""])))
def test_both_twins_count_alike_and_raise_alike(lines):
    assert outcome(section_size, lines) == outcome(IN_PYTHON, lines)
