"""A file that is read once, and again when it is replaced. No request waits for that, or sees half a file."""

import logging
import os
import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

LOOK_EVERY = 5.0
"""Seconds between two checks whether the file was replaced."""


class Version(NamedTuple):
    """The signs that distinguish a file from the previous one."""

    modified: int
    size: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: str) -> "Version | None":
        """Return the current version, or None if there is no file."""
        try:
            found = os.stat(path)
        except OSError:
            return None
        return cls(found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


class WatchedFile(Generic[T]):
    """The contents of a file, as ``read`` returns them for its path.

    A new version of the file is read on its own thread, once it has not changed between two checks, since it may be
    written slowly. If it can't be read, this is logged, and the contents stay those of the previous version.
    """

    def __init__(self, path: str, read: Callable[[str], T], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._contents: T | None = None
        self._version: Version | None = None
        """The version that was read, even if that failed."""
        self._seen: Version | None = None
        """The version at the last check, if it has changed."""
        self._next_look = 0.0
        self._reading: Thread | None = None

    def load(self) -> T:
        """Return the contents, which are read now unless they were read before. Raises what ``read`` raises."""
        with self._lock:
            if self._contents is None:
                self._version = Version.of(self._path)
                self._contents = self._read(self._path)
                self._next_look = self._clock() + LOOK_EVERY
            return self._contents

    def contents(self) -> T:
        """Return the contents, and check now and then whether the file was replaced. Raises what ``load`` raises."""
        contents = self._contents
        if contents is None:
            return self.load()
        if self._clock() >= self._next_look:
            with self._lock:
                if self._clock() >= self._next_look:  # no other thread has checked by now
                    self._next_look = self._clock() + LOOK_EVERY
                    self._look()
        return contents

    def _look(self) -> None:
        found = Version.of(self._path)
        is_settled, self._seen = found == self._seen, found
        if found is None or found == self._version or not is_settled or (self._reading and self._reading.is_alive()):
            return
        self._reading = Thread(target=self._read_again, args=(found,), name="antiphon locations", daemon=True)
        self._reading.start()

    def _read_again(self, version: Version) -> None:
        try:
            contents = self._read(self._path)
        except Exception as error:  # the file may be anything
            self._version = version
            logging.getLogger("antiphon").error(
                "%s was replaced by a file that can't be read, so the previous one stays in use: %s", self._path, error
            )
            return
        if Version.of(self._path) == version:
            self._contents, self._version = contents, version
