import copy
import pickle
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from antiphon.http.headers import Headers, MutableHeaders, combine, combined, put_line
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

TOKEN_CHARACTERS = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
VALUE_CHARACTERS = "\t" + "".join(chr(code) for code in range(0x20, 0x100) if code != 0x7F)

names = st.text(TOKEN_CHARACTERS, min_size=1)
values = st.text(VALUE_CHARACTERS).map(lambda text: text.strip(" \t"))
lines = st.lists(st.tuples(names, values))
bare_elements = st.text(VALUE_CHARACTERS.replace(",", "").replace('"', "")).map(lambda text: text.strip(" \t"))
quoted_elements = st.text(VALUE_CHARACTERS.replace("\\", "").replace('"', "")).map(lambda text: f'"{text}"')
elements = bare_elements.filter(bool) | quoted_elements

BAD_NAMES = [
    "", " ", "a b", " a", "a ", "a:", ":a", "a,b", '"a"', "a(b)", "é", "a\u0100", "a\n", "a\r\nb", "a\0", "a\tb",
]  # fmt: skip
CONTROLS = [chr(code) for code in range(0x20) if chr(code) != "\t"] + ["\x7f"]
INJECTED = ["a\r\nset-cookie: b=c", "\na", "a\n", "a\r", "é\n"]
UNTRIMMED = [" a", "a ", "\ta", "a\t", " ", "\t"]
WIDE = ["a\u0100", "é\u0100", "\u2028", "\ud800", "日本"]
BAD_VALUES = [f"a{control}b" for control in CONTROLS] + INJECTED + UNTRIMMED + WIDE

WAYS_IN = {
    "constructor": lambda name, value: Headers([(name, value)]),
    "mapping": lambda name, value: Headers({name: value}),
    "set": lambda name, value: MutableHeaders().__setitem__(name, value),
    "add": lambda name, value: MutableHeaders().add(name, value),
    "update": lambda name, value: MutableHeaders().update({name: value}),
    "extend": lambda name, value: MutableHeaders().extend([(name, value)]),
    "setdefault": lambda name, value: MutableHeaders().setdefault(name, value),
}
each_way_in = pytest.mark.parametrize("put", WAYS_IN.values(), ids=WAYS_IN)


