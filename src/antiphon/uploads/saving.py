"""Files that appear at their path only when they are complete, and safe names for them."""

import os
from collections.abc import Callable
from contextlib import suppress
from errno import EEXIST, EISDIR
from os.path import splitext
from stat import S_ISDIR, S_ISLNK, S_ISREG

from antiphon.explanations import explained
from antiphon.lazy import compiled_late
from antiphon.paths import absolute_path
from antiphon.uploads.temporary_file import NoRoomIs507

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_link: Callable[[str, str], None] | None = getattr(os, "link", None)


def save(path: str, fill: Callable[[int], None], *, overwrite: bool = False) -> None:
    """Create the file at ``path`` from the bytes that ``fill`` writes to a descriptor.

    It gets the permissions that ``open`` would give it. Until it is complete, it has a hidden name in the same folder;
    if this fails, nothing is left behind. An existing file at the path stays, unless ``overwrite`` is True: then it is
    replaced atomically. A link itself is replaced, not its target; folders, devices, pipes and sockets are never
    replaced. The file isn't synced to disk.

    Raises FileExistsError, InsufficientStorage (507) if the disk is full, other OSErrors, and any error that ``fill``
    raises.
    """
    _check_free(path, overwrite)
    hidden = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}.part")
    with NoRoomIs507():
        descriptor = os.open(hidden, _FLAGS, 0o666)
        try:
            try:
                fill(descriptor)
            finally:
                os.close(descriptor)
            if overwrite:
                os.replace(hidden, path)
            else:
                give_name(hidden, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(hidden)
            raise


def give_name(hidden: str, path: str, link: Callable[[str, str], None] | None = _link) -> None:
    """Give a file its final name, if no other file has it. If several callers do this at once, one succeeds.

    On a file system without links, an empty file has the name for a moment. Raises FileExistsError.
    """
    if os.name == "nt":
        os.rename(hidden, path)
        return
    try:
        if link is None:
            raise NotImplementedError
        link(hidden, path)
    except FileExistsError:
        raise _exists(path) from None
    except (OSError, NotImplementedError):
        os.close(os.open(path, _FLAGS, 0o666))
        try:
            os.replace(hidden, path)
        except BaseException:
            os.unlink(path)
            raise
    else:
        os.unlink(hidden)


def _check_free(path: str, overwrite: bool) -> None:
    """Raise FileExistsError or IsADirectoryError if something at the path must not be replaced."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):  # nothing exists there, or no file can be created there
        return
    if not overwrite:
        raise _exists(path)
    if not (S_ISREG(mode) or S_ISLNK(mode)):
        raise OSError(EISDIR if S_ISDIR(mode) else EEXIST, "only files and links can be overwritten", path)


def _exists(path: str) -> FileExistsError:
    return FileExistsError(EEXIST, "there is already a file, which must not be overwritten", path)


LONGEST = 255
"""The maximum length of a name, in bytes of UTF-8."""

_LONGEST_EXTENSION = 64
_MOST_CHARACTERS = 1024
_NOTHING_LEFT = "upload"

_drive = compiled_late(r"\A[A-Za-z]:")
_forbidden = str.maketrans(dict.fromkeys('<>:"/\\|?*', "_"))
_reserved = compiled_late(r"(?i:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\xb9\xb2\xb3]) *+(?:\.|$)")


def safe_filename(name: str) -> str:
    """Return the last part of a path from any system as a name that is safe in any folder.

    The name keeps its extension and letters of every script. Control, format and unassigned characters are removed, as
    are dots and spaces at either end. Equivalent characters are unified (NFKC), so a fullwidth slash is a slash.
    Characters that Windows forbids become ``_``, and names that Windows reserves get a leading ``_``. The name has at
    most 255 bytes in UTF-8. If nothing is left, it is "upload".
    """
    last = _last_part(name)
    if len(last) > _MOST_CHARACTERS:
        stem, extension = splitext(last)
        last = stem[:_MOST_CHARACTERS] + extension[:_LONGEST_EXTENSION]
    if not last.isprintable():
        last = "".join([character for character in last if character.isprintable() or character.isspace()])
    if not last.isascii():
        from unicodedata import normalize  # late: its tables are large

        last = _last_part(normalize("NFKC", last))
    last = " ".join(last.split()).translate(_forbidden).strip(" .")
    if _reserved.match(last):
        last = f"_{last}"
    return _shortened(last) or _NOTHING_LEFT


def _last_part(path: str) -> str:
    """Return the last name in a path from any system, without a drive."""
    return _drive.sub("", path.replace("\\", "/").rpartition("/")[2])


def _shortened(name: str) -> str:
    """Cut a name to the permitted length, but keep its extension."""
    if len(name.encode()) <= LONGEST:
        return name
    stem, extension = splitext(name)
    if len(extension.encode()) > _LONGEST_EXTENSION:
        stem, extension = name, ""
    room = LONGEST - len(extension.encode())
    return (stem.encode()[:room].decode(errors="ignore") + extension).rstrip(" .")


def usable_folder(path: str | os.PathLike[str]) -> str:
    """Return the path of a folder in which files can be created.

    Raises TypeError for anything but a path as text, and ValueError for a relative path or a missing folder.
    """
    try:
        folder = absolute_path(path)
    except (TypeError, ValueError) as error:
        raise type(error)(f"upload_folder: {error}") from None
    if not os.path.isdir(folder):
        raise explained("missing-folder", f"upload_folder: there is no folder {folder!r}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise explained("missing-folder", f"upload_folder: this user can't create files in {folder!r}")
    return folder
