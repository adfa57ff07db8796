"""Names of static files: which names may be served, and names that contain a hash of the content."""

import re
from collections.abc import Callable
from posixpath import splitext

LONGEST_NAME = 1024
"""The maximum path length that all systems support, in characters."""
HASH_DIGITS = 12

# Lower case only, as ``hexdigest`` writes it.
_is_hash = re.compile(f"[0-9a-f]{{{HASH_DIGITS}}}").fullmatch

_NO_DOTS = r"(?![. ]++(?:/|\Z))"
"""Match the start of a segment that isn't all dots and spaces; these lead out of the folder on some systems."""
_NOT_HIDDEN = r"(?:(?!\.)|(?=\.well-known/))"
_TEXT = r"[^/\\:\0\ud800-\udfff]++"
"""The characters allowed in a name. On some systems, other characters separate segments, denote a drive, or can't be
encoded.
"""


def served_names(dotfiles: bool) -> Callable[[str], object]:
    """Return a function that returns whether a name may be served.

    Such a name is relative, has no empty or dot segments, no backslash, colon or NUL, and at most 1024 characters.
    Unless ``dotfiles`` are served, no segment begins with a dot, except ``.well-known`` (RFC 8615).
    """
    segment = f"{_NO_DOTS}{'' if dotfiles else _NOT_HIDDEN}{_TEXT}"
    fits = re.compile(f"{segment}(?>(?:/{segment})*)").fullmatch

    def is_served(name: str) -> bool:
        return len(name) <= LONGEST_NAME and fits(name) is not None

    return is_served


def with_hash(name: str, digits: str) -> str:
    """Return a name with a hash before its suffix, or at the end if it has none."""
    stem, suffix = splitext(name)
    return f"{stem}.{digits}{suffix}"


def without_hash(name: str) -> tuple[str, str] | None:
    """Return the name and the hash from which ``with_hash`` made this name, or None for a name without a hash."""
    stem, _, last = name.rpartition(".")
    before, _, digits = stem.rpartition(".")
    if _is_hash(digits) and with_hash(plain := f"{before}.{last}", digits) == name:
        return plain, digits
    if _is_hash(last) and with_hash(stem, last) == name:
        return stem, last
    return None
