import dataclasses
import datetime
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Struct, UnsetType, field

from antiphon.http.errors import UnprocessableContent
from antiphon.http.multidict import MultiDict
from antiphon.serialization.readers import fields_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable
from tests.serialization.test_readers import Colour, Span


@dataclasses.dataclass
class Person:
    name: str
    age: int = 0
    nick: Annotated[str, Meta(min_length=2)] | None = None
    born: datetime.date | None = None
    tags: list[str] = dataclasses.field(default_factory=list)
    news: bool = False


class Camel(Struct, rename="camel", forbid_unknown_fields=True):
    first_name: str
    last_name: str | None


class Tagged(Struct, tag="tagged", forbid_unknown_fields=True):
    x: int


class Required(TypedDict):
    a: int
    b: list[int]


class Pair(NamedTuple):
    x: int
    y: list[int] = [7]  # noqa: RUF012 - what a NamedTuple allows
    z: str = "z"


class Row(Struct, array_like=True, rename={"y": "why"}, forbid_unknown_fields=True):
    x: int
    y: set[int] = field(default_factory=lambda: {7})
    z: int | UnsetType = UNSET

    def __post_init__(self):
        if self.x < 0:
            raise ValueError("x is below nought")


Fractions = dataclasses.make_dataclass("Fractions", [("some", list[float]), ("one", float)])


def pairs(query: str) -> MultiDict[str]:
    return MultiDict(parse_qsl(query, keep_blank_values=True))


@rows(
    "query, wanted, value",
    ("name=Ann", Person, Person("Ann")),
    ("name=Ann&age=7&news=true", Person, Person("Ann", 7, news=True)),
    ("name=Ann&born=2026-01-31", Person, Person("Ann", born=datetime.date(2026, 1, 31))),
    ("name=&tags=a&tags=b&tags=&more=x", Person, Person("", tags=["a", "b", ""])),
    ("name=a&name=b", Person, Person("b")),
    ("name=a&age=&nick=&born=&news=", Person, Person("a")),
    ("firstName=a&lastName=", Camel, Camel("a", "")),
    ("x=1&type=tagged", Tagged, Tagged(1)),
    ("a=1&b=2&b=3&c=4", Required, {"a": 1, "b": [2, 3]}),
    ("x=1", Pair, Pair(1)),
    ("z=1&x=2&y=3&y=4", Pair, Pair(2, [3, 4], "1")),
    ("x=1&why=2", Row, Row(1, {2})),
    ("x=1", Row, Row(1)),
)
def test_pairs_that_fit_are_a_record(query, wanted, value):
    assert fields_as(pairs(query), wanted, "query") == value


def test_a_default_is_made_for_each_record():
    first = fields_as(pairs("x=1"), Row, "form")
    first.y.add(8)
    assert fields_as(pairs("x=1"), Row, "form").y == {7}


TRUE_OR_FALSE = "expected true or false"
AN_INTEGER = "expected an integer"
A_FINITE = "expected a finite number"
A_DATE = "expected a date such as 2030-12-31"
A_MOMENT = "expected a date and time such as 2030-12-31T23:59:59Z"
MOMENT = datetime.datetime(2026, 1, 31, 12, 30)


@rows(
    "kind, texts, value",
    (bool, ["on", "ON", "true", "True", "1"], True),
    (bool | None, ["off", "false", "0"], False),
    (list[bool], ["on"], [True]),
    (int, ["7", "007", "7.0", "70e-1", "07"], 7),
    (int, ["-7", "-07"], -7),
    (int, ["0", "00", "-0"], 0),
    (float, [".5", "0.5", "00.5", "5e-1"], 0.5),
    (float, ["-.5", "-0.5"], -0.5),
    (list[int], ["07"], [7]),
    (set[int] | None, ["07"], {7}),
    (tuple[int, ...], ["1"], (1,)),
    (frozenset[str], ["1"], frozenset("1")),
    (int | list[int], ["1"], [1]),
    (Decimal, ["1.10", "01.10"], Decimal("1.10")),
    (Decimal, ["1_0"], Decimal(10)),
    (datetime.datetime, ["2026-01-31T12:30", "2026-01-31T12:30:00", "2026-01-31 12:30"], MOMENT),
    (datetime.time, ["12:30", "12:30:00"], datetime.time(12, 30)),
    (datetime.timedelta, ["PT3S"], datetime.timedelta(seconds=3)),
    (datetime.datetime | int, ["2026"], 2026),
    (datetime.timedelta | float, ["1.5"], 1.5),
    (uuid.UUID, [str(uuid.UUID(int=7))], uuid.UUID(int=7)),
    (Colour, ["red"], Colour.RED),
    (Literal[1, 2], ["1"], 1),
    (Literal["on", "off"], ["on"], "on"),
    (Literal[1, 2, "3"], ["3"], "3"),
    (Literal[1, 2, "3"], ["2"], 2),
    (Literal[1, "3"] | None, ["3"], "3"),
    (Literal["null", 1] | None, ["null"], "null"),
    (list[Literal[1, "3"]], ["3"], ["3"]),
    (int | Literal["3"], ["3"], "3"),
    (int | None, ["", "null"], None),
    (list[int] | None, [""], None),
    (Annotated[str, Meta(min_length=1)] | None, [""], None),
    (str | None, [""], ""),
    (str | None, ["null"], "null"),
    (str | int, ["007"], "007"),
    (str | bool, ["on"], "on"),
    (Any, ["007"], "007"),
    (Annotated[int, Meta(ge=7, title="t")], ["07"], 7),
    ids=str,
)
def test_a_text_is_read_as_its_type(kind, texts, value):
    record = dataclasses.make_dataclass("Record", [("value", kind), ("again", bool)])  # looks twice at "on"
    for text in texts:
        for again in ("true", "on"):
            read = fields_as(MultiDict([("value", text), ("again", again)]), record, "form")
            assert (type(read.value), read.value) == (type(value), value), text


