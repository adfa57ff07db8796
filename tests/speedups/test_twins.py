"""What is written in C does what its twin in Python does. The twin says what that is."""

from argparse import Namespace
from asyncio import sleep
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from functools import reduce
from gc import collect
from types import SimpleNamespace
from weakref import ref

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.http import Headers
from antiphon.http.head import RequestHead
from antiphon.http.reads import NOTHING_READ
from antiphon.request.request import NO_BODY
from antiphon.request.watching import reads_of
from antiphon.response.fields import NO_FIELDS, SharedFields
from antiphon.speedups import IS_COMPILED
from tests.helpers.rows import rows
from tests.helpers.twins import NAMES, NOT_BUILT, attributes_of, compiled, extension, look_up, outcome, pure

needs_the_extension = pytest.mark.skipif(extension is None, reason=NOT_BUILT)


@pytest.fixture(params=[pure, pytest.param(compiled, marks=needs_the_extension)])
def twin(request: pytest.FixtureRequest) -> Callable[[str], Callable[..., object]]:
    """Gives the function of a name, in Python or in C."""
    return request.param


FIELDS = {
    b"": {},
    b"&&": {},
    b"=": {"": ""},
    b"a": {"a": ""},
    b"a=1&b=2&a=3&": [("a", "1"), ("b", "2"), ("a", "3")],
    b"a=%31&b=2&a=3&c=%34": [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")],
    b"a&a": [("a", ""), ("a", "")],
    b"a=b=c==&=d": {"a": "b=c==", "": "d"},
    b"a+b=c+d%2B": {"a b": "c d+"},
    b"%26%3d=%25": {"&=": "%"},
    b"a=%&b=%4&c=%zz%41%": {"a": "%", "b": "%4", "c": "%zzA%"},
    b"a=%4&1=%": {"a": "%4", "1": "%"},
    b"a=%C3%A4%c3%a4&\xc3\xa4": {"a": "ää", "ä": ""},
    b"a=%E2%82&b=%AC\xe2": {"a": "\ufffd", "b": "\ufffd\ufffd"},
    b"a\0=%00\n": {"a\0": "\0\n"},
    b"a=" + 600 * b"%41" + b"&b=" + 600 * b"c": {"a": 600 * "A", "b": 600 * "c"},
}

COOKIES = {
    "": {},
    "; ;=; = ": [("", ""), ("", "")],
    "a=1; b=2;a=3;": [("a", "1"), ("b", "2"), ("a", "3")],
    "a=1; b=; =2; c==": {"a": "1", "b": "", "": "2", "c": "="},
    "a=1; b=2; a=3": [("a", "1"), ("b", "2"), ("a", "3")],
    "a=1; ; b; c=2 ;d=3": {"a": "1", "": "b", "c": "2", "d": "3"},
    " a\t= 1 ;\tb; ;": {"a": "1", "": "b"},
    'a="x;y=1"': {"a": '"x', "y": '1"'},
    "a=b=c\n\0": {"a": "b=c\n\0"},
    "a=\xc3\xa4;\xe4=1": {"a": "ä", "\ufffd": "1"},
    "ä=\u20ac": {"ä": "\u20ac"},
    "\ud800=1": {"\ud800": "1"},
}

REQUEST = "GET", "/a(b)/7", "/a b/<int:id>", 200, 13, 0.0012344, "cafe" * 8, False
TEXT = f"INFO GET /a(b)/7 200 13 bytes 1.2 ms /a b/<int:id> [{'cafe' * 8}]"
JSON = (
    '"level":"INFO","logger":"antiphon.access","message":"GET /a(b)/7 200 13 bytes 1.2 ms /a b/<int:id>",'
    f'"request_id":"{"cafe" * 8}","method":"GET","path":"/a(b)/7","route":"/a b/<int:id>","status":200,"bytes":13,'
    '"milliseconds":1.234,"disconnected":false}'
)
TIMES = {
    0.0: "1970-01-01T00:00:00.000Z",
    951782399.9996: "2000-02-28T23:59:59.999Z",
    951782400.0: "2000-02-29T00:00:00.000Z",
    1709251199.5: "2024-02-29T23:59:59.500Z",
    4107542400.001: "2100-03-01T00:00:00.001Z",
}

NESTED = {
    b"": 0, b"1": 0, b"[{}]": 2, b'{"a":[1,[2]],"b":{}}': 3, b'["[[[[", "\\"[["]': 1,
    b'["\\\\", ["[[", "\\\\\\"[[["]]': 2, b"[[]" + b"[]" * 20 + b"]": 2, b'["[[[[': 1, b"[]]]": 1, b"}{": 0, b"\\[": 1,
}  # fmt: skip

SLOW = {
    b"1e308": 1, b"[1E+308,2e-100]": 2, b"e100e100": 2, b"[1e99,1e+-100,1.000]": 0, b'["1e308", 1e308, "\\"1e308"]': 1,
    b'1e"a"100': 0, b'1e\\"100': 0, b"1e\\\\100": 0, b"1e10": 0, b"\xef\xbb\xbf[1e100]": 1,
    b'["\xff", 1e100, "\\ud800", NaN]': 1,
}  # fmt: skip
WITH_NULS = {
    rb'"\u0000"': 1, rb'["\u0000\u0000", {"\u0000": 1}]': 3, rb'["\\u0000", "\u0001", "\u000", "u0000"]': 0,
    rb'"\\\u0000\"\u0000"': 2, b'["%b"]' % (b"x" * 60 + rb"\u0000"): 1, rb'"\u0000\u000': 1, b"\0": 0,
}  # fmt: skip

START = b'--b\r\nContent-Disposition: form-data; name="a"'
HEADS = {
    START + b"\r\n\r\n": (b"a", None, None),
    START + b'; filename="b c"\r\n\r\nx': (b"a", b"b c", None),
    START + b'; filename=""\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n': (
        b"a",
        b"",
        "text/plain; charset=utf-8",
    ),
    START + b"\r\nContent-Type: a/b\r\n\r\n": (b"a", None, "a/b"),
}
UNUSUAL_ENDS = [
    b"", b"\r\n", b"\r\n\r", b" \r\n\r\n", b";\r\n\r\n", b"; filename=b\r\n\r\n", b'; filename="%22"\r\n\r\n',
    b'; filename="\\""\r\n\r\n', b'; filename="a', b'; filename="\0"\r\n\r\n', b'; filename="b"',
    b"\r\nContent-Type: \r\n\r\n", b"\r\nContent-Type: a  b\r\n\r\n", b"\r\nContent-Type: a \r\n\r\n",
    b"\r\nContent-Type:  a\r\n\r\n", b"\r\nContent-Type: \xe4\r\n\r\n", b"\r\nContent-Type:a\r\n\r\n",
    b"\r\nX-A: b\r\n\r\n",
]  # fmt: skip

LINES = {
    ("X-Frame-Options", "DENY"): ("x-frame-options", "DENY"),
    ("a", ""): ("a", ""),
    ("~_" * 40, "a b"): ("~_" * 40, "a b"),
    ("A" * 64, "~"): ("a" * 64, "~"),
    ("A" * 65, "a\tb"): ("a" * 65, "a\tb"),
    ("x-1", "\xe4\xff"): ("x-1", "\xe4\xff"),
}
CHECKED = [
    ({}, (), []),
    ({"X-A": "1", "b": ""}, (), [("x-a", "1"), ("b", "")]),
    ([("a", "1"), ("A", "\xe4")], (("a", "2"), ("b", "3")), [("a", "1"), ("a", "\xe4"), ("b", "3")]),
    (("ab", "Cd"), [("c", "e"), ("f", "g"), ("f", "h")], [("a", "b"), ("c", "d"), ("f", "g"), ("f", "h")]),
    (Headers({"a": "1"}), (("a", "2"),), [("a", "1")]),
    ((), (("a", "1"),), [("a", "1")]),
]
TYPES = (("content-type", "text/plain"), ("x-content-type-options", "nosniff"))
DECLARED = [
    (({"X-A": "1"}, TYPES), [("x-a", "1"), *TYPES]),
    (([], TYPES), [*TYPES]),
    (({"Content-Type": "a/b"}, TYPES), [("content-type", "a/b"), TYPES[1]]),
    (({"content-type": "text/css"}, TYPES[:1]), [("content-type", "text/css")]),
    (({"content-type": "text/plain"}, TYPES[:1]), [("content-type", "text/plain")]),
    (({"X_Own": "1"}, ()), [("x_own", "1")]),
]
CONTENT = [
    ((("\xe4", 201, {"A": "1"}), TYPES), (b"\xc3\xa4", [("a", "1"), *TYPES], 201)),
    ((("a", 200, {}), TYPES), (b"a", TYPES, 200)),
    ((("a", 203, [("a", "\xe4")]), TYPES), (b"a", [("a", "\xe4"), *TYPES], 203)),
    *(
        ((value, TYPES), None)
        for value in [("a", 404, {}), ("a", True, {}), ("a", "1", {}), (b"a", 200, {}), ("a", 200)]
    ),
]
WRITTEN = [
    None, "a", 1, 1.5, True, b"a", [], {}, [{"a": [1, (2, None)]}, object()], ({"a": object}, 1), {"a": [[1], {}, 2j]},
    reduce(lambda within, _: [within], range(99), 1), reduce(lambda within, _: {"a": within}, range(99), 1),
]  # fmt: skip
PUT = {
    (): [("a", "1")],
    (("b", "2"), ("c", "3")): [("b", "2"), ("c", "3"), ("a", "1")],
    (("a", "2"), ("b", "3"), ("a", "4")): [("b", "3"), ("a", "1")],
}
DISPOSITION = b'Content-Disposition: form-data; name="a'
FORM = b'--b\r\n%s"\r\n\r\n1\r\n--b\r\n%s"; filename=""\r\nContent-Type: c/d\r\n\r\n\r\n--b--\r\n' % (
    2 * (DISPOSITION,)
)
PARTS = [
    (b"a", None, None, 49, DISPOSITION + b'"', 50),
    (b"a", b"", "c/d", 133, DISPOSITION + b'"; filename=""\r\nContent-Type: c/d', 133),
]
UNUSUAL_FORMS = [
    (FORM, b"\r\n--b", 1, 100), (FORM, b"\r\n--b", 2, 74), (FORM, b"\r\n--c", 2, 100), (FORM[:-3], b"\r\n--b", 2, 100),
    (FORM + b"x", b"\r\n--b", 2, 100), (b"", b"\r\n--b", 2, 100),
    (FORM.replace(b"1", b"\r\n--bc"), b"\r\n--b", 2, 100),
]  # fmt: skip

KEPT = SharedFields.of([("cache-control", "public, max-age=60")])
OF_CACHES = {
    ("cache-control", "public"): True,
    ("cache-control", "private"): False,
    ("cache-control", "no-store, max-age=0"): False,
    ("cache-control", "private-ish"): True,
    ("cache-control", ""): True,
    ("cdn-cache-control", "no-store"): True,
    ("expires", "0"): True,
    ("surrogate-control", "max-age=1"): True,
    ("x-accel-expires", "1"): True,
    ("x-cache-controls", "public"): False,
    ("vary", "accept"): False,
}
"""Header lines, each with whether it may let shared caches store a response."""
CASES = [
    *(("parse_fields", (data,), fields) for data, fields in FIELDS.items()),
    *(("field_line", arguments, line) for arguments, line in LINES.items()),
    *(("split_cookies", (header,), cookies) for header, cookies in COOKIES.items()),
    *(("crossed_bounds", (data, depth, 1, 9), 0) for data, depth in NESTED.items()),
    *(("crossed_bounds", (data, depth - 1, 1, 9), 1) for data, depth in NESTED.items() if depth),
    *(("crossed_bounds", (data, 9, count, 9), 0) for data, count in SLOW.items()),
    *(("crossed_bounds", (data, 9, count - 1, 9), 2) for data, count in SLOW.items() if count),
    *(("crossed_bounds", (data, 9, 9, count), 0) for data, count in WITH_NULS.items()),
    *(("crossed_bounds", (data, 9, 9, count - 1), 4) for data, count in WITH_NULS.items() if count),
    ("crossed_bounds", (rb'[1e100, "\u0000"]', 1, 0, 0), 6),
    ("crossed_bounds", (rb'[[1e100, "\u0000"]]', 1, 0, 0), 1),
    ("crossed_bounds", (b"[]", 2**64, 2**64, 2**64), 0),
    *(
        ("split_usual_form", (data + b"\r\n--b--", b"\r\n--b", 1, 1024), [(*head, at + 4, data[5:at], len(data))])
        for data, head in HEADS.items()
        for at in [data.index(b"\r\n\r\n")]
    ),
    *(("split_usual_form", (START + end + b"\r\n--b--", b"\r\n--b", 1, 1024), None) for end in UNUSUAL_ENDS),
    ("split_usual_form", (FORM, b"\r\n--b", 2, 100), PARTS),
    ("split_usual_form", (b"--b--", b"\r\n--b", 0, 0), []),
    *(("split_usual_form", arguments, None) for arguments in UNUSUAL_FORMS),
    *(("request_as_text", (created, *REQUEST), f"{time} {TEXT}") for created, time in TIMES.items()),
    *(("set_defaults", (value,), None) for value in WRITTEN),
    *(("declared", arguments, lines) for arguments, lines in DECLARED),
    ("message_of", (b"abc", [("a", "b")], None, "GET"), (200, [("a", "b")], 3, b"abc", False, False)),
    ("message_of", (b"abc", NO_FIELDS, 201, "HEAD"), (201, NO_FIELDS, 3, b"abc", True, False)),
    ("message_of", (b"abc", KEPT, None, "GET"), (200, KEPT, 3, b"abc", False, True)),
    ("message_of", (b"", NO_FIELDS, 204, "GET"), (204, NO_FIELDS, None, b"", True, False)),
    ("message_of", (b"abc", [("content-length", "4")], None, "GET"), (200, [], 3, b"abc", False, False)),
    *(
        ("message_of", (b"", [line], None, "GET"), (200, [line], 0, b"", False, may_be_stored))
        for line, may_be_stored in OF_CACHES.items()
    ),
    (
        "message_of",
        ([b"abc"], [("content-length", "3")], None, "GET"),
        (200, [("content-length", "3")], None, [b"abc"], False, False),
    ),
    ("like", (Namespace(a=1),), Namespace()),
    *(("text_content", arguments, content) for arguments, content in CONTENT),
    ("encode_fields", ([],), []),
    ("encode_fields", ([("a", "b"), ("set-cookie", "\xc3\xa4")],), [(b"a", b"b"), (b"set-cookie", b"\xc3\xa4")]),
]


@rows("name, arguments, result", CASES)
def test_does_as_specified(twin, name, arguments, result):
    assert outcome(twin(name), *arguments) == (repr(type(result)), repr(result))


class Slotted:
    __slots__ = ("first", "second", "unset")


def test_an_object_like_another_has_its_slots_and_its_own_where_that_refers_to_its_class(twin):
    template = Slotted()
    template.first, template.second = Slotted, 2
    own, same = twin("like")("own", template), twin("like")(template)
    assert (own.first, own.second, hasattr(own, "unset")) == ("own", 2, False)
    assert (same.first, same.second, hasattr(same, "unset")) == (template, 2, False)


def test_what_requests_are_copies_of_can_be_shown():
    assert NO_BODY is None or "Request" in repr(NO_BODY)  # what looks for objects that are alive finds it


def steps(*yielded):
    yield from yielded
    return "result"


@rows(
    "begin, outcome_of",
    [
        (steps, ("<class 'str'>", "'result'")),
        (lambda: steps(7, 8), ("<class 'list'>", "['7']")),
        (lambda: (1 / 0 for _ in "a"), ("ZeroDivisionError", "division by zero")),
    ],
)
def test_steps_that_begin_end_or_wait(twin, begin, outcome_of):
    assert outcome(twin("begin_steps"), begin(), lambda effect: [str(effect)]) == outcome_of


@rows("created, time", TIMES.items())
def test_request_as_json_has_the_time(twin, created, time):
    expected = f'{{"time":"{time}",{JSON}'
    assert outcome(twin("request_as_json"), created, *REQUEST) == (repr(str), repr(expected))


@rows("fields, default, lines", CHECKED)
def test_fields_are_checked_and_completed(twin, fields, default, lines):
    assert twin("checked_fields")(fields, default) == twin("checked_fields")(iter(lines)) == lines


@rows("lines", PUT)
def test_a_line_that_is_put_takes_the_place_of_all_of_its_name(twin, lines):
    fields = [*lines]
    assert twin("put_line")(fields, ("a", "1")) is None
    assert fields == PUT[lines]


SECONDS = st.sampled_from([0.0, 0.005, 0.0051, 1.0, 10.0, 10.1, 5, -1.0, 1e10]) | st.floats(0, 20)
SIZES = st.sampled_from([0, 100, 101, 10**8, 10**8 + 1, -1, 1 << 54]) | st.integers(0, 10**9)


@needs_the_extension
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("add_to_cell", st.tuples(st.integers(-3, 45), st.sampled_from([0, 1, -1, 2**54, 2**63, 2**64, 1.5, "1"]))),
        ("count_exchange", st.tuples(st.integers(-3, 45), st.integers(-3, 45), SECONDS, SIZES, SIZES)),
    ],
)
@given(data=st.data())
def test_twins_count_in_the_same_cells(name, arguments, data):
    given = data.draw(arguments)
    cells = [memoryview(bytearray(8 * 40)).cast("q") for _ in "12"]
    outcomes = [outcome(twin(name), each, *given) for twin, each in zip((pure, compiled), cells, strict=True)]
    assert outcomes[0] == outcomes[1]
    assert cells[0].tolist() == cells[1].tolist()


