"""Forms and JSON: what a parser is given to break it, and what two parsers read in two ways."""

import json

from tests.dialects.attacks.attack import CLOSED, REFUSED, Attack, post

WITH_JSON = ("asok", "flask", "microdot", "pyramid", "webob", "werkzeug")
READ_OR_REFUSED = {200, *REFUSED}
CUT_OFF = {*REFUSED, CLOSED}
URLENCODED = b"application/x-www-form-urlencoded"
NAMED = b'Content-Disposition: form-data; name="a"'


def multipart(*parts, boundary=b"x", end=b"\r\n", last=True):
    lines = [line for head, content in parts for line in (b"--" + boundary, head, b"", content)]
    return end.join([*lines, b"--" + boundary + b"--", b""] if last else lines)


def form(body, boundary=b"x", kind=b"multipart/form-data"):
    return post(b"/form", kind + b"; boundary=" + boundary, body)


def file_named(name):
    return form(multipart((NAMED + b'; filename="%b"' % name, b"content")))


def told(conversation):
    first = conversation.first
    is_read = first and first.status == 200 and first.body[:1] == b"{"
    return json.loads(first.body) if is_read else {"fields": [["refused", ""]], "files": []}


def is_not_lost(conversation):
    """A form with a field in it is no empty form."""
    read = told(conversation)
    return None if read["fields"] or read["files"] else "the form was taken for an empty one"


def has_no_admin(conversation):
    """What is in the content of a field is no field."""
    read = told(conversation)
    return (
        f"a hidden field was read: {read}"
        if any(name == "admin" for name, *_ in read["fields"] + read["files"])
        else None
    )


def no_check(conversation):
    """Nothing else has to hold."""


INCOMPLETE = {
    "no head", "no name", "no disposition", "no boundary in the body", "parts without a last boundary",
    "a head that has no end",
}  # fmt: skip
"""Forms without a field, or without an end: Werkzeug reads them as empty ones."""
DEEP = b"[" * 100_000 + b"]" * 100_000
INNER = multipart((b'Content-Disposition: form-data; name="admin"', b"1"), boundary=b"inner")

