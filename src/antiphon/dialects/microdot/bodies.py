"""Bodies of Microdot's responses as native ones: bytes, or an iterable or async iterable that can be closed."""

import os
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from io import BufferedReader, FileIO, IOBase
from stat import S_ISREG
from types import MethodType
from typing import Any, Self

from antiphon.handler.contract import is_async
from antiphon.response.files import CHUNK, FileBody, OpenFile
from antiphon.response.message import Body


def streamed(body: Any, size: int) -> Body:
    """A body as it is sent. Of an object that has no more of a file than ``read``, ``size`` bytes are read at once.

    Raises TypeError for what is no body.
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
    """A file that was opened to be sent. Hooks may read it; if they answer otherwise, it is closed with its last
    reference, without a warning.
    """

    @classmethod
    def at(cls, path: str) -> Self:
        """The one at a path. Raises OSError where it can't be read."""
        return cls(FileIO(path, "rb"))

    def __del__(self) -> None:
        self.close()

    def by_path(self) -> FileBody | None:
        """All of it by its path, as servers can send it by themselves, and the file closed; None where that may be
        other bytes: what was read is not sent again, files of /proc and /sys don't say how long they are, and there may
        be none at the path by now, or another one. Raises ValueError where the file was closed.
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
        return _AsyncFile(_OnThreads(file), CHUNK if has_close else size, is_at_hand=True)
    return OpenFile(file, None, None) if has_close else _chunks(file, size)


def _chunks(file: Any, size: int) -> Iterator[bytes | str]:
    while chunk := file.read(size):
        yield chunk


class _Awaited:
    """What has ``__anext__`` only."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[bytes | str]:
        return self

    async def __anext__(self) -> bytes | str:
        chunk: bytes | str = await self._source.__anext__()
        return chunk

    async def aclose(self) -> None:
        """Close it, if it can be."""
        if hasattr(self._source, "aclose"):
            await self._source.aclose()


class _AsyncFile:
    """A file whose reading is awaited."""

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
        """Close it, if it can be."""
        close = getattr(self._file, "close", None)
        if close is not None:
            closing = close()
            if hasattr(closing, "__await__"):
                await closing


class _OnThreads:
    """A file of a class of one's own whose methods are plain: they may block, or give what is to be awaited, such as
    that of a file that they wrap. Nobody can tell before they are called.
    """

    def __init__(self, file: Any) -> None:
        from antiphon.concurrency.crossing import Crossing

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
