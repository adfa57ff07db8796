"""The work that hostile bodies cause: steps in Python, calls of error handlers, and bytes of memory, not seconds.

A body of each grammar is filled with units that a parser may count as nothing; codings make it cheap to send.
"""

import codecs
import sys
import tracemalloc
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from antiphon import Limits, Request
from antiphon.http import HTTPError
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.slow]

SIZE = 8 << 10
MEMORY = 12 * SIZE + (3 << 20)
"""Bytes, of which the constant part is for a thousand faults and for what is imported."""
STEPS = {"application/json": 4}
"""Lines of Python for each byte beyond ``SIZE``: up to 1 MiB of JSON, and a quarter of a line of 16 MiB of others."""


@dataclass
class Lamp:
    name: str
    number: int = 1


def filled(unit, begin=b"", end=b"", size=None):
    return lambda scale: begin + unit * (((size or SIZE * scale) - len(begin) - len(end)) // len(unit)) + end


def listed(unit):
    return filled(unit + b",", b"[", unit + b"]")


def in_parts(unit):
    head = filled(unit, b'Content-Disposition: form-data; name="a"', size=8000)(1)
    return filled(b"--B\r\n" + head + b"\r\n\r\nx\r\n", end=b"--B--\r\n")


def collected(request):
    for _ in request.values_as(Lamp, on_fault="collect"):
        pass


MULTIPART, CSV, NDJSON = "multipart/form-data; boundary=B", "text/csv", "application/x-ndjson"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BLANK = [b"\n", b"\r\n", b" \n", b"\t\r\n"]
HOSTILE = [
    *((NDJSON, collected, filled(unit)) for unit in (*BLANK, b"x\n", b"1\n", b"{}\n", b"[[]]\n")),
    *(("application/json-seq", collected, filled(unit)) for unit in (b"\x1e", b"\x1e\n", b"\x1ex")),
    *((CSV, collected, filled(unit, b"name\n")) for unit in (*BLANK, b"x,x\n", b",", b'""', b'"\n"x\n')),
    *((CSV, collected, filled(unit, b'name\n"')) for unit in (*BLANK, b"x\n")),
    *((JSON, collected, listed(unit)) for unit in (b"1", b"{}", b"")),
    *((MULTIPART, lambda request: request.form, in_parts(unit)) for unit in (b";", b"; ", b";a", b";\ta=b")),
    *((FORM, lambda request: request.form, filled(unit)) for unit in (b"&", b"=", b"a&", b"%", b"+", b"%f0")),
    *((JSON, lambda request: request.json_as(list[Lamp]), listed(unit)) for unit in (b"{}", b"[]", b"1", b'""')),
    *((f"text/plain; charset={charset}", lambda request: request.text, filled(unit))
      for charset in ("utf-8", "utf-16", "utf-16be", "gb18030", "shift_jis", "big5", "euc-jp", "koi8-r")
      for unit in (b"\xff", b"\xd8\0", b"\0\xd8", b"\xdc\0a\0", b"\x80a")),
]  # fmt: skip


@contextmanager
def counted_steps():
    """Count the lines of Python that run, and the calls of the error handler for text."""
    steps, monitoring, replace = [0], sys.monitoring, codecs.lookup_error("replace")

    def count(*_):
        steps[0] += 1

    def replaced(error):
        steps[0] += 1
        return replace(error)

    monitoring.use_tool_id(monitoring.PROFILER_ID, "bounds")
    monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.LINE, count)
    monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.LINE)
    codecs.register_error("replace", replaced)
    try:
        yield steps
    finally:
        codecs.register_error("replace", replace)
        monitoring.set_events(monitoring.PROFILER_ID, 0)
        monitoring.free_tool_id(monitoring.PROFILER_ID)


@rows("content_type, read, body", HOSTILE, ids=[f"{kind} {body(1)[8:30]!r}" for kind, _, body in HOSTILE])
def test_a_body_takes_few_steps_and_little_memory(content_type, read, body, monkeypatch):
    monkeypatch.setattr("antiphon.serialization.faults.COUNTED", 100)  # with the same effect for less work
    monkeypatch.setattr("antiphon.serialization.rows.COUNTED", 100, raising=False)

    def call(scale):
        with suppress(HTTPError):
            request = Request.blank("/", "POST", {"content-type": content_type}, body(scale))
            request.limits = Limits(body=1 << 20)
            read(request)

    counts = []
    for scale in (1, 1, 2):  # the first imports and caches
        with counted_steps() as steps:
            call(scale)
        counts.append(steps[0])
    assert counts[2] - counts[1] < STEPS.get(content_type, 0.25) * SIZE
    tracemalloc.start()
    call(2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY


def test_the_limits_are_those_for_which_steps_are_counted():
    assert (Limits().body, Limits().memory, Limits().json) == (16 << 20, 16 << 20, 1 << 20)
