"""A name for a file that a client has named: one that can stand in any folder of any system."""

import re
from os.path import splitext
from unicodedata import normalize

LONGEST = 255
"""Bytes of a name in UTF-8."""

_LONGEST_EXTENSION = 64
_MOST_CHARACTERS = 1024
_NOTHING_LEFT = "upload"

_drive = re.compile(r"\A[A-Za-z]:")
_forbidden = str.maketrans(dict.fromkeys('<>:"/\\|?*', "_"))
_reserved = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\xb9\xb2\xb3]) *+(?:\.|$)", re.IGNORECASE)


def safe_filename(name: str) -> str:
    """The last part of a path that any system may have written, as a name in any folder.

    It keeps letters of every script (in NFC) and its extension, and loses control, format and unassigned characters,
    and dots and spaces at its ends. What Windows forbids becomes ``_``, which comes before names that Windows reserves,
    too. It has at most 255 bytes in UTF-8. What nothing is left of becomes "upload".
    """
    last = _drive.sub("", name.replace("\\", "/").rpartition("/")[2])
    if len(last) > _MOST_CHARACTERS:
        stem, extension = splitext(last)
        last = stem[:_MOST_CHARACTERS] + extension[:_LONGEST_EXTENSION]
    if not last.isprintable():
        last = "".join([character for character in last if character.isprintable() or character.isspace()])
    last = " ".join(last.split())
    if not last.isascii():
        last = normalize("NFC", last)
    last = last.translate(_forbidden).strip(" .")
    if _reserved.match(last):
        last = f"_{last}"
    return _shortened(last) or _NOTHING_LEFT


def _shortened(name: str) -> str:
    """As much of a name as may be, with its extension."""
    if len(name.encode()) <= LONGEST:
        return name
    stem, extension = splitext(name)
    if len(extension.encode()) > _LONGEST_EXTENSION:
        stem, extension = name, ""
    room = LONGEST - len(extension.encode())
    return (stem.encode()[:room].decode(errors="ignore") + extension).rstrip(" .")
