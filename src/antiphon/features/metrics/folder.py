"""The folder with the figures of a server's processes: each process's memory is a file, which is locked while the
process is alive.

Other processes see a record once the count of used cells includes it and its checksum is correct. A record that a
process was writing when it was killed is therefore never read. A cell is written atomically, like any aligned 64-bit
number.

A process takes over the file of a process that has died and continues to count in it. Nothing is therefore lost or
counted twice, and there are never more files than processes that were alive at the same time.
"""

import mmap
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

_MAGIC = int.from_bytes(b"antiph01", "little")
_USED = 1
_HEAD = 8
"""The number of cells before the first record."""
_CELL = 8
"""The size of a cell in bytes."""


class Record(NamedTuple):
    """A text, the place of its first cell, and its number of cells."""

    text: bytes
    at: int
    length: int


class NotOurs(ValueError):
    """Raised if a file does not contain figures in this version's format."""


class Memory:
    """Records in a buffer. ``owner``, such as the locked file behind the buffer, lives as long as this object."""

    def __init__(self, buffer: Any, owner: object = None) -> None:
        if len(buffer) % _CELL:
            raise NotOurs
        self.owner = owner
        self.cells: memoryview[int] = memoryview(buffer).cast("B").cast("q")
        self.floats: memoryview[float] = memoryview(buffer).cast("B").cast("d")
        self._bytes = memoryview(buffer).cast("B")
        if len(self.cells) <= _HEAD or self.cells[0] != _MAGIC:
            raise NotOurs
        self.found: dict[Any, Any] = {}
        """Places that the writer often looks up."""
        self._places = {record.text: record.at for record in self.records()} if not self._bytes.readonly else {}

    @staticmethod
    def prepare(buffer: Any) -> None:
        """Write an empty memory's head into a buffer of zeros."""
        cells = memoryview(buffer).cast("B").cast("q")
        cells[_USED] = _HEAD
        cells[0] = _MAGIC

    def records(self) -> Iterator[Record]:
        """Iterate over the complete records."""
        at, used = _HEAD, min(self.cells[_USED], len(self.cells))
        while at + 2 <= used:
            length, count = self.cells[at] & 0xFFFFFFFF, self.cells[at] >> 32
            first = at + 2 + _cells_of(length)
            text = bytes(self._bytes[(at + 2) * _CELL : (at + 2) * _CELL + length])
            if first + count > used or self.cells[at + 1] != _checksum(text, count):
                return
            yield Record(text, first, count)
            at = first + count

    def find(self, text: bytes) -> int | None:
        """Return where a record is, or None if it does not exist."""
        return self._places.get(text)

    def append(self, text: bytes, count: int) -> int | None:
        """Append a record whose cells are zero. Return the place of its first cell, or None if there is no room.

        Only one thread may call this at a time.
        """
        cells = self.cells
        at = cells[_USED]
        first = at + 2 + _cells_of(len(text))
        if first + count > len(cells):
            return None
        for each in range(first, first + count):
            cells[each] = 0
        self._bytes[(at + 2) * _CELL : (at + 2) * _CELL + len(text)] = text
        cells[at] = len(text) | count << 32
        cells[at + 1] = _checksum(text, count)
        cells[_USED] = first + count
        self._places[text] = first
        return first


