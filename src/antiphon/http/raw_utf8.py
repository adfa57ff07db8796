"""UTF-8 in headers: servers hand its bytes over as Latin-1 characters, and take them so."""


def read_raw_utf8(text: str) -> str:
    """The text that a header's value means: what is UTF-8 is decoded, anything else stays as it is. Never raises."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def write_raw_utf8(text: str) -> str:
    """Text as Latin-1 characters that stand for its UTF-8.

    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    return text if text.isascii() else text.encode().decode("latin-1")
