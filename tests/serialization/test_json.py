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
from typing import Any, Generic, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.authorization import Authorization
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import ETag
from antiphon.http.errors import BadRequest
from antiphon.http.headers import Headers
from antiphon.http.media_type import MediaType
from antiphon.http.multidict import MultiDict
from antiphon.http.ranges import ContentRange, Range
from antiphon.serialization.json import decode_json, encode_json, pointer_step
from tests.helpers.rows import rows

T = TypeVar("T")

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


EMPTY = "the body is empty where JSON was expected"
TOO_DEEP = "The JSON is nested more than 200 levels deep."
TOO_LARGE = "the JSON has a number that is too large"
MALFORMED = "the JSON is malformed"
NOT_UTF_8 = "the JSON is not in UTF-8"
WIDE = f"{NOT_UTF_8}: it looks like UTF-16 or UTF-32 (byte 0)"
HALF_PAIR = "the JSON has half of a surrogate pair"


@rows(
    "data, detail",
    (b"", EMPTY),
    (b" \r\n", EMPTY),
    (b"\xef\xbb\xbf", EMPTY),
    (b'{"a": }', f"{MALFORMED}: invalid character (byte 6)"),
    (b'\xef\xbb\xbf{"a": }', f"{MALFORMED}: invalid character (byte 9)"),
    (b"[1 2]", f"{MALFORMED}: expected ',' or ']' (byte 3)"),
    (b"[1,]", f"{MALFORMED}: trailing comma in array (byte 3)"),
    (b"{} {}", f"{MALFORMED}: trailing characters (byte 3)"),
    (rb'["\u12g4"]', f"{MALFORMED}: invalid character in unicode escape (byte 6)"),
    (b"1 2", f"{MALFORMED}: trailing characters (byte 2)"),
    (b"{'a': 1}", f"{MALFORMED}: object keys must be strings (byte 1)"),
    (b"/**/1", f"{MALFORMED}: invalid character (byte 0)"),
    (b"[NaN]", f"{MALFORMED}: invalid character (byte 1)"),
    (b"-Infinity", f"{MALFORMED}: invalid character (byte 1)"),
    (b"[01]", f"{MALFORMED}: invalid number (byte 2)"),
    (b'["a\x00"]', f"{MALFORMED}: invalid character (byte 3)"),
    (b'["a\n"]', f"{MALFORMED}: invalid character (byte 3)"),
    (b'["\\x41"]', f"{MALFORMED}: invalid escape character in string (byte 3)"),
    (b'{"a": [1, 2', "the JSON ends before it is complete (byte 11)"),
    (b'\xef\xbb\xbf{"a', "the JSON ends before it is complete (byte 6)"),
    (b'["abc", "d\xff"]', f"{NOT_UTF_8}: invalid start byte (byte 10)"),
    (b'{"a\xff": 1}', f"{NOT_UTF_8}: invalid start byte (byte 3)"),
    (b'"\xed\xa0\x80"', f"{NOT_UTF_8}: invalid continuation byte (byte 1)"),
    (b'"\xc0\x80"', f"{NOT_UTF_8}: invalid start byte (byte 1)"),
    ('{"a": 1}'.encode("utf-16"), WIDE),
    ('{"a": 1}'.encode("utf-16-le"), WIDE),
    ('{"a": 1}'.encode("utf-16-be"), WIDE),
    ("1".encode("utf-16-le"), WIDE),
    ("[]".encode("utf-32"), WIDE),
    ("[]".encode("utf-32-le"), WIDE),
    ("[]".encode("utf-32-be"), WIDE),
    (b'"\\ud800"', f"{HALF_PAIR} (byte 1)"),
    (b'{"\\uDBff": 1}', f"{HALF_PAIR} (byte 2)"),
    (b'"\\udc00"', f"{MALFORMED}: invalid utf-16 surrogate pair (byte 1)"),
    (b'"\\ud800\\u0041"', f"{MALFORMED}: invalid utf-16 surrogate pair (byte 7)"),
    (b"[1e400]", f"{TOO_LARGE} (byte 1)"),
    (b'\xef\xbb\xbf["1e400", 1.5, 2e307, -1.8e308]', f"{TOO_LARGE} (byte 25)"),
    (b'{"a\\"": ' + b"9" * 5000 + b"}", f"{TOO_LARGE} (byte 8)"),
    (b"-" + b"9" * 4301, f"{TOO_LARGE} (byte 0)"),
    (b"[" + b"1," * 20_000 + b"1e400]", TOO_LARGE),
    (b"[" * 201 + b"]" * 201, TOO_DEEP),
    (b"[" * 100_000, TOO_DEEP),
    (b"[" * 100_000 + b"]" * 100_000, TOO_DEEP),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, TOO_DEEP),
    (b'[{"a":' * 50_000, TOO_DEEP),
    ids=lambda value: ascii(value[:20]),
)
def test_what_is_no_json_is_a_bad_request_that_says_why_and_where(data, detail):
    with pytest.raises(BadRequest) as caught:
        decode_json(data)
    assert caught.value.detail == detail


