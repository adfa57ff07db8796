import json
import tracemalloc
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from antiphon.serialization import json_bounds
from antiphon.serialization.json_bounds import DEPTH_BOUND, MOST_SLOW_NUMBERS, NO_BOUND, SLOW_NUMBERS, crossed_bounds
from tests.helpers.call_counting import count_calls
from tests.helpers.rows import rows
from tests.helpers.twins import pure


def is_nested_deeper(text, depth):
    return crossed_bounds(text, depth, MOST_SLOW_NUMBERS, 0) == DEPTH_BOUND


def has_slow_numbers(text, most=MOST_SLOW_NUMBERS):
    return crossed_bounds(text, 200, most, 0) == SLOW_NUMBERS


nested = st.recursive(
    st.text(alphabet='[]{}"\\\\a', max_size=6) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[{"\\\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=30,
)


def depth_of(value):
    children = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth_of, children), default=0) if isinstance(value, list | dict) else 0


@given(nested, st.sampled_from([None, 1]))
def test_the_depth_is_that_of_the_value(value, indent):
    text, depth = json.dumps(value, indent=indent).encode(), depth_of(value)
    assert not is_nested_deeper(text, depth)
    assert depth == 0 or is_nested_deeper(text, depth - 1)


@given(nested, st.integers(1, 5))
def test_a_string_may_go_on_from_one_slice_to_the_next(value, size):
    text, depth = json.dumps(value).encode(), depth_of(value)
    with patch.object(json_bounds, "_SLICE", size):
        assert pure("crossed_bounds")(text, depth, 1, 0) == NO_BOUND
        assert depth == 0 or pure("crossed_bounds")(text, depth - 1, 1, 0) == DEPTH_BOUND
        assert pure("crossed_bounds")(b"[%b,1e308,2e-308]" % text, depth + 1, 1, 0) == SLOW_NUMBERS
        assert pure("crossed_bounds")(b'[%b,"1e308","e100"]' % text, depth + 1, 1, 0) == NO_BOUND


@rows(
    "text, depth",
    (b"0", 0),
    (b"[]", 1),
    (b"[{}]", 2),
    (b'["[[[["]', 1),
    (b'["]]]]", [["[[["]]]', 3),
    (rb'["\\\\", [[0]]]', 3),
    (rb'["\\\\\"[[[", [0]]', 2),
    (b'[0, "[[[[[[[[[[', 1),
)
def test_brackets_in_strings_do_not_count(text, depth):
    assert not is_nested_deeper(text, depth)
    assert depth == 0 or is_nested_deeper(text, depth - 1)


@rows("unit", [b'["["],', b'["'])
def test_many_strings_take_little_memory(unit):
    text = b"[" + unit * ((2 << 20) // len(unit)) + b"0]"
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        crossed_bounds(text, 200, MOST_SLOW_NUMBERS, 0)
        taken = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert taken < 4 * len(text)


def listed(item, times):
    return b"[%b]" % b",".join([item] * times)


@rows(
    "item, is_slow",
    (b"5e-324", True),
    (b"1e308", True),
    (b"-1.7976931348623157E+308", True),
    (b"12345000000000000896e0261", True),
    (b'"a", 1e308', True),
    (rb'"\\", 1e308', True),
    (b"1e22", False),
    (b"1.2345678901234567e-05", False),
    (b"-73.98765432109876", False),
    (b"0." + b"0" * 400 + b"1", False),
    (b'"1e308"', False),
    (rb'"\"1e308"', False),
    (b'"9d0e123f6"', False),
    (b'"', False),
)
def test_numbers_are_slow_if_more_than_some_have_an_exponent_of_three_digits(item, is_slow):
    assert has_slow_numbers(listed(item, MOST_SLOW_NUMBERS + 1)) is is_slow
    assert not has_slow_numbers(listed(item, MOST_SLOW_NUMBERS))


def test_the_depth_is_said_before_slow_numbers():
    text = b"[[%b]]" % b",".join([b"1e308"] * 3)
    assert [crossed_bounds(text, *bounds, 0) for bounds in [(1, 2), (2, 2), (2, 3)]] == [
        DEPTH_BOUND,
        SLOW_NUMBERS,
        NO_BOUND,
    ]


@rows("before", range(130))
def test_a_mark_counts_wherever_in_a_block_it_stands(before):
    padding = before * b" "
    assert not is_nested_deeper(b'"%b[[\\"]]", [1]' % padding, 1)
    assert is_nested_deeper(b'["%b", [1]]' % padding, 1)
    assert has_slow_numbers(b'["a", %b1e100, 1e-100]' % padding, 1)
    assert not has_slow_numbers(b'["%b1e100", 1E+100, 1e10]' % padding, 1)


@rows("string", [b"7d3e4155-0e12-4e10", rb"a \"value1234\""])
def test_strings_that_look_as_such_numbers_are_passed_over_at_once(string):
    text = listed(b'"%b"' % string, 10 * MOST_SLOW_NUMBERS)
    assert not has_slow_numbers(text)
    assert count_calls(pure("crossed_bounds"), text, 200, MOST_SLOW_NUMBERS, 0) < MOST_SLOW_NUMBERS
