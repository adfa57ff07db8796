import random
import tracemalloc
from itertools import product
from unittest.mock import patch
from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from antiphon.http import grammar
from antiphon.http.grammar import double_broken_escapes, percent_decode
from antiphon.http.multidict import MultiDict
from antiphon.http.urls.urlencoded import format_query, parse_query
from tests.helpers.rows import rows

HEX = b"0123456789abcdefABCDEF"


def decoded(raw: bytes) -> str:
    """One name or value, a byte at a time, by the words of the standard."""
    out = bytearray()
    position = 0
    while position < len(raw):
        digits = raw[position + 1 : position + 3]
        if raw[position] == ord("+"):
            out.append(ord(" "))
        elif raw[position] == ord("%") and len(digits) == 2 and all(digit in HEX for digit in digits):
            out.append(int(digits, 16))
            position += 2
        else:
            out.append(raw[position])
        position += 1
    return out.decode("utf-8", "replace")


def reference(data: bytes) -> list[tuple[str, str]]:
    pairs = []
    for piece in data.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            pairs.append((decoded(name), decoded(value)))
    return pairs


@rows(
    "data, pairs",
    (b"", []), (b"a=1", [("a", "1")]), (b"a", [("a", "")]), (b"a=", [("a", "")]), (b"=", [("", "")]),
    (b"=1", [("", "1")]), (b"&", []),
    (b"&&a=1&&b=2&", [("a", "1"), ("b", "2")]),
    (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
    (b"a=b=c==", [("a", "b=c==")]),
    (b"a=%3D&t=x%20==", [("a", "="), ("t", "x ==")]),
    (b"a&b=%20=&c=d", [("a", ""), ("b", " ="), ("c", "d")]),
    (b"first+name=Ada+Lovelace", [("first name", "Ada Lovelace")]),
    (b"a=%2B%26%3d%25", [("a", "+&=%")]), (b"a=1;b=2", [("a", "1;b=2")]), (b"a=%", [("a", "%")]),
    (b"a=%4", [("a", "%4")]), (b"a=%zz%41", [("a", "%zzA")]), (b"a=%%41%%", [("a", "%A%%")]),
    (b"a=%&b=%41", [("a", "%"), ("b", "A")]), (b"a%=b%=c%41", [("a%", "b%=cA")]),
    (b"a=%\n&b=%41", [("a", "%\n"), ("b", "A")]),
    (b"a=%\r\nx&b=%41", [("a", "%\r\nx"), ("b", "A")]),
    (b"a=1\r\n&b=%41 \n", [("a", "1\r\n"), ("b", "A \n")]),
    (b"a=%0D%0A &b=%41", [("a", "\r\n "), ("b", "A")]),
    (b"a=%00&b=%01", [("a", "\0"), ("b", "\x01")]),
    (b"a=\0&b=%41\x01", [("a", "\0"), ("b", "A\x01")]),
    (b"a\0=%41", [("a\0", "A")]), (b"n=%C3%A4", [("n", "ä")]),
    ("n=ä&ü=%41".encode(), [("n", "ä"), ("ü", "A")]),
    (b"a=%E2%82&b=%AC", [("a", "\ufffd"), ("b", "\ufffd")]),
    (b"a%E2=%82%AC", [("a\ufffd", "\ufffd\ufffd")]),
    (b"a=\xe2\x82&\xac=1", [("a", "\ufffd"), ("\ufffd", "1")]),
    (b"a=%ED%A0%80", [("a", "\ufffd\ufffd\ufffd")]),
    (b"%EF%BB%BFa=1", [("\ufeffa", "1")]),
)  # fmt: skip
def test_reads_fields_as_the_url_standard_does(data, pairs):
    assert parse_query(data) == pairs
    assert reference(data) == pairs


pieces = st.sampled_from(
    b"&|=|%|+|%41|%c3|%A4|%E2%82|%AC|\xe2|\x82\xac|%F0%9f%98%80|a|0|%00|%01|%0|%3D|%3d|%26|%25|%2B|%0D%0A|"
    b"\0|\x01|\r|\n| |_|name=value|&b=%20|%ff|\xff|\x80|--|~|\t".split(b"|")
)
bodies = st.one_of(st.binary(max_size=60), st.lists(pieces, max_size=20).map(b"".join))


@settings(max_examples=20 * settings.default.max_examples)
@given(bodies)
@example(bytes(range(256)))
@example(b"".join(b"%%%02X=%%%02x&" % (byte, byte) for byte in range(256)))
def test_any_bytes_read_as_by_the_plain_reference(data):
    assert parse_query(data) == reference(data)


def test_many_random_bodies_read_as_by_the_plain_reference():
    choose = random.Random(20).choices
    alphabet = [bytes([byte]) for byte in range(256)]
    likely = b"&|=|%|4|C|+|\n|\0|%4a|%C3%BC|%00|%01|a|\xc3|&a=|=".split(b"|")
    regular = b"&a=|%4a|%C3%BC|%e2|+|b|%|%00|%0D%0A|\n|\0|%3D|\xc3\xbc".split(b"|")
    weights = [40, 9, 9, 2, 9, 9, 1, 1, 9, 1, 1, 9, 9]
    for length in range(1, 30):
        for _ in range(700):
            for body in (
                b"".join(choose(likely, k=length)),
                b"a=" + b"".join(choose(regular, weights, k=length)),
                b"".join(choose(alphabet + likely * 8, k=length)),
            ):
                assert parse_query(body) == reference(body), body


def test_each_two_bytes_after_a_percent_sign_read_as_by_the_plain_reference():
    bodies = [b"a=%%%c%c&b=%%41" % escape for escape in product(range(256), repeat=2)]
    assert [body for body in bodies if parse_query(body) != reference(body)] == []


@given(st.lists(st.tuples(st.text(), st.text())))
def test_reading_what_was_printed_gives_it_back(pairs):
    printed = format_query(pairs)
    assert printed.isascii()
    assert parse_query(printed.encode()) == pairs
    assert parse_qsl(printed, keep_blank_values=True) == pairs


@rows("data, fields", [(b"a=1", 1), (b"a=1&b=2&c=3", 3), (b"a&b", 2), (b"a=%41&b=%42&c", 3), (b"&&", 3)])
def test_the_number_of_fields_is_bounded(data, fields):
    assert parse_query(data, fields) == parse_query(data)
    with pytest.raises(ValueError, match=f"more than {fields - 1} fields"):
        parse_query(data, fields - 1)


def test_no_data_is_within_every_bound():
    assert parse_query(b"", 0) == []


@rows(
    "pairs, printed",
    ([], ""), ([("a", "1"), ("a", "2")], "a=1&a=2"), ([("a", "")], "a="), ([("", "")], "="),
    ([("q", "a b+c")], "q=a+b%2Bc"), ([("ä", "€")], "%C3%A4=%E2%82%AC"), ([("a&b", "c=d")], "a%26b=c%3Dd"),
    ([("marks", "*-._~!'()")], "marks=*-._%7E%21%27%28%29"),
    ([("line", "\r\n\0")], "line=%0D%0A%00"), ({"a": "1", "b": "2"}, "a=1&b=2"),
    (MultiDict([("a", "1"), ("b", "2"), ("a", "3")]), "a=1&b=2&a=3"),
    (((name, "1") for name in "ab"), "a=1&b=1"),
)  # fmt: skip
def test_prints_fields_as_the_url_standard_does(pairs, printed):
    assert format_query(pairs) == printed


def test_a_lone_surrogate_cannot_be_printed():
    with pytest.raises(ValueError, match="surrogate"):
        format_query([("a", "\ud800")])


@settings(max_examples=15 * settings.default.max_examples)
@given(bodies)
def test_percent_decoding_leaves_plus_and_broken_escapes_alone(data):
    assert percent_decode(data).decode("utf-8", "replace") == decoded(data.replace(b"+", b"%2B"))


@settings(max_examples=15 * settings.default.max_examples)
@given(bodies, st.integers(3, 9))
@example(b"%" * 20, 3)
@example(b"a=%41%4%%%42%2", 4)
def test_what_is_read_in_slices_reads_as_in_one(data, size):
    with patch.object(grammar, "_SLICE", size):
        assert parse_query(data) == reference(data)
        assert percent_decode(data).decode("utf-8", "replace") == decoded(data.replace(b"+", b"%2B"))
        assert decoded(double_broken_escapes(data)) == decoded(data)
        assert grammar.BROKEN_ESCAPE.search(double_broken_escapes(data)) is None


@rows("read", [parse_query, percent_decode])
@rows("start", [b"", b"a="])
@rows("unit", [b"%", b"%zz", b"%="])
def test_broken_escapes_take_little_memory(read, start, unit, monkeypatch):
    monkeypatch.setattr(grammar, "_SLICE", 1 << 10)  # each escape is traced, so the data are small, too
    data = start + unit * ((32 << 10) // len(unit))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        read(data)
        taken = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert taken < 16 * len(data)
