"""What Microdot sends as a body, as what is sent here: bytes, or an iterable of either colour that can be closed."""

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

from antiphon.file_body import OpenFile
from antiphon.handler import is_async
from antiphon.response_message import Body


def streamed(body: Any, size: int) -> Body:
    """A body that is not text. Of an object that has no more of a file than ``read``, ``size`` bytes are read at once.

    Raises TypeError for what is no body.
    """
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "__anext__"):
        return body if isinstance(body, AsyncIterable) else _Awaited(body)
    if hasattr(body, "read"):  # also files iterate, by lines
        return _read(body, size)
    if hasattr(body, "__next__") or hasattr(body, "window"):
        return body  # type: ignore[no-any-return]  # an iterator, or a file by its path
    raise TypeError(f"a body is text, bytes, a dict, a list, a file or a generator, not {type(body).__name__}")


def _read(file: Any, size: int) -> Body:
    if is_async(file.read):
        return _AsyncFile(file, size)
    return OpenFile(file, None, None) if hasattr(file, "close") else _pieces(file, size)


def _pieces(file: Any, size: int) -> Iterator[bytes | str]:
    while piece := file.read(size):
        yield piece


class _Awaited:
    """What has ``__anext__`` only."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[bytes | str]:
        return self

    async def __anext__(self) -> bytes | str:
        piece: bytes | str = await self._source.__anext__()
        return piece

    async def aclose(self) -> None:
        """Close it, if it can be."""
        if hasattr(self._source, "aclose"):
            await self._source.aclose()


class _AsyncFile:
    """A file whose reading is awaited."""

    def __init__(self, file: Any, size: int) -> None:
        self._file = file
        self._size = size

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece: bytes = await self._file.read(self._size)
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Close it, if it can be."""
        close = getattr(self._file, "close", None)
        if close is not None:
            closing = close()
            if hasattr(closing, "__await__"):
                await closing
