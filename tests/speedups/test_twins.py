"""What is written in C does what its twin in Python does. The twin says what that is."""

from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.helpers.twins import NAMES, NOT_BUILT, compiled, extension, outcome, pure

needs_the_extension = pytest.mark.skipif(extension is None, reason=NOT_BUILT)


@pytest.fixture(params=[pure, pytest.param(compiled, marks=needs_the_extension)])
def twin(request: pytest.FixtureRequest) -> Callable[[str], Callable[..., object]]:
    """Gives the function of a name, in Python or in C."""
    return request.param


PAIRS = {
    b"": [],
    b"&&": [],
    b"=": [("", "")],
    b"a": [("a", "")],
    b"a=1&b=2&a=3&": [("a", "1"), ("b", "2"), ("a", "3")],
    b"a=b=c==&=d": [("a", "b=c=="), ("", "d")],
    b"a+b=c+d%2B": [("a b", "c d+")],
    b"%26%3d=%25": [("&=", "%")],
    b"a=%&b=%4&c=%zz%41%": [("a", "%"), ("b", "%4"), ("c", "%zzA%")],
    b"a=%4&1=%": [("a", "%4"), ("1", "%")],
    b"a=%C3%A4%c3%a4&\xc3\xa4": [("a", "ää"), ("ä", "")],
    b"a=%E2%82&b=%AC\xe2": [("a", "\ufffd"), ("b", "\ufffd\ufffd")],
    b"a\0=%00\n": [("a\0", "\0\n")],
    b"a=" + 600 * b"%41" + b"&b=" + 600 * b"c": [("a", 600 * "A"), ("b", 600 * "c")],
}

CASES = [("parse_pairs", (data,), pairs) for data, pairs in PAIRS.items()]


@pytest.mark.parametrize(("name", "arguments", "result"), CASES)
def test_does_as_specified(twin, name, arguments, result):
    assert outcome(twin(name), *arguments) == (repr(type(result)), repr(result))


PERCENT_PIECES = (
    b"& = % + %41 %c3 %A4 %E2%82 %AC \xe2 \x82 a 0 %00 %0 %3D %25 \0 \r\n name=value %ff \xff ++ %%".split()
)
urlencoded_bytes = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PERCENT_PIECES)).map(b"".join))

ARGUMENTS = {"parse_pairs": st.tuples(urlencoded_bytes)}


@needs_the_extension
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_twins_agree_on_generated_arguments(name, data):
    arguments = data.draw(ARGUMENTS[name])
    assert outcome(compiled(name), *arguments) == outcome(pure(name), *arguments)


class Text(str):
    """A str with a type of its own."""


class Data(bytes):
    """A bytes object with a type of its own."""


ODD = [
    None, 1, -1, 1 << 63, 1 << 64, 1.5, "", "a=%41", "\ud800;", "ä=ü", "a\0=b", Text("a=b"), Text("ä"), b"", b"a=%41",
    Data(b"a=b"), bytearray(b"a=%41"), memoryview(b"a=%41"), memoryview(b"abcdef")[::2], [], (b"a",), object,
]  # fmt: skip


@needs_the_extension
@pytest.mark.parametrize("name", NAMES)
@given(arguments=st.lists(st.sampled_from(ODD), max_size=5))
@example(arguments=[])
def test_twins_agree_on_arguments_of_any_type(name, arguments):
    assert outcome(compiled(name), *arguments) == outcome(pure(name), *arguments)


def cost(function, *arguments):
    """Seconds of the quickest of several calls."""
    seconds = []
    for _ in range(3):
        started = process_time()
        function(*arguments)
        seconds.append(process_time() - started)
    return min(seconds)


LONG = {
    "parse_pairs": [
        lambda n, unit=unit: (unit * n,) for unit in (b"&", b"=", b"%", b"a=%41&", b"%ff", b"%zz+", b"%E2%82")
    ],
}


# By a factor of 16 in size, what is quadratic takes 256 times as long; 80 leaves room for what else runs here.
@pytest.mark.parametrize(("name", "arguments"), [(name, make) for name, makes in LONG.items() for make in makes])
def test_takes_as_much_longer_as_the_input_is_larger(twin, name, arguments):
    function = twin(name)
    assert cost(function, *arguments(160_000)) < 80 * cost(function, *arguments(10_000))
