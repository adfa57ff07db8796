import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.event import Event, parse_events
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows(
    "event, text",
    (Event("hello"), "data: hello\n\n"), (Event(""), "data: \n\n"), (Event(" a: b"), "data:  a: b\n\n"),
    (Event("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"),
    (Event("a\n"), "data: a\ndata: \n\n"),
    (Event("a\u2028b\x0bc\x85d"), "data: a\u2028b\x0bc\x85d\n\n"),
    (Event("x", event="add", id="7", retry=3), "event: add\nid: 7\nretry: 3000\ndata: x\n\n"),
    (Event("x", id=""), "id: \ndata: x\n\n"), (Event(retry=0), "retry: 0\n\n"),
    (Event(retry=timedelta(seconds=2.5)), "retry: 2500\n\n"),
    (Event(retry=1e12 - 1e-4), "retry: 999999999999999\n\n"),
    (Event(id="7"), "id: 7\n\n"), (Event(comment=""), ": \n\n"),
    (Event("x", comment="one\r\ntwo\nthree"), ": one\n: two\n: three\ndata: x\n\n"),
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_an_event_is_printed_as_the_standard_has_it_and_read_back(event, text):
    assert str(event) == text
    assert parse_events(text) == [event]


@rows(
    "fields",
        {"event": ""}, {"event": "a\nb"}, {"event": "a\rdata: forged"}, {"id": "a\n"}, {"id": "\r"}, {"id": "a\0"},
        {"retry": -1}, {"retry": math.nan}, {"retry": math.inf}, {"retry": True}, {"retry": "10"}, {"retry": 10**12},
        {},
    ids=repr,
)  # fmt: skip
def test_what_cannot_be_sent_is_refused(fields):
    with pytest.raises(ValueError, match=r"an (empty )?event"):
        Event(**fields)


@rows("fields", [{"event": 1}, {"id": 7}, {"comment": b"x"}], ids=repr)
def test_what_is_no_text_is_refused(fields):
    with pytest.raises(TypeError, match="must be text, not"):
        Event("x", **fields)


def test_data_that_is_no_text_is_kept_until_it_is_made_text():
    event = Event({"a": 1}, event="add", id="7", retry=5, comment="c")
    with pytest.raises(TypeError, match="not dict"):
        str(event)
    assert event.data == {"a": 1}
    assert event.with_data("1") == Event("1", event="add", id="7", retry=5, comment="c")


@rows(
    "text, events",
        ("", []),
        ("\n\n\n", []),
        ("data: a\n\ndata: b\n\n", [Event("a"), Event("b")]),
        ("data: a\r\rdata: b\r\n\r\ndata: c\n\r", [Event("a"), Event("b"), Event("c")]),
        ("\ufeffdata: a\n\n", [Event("a")]),
        ("\ufeff\ufeffdata: a\n\n", []),
        ("data\n\ndata\ndata\n\ndata:", [Event(""), Event("\n")]),
        ("data:a\n\ndata: a\n\n", [Event("a"), Event("a")]),
        ("data: a\n", []),
        ("data: a", []),
        ("data: a\n\ndata: b", [Event("a")]),
        (": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
         [Event(comment="test stream"), Event("first event", id="1"), Event("second event", id=""),
          Event(" third event")]),
        ("data: YHOO\ndata: +2\ndata: 10\n\n", [Event("YHOO\n+2\n10")]),
        ("unknown: x\nData: a\n data: a\n\n", []),
        ("event: a\nevent: b\ndata: x\n\n", [Event("x", event="b")]),
        ("event: a\nevent\ndata: x\n\n", [Event("x")]),
        ("id: a\nid: b\0\ndata: x\n\n", [Event("x", id="a")]),
        ("retry: 5\nretry: 5s\nretry: -1\nretry: \u0665\nretry:\nretry: " + "9" * 5000 + "\n\n", [Event(retry=0.005)]),
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_a_stream_is_read_as_the_standard_has_it(text, events):
    assert parse_events(text) == events


in_one_line = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))
anything = st.text(st.sampled_from(": \r\n\0\ufeffadetvnirycom0") | st.characters(exclude_categories=["Cs"]))
fields = st.fixed_dictionaries(
    {"data": st.none() | anything},
    optional={
        "event": in_one_line.filter(bool),
        "id": in_one_line,
        "retry": st.integers(0, 10**15 - 1).map(lambda milliseconds: milliseconds / 1000),
        "comment": anything,
    },
).filter(lambda fields: fields != {"data": None})


@given(st.lists(fields.map(lambda fields: Event(**fields))), st.sampled_from(["\n", "\r", "\r\n"]))
def test_what_is_printed_is_read_back(events, line_end):
    assert parse_events("".join(map(str, events)).replace("\n", line_end)) == events


@given(anything)
def test_any_text_is_read_and_what_was_read_is_printed_alike(text):
    events = parse_events(text)
    assert parse_events("".join(map(str, events))) == events
