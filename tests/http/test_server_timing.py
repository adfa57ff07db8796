import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.tracing import ServerTiming, format_server_timing, parse_server_timing
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

names = st.text("abcXYZ019.+-!", min_size=1)
durations = st.floats(0, 1e11) | st.integers(0, 10**12 - 1)
descriptions = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
metrics = st.builds(ServerTiming, names, st.none() | durations, st.none() | descriptions)


@rows(
    "value, read",
    ("miss, db;dur=53, app;dur=47.2", [("miss", None, None), ("db", 53, None), ("app", 47.2, None)]),
    ('customView, dc;desc="atl, east"', [("customView", None, None), ("dc", None, "atl, east")]),
    ('cache;desc="Cache Read";dur=23.2', [("cache", 23.2, "Cache Read")]),
    (" a ; DUR = .5 ; Desc = b ;x=y", [("a", 0.5, "b")]),
    ("a;dur=1;dur=2", [("a", 1, None)]),
    ("a;dur=12.", [("a", 12, None)]),
    ("a;dur=1.23456", [("a", 1.235, None)]),
    ("a;dur=-1, b;dur=x, c;dur=1e9, d;dur=nan, e;dur=", [(name, None, None) for name in "abcde"]),
    ("a;dur=1234567890123, b;dur=999999999999.9", [("a", None, None), ("b", None, None)]),
    ('a;desc="", b;desc=é, c;desc="x\ny"', [("a", None, ""), ("b", None, None), ("c", None, None)]),
    (", a b, é, ;dur=1, =, a/b, ok", [("ok", None, None)]),
    ("", []),
)
def test_reading(value, read):
    assert parse_server_timing(value) == read


def test_the_first_200_are_read():
    assert len(parse_server_timing("a," * 1000)) == 200


@rows("text", ["", ";dur=1", "a b", "a, b", "é"])
def test_a_metric_has_a_name(text):
    with pytest.raises(ValueError, match="name must be a token"):
        ServerTiming.parse(text)


@rows(
    "metric, printed",
    (ServerTiming("miss"), "miss"), (ServerTiming("db", 53), "db;dur=53"), (ServerTiming("db", 100.0), "db;dur=100"),
    (ServerTiming("db", 12.34567), "db;dur=12.346"),
    (ServerTiming("db", 1e-9), "db;dur=0"), (ServerTiming("db", -0.0), "db;dur=0"),
    (ServerTiming("db", 10**12 - 1), "db;dur=999999999999"),
    (ServerTiming("db", 1, "queries"), "db;dur=1;desc=queries"),
    (ServerTiming("db", desc='two "queries"'), 'db;desc="two \\"queries\\""'),
    (ServerTiming("db", desc=""), 'db;desc=""'),
)  # fmt: skip
def test_printing(metric, printed):
    assert str(metric) == printed


def test_a_list_is_printed_with_commas():
    assert format_server_timing([ServerTiming("miss"), ServerTiming("db", 53)]) == "miss, db;dur=53"
    assert format_server_timing([]) == ""


@rows("dur", [-1, -0.001, 10**12, float("inf"), float("nan")])
def test_durations_out_of_range_are_refused(dur):
    with pytest.raises(ValueError, match="milliseconds"):
        ServerTiming("db", dur)


@rows("desc", ["\n", "a\r\nb", "\0", "\x7f", "é"])
def test_descriptions_that_no_header_has_are_refused(desc):
    with pytest.raises(ValueError, match=r"control characters|ASCII"):
        ServerTiming("db", desc=desc)


@rows("name", ["", "a b", "a;b", "a,b", "é", "a\n"])
def test_a_name_is_a_token(name):
    with pytest.raises(ValueError, match="name must be a token"):
        ServerTiming(name)


@given(st.lists(metrics, max_size=5))
def test_what_was_printed_is_read_back(listed):
    printed = format_server_timing(listed)
    assert printed.isascii()
    assert printed.isprintable()
    assert parse_server_timing(printed) == listed
