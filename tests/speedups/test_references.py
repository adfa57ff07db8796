"""A call of the extension gives back each reference that it takes."""

import gc
import sys
from collections import OrderedDict, UserDict
from contextlib import suppress
from types import SimpleNamespace

import pytest
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from tests.helpers.rows import rows
from tests.helpers.twins import NAMES, compiled, extension
from tests.speedups.test_twins import CASES, ENVIRON, SCOPE, Slotted

total = getattr(sys, "gettotalrefcount", None)
CALLS = 1000
LINES = [(b"host", b"a"), (b"accept", b"b"), (b"cookie", b"c"), (b"cookie", b"d")]


VALUES = [
    "", "a", "<", "ä<", "\ud800<", "&" * 256, "&" * 257, 1 << 70, 10**5000, 1.5, None, Markup("<"), b"<", [1],
    *(SimpleNamespace(__html__=lambda html=html: html) for html in ("<", Markup("<"), None, b"<")),
    SimpleNamespace(__html__=1), StrictUndefined(), type("Text", (str,), {})("<"),
]  # fmt: skip
OBJECTS = [
    {}, {"name": []}, UserDict(name=[]), OrderedDict(), SimpleNamespace(), SimpleNamespace(name=[]), [], None,
    StrictUndefined(), type("Failing", (), {"name": property(lambda self: 1 / 0)})(),
]  # fmt: skip
ENVIRONMENT = Environment()


def ends(result):
    yield 1
    if isinstance(result, Exception):
        raise result
    return result


def opened(*results):
    return [((compiled("resume"), (0, 1)), [_begun(ends(each)) for each in results])]


async def received(result):
    yield
    if isinstance(result, Exception):
        raise result
    if result:
        yield result


SAMPLES = [
    *((name, lambda arguments=arguments: arguments) for name, arguments, _ in CASES),
    ("like", lambda: (SimpleNamespace(),)),
    ("like", lambda: ([], Slotted())),
    ("text_content", lambda: (("a", 200, {"b": "\n"}), ())),
    ("begin_steps", lambda: (ends(None), list)),
    ("begin_steps", lambda: (_begun(ends("the end")), tuple)),
    ("begin_steps", lambda: (_begun(ends(ValueError("the end"))), tuple)),
    ("index_lines", lambda: (LINES,)),
    ("index_lines", lambda: ([*LINES * 9, (b"content-length", b"1"), None],)),
    ("find_line", lambda: (LINES, "cookie")),
    ("find_line", lambda: (dict(LINES), "cookie")),
    ("find_line", lambda: (tuple(LINES), "cookie")),
    ("find_line", lambda: (tuple(LINES), "accept")),
    ("find_line", lambda: (tuple(LINES), "\xe4")),
    ("ASGIHead", lambda: ({**SCOPE}, None, None)),
    ("ASGIHead", lambda: ({**SCOPE, "path": ""}, None, None)),
    ("ASGIHead", lambda: ({**SCOPE, "headers": [()]}, None, None)),
    ("WSGIHead", lambda: ({**ENVIRON},)),
    ("WSGIHead", lambda: ({**ENVIRON, "RAW_URI": "http://c/a"},)),
    ("WSGIHead", lambda: ({},)),
    ("put_line", lambda: ([("a", "1"), ("b", "2"), ("a", "3")], ("a", "4"))),
    ("put_line", lambda: ([("a", "1"), [], ("a", "3")], ("a", "4"))),
    ("section_size", lambda: (LINES,)),
    ("section_size", lambda: ([*LINES, (b"a", "1")],)),
    ("resume", lambda: (ends(None), None)),
    ("resume", lambda: (iter(()), None)),
    ("resume", lambda: (_begun(ends("the end")), None)),
    ("resume", lambda: (_begun(ends(ValueError("the end"))), None)),
    ("open_in_turn", lambda: ((ends, ends), "closer", None, [])),
    ("open_in_turn", lambda: ((lambda _: iter((None,)), lambda _: iter(())), "closer", None, [])),
    ("open_in_turn", lambda: ((lambda _: iter((None,)), lambda _: 1 / 0), "closer", None, [])),
    ("close_run", lambda: (opened(None, None), SimpleNamespace(_after_hooks=()), "sent")),
    ("close_run", lambda: (opened(None, "the end"), SimpleNamespace(_after_hooks=()), "sent")),
    ("close_run", lambda: (opened(None, ValueError("the end")), SimpleNamespace(_after_hooks=()), "sent")),
    ("close_run", lambda: (opened(None, None), None, "sent")),
    ("send_in_place", lambda: (received(None), 1)),
    ("send_in_place", lambda: (_begun(received(None)), "sent")),
    ("send_in_place", lambda: (_begun(received("yielded")), "sent")),
    ("send_in_place", lambda: (_begun(received(ValueError("raised"))), "sent")),
    *(("escape_text", lambda value=value: (Markup, value)) for value in VALUES),
    *(("read_attribute", lambda value=value: (ENVIRONMENT, value, "name")) for value in OBJECTS),
    *((name, lambda: (None, object())) for name in (NAMES if extension else [])),
    *((name, lambda: (object(),)) for name in (NAMES if extension else [])),
]
"""Functions of the extension, each with a function that makes the arguments of a call."""


@pytest.mark.skipif(total is None, reason="this Python does not count references")
@rows("name, arguments", SAMPLES)
def test_no_call_keeps_a_reference(name, arguments):
    function = compiled(name)
    assert min(_growth(function, arguments) for _ in range(3)) < CALLS / 2


class Circle:
    pass


@pytest.mark.skipif(total is None, reason="this Python does not count references")
@rows(
    "compute", [lambda circle: 3, lambda circle: 1 / 0, lambda circle: [Circle.area]], ids=["kept", "failed", "cycle"]
)
def test_no_class_in_c_keeps_a_reference(compute):
    def read():
        attribute = Circle.area = compiled("ComputedOnce")()
        attribute.compute, attribute.name = compute, "area"
        return Circle().area

    def make():
        attribute = Circle.area = compiled("MadeOrRead")()
        attribute.make, attribute.read = compute, compute
        return Circle.area, Circle().area

    def find():
        pairs = compiled("ByName")._holding({"a": compute})
        return pairs["a"], pairs["b"]

    assert max(min(_growth(each, tuple) for _ in range(3)) for each in (read, make, find)) < CALLS / 2


def _begun(generator):
    next(generator)
    return generator


def _growth(function, arguments):
    gc.collect()
    before = total()
    for _ in range(CALLS):
        with suppress(Exception):
            function(*arguments())
    gc.collect()  # what samples leave in cycles is not kept by the function
    return total() - before


@pytest.mark.skipif(total is None, reason="this Python does not count references")
@rows("name", ["escape_text", "read_attribute"])
def test_a_call_that_gets_no_memory_fails_or_does_without(name):
    import _testcapi

    # What is all in Python is left out; with a surrogate, str.replace of 3.11 aborts when it gets no memory.
    plain = [each for each in [*VALUES, *OBJECTS] if type(each) is not StrictUndefined and each != "\ud800<"]
    failed = 0
    for value in plain:
        arguments = (Markup, value) if name == "escape_text" else (ENVIRONMENT, value, "name")
        for allocation in range(30):
            _testcapi.set_nomemory(allocation, allocation + 1)
            try:
                compiled(name)(*arguments)
            except MemoryError:
                failed += 1
            except Exception:
                continue
            finally:
                _testcapi.remove_mem_hooks()
    assert failed > len(plain)
