"""Values as text: bounded, without secrets, and without a call of the app's code."""

import collections
import datetime
import decimal
import enum
import fractions
import os
import sys
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from antiphon import App, Request, Response, Signer
from antiphon.cli.debug.values import LENGTH, Printer
from antiphon.features.masking import Mask
from antiphon.http import MutableHeaders
from tests.helpers.rows import rows


def show(value, name="value"):
    return Printer(Mask()).show(value, name)


@dataclass
class Item:
    name: str
    password: str = "opensesame"
    parent: object = field(default=None, repr=False)


class Point(NamedTuple):
    x: int
    token: str


class Slotted:
    __slots__ = ("here", "unset")

    def __init__(self):
        self.here = 1


class Struct(msgspec.Struct):
    name: str
    api_key: str


class Color(enum.Enum):
    RED = 1


class Number(enum.IntEnum):
    ONE = 1


class Params(dict):
    pass


VALUES = [
    (None, "None"),
    (True, "True"),
    (7, "7"),
    (1.5, "1.5"),
    (10**5000, "<an integer of 16610 bits>"),
    ("text", "'text'"),
    ("two\nlines", r"'two\nlines'"),
    (b"\xff<", r"b'\xff<'"),
    (bytearray(b"a"), "b'a'"),
    ([1, [2, [3, [4, [5, [6]]]]]], "[1, [2, [3, [4, ...]]]]"),
    ((), "()"),
    ((1,), "(1,)"),
    ({1}, "{1}"),
    (set(), "set()"),
    (frozenset({1}), "frozenset(1)"),
    (collections.deque([1]), "deque(1)"),
    ({"a": 1}, "{'a': 1}"),
    (Params(a=1), "Params({'a': 1})"),
    ({"a": 1}.values(), "dict_values(1)"),
    ({"password": "abc"}.items(), "dict_items(('password', [masked]))"),
    (collections.OrderedDict(a=1), "OrderedDict({'a': 1})"),
    ({"password": "abc", "page": 1}, "{'password': [masked], 'page': 1}"),
    ({b"cookie": b"abc"}, "{b'cookie': [masked]}"),
    (("authorization", "abc"), "('authorization', [masked])"),
    ([(b"x-api-key", b"abc"), (b"host", b"a")], "[(b'x-api-key', [masked]), (b'host', b'a')]"),
    (Item("tea"), "<Item name='tea', password=[masked], parent=None>"),
    (Point(1, "abc"), "Point(x=1, token=[masked])"),
    (Slotted(), "<Slotted here=1>"),
    (Struct("tea", "abc"), "<Struct api_key=[masked], name='tea'>"),
    (Color.RED, "Color.RED"),
    (Number.ONE, "Number.ONE"),
    (ValueError("bad", 1), "ValueError('bad', 1)"),
    (datetime.date(2026, 1, 2), "datetime.date(2026, 1, 2)"),
    (datetime.datetime(2026, 1, 2, 3, 4), "datetime(2026-01-02 03:04:00)"),
    (decimal.Decimal("1.50"), "Decimal('1.50')"),
    (PurePosixPath("/a"), "PurePosixPath('/a')"),
    (fractions.Fraction(1, 3), "Fraction(1, 3)"),
    (show, "<function show>"),
    (Slotted().__init__, "<method <function Slotted.__init__>>"),
    (Item, "<class Item>"),
    (sys, "<module>"),
    (len, "<builtin_function_or_method len>"),
    (object(), "<object>"),
    (Request.blank("/a?b=1", "POST"), "<Request POST '/a'>"),
    (Response(status=204), "<Response 204>"),
    (Request.blank("/?a=1&token=abc").args, "MultiDict([('a', '1'), ('token', [masked])])"),
    (MutableHeaders({"X-Api-Key": "abc"}), "MutableHeaders([('x-api-key', [masked])])"),
    (Signer(["opensesame" * 4], salt="links"), "<Signer>"),
    (App(secret_keys=["opensesame" * 4]), "<App>"),
    (os.environ, "<_Environ>"),
    (dict(os.environ), "<dict, an environment>"),
    (dict(os.environb), "<dict, an environment>"),
    ({"wsgi.version": (1, 0), "HTTP_COOKIE": "abc"}, "<dict, an environment>"),
    (range(3), "range(0, 3)"),
    (sys._getframe(), "<frame>"),
    ("postgres://ada:hunter2@db", "'postgres://[masked]@db'"),
]


