"""Paths that clients choose."""

import os
import posixpath

_OTHER_SEPARATORS = [separator for separator in (os.sep, os.altsep) if separator not in (None, "/")]
_DEVICES = {"AUX", "CON", "CONIN$", "CONOUT$", "NUL", "PRN"} | {
    f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"
}


def safe_join(directory: str, *untrusted: str) -> str | None:
    """Return a path below the directory, made from names that a client has chosen, or None if they lead out of it.

    The names have slashes on every system. Links are not resolved: opening the path follows them.
    """
    parts = [directory or "."]
    for name in filter(None, untrusted):
        path = posixpath.normpath(name)
        if _leaves(path):
            return None
        parts.append(path)
    return posixpath.join(*parts)


def _leaves(path: str) -> bool:
    if path == ".." or path.startswith(("../", "/")) or os.path.isabs(path):
        return True
    return any(separator in path for separator in _OTHER_SEPARATORS) or (os.name == "nt" and _names_device(path))


def _names_device(path: str) -> bool:
    """Return True if Windows would open a device. A device's name counts in any folder, with any suffix."""
    stems = [name.partition(":")[0].partition(".")[0] for name in path.split("/")]
    return any(stem.strip().upper() in _DEVICES for stem in stems)
