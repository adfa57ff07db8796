"""Where a ``file:`` URL is (RFC 8089): a server, if it is another one, and a path in the form of a system."""

import ntpath
import os
import posixpath

_HERE = ("127.0.0.1", "::1", "localhost")


def file_location(host: str | None, path: str, system: str | None) -> tuple[str | None, str]:
    """Server and path, on a "windows" or "posix" system, by default this one. Raises TypeError for another."""
    system = system or ("windows" if os.name == "nt" else "posix")
    if system == "windows":
        host, path = _on_windows(host, path)
    elif system == "posix":
        path = posixpath.normpath(path)
    else:
        raise TypeError(f"Invalid path format {system!r}")
    return (None if host in _HERE else host), path


def _on_windows(host: str | None, path: str) -> tuple[str | None, str]:
    if path[:1] == "/" and path[1:2].isalpha() and path[2:3] in ("|", ":"):
        path = f"{path[1]}:{path[3:]}"
    is_share = path.startswith(("///", "\\\\\\"))
    path = ntpath.normpath(path)
    if is_share and host is None:
        host, _, path = path.lstrip("\\").partition("\\")
    return host, path