@rows("value, shown", VALUES, ids=lambda each: each if isinstance(each, str) else "value")
def test_a_value(value, shown):
    assert show(value) == shown


@rows(
    "value, shown",
        ("abc", "[masked]"), (b"abc", "[masked]"), (1234, "[masked]"), (None, "None"), (True, "True"),
        ({"user": 1}, "<dict [masked]>"), (Slotted(), "<Slotted [masked]>"), (Slotted, "<type [masked]>"),
)  # fmt: skip
def test_what_has_the_name_of_a_secret(value, shown):
    assert show(value, "session_token") == shown


def test_what_is_in_a_secret_is_masked_elsewhere():
    printer = Printer(Mask())
    for secret in ({"word": "opensesame"}, [b"abracadabra"], Item("openbarley")):
        printer.show(secret, "credentials")
    assert printer.show(["opensesame", b"abracadabra", "an openbarley"]) == "['[masked]', b'[masked]', 'an [masked]']"


class Hostile:
    """Code of the app that must not run."""

    def fail(self, *arguments):
        raise RuntimeError("code of the app has run")

    __repr__ = __str__ = __getattr__ = __getattribute__ = __iter__ = __len__ = __eq__ = __bool__ = __format__ = fail
    __hash__ = object.__hash__
    __dict__ = __class__ = property(fail)


class Liar(dict):
    __repr__ = __iter__ = __len__ = __getitem__ = __contains__ = get = keys = values = Hostile.fail

    def items(self):
        return [("password", "a lie")]


class Sneak(list):
    __repr__ = __iter__ = __len__ = __getitem__ = Hostile.fail


class Data(bytes):
    __repr__ = __len__ = __getitem__ = __buffer__ = decode = Hostile.fail


class OwnRequest(Request):
    method = path = head = property(Hostile.fail)
    __getattribute__ = Hostile.fail


class Text(str):
    __repr__ = __str__ = __len__ = __getitem__ = __format__ = __hash__ = __eq__ = Hostile.fail


def odd():
    """A class whose metaclass is hostile, which pytest must not meet."""

    class Meta(type):
        __repr__ = __getattribute__ = Hostile.fail

    return Meta("Odd", (), {})


def own_request():
    request = OwnRequest.__new__(OwnRequest)
    Request.head.__set__(request, Request.blank("/a").head)
    return request


@rows(
    "make, shown",
        (Hostile, "<Hostile>"), (lambda: [Hostile()], "[<Hostile>]"),
        (lambda: Liar(truth=1), "Liar({'truth': 1})"), (lambda: Sneak([1, 2]), "Sneak([1, 2])"),
        (lambda: Text("text"), "'text'"), (lambda: Data(b"data"), "b'data'"),
        (own_request, "<OwnRequest GET '/a'>"), (odd, "<class Odd>"), (lambda: type.__call__(odd()), "<Odd>"),
)  # fmt: skip
def test_no_code_of_the_app_runs(make, shown):
    assert show(make()) == shown
    assert show(make(), "password").count("[masked]") == 1


def cyclic():
    cycle = []
    cycle.append(cycle)
    return cycle


def deep():
    value = []
    for _ in range(10**5):
        value = [value]
    return value


@rows(
    "make",
        lambda: "x" * 10**7, lambda: b"x" * 10**7, lambda: list(range(10**6)),
        lambda: dict.fromkeys(range(1000), "x" * 1000), lambda: [[["x" * 1000] * 1000] * 1000] * 1000, cyclic,
        deep, lambda: Item("x" * 10**6, parent=Item("y")), type("x" * 10**6, (), {}),
)  # fmt: skip
def test_a_value_of_any_size_is_short(make):
    value = make()
    assert len(show(value)) <= LENGTH + 50
    assert len(show(value, "password")) <= LENGTH


def test_a_cut_text_shows_no_part_of_a_secret():
    mask = Mask()
    mask.add("s" * 200)
    mask.add("t" * 200)
    mask.add("ut" * 2400)
    mask.add("vs" * 9000)
    texts = [
        "x" * 250 + "s" * 200, "s" * 19_800 + "-" * 10 + "t" * 200, "x" * 100 + "ut" * 2400, "vs" * 9000,
        "vs" * 99_000,
    ]  # fmt: skip
    for text in texts:
        for value in (text, text.encode(), PurePosixPath(text), [text]):
            shown = Printer(mask).show(value)
            assert "ss" not in shown
            assert "tt" not in shown