def _cells_of(length: int) -> int:
    """Return the number of cells for ``length`` bytes."""
    return -(-length // _CELL)


def _checksum(text: bytes, count: int) -> int:
    return crc32(text, count)


HAS_LOCKS = find_spec("fcntl") is not None
"""False on Windows, where each process keeps separate figures."""
VARIABLE = "ANTIPHON_METRICS_FOLDER"
"""The environment variable that contains the folder. `antiphon run` sets it for its workers."""
_SUFFIX = ".figures"
_PREFIX = "antiphon-metrics-"


def find_folder(given: str | os.PathLike[str] | None) -> Path | None:
    """Return this process's folder: the given one, the one from the environment, or one for its server's workers.

    Returns None if this process seems to be the only one of its server.
    """
    named = given or os.environ.get(VARIABLE)
    if named:
        return Path(named)
    parent = _parent()
    if parent is None or not HAS_LOCKS:
        return None
    return folder_of(parent)


def folder_of(parent: int) -> Path:
    """Return the temporary folder for a process's child processes."""
    return Path(tempfile.gettempdir(), f"{_PREFIX}{os.getuid()}-{parent}-{_started(parent)}")


def _parent() -> int | None:
    """Return the process that starts this server's workers, or None if it is unknown."""
    if "gunicorn.arbiter" in sys.modules:
        return os.getppid()
    if "uwsgi" in sys.modules:
        return int(sys.modules["uwsgi"].masterpid()) or None
    # A child process has imported this module whole; another thread may still be importing it.
    parent_process = getattr(sys.modules.get("multiprocessing"), "parent_process", None)
    return getattr(parent_process and parent_process(), "pid", None)


def _started(process: int) -> str:
    """Return the time at which a process started, in system ticks, or "" if it is unknown or the process no longer
    exists.
    """
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


class OwnFile:
    """A metrics file that this process keeps locked until nothing refers to this object or its memory."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.buffer = mmap.mmap(descriptor, 0)  # mmap duplicates the descriptor, which keeps the lock

    def memory(self) -> Memory:
        """Return the figures. Raises NotOurs for a file in another version's format."""
        return Memory(self.buffer, self)


def open_memory(folder: Path, size: int) -> Memory:
    """Return memory for this process in a folder: a dead process's memory, or a new one of ``size`` bytes.

    Raises OSError if the file can't be created, or if others may write to the folder.
    """
    _prepare(folder)
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if (memory := _adopt(path)) is not None:
            return memory
    return _create(folder, size)


def _prepare(folder: Path) -> None:
    """Create the folder, accessible only to this user. If it is temporary, delete the folders of servers that are
    gone."""
    if not HAS_LOCKS:
        raise OSError("this system has no file locks")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith(_PREFIX):
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
            raise PermissionError(f"{folder} belongs to another user, or others may write to it")
        _sweep(folder.parent)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}{os.getuid()}-*-*"):
        process, _, started = folder.name.rpartition("-")
        number = process.rpartition("-")[2]
        if started and number.isdecimal() and _started(int(number)) != started:
            shutil.rmtree(folder, ignore_errors=True)


def _adopt(path: Path) -> Memory | None:
    """Take over the file of a dead process. Return None if the process is alive, or if the file's format differs."""
    with suppress(OSError, NotOurs, ValueError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            _lock(descriptor)
            return OwnFile(path, descriptor).memory()
        finally:
            os.close(descriptor)
    return None


def _create(folder: Path, size: int) -> Memory:
    """Create a file that other processes can only see once it is locked and has its head."""
    name = f"{os.getpid()}-{os.urandom(4).hex()}"
    new, path = folder / f"{name}.new", folder / f"{name}{_SUFFIX}"
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor)
        _allocate(descriptor, size)
        own = OwnFile(path, descriptor)
        Memory.prepare(own.buffer)
        new.rename(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return own.memory()


def _allocate(descriptor: int, size: int) -> None:
    """Reserve all the space now, since writing to mapped memory without disk space would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.write(descriptor, bytes(size))


def other_memories(folder: Path, own: Memory | None) -> Iterator[tuple[Memory, bool]]:
    """Iterate over the memories of other processes in a folder, each with True if its process is alive."""
    own_path = own.owner.path if own is not None and isinstance(own.owner, OwnFile) else None
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if path != own_path and (found := _look(path)) is not None:
            yield found


def _look(path: Path) -> tuple[Memory, bool] | None:
    with suppress(OSError, NotOurs, ValueError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            lives = not _is_free(path)
            return Memory(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)), lives
        finally:
            os.close(descriptor)
    return None


def _is_free(path: Path) -> bool:
    """Return True if no living process has locked a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a separate descriptor, since a mapping would keep the lock
    try:
        _lock(descriptor, is_shared=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _lock(descriptor: int, *, is_shared: bool = False) -> None:
    """Lock a file, for one process or for all readers. Raises BlockingIOError if another process has locked it."""
    import fcntl

    fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
