"""The work and the memory that hostile text causes at the default limits, by the grammar that reads it.

Text of each grammar is filled with units that a parser may count as nothing; codings make it cheap to send. Asserted
are, for each byte between 1 and 2 KiB, the lines of Python that run (and calls of the error handler for text), which
are the same on each machine; and for the sizes of the default limits, the processor's time, of which neither load nor
the machine's speed is a part since a loop is timed beside it, and the peak of memory.
"""

import codecs
import gzip
import sys
import tracemalloc
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from time import thread_time
from typing import Annotated, Any, NamedTuple, TypedDict

import attrs
import pytest
from msgspec import Struct, defstruct

from antiphon import Limits, Request
from antiphon.body.codings import content_decoder
from antiphon.features.html import Markup, tag
from antiphon.features.tables.table import Table
from antiphon.http import Event, HTTPError
from antiphon.http.structured_fields import parse_structured_list
from antiphon.serialization.decimals import decimal_meta
from antiphon.serialization.readers import json_as
from tests.helpers.rows import rows

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 can't count lines without a debugger"),
]

MOST_MEMORY = 64 << 20
ON_LOOP, ON_THREAD = 9_000_000, 36_000_000
"""Turns of a loop: half a second, or two, on a machine where a turn takes 55 ns, as where this was measured."""
TURNS = 50_000
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


class LampDict(TypedDict):
    name: str


class LampTuple(NamedTuple):
    name: str


class LampStruct(Struct):
    name: str


@attrs.define
class LampAttrs:
    name: str


FIELDS = [f"f{number}" for number in range(16)]
Wide = defstruct("Wide", [(name, int) for name in FIELDS])
KINDS = [LampDict, LampTuple, LampStruct, LampAttrs, Wide]
MODELS: list[Any] = []
"""Types with models of Pydantic, where it is installed."""
with suppress(ImportError):
    from pydantic import BaseModel, create_model

    class Model(BaseModel):
        name: str

    WideModel: Any = create_model("WideModel", **dict.fromkeys(FIELDS, (int, ...)))

    class Models(BaseModel):
        metadata: list[WideModel]
        by_name: dict[str, WideModel]

    MODELS = [list[Model], list[WideModel], tuple[WideModel, ...], dict[str, WideModel], Models]


