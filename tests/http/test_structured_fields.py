"""Items, lists and dictionaries of structured fields (RFC 9651): read strictly, printed in one way."""

import math
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.structured_fields import (
    MOST_ITEMS,
    DisplayString,
    InnerList,
    Item,
    Token,
    format_structured_dictionary,
    format_structured_list,
    parse_structured_dictionary,
    parse_structured_list,
)
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

BARE = [
    ("42", 42), ("-0", 0), ("007", 7), ("-999999999999999", -999999999999999), ("4.5", 4.5), ("-0.125", -0.125),
    ("999999999999.999", 999999999999.999), ('""', ""), ('"hello world"', "hello world"),
    (r'"a \"quote\" and a \\"', 'a "quote" and a \\'),
    ("sugar", Token("sugar")), ("*foo123/456", Token("*foo123/456")), ("text/html:x", Token("text/html:x")),
    ("::", b""), (":aGVsbG8=:", b"hello"), (":aGVsbG8:", b"hello"), ("?1", True), ("?0", False),
    ("@1659578233", datetime(2022, 8, 4, 1, 57, 13, tzinfo=UTC)),
    ("@-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ('%"f%c3%bcr \\ 100%25"', DisplayString("für \\ 100%")),
]  # fmt: skip

MALFORMED_ITEMS = [
    "", ",", "é", "1,", "1 2", "a b", "\ta", "a\t",
    "-", "--1", "1.", ".5", "1.2345", "1234567890123.1", "1234567890123456", "+1", "1e3", "0x1", "1_0",
    '"', '"a', '"a""b"', r'"\a"', '"\\"', '"é"', '"\t"', '"\x7f"', "'a'",
    "{a}", "a@b", "a,b", ":", ":a", ":a:", ":a=b:", ":aGk==:x", ":aG k=:", ":aG-_:",
    "?", "?2", "?true", "? 1",
    "@", "@1.5", "@a", "@999999999999999", "@1234567890123456",
    '%', '%"', '%"ü"', '%"%"', '%"%C3%BC"', '%"%ff"', '%"%c3"', '%"%c3-%bc"', '%"%2"', '%""a"', "%'a'",
    "a;", "a;B", "a;=1", "a;b=", "a;b =1", "a ;b", "a;b= 1", "a;b=(1)", "(a)",
]  # fmt: skip

MALFORMED_LISTS = [
    "a,", ",a", "a,,b", "a b", "(", "(a", "a)", "(a,b)", '("a""b")', "((a))", "(a)b", "(a) b", "( a", "a=1",
]  # fmt: skip
MALFORMED_DICTIONARIES = [
    "A=1", "a=", "a=1,", "a=1,,b", "a b", "=1", '"a"=1', "a= 1", "a =1", "1=1", "a=1 b=2", "é", "-a=1",
]  # fmt: skip


@rows("text, value", BARE)
def test_an_item_is_read_as_its_value(text, value):
    item = Item.parse(text)
    assert (item.value, type(item.value)) == (value, type(value))
    assert item.parameters == {}
    assert Item.parse(str(item)) == item


@rows("text", MALFORMED_ITEMS)
def test_a_malformed_item_is_refused(text):
    with pytest.raises(ValueError, match=r"structured field|date|base64|Base64|padding|data characters|decode|byte"):
        Item.parse(text)


@rows("text", [*MALFORMED_LISTS, "é"])
def test_a_malformed_list_is_refused(text):
    with pytest.raises(ValueError, match="structured field"):
        parse_structured_list(text)


@rows("text", MALFORMED_DICTIONARIES)
def test_a_malformed_dictionary_is_refused(text):
    with pytest.raises(ValueError, match="structured field"):
        parse_structured_dictionary(text)


def test_parameters_stand_in_order_and_the_last_of_a_name_counts():
    item = Item.parse("  text;q=0.5; level=1;x;level=2  ")
    assert list(item.parameters.items()) == [("q", 0.5), ("level", 2), ("x", True)]
    assert str(item) == "text;q=0.5;level=2;x"


@rows(
    "text, printed",
    ("", ""), ("sugar, tea, rum", "sugar, tea, rum"), ("a ,\t b", "a, b"), ("1, 1.0, ?1", "1, 1.0, ?1"),
    ('("foo" "bar"), ("baz"), ("bat" "one"), ()', '("foo" "bar"), ("baz"), ("bat" "one"), ()'),
    ('(  "foo"; a=1;b  "x" );lvl=5', '("foo";a=1;b "x");lvl=5'),
)  # fmt: skip
def test_a_list_is_read_and_printed(text, printed):
    members = parse_structured_list(text)
    assert format_structured_list(members) == printed
    assert parse_structured_list(printed) == members


@rows(
    "text, printed",
    ("", ""),
    ('en="Applepie", da=:w4ZibGV0w6ZydGU=:', 'en="Applepie", da=:w4ZibGV0w6ZydGU=:'),
    ("a=?0, b, c; foo=bar", "a=?0, b, c;foo=bar"),
    ("rating=1.5, feelings=(joy sadness)", "rating=1.5, feelings=(joy sadness)"),
    ("a=1,b=2;x=1;y=2,a=(3);q", "a=(3);q, b=2;x=1;y=2"),
    ("a=?1;x", "a;x"),
    ("*a.b_c-1=1", "*a.b_c-1=1"),
)
def test_a_dictionary_is_read_and_printed(text, printed):
    members = parse_structured_dictionary(text)
    assert format_structured_dictionary(members) == printed
    assert parse_structured_dictionary(printed) == members


@rows(
    "value, printed",
    (0.0025, "0.002"), (0.0015, "0.002"), (Decimal("0.0025"), "0.002"), (Decimal(7), "7.0"), (1e11, "100000000000.0"),
    (-1.5, "-1.5"),
    (DisplayString('a "b" \n'), '%"a %22b%22 %0a"'),
)  # fmt: skip
def test_a_value_is_printed(value, printed):
    assert str(Item(value)) == printed


@rows(
    "value",
        10**15, -(10**15), 10**5000, 1e12, -1e12, 999999999999.9999, math.inf, -math.inf, math.nan, Decimal("NaN"),
        "ü", "a\n", "a\r\nb", "\x7f", Token(""), Token("a b"), Token("1a"), Token("ü"), Token("a\n"),
        DisplayString("\ud800"), None, object(), [1], (1,), datetime(2026, 1, 1),
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_no_item_can_be_is_refused(value):
    for make in (Item, lambda value: InnerList([value]), lambda value: Item(1, {"a": value})):
        with pytest.raises(ValueError, match=r"structured field|time zone|surrogates"):
            make(value)


@rows("name", ["", "A", "1", "a b", "ü", "a\n", "-a", None, 1])
def test_a_bad_name_is_refused(name):
    for make in (lambda: Item(1, {name: 1}), lambda: format_structured_dictionary({name: 1})):
        with pytest.raises(ValueError, match="name in a structured field"):
            make()


def test_a_text_is_no_list():
    with pytest.raises(TypeError, match="list"):
        format_structured_list("abc")


@rows("text", ["a,", "a;b,", "a;b=1,", "(a b c),"])
def test_the_number_of_items_is_bounded(text):
    for parse in (parse_structured_list, parse_structured_dictionary):
        with pytest.raises(ValueError, match="structured field"):
            parse(text * MOST_ITEMS + "a")
    assert len(parse_structured_list("a," * 1023 + "a")) == 1024


keys = st.from_regex(r"[a-z*][a-z0-9_\-.*]{0,8}", fullmatch=True)
bare_items = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.integers(-(10**15) + 1, 10**15 - 1).map(lambda thousandths: float(Decimal(thousandths) / 1000)),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)),
    st.from_regex(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]{0,8}", fullmatch=True).map(Token),
    st.binary(max_size=20),
    st.booleans(),
    st.datetimes().map(lambda moment: moment.replace(microsecond=0, tzinfo=UTC)),
    st.text(st.characters(exclude_categories=["Cs"])).map(DisplayString),
)
parameters = st.dictionaries(keys, bare_items, max_size=3)
items = st.builds(Item, bare_items, parameters)
members = st.one_of(items, st.builds(InnerList, st.lists(items, max_size=3), parameters))


def as_read(member):
    told = [(name, value, type(value)) for name, value in member.parameters.items()]
    if isinstance(member, InnerList):
        return [as_read(item) for item in member.items], told
    return member.value, type(member.value), told


@given(st.lists(members, max_size=5))
def test_a_list_is_read_back_as_it_was_printed(printed):
    assert [as_read(member) for member in parse_structured_list(format_structured_list(printed))] == [
        as_read(member) for member in printed
    ]


@given(st.dictionaries(keys, members, max_size=5))
def test_a_dictionary_is_read_back_as_it_was_printed(printed):
    read = parse_structured_dictionary(format_structured_dictionary(printed))
    assert [(name, as_read(member)) for name, member in read.items()] == [
        (name, as_read(member)) for name, member in printed.items()
    ]
