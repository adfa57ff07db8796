"""Uploads in progress: their entries in a store, their bytes in files, and the request whose turn it is to append.

| state | the entry | the file | ends with |
|---|---|---|---|
| open | has the turn of the newest request | the bytes so far: its size is the offset | the last part |
| running | has the turn of the last part's request | is locked by the process that calls the handler | a response |
| done | has the size and, unless it was too large, the response | is removed | its time |

A response after which clients try again opens the upload again. If an upload is running but its file isn't locked, its
process was killed. Each batch is written under the file's lock, after a look at the turn, so a request that was
superseded writes nothing, in whichever process it is.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from errno import ENOSPC
from hashlib import sha256
from math import ceil
from pathlib import Path
from secrets import token_hex
from shutil import disk_usage
from typing import Any, Literal, TypeAlias, assert_never, cast, get_args

from antiphon import HTTPError, Request
from antiphon.embedding import FeatureStore, over_limit
from antiphon.features import Store, StoreEntry, StoreUnavailable
from antiphon.features.resumable.messages import (
    Part,
    broken_off,
    in_progress,
    in_upload,
    inconsistent_length,
    mismatching_offset,
    superseded,
)
from antiphon.features.stores.file_locks import lock_alone, unlock
from antiphon.http import ContentTooLarge, InsufficientStorage, NotFound, TooManyRequests

UploadState: TypeAlias = Literal["open", "running", "done"]
_, RUNNING, DONE = get_args(UploadState)

_named = FeatureStore.declare("resumable upload", until="minor", unreadable="refused")
_ATTEMPTS = 100
_WAIT = 0.005
_SWEEP_EVERY = 60.0
RESERVE = 64 << 20
"""The number of bytes of the disk that uploads leave to others: stores, logs, and the removal of uploads. On a small
disk, it is an eighth.
"""
_SKEW = 60.0
"""The number of seconds by which the clocks of machines may differ."""


def _not_found() -> NotFound:
    return NotFound("There is no such upload, or it has expired.")


def _identities(request: Request) -> list[str]:
    """Return the caller: the users and signers if there are any, otherwise everything but unverified cookies."""
    found = request.caller.identities
    people = [str(each) for each in found if each.is_shown_each_time or each.is_begun_by_handlers]
    others = [str(each) for each in found if each.kind != "credentials" or not each.id.startswith("cookies ")]
    return sorted(people or others)


def _hash(*parts: str) -> str:
    return sha256(FeatureStore.name_of(*parts).encode("utf-8", "surrogatepass")).hexdigest()


class Uploads:
    """The uploads of one feature, which expire after ``max_age`` seconds; a caller may have ``max_open`` open ones."""

    def __init__(self, store: Callable[[], Store], folder: Callable[[], Path], max_age: float, max_open: int) -> None:
        self._store_of = store
        self._folder = folder
        self._max_age = max_age
        self._max_open = max_open
        self._swept = float("-inf")

    @property
    def store(self) -> Store:
        """The store with the entries."""
        return self._store_of()

    def begin(self, request: Request, target: str, data: Mapping[str, Any]) -> "Turn":
        """Begin an upload to a path, with the body of a request, which has been received.

        Raises TooManyRequests (429), InsufficientStorage (507) and StoreUnavailable.
        """
        self._sweep()
        id_, token = f"{self.store.new_key()}.{ceil(self._max_age)}", token_hex(16)
        own = {
            "owner": [_hash(id_, each) for each in _identities(request)],
            "for": _hash(id_, request.host, target),
            "turn": token,
        }
        # Credentials that nobody has verified may differ in each request, so they own an upload, but are not counted.
        owner = _named("of", request.caller.key)
        entry = self.store.change(self.key(id_), {**data, **own, "state": "open"}, ttl=self._max_age, owner=owner)
        with self.removed_if_refused(id_):
            # If the clock was set back, earlier uploads may stay for longer, but don't count.
            latest = self.store.clock() + self._max_age + _SKEW
            of_caller = [each for each in self.store.owned_by(owner) if each.expires <= latest]
            if len(of_caller) > self._max_open:
                raise over_limit(
                    TooManyRequests, "uploads", self._max_open, f"Only {self._max_open} uploads may be open at once."
                )
            with InsufficientStorage.if_disk_is_full():
                request.content.save(self.path(id_))
                if request.content.size:
                    self.check_room(0)
                _sync_folder(self._folder())
            return Turn(self, id_, cast("StoreEntry", entry), token)

    def key(self, id_: str) -> str:
        """Return the key of an upload's entry."""
        return _named(id_)

    def path(self, id_: str) -> Path:
        """Return the path of an upload's file. Its name tells the age too, since features may share a folder."""
        name = sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder() / f"{name}.{int(id_.rpartition('.')[2])}"

    def find(self, request: Request, id_: str, target: str) -> StoreEntry:
        """Return the entry of an upload to a path. Raises NotFound (404) if it isn't one of this caller."""
        entry = self.store.load(self.key(id_))
        if entry is None or entry.data["for"] != _hash(id_, request.host, target):
            raise _not_found()
        if not {*entry.data["owner"]} <= {_hash(id_, each) for each in _identities(request)}:
            raise _not_found()
        return entry

    def take(self, id_: str, entry: StoreEntry) -> "Turn":
        """Give the turn to a request. Raises Conflict (409) for an upload that is running, and NotFound (404) for one
        that has ended in the meantime, or whose file was lost.
        """
        found: StoreEntry | None = entry
        for _ in range(_ATTEMPTS):
            if found is None:
                raise _not_found()
            state: UploadState = found.data["state"]
            match state:
                case "done":
                    raise _not_found()
                case "running":
                    if not self._is_abandoned(id_, found):
                        raise in_progress()
                case "open":
                    pass
                case _:
                    assert_never(state)
            token = token_hex(16)
            if (mine := self.replace(found, {"turn": token, "state": "open"})) is not None:
                return Turn(self, id_, mine, token)
            found = self.store.load(self.key(id_))
        raise superseded()

    def _is_abandoned(self, id_: str, entry: StoreEntry) -> bool:
        """True if an interrupted upload may be handled again. Raises Conflict (409) if it may not."""
        if not self.is_idle(id_):
            return False
        if not entry.data["repeatable"]:
            raise broken_off()
        return True

    def is_idle(self, id_: str) -> bool:
        """True if no process has locked an upload's file."""
        try:
            descriptor = os.open(self.path(id_), os.O_RDONLY)
        except OSError:
            return True
        try:
            return lock_alone(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, entry: StoreEntry, changed: Mapping[str, Any]) -> StoreEntry | None:
        """Change an entry that nobody has changed since it was read; otherwise return None. Raises NotFound (404) for
        an upload that has expired.
        """
        if (left := self.seconds_left(entry)) <= 0:
            raise _not_found()
        return self.store.replace(entry.key, {**entry.data, **changed}, version=entry.version, ttl=left)

    def seconds_left(self, entry: StoreEntry) -> float:
        """Return how long an upload will be kept: longer than at first if the clock was set back."""
        return entry.created + self._max_age - self.store.clock()

    def size(self, id_: str) -> int:
        """Return the number of bytes that are durably in the file, without taking the turn. Raises NotFound (404)."""
        descriptor = self.open(id_)
        try:
            return synced_size(descriptor)
        finally:
            os.close(descriptor)

    def open(self, id_: str) -> int:
        """Open an upload's file. An upload whose bytes are lost is over: raises NotFound (404)."""
        try:
            return os.open(self.path(id_), os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            with suppress(StoreUnavailable):
                self.store.delete(self.key(id_))
            raise _not_found() from None

    def check_room(self, size: int) -> None:
        """Raise OSError if so many more bytes would leave less than the reserve of the disk."""
        disk = disk_usage(self._folder())
        if size > disk.free - min(RESERVE, disk.total // 8):
            raise OSError(ENOSPC, "the rest of the disk is a reserve", os.fspath(self._folder()))

    @contextmanager
    def removed_if_refused(self, id_: str) -> Iterator[None]:
        """Return a context manager that removes an upload if an error is raised, which stays the reason."""
        try:
            yield
        except BaseException:
            with suppress(StoreUnavailable):
                self.remove(id_)
            raise

    def remove(self, id_: str) -> None:
        """Remove an upload. A request that still appends to it finds that out with its next batch."""
        # The file first: if the disk is full, a store on it has no room even for a deletion.
        self.remove_file(id_)
        self.store.delete(self.key(id_))

    def remove_file(self, id_: str) -> None:
        """Remove an upload's file, if it exists."""
        with suppress(OSError):
            self.path(id_).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove the files of uploads that have expired, from time to time."""
        if time.monotonic() - self._swept < _SWEEP_EVERY:
            return
        self._swept = time.monotonic()
        before = time.time() - _SWEEP_EVERY
        with suppress(OSError), os.scandir(self._folder()) as files:
            for file in files:
                age = file.name.rpartition(".")[2]
                if age.isdecimal() and file.stat().st_mtime < before - int(age):
                    os.unlink(file.path)


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable, on systems where that takes more than its bytes."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def synced_size(descriptor: int) -> int:
    """Return a file's size, once that many bytes are durable."""
    size = os.fstat(descriptor).st_size
    os.fsync(descriptor)
    return size


class Turn:
    """The turn of one request to append to an upload, until a newer request takes it. Close it."""

    def __init__(self, uploads: Uploads, id_: str, entry: StoreEntry, token: str) -> None:
        self._uploads = uploads
        self._token = token
        self._descriptor = uploads.open(id_)
        self.id = id_
        self.entry = entry

    def begin(self, part: Part) -> None:
        """Check the offset of a part, and record the declared length.

        Raises Conflict (409) with the right offset, and BadRequest (400) for another length than before, or if the part
        would exceed it.
        """
        if (expected := self.synced_offset()) != part.offset:
            raise mismatching_offset(expected, part.offset)
        known = self.entry.data["length"]
        length = part.length if known is None else known
        if length is None:
            return
        if part.length not in (None, length) or part.offset + (part.size or 0) > length:
            raise inconsistent_length()
        if known is None:
            self._change({"length": length})

    def synced_offset(self) -> int:
        """Return the number of bytes that are durably in the file, once no older request can add any."""
        self._lock()
        try:
            return synced_size(self._descriptor)
        finally:
            unlock(self._descriptor)

    def append(self, chunks: Sequence[bytes], most: int) -> None:
        """Write chunks at the end. Raises Conflict (409) if the turn is over, and InsufficientStorage (507).

        Raises BadRequest (400) or ContentTooLarge (413) if the upload then has more bytes than declared, or than
        ``most``; the upload is removed.
        """
        self._lock()
        try:
            size = os.fstat(self._descriptor).st_size + sum(map(len, chunks))
            length = self.entry.data["length"]
            if size > most or (length is not None and size > length):
                self._uploads.remove(self.id)
                raise inconsistent_length() if size <= most else in_upload(too_large(most))
            with InsufficientStorage.if_disk_is_full():
                self._uploads.check_room(sum(map(len, chunks)))
                with open(self._descriptor, "ab", closefd=False) as file:
                    file.writelines(chunks)
        finally:
            unlock(self._descriptor)

    def run(self) -> None:
        """Enter the state "running". The file stays locked until the turn is closed. Raises Conflict (409)."""
        self._lock()
        os.fsync(self._descriptor)
        self._change({"state": RUNNING})

    def open_again(self) -> None:
        """Let the client send the last part again, after a response that tells it to try again."""
        self._change({"state": "open"})

    def end(self, size: int, response: Mapping[str, Any] | None) -> None:
        """Enter the state "done", with the response if it can be kept. The upload no longer counts as the caller's."""
        data = {"state": DONE, "size": size, "response": response and dict(response), "fields": []}
        left = max(self._uploads.seconds_left(self.entry), 1.0)
        owner = _named("done", _hash(self.id))  # stores keep owners as they are
        self._uploads.store.change(self.entry.key, data, ttl=left, create=False, owner=owner)
        self._uploads.remove_file(self.id)

    def close(self) -> None:
        """Close the file, which also unlocks it."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    @property
    def size(self) -> int:
        """The number of bytes in the file."""
        return os.fstat(self._descriptor).st_size

    def _change(self, data: Mapping[str, Any]) -> None:
        if (changed := self._uploads.replace(self.entry, data)) is None:
            raise superseded()
        self.entry = changed

    def _lock(self) -> None:
        """Lock the file. Raises Conflict (409) if the turn is over."""
        while True:
            is_locked = lock_alone(self._descriptor)
            found = self._uploads.store.load(self.entry.key)
            if found is None or found.data["turn"] != self._token:
                unlock(self._descriptor)
                raise superseded()
            if is_locked:
                self.entry = found
                return
            time.sleep(_WAIT)


def too_large(most: int) -> HTTPError:
    """Return the error for an upload of more than ``most`` bytes."""
    return over_limit(ContentTooLarge, "body", most, f"The upload has more than {most} bytes.")