@rows(
    "data, value",
    (b"\xef\xbb\xbf[1]", [1]),
    (b' {"a" : 1}\r\n\t', {"a": 1}),
    (b'{"a": 1, "a": 2}', {"a": 2}),
    (b'"\\u0000"', "\0"),
    (b'"\x7f"', "\x7f"),
    (b'"\\ud83d\\ude00"', "\U0001f600"),
    (b"-0.0", -0.0),
    (b"1e-400", 0.0),
    (b"1." + b"1" * 5000, 1.1111111111111112),
    (b"[18446744073709551617, -99999999999999999999]", [2**64 + 1, -(10**20) + 1]),
    (b"7" * 4300, int("7" * 4300)),
    (b'"' + b"[{" * 1000 + b'"', "[{" * 1000),
    (b"[" * 200 + b"]" * 200, None),
    ids=lambda value: ascii(value)[:20],
)
def test_what_is_json_is_a_value(data, value):
    decoded = decode_json(data)
    assert value is None or (type(decoded), decoded) == (type(value), value)


def test_how_deep_json_may_be_nested_can_be_said():
    assert decode_json(b"[[0]]", depth=2) == [[0]]
    assert decode_json(b"0", depth=0) == 0
    with pytest.raises(BadRequest, match="nested more than 1 levels deep") as caught:
        decode_json(b"[[0]]", depth=1)
    assert caught.value.members == {"limit": "json_depth", "maximum": 1}
    with pytest.raises(BadRequest, match="nested"):
        decode_json(b"[" * 90_000 + b"]" * 90_000, depth=100_000)


@rows(
    "value, text",
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
    (MediaType.parse('Text/Plain; charset="utf-8"'), '"text/plain; charset=utf-8"'),
    ({"etag": ETag("v1", weak=True)}, '{"etag":"W/\\"v1\\""}'),
    ([CacheControl(max_age=60, public=True)], '["max-age=60, public"]'),
    (Range.parse("bytes=0-99,-5"), '"bytes=0-99,-5"'),
    (ContentRange(0, 99, 1234), '"bytes 0-99/1234"'),
    ({MediaType("image", "png"): 1}, '{"image/png":1}'),
    ids=lambda value: type(value).__name__,
)
def test_values_are_written_as(value, text):
    assert encode_json(value).decode() == text


@rows(
    "value, message",
    (Opaque(), "Opaque can't be written as JSON"),
    (iter([1]), "list_iterator can't be written as JSON"),
    ([1, {"a/b": [Opaque()]}], "Opaque can't be written as JSON: it is at /1/a~1b/0"),
    (Order(1, note=(1, Opaque())), "Opaque can't be written as JSON: it is at /note/1"),
    (Point(1, {"deep": Order(1, Opaque)}), "type can't be written as JSON: it is at /y/deep/note"),
    ({"a": MultiDict([("b", 1j)])}, "complex can't be written as JSON: it is at /a/b/0"),
    ({"a": MappingProxyType({"b": {1j}})}, "complex can't be written as JSON: it is at /a/b/0"),
    ({(1, 2): 3}, "tuple can't be written as a name in JSON"),
    ([{frozenset(): 3}], "frozenset can't be written as a name in JSON"),
    ({Opaque: 3}, "type can't be written as JSON"),
    ([Broken()], "this list can't be written as JSON: it is broken"),
    ({"who": Authorization.basic("Ada", "secret")}, "Authorization can't be written as JSON: it is at /who"),
    ids=lambda value: value[:30] if isinstance(value, str) else type(value).__name__,
)
def test_a_value_that_json_lacks_is_a_type_error_with_its_type_and_place(value, message):
    with pytest.raises(TypeError) as caught:
        encode_json(value)
    assert str(caught.value).startswith(message)
    assert ": it is at" in message or ": it is at" not in str(caught.value)


def written(value):
    if isinstance(value, Opaque):
        return {"opaque": True}
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    if isinstance(value, complex):
        return [Opaque()]
    if isinstance(value, memoryview):
        raise OSError("the view is closed")
    if isinstance(value, type):
        return value
    raise TypeError(f"no {type(value).__name__} here")


@rows(
    "value, text",
    (Opaque(), '{"opaque":true}'),
    ([Opaque(), {"a": Opaque()}], '[{"opaque":true},{"a":{"opaque":true}}]'),
    (1j, '[{"opaque":true}]'),
    ({(1, 2): 3}, '{"1-2":3}'),
    ([deque([1]), Decimal(1), Text("a")], '[[1],"1","a"]'),
    ids=["opaque", "opaque within", "complex", "a key", "others"],
)
def test_a_default_says_how_a_value_is_written_that_json_lacks(value, text):
    assert encode_json(value, written).decode() == text


