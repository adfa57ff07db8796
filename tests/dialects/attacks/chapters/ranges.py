"""Ranges (RFC 9110 §14) and conditions (§13): no range sends more than the file, or anything but the file."""

from tests.dialects.attacks.attack import Attack, get, request

SIZE = 1000
RANGES = {
    "1,000 ranges": b"bytes=" + b",".join([b"0-"] * 1000),
    "ranges that overlap": b"bytes=" + b",".join(b"%d-999" % number for number in range(200)),
    "ranges of one byte": b"bytes=" + b",".join(b"%d-%d" % (number, number) for number in range(0, 1000, 2)),
    "ranges backwards": b"bytes=900-999,0-99,500-599",
    "60,000 blanks": b"bytes=" + b" " * 60_000 + b"x",
    "blanks and commas": b"bytes=" + b" , " * 20_000 + b"0-1",
    "a number of 5,000 digits": b"bytes=" + b"9" * 5000 + b"-",
    "a last number of 5,000 digits": b"bytes=0-" + b"9" * 5000,
    "a suffix of 5,000 digits": b"bytes=-" + b"9" * 5000,
    "no number": b"bytes=-", "no range": b"bytes=", "a negative number": b"bytes=--1",
    "numbers the wrong way round": b"bytes=5-1",
    "an empty suffix": b"bytes=-0", "behind the end": b"bytes=1000-2000", "another unit": b"lines=0-1",
    "a unit in large letters": b"BYTES=0-1",
    "digits of Unicode": "bytes=\u0660-\u0661".encode(),
    "an underscore": b"bytes=0_1-0_2", "a sign": b"bytes=+0-+1", "hexadecimal": b"bytes=0x0-0x1",
    "NaN": b"bytes=NaN-NaN", "a tab": b"bytes=\t0-1",
    "two fields": b"bytes=0-1\r\nRange: bytes=2-3",
    "a semicolon": b"bytes=0-1;2-3", "an unknown form": b"bytes 0-1",
}  # fmt: skip
CONDITIONS = {
    "a tag without quotes": b"If-None-Match: tag",
    "a star among tags": b'If-None-Match: "a", *',
    "a date in the year 0": b"If-Modified-Since: Mon, 01 Jan 0000 00:00:00 GMT",
    "a date in the year 99999": b"If-Modified-Since: Mon, 01 Jan 99999 00:00:00 GMT",
    "a date of large numbers": b"If-Modified-Since: Mon, 99999999999 Jan 2020 99999:99999:99999 +9999999",
    "a date of bytes": b"If-Modified-Since: \xff\xfe",
    "a date with a length": b"If-Modified-Since: Mon, 01 Jan 2020 00:00:00 GMT; length=1",
    "a range of an unknown tag": b'If-Range: "other"\r\nRange: bytes=0-1',
    "a range of a weak tag": b'If-Range: W/"tag"\r\nRange: bytes=0-1',
    "a match of nothing": b'If-Match: ""',
    "an old date": b"If-Unmodified-Since: Mon, 01 Jan 1900 00:00:00 GMT",
    "a leap second": b"If-Modified-Since: Sat, 31 Dec 2016 23:59:60 GMT",
}


def sends_no_more(conversation):
    """A range of a file is not larger than the file; several have their heads beside it."""
    size = sum(len(answer.body) for answer in conversation.answers)
    if size > 2 * SIZE + 200 and conversation.first.status < 300:
        return f"{size} bytes of a file of {SIZE}"
    ranges = conversation.first.all("content-range") if conversation.first else []
    return f"two ranges: {ranges}" if len(ranges) > 1 else None


ANSWERED = {200, 206, 304, 400, 404, 412, 416, 431}
ATTACKS = [
    *[
        Attack(f"{name} of a {kind}", get(path, b"Range: " + value), ANSWERED, check=sends_no_more)
        for name, value in RANGES.items()
        for kind, path in {"file": b"/static/page.txt", "page": b"/conditional"}.items()
    ],
    *[
        Attack(f"{name} for a {kind}", get(path, value), ANSWERED)
        for name, value in CONDITIONS.items()
        for kind, path in {"file": b"/static/page.txt", "page": b"/conditional"}.items()
    ],
    Attack("a range of HEAD", request(b"HEAD", b"/static/page.txt", b"Range: bytes=0-1"), ANSWERED, methods=("HEAD",)),
]
