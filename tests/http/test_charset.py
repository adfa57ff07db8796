import codecs

import pytest

from antiphon.http.charset import CHARSETS, decode_text


@pytest.mark.parametrize("charset", sorted(CHARSETS))
def test_a_charset_is_one_that_python_has_and_it_never_raises(charset):
    assert codecs.lookup(charset)
    assert isinstance(decode_text(bytes(range(256)), charset), str)


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"caf\xc3\xa9", None, "café"),
        (b"caf\xe9", "iso-8859-1", "café"),
        (b"caf\xe9", "utf-8", "caf\ufffd"),
        (b"\x93x\x94", "windows-1252", "“x”"),
        ("é".encode("utf-16-le"), "utf-16le", "é"),
    ],
)
def test_text_is_decoded_as_declared(data, charset, text):
    assert decode_text(data, charset) == text


@pytest.mark.parametrize(
    "charset", ["utf-7", "punycode", "idna", "undefined", "unicode_escape", "rot13", "base64", "x"]
)
def test_what_is_no_charset_is_read_as_utf_8(charset):
    assert decode_text(b"+AGE- \\x41 \xc3\xa9", charset) == "+AGE- \\x41 é"