def test_a_default_that_does_not_know_a_value_is_a_type_error_with_its_place():
    with pytest.raises(TypeError) as caught:
        encode_json({"a": [iter(())]}, written)
    message = "tuple_iterator can't be written as JSON: it is at /a/0; no tuple_iterator here"
    assert str(caught.value) == message
    assert str(caught.value.__cause__) == "no tuple_iterator here"


def test_the_place_of_a_value_is_looked_for_in_a_bounded_part_only():
    with pytest.raises(TypeError, match=r"(?m)^Opaque can't be written as JSON: it is at /5000$"):
        encode_json([0] * 5000 + [Opaque()])
    with pytest.raises(TypeError, match=r"(?m)^Opaque can't be written as JSON$"):
        encode_json([0] * 100_000 + [Opaque()])


ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)


@rows(
    "value, default, error, message",
    ([Opaque()], lambda _: written(memoryview(b"")), OSError, "the view is closed"),
    ([int], written, ValueError, "this list can't be written as JSON: it contains itself"),
    (ENDLESS, None, ValueError, "this list can't be written as JSON: it contains itself"),
    ({"a": "\ud800"}, None, ValueError, "surrogates"),
    ids=["its own error", "the value itself", "an endless list", "half a surrogate pair"],
)
def test_what_has_no_end_or_no_text_is_an_error(value, default, error, message):
    with pytest.raises(error, match=message):
        encode_json(value, default)


@rows("name, step", [("a", "/a"), ("", "/"), ("a/b~c", "/a~1b~0c"), ("~1", "/~01")])
def test_pointer_steps_escape_tilde_and_slash(name, step):
    assert pointer_step(name) == step


UNSET = msgspec.UNSET


class Patch(msgspec.Struct):
    name: str | msgspec.UnsetType = UNSET
    more: Any = None


@rows(
    "value, text",
    ({"x": UNSET}, "{}"),
    ({"x": UNSET, "y": 1}, '{"y":1}'),
    ({"a": [{"x": UNSET, "y": "UNSET"}]}, '{"a":[{"y":"UNSET"}]}'),
    (Patch(more={"x": UNSET, 1: b"\0"}), '{"more":{"1":"AA=="}}'),
    ([Patch("a", (Patch(more={"x": UNSET}),))], '[{"name":"a","more":[{"more":{}}]}]'),
    ({"x": UNSET, "own": 1j}, '{"own":"1j"}'),
    ids=str,
)
def test_a_member_that_is_unset_is_left_out(value, text):
    assert encode_json(value, default=str) == text.encode()


@rows("value, place", [(UNSET, ""), ([UNSET], "/0"), ({"x": UNSET, "a": [1, UNSET]}, "/a/1")])
def test_an_item_that_is_unset_has_no_place_in_json(value, place):
    with pytest.raises(TypeError, match=f"UnsetType can't be written as JSON(: it is at {place})?\n"):
        encode_json(value)


@dataclasses.dataclass
class Line:
    name: str
    amount: int = 1


@dataclasses.dataclass(frozen=True)
class Basket:
    lines: list[Line]
    note: str = ""
    first: Line | None = None


@dataclasses.dataclass(slots=True)
class Slotted:
    line: Line
    amount: int = 1


class Held(msgspec.Struct):
    line: Line


@dataclasses.dataclass
class Page(Generic[T]):
    first: T
    number: int = 1


LINE = {"name": "a", "amount": 1}


@rows(
    "sent, wanted, written",
    ({"name": "a"}, Line, LINE),
    ([{"name": "a"}], list[Line], [LINE]),
    ({"x": {"name": "a"}}, dict[str, Line], {"x": LINE}),
    ({"lines": [{"name": "a"}]}, Basket, {"lines": [LINE], "note": "", "first": None}),
    ({"line": {"name": "a"}}, Slotted, {"line": LINE, "amount": 1}),
    ({"line": {"name": "a"}}, Held, {"line": LINE}),
    ([1, {"name": "a"}], tuple[int, Line], [1, LINE]),
    ({"first": 1}, Page[int], {"first": 1, "number": 1}),
)
def test_a_dataclass_that_msgspec_made_is_written_with_its_defaults(sent, wanted, written):
    for value in (msgspec.convert(sent, wanted), msgspec.json.decode(json.dumps(sent), type=wanted)):
        assert json.loads(encode_json({"answer": [value]})) == {"answer": [written]}
    assert json.loads(encode_json(msgspec.convert(sent, wanted))) == written
