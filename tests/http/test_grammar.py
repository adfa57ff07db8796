import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.grammar import (
    TCHARS,
    format_parameters,
    is_token,
    parse_parameters,
    parse_qvalue,
    quote_if_needed,
    quote_string,
    read_weighted,
    read_weights,
    split_list,
    split_parameters,
    split_weight,
    unquote_string,
    weighted_element,
)
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
CONTROLS = [chr(code) for code in (*range(0x20), 0x7F) if chr(code) != "\t"]

tokens = st.text(TOKEN_CHARACTERS, min_size=1)
sendable = st.text(st.characters(max_codepoint=0xFF, exclude_characters=CONTROLS))


@rows("text", ["a", "text", "x-y_z", "!#$%&'*+-.^_`|~", "42"])
def test_tokens(text):
    assert is_token(text)


@rows("text", ["", "a b", "a\n", "a,b", 'a"', "a=b", "a/b", "a;b", "(a)", "é", "\u212a", "a\0", " a"])
def test_no_tokens(text):
    assert not is_token(text)


@rows(
    "value, elements",
    ("", []), (" \t ", []), ("a", ["a"]), ("a, b ,\tc", ["a", "b", "c"]), (", ,a,,b, ,", ["a", "b"]),
    ('"a,b", c', ['"a,b"', "c"]), ('x="a,b";y=1, c', ['x="a,b";y=1', "c"]), (r'"a\",b",c', [r'"a\",b"', "c"]),
    (r'"a\\",b', [r'"a\\"', "b"]), (r"a\,b", ["a\\", "b"]), ('"", ,""', ['""', '""']), ('a, "b, c', ["a", '"b, c']),
    ('a, "b\\', ["a", '"b\\']), ('a"b,c"d, e', ['a"b,c"d', "e"]), ("a\n,b", ["a\n", "b"]),
    ('"a\n,b",c', ['"a\n,b"', "c"]),
)  # fmt: skip
def test_lists_are_split_at_commas_outside_of_quotes(value, elements):
    assert split_list(value) == elements


@given(st.lists(st.one_of(tokens, sendable.map(quote_string))))
def test_a_joined_list_splits_into_its_elements(elements):
    assert split_list(", ".join(elements)) == elements


@given(st.text('ab"\\,; \t'))
def test_splitting_loses_nothing_but_commas_and_space(value):
    lost = dict.fromkeys(map(ord, ", \t"))
    assert "".join(split_list(value)).translate(lost) == value.translate(lost)


