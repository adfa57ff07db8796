"""Bodies in files: those that are too large for a store, in a folder of up to so many bytes.

A file that is being written ends in ``.part``, and is locked by its process, so that others can tell what a killed one
has left. It gets its name when it is whole. Its time is that of its last use.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from antiphon.features.stores.file_locks import is_abandoned, lock
from antiphon.features.stores.store import Store
from antiphon.response.files import FileBody

PART = ".part"
IN_USE = 10.0
"""Seconds after its last use in which a file is not removed: it may not have been opened yet to be sent."""


class BodyFiles:
    """The files beside a store, of up to ``most`` bytes together, and of up to a quarter of that each.

    The folder is made when it is first needed. A store that many machines share has none.
    """

    def __init__(self, store: Store, most: int) -> None:
        self.largest = most // 4
        self._store = store
        self._most = most
        self._folder: Path | None = None
        self._leaving: list[tuple[float, str]] = []
        """Files to be removed, and when."""

    def folder(self, *, make: bool = False) -> Path | None:
        """Return the folder, without what killed processes have left half written. Raises OSError.

        Without ``make`` None if it does not exist yet.
        """
        if self._folder is None and (folder := self._store.files_folder(make=make)) is not None:
            for file in folder.glob(f"*{PART}"):
                if is_abandoned(file):
                    file.unlink(missing_ok=True)
            self._folder = folder
        return self._folder

    @property
    def are_used(self) -> bool:
        """True if this process knows of a folder with files."""
        return self._folder is not None

    def begin(self) -> "FileInWriting | None":
        """Return a new file to be written; None if that can't be."""
        self._sweep()
        with suppress(OSError):
            folder = self.folder(make=True)
            return None if folder is None else FileInWriting(self, folder / token_hex(16))
        return None

    def body(self, name: str, length: int) -> FileBody | None:
        """Return a file as a body, and note that it is used; None if it is missing, or not as it was written."""
        with suppress(OSError):
            if _is_body(name) and (folder := self.folder()) is not None:
                path = folder / name
                os.utime(path)
                return FileBody(str(path), 0, length) if path.stat().st_size == length else None
        return None

    def has(self, name: str, length: int) -> bool:
        """True if a file is there as it was written."""
        with suppress(OSError):
            folder = self.folder()
            return folder is not None and _is_body(name) and (folder / name).stat().st_size == length
        return False

    def remove(self, name: str, *, is_new: bool = False) -> None:
        """Remove a file that is not needed any more: a new one, which nobody has found yet, at once, others later."""
        self._leaving.append((time.time() + (0.0 if is_new else IN_USE), name))
        self._sweep()

    def _sweep(self) -> None:
        """Remove what had to wait."""
        now = time.time()
        due = [name for end, name in self._leaving if not now < end <= now + IN_USE]  # the clock may have been set back
        self._leaving = [(end, name) for end, name in self._leaving if name not in due]
        for name in due:
            with suppress(OSError):
                if _is_body(name) and (folder := self.folder()) is not None:
                    (folder / name).unlink()

    def make_room(self, size: int) -> bool:
        """Remove what was not used for the longest time until there is room for so many bytes. False if there is none.

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
    """A file that becomes a body when it is whole. Raises OSError where it can't be made."""

    def __init__(self, files: BodyFiles, path: Path) -> None:
        self._files = files
        self._path = path
        self._part = path.with_name(path.name + PART)
        self._descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        lock(self._descriptor)
        self.length = 0

    def write(self, data: bytes) -> None:
        """Add to the file. Raises OSError, as for a full disk."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]
        self.length += len(data)

    def publish(self) -> str | None:
        """Give the file its name, and return that; None if there is no room for it. Raises OSError."""
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
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)
