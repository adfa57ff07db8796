import codecs
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.charset import CODECS, decode, decode_text, form_codec
from tests.helpers.rows import rows

CHOSEN = sorted(set(CODECS.values()))
ASCII = "".join(map(chr, range(128)))
REFUSED = [
    "utf-7", "utf-32", "utf-32le", "hz-gb-2312", "hz", "iso-2022-jp", "iso-2022-kr", "iso-2022-cn", "replacement",
    "ibm037", "cp037", "utf-8-sig", "punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "rot13",
    "base64", "zip", "hex", "uu", "mbcs", "x", "", "utf\u20118", "\x00", "x-user-defined",
]  # fmt: skip


class TestACodec:
    @rows("codec", CHOSEN)
    def test_is_one_that_python_has(self, codec):
        assert codecs.lookup(codec)

    @pytest.mark.parametrize("codec", CHOSEN)
    @given(data=st.binary())
    def test_never_raises(self, codec, data):
        assert isinstance(decode(data, codec), str)

    @rows("codec", CHOSEN)
    def test_reads_what_it_writes(self, codec):
        readable = bytes(range(256)).decode(codec, "ignore")
        assert decode(readable.encode(codec), codec) == readable


@rows("codec", sorted(set(CHOSEN) - {"utf-16-le", "utf-16-be"}))
def test_in_every_charset_of_forms_ascii_is_ascii(codec):
    assert decode(ASCII.encode(), codec) == ASCII


@rows("codec", sorted(set(CHOSEN) - {"utf-16-le", "utf-16-be"}))
def test_no_broken_character_swallows_what_separates_or_quotes(codec):
    for first, mark in product(range(0x80, 0x100), b"\"'<>&=;,\r\n \0"):
        assert decode(bytes([first, mark]) + b"x", codec)[-2:] == f"{chr(mark)}x"


@rows(
    "data, charset, text",
    (b"caf\xc3\xa9", None, "café"), (b"caf\xe9", "iso-8859-1", "café"), (b"caf\xe9", "utf-8", "caf\ufffd"),
    (b"\x93x\x94", "windows-1252", "“x”"), (b"\x93x\x94", "latin1", "“x”"), (b"\x93x\x94", "US-ASCII", "“x”"),
    (b"\x81\x8d", "windows-1252", "\x81\x8d"),
    (b"\xaa\x81", "windows-1253", "\ufffd\x81"),
    (b"\xc6\xc9", " KOI8-R\t", "фи"), (b"\xa1\xa2", "tis-620", "กข"),
    (b"\x83\x65\x83\x58\x83\x67", "Shift_JIS", "テスト"),
    (b"\xb2\xe2\xca\xd4", "gb2312", "测试"), (b"\x81\x30\x81\x30", "gbk", "\x80"), (b"\xb4\xfa", "big5", "測"),
    (b"\xc5\xd7", "euc-kr", "테"),
    ("é".encode("utf-16-le"), "utf-16le", "é"),
    ("é".encode("utf-16-le"), "utf-16", "é"),
    (b"\xff\xfe" + "é".encode("utf-16-le"), "utf-16be", "é"),
    (b"\xfe\xff" + "é".encode("utf-16-be"), "utf-16", "é"),
    (b"\x00\xd8a\x00b", "utf-16", "\ufffda\ufffd"),
    (b"\xef\xbb\xbfa", "utf-8", "\ufeffa"),
)  # fmt: skip
def test_text_is_decoded_as_declared(data, charset, text):
    assert decode_text(data, charset) == text


@rows("charset", REFUSED)
def test_what_is_not_taken_is_read_as_utf_8(charset):
    assert decode_text(b"+AGE- \\x41 ~{<:~} \x1b$B \xc3\xa9", charset) == "+AGE- \\x41 ~{<:~} \x1b$B é"
    assert form_codec(charset) == "utf-8"


@given(st.binary(), st.text(max_size=20) | st.sampled_from(sorted(CODECS)) | st.sampled_from(REFUSED))
def test_nothing_that_is_declared_makes_reading_fail(data, charset):
    assert isinstance(decode_text(data, charset), str)
    assert isinstance(decode(data, form_codec(charset)), str)


@rows(
    "charsets, codec",
    ([], "utf-8"), ([None, None], "utf-8"), (["ISO-8859-1"], "cp1252"), ([None, "koi8-r", "latin1"], "koi8_r"),
    (["nonsense", "gbk"], "gb18030"), (["utf-16", "windows-1251"], "cp1251"), (["utf-16le"], "utf-8"),
    (["utf8", "latin1"], "utf-8"),
)  # fmt: skip
def test_a_form_is_in_the_first_charset_that_forms_may_be_in(charsets, codec):
    assert form_codec(*charsets) == codec


def test_text_that_is_nothing_but_mistakes_is_read_in_one_pass():
    data = b"\xff\xfc\x81" * 400_000
    for codec in CHOSEN:
        assert len(decode(data, codec)) <= 3 * 400_000