def refusal(put, name, value):
    """The message of the ValueError or TypeError for a field; empty if the field is accepted."""
    try:
        put(name, value)
    except (ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


class TestWhatMayStandInAHeader:
    @each_way_in
    def test_a_name_is_a_token(self, put):
        refusals = {name: refusal(put, name, "value") for name in BAD_NAMES}
        assert {name for name, message in refusals.items() if re.match("ValueError: .*token", message)} == {*BAD_NAMES}
        assert all(repr(name) in message for name, message in refusals.items())

    @each_way_in
    def test_a_value_has_no_line_ends_controls_outer_spaces_or_wide_characters(self, put):
        refusals = {value: refusal(put, "x-a", value) for value in BAD_VALUES}
        refused = re.compile("ValueError: .*is not allowed in a header's value", re.DOTALL).match
        assert {value for value, message in refusals.items() if refused(message)} == {*BAD_VALUES}

    @each_way_in
    def test_a_value_is_a_str(self, put):
        for value in (5, None, b"a", ["a"], 1.5):
            assert re.match(f"TypeError: .*not {type(value).__name__}", refusal(put, "x-a", value))

    @given(names, values)
    def test_everything_else_may(self, name, value):
        for put in WAYS_IN.values():
            put(name, value)

    @given(st.text(), st.text())
    def test_nothing_that_was_accepted_breaks_a_line(self, name, value):
        try:
            printed = str(Headers([(name, value)]))
        except ValueError:
            return
        assert re.fullmatch(r"[^\s:\0-\x1f]+: [^\0\r\n]*\r\n", printed)
        printed.encode("latin-1")

    def test_a_long_bad_value_is_not_repeated_in_whole(self):
        with pytest.raises(ValueError, match="is not allowed") as refused:
            Headers({"x-a": "\0" * 100_000})
        assert len(str(refused.value)) < 1000


class TestReading:
    headers = Headers([("Accept", "text/html"), ("X-A", "1"), ("accept", "*/*;q=0.1"), ("DATE", "Sun, 06 Nov 1994")])

    @rows("name", ["accept", "Accept", "ACCEPT", "aCCePt"])
    def test_regards_no_case(self, name):
        assert self.headers[name] == self.headers.get(name) == "text/html, */*;q=0.1"
        assert self.headers.getall(name) == ["text/html", "*/*;q=0.1"]
        assert name in self.headers

    def test_of_what_is_absent(self):
        with pytest.raises(KeyError, match="X-B"):
            _ = self.headers["X-B"]
        assert self.headers.get("X-B") is None
        assert self.headers.get("X-B", "no") == "no"
        assert self.headers.getall("X-B") == []

    def test_of_a_name_with_underscores_says_what_names_have(self):
        with pytest.raises(KeyError) as caught:
            _ = self.headers["x_a"]
        assert caught.value.__notes__ == ["Names of headers have hyphens: 'x-a'"]
        assert "X-B" not in self.headers
        assert 5 not in self.headers

    def test_an_empty_value_is_there(self):
        headers = Headers({"x-a": ""})
        assert "x-a" in headers
        assert (headers["x-a"], headers.get("x-a", "no"), headers.getall("x-a")) == ("", "", [])

    def test_as_a_whole(self):
        assert self.headers.items() == [
            ("accept", "text/html"),
            ("x-a", "1"),
            ("accept", "*/*;q=0.1"),
            ("date", "Sun, 06 Nov 1994"),
        ]
        assert self.headers.keys() == list(self.headers) == ["accept", "x-a", "date"]
        assert self.headers.values() == ["text/html", "1", "*/*;q=0.1", "Sun, 06 Nov 1994"]
        assert len(self.headers) == 3
        assert dict(self.headers) == {"accept": "text/html, */*;q=0.1", "x-a": "1", "date": "Sun, 06 Nov 1994"}
        assert bool(self.headers)
        assert not Headers()

    def test_gives_lists_that_are_the_readers_own(self):
        headers = Headers({"x-a": "1"})
        for given_list in (headers.items(), headers.keys(), headers.values(), headers.getall("x-a")):
            given_list.clear()
        assert headers.items() == [("x-a", "1")]

    @given(lines)
    def test_made_of_others_they_are_equal(self, given_lines):
        headers = Headers(given_lines)
        assert Headers(headers) == MutableHeaders(headers) == headers == Headers(iter(given_lines))

    def test_are_equal_when_their_lines_are(self):
        assert Headers({"A": "1"}) == Headers([("a", "1")])
        assert Headers({"a": "1"}) != Headers({"a": "2"})
        assert Headers([("a", "1"), ("a", "2")]) != Headers([("a", "1, 2")])
        assert Headers({"a": "1"}) != [("a", "1")]

    def test_have_no_hash_since_some_can_be_changed(self):
        with pytest.raises(TypeError):
            hash(Headers())

    @given(lines)
    def test_show_what_they_have(self, given_lines):
        for cls in (Headers, MutableHeaders):
            headers = cls(given_lines)
            assert eval(repr(headers), {cls.__name__: cls}) == headers


class TestElements:
    """RFC 9110 §5.3: a recipient may join the lines of a field, or find them joined, and nothing changes."""

    @given(st.lists(st.lists(elements, min_size=1), min_size=1), st.sampled_from(["accept", "vary", "x-a", "via"]))
    def test_of_a_list_are_the_same_joined_or_apart(self, groups, name):
        wanted = [element for group in groups for element in group]
        apart = Headers([(name, ", ".join(group)) for group in groups])
        joined = Headers({name: apart[name]})
        assert apart.getall(name) == joined.getall(name) == wanted

    @rows(
        "name, combined", [("accept", "a=1, b=2"), ("cookie", "a=1; b=2"), ("set-cookie", "a=1"), ("x-a", "a=1, b=2")]
    )
    def test_are_combined_as_their_field_allows(self, name, combined):
        assert combine(name, ["a=1", "b=2"]) == combined
        assert Headers([(name, "a=1"), (name, "b=2")])[name] == combined
        assert combine(name, ["a=1"]) == "a=1"


class TestPrinting:
    def test_writes_lines_as_http_1_1_does(self):
        assert (
            str(Headers([("Host", "a"), ("X-É".replace("É", "E"), "é"), ("x-e", "")]))
            == "host: a\r\nx-e: é\r\nx-e: \r\n"
        )
        assert str(Headers()) == ""

    @given(lines)
    def test_what_was_printed_is_parsed_to_the_same(self, given_lines):
        headers = Headers(given_lines)
        assert Headers.parse(str(headers)) == headers
        assert Headers.parse(f"{headers}\r\n") == headers

    @given(lines)
    def test_a_mutable_one_parses_to_its_own_kind(self, given_lines):
        parsed = MutableHeaders.parse(str(Headers(given_lines)))
        assert type(parsed) is MutableHeaders

    @rows(
        "text, fields",
        ("A:b\r\n", [("a", "b")]), ("a: \t b c \t\r\n", [("a", "b c")]), ("a:\r\nb::\r\n", [("a", ""), ("b", ":")]),
        ("a: b", [("a", "b")]), ("", []),
    )  # fmt: skip
    def test_spaces_around_a_value_do_not_count(self, text, fields):
        assert Headers.parse(text).items() == fields

    @rows(
        "text",
            "a\r\n", "a b: c\r\n", "a : b\r\n", ": b\r\n", " a: b\r\n", "a: b\r\n c\r\n", "a: b\r\n c: d\r\n",
            "a: b\nc: d\r\n", "a: b\rc\r\n", "a: b\0\r\n", "GET / HTTP/1.1\r\na: b\r\n", "a: b\r\n\r\nc: d\r\n",
        ids=ascii,
    )  # fmt: skip
    def test_a_section_that_is_not_well_formed_is_refused(self, text):
        with pytest.raises(ValueError, match=r"header|line"):
            Headers.parse(text)

    @given(st.text(st.sampled_from("aB-: \t\r\n\0é,;\u0100")))
    def test_parsing_raises_nothing_but_value_error(self, text):
        try:
            headers = Headers.parse(text)
        except ValueError:
            return
        assert Headers.parse(str(headers)) == headers


few_names = st.sampled_from(["a", "A", "accept", "Accept", "set-cookie", "Cookie", "date"])
few_values = st.sampled_from(["", "1", "2", "3, 4", "é"])
few_lines = st.lists(st.tuples(few_names, few_values), max_size=4)


class ComparedWithAList(RuleBasedStateMachine):
    """MutableHeaders beside a list of lines, changed in the plainest way."""

    def __init__(self):
        super().__init__()
        self.headers = MutableHeaders()
        self.lines = []

    def without(self, *dropped):
        return [line for line in self.lines if line[0] not in dropped]

    def of(self, name):
        return [value for key, value in self.lines if key == name.lower()]

    @rule(name=few_names, value=few_values)
    def set(self, name, value):
        self.headers[name] = value
        self.lines = [*self.without(name.lower()), (name.lower(), value)]

    @rule(names=st.sets(few_names.map(str.lower)))
    def discard(self, names):
        self.headers.discard(names)
        self.lines = self.without(*names)

    @rule(name=few_names, value=few_values)
    def add(self, name, value):
        self.headers.add(name, value)
        self.lines.append((name.lower(), value))

    @rule(fields=few_lines)
    def update(self, fields):
        self.headers.update(fields)
        lowered = [(name.lower(), value) for name, value in fields]
        self.lines = self.without(*dict(lowered)) + lowered

    @rule(fields=few_lines)
    def extend(self, fields):
        self.headers.extend(fields)
        self.lines += [(name.lower(), value) for name, value in fields]

    @rule(name=few_names, value=few_values)
    def setdefault(self, name, value):
        present = self.of(name)
        wanted = combine(name.lower(), present) if present else value
        assert self.headers.setdefault(name, value) == wanted
        if not present:
            self.lines.append((name.lower(), value))

    @rule(name=few_names)
    def delete(self, name):
        if self.of(name):
            del self.headers[name]
        else:
            with pytest.raises(KeyError, match=name):
                del self.headers[name]
        self.lines = self.without(name.lower())

    @rule(name=few_names)
    def pop(self, name):
        present = self.of(name)
        assert self.headers.pop(name, "none") == (combine(name.lower(), present) if present else "none")
        self.lines = self.without(name.lower())

    @precondition(lambda self: self.lines)
    @rule(bad=st.sampled_from([("a b", "1"), ("a", "1\r\n")]))
    def fail(self, bad):
        for change in (self.headers.update, self.headers.extend):
            with pytest.raises(ValueError, match="header"):
                change([("a", "lost"), bad])
        with pytest.raises(ValueError, match="header"):
            self.headers[bad[0]] = bad[1]

    @invariant()
    def same(self):
        assert self.headers.items() == self.lines
        assert self.headers == Headers(self.lines)
        assert self.headers.keys() == list(dict(self.lines))
        assert str(self.headers) == "".join(f"{name}: {value}\r\n" for name, value in self.lines)
        for name in ("a", "accept", "set-cookie", "cookie", "date", "x"):
            assert (name.upper() in self.headers) == bool(self.of(name))
            assert self.headers.getall(name) == Headers(self.lines).getall(name)


TestMutableHeaders = ComparedWithAList.TestCase


class TestChanging:
    def test_is_not_offered_by_those_that_do_not_change(self):
        headers = Headers({"a": "1"})
        with pytest.raises(TypeError):
            headers["a"] = "2"
        with pytest.raises(TypeError):
            del headers["a"]
        assert not hasattr(headers, "add")
        assert headers.items() == [("a", "1")]

    def test_over_a_list_changes_that_list(self):
        fields = [("a", "1")]
        view = MutableHeaders.over(fields)
        view.add("B", "2")
        view["a"] = "3"
        assert fields == [("b", "2"), ("a", "3")]
        fields.append(("c", "4"))
        assert view["c"] == "4"

    def test_pop_without_a_default_gives_none(self):
        assert MutableHeaders().pop("a") is None

    def test_may_take_from_itself(self):
        headers = MutableHeaders({"a": "1"})
        headers.extend(headers)
        assert headers.items() == [("a", "1"), ("a", "1")]
        headers.update(headers)
        assert headers.items() == [("a", "1"), ("a", "1")]

    @rows("again", [copy.copy, copy.deepcopy, MutableHeaders, lambda headers: pickle.loads(pickle.dumps(headers))])
    def test_of_a_copy_leaves_the_original_alone(self, again):
        headers = MutableHeaders({"a": "1"})
        other = again(headers)
        assert other == headers
        other.add("b", "2")
        assert headers.items() == [("a", "1")]


@given(lines)
def test_combined_gives_what_reading_each_field_gives(fields):
    headers = Headers(fields)
    assert combined(headers.items()) == {name: headers.get(name) for name in headers}


def test_a_line_that_is_put_stands_in_place_of_all_that_the_field_had():
    fields = [("a", "1"), ("b", "2"), ("a", "3")]
    put_line(fields, ("a", "4"))
    assert fields == [("b", "2"), ("a", "4")]
    put_line(fields, ("c", "5"))
    assert fields == [("b", "2"), ("a", "4"), ("c", "5")]


SETTING = {
    "[]": lambda fields, name: fields.__setitem__(name, "a"),
    "add": lambda fields, name: fields.add(name, "a"),
    "update": lambda fields, name: fields.update({name: "a"}),
    "extend": lambda fields, name: fields.extend([(name, "a")]),
    "setdefault": lambda fields, name: fields.setdefault(name, "a"),
}


@rows("set_field", SETTING.values(), ids=SETTING)
def test_an_underscore_in_the_name_of_a_known_field_is_refused_with_the_name_that_was_meant(set_field):
    fields = MutableHeaders()
    for name in ("content_type", "set_cookie", "x-frame_options"):
        meant = name.replace("_", "-")
        with pytest.raises(ValueError, match=f"a header's name must have hyphens: '{meant}', not '{name}'"):
            set_field(fields, name)
    assert not fields
    set_field(fields, "x_my_own")
    assert fields["x_my_own"] == "a"


def test_a_name_that_was_received_is_kept():
    assert Headers([("content_type", "a")])["content_type"] == "a"
