"""Charsets that clients may declare, and decoding by the WHATWG Encoding standard.

Only charsets that are safe for a server are supported. UTF-7, UTF-32, HZ, the ISO-2022 family and Python's other codecs
are not. Some hide ASCII from code that inspects the bytes, some always raise an error, and punycode takes quadratic
time. Python also remembers every unknown name that it looks up.
"""

from codecs import charmap_decode
from collections.abc import Iterator
from functools import cache

_LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "utf-16-le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    "utf-16-be": "unicodefffe utf-16be",
    "cp1252": (
        "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 "
        "iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252"
    ),
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "cp1250": "cp1250 windows-1250 x-cp1250",
    "cp1251": "cp1251 windows-1251 x-cp1251",
    "cp1253": "cp1253 windows-1253 x-cp1253",
    "cp1254": (
        "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 "
        "windows-1254 x-cp1254"
    ),
    "cp1255": "cp1255 windows-1255 x-cp1255",
    "cp1256": "cp1256 windows-1256 x-cp1256",
    "cp1257": "cp1257 windows-1257 x-cp1257",
    "cp1258": "cp1258 windows-1258 x-cp1258",
    "cp866": "866 cp866 csibm866 ibm866",
    "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "cp949": (
        "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949"
    ),
    "euc_jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "gb18030": "chinese csgb2312 csiso58gb231280 gb18030 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
    "koi8_r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8_u": "koi8-ru koi8-u",
    "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "mac_roman": "csmacintosh mac macintosh x-mac-roman",
    "iso8859_10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso8859_13": "iso-8859-13 iso8859-13 iso885913",
    "iso8859_14": "iso-8859-14 iso8859-14 iso885914",
    "iso8859_15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso8859_16": "iso-8859-16",
    "iso8859_2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso8859_3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso8859_4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso8859_5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso8859_6": (
        "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
        "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987"
    ),
    "iso8859_7": (
        "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 "
        "iso_8859-7:1987 sun_eu_greek"
    ),
    "iso8859_8": (
        "csiso88598e csiso88598i csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-8859-8-i iso-ir-138 "
        "iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 logical visual"
    ),
}
CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
"""Python's codec for each label in lower case (WHATWG Encoding §4.2). The standard reads ISO-8859-1 and ASCII as
windows-1252.
"""

_UTF_16 = frozenset(["utf-16-le", "utf-16-be"])
_WIDE = _UTF_16 | {"utf-8", "gb18030", "big5hkscs", "euc_jp", "cp932", "cp949"}
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def decode_text(data: bytes, charset: str | None) -> str:
    """Decode text in its declared charset, or in UTF-8 if the charset is missing or unsupported. Never raises.

    Malformed bytes become U+FFFD. In UTF-16, a byte order mark determines the byte order, and is dropped.
    """
    codec = _codec(charset)
    if codec not in _UTF_16:
        return decode(data, codec)
    if data[:2] in _BYTE_ORDER_MARKS:
        codec, data = _BYTE_ORDER_MARKS[data[:2]], data[2:]
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return "".join(_decode_malformed(data, codec))


_PIECE = 1 << 20
_UNITS = bytes.maketrans(bytes(range(256)), bytes([*b"." * 0xD8, *b"h" * 4, *b"l" * 4, *b"." * 0x20]))
_IS_ALONE = bytes.maketrans(b".hl", b"\0\xff\xff")


def _decode_malformed(data: bytes, codec: str) -> Iterator[str]:
    """Yield UTF-16 text with U+FFFD in place of halves of surrogate pairs. Python's handler takes ten times as long."""
    high = codec == "utf-16-le"
    start = 0
    while len(data) - start >= 2:
        end = min(start + _PIECE, len(data) - (len(data) - start) % 2)
        if end < len(data) - 1 and 0xDC <= data[end + high] < 0xE0:
            end += 2  # a pair is not cut
        piece = bytearray(data[start:end])
        alone = piece[high::2].translate(_UNITS).replace(b"hl", b"..").translate(_IS_ALONE)
        mask = int.from_bytes(alone)
        for index, byte in ((high, 0xFF), (not high, 0xFD)):
            kept = int.from_bytes(piece[index::2]) & ~mask
            piece[index::2] = (kept | int.from_bytes(alone.replace(b"\xff", bytes([byte])))).to_bytes(len(alone))
        yield piece.decode(codec)
        start = end
    if start < len(data) and not (start and 0xD8 <= data[start - 2 + high] < 0xDC):
        yield "\ufffd"  # an odd byte; after the first half of a pair, both are one mistake


def form_codec(*charsets: str | None) -> str:
    """Return the codec for a form's fields: the codec of the first charset that forms can use, otherwise UTF-8.

    Forms can use all supported charsets except UTF-16, in which ASCII text is not ASCII bytes, and which no browser
    sends (HTML §4.10.22.5). Pass a field's own charset first, then the value of the `_charset_` field (RFC 7578 §4.6),
    then the content type's charset.
    """
    for charset in charsets:
        codec = CODECS.get(charset.strip().lower()) if charset else None
        if codec is not None and codec not in _UTF_16:
            return codec
    return "utf-8"


def decode(data: bytes, codec: str) -> str:
    """Decode text with one of the codecs. Malformed bytes become U+FFFD."""
    if codec in _WIDE:
        return data.decode(codec, "replace")
    return charmap_decode(data, "strict", _characters(codec))[0]  # pyright: ignore[reportArgumentType]  # may be a str


def _codec(charset: str | None) -> str:
    return CODECS.get(charset.strip().lower(), "utf-8") if charset else "utf-8"


@cache
def _characters(codec: str) -> str:
    """Return the character for each byte. Bytes from 0x80 to 0x9F that the codec lacks become control characters."""
    decoded = bytes(range(256)).decode(codec, "replace")
    return "".join(
        chr(byte) if byte < 0xA0 and character == "\ufffd" else character for byte, character in enumerate(decoded)
    )
