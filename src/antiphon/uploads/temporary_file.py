"""Unnamed temporary files, complete reading, writing and copying of files by descriptor, and files that appear at their
path, with a safe name, only when they are complete.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from errno import EEXIST, EISDIR
from functools import cache
from os.path import splitext
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import Self, TypeAlias

from antiphon.explanations import explained
from antiphon.http.errors import InsufficientStorage
from antiphon.lazy import compiled_late
from antiphon.paths import absolute_path

Way: TypeAlias = Callable[[int, int, int, int], int]
"""A function that copies up to ``length`` bytes from ``offset`` to another descriptor, and returns how many."""

_AT_ONCE = 64 << 20
_CHUNK = 1 << 20


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all bytes, with as many calls as necessary. Raises OSError."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


if hasattr(os, "pread"):
    pread = os.pread
else:
    from threading import Lock

    _position = Lock()

    def pread(descriptor: int, length: int, offset: int, /) -> bytes:
        """A substitute for ``os.pread`` on systems that lack it, used by one caller at a time. It moves the
        position.
        """
        with _position:
            os.lseek(descriptor, offset, os.SEEK_SET)
            try:
                return os.read(descriptor, length)
            finally:
                os.lseek(descriptor, 0, os.SEEK_END)


def read_all(descriptor: int, length: int, offset: int) -> bytes:
    """Read ``length`` bytes from ``offset``, with as many calls as necessary. Raises OSError or EOFError."""
    data = pread(descriptor, length, offset)
    if len(data) == length:
        return data
    chunks = []
    while data:
        chunks.append(data)
        length -= len(data)
        offset += len(data)
        data = pread(descriptor, length, offset)
    if length:
        raise _cut_short(length)
    return b"".join(chunks)


def read_into(descriptor: int, target: memoryview, offset: int) -> int:
    """Read at least one byte from ``offset`` into ``target``. Return how many. Raises OSError or EOFError."""
    if not hasattr(os, "preadv"):
        data = pread(descriptor, len(target), offset)
        target[: len(data)] = data
        size = len(data)
    else:
        size = os.preadv(descriptor, [target], offset)
    if not size and target:
        raise _cut_short(len(target))
    return size


def _cut_short(missing: int) -> EOFError:
    return EOFError(f"a file ends {missing} bytes before the end of the data that was written to it")


def _by_copy_file_range(source: int, target: int, offset: int, length: int) -> int:
    return os.copy_file_range(source, target, length, offset_src=offset)


def _by_sendfile(source: int, target: int, offset: int, length: int) -> int:
    return os.sendfile(target, source, offset, length)


IN_KERNEL: list[Way] = []
"""Functions that copy without using this process's memory. Some file systems and kernels support none of them."""
if hasattr(os, "copy_file_range"):
    IN_KERNEL.append(_by_copy_file_range)
if hasattr(os, "sendfile"):
    IN_KERNEL.append(_by_sendfile)


def copy(source: int, target: int, offset: int, length: int, ways: Iterable[Way] = IN_KERNEL) -> None:
    """Copy ``length`` bytes from ``offset`` of a file to another file's position. Raises OSError or EOFError.

    ``ways`` are tried in order; if one stops early, the next one continues with the rest.
    """
    end = offset + length
    for way in ways:
        with suppress(OSError):
            while offset < end and (copied := way(source, target, offset, min(end - offset, _AT_ONCE))):
                offset += copied
    if offset < end:
        _copy_by_hand(source, target, offset, end)


def _copy_by_hand(source: int, target: int, offset: int, end: int) -> None:
    buffer = memoryview(bytearray(min(end - offset, _CHUNK)))
    while offset < end:
        size = read_into(source, buffer[: end - offset], offset)
        write_all(target, buffer[:size])
        offset += size


_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_MOUNTS = "/proc/self/mountinfo"


@cache
def warn_of_memory(folder: str) -> None:
    """Log a warning, once per folder, if the files in a folder are in memory."""
    if (kind := file_system(folder)) not in _IN_MEMORY:
        return
    import logging

    logging.getLogger("antiphon").warning(
        "large request bodies are written to %r, which is in memory (%s): name a folder on a disk, as with TMPDIR",
        folder,
        kind,
    )