FORMS = {
    "1,001 fields": multipart(*[(NAMED, b"1")] * 1001),
    "20,000 fields": multipart(*[(NAMED, b"1")] * 20_000),
    "1,001 files": multipart(*[(NAMED + b'; filename="f"', b"1")] * 1001),
    "a head of 60 KiB": multipart((NAMED + b"\r\nX: " + b"x" * 60_000, b"1")),
    "a head of 2,000 fields": multipart((NAMED + b"\r\nX: 1" * 2000, b"1")),
    "a head that has no end": b"--x\r\n" + NAMED + b"\r\nX: " + b"x" * 2_000_000,
    "a field of 2 MiB": multipart((NAMED, b"x" * (2 << 20))),
    "a name of 60 KiB": multipart((b'Content-Disposition: form-data; name="' + b"a" * 60_000 + b'"', b"1")),
    "a folded head": multipart((b'Content-Disposition: form-data;\r\n name="a"', b"1")),
    "a content of boundaries": multipart((NAMED, b"\r\n--" * 50_000)),
    "a content of almost boundaries": multipart((NAMED, b"\r\n--y" * 50_000)),
    "a content of line ends": multipart((NAMED, b"\r\n" * 200_000)),
    "no head": multipart((b"", b"1")),
    "a field without a head, then one with": b"--x\r\n\r\n1\r\n" + multipart((NAMED, b"2")),
    "no name": multipart((b"Content-Disposition: form-data", b"1")),
    "an empty name": multipart((b'Content-Disposition: form-data; name=""', b"1")),
    "another disposition": multipart((b'Content-Disposition: attachment; name="a"', b"1")),
    "no disposition": multipart((b"Content-Type: text/plain", b"1")),
    "quotes that have no end": multipart((b'Content-Disposition: form-data; name="a', b"1")),
    "a disposition of 8,000 quotes": multipart((NAMED + b'; x="' + b'\\"' * 4000, b"1")),
    "a name in bytes that are not UTF-8": multipart((b'Content-Disposition: form-data; name="\xff"', b"1")),
    "a content that is not UTF-8": multipart((NAMED, b"\xff\xfe\x00")),
    "an unknown charset": multipart((NAMED + b"\r\nContent-Type: text/plain; charset=evil", b"1")),
    "a charset that is no charset": multipart((NAMED + b"\r\nContent-Type: text/plain; charset=base64", b"1")),
    "UTF-7": multipart((NAMED + b"\r\nContent-Type: text/plain; charset=utf-7", b"+ADw-script+AD4-alert")),
    "a nested form": multipart((NAMED + b"\r\nContent-Type: multipart/mixed; boundary=inner", INNER)),
    "a preamble of 100 KiB": b"x" * 100_000 + b"\r\n" + multipart((NAMED, b"1")),
    "an epilogue of 100 KiB": multipart((NAMED, b"1")) + b"x" * 100_000,
    "a transfer encoding": multipart((NAMED + b"\r\nContent-Transfer-Encoding: quoted-printable", b"=31")),
    "NUL in a name": multipart((b'Content-Disposition: form-data; name="a\0b"', b"1")),
    "two names": multipart((NAMED + b'; name="admin"', b"1")),
    "a name and one with an asterisk": multipart((NAMED + b"; name*=utf-8''admin", b"1")),
    "parts without a last boundary": multipart((NAMED, b"1"), last=False),
    "no boundary in the body": b"nothing here",
    "a boundary in the content": multipart((NAMED, b"1\r\n--xy\r\n" + NAMED)),
    "blanks behind a boundary": multipart((NAMED, b"1")).replace(b"--x\r\n", b"--x  \t\r\n"),
    "60 KiB of blanks behind a boundary": multipart((NAMED, b"1")).replace(
        b"--x\r\n", b"--x" + b" " * 60_000 + b"\r\n"
    ),
}
HIDDEN_FIELDS = {
    "a bare line feed before a boundary": multipart(
        (NAMED, b"1\n--x\n" + NAMED.replace(b'"a"', b'"admin"') + b"\n\n1")
    ),
    "a boundary in a content's line": multipart(
        (NAMED, b"1 --x\r\n" + NAMED.replace(b'"a"', b'"admin"') + b"\r\n\r\n1")
    ),
    "a boundary that is longer": multipart(
        (NAMED, b"1\r\n--xx\r\n" + NAMED.replace(b'"a"', b'"admin"') + b"\r\n\r\n1")
    ),
    "a field behind the last boundary": multipart((NAMED, b"1")) + multipart((NAMED.replace(b'"a"', b'"admin"'), b"1")),
    "a form in an uploaded file": multipart(
        (NAMED + b'; filename="f"\r\nContent-Type: multipart/mixed; boundary=inner', INNER)
    ),
}
FILE_NAMES = [
    b"../../evil", b"..\\..\\evil", b"/etc/passwd", b"C:\\evil", b"a\0.txt", b"%2e%2e%2fevil", b".", b"..", b"", b"con",
    b"a" * 5000,
    b'a\\"; name=\\"admin', b"\xff\xfe", b"a.txt;.html",
    "\u202etxt.exe".encode(),
    b"a\tb",
]  # fmt: skip
BOUNDARIES = {
    "none": b"", "of 71 characters": b"b" * 71, "of 60 KiB": b"b" * 60_000, "with a blank": b'"x y"',
    "quoted": b'"x"', "with quotes that have no end": b'"x', "twice": b"x; boundary=y", "with NUL": b"x\0",
    "of bytes": b"\xff", "with line ends of another kind": b"x\x0b", "with a star": b"x; boundary*=utf-8''y",
}  # fmt: skip
BODIES = {
    "100,000 fields": b"a=1&" * 100_000,
    "100,000 names": b"&".join(b"a%d=1" % number for number in range(100_000)),
    "400,000 ampersands": b"&" * 400_000,
    "600 KiB in a field": b"a=" + b"x" * 600_000,
    "names in 1,000 brackets": b"a" + b"[b]" * 1000 + b"=1",
    "percent signs": b"a=" + b"%" * 100_000,
    "percent signs that are not UTF-8": b"a=%ff%fe&%ff=1",
    "NUL": b"a=%00&%00=1&\0=1",
    "a lone surrogate": b"a=%ed%a0%80",
    "overlong UTF-8": b"a=%c0%ae%c0%ae%c0%af",
    "plus signs": b"+" * 100_000,
    "a charset of the field": b"_charset_=utf-7&a=%2bADw-",
    "semicolons": b"a=1;admin=1",
}
DOCUMENTS = {
    "100,000 arrays": DEEP,
    "100,000 arrays that have no end": DEEP[:100_000],
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "an integer of 5,000 digits": b"9" * 5000,
    "an integer of 200,000 digits": b"9" * 200_000,
    "a float that is too large": b"1e999999999",
    "a float of 100,000 digits": b"0." + b"1" * 100_000,
    "NaN": b"NaN", "Infinity": b"-Infinity", "a name twice": b'{"a": 1, "a": 2}',
    "100,000 names": b"{" + b",".join(b'"%d":1' % number for number in range(100_000)) + b"}",
    "bytes that are not UTF-8": b'"\xff"', "a lone surrogate": b'"\\ud800"',
    "UTF-16": '"a"'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf"a"', "NUL": b'"\0"', "a comment": b"1 // one", "two documents": b"1 2",
    "nothing": b"",
    "blanks": b" " * 100_000,
    "markup": b"<script>alert(1)</script>", "a cut-off document": b'{"a": [1, 2', "single quotes": b"{'a': 1}",
    "__proto__ and __class__": b'{"__proto__": {"a": 1}, "__class__": {"__init__": 1}}',
}  # fmt: skip
TYPES = {
    "no type": b"", "no subtype": b"multipart", "a type of bytes": b"\xff/\xfe", "a mixed form": b"multipart/mixed",
    "a type of 60 KiB": b"a/" + b"b" * 60_000,
    "parameters without end": b"multipart/form-data" + b";a=b" * 10_000,
    "quotes without end": b'multipart/form-data; boundary="' + b"\\" * 50_000,
    "a type with markup": b"<script>alert(1)</script>", "an unknown charset": URLENCODED + b"; charset=evil",
    "a charset that runs": URLENCODED + b"; charset=zlib", "UTF-7": URLENCODED + b"; charset=utf-7",
    "idna": URLENCODED + b"; charset=idna", "punycode": URLENCODED + b"; charset=punycode",
    "unicode_escape": URLENCODED + b"; charset=unicode_escape",
    "undefined": URLENCODED + b"; charset=undefined",
}  # fmt: skip


