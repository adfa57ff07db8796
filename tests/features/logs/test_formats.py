"""Records as lines of text and of JSON."""

import json
import logging
import math
import sys
from contextvars import Context
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Request
from antiphon.handler.scope import reset_current_request, set_current_request
from antiphon.logs import JSONFormatter, RequestIDFilter, TextFormatter
from tests.helpers.rows import rows


def record(message="hello %s", *arguments, level=logging.WARNING, error=None, **extra):
    exc_info = None
    if error is not None:
        try:
            raise error
        except type(error):
            exc_info = sys.exc_info()
    made = logging.LogRecord("shop.orders", level, "orders.py", 7, message, arguments or ("Ada",), exc_info)
    vars(made).update(extra)
    made.created = 1795310736.1239
    return made


@pytest.fixture
def current():
    request = Request.blank("/")
    token = set_current_request(request)
    yield request
    reset_current_request(token)


class TestTheFilter:
    def test_gives_a_dash_outside_of_requests(self):
        made = record()
        assert Context().run(RequestIDFilter().filter, made) is True
        assert made.request_id == "-"

    def test_leaves_the_id_that_a_record_has(self, current):
        made = record(request_id="own")
        RequestIDFilter().filter(made)
        assert made.request_id == "own"

    def test_serves_the_standard_library_s_formats(self, current):
        made = record()
        RequestIDFilter().filter(made)
        assert logging.Formatter("%(request_id)s %(message)s").format(made) == f"{current.id} hello Ada"


FORGED = "2026-11-22T01:25:36.123Z INFO forged"


class TestText:
    @rows(
        "sent, shown",
        (f"a\n{FORGED}", f"a\\n{FORGED}"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\x85\x9b31m\x7f", r"\x85\x9b31m\x7f"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("tab\tand Ünïcode ✓", "tab\tand Ünïcode ✓"),
    )
    def test_has_one_line_whatever_the_message_has(self, sent, shown):
        assert TextFormatter().format(record("%s", sent)) == f"2026-11-22T01:25:36.123Z WARNING {shown}"

    def test_has_no_record_of_somebody_else_in_a_traceback(self):
        lines = TextFormatter().format(record(error=LookupError(f"a\n{FORGED}\x1b[31m\r{FORGED}"))).split("\n")
        assert lines[-2:] == ["LookupError: a", f"  {FORGED}\\x1b[31m\\r{FORGED}"]

    @given(st.text())
    def test_is_one_line_of_printable_text(self, text):
        line = TextFormatter().format(record("%s", text))
        assert len(line.splitlines()) == 1

    def test_has_time_level_and_message(self):
        assert TextFormatter().format(record()) == "2026-11-22T01:25:36.123Z WARNING hello Ada"

    def test_has_the_id_of_the_request_behind_the_message(self):
        line = TextFormatter().format(record(request_id="f00"))
        assert line == "2026-11-22T01:25:36.123Z WARNING hello Ada [f00]"

    @rows("made", [record(request_id="-"), record("%s", "request f00 failed", request_id="f00")])
    def test_has_no_id_where_there_is_none_or_the_message_has_it(self, made):
        assert "[" not in TextFormatter().format(made)

    def test_has_the_traceback_below(self):
        first, *others = TextFormatter().format(record(error=LookupError("boom"), request_id="f00")).splitlines()
        assert first.endswith("hello Ada [f00]")
        assert others[0] == "Traceback (most recent call last):"
        assert others[-1] == "LookupError: boom"

    def test_has_an_id_that_a_client_chose_on_the_same_line(self):
        assert TextFormatter().format(record(request_id="a\nb")).endswith("hello Ada [a%0Ab]")


def members(made):
    line = JSONFormatter().format(made)
    assert line.isascii()
    assert "\n" not in line
    return json.loads(line, parse_constant=pytest.fail)


class TestJSON:
    def test_has_time_level_logger_and_message(self):
        assert members(record()) == {
            "time": "2026-11-22T01:25:36.123Z", "level": "WARNING", "logger": "shop.orders", "message": "hello Ada",
        }  # fmt: skip

    def test_has_the_exception_as_text(self):
        exception = members(record(error=LookupError("boom")))["exception"]
        assert exception.startswith("Traceback (most recent call last):\n")
        assert exception.endswith("\nLookupError: boom")

    def test_has_the_stack_as_text(self):
        assert members(record(stack_info="Stack (most recent call last):\n  x"))["stack"].endswith("  x")

    @rows(
        "value, told",
        (7, 7), (None, None), ({"a": [1, True]}, {"a": [1, True]}), (datetime(2026, 1, 1), "2026-01-01 00:00:00"),
        (math.inf, "inf"), ({(1, 2): 3}, "{(1, 2): 3}"), ("\udcff\u2028", "\udcff\u2028"),
    )  # fmt: skip
    def test_has_what_was_given_as_extra(self, value, told):
        assert members(record(order=value))["order"] == told

    def test_extra_values_replace_none_of_its_own(self):
        assert members(record(time="never", logger="mine"))["logger"] == "shop.orders"

    @given(st.text(), st.text())
    def test_is_one_line_whatever_the_message_and_the_id(self, message, id_):
        found = members(record("%s", message, request_id=id_))
        assert found["message"] == message
