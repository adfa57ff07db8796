"""The names by which files of a folder are asked for: which are served at all, and the same with a hash in them.

Only text is looked at: a name has segments with ``/`` between them, on every system.
"""

import re
from collections.abc import Callable
from posixpath import splitext

LONGEST_NAME = 1024
"""Characters: the longest path that all systems know."""
HASH_DIGITS = 12

_is_hash = re.compile(f"[0-9a-f]{{{HASH_DIGITS}}}").fullmatch

_NO_DOTS = r"(?![. ]++(?:/|\Z))"
"""Not a segment that leads to the folder or out of it, nor one that some system takes for that."""
_NOT_HIDDEN = r"(?:(?!\.)|(?=\.well-known/))"
_TEXT = r"[^/\\:\0\ud800-\udfff]++"
"""What would be a separator or a drive somewhere, or can't be sent, is in no name."""


def served_names(dotfiles: bool) -> Callable[[str], object]:
    """A function that tells whether a name is one that may be served, wherever that leads.

    It is relative, has no empty segments, none of dots, no backslash, colon or NUL, and at most 1024 characters. Unless
    ``dotfiles`` are served, too, no segment begins with a dot, except ``.well-known`` (RFC 8615).
    """
    segment = f"{_NO_DOTS}{'' if dotfiles else _NOT_HIDDEN}{_TEXT}"
    fits = re.compile(f"{segment}(?:/{segment})*+").fullmatch

    def is_served(name: str) -> bool:
        return len(name) <= LONGEST_NAME and fits(name) is not None

    return is_served


def with_hash(name: str, digits: str) -> str:
    """A name with a hash before the suffix, or at the end where there is none."""
    stem, suffix = splitext(name)
    return f"{stem}.{digits}{suffix}"


def without_hash(name: str) -> tuple[str, str] | None:
    """The name and the hash of which ``with_hash`` makes this one. None where it makes it of no other."""
    stem, _, last = name.rpartition(".")
    before, _, digits = stem.rpartition(".")
    if _is_hash(digits) and with_hash(plain := f"{before}.{last}", digits) == name:
        return plain, digits
    if _is_hash(last) and with_hash(stem, last) == name:
        return stem, last
    return None