@rows("name, arguments", [("add_to_cell", (0, 1)), ("count_exchange", (0, 1, 0.5, 1, 1))])
def test_cells_that_cannot_be_written_are_refused(twin, name, arguments):
    with pytest.raises(TypeError):
        twin(name)(memoryview(bytes(320)).cast("q"), *arguments)


PERCENT_PIECES = (
    b"& = % + %41 %c3 %A4 %E2%82 %AC \xe2 \x82 a 0 %00 %0 %3D %25 \0 \r\n name=value %ff \xff ++ %%".split()
)
urlencoded_bytes = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PERCENT_PIECES)).map(b"".join))

FIELD_NAMES = st.lists(
    st.sampled_from(["X-", "a", "Z", "0", "-", "~", " ", "\0", "\x80", "\u20ac", "\ud800", "a" * 32])
).map("".join)
FIELD_VALUES = st.lists(
    st.sampled_from([" ", "a", "~", "\t", "\r\n", "\0", "\x7f", "\x80", "\xff", "\u0100", "\ud800"])
).map("".join)
FORM_PIECES = [
    b"\r\n--b",
    b"--",
    b"\r\n",
    b"x",
    b"\r",
    b"\0",
    START + b'"\r\n\r\n',
    START + b'"; filename="c"\r\n\r\n1',
]

