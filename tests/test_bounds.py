"""The growth of the work that hostile text causes, by the size of the text.

Text of each grammar is filled with units that a parser may count as nothing; codings make it cheap to send. Asserted
are, for each byte between 1 and 2 KiB, the lines of Python that run (and calls of the error handler for text), and the
peak of memory at 2 KiB, of which a part is constant. Neither the time in C nor the sizes of the default limits are.
"""

import codecs
import sys
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

import pytest

from antiphon import Limits, Request
from antiphon.http import HTTPError
from antiphon.http.structured_fields import parse_structured_list
from antiphon.serialization.decimals import decimal_meta
from antiphon.serialization.readers import json_as
from tests.helpers.rows import rows

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 can't count lines without a debugger"),
]

SIZE = 1 << 10
MEMORY = 45 * 2 * SIZE + (1 << 20)
"""Bytes: what limits.md promises for each byte of JSON, and a constant part for faults and patterns."""
STEPS, STEPS_OF_JSON, STEPS_OF_FIELD = 0.25, 8, 16
"""Lines of Python for each byte beyond ``SIZE``: JSON has at most 1 MiB, a field less, a body 16 MiB."""


@dataclass
class Lamp:
    name: str
    number: int = 1


@dataclass
class Shelf:
    name: str = ""
    lamps: list[Lamp] | None = None


def filled(unit, begin=b"", end=b"", size=None):
    return lambda scale: begin + unit * (((size or SIZE * scale) - len(begin) - len(end)) // len(unit)) + end


def listed(unit):
    return filled(unit + b",", b"[", unit + b"]")


def in_parts(unit):
    head = filled(unit, b'Content-Disposition: form-data; name="a"', size=900)(1)
    return filled(b"--B\r\n" + head + b"\r\n\r\nx\r\n", end=b"--B--\r\n")


def body(content_type, read):
    def read_body(data):
        request = Request.blank("/", "POST", {"content-type": content_type}, data)
        request.limits = Limits(body=1 << 20)
        return read(request)

    return read_body


def header(name, read):
    return lambda data: read(Request.blank("/", headers={name: data.decode()}))


def collected(request):
    for _ in request.values_as(Lamp, on_fault="collect"):
        pass


def as_type(wanted, unknown="ignore"):
    return lambda data: json_as(data, wanted, unknown=unknown)


CSV, NDJSON = body("text/csv", collected), body("application/x-ndjson", collected)
SEQUENCE, ITEMS = body("application/json-seq", collected), body("application/json", collected)
PARTS = body("multipart/form-data; boundary=B", lambda request: request.form)
FORM = body("application/x-www-form-urlencoded", lambda request: request.form)
PATCH = body("application/json-patch+json", lambda request: request.patched(Lamp("a")))
MERGE = body("application/merge-patch+json", lambda request: request.patched(Lamp("a")))
PRICE = Annotated[Decimal, decimal_meta(ge=0, places=2)]
BLANK = [b"\n", b"\r\n", b" \n", b"\t\r\n"]
HOSTILE = [
    *((NDJSON, STEPS, filled(unit)) for unit in (*BLANK, b"x\n", b"1\n", b"{}\n", b"[[]]\n")),
    *((SEQUENCE, STEPS, filled(unit)) for unit in (b"\x1e", b"\x1e\n", b"\x1ex")),
    *((CSV, STEPS, filled(unit, b"name\n")) for unit in (*BLANK, b"x,x\n", b",", b'""', b'"\n"x\n')),
    *((CSV, STEPS, filled(unit, b'name\n"')) for unit in (*BLANK, b"x\n")),
    *((ITEMS, STEPS_OF_JSON, listed(unit)) for unit in (b"1", b"{}", b"")),
    *((PARTS, STEPS, in_parts(unit)) for unit in (b";", b"; ", b";a", b";\ta=b")),
    *((FORM, STEPS, filled(unit)) for unit in (b"&", b"=", b"a&", b"%", b"+", b"%f0")),
    *((as_type(wanted, unknown), STEPS_OF_JSON, listed(unit))
      for wanted, unknown in ((list[Lamp], "ignore"), (list[Lamp], "refuse"), (list[Shelf], "refuse"),
                              (list[PRICE], "ignore"), (list[Decimal], "ignore"), (list[int], "ignore"))
      for unit in (b"{}", b"[]", b"1", b"-1", b'""', b"1e5", b'"nan"', b'{"x":1}')),
    *((PATCH, STEPS_OF_JSON, listed(unit)) for unit in (b"{}", b"1", b'{"op":"test","path":"","value":1}')),
    *((MERGE, STEPS_OF_JSON, filled(unit, b'{"name":[', b'1]}')) for unit in (b"1,", b"[],", b"{},")),
    *((header("cookie", lambda request: request.cookies), STEPS_OF_FIELD, filled(unit))
      for unit in (b";", b"=;", b"a=;")),
    *((header("accept", lambda request: request.accept.best(["text/html"])), STEPS_OF_FIELD, filled(unit))
      for unit in (b",", b";", b"a/b,", b"*/*;q=0,")),
    *((lambda data: parse_structured_list(data.decode()), STEPS_OF_FIELD, filled(unit))
      for unit in (b",", b";", b"a,", b"();", b'"",', b"a;")),
    *((body(f"text/plain; charset={charset}", lambda request: request.text), STEPS, filled(unit))
      for charset in ("utf-8", "utf-16", "utf-16be", "gb18030", "shift_jis", "big5", "euc-jp", "koi8-r")
      for unit in (b"\xff", b"\xd8\0", b"\0\xd8", b"\xdc\0a\0", b"\x80a")),
]  # fmt: skip


@pytest.fixture
def steps():
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


@rows("read, most, text", HOSTILE, ids=[f"{at} {text(1)[8:30]!r}" for at, (_, _, text) in enumerate(HOSTILE)])
def test_hostile_text_takes_few_steps_and_little_memory(read, most, text, steps, monkeypatch):
    for module in ("decimals", "faults", "rows"):  # with the same effect for less work
        monkeypatch.setattr(f"antiphon.serialization.{module}.COUNTED", 20, raising=False)

    def call(scale):
        with suppress(HTTPError, ValueError):
            read(text(scale))

    counts = []
    for scale in (1, 1, 2):  # the first imports and caches
        before = steps[0]
        call(scale)
        counts.append(steps[0] - before)
    assert counts[2] - counts[1] < most * SIZE
    tracemalloc.start()
    call(2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY


def test_the_limits_are_those_for_which_steps_are_counted():
    assert (Limits().body, Limits().memory, Limits().json) == (16 << 20, 16 << 20, 1 << 20)
