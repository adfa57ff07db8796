from sys import getsizeof

import pytest

from antiphon.body.multipart import MultipartLimits, MultipartParser
from antiphon.body.part_head import HeadLimits
from antiphon.http.errors import BadRequest, ContentTooLarge, HTTPError
from tests.body.forms_in_parts import evenly, read
from tests.body.hostile_forms import DISPOSITION, END, HOSTILE, pass_through, with_b
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


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
    @rows("body, most, limit", DEFAULTS.values(), ids=DEFAULTS)
    @rows("size", [1, 1000, 1 << 20])
    def test_are_what_is_still_read(self, body, most, limit, size):
        assert read(evenly(body(most), size), b"B")
        with pytest.raises(ContentTooLarge) as refused:
            read(evenly(body(most + 1), size), b"B")
        assert refused.value.problem()["limit"] == limit
        assert str(most) in str(refused.value)

    @rows(
        "limits, body, limit",
        ({"parts": 1}, 2 * with_b(DISPOSITION), "parts"),
        ({"parts": 0}, with_b(DISPOSITION), "parts"),
        ({"outside": 0}, b"\r\n" + with_b(DISPOSITION), "outside"),
        ({"outside": 3}, with_b(DISPOSITION) + END, "outside"),
        ({"head": HeadLimits(size=len(DISPOSITION) + 5)}, with_b(DISPOSITION), "part_head"),
        ({"head": HeadLimits(fields=1)}, with_b(DISPOSITION + b"\r\nX: y"), "part_fields"),
        ({"head": HeadLimits(fields=1)}, with_b(DISPOSITION + b"\r\n folded"), "part_fields"),
        ({"head": HeadLimits(name=0)}, with_b(DISPOSITION), "part_name"),
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


class TestHostileForm:
    @rows("body", HOSTILE.values(), ids=HOSTILE)
    @rows("chunk", [1, 1000, 1 << 20])
    def test_is_read_or_refused(self, body, chunk):
        error = pass_through(evenly(body(20_000), chunk))
        assert error is None or isinstance(error, BadRequest | ContentTooLarge)

    @rows("body", HOSTILE.values(), ids=HOSTILE)
    @rows("chunk", [1, 1000, 1 << 15])
    def test_leaves_no_more_than_a_head_and_a_boundary_in_memory(self, body, chunk):
        parser = MultipartParser(b"B")
        empty = kept(parser)
        for fed in evenly(body(20_000), chunk):
            try:
                parser.feed(fed)
            except HTTPError:
                break
            assert kept(parser) - empty <= (8 << 10) * 9 // 8 + 200  # bytearrays grow by an eighth


def kept(parser):
    return sum(getsizeof(getattr(parser, name)) for name in parser.__slots__)
