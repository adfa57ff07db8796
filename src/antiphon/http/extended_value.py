"""Values of parameters in any script, such as `UTF-8''na%C3%AFve` of `title*` (RFC 8187)."""

import re

from antiphon.http.urlencoded import BROKEN_ESCAPE, percent_decode

_extended_value = re.compile(r"([A-Za-z0-9!#$%&+\-^_`{}~]++)'[A-Za-z0-9-]*+'([\x20-\x7e]*+)").fullmatch
_ATTRIBUTE_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~")
_ESCAPES = [chr(byte) if byte in _ATTRIBUTE_CHARACTERS else f"%{byte:02X}" for byte in range(256)]


def encode_extended(text: str) -> str:
    """Text as `UTF-8''...` (RFC 8187 §3.2.1). Raises UnicodeEncodeError, a ValueError, for a lone surrogate."""
    return f"UTF-8''{text.encode().decode('latin-1').translate(_ESCAPES)}"


def decode_extended(value: str) -> str:
    """The text of `charset'language'...`, whose language is passed over (RFC 8187 §3.2).

    UTF-8 is read, and ISO-8859-1, which RFC 5987 had. Characters that should have been escaped are tolerated. Raises
    ValueError for another charset, a broken escape, bytes that the charset doesn't have, and what has another form.
    """
    match = _extended_value(value)
    charset = match[1].lower() if match else ""
    if match is None or charset not in ("utf-8", "iso-8859-1"):
        raise ValueError(f"not an extended value in UTF-8: {value[:80]!r}")
    raw = match[2].encode()
    if BROKEN_ESCAPE.search(raw):
        raise ValueError(f"a broken percent-escape in an extended value: {value[:80]!r}")
    try:
        return percent_decode(raw).decode(charset)
    except UnicodeDecodeError:
        raise ValueError(f"an extended value that is not {match[1]}: {value[:80]!r}") from None
