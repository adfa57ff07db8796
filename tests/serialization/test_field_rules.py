"""What a field of a form or query becomes, by its type and by how often and how it was sent."""

import dataclasses
import datetime
import uuid
from decimal import Decimal
from typing import Literal

from antiphon.http.errors import UnprocessableContent
from antiphon.http.multidict import MultiDict
from antiphon.serialization.readers import fields_as
from tests.helpers.rows import rows
from tests.serialization.test_readers import Colour


class Refused(str):
    """The detail with which a field is refused."""

    __slots__ = ()


MISSING = Refused("is missing")
DEFAULT = object()
INTEGER = Refused("expected an integer")
NUMBER = Refused("expected a number")
DECIMAL = Refused("expected a decimal number")
BOOL = Refused("expected true or false")
DATE = Refused("expected a date such as 2030-12-31")
TIME = Refused("expected a time such as 23:59:59")
MOMENT = Refused("expected a date and time such as 2030-12-31T23:59:59Z")
UUID = Refused("expected a UUID")
COLOUR = Refused('expected one of "red", "blue"')
LITERAL = Refused("expected one of 1, 2")

DAYS = [datetime.date(2026, 1, 31), datetime.date(2026, 2, 1)]
TIMES = [datetime.time(12, 30), datetime.time(8)]
MOMENTS = [datetime.datetime(2026, 1, 31, 12, 30), datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC)]
IDS = [uuid.UUID(int=7), uuid.UUID(int=8)]

# type, missing, "", [first text, its value], [second text, its value], [wrong text, what is said]
SCALARS = [
    (str, "", ("a", "a"), ("b", "b"), None),
    (int, INTEGER, ("7", 7), ("8", 8), ("x", INTEGER)),
    (float, NUMBER, ("1.5", 1.5), (".5", 0.5), ("1,5", NUMBER)),
    (Decimal, DECIMAL, ("1.10", Decimal("1.10")), ("2", Decimal(2)), ("x", DECIMAL)),
    (bool, BOOL, ("on", True), ("off", False), ("yes", BOOL)),
    (datetime.date, DATE, ("2026-01-31", DAYS[0]), ("2026-02-01", DAYS[1]), ("31.1.2026", DATE)),
    (datetime.time, TIME, ("12:30", TIMES[0]), ("08:00:00", TIMES[1]), ("noon", TIME)),
    (datetime.datetime, MOMENT, ("2026-01-31T12:30", MOMENTS[0]), ("2026-02-01T00:00:00Z", MOMENTS[1]), ("x", MOMENT)),
    (uuid.UUID, UUID, (str(IDS[0]), IDS[0]), (IDS[1].hex, IDS[1]), ("7", UUID)),
    (Colour, COLOUR, ("red", Colour.RED), ("blue", Colour.BLUE), ("RED", COLOUR)),
    (Literal[1, 2], LITERAL, ("1", 1), ("2", 2), ("3", LITERAL)),
]  # fmt: skip


def read(kind, texts, default=DEFAULT):
    field = ("f", kind) if default is DEFAULT else ("f", kind, dataclasses.field(default=default))
    record = dataclasses.make_dataclass("Record", [field])
    try:
        return fields_as(MultiDict([("f", text) for text in texts]), record, "form").f
    except UnprocessableContent as error:
        (fault,) = error.members["errors"]
        return fault["pointer"], Refused(fault["detail"])


def refused(detail, pointer="/f"):
    return pointer, detail


def outcome(expected):
    return refused(f"{expected}, got nothing") if isinstance(expected, Refused) else expected


@rows("kind, empty, first, second, wrong", SCALARS, ids=lambda value: str(value)[:30])
class TestAFieldOfOneValue:
    def test_that_is_missing_is_refused_or_its_default(self, kind, empty, first, second, wrong):
        assert read(kind, []) == refused("is missing")
        assert read(kind | None, []) == refused("is missing")
        assert read(kind, [], first[1]) == first[1]
        assert read(kind | None, [], None) is None

    def test_that_is_empty_is_its_text_or_refused_or_its_default_or_none(self, kind, empty, first, second, wrong):
        assert read(kind, [""]) == outcome(empty)
        assert read(kind, [""], first[1]) == ("" if kind is str else first[1])
        assert read(kind | None, [""]) == ("" if kind is str else None)
        assert read(kind | None, [""], first[1]) == ("" if kind is str else first[1])

    def test_that_came_once_is_its_value(self, kind, empty, first, second, wrong):
        for text, value in (first, second):
            for wanted in (kind, kind | None):
                assert (type(read(wanted, [text])), read(wanted, [text])) == (type(value), value)

    def test_that_came_repeatedly_is_the_last(self, kind, empty, first, second, wrong):
        assert read(kind, [first[0], second[0]]) == second[1]
        assert read(kind, [second[0], first[0]], second[1]) == first[1]

    def test_that_is_wrong_is_refused_even_where_there_is_a_default(self, kind, empty, first, second, wrong):
        if wrong is not None:
            assert read(kind, [wrong[0]]) == refused(wrong[1])
            assert read(kind | None, [wrong[0]]) == refused(wrong[1])
            assert read(kind, [wrong[0]], first[1]) == refused(wrong[1])
            assert read(kind, [wrong[0], first[0]]) == first[1]


@rows("kind, empty, first, second, wrong", SCALARS, ids=lambda value: str(value)[:30])
class TestAListField:
    def test_that_is_missing_is_refused_or_its_default(self, kind, empty, first, second, wrong):
        assert read(list[kind], []) == refused("is missing")
        assert read(list[kind] | None, [], None) is None
        assert read(tuple[kind, ...], [], (first[1],)) == (first[1],)

    def test_that_is_empty_has_an_empty_text_or_is_as_one_value(self, kind, empty, first, second, wrong):
        if kind is str:
            assert read(list[kind], [""]) == [""]
        else:
            assert read(list[kind], [""]) == refused(f"{empty}, got nothing", "/f/0")
            assert read(list[kind] | None, [""]) is None
            assert read(tuple[kind, ...], [""], ()) == ()

    def test_has_all_values_in_order(self, kind, empty, first, second, wrong):
        assert read(list[kind], [first[0]]) == [first[1]]
        assert read(list[kind], [second[0], first[0], second[0]]) == [second[1], first[1], second[1]]
        assert read(tuple[kind, ...], [second[0], first[0]]) == (second[1], first[1])
        assert read(set[kind], [first[0], first[0], second[0]]) == {first[1], second[1]}

    def test_of_which_one_is_wrong_names_that(self, kind, empty, first, second, wrong):
        if wrong is not None:
            assert read(list[kind], [first[0], wrong[0]]) == refused(wrong[1], "/f/1")
            assert read(list[kind], [first[0], ""]) == refused(f"{empty}, got nothing", "/f/1")


def test_a_checkbox_that_is_not_ticked_is_the_default():
    assert read(bool, [], False) is False
    assert read(bool, ["on"], False) is True
    assert read(bool | None, [], None) is None