def file_system(folder: str) -> str | None:
    """Return the type of a folder's file system, such as "ext4"; None if it is unknown."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as mounts:
            device = os.stat(folder).st_dev
            number = f"{os.major(device)}:{os.minor(device)}"
            for line in mounts:
                mount, _, described = line.partition(" - ")
                if mount.split(" ", 3)[2] == number:
                    return described.partition(" ")[0]
    except OSError:
        pass
    return None


class UnnamedFile:
    """A temporary file that grows at its end and can be read anywhere, in ``folder`` or the system's temporary folder.

    The file is closed with its last reference, so a thread that is still reading never reads a different file with the
    same descriptor. Raises OSError if the file can't be created.

    Its room isn't reserved on the disk: on ext4, a file that is gone before its bytes are written back then never takes
    any, while freeing reserved room waits for the disk with the ``discard`` option (3.5 ms for 1 MiB, instead of 0.1).
    """

    __slots__ = ("_descriptor", "size")

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        from tempfile import TemporaryFile, gettempdir

        self._descriptor = -1
        self.size = 0
        """The number of bytes appended so far."""
        folder = gettempdir() if folder is None else os.fspath(folder)
        unnamed = _open_unnamed(folder, 0o600)
        if unnamed is None:
            with TemporaryFile(buffering=0, dir=folder) as file:
                # A file object that is garbage-collected in a cycle, before this object, would warn that it is open.
                unnamed = os.dup(file.fileno())
        self._descriptor = unnamed
        warn_of_memory(folder)

    @classmethod
    def over(cls, path: str | os.PathLike[str]) -> Self:
        """Return an existing file, which is only read. Raises OSError."""
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        file = cls.__new__(cls)
        file._descriptor = descriptor  # noqa: SLF001 - of this very class
        file.size = os.fstat(descriptor).st_size
        return file

    def discard(self) -> None:
        """Close the file now. Nothing reads it any more, but the traceback of an error may hold a reference for a long
        time.
        """
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):  # bytes that could not be written are no longer needed
                os.close(descriptor)

    __del__ = discard

    def append(self, data: memoryview) -> None:
        """Write bytes at the end. Raises OSError, after which it is unknown how much was written."""
        write_all(self._descriptor, data)
        self.size += len(data)

    def give_name(self, path: str | os.PathLike[str]) -> bool:
        """Give the file a name, by which it stays. Return False if it can't have this name, such as elsewhere."""
        with suppress(OSError, NotImplementedError):
            _link_to(self._descriptor, path)
            return True
        return False

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, which must have been appended. Any number of threads can read at
        once.
        """
        return read_all(self._descriptor, length, offset)

    def read_into(self, target: memoryview, offset: int) -> int:
        """Read appended bytes from ``offset`` into ``target``. Return how many were read."""
        return read_into(self._descriptor, target, offset)

    def copy_to(self, descriptor: int, offset: int, length: int) -> None:
        """Write ``length`` appended bytes from ``offset`` to another file. Raises OSError."""
        copy(self._descriptor, descriptor, offset, length)


SLOW = 0.002
"""The number of seconds after which a write is considered slow: ten times as long as a write to memory takes."""
WARY = 16
"""The number of consecutive fast writes that are required after a slow one."""


class WriteTimes:
    """A record of how long writes take, on any thread, which predicts the next one. The first write is assumed to be
    slow.
    """

    __slots__ = ("_wary",)

    def __init__(self) -> None:
        self._wary = 1

    @property
    def are_short(self) -> bool:
        """True if the next write is likely to be fast."""
        return not self._wary

    def add(self, seconds: float) -> None:
        """Record how many seconds a write took."""
        self._wary = WARY if seconds >= SLOW else max(self._wary - 1, 0)


WRITE_TIMES = WriteTimes()
"""How long this process's writes take, for all file systems together, because one loop serves bodies on all of them."""


_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_UNNAMED: int = getattr(os, "O_TMPFILE", 0)
_DESCRIPTORS = "/proc/self/fd"
_link: Callable[[str, str], None] | None = getattr(os, "link", None)


def save(path: str, fill: Callable[[int], None], *, overwrite: bool = False) -> None:
    """Create the file at ``path`` from the bytes that ``fill`` writes to a descriptor.

    It gets the permissions that ``open`` would give it. Until it is complete, it has no name, so that nothing is left
    behind, even if the process is killed. On systems and file systems without unnamed files (O_TMPFILE), it has a
    hidden name in the same folder. An existing file at the path stays, unless ``overwrite`` is True: then it is
    replaced atomically. A link itself is replaced, not its target; folders, devices, pipes and sockets are never
    replaced. The file isn't synced to disk.

    Raises FileExistsError, InsufficientStorage (507) if the disk is full, other OSErrors, and any error that ``fill``
    raises.
    """
    _check_free(path, overwrite)
    hidden = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}.part")
    with InsufficientStorage.if_disk_is_full():
        unnamed = _open_unnamed(os.path.dirname(path))
        descriptor = os.open(hidden, _FLAGS, 0o666) if unnamed is None else unnamed
        try:
            try:
                fill(descriptor)
                if unnamed is not None:
                    _name(unnamed, hidden)
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


def _open_unnamed(folder: str, mode: int = 0o666) -> int | None:
    """Open a file that has no name, for reading and writing. Return None if there are none, or can be given none."""
    with suppress(OSError):
        if _UNNAMED and _link is not None and os.path.isdir(_DESCRIPTORS):
            return os.open(folder, _UNNAMED | os.O_RDWR | os.O_CLOEXEC, mode)
    return None


def _name(unnamed: int, hidden: str) -> None:
    try:
        _link_to(unnamed, hidden)
    except OSError:  # a file system without links
        target = os.open(hidden, _FLAGS, 0o666)
        try:
            copy(unnamed, target, 0, os.fstat(unnamed).st_size)
        finally:
            os.close(target)


def _link_to(unnamed: int, path: str | os.PathLike[str]) -> None:
    # The descriptor of the folder is not used, but makes Python follow the link to the file (linkat).
    os.link(f"{_DESCRIPTORS}/{unnamed}", path, src_dir_fd=unnamed)


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