@rows(
    "kind, texts, detail",
    (bool, ["yes", "2", "onn", "null"], TRUE_OR_FALSE),
    (bool, [""], f"{TRUE_OR_FALSE}, got nothing"),
    (int, ["x", "1.5", " 1", "1_0", "+1", "0x1", "-", ".", "0e", "\u0661"], AN_INTEGER),
    (int | None, ["x"], AN_INTEGER),
    (int, [""], f"{AN_INTEGER}, got nothing"),
    (float, ["nan", "NaN", "inf", "-Infinity"], A_FINITE),
    (float, ["x", "1,5"], "expected a number"),
    (float | None, ["inf"], A_FINITE),
    (Decimal, ["nan", "sNaN", "-nan123", "Infinity", " inf", "n_a_n"], A_FINITE),
    (Decimal, ["x"], "expected a decimal number"),
    (Annotated[int, Meta(ge=7)], ["06"], "expected an integer of at least 7"),
    (Annotated[str, Meta(min_length=1)], [""], "expected a string of at least 1 character, got nothing"),
    (datetime.date, ["2026-02-31", "x"], A_DATE),
    (datetime.date, [""], f"{A_DATE}, got nothing"),
    (datetime.time, ["25:00", "1:00", "2026"], "expected a time such as 23:59:59"),
    (datetime.date, ["2026", "20260131"], A_DATE),
    (datetime.datetime, ["2026", "20260131", "-5", "1.5", "1e9", "0"], A_MOMENT),
    (datetime.datetime | None, ["2026"], A_MOMENT),
    (datetime.datetime | int, ["1.5"], A_MOMENT),
    (Annotated[datetime.datetime, Meta(tz=True)], ["2026"], A_MOMENT),
    (datetime.timedelta, ["3", "1.5", "-3"], "expected a duration such as PT30S"),
    (Colour, ["green"], 'expected one of "red", "blue"'),
    (Colour, [""], 'expected one of "red", "blue", got nothing'),
    (Literal[1, 2], ["3"], "expected one of 1, 2"),
    (Literal[1, 2, "3"], ["4", "03"], 'expected one of 1, 2, "3"'),
    ids=str,
)
def test_a_text_that_does_not_fit_is_refused(kind, texts, detail):
    record = dataclasses.make_dataclass("Record", [("field", kind)])
    for text in texts:
        caught = unprocessable(fields_as, MultiDict([("field", text)]), record, "form")
        assert faults(caught) == {"/field": detail}, text
        assert caught.detail == "1 field of the form is wrong"


@rows(
    "query, wanted, expected",
        ("", Person, {"/name": "is missing"}),
        ("age=x&born=y&nick=z&news=on", Person, {
            "/name": "is missing", "/age": AN_INTEGER, "/born": A_DATE,
            "/nick": "expected a string of at least 2 characters",
        }),
        ("last_name=b&more=c&more=d", Camel, {
            "/firstName": "is missing", "/lastName": "is missing",
            "/last_name": "is unknown: did you mean 'lastName'?", "/more": "is unknown",
        }),
        ("x=1&type=other", Tagged, {"/type": 'expected "tagged"'}),
        ("a=x&b=1&b=x", Required, {"/a": AN_INTEGER, "/b/1": AN_INTEGER}),
        ("a=1&b=1&b=", Required, {"/b/1": f"{AN_INTEGER}, got nothing"}),
        ("y=1&y=x", Pair, {"/x": "is missing", "/y/1": AN_INTEGER}),
        ("x=a&y=1", Row, {"/x": AN_INTEGER, "/y": "is unknown"}),
        ("some=1&some=x&some=inf&one=nano", Fractions, {
            "/some/1": "expected a number", "/some/2": A_FINITE, "/one": "expected a number",
        }),
        ("x=-1", Row, {"": "x is below nought"}),
        ("first=2&last=1", Span, {"": "last comes before first"}),
)  # fmt: skip
def test_pairs_that_do_not_fit_name_every_wrong_field(query, wanted, expected):
    caught = unprocessable(fields_as, pairs(query), wanted, "query")
    assert faults(caught) == expected
    count = "1 field of the query is" if len(expected) == 1 else f"{len(expected)} fields of the query are"
    assert caught.detail == f"{count} wrong"


