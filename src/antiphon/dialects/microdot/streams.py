"""Bodies of requests as async file-like objects: one in memory, and one that is still arriving."""

from collections.abc import AsyncIterable, AsyncIterator
from io import BytesIO


class AsyncBytesIO:
    """Bytes in memory with the async methods of a stream."""

    def __init__(self, data: bytes) -> None:
        self.stream = BytesIO(data)

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes, or all that are left if it is -1."""
        return self.stream.read(n)

    async def readline(self) -> bytes:
        r"""Return the next line with its ``\n``; empty at the end."""
        return self.stream.readline()

    async def readexactly(self, n: int) -> bytes:
        """Return the next ``n`` bytes; fewer if the body ends before."""
        return self.stream.read(n)

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """Return the bytes up to a separator, with it; the rest without one."""
        start = self.stream.tell()
        found = self.stream.getvalue().find(separator, start)
        return self.stream.read(-1 if found < 0 else found + len(separator) - start)

    async def awrite(self, data: bytes) -> int:
        """Write bytes, and return their number."""
        return self.stream.write(data)

    async def aclose(self) -> None:
        """Do nothing."""


class BodyReader:
    """A reader of chunks as a file, once from start to end."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._source = chunks
        self._chunks: AsyncIterator[bytes] | None = None
        self._held = bytearray()
        self._at = 0
        """The start of the unread bytes in ``_held``."""

    async def _more(self) -> bool:
        """Receive the next chunk. Return False at the end."""
        if self._chunks is None:
            self._chunks = aiter(self._source)
        chunk = await anext(self._chunks, b"")
        if self._at:
            del self._held[: self._at]
            self._at = 0
        self._held += chunk
        return bool(chunk)

    def _take(self, size: int) -> bytes:
        """Return the next bytes that were received already."""
        end = min(self._at + size, len(self._held))
        with memoryview(self._held) as held:
            taken = bytes(held[self._at : end])
        self._at = end
        return taken

    @property
    def _size(self) -> int:
        return len(self._held) - self._at

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes, or all that are left if it is -1."""
        while (n < 0 or self._size < n) and await self._more():
            pass
        return self._take(self._size if n < 0 else n)

    async def readexactly(self, n: int) -> bytes:
        """Return the next ``n`` bytes; fewer if the body ends before."""
        return await self.read(n)

    async def readline(self) -> bytes:
        r"""Return the next line with its ``\n``; the rest without one."""
        return await self.readuntil()

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """Return the bytes up to a separator, with it; the rest without one."""
        sought = 0
        while True:
            found = self._held.find(separator, self._at + sought)
            if found >= 0:
                return self._take(found + len(separator) - self._at)
            sought = max(self._size - len(separator) + 1, 0)
            if not await self._more():
                return self._take(self._size)
