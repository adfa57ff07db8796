"""Forms that are made to take a parser long."""

from functools import partial

from antiphon.body.multipart import MultipartLimits, MultipartParser
from antiphon.body.part_head import HeadLimits
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from tests.body.forms_in_parts import evenly, print_part

DISPOSITION = b'Content-Disposition: form-data; name="a"'
OPEN = b"--B\r\n" + DISPOSITION + b"\r\n"
END = b"--B--\r\n"


def with_b(fields, content=b"x"):
    return print_part(fields, content, b"B")


def filled(begin, unit, end=b""):
    return lambda size: begin + size // len(unit) * unit + end


CONTENT = OPEN + b"\r\n"
NAME = b'--B\r\nContent-Disposition: form-data; name="'
HOSTILE = {
    "content of CR": filled(CONTENT, b"\r", b"\r\n" + END),
    "content of line breaks": filled(CONTENT, b"\r\n", b"\r\n" + END),
    "content of dashes": filled(CONTENT, b"-", b"\r\n" + END),
    "content that begins like delimiters": filled(CONTENT, b"\r\n--", b"\r\n" + END),
    "content that looks like delimiters": filled(CONTENT, b"\r\n--Bx", b"\r\n" + END),
    "content that looks like ends": filled(CONTENT, b"\r\n--B-", b"\r\n" + END),
    "content of delimiters with CR": filled(CONTENT, b"\r\n--B\r", b"\r\n" + END),
    "parts": filled(b"", with_b(DISPOSITION), END),
    "parts without content": filled(b"", with_b(DISPOSITION, b""), END),
    "parts with space after their boundaries": filled(b"", with_b(DISPOSITION).replace(b"--B", b"--B  "), END),
    "parts in other letters": filled(b"", with_b(DISPOSITION.lower()), END),
    "boundaries": filled(b"", b"--B\r\n"),
    "space after a boundary": filled(b"--B", b" "),
    "header fields": filled(OPEN, b"X: y\r\n"),
    "one header field": filled(OPEN + b"X: ", b"y"),
    "folds": filled(OPEN + b"X: ", b"\r\n y"),
    "the name of a field": filled(OPEN, b"X"),
    "CR in a head": filled(OPEN, b"\r"),
    "an open quote": filled(NAME, b"x"),
    "quotes": filled(NAME, b'"'),
    "backslashes": filled(NAME, b"\\"),
    "escaped quotes": filled(NAME, b'\\"'),
    "escapes": filled(NAME, b"%22"),
    "semicolons": filled(NAME, b'";'),
    "parameters": filled(NAME, b'";x="'),
    "line breaks in quotes": filled(NAME, b"\r\n "),
    "a preamble": filled(b"", b"x"),
    "a preamble of line breaks": filled(b"", b"\r\n"),
    "a preamble of dashes": filled(b"", b"-"),
    "a preamble that begins like delimiters": filled(b"", b"\r\n--"),
    "an epilogue": filled(CONTENT + b"\r\n" + END, b"x"),
    "an epilogue of ends": filled(CONTENT + b"\r\n" + END, END),
}
WIDE = {"limits": MultipartLimits(1 << 30, HeadLimits(1 << 30, 1 << 30, 1 << 30), 1 << 30)}


def pass_through(chunks, **limits):
    parser = MultipartParser(b"B", **limits)
    try:
        for chunk in chunks:
            parser.feed(chunk)
        parser.finish()
    except HTTPError as error:
        return error
    return None


def _fed(body, chunk, size, scale):
    chunks = evenly(body(size * scale), chunk)
    return lambda: pass_through(chunks, **WIDE)


def _whole(body, scale):
    data, limits = body(1500 * scale), Limits(parts=1 << 30, fields=1 << 30, files=1 << 30, form=1 << 30, file=1 << 30)
    return lambda: MultipartParser.read_whole(data, b"B", limits)


GROWING = {
    f"{name} in chunks of {chunk}": partial(_fed, body, chunk, size)
    for name, body in HOSTILE.items()
    for chunk, size in ((1, 100), (1 << 20, 5000))
} | {f"{name} as a whole": partial(_whole, body) for name, body in HOSTILE.items()}
