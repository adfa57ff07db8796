"""The copy of a body that is written into a file while the body is sent."""

from collections.abc import AsyncIterable, Callable, Iterable
from contextlib import suppress

from antiphon.concurrency.iterables import AsyncByteGenerator, AsyncChunks, BlockingChunks, ByteGenerator, as_bytes
from antiphon.concurrency.loop import is_on_loop, running_loop
from antiphon.features.cache.files import BodyFiles, FileInWriting
from antiphon.features.cache.shelf import StreamHold
from antiphon.request.watching import WatchedHead
from antiphon.response.message import Stream

FLUSHED = 256 << 10
"""Bytes that are written at once."""


class BodyCopy:
    """A body that is read once, and is kept if it is read to the end and has the right length.

    ``keep`` is called with the name and the length of the file when the file is complete, and with None if there is no
    file. ``watch`` notes what is read of the request to make a chunk. ``length`` is the declared length, or None.
    ``hold`` renews the claim of a stream. A failure here only affects the copy.
    """

    def __init__(
        self,
        files: BodyFiles,
        watch: WatchedHead | None,
        length: int | None,
        keep: Callable[[str | None, int], object],
        hold: StreamHold | None = None,
    ) -> None:
        self._files = files
        self._watch = watch
        self._declared = length
        self._keep = keep
        self._hold = hold
        self._pending: list[bytes] = []
        self._size = self._pending_size = 0
        self._file: FileInWriting | None = None
        self._is_over = False

    def of(self, body: Stream) -> Stream:
        """Return a stream in place of the body."""
        if isinstance(body, AsyncIterable):
            return AsyncChunks(body, self._acopy)
        return BlockingChunks(body, self._copy)

    def whole(self, body: bytes) -> None:
        """Copy a body in bytes."""
        try:
            for start in range(0, len(body), FLUSHED):
                self._take(body[start : start + FLUSHED])
                self._flush()
            self._end()
        finally:
            self._drop()

    def _copy(self, source: Iterable[bytes | str]) -> ByteGenerator:
        try:
            self._listen()
            for chunk in source:
                data = as_bytes(chunk)
                if self._take(data):
                    self._flush()
                yield data
                self._listen()
            self._end()
        finally:
            self._drop()

    async def _acopy(self, source: AsyncIterable[bytes | str]) -> AsyncByteGenerator:
        from asyncio import to_thread

        try:
            self._listen()
            async for chunk in source:
                data = as_bytes(chunk)
                if self._take(data):
                    await to_thread(self._flush)
                yield data
                self._listen()
            await to_thread(self._end)
        finally:
            if not self._is_over:
                await to_thread(self._drop)

    def _listen(self) -> None:
        """Note what is read of the request until there is a chunk."""
        if self._watch is not None:
            self._watch.is_paused = False

    def _take(self, data: bytes) -> bool:
        """Take a chunk, and return True if it is time to write."""
        if self._watch is not None:
            self._watch.is_paused = True
        if self._is_over:
            return False
        self._size += len(data)
        self._pending.append(data)
        self._pending_size += len(data)
        is_due = self._hold is not None and self._hold.is_due
        return is_due or self._pending_size >= FLUSHED or self._size > self._files.largest

    def _flush(self) -> None:
        if self._is_over:
            return
        if self._hold is not None and self._hold.is_due:
            self._hold.renew()
        data, self._pending, self._pending_size = b"".join(self._pending), [], 0
        with suppress(OSError):  # such as for a full disk
            self._file = self._file or self._files.begin()
            if self._file is not None and self._size <= self._files.largest:
                self._file.write(data)
                return
        self._drop()

    def _end(self) -> None:
        """Keep the file, if all of it was written."""
        if self._watch is not None:
            self._watch.is_paused = True
        if self._is_over:
            return
        if self._declared in (None, self._size):
            self._flush()
        if self._file is None or self._is_over or self._declared not in (None, self._size):
            self._drop()
            return
        self._is_over = True
        name = None
        with suppress(OSError):
            name = self._file.publish()
        if name is None:
            self._file.drop()
        self._keep(name, self._size)

    def _drop(self) -> None:
        """End without a file, unless the copy has ended already."""
        if self._is_over:
            return
        self._is_over = True
        self._pending = []
        if self._file is not None:
            self._file.drop()
        self._keep(None, 0)


def copy_whole(copy: BodyCopy, body: bytes) -> None:
    """Copy a body in bytes: at once, or in the background on an event loop."""
    if is_on_loop() and (loop := running_loop()) is not None:
        loop.run_in_executor(None, copy.whole, body)
    else:
        copy.whole(body)
