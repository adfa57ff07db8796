"""The body of a large upload, made while it is read: a form with a title and one file, in chunks of 64 KiB."""

from collections.abc import Iterator
from random import Random

from .forms import CLOSE, field, file_head

CHUNK = 64 << 10
TITLE = "A film"
FILENAME = "film.mp4"
HEAD = field("title", TITLE) + file_head("file", FILENAME, "video/mp4")

CONTENTS = {
    "random": Random(1).randbytes(CHUNK),
    "lines": (b"2026-11-20,Vienna,LAMP-001,1,9.90\r\n" * CHUNK)[: CHUNK - 2] + b"\r\n",
}
"""64 KiB that a file consists of, over and over: as films are, or as a table of Windows."""


class UploadBody:
    """A body whose file has ``size`` bytes, a multiple of 64 KiB; each of its chunks is a new object."""

    def __init__(self, size: int, content: str = "random") -> None:
        self.size = size
        self.block = CONTENTS[content]
        self.length = len(HEAD) + size + len(CLOSE)

    def __iter__(self) -> Iterator[bytes]:
        cut = CHUNK - len(HEAD)
        yield HEAD + self.block[:cut]
        turned = memoryview(self.block[cut:] + self.block[:cut])
        for _ in range(self.size // CHUNK - 1):
            yield bytes(turned)
        yield self.block[cut:] + CLOSE


class Input:
    """A body as wsgi.input."""

    def __init__(self, body: UploadBody) -> None:
        self._chunks = iter(body)
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, a chunk or a part of one; all that are left only if no size is given."""
        if size < 0:
            return self._rest + b"".join(self._chunks)
        chunk = self._rest or next(self._chunks, b"")
        if len(chunk) <= size:
            self._rest = b""
            return chunk
        self._rest = chunk[size:]
        return chunk[:size]

    def readline(self, size: int = -1, /) -> bytes:
        raise NotImplementedError("nobody reads lines of a film")


class Receive:
    """A body as the messages of ASGI, from a client that stays."""

    def __init__(self, body: UploadBody) -> None:
        self._chunks = iter(body)
        self._left = body.length

    async def __call__(self) -> dict[str, object]:
        if not self._left:
            from asyncio import get_running_loop

            await get_running_loop().create_future()
        chunk = next(self._chunks)
        self._left -= len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": self._left > 0}