def filled(unit, begin=b"", end=b"", size=None):
    return lambda scale: begin + unit * int(((size or SIZE * scale) - len(begin) - len(end)) // len(unit)) + end


def listed(unit):
    return filled(unit + b",", b"[", unit + b"]")


def numbered(unit, begin=b"[", end=b"]"):
    """Units with a number each, so that no two are alike."""
    return lambda scale: begin + b",".join([unit % at for at in range(int(SIZE * scale) // (len(unit) + 3))]) + end


def in_parts(unit, begin=b"", size=900):
    head = filled(unit, b'Content-Disposition: form-data; name="a"' + begin, size=size)(1)
    return filled(b"--B\r\n" + head + b"\r\n\r\nx\r\n", end=b"--B--\r\n")


def body(content_type, read):
    def read_body(data):
        request = Request.blank("/", "POST", {"content-type": content_type}, data)
        request.limits = LIMITS[0]
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
LIMITS = [Limits()]
NESTED: Any = int
for _ in range(190):
    NESTED = list[NESTED]
NEST = as_type(NESTED)
READ_MODELS = [as_type(wanted) for wanted in MODELS]
FULL = {STEPS: 16 << 20, STEPS_OF_JSON: 1 << 20, STEPS_OF_FIELD: 64 << 10}
"""The default limit of each grammar's text, in bytes; a form has 1,000 parts, and the head of each 8 KiB."""
OF_CLASSES = 160 << 20
"""Bytes that instances of a class of the handler's own may take, each of which may be two bytes of JSON."""


def decoded(data):
    deque(content_decoder("gzip").feed(gzip.compress(data, 1), 16 << 20), 0)


def received(data):
    """A socket's message, as ``receive_as`` reads it."""
    json_as(data.decode().encode(), list[Shelf])


def shown(data):
    """A text as a row of a table, in HTML and CSV."""
    table = Table(Lamp, Request.blank("/"), [Lamp(data.decode())], caption="Lamps", csv="lamps.csv")
    str(Markup(table)), table.csv().freeze()


BLANK = [b"\n", b"\r\n", b" \n", b"\t\r\n"]
HOSTILE = [
    *((NDJSON, STEPS, filled(unit)) for unit in (*BLANK, b"x\n", b"1\n", b"{}\n", b"[[]]\n")),
    *((SEQUENCE, STEPS, filled(unit)) for unit in (b"\x1e", b"\x1e\n", b"\x1ex")),
    *((CSV, STEPS, filled(unit, b"name\n")) for unit in (*BLANK, b"x,x\n", b'"\n"x\n')),
    *((CSV, STEPS_OF_JSON, filled(unit, b"name\n")) for unit in (b",", b'""')),
    *((CSV, STEPS, filled(unit, b'name\n"')) for unit in (*BLANK, b"x\n")),
    *((ITEMS, STEPS_OF_JSON, listed(unit)) for unit in (b"1", b"{}", b"")),
    *((PARTS, STEPS, in_parts(unit)) for unit in (b";", b"; ", b";a", b";\ta=b")),
    *((PARTS, STEPS, in_parts(unit, b"\r\nContent-Type: text/plain"))
      for unit in (b";", b"; ", b";a", b";a=b", b';a="')),
    *((FORM, STEPS, filled(unit)) for unit in (b"&", b"=", b"a&", b"%", b"+", b"%f0")),
    *((as_type(wanted, unknown), STEPS_OF_JSON, listed(unit))
      for wanted, unknown in ((list[Lamp], "ignore"), (list[Lamp], "refuse"), (list[Shelf], "refuse"),
                              (list[PRICE], "ignore"), (list[Decimal], "ignore"), (list[int], "ignore"))
      for unit in (b"{}", b"[]", b"1", b"-1", b'""', b"1e5", b'"nan"', b'{"x":1}')),
    *((read, STEPS_OF_JSON, listed(unit)) for read in (*READ_MODELS, *(as_type(list[kind]) for kind in KINDS))
      for unit in (b"{}", b"1", b'{"name":1}')),
    *((read, STEPS_OF_JSON, filled(unit, begin, end)) for read in READ_MODELS
      for unit, begin, end in ((b"{},", b'{"metadata":[', b'{}],"by_name":{}}'), (b'"":{},', b"{", b'"":{}}'),
                               (b'"":{},', b'{"metadata":[],"by_name":{', b'"":{}}}'))),
    *((as_type(wanted), STEPS_OF_JSON, numbered(unit))
      for wanted in (list[PRICE], list[Decimal], set[int])
      for unit in (b"%d", b"%d.5", b"-%d", b'"1x%d"', b'{"a%d":1}')),
    *((as_type(wanted), STEPS_OF_JSON, numbered(b'"%d":1', b"{", b"}"))
      for wanted in (dict[str, PRICE], dict[PRICE, int], dict[int, int])),
    *((as_type(Shelf, "refuse"), STEPS_OF_JSON, numbered(b'"a%d":1', b"{", b"}")),),
    *((NEST, STEPS_OF_JSON, listed(unit))
      for unit in (b"[" * 188 + b'"x"' + b"]" * 188, b"[" * 188 + b"1" + b",1]" * 188, b"1" + b",[]" * 63)),
    *((PATCH, STEPS_OF_JSON, listed(unit)) for unit in (b"{}", b"1", b'{"op":"test","path":"","value":1}')),
    *((MERGE, STEPS_OF_JSON, filled(unit, b'{"name":[', b'1]}')) for unit in (b"1,", b"[],", b"{},")),
    *((header("cookie", lambda request: request.cookies), STEPS_OF_FIELD, filled(unit))
      for unit in (b";", b"=;", b"a=;")),
    *((header("accept", lambda request: request.accept.best(["text/html"])), STEPS_OF_FIELD, filled(unit))
      for unit in (b",", b";", b"a/b,", b"*/*;q=0,")),
    *((decoded, STEPS, filled(unit)) for unit in (b"\0", b"ab")),
    *((received, STEPS_OF_JSON, listed(unit)) for unit in (b"{}", b'{"lamps":[1]}')),
    *((lambda data: str(Event(data.decode())), STEPS_OF_JSON, filled(unit)) for unit in (b"\n", b"\r", b"a\r\n")),
    *((lambda data: str(Event(comment=data.decode())), STEPS_OF_JSON, filled(unit)) for unit in (b"\n", b"a\r")),
    *((lambda data: str(tag("p", {"title": data.decode()}, data.decode())), STEPS_OF_JSON, filled(unit))
      for unit in (b"<", b"&", b'"', b"{{")),
    *((shown, STEPS_OF_JSON, filled(unit)) for unit in (b"=", b";", b';"', b"\n=", b"<")),
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
    monkeypatch.setattr(f"{__name__}.LIMITS", [Limits(body=1 << 20)])
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
    # A fault takes steps for each level above it, but only the first thousand faults do.
    assert counts[2] - counts[1] < most * SIZE * (2 if read is NEST else 1)
    tracemalloc.start()
    call(2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY


@rows("read, most, text", HOSTILE, ids=[f"{at} {text(1)[8:30]!r}" for at, (_, _, text) in enumerate(HOSTILE)])
def test_hostile_text_of_the_size_of_a_limit_takes_little_time_and_memory(read, most, text):
    """Measured at parts of the size, and calculated for the whole of it. What was an accident does not come again."""
    is_rows = read in (CSV, NDJSON, SEQUENCE, ITEMS)
    most_turns = ON_THREAD if is_rows else ON_LOOP
    full = 1000 * (8 << 10) if read is PARTS else FULL[most]
    is_whole = most == STEPS_OF_FIELD or read is NEST or read in READ_MODELS  # few faults for its size
    part = 1 if is_whole else 1 / 12 if most == STEPS_OF_JSON else 1 / 64 if is_rows else 1 / 4
    large, small, *fewer = [
        text(part * full / SIZE / less) for less in (1, 2, 8, 16)
    ]  # all have more faults than are told
    # Twice the bound: beside other work, times vary by half, and what breaks a bound takes many times as long.
    assert not all(_whole(_turns, read, small, large, full) > 2 * most_turns for _ in range(5))
    two = reversed(fewer) if is_rows or (most == STEPS_OF_JSON and read not in READ_MODELS) else (small, large)
    assert _whole(_peak, read, *two, full) < (OF_CLASSES if b"{" in large else MOST_MEMORY) + (2 << 20)


def _whole(measure, read, small, large, size):
    """Return what a text of a size takes, if it grows as between two others."""
    first, second = measure(read, small), measure(read, large)
    return second + max(0, second - first) * (size - len(large)) / (len(large) - len(small))


def _turns(read, data):
    """Return the turns of a loop that take as long as a call."""
    return _seconds(_call, read, data) / _seconds(_loop) * TURNS


def _seconds(function, *arguments):
    start = thread_time()
    function(*arguments)
    return thread_time() - start


def _loop():
    total = 0
    for each in range(TURNS):
        total += each


def _call(read, data):
    with suppress(HTTPError, ValueError):
        read(data)


def _peak(read, data):
    tracemalloc.start()
    _call(read, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_the_limits_are_those_for_which_work_is_counted():
    limits = Limits()
    assert (limits.body, limits.memory) == (FULL[STEPS],) * 2
    assert (limits.json, limits.message, limits.form) == (FULL[STEPS_OF_JSON],) * 3
    assert (limits.headers, limits.query) == (FULL[STEPS_OF_FIELD],) * 2
