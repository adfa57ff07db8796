import contextlib
import dataclasses
import datetime
import enum
import json
import math
import uuid
from collections import OrderedDict, UserDict, deque
from decimal import Decimal
from types import MappingProxyType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.errors import BadRequest
from antiphon.http.headers import Headers
from antiphon.http.multidict import MultiDict
from antiphon.json_codec import decode_json, encode_json, pointer_step

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Fraction(float):
    pass


class Colour(enum.Enum):
    RED = "red"


class Point(msgspec.Struct):
    x: int
    y: object = None


@dataclasses.dataclass
class Order:
    id: int
    note: object = None


class Opaque:
    pass


class Broken:
    def keys(self):
        raise TypeError("it is broken")

    def __getitem__(self, name):
        return name


@given(json_values)
def test_what_was_encoded_decodes_to_the_same(value):
    assert decode_json(encode_json(value)) == value


@given(json_values)
def test_decoding_agrees_with_the_standard_library(value):
    text = json.dumps(value).encode()
    assert decode_json(text) == json.loads(text)


@given(
    st.binary() | st.text(alphabet='[]{}",:0123456789eE+-.\\u\x00 tfn\ud800').map(lambda s: s.encode(errors="replace"))
)
def test_any_bytes_are_a_value_or_a_bad_request(data):
    with contextlib.suppress(BadRequest):
        decode_json(data)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "the body is empty where JSON was expected"),
        (b" \r\n", "the body is empty where JSON was expected"),
        (b"\xef\xbb\xbf{}", "the JSON starts with a byte order mark, which has no place there (byte 0)"),
        (b'{"a": }', "the JSON is malformed: invalid character (byte 6)"),
        (b"[1 2]", "the JSON is malformed: expected ',' or ']' (byte 3)"),
        (b"{'a': 1}", "the JSON is malformed: object keys must be strings (byte 1)"),
        (b"[NaN]", "the JSON is malformed: invalid character (byte 1)"),
        (b"-Infinity", "the JSON is malformed: invalid character (byte 1)"),
        (b"[01]", "the JSON is malformed: invalid number (byte 2)"),
        (b'{"a": [1, 2', "the JSON ends before it is complete (byte 11)"),
        (b'["abc", "d\xff"]', "the JSON is not in UTF-8: invalid start byte (byte 10)"),
        (b'{"a\xff": 1}', "the JSON is not in UTF-8: invalid start byte (byte 3)"),
        ('{"a": 1}'.encode("utf-16"), "the JSON is not in UTF-8: invalid start byte (byte 0)"),
        (b"[1e400]", "the JSON has a number that is too large"),
        (b"9" * 5000, "the JSON has a number that is too large"),
        (b"[" * 100_000, "the JSON is nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "the JSON is nested too deeply"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_malformed_json_is_a_bad_request_that_says_why_and_where(data, detail):
    with pytest.raises(BadRequest) as caught:
        decode_json(data)
    assert caught.value.detail == detail


def test_integers_are_exact():
    assert decode_json(b"[18446744073709551617, -99999999999999999999]") == [2**64 + 1, -(10**20) + 1]
    assert decode_json(b"7" * 4000) == int("7" * 4000)


def test_of_a_name_that_comes_twice_the_last_value_counts():
    assert decode_json(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, True, "ü"]}, '{"a":[1,null,true,"ü"]}'),
        (2**70, str(2**70)),
        (Order(1), '{"id":1,"note":null}'),
        (Point(1, Order(2)), '{"x":1,"y":{"id":2,"note":null}}'),
        (Colour.RED, '"red"'),
        (Decimal("1.10"), '"1.10"'),
        (datetime.date(2026, 1, 31), '"2026-01-31"'),
        (uuid.UUID(int=0), '"00000000-0000-0000-0000-000000000000"'),
        ({1}, "[1]"),
        (b"abc", '"YWJj"'),
        (math.nan, "null"),
        ([math.inf, -math.inf], "[null,null]"),
        (MultiDict([("a", 1), ("b", 2), ("a", 3)]), '{"a":[1,3],"b":[2]}'),
        (Headers([("Accept", "a"), ("accept", "b")]), '{"accept":"a, b"}'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        (UserDict({"a": Text("b")}), '{"a":"b"}'),
        (OrderedDict(a=1), '{"a":1}'),
        ([Text("<b>"), Whole(7), Fraction(0.5)], '["<b>",7,0.5]'),
        ({Text("a"): 1, 2: 3}, '{"a":1,"2":3}'),
        ({None: 1, True: 2, False: 3}, '{"null":1,"true":2,"false":3}'),
        (deque([1, Whole(2)]), "[1,2]"),
        ({"a": 1}.values(), "[1]"),
        (range(3), "[0,1,2]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_written_as(value, text):
    assert encode_json(value).decode() == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Opaque(), "Opaque can't be written as JSON"),
        (iter([1]), "list_iterator can't be written as JSON"),
        ([1, {"a/b": [Opaque()]}], "Opaque can't be written as JSON: it is at /1/a~1b/0"),
        (Order(1, note=(1, Opaque())), "Opaque can't be written as JSON: it is at /note/1"),
        (Point(1, {"deep": Order(1, Opaque)}), "type can't be written as JSON: it is at /y/deep/note"),
        ({"a": MultiDict([("b", 1j)])}, "complex can't be written as JSON"),
        ({(1, 2): 3}, "tuple can't be written as a name in JSON"),
        ([{frozenset(): 3}], "frozenset can't be written as a name in JSON"),
        ({Opaque: 3}, "type can't be written as JSON"),
        ([Broken()], "this list can't be written as JSON: it is broken"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else type(value).__name__,
)
def test_a_value_that_json_lacks_is_a_type_error_with_its_type_and_place(value, message):
    with pytest.raises(TypeError) as caught:
        encode_json(value)
    assert str(caught.value).startswith(message)
    assert ": it is at" in message or ": it is at" not in str(caught.value)


def test_the_place_of_a_value_is_looked_for_in_a_bounded_part_only():
    with pytest.raises(TypeError, match=r"^Opaque can't be written as JSON: it is at /5000$"):
        encode_json([0] * 5000 + [Opaque()])
    with pytest.raises(TypeError, match=r"^Opaque can't be written as JSON$"):
        encode_json([0] * 100_000 + [Opaque()])


def test_what_contains_itself_is_a_value_error():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="this list can't be written as JSON: it contains itself"):
        encode_json(endless)


def test_half_a_surrogate_pair_is_a_value_error():
    with pytest.raises(ValueError, match="surrogates"):
        encode_json({"a": "\ud800"})


@pytest.mark.parametrize(("name", "step"), [("a", "/a"), ("", "/"), ("a/b~c", "/a~1b~0c"), ("~1", "/~01")])
def test_pointer_steps_escape_tilde_and_slash(name, step):
    assert pointer_step(name) == step