JSON_PIECES = [
    *(b'[ ] { } " \\ x e E 1 100 + - 1e308 , \xff \xef\xbb\xbf NaN \\ud800 "\\"" "[[[" [1e-100] {"a":1E+100}'.split()),
    *(b" " * 63, b"x" * 64, b"[]" * 32, b'"",' * 30, b"\\u0000", b"u0000"),
]

LOGGED = st.lists(st.sampled_from(["/", "a", "7", "%", '"', "\\", " ", "\n", "\x7f", "é", "\ud800", "null", "x" * 400]))
REQUESTS = st.tuples(
    st.floats(0, 4e11) | st.floats() | st.sampled_from([951782400.0, 253402300799.999, 253402300800.0, 4107542400.0]),
    LOGGED.map("".join),
    LOGGED.map("".join),
    LOGGED.map("".join),
    st.integers(100, 599) | st.integers() | st.booleans(),
    st.integers(0, 1 << 20) | st.integers(),
    st.floats(0, 2) | st.floats(0) | st.integers(0, 10**7).map(lambda number: number / 2e6),
    LOGGED.map("".join) | st.sampled_from(["", "-", "0123456789abcdef" * 2]),
    st.booleans(),
)

ARGUMENTS = {
    "request_as_text": REQUESTS,
    "request_as_json": REQUESTS,
    "parse_fields": st.tuples(urlencoded_bytes),
    "field_line": st.tuples(FIELD_NAMES, FIELD_VALUES),
    "checked_fields": st.tuples(
        st.dictionaries(FIELD_NAMES, FIELD_VALUES) | st.lists(st.tuples(FIELD_NAMES, FIELD_VALUES)),
        st.lists(st.tuples(FIELD_NAMES, FIELD_VALUES)).map(tuple),
    ),
    "declared": st.tuples(
        st.dictionaries(FIELD_NAMES | st.just("Content_Type"), FIELD_VALUES)
        | st.lists(st.sampled_from([*TYPES, ("content-type", "text/plain"), ("Content-Type", "a/b")])),
        st.sampled_from([(), TYPES[:1], TYPES]),
    ),
    "set_defaults": st.tuples(
        st.recursive(
            st.sampled_from([None, 1, "a", 2j]), lambda part: st.lists(part) | st.dictionaries(st.text(), part)
        )
    ),
    "split_cookies": st.tuples(st.text(st.sampled_from('ab;= \t"\0\xc3\xa4\u20ac\ud800')) | st.text()),
    "crossed_bounds": st.tuples(
        st.lists(st.sampled_from(JSON_PIECES)).map(b"".join) | st.binary(),
        st.integers(0, 5),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    "split_usual_form": st.tuples(
        st.lists(st.sampled_from(FORM_PIECES)).map(lambda pieces: b"--b" + b"".join(pieces)),
        st.sampled_from([b"\r\n--b", b"\r\n--"]),
        st.integers(-1, 3),
        st.sampled_from([0, 60, 1024]),
    ),
    "message_of": st.tuples(
        st.binary(max_size=3) | st.just([]),
        st.lists(
            st.tuples(
                st.sampled_from(["content-length", "transfer-encoding", "cache-control", "expires", "a"]),
                st.text("03a", max_size=1) | st.sampled_from(["private", "no-store, a", "private-a"]),
            )
        )
        | st.sampled_from([NO_FIELDS, KEPT]),
        st.sampled_from([None, 200, 204, 205, 304, 404, True]),
        st.sampled_from(["GET", "HEAD"]),
    ),
    "encode_fields": st.tuples(st.lists(st.tuples(st.text(), st.text(st.characters(max_codepoint=300))))),
}


@needs_the_extension
@pytest.mark.parametrize("name", ARGUMENTS)
@given(data=st.data())
def test_twins_agree_on_generated_arguments(name, data):
    arguments = data.draw(ARGUMENTS[name])
    assert outcome(compiled(name), *arguments) == outcome(pure(name), *arguments)


@rows("count", [1, 5, 31, 32, 33, 1000])
def test_the_index_of_few_or_many_header_lines_finds_each(twin, count):
    lines = [(b"x-%d" % number, b"%d" % number) for number in range(count - 1)] + [(b"host", b"a")]
    names = [name.decode() for name, _ in lines]
    found = [value.decode() for _, value in lines] + [None, None, None]
    assert look_up(twin, lines, *names, "x-", "", "Host") == (b"a", False, None, found)


SCOPE = {"type": "http", "method": "GET", "path": "/a", "headers": [(b"host", b"b")], "http_version": "1.1"}
ENVIRON = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a", "HTTP_HOST": "b", "SERVER_PROTOCOL": "HTTP/1.1"}
LONG = [(b"host", b"b"), (b"content-length", b"7")]
NO_ROOM = ("TypeError", "a class of heads must be derived from HeadMembers in C")
"""What happens where the extension isn't in use, so that the classes have no members in C."""


def test_heads_record_what_was_read_of_them(twin):
    heads = [type("Head", (), {"reads": None})(), RequestHead()]
    if IS_COMPILED:
        heads += [compiled("ASGIHead")(SCOPE, None, None), compiled("WSGIHead")(ENVIRON)]
    for head in heads:
        for name in ("a", "b", "a", ":query", ""):
            twin("record_read")(head, name)
        assert reads_of(head) == {"a", "b", ":query", ""}
    assert twin("record_read")(object(), "a") is None  # a head that doesn't record what is read
    assert reads_of(object()) == {"*"}


def test_names_that_clients_choose_take_a_bounded_amount_of_memory(twin):
    for number in range(5000):
        twin("record_read")(head := RequestHead(), f"x-{number}")
    assert reads_of(head) == {"x-4999"}
    assert len(NOTHING_READ) < 1100


@needs_the_extension
@rows(
    "name, arguments",
    *(
        ("ASGIHead", ({**SCOPE, **other}, "receive", "send"))
        for other in (
            {}, {"headers": LONG}, {"headers": tuple(LONG)}, {"headers": []}, {"headers": None}, {"headers": [()]},
            {"http_version": "2"}, {"http_version": "3", "headers": LONG}, {"http_version": ""}, {"http_version": 2},
            {"path": "/ä\u20ac"}, {"path": "a"}, {"path": ""}, {"path": None}, {"path": "http://c/a"}, {"method": 1},
            {"root_path": ""}, {"root_path": "/a"}, {"root_path": "/c/"}, {"root_path": 1}, {"root_path": None},
        )
    ),
    *(("ASGIHead", arguments) for arguments in ((), ({}, 1, 2), (SCOPE,), (SCOPE, 1), (SCOPE, 1, 2, 3), (None, 1, 2))),
    *(
        ("WSGIHead", ({**ENVIRON, **other},))
        for other in (
            {}, {"CONTENT_LENGTH": "7"}, {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": None}, {"CONTENT_LENGTH": 0},
            {"HTTP_TRANSFER_ENCODING": ""}, {"SERVER_PROTOCOL": "HTTP/2"}, {"SERVER_PROTOCOL": "HTTP/1.0"},
            {"SERVER_PROTOCOL": ""}, {"SERVER_PROTOCOL": None}, {"PATH_INFO": ""}, {"PATH_INFO": "\xc3\xa4"},
            {"PATH_INFO": None}, {"PATH_INFO": "\ud800"}, {"RAW_URI": "/a?b"}, {"REQUEST_URI": "/a", "RAW_URI": "/b"},
            {"RAW_URI": "http://c/a"}, {"REQUEST_URI": "http://c:1/a"}, {"RAW_URI": ""}, {"HTTP_HOST": ""},
            {"HTTP_HOST": None}, {"REQUEST_METHOD": None},
        )
    ),
    *(("WSGIHead", arguments) for arguments in ((), ({},), (ENVIRON, 1), (None,), ({"REQUEST_METHOD": "GET"},))),
)  # fmt: skip
def test_a_head_in_c_has_the_attributes_that_its_class_gives_it(name, arguments):
    read = outcome(attributes_of, pure(name), *arguments) if IS_COMPILED else NO_ROOM
    assert outcome(attributes_of, compiled(name), *arguments) == read


def test_the_index_of_header_lines_stays_when_they_change(twin):
    lines = [(b"a", b"1")]
    index, *_ = twin("index_lines")(lines)
    lines[0] = (b"b", b"2")
    assert [twin("find_line")(index, name) for name in ("a", "b")] == ["1", None]


MANY = [(b"x-%d" % number, b"") for number in range(300)]


@needs_the_extension
@rows("count, kind", (1, tuple), (100, tuple), (200, tuple), (300, dict))
def test_few_hundred_header_lines_are_searched_in_c_without_an_index_by_name(count, kind):
    assert type(compiled("index_lines")(MANY[:count])[0]) is kind


@rows(
    "lines, found",
    ([], (None, False, None, [None, None])),
    ([*MANY[:100], (b"cookie", b"b"), (b"host", b"a")], (b"a", False, None, ["b", None])),
    ([*MANY, (b"cookie", b"b"), (b"host", b"a")], (b"a", False, None, ["b", None])),
    (((b"host", b"a"), (b"cookie", b"b")), (b"a", False, None, ["b", None])),
    ([[b"host", b"a"], [b"content-length", b"1"]], (b"a", True, 1, [None, None])),
    ([(b"transfer-encoding", b"")], (None, True, None, [None, None])),
    ([(b"host", b"a"), (b"cookie", b"b"), (b"cookie", b"c"), (b"host", b"d")], (b"a, d", False, None, ["b; c", None])),
    ([(b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"content-length", b"1")], (None, True, 1, [None, "a"])),
    ([(b"content-length", b"1"), (b"content-length", b"1")], (None, True, None, [None, None])),
    ([(b"content-length", 19 * b"9")], (None, True, 10**19 - 1, [None, None])),
    ([(b"content-length", 20 * b"0")], (None, True, None, [None, None])),
)
def test_the_index_of_header_lines_combines_those_of_one_name(twin, lines, found):
    assert look_up(twin, lines, "cookie", "set-cookie") == found


def test_names_and_values_of_header_lines_are_latin_1(twin):
    lines = [(b"\xe4", b"\xfc"), (b"host", b"a"), (b"?", b"b")]
    assert look_up(twin, lines, "\xe4", "\u20ac", "\ud800", "\xc3\xa4") == (b"a", False, None, ["\xfc", "b", "b", None])


field_names = st.sampled_from(
    [*b"host cookie set-cookie content-length content-encoding transfer-encoding a b \xe4 ?".split(), b""]
)


@needs_the_extension
@given(
    st.lists(st.tuples(field_names, st.sampled_from([b"0", b"12"]) | st.binary(max_size=2)), max_size=40),
    st.lists(field_names.map(lambda name: name.decode("latin-1")) | st.text()),
)
def test_the_indexes_of_header_lines_find_the_same(lines, names):
    assert outcome(look_up, compiled, lines, *names) == outcome(look_up, pure, lines, *names)


def declared(descriptor, name, compute):
    descriptor.compute, descriptor.name = compute, name
    return type("Circle", (), {name: descriptor})


def test_an_attribute_is_computed_on_first_read(twin):
    circle = declared(twin("ComputedOnce")(), "area", lambda circle: [circle])()
    assert circle.area is circle.area
    assert circle.area == vars(circle)["area"] == [circle]


def test_an_attribute_that_cannot_be_computed_or_kept_is_not_there(twin):
    descriptor = twin("ComputedOnce")()
    circle = type("Circle", (), {"area": descriptor})()
    assert type(circle).area is descriptor
    for member, value in {"name": "area", "compute": lambda circle: 3}.items():
        with pytest.raises(AttributeError, match=member):
            circle.area  # noqa: B018 - what it raises
        setattr(descriptor, member, value)
    assert circle.area == 3
    del descriptor.compute
    assert [circle.area, getattr(type(circle)(), "area", None)] == [3, None]


def test_a_class_with_such_an_attribute_is_collected(twin):
    def make():
        circle = declared(twin("ComputedOnce")(), "area", lambda _circle: circle)
        return ref(circle)

    gone = make()
    collect()
    assert gone() is None


def test_an_attribute_is_made_on_the_class_and_read_on_an_instance(twin):
    descriptor = twin("MadeOrRead")()
    circle = type("Circle", (), {"area": descriptor})
    for instance, member in [(circle, "make"), (circle(), "read")]:
        with pytest.raises(AttributeError, match=member):
            instance.area  # noqa: B018 - what it raises
    descriptor.make, descriptor.read = lambda cls, *sides: (cls, sides), lambda circle: [circle]
    ellipse, round_one = type("Ellipse", (circle,), {}), circle()
    assert (ellipse.area(2, 3), round_one.area) == ((ellipse, (2, 3)), [round_one])
    descriptor.read = lambda circle: 1 / 0
    with pytest.raises(ZeroDivisionError):
        round_one.area  # noqa: B018 - what it raises


def test_a_value_is_found_by_its_name(twin):
    class Pairs(twin("ByName")):
        def __init__(self, *given):
            self.given = given

        def _absent(self, name):
            return LookupError(name)

    values = {"a": 1}
    held, other = Pairs._holding(values), Pairs._holding([("a", 1)])
    assert (held["a"], held._found is values, held._repeating) == (1, True, None)
    assert other.given == ([("a", 1)],)
    for pairs, name, kind in [(held, "b", LookupError), (held, ("b", "c"), LookupError), (held, [], TypeError),
                              (other, "a", AttributeError)]:  # fmt: skip
        with pytest.raises(kind) as raised:
            pairs[name]
        assert raised.value.__cause__ is None
    with pytest.raises(LookupError) as raised:
        held["b"]
    assert (raised.value.args, raised.value.__suppress_context__) == (("b",), True)
    del held._found
    with pytest.raises(AttributeError, match="_found"):
        held["a"]


class Text(str):
    """A str with a type of its own."""


class Data(bytes):
    """A bytes object with a type of its own."""


ODD = [
    None, 1, -1, 1 << 63, 1 << 64, 1.5, "", "a=%41", "\ud800;", "ä=ü", "a\0=b", Text("a=b"), Text("ä"), b"", b"a=%41",
    Data(b"a=b"), bytearray(b"a=%41"), memoryview(b"a=%41"), memoryview(b"abcdef")[::2], [], (b"a",), int,
]  # fmt: skip


@needs_the_extension
@pytest.mark.parametrize("name", NAMES)
@given(arguments=st.lists(st.sampled_from(ODD), max_size=5))
@example(arguments=[])
@example(arguments=[[]])
def test_twins_agree_on_arguments_of_any_type(name, arguments):
    for_each = [
        [copy(each) if type(each) in (list, bytearray) else each for each in arguments] for _ in "12"
    ]  # may change
    assert outcome(compiled(name), *for_each[0]) == outcome(pure(name), *for_each[1])


async def _ends():
    response = yield
    assert response == "sent"


async def _yields():
    yield f"{(yield)}, too"


async def _waits():
    yield
    await sleep(0)


async def _fails():
    raise LookupError((yield))


@rows("function, expected", [(_ends, None), (_yields, ("sent, too",)), (_waits, (None,))])
def test_a_response_is_sent_to_a_generator(twin, function, expected):
    result = twin("send_in_place")(_at_its_yield(function), "sent")
    assert (result if result is None else result[-1:]) == expected
    if function is _waits:
        assert outcome(result[0].send, None)[0] == "StopAsyncIteration"


def test_the_error_of_a_generator_is_raised(twin):
    assert outcome(twin("send_in_place"), _at_its_yield(_fails), "sent") == ("LookupError", "sent")


@rows("second, expected", [([None], None), ([], "ended"), (["early"], "early")])
def test_a_run_is_opened_until_one_does_not_just_yield(twin, second, expected):
    functions, opened = (lambda _: iter([None]), lambda _: iter(second)), []
    found = twin("open_in_turn")(functions, "closer", "request", opened)
    assert found == (None if expected is None else (functions[1], second[0] if second else None))
    ((closer, generators),) = opened
    assert (closer, len(generators)) == ("closer", 1 if expected == "ended" else 2)


@rows("fails_at", [0, 1])
def test_what_has_opened_before_a_failure_is_recorded(twin, fails_at):
    functions = [lambda _: iter([None]), lambda _: iter([None])]
    functions[fails_at] = lambda _: 1 / 0
    opened = []
    assert outcome(twin("open_in_turn"), tuple(functions), "closer", "request", opened)[0] == "ZeroDivisionError"
    assert [len(generators) for _, generators in opened] == [1] * fails_at


@rows("inner, hooks, expected, left", [
    (None, (), None, 0), (None, ("hook",), None, 1), ("instead", (), ("inner", "instead"), 1),
    (ValueError("no"), (), None, 1),
])  # fmt: skip
def test_a_run_is_closed_until_one_has_an_outcome_or_the_request_has_hooks(twin, inner, hooks, expected, left):
    def close(subject, _response):
        if isinstance(subject, Exception):
            raise subject
        return subject

    opened = [((close, ("outer", "inner")), [None, inner])]
    try:
        found = twin("close_run")(opened, SimpleNamespace(_after_hooks=hooks), "sent")
    except ValueError:
        found = None
    assert found == (expected and (expected[0], inner, expected[1]))
    assert [len(subjects) for _, subjects in opened] == [1] * left


@rows("language", ["Python", "C"])
@rows("last, expected, left", [(None, None, 0), ("instead", ("part", (True, "instead")), 1)])
def test_a_run_of_generators_is_closed_by_resuming_each(twin, language, last, expected, left):
    def generate():
        received.append((yield))
        return last

    received, generators = [], [generate(), generate()]
    for each in generators:
        next(each)
    close = pure("resume") if language == "Python" else compiled("resume")
    opened = [((close, ("part", "part")), [*generators])]
    found = twin("close_run")(opened, SimpleNamespace(_after_hooks=()), "sent")
    assert found == (expected and (expected[0], generators[-1], expected[1]))
    assert ([len(subjects) for _, subjects in opened], received) == ([1] * left, ["sent"] * (2 - left))


@needs_the_extension
@rows("name, is_kept", [("x-frame-options", True), ("set-cookie", False)])
def test_a_line_of_the_same_objects_is_encoded_once_unless_it_is_a_cookie(name, is_kept):
    first, second = (compiled("encode_fields")([(name, "the value")]) for _ in range(2))
    assert first == second
    assert (first[0] is second[0]) == is_kept


def _at_its_yield(function):
    generator = function()
    with suppress(StopIteration):
        generator.asend(None).send(None)
    return generator
