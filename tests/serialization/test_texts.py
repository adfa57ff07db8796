import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag

from antiphon.http.urls.url import URL
from antiphon.serialization.readers import TypeDescription
from tests.helpers.rows import rows


class Colour(Enum):
    RED = "red"


class Word(str, Enum):  # noqa: UP042 - its str() is not its value, as that of a StrEnum
    HIGH = "high"


class Grade(IntEnum):
    GOOD = 1


class Access(IntFlag):
    READ = 1
    WRITE = 2


class Moment(datetime):
    """A datetime of some library."""


class Day(date):
    """A date of some library."""


class Point:
    """What JSON has no form for."""

    def __str__(self):
        return "1,2"


@rows(
    "value, text",
    ("a b", "a b"),
    (URL("/a?b"), "/a?b"),
    (7, "7"),
    (10**30, str(10**30)),
    (1.5, "1.5"),
    (1e16, "1e+16"),
    (Decimal("1.10"), "1.10"),
    (True, "true"),
    (False, "false"),
    (Colour.RED, "red"),
    (Word.HIGH, "high"),
    (Grade.GOOD, "1"),
    (Access.READ | Access.WRITE, "3"),
    (date(2030, 12, 31), "2030-12-31"),
    (Day(2030, 12, 31), "2030-12-31"),
    (time(23, 59), "23:59:00"),
    (datetime(2030, 12, 31, 23, 59), "2030-12-31T23:59:00"),
    (datetime(2030, 12, 31, tzinfo=UTC), "2030-12-31T00:00:00Z"),
    (datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=-5))), "2030-01-01T00:00:00-05:00"),
    (Moment(2030, 12, 31, 23, 59), "2030-12-31T23:59:00"),
    (timedelta(days=1), "P1D"),
    (timedelta(seconds=-1.5), "-PT1.5S"),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (b"\xff", "/w=="),
    (Point(), "1,2"),
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_value_is_written_as_in_json_without_quotes(value, text):
    assert TypeDescription.texts_of(value) == [text]


@rows(
    "values, texts",
    (None, []),
    ([], []),
    ([None, Colour.RED, "", None], ["red", ""]),
    ((True, 2), ["true", "2"]),
    ({"b", "a", None}, ["a", "b"]),
    (frozenset({10, 9}), ["10", "9"]),
    ids=["none", "empty", "list", "tuple", "set", "frozenset"],
)
def test_a_collection_gives_a_text_for_each_item(values, texts):
    assert TypeDescription.texts_of(values) == texts
