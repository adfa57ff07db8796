from email.parser import BytesParser
from email.policy import HTTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.ranges import ByteRange, ContentRange, MultipartByteRanges, Range
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

WHOLE = bytes(range(256)) * 4


def body_of(framing, whole=WHOLE):
    return b"".join(piece if isinstance(piece, bytes) else whole[piece.first : piece.last + 1] for piece in framing)


def test_gives_framing_and_windows_in_turn_as_often_as_asked():
    parts = [ByteRange(7, 9), ByteRange(0, 2)]
    framing = MultipartByteRanges(parts, 10, boundary="b")
    for _ in range(2):
        pieces = list(framing)
        assert pieces[1::2] == parts
        assert [type(piece) for piece in pieces] == [bytes, ByteRange, bytes, ByteRange, bytes]


def test_a_representation_without_a_content_type():
    framing = MultipartByteRanges([ByteRange(0, 0)], 1, boundary="b")
    assert body_of(framing, b"x") == b"--b\r\nContent-Range: bytes 0-0/1\r\n\r\nx\r\n--b--\r\n"


def test_a_boundary_is_quoted_where_needed():
    assert MultipartByteRanges([ByteRange(0, 0)], 1, boundary="a:b").content_type == (
        'multipart/byteranges; boundary="a:b"'
    )


@rows("boundary", ["", "a b", "a\r\nb", 'a"b', "é", "a" * 71, pytest.param("a" * 1_000_000, id="long"), "a\n"])
def test_a_bad_boundary_is_refused(boundary):
    with pytest.raises(ValueError, match="boundary"):
        MultipartByteRanges([ByteRange(0, 0)], 1, boundary=boundary)


def test_a_content_type_cannot_add_lines():
    with pytest.raises(ValueError, match="is not allowed in a header"):
        MultipartByteRanges([ByteRange(0, 0)], 1, boundary="b", content_type="a/b\r\nX: y")


@rows("part", [ByteRange(0, 10), ByteRange(5, 4), ByteRange(-1, 4)])
def test_parts_lie_within_the_whole(part):
    with pytest.raises(ValueError, match=r"range|whole"):
        MultipartByteRanges([part], 10, boundary="b")


def test_there_is_at_least_one_part():
    with pytest.raises(ValueError, match="at least one"):
        MultipartByteRanges([], 10, boundary="b")


specs = st.tuples(st.integers(0, 900), st.integers(0, 300)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(specs, min_size=1, max_size=10))
def test_a_mime_parser_finds_the_parts(listed):
    parts = Range(listed).resolve(len(WHOLE))
    framing = MultipartByteRanges(parts, len(WHOLE), boundary="0f9c3a", content_type="text/plain; charset=latin-1")
    body = body_of(framing)
    assert len(body) == framing.content_length

    # The parser of the standard library takes line ends for its own, so it reads content without any.
    readable = body_of(framing, WHOLE.translate(bytes(255 - value | 0x40 for value in range(256))))
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {framing.content_type}\r\n\r\n".encode() + readable)
    found = message.get_payload()
    assert [ContentRange.parse(part["Content-Range"]) for part in found] == [
        ContentRange(*part, len(WHOLE)) for part in parts
    ]
    assert [len(part.get_payload(decode=True)) for part in found] == [part.length for part in parts]
