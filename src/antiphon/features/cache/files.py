"""Bodies that are too large for a store, kept as files in a folder with a size limit.

While a file is being written, its name ends in ``.part``. Its process locks it, so that other processes can recognize
the leftovers of a killed process. The file gets its final name when it is complete. Its modification time is the time
of its last use.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from antiphon.embedding import FileBody
from antiphon.features import Store
from antiphon.features.stores.file_locks import is_abandoned, lock

PART = ".part"
IN_USE = 10.0
"""The number of seconds that must pass after a file's last use before it may be removed, since it may be about to be
opened and sent.
"""


class BodyFiles:
    """The files next to a store: up to ``most`` bytes in total, and up to a quarter of that for each file.

    The folder is created when it is first needed. A store that several machines share has no folder.
    """

    def __init__(self, store: Store, most: int) -> None:
        self.largest = most // 4
        self._store = store
        self._most = most
        self._folder: Path | None = None
        self._leaving: list[tuple[float, str]] = []
        """Files to remove, and the times to remove them."""

    def folder(self, *, make: bool = False) -> Path | None:
        """Return the folder, after removing files left incomplete by killed processes. Raises OSError.

        Without ``make``, return None if the folder does not exist yet.
        """
        if self._folder is None and (folder := self._store.files_folder(make=make)) is not None:
            for file in folder.glob(f"*{PART}"):
                if is_abandoned(file):
                    file.unlink(missing_ok=True)
            self._folder = folder
        return self._folder

    @property
    def are_used(self) -> bool:
        """True if this process has found a folder with files."""
        return self._folder is not None

    def begin(self) -> "FileInWriting | None":
        """Return a new file to write, or None if it can't be created."""
        self._sweep()
        with suppress(OSError):
            folder = self.folder(make=True)
            return None if folder is None else FileInWriting(self, folder / token_hex(16))
        return None

    def body(self, name: str, length: int) -> FileBody | None:
        """Return a file as a body and record its use; None if the file is missing or was changed."""
        with suppress(OSError):
            if _is_body(name) and (folder := self.folder()) is not None:
                path = folder / name
                os.utime(path)
                return FileBody(str(path), 0, length) if path.stat().st_size == length else None
        return None

    def has(self, name: str, length: int) -> bool:
        """Return True if a file exists unchanged."""
        with suppress(OSError):
            folder = self.folder()
            return folder is not None and _is_body(name) and (folder / name).stat().st_size == length
        return False

    def remove(self, name: str, *, is_new: bool = False) -> None:
        """Remove a file that is no longer needed: immediately if it is new and can't be in use, otherwise later."""
        self._leaving.append((time.time() + (0.0 if is_new else IN_USE), name))
        self._sweep()

    def _sweep(self) -> None:
        """Remove the files whose waiting time is over."""
        now = time.time()
        due = [name for end, name in self._leaving if not now < end <= now + IN_USE]  # the clock may have been set back
        self._leaving = [(end, name) for end, name in self._leaving if name not in due]
        for name in due:
            with suppress(OSError):
                if _is_body(name) and (folder := self.folder()) is not None:
                    (folder / name).unlink()

    def make_room(self, size: int) -> bool:
        """Remove the least recently used files until ``size`` bytes fit. Return False if they can't fit.

        Raises OSError.
        """
        with os.scandir(self.folder()) as entries:
            found = [(entry, entry.stat()) for entry in entries]
        total = size + sum([status.st_size for entry, status in found if not entry.name.endswith(PART)])
        whole = [(status.st_mtime, entry.path, status.st_size) for entry, status in found if _is_body(entry.name)]
        for used, path, freed in sorted(whole):
            if total <= self._most or used > time.time() - IN_USE:
                break
            os.unlink(path)
            total -= freed
        return total <= self._most


def _is_body(name: str) -> bool:
    return len(name) == 32 and name.isalnum()


class FileInWriting:
    """A file that becomes a body when it is complete. Raises OSError if it can't be created."""

    def __init__(self, files: BodyFiles, path: Path) -> None:
        self._files = files
        self._path = path
        self._part = path.with_name(path.name + PART)
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        self._file = os.fdopen(descriptor, "wb")
        lock(descriptor)
        self.length = 0

    def write(self, data: bytes) -> None:
        """Append to the file. Raises OSError, for example if the disk is full."""
        self._file.write(data)
        self._file.flush()  # a full disk is known here
        self.length += len(data)

    def publish(self) -> str | None:
        """Give the file its final name and return the name, or None if there is no room for it. Raises OSError."""
        if not self._files.make_room(self.length):
            self.drop()
            return None
        os.rename(self._part, self._path)
        self._close()
        return self._path.name

    def drop(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            self._part.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        with suppress(OSError):
            self._file.close()
