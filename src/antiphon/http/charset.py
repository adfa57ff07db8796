"""The charsets that text from outside may declare, and how it is decoded."""

CHARSETS = frozenset(
    ["utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "latin1", "macintosh"]
    + [f"iso-8859-{part}" for part in range(1, 17) if part != 12]
    + [f"windows-{page}" for page in range(1250, 1259)]
    + ["koi8-r", "koi8-u", "ibm866", "gb2312", "gbk", "gb18030", "big5", "euc-jp", "iso-2022-jp", "shift_jis", "euc-kr"]
)
"""Names that are decoded as declared.

Python's other codecs are no charsets: some always raise, punycode takes quadratic time, UTF-7 hides markup, and each
unknown name that is looked up stays in memory.
"""


def decode_text(data: bytes, charset: str | None) -> str:
    """Text in a declared charset, or in UTF-8 where none, or an unknown one, is declared. Never raises.

    What cannot be decoded becomes U+FFFD.
    """
    return data.decode(charset if charset in CHARSETS else "utf-8", "replace")