def sent(name, data, statuses=READ_OR_REFUSED, **more):
    """An attack that sends a body."""
    return Attack(name, data, statuses, methods=("POST",), **more)


ATTACKS = [
    *[
        sent(f"parts: {name}", form(body), check=is_not_lost if name not in INCOMPLETE else no_check)
        for name, body in FORMS.items()
    ],
    *[sent(f"parts: {name}", form(body), check=has_no_admin) for name, body in HIDDEN_FIELDS.items()],
    *[sent(f"a file named {name[:20]!r}", file_named(name), check=has_no_admin) for name in FILE_NAMES],
    *[sent(f"a boundary: {name}", form(multipart((NAMED, b"1")), text)) for name, text in BOUNDARIES.items()],
    *[sent(f"a field: {name}", post(b"/form", URLENCODED, body)) for name, body in BODIES.items()],
    *[sent(f"a type: {name}", post(b"/form", text, b"a=1")) for name, text in TYPES.items()],
    *[
        sent(f"JSON: {name}", post(b"/json", b"application/json", body), dialects=WITH_JSON)
        for name, body in DOCUMENTS.items()
    ],
    *[
        sent(f"a form that is {name} in its request", data, CUT_OFF, is_half_closed=True)
        for name, data in {
            "cut off": form(multipart((NAMED, b"1"), (NAMED, b"2")))[:-30],
            "missing": form(b"x" * 1000)[:-1000],
            "cut off in a file": form(multipart((NAMED + b'; filename="f"', b"x" * 100_000)))[:-50_000],
        }.items()
    ],
    sent("a form in pieces", [bytes([byte]) for byte in form(multipart((NAMED, b"1")))], {200}, check=is_not_lost),
]
