"""Bodies of responses: Microdot's kinds turned into bytes, files, or sync and async iterables that can be closed."""

import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from io import BufferedReader, FileIO, IOBase
from stat import S_ISREG
from types import MethodType
from typing import Any, Self, TypeAlias

from antiphon.dialects.microdot.errors import MissingFileError
from antiphon.embedding import FileBody, OpenFile, is_async

Body: TypeAlias = bytes | Iterable[bytes | str] | AsyncIterable[bytes | str]

_CHUNK = 64 << 10
"""Bytes that are read at once."""


def streamed(body: Any, size: int) -> Body:
    """Return a body as it is sent. Raises TypeError for an object that is not a body.

    An object with no method of a file but ``read`` is read ``size`` bytes at a time.
    """
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if body is None or isinstance(body, str):  # hooks set it to these
        return (body or "").encode()
    if hasattr(body, "__anext__"):
        return body if isinstance(body, AsyncIterable) else _Awaited(body)
    if hasattr(body, "read"):  # also files iterate, by lines
        return _read(body, size)
    if hasattr(body, "__next__"):
        return body  # type: ignore[no-any-return]  # an iterator
    raise TypeError(f"a body is text, bytes, a dict, a list, a file or a generator, not {type(body).__name__}")


class NamedFile(BufferedReader):
    """A file that was opened to be sent. Hooks may read it.

    If a hook answers otherwise, the file is closed with its last reference, without a warning.
    """

    @classmethod
    def at(cls, path: str) -> Self:
        """Open the regular file at a path. Raises MissingFileError without one, OSError if it can't be read."""
        if not os.path.isfile(path):  # opening a pipe could wait for ever
            raise MissingFileError(path)
        return cls(FileIO(path, "rb"))

    def __del__(self) -> None:
        self.close()

    def by_path(self) -> FileBody | None:
        """Close the file and return it by its path, which servers can send by themselves; None if that may be other
        bytes.

        Bytes that were read are not sent again; files of /proc and /sys have no known length; and the file at the path
        may have been replaced or deleted. Raises ValueError if the file is closed.
        """
        found = os.fstat(self.fileno())
        says_its_size = S_ISREG(found.st_mode) and found.st_size and getattr(found, "st_blocks", True)
        if not says_its_size or self.tell():
            return None
        try:
            path = os.path.abspath(self.name)
            if not os.path.samestat(found, os.stat(path)):
                return None
        except OSError:
            return None
        self.close()
        return FileBody(path, 0, found.st_size)


def _read(file: Any, size: int) -> Body:
    if isinstance(file, NamedFile):
        return file.by_path() or OpenFile(file, None, None)
    read = file.read
    if is_async(read):
        return _AsyncFile(file, size)
    has_close = hasattr(file, "close")
    if isinstance(read, MethodType) and not isinstance(file, IOBase):
        return _AsyncFile(_OnThreads(file), _CHUNK if has_close else size, is_at_hand=True)
    return OpenFile(file, None, None) if has_close else _chunks(file, size)


def _chunks(file: Any, size: int) -> Iterator[bytes | str]:
    while chunk := file.read(size):
        yield chunk


class _Awaited:
    """An async iterable for an object that has only ``__anext__``."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[bytes | str]:
        return self

    async def __anext__(self) -> bytes | str:
        chunk: bytes | str = await self._source.__anext__()
        return chunk

    async def aclose(self) -> None:
        """Close the object, if possible."""
        if hasattr(self._source, "aclose"):
            await self._source.aclose()


class _AsyncFile:
    """An async iterable for a file with an async ``read``."""

    def __init__(self, file: Any, size: int, is_at_hand: bool = False) -> None:
        self._file = file
        self._size = size
        self.is_at_hand = is_at_hand

    def __aiter__(self) -> AsyncIterator[bytes | str]:
        return self

    async def __anext__(self) -> bytes | str:
        chunk: bytes | str = await self._file.read(self._size)
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Close the file, if possible."""
        close = getattr(self._file, "close", None)
        if close is not None:
            closing = close()
            if hasattr(closing, "__await__"):
                await closing


class _OnThreads:
    """A file of an unknown class with plain methods, called on a worker thread: they may block.

    They may also return awaitables, such as those of a file that they wrap, which is unknown before the call.
    """

    def __init__(self, file: Any) -> None:
        from antiphon.embedding import Crossing

        self._file = file
        self._crossing = Crossing()

    async def read(self, size: int) -> Any:
        chunk = await self._crossing.run(self._file.read, size)
        return await chunk if hasattr(chunk, "__await__") else chunk

    async def close(self) -> None:
        if hasattr(self._file, "close"):
            closing = await self._crossing.run_shielded(self._file.close)
            if hasattr(closing, "__await__"):
                await closing
