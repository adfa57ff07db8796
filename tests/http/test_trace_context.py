import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.tracing import TraceParent
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def identifiers(digits):
    return st.integers(1, 16**digits - 1).map(lambda number: f"{number:0{digits}x}")


@rows(
    "text, flags, version, sampled",
    (f"00-{TRACE}-{PARENT}-01", 1, 0, True), (f"00-{TRACE}-{PARENT}-00", 0, 0, False),
    (f"00-{TRACE}-{PARENT}-02", 2, 0, False), (f"00-{TRACE}-{PARENT}-ff", 255, 0, True),
    (f"cc-{TRACE}-{PARENT}-01", 1, 204, True), (f"cc-{TRACE}-{PARENT}-f9", 1, 204, True),
    (f"01-{TRACE}-{PARENT}-00-what-comes-later", 0, 1, False),
)  # fmt: skip
def test_reading(text, flags, version, sampled):
    read = TraceParent.parse(text)
    assert read == (TRACE, PARENT, flags, version)
    assert (read.trace_id, read.parent_id, read.flags, read.version) == (TRACE, PARENT, flags, version)
    assert read.sampled is sampled


@rows(
    "text",
    "", f"00-{TRACE}-{PARENT}", f"00-{TRACE}-{PARENT}-1", f"00-{TRACE}-{PARENT}-011", f"00-{TRACE}-{PARENT}-01-more",
    f"00-{TRACE}-{PARENT}-01-", f"00-{TRACE}-{PARENT}-01\n", f" 00-{TRACE}-{PARENT}-01",
    f"01-{TRACE}-{PARENT}-01more", f"ff-{TRACE}-{PARENT}-01", f"0-{TRACE}-{PARENT}-01", f"0g-{TRACE}-{PARENT}-01",
    f"00-{TRACE.upper()}-{PARENT}-01", f"00-{TRACE}-{PARENT.upper()}-01", f"00-{TRACE}-{PARENT}-0A",
    f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE[1:]}-{PARENT}-01",
    f"00-{TRACE}0-{PARENT}-01", f"00-{TRACE}-{PARENT[1:]}-01", f"00_{TRACE}_{PARENT}_01",
    f"00-{TRACE[:-1]}٣-{PARENT}-01",
    f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01",
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="not a traceparent"):
        TraceParent.parse(text)


@rows(
    "arguments",
    ("", PARENT), (TRACE, ""), (f"{TRACE}\n", PARENT), (TRACE, f"{PARENT}\n"), ("0" * 32, PARENT), (TRACE, "0" * 16),
    (TRACE.upper(), PARENT), (PARENT, TRACE), (TRACE, PARENT, -1), (TRACE, PARENT, 256), (TRACE, PARENT, 0, -1),
    (TRACE, PARENT, 0, 255),
)  # fmt: skip
def test_what_cannot_be_printed_is_refused(arguments):
    with pytest.raises(ValueError, match=r"trace id|parent id|flags and version"):
        TraceParent(*arguments)


def test_a_later_version_is_printed_as_the_known_one():
    assert str(TraceParent.parse(f"cc-{TRACE}-{PARENT}-ff-more")) == f"00-{TRACE}-{PARENT}-03"


def test_a_child_is_a_part_of_the_same_trace():
    child = TraceParent.parse(f"cc-{TRACE}-{PARENT}-01").child("b7ad6b7169203331")
    assert str(child) == f"00-{TRACE}-b7ad6b7169203331-01"
    assert type(child) is TraceParent
    assert child.version == 0
    assert TraceParent(TRACE, PARENT, 0xFF).child(PARENT).flags == 0x03
    with pytest.raises(ValueError, match="parent id"):
        child.child("0" * 16)


@given(identifiers(32), identifiers(16), st.integers(0, 255))
def test_what_was_printed_is_read_back(trace_id, parent_id, flags):
    parent = TraceParent(trace_id, parent_id, flags)
    assert TraceParent.parse(str(parent)) == parent
    assert str(TraceParent.parse(str(parent))) == str(parent)
