"""Cookies that clients send (RFC 6265 §5): odd, many and large ones, and none that passes for another."""

import json

from tests.dialects.attacks.attack import CLOSED, REFUSED, Attack, get

SENT = {
    "none": b"", "no name": b"=a", "no value": b"a",
    "semicolons": b";" * 30_000,
    "blanks": b" " * 30_000 + b"a=b",
    "2,000 cookies": b"; ".join(b"a%d=b" % number for number in range(2000)),
    "1,000 of one name": b"; ".join([b"a=b"] * 1000),
    "quotes that have no end": b'a="b',
    "20,000 quotes": b'a="' + b'\\"' * 10_000,
    "octal escapes": b'a="\\073\\054\\000\\012"; b=c', "bad escapes": b'a="\\999\\"',
    "10,000 escapes": b'a="' + b"\\073" * 10_000 + b'"',
    "bytes that are not UTF-8": b"a=\xff\xfe; b=c", "a name of bytes": b"\xff=1", "commas": b"a=b, c=d",
    "old attributes": b"$Version=1; a=b; $Path=/; $Domain=evil.example",
    "reserved names": b"path=/; expires=never; domain=evil.example; secure; httponly",
    "markup": b"<script>alert(1)</script>=1; a=<script>alert(1)</script>", "a tab": b"a=b\tc",
    "a value of 60 KiB": b"a=" + b"x" * 60_000,
    "equals signs": b"=" * 60_000,
    "braces": b'a={"b": [1, 2]}', "percent signs": b"a=%ff%00%0d%0aX-Injected:1",
    "separators of Unicode": "a=1\x85b=2\u2028c=3".encode(),
}  # fmt: skip


def names_are(*expected):
    """A check that the cookies that were read are these; for what nobody else would have read from the field."""

    def check(conversation):
        if not conversation.first or conversation.first.status != 200:
            return None
        names = json.loads(conversation.first.body)["cookies"]
        return None if set(names) <= set(expected) else f"other cookies were read: {names}"

    return check


ATTACKS = [
    *[Attack(name, get(b"/told", b"Cookie: " + value), {200, *REFUSED, CLOSED}) for name, value in SENT.items()],
    Attack(
        "a cookie in quotes hides another", get(b"/told", b'Cookie: a="b; admin=1"'), {200, 400},
        check=names_are("a", "admin"),
    ),
    Attack(
        "a name with a prefix and a blank is not the prefix", get(b"/told", b"Cookie: __Host -a=1"), {200, 400},
        check=names_are("__Host -a"),
    ),
    Attack(
        "a separator of Unicode begins no cookie",
        get(b"/told", "Cookie: a=1\u2028__Host-admin=1\x85__Host-admin=1".encode()), {200, 400}, check=names_are("a"),
    ),
    Attack(
        "a cookie without a name is not the cookie that its value spells", get(b"/told", b"Cookie: =__Host-admin=1"),
        {200, 400}, check=names_are("", "="),
    ),
    Attack("a comma begins no cookie", get(b"/told", b"Cookie: a=1,__Host-admin=1"), {200, 400}, check=names_are("a")),
    Attack("two Cookie fields", get(b"/told", b"Cookie: a=1", b"Cookie: b=2"), {200, 400}, check=names_are("a", "b")),
]  # fmt: skip