Nested = dataclasses.make_dataclass("Nested", [("person", Person | None)])
Grid = dataclasses.make_dataclass("Grid", [("rows", list[list[int]])])


@rows(
    "wanted, message",
    (int, r"^int has no named fields: a form or query is read into a dataclass, TypedDict,"),
    (dict[str, str], r"^dict\[str, str\] has no named fields"),
    (list[Person], r"^list\[.*Person\] has no named fields"),
    (Person | None, r"^.*Person \| None has no named fields"),
    (object, r"^object can't be read; accepted are"),
    (Nested, r"^Nested\.person can't be read from a form or query, which consists of text: its type is .*Person"),
    (Grid, r"^Grid\.rows can't be read from a form or query, which consists of text: its type is list\[list"),
    ids=str,
)
def test_a_type_that_no_texts_give_is_a_type_error_that_names_it(wanted, message):
    with pytest.raises(TypeError, match=message):
        fields_as(pairs("name=a"), wanted, "form")


KINDS: list[tuple[Any, list[str], list[str]]] = [
    (int, ["1", "007"], ["x", ""]),
    (bool, ["on", "0"], ["maybe"]),
    (float, ["1.5"], ["nan", "x"]),
    (list[int], ["1"], ["x"]),
    (datetime.datetime | None, ["2026-01-31T12:00", ""], ["tomorrow"]),
    (Colour, ["red"], ["green"]),
]


@given(st.data())
def test_corrupting_any_fields_of_a_form_names_exactly_these(data):
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=12))
    wrong = data.draw(st.sets(st.sampled_from(range(len(kinds))), min_size=1))
    absent = data.draw(st.sets(st.sampled_from(sorted(wrong))))
    record = dataclasses.make_dataclass("Record", [(f"f{at}", kind) for at, (kind, _, _) in enumerate(kinds)])
    form = [
        (f"f{at}", data.draw(st.sampled_from(bad if at in wrong else good)))
        for at, (_, good, bad) in enumerate(kinds)
        if at not in absent
    ]
    caught = unprocessable(fields_as, MultiDict(form), record, "form")
    assert {pointer.split("/")[1] for pointer in faults(caught)} == {f"f{at}" for at in wrong}
    assert [*faults(caught).values()].count("is missing") == len(absent)


@given(st.text(alphabet="0123456789.-+eE_naifsNI \u0661"))
def test_no_text_gives_a_number_that_is_not_finite(text):
    @dataclasses.dataclass
    class Numbers:
        a: float = 0
        b: Decimal = Decimal(0)

    for name in "ab":
        try:
            read = fields_as(MultiDict([(name, text)]), Numbers, "form")
        except UnprocessableContent:
            continue
        assert Decimal(read.a).is_finite()
        assert read.b.is_finite()


@dataclasses.dataclass
class Mixed:
    size: Literal[1, "3"]
    sizes: list[Literal[1, 2, "3"]]
    price: Decimal
    day: datetime.date
    wait: datetime.timedelta = datetime.timedelta(0)
    colour: Colour = Colour.RED
    note: str = ""
    ok: bool = False
    number: uuid.UUID | None = None


def test_a_choice_that_looks_like_a_number_leaves_the_other_fields_as_they_are():
    number = uuid.UUID(int=7)
    query = f"size=3&sizes=1&sizes=3&price=01.10&day=2026-01-31&wait=PT3S&colour=blue&note=3&ok=on&number={number}"
    assert fields_as(pairs(query), Mixed, "query") == Mixed(
        "3", [1, "3"], Decimal("1.10"), datetime.date(2026, 1, 31), datetime.timedelta(seconds=3), Colour.BLUE, "3",
        ok=True, number=number,
    )  # fmt: skip
    assert faults(unprocessable(fields_as, pairs("size=3&sizes=3&sizes=4&price=x&day="), Mixed, "query")) == {
        "/sizes/1": 'expected one of 1, 2, "3"',
        "/price": "expected a decimal number",
        "/day": f"{A_DATE}, got nothing",
    }