@rows(
    "start, unit", ('"', '"'), ('"', '\\"'), ('"a', '"a'), ('"', ","), ("", "\\"), ("", '"\\'),
)  # fmt: skip
def test_a_million_hostile_characters_are_read_at_once(start, unit):
    value = start + unit * (1_000_000 // len(unit))
    assert "".join(split_list(value)) == value
    assert isinstance(parse_parameters(f"a={value}"), dict)
    assert isinstance(unquote_string(value), str)


def test_a_million_elements_are_split():
    assert split_list('"a",' * 250_000) == ['"a"'] * 250_000


@rows(
    "text, quoted",
    [("", '""'), ("a b", '"a b"'), ('a"b', r'"a\"b"'), ("a\\b", r'"a\\b"'), ("a\tb", '"a\tb"'), ("é", '"é"')],
)
def test_quoted_strings(text, quoted):
    assert quote_string(text) == quoted
    assert unquote_string(quoted) == text


@rows("control", CONTROLS, ids=ascii)
def test_control_characters_are_never_printed(control):
    with pytest.raises(ValueError, match="control"):
        quote_string(f"a{control}b")
    with pytest.raises(ValueError, match="control"):
        quote_if_needed(control)
    with pytest.raises(ValueError, match="control"):
        format_parameters({"a": f"b{control}"})
    with pytest.raises(ValueError, match="token"):
        format_parameters({f"a{control}": "b"})


@given(sendable)
def test_quoting_is_undone_by_unquoting(text):
    assert unquote_string(quote_string(text)) == text


@rows(
    "text, content",
    ("plain", "plain"), ("", ""), ('"', ""), ('"open', "open"), ('"a" rest', "a"), (r'"a\"b" rest', 'a"b'),
    ('"open\\', "open"), (r'"\a\b"', "ab"), (r'"\\\""', '\\"'), ('"\\\n"', "\n"), ('"\\', ""),
)  # fmt: skip
def test_unquoting_is_lenient(text, content):
    assert unquote_string(text) == content


@rows("text, printed", [("abc", "abc"), ("", '""'), ("a/b", '"a/b"'), ('"', r'"\""')])
def test_only_what_is_no_token_is_quoted(text, printed):
    assert quote_if_needed(text) == printed


@rows(
    "text, parameters",
    ("", {}), ("; ;;", {}), ("; charset=utf-8", {"charset": "utf-8"}), ("charset=utf-8", {"charset": "utf-8"}),
    (';a=b; c="d"', {"a": "b", "c": "d"}), ("; Name=Value", {"name": "Value"}), ("; a=1; A=2", {"a": "1"}),
    ("; a=; a=2", {"a": "2"}), ('; a=""', {"a": ""}), ("; a; b=1; =2; c d=3; é=4", {"b": "1"}),
    ('; a="x; b=y"; c=1', {"a": "x; b=y", "c": "1"}), (r'; a="x\";y"; c=1', {"a": 'x";y', "c": "1"}),
    ('; a="x; b=y', {"a": "x; b=y"}), ('; a="x" junk; b=1', {"a": "x", "b": "1"}), ('; a=x"y"; b=1', {"b": "1"}),
    ("; a = b ;\tc\t=\td", {"a": "b", "c": "d"}), ("; boundary=a/b=c", {"boundary": "a/b=c"}),
    ("; a=x\0y; b=1", {"b": "1"}), ('; a="x\ny"; b=1', {"b": "1"}), ('; a="x\\\r\n"; b=1', {"b": "1"}),
)  # fmt: skip
def test_parameters(text, parameters):
    assert parse_parameters(text) == parameters


def test_split_parameters_shows_values_as_written():
    assert split_parameters(' A="b"; q=; c; a=2') == [("a", '"b"'), ("q", ""), ("c", ""), ("a", "2")]


@rows("unit", "a=1;", 'a=";";', ";", '"";')
def test_only_the_first_parameters_are_read(unit):
    assert dict(split_parameters(unit * 15 + "b=2"))["b"] == "2"
    assert "b" not in dict(split_parameters(unit * 16 + "b=2"))


@given(st.dictionaries(tokens.map(str.lower), sendable, max_size=16))
def test_printed_parameters_are_read_back(parameters):
    assert parse_parameters(format_parameters(parameters)) == parameters


@given(st.text(st.characters(max_codepoint=0xFF)))
def test_whatever_was_read_can_be_printed(text):
    parameters = parse_parameters(text)
    assert parse_parameters(format_parameters(parameters)) == parameters


def test_parameters_are_printed_in_order_and_quoted_where_needed():
    assert format_parameters({"b": "1", "a": "x y"}) == '; b=1; a="x y"'
    assert format_parameters({}) == ""


@rows("name", ["", "a b", "a=", "é", "a;b"])
def test_names_of_parameters_must_be_tokens(name):
    with pytest.raises(ValueError, match="token"):
        format_parameters({name: "b"})


@rows(
    "text, quality",
    ("0", 0.0), ("1", 1.0), ("0.", 0.0), ("1.", 1.0), ("0.5", 0.5), ("0.123", 0.123), ("1.000", 1.0), (".2", 0.2),
    ("0.3333333333333333", 0.333), ("0.00049", 0.0), ("0.0000", 0.0), ("1.0000", 1.0), ("1.0000000000000000", 1.0),
    (".3333", 0.333),
)  # fmt: skip
def test_qvalues(text, quality):
    assert parse_qvalue(text) == quality


@rows(
    "text",
        "", " ", "nan", "inf", "-1", "-0", "+1", "2", "1.001", "1.0001", "1.00001", "1.5", "10", "00", "0.5 ", "1e-1",
        "0,5", "\u0660", "0.5.", ".",
)  # fmt: skip
def test_no_qvalues(text):
    with pytest.raises(ValueError, match="quality"):
        parse_qvalue(text)


@rows(
    "text, parameters, quality",
    ("", {}, 1.0), ("a=b", {"a": "b"}, 1.0), ("a=b;q=0.5", {"a": "b"}, 0.5), ("Q=0.5;a=b;q=0.1", {"a": "b"}, 0.5),
    ('a=";q=0.1"; q = 0', {"a": ";q=0.1"}, 0.0),
)  # fmt: skip
def test_the_weight_is_split_from_parameters(text, parameters, quality):
    assert split_weight(text) == (parameters, quality)


@rows("text", ["a=b;q=", "a=b;q", 'q=""', "q=2", "q=nan", "q=-1;q=0.5"])
def test_a_broken_weight_is_refused(text):
    with pytest.raises(ValueError, match="quality"):
        split_weight(text)


def test_weighted_elements():
    element = weighted_element(TCHARS)
    value = 'a, b;q=0.5 , ,c;q=2, d e, "f, g", a ; Q = 0.25,h;x=1'
    assert read_weighted(element, value) == [("a", 1.0), ("b", 0.5), ("a", 0.25)]
    assert read_weights(element, value) == {"a": 1.0, "b": 0.5}
    assert read_weights(element, "") == {}


def test_weighted_elements_with_parameters_stay_as_written():
    element = weighted_element("a|b", parameters=True)
    assert read_weighted(element, 'a;x="1,2";q=0.5, b ; q=0.5, a;q=0.5;x=1') == [
        ('a;x="1,2";q=0.5', 1.0),
        ("b", 0.5),
        ("a;q=0.5;x=1", 1.0),
    ]


@rows(
    "start, unit, end",
    ("", "a", ""), ("", " ", ""), ("a;q=0.", "1", ""), ("a;q=1.", "0", ""), ("", 'a;"', ""), ("", "a ; ", "("),
)  # fmt: skip
def test_a_million_hostile_characters_are_weighed_at_once(start, unit, end):
    value = start + unit * (1_000_000 // len(unit)) + end
    assert len(read_weighted(weighted_element(TCHARS, parameters=True), value)) <= 1
