from sys import getsizeof
from time import process_time

import pytest

from antiphon.body.multipart import MultipartLimits, MultipartParser, read_whole_form
from antiphon.body.part_head import HeadLimits
from antiphon.http.errors import BadRequest, ContentTooLarge, HTTPError
from antiphon.http.limits import Limits
from tests.body.forms_in_parts import evenly, print_part, read

DISPOSITION = b'Content-Disposition: form-data; name="a"'
OPEN = b"--B\r\n" + DISPOSITION + b"\r\n"
END = b"--B--\r\n"


def with_b(fields, content=b"x"):
    return print_part(fields, content, b"B")


def head_of(size):
    """A part whose head is so many bytes long, from the end of the boundary to the content."""
    fields = DISPOSITION + b"\r\nX-Fill: "
    return with_b(fields + (size - 6 - len(fields)) * b"x") + END


def named(length):
    return with_b(b'Content-Disposition: form-data; name="%b"' % (length * b"a")) + END


def named_otherwise(length):
    return with_b(b"Content-Disposition: form-data; name=%b" % (length * b"a")) + END


DEFAULTS = {
    "parts": (lambda number: number * with_b(DISPOSITION) + END, 1000, "parts"),
    "bytes of a head": (head_of, 8 << 10, "part_head"),
    "fields of a head": (
        lambda number: with_b(b"\r\n".join([DISPOSITION, *(b"X-%d: x" % n for n in range(number - 1))])) + END,
        16,
        "part_fields",
    ),
    "bytes of a name": (named, 1 << 10, "part_name"),
    "bytes of a name without quotes": (named_otherwise, 1 << 10, "part_name"),
    "bytes before": (lambda size: (size - 2) * b"x" + b"\r\n" + with_b(DISPOSITION) + END, 8 << 10, "outside"),
    "bytes after": (lambda size: with_b(DISPOSITION) + b"--B--" + (size - 2) * b"x", 8 << 10, "outside"),
}


class TestLimits:
    @pytest.mark.parametrize(("body", "most", "limit"), DEFAULTS.values(), ids=DEFAULTS)
    @pytest.mark.parametrize("size", [1, 1000, 1 << 20])
    def test_are_what_is_still_read(self, body, most, limit, size):
        assert read(evenly(body(most), size), b"B")
        with pytest.raises(ContentTooLarge) as refused:
            read(evenly(body(most + 1), size), b"B")
        assert refused.value.problem()["limit"] == limit
        assert str(most) in str(refused.value)

    @pytest.mark.parametrize(
        ("limits", "body", "limit"),
        [
            ({"parts": 1}, 2 * with_b(DISPOSITION), "parts"),
            ({"parts": 0}, with_b(DISPOSITION), "parts"),
            ({"outside": 0}, b"\r\n" + with_b(DISPOSITION), "outside"),
            ({"outside": 3}, with_b(DISPOSITION) + END, "outside"),
            ({"head": HeadLimits(size=len(DISPOSITION) + 5)}, with_b(DISPOSITION), "part_head"),
            ({"head": HeadLimits(fields=1)}, with_b(DISPOSITION + b"\r\nX: y"), "part_fields"),
            ({"head": HeadLimits(fields=1)}, with_b(DISPOSITION + b"\r\n folded"), "part_fields"),
            ({"head": HeadLimits(name=0)}, with_b(DISPOSITION), "part_name"),
        ],
    )
    def test_can_be_set(self, limits, body, limit):
        for size in (1, len(body)):
            with pytest.raises(ContentTooLarge) as refused:
                read(evenly(body, size), b"B", **limits)
            assert refused.value.problem()["limit"] == limit

    def test_of_parts_counts_them_as_they_begin(self):
        parser = MultipartParser(b"B", limits=MultipartLimits(parts=1))
        parser.feed(with_b(DISPOSITION))
        with pytest.raises(ContentTooLarge):
            parser.feed(b"--B\r\n")


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


def cost(reading):
    """Seconds of the quickest of several readings."""
    seconds = []
    for _ in range(3):
        started = process_time()
        reading()
        seconds.append(process_time() - started)
    return min(seconds)


class TestHostileForm:
    @pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
    @pytest.mark.parametrize("chunk", [1, 1000, 1 << 20])
    def test_is_read_or_refused(self, body, chunk):
        error = pass_through(evenly(body(50_000), chunk))
        assert error is None or isinstance(error, BadRequest | ContentTooLarge)

    # By a factor of 16 in size, what is quadratic takes 256 times as long; 80 leaves room for what else runs here.
    @pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
    @pytest.mark.parametrize(("chunk", "size"), [(1, 1000), (100, 10_000), (1 << 20, 20_000)])
    def test_takes_as_much_longer_as_it_is_larger_even_without_limits(self, body, chunk, size):
        short, long = evenly(body(size), chunk), evenly(body(16 * size), chunk)
        assert cost(lambda: pass_through(long, **WIDE)) < 80 * cost(lambda: pass_through(short, **WIDE))

    @pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
    def test_takes_as_much_longer_as_a_whole(self, body):
        short, long = body(20_000), body(320_000)
        wide = Limits(parts=1 << 30, fields=1 << 30, files=1 << 30, form=1 << 30, file=1 << 30)
        assert cost(lambda: read_whole_form(long, b"B", wide)) < 80 * cost(lambda: read_whole_form(short, b"B", wide))

    @pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
    @pytest.mark.parametrize("chunk", [1, 1000, 1 << 15])
    def test_leaves_no_more_than_a_head_and_a_boundary_in_memory(self, body, chunk):
        parser = MultipartParser(b"B")
        empty = kept(parser)
        for fed in evenly(body(50_000), chunk):
            try:
                parser.feed(fed)
            except HTTPError:
                break
            assert kept(parser) - empty <= (8 << 10) * 9 // 8 + 200  # bytearrays grow by an eighth


def kept(parser):
    return sum(getsizeof(getattr(parser, name)) for name in parser.__slots__)
