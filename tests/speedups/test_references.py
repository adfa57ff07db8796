"""A call of the extension gives back each reference that it takes."""

import sys
from contextlib import suppress

import pytest

from tests.helpers.twins import NAMES, compiled, extension
from tests.speedups.test_twins import CASES

total = getattr(sys, "gettotalrefcount", None)
CALLS = 1000
LINES = [(b"host", b"a"), (b"accept", b"b"), (b"cookie", b"c"), (b"cookie", b"d")]


def ends(result):
    yield 1
    if isinstance(result, Exception):
        raise result
    return result


SAMPLES = [
    *((name, lambda arguments=arguments: arguments) for name, arguments, _ in CASES),
    ("index_lines", lambda: (LINES,)),
    ("index_lines", lambda: ([*LINES * 9, (b"content-length", b"1"), None],)),
    ("find_line", lambda: (LINES, "cookie")),
    ("find_line", lambda: (dict(LINES), "cookie")),
    ("find_line", lambda: (tuple(LINES), "cookie")),
    ("find_line", lambda: (tuple(LINES), "accept")),
    ("find_line", lambda: (tuple(LINES), "\xe4")),
    ("put_line", lambda: ([("a", "1"), ("b", "2"), ("a", "3")], ("a", "4"))),
    ("put_line", lambda: ([("a", "1"), [], ("a", "3")], ("a", "4"))),
    ("section_size", lambda: (LINES,)),
    ("section_size", lambda: ([*LINES, (b"a", "1")],)),
    ("resume", lambda: (ends(None), None)),
    ("resume", lambda: (iter(()), None)),
    ("resume", lambda: (_begun(ends("the end")), None)),
    ("resume", lambda: (_begun(ends(ValueError("the end"))), None)),
    *((name, lambda: (None, object())) for name in (NAMES if extension else [])),
    *((name, lambda: (object(),)) for name in (NAMES if extension else [])),
]
"""Functions of the extension, each with a function that makes the arguments of a call."""


@pytest.mark.skipif(total is None, reason="this Python does not count references")
@pytest.mark.parametrize(("name", "arguments"), SAMPLES)
def test_no_call_keeps_a_reference(name, arguments):
    function = compiled(name)
    assert min(_growth(function, arguments) for _ in range(3)) < CALLS / 2


class Circle:
    pass


@pytest.mark.skipif(total is None, reason="this Python does not count references")
@pytest.mark.parametrize(
    "compute", [lambda circle: 3, lambda circle: 1 / 0, lambda circle: [Circle.area]], ids=["kept", "failed", "cycle"]
)
def test_no_descriptor_keeps_a_reference(compute):
    def read():
        attribute = Circle.area = compiled("ComputedOnce")()
        attribute.compute, attribute.name = compute, "area"
        return Circle().area

    assert min(_growth(read, tuple) for _ in range(3)) < CALLS / 2


def _begun(generator):
    next(generator)
    return generator


def _growth(function, arguments):
    before = total()
    for _ in range(CALLS):
        with suppress(Exception):
            function(*arguments())
    return total() - before
