"""Forms with files as they are sent."""

import pytest

from antiphon import Request
from antiphon.body.part_head import EncodedPart, encode_multipart
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def test_a_field_and_a_file():
    parts = [EncodedPart("a", b"1"), EncodedPart('"f"', b"2\r\n", "f\r\n.txt", b"text/plain")]
    assert encode_multipart(parts, b"x") == (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="%22f%22"; filename="f%0D%0A.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\n2\r\n\r\n--x--\r\n"
    )


@rows("content", [b"", b"\r\n", b"--x", b"\r\n--", bytes(range(256))])
def test_a_file_is_read_as_it_was_given(content):
    body = encode_multipart([EncodedPart("f", content, "naïve.bin", b"application/octet-stream")], b"boundary")
    request = Request.blank("/", "POST", body=body, headers={"content-type": "multipart/form-data; boundary=boundary"})
    assert (request.files["f"].read(), request.files["f"].filename) == (content, "naïve.bin")


def test_a_name_without_bytes_in_utf8_is_not_sent():
    with pytest.raises(UnicodeEncodeError):
        encode_multipart([EncodedPart("\ud800", b"")], b"x")
