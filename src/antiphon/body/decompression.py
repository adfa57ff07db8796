"""The content codings of a body undone (RFC 9110 §8.4): fed as it arrives, it comes out decoded, in small chunks.

No I/O. However much a body expands, no more of it is made than was asked for, and none beyond the limit.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from importlib import import_module
from itertools import chain
from typing import NamedTuple, Protocol

from antiphon.body.compressors import ZSTD
from antiphon.http.errors import BadRequest, ContentTooLarge, UnsupportedMediaType, over_limit

_LARGEST_WINDOW = 23
"""How far back a zstd frame may reach, as a power of 2 bytes: 8 MiB, as RFC 9659 §3 has it."""


class Member(Protocol):
    """A gzip member, a zstd frame, or the one stream of another coding."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Inflate:
    """A stream of zlib, read as the others are."""

    def __init__(self, format: int) -> None:  # noqa: A002 - zlib's `wbits`, which say the format
        self._inner = zlib.decompressobj(format)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        chunk = self._inner.decompress(data or self._inner.unconsumed_tail, max_length)
        self.needs_input = len(chunk) < max_length
        return chunk


class _Deflate(_Inflate):
    """Deflate in zlib's format, as it should be, or bare, as some have always sent it (RFC 9110 §8.4.1.2)."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._start: bytes | None = b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        if self._start is not None:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return b""
            if data[0] & 15 != zlib.DEFLATED or int.from_bytes(data[:2]) % 31:
                self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            self._start = None
        return super().decompress(data, max_length)


class _BrotliDecompressor(Protocol):
    def process(self, data: bytes, /, output_buffer_limit: int) -> bytes: ...
    def is_finished(self) -> bool: ...


class _Brotli:
    unused_data = b""

    def __init__(self) -> None:
        self._inner: _BrotliDecompressor = import_module("brotli").Decompressor()
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.is_finished()

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        chunk = self._inner.process(data, output_buffer_limit=max_length)
        self.needs_input = len(chunk) < max_length
        return chunk


def _zstd_frame() -> Member:
    zstd = import_module(ZSTD)
    frame: Member = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _LARGEST_WINDOW})
    return frame


class Decompression(NamedTuple):
    """A content coding's other direction."""

    start: Callable[[], Member]
    """Give what reads a member. Raises ImportError where the library is missing."""
    library: str
    """The module that it needs."""
    error: str
    """The name of what the library raises for a body that is not in the coding."""
    has_members: bool
    """Whether a body may be several of them, one after another (RFC 1952 §2.2, RFC 8878 §3)."""

    @property
    def is_installed(self) -> bool:
        """Whether its library can be imported, and can bound what it makes."""
        try:
            library = import_module(self.library)
        except ImportError:
            return False
        # brotli below 1.2 makes as much at once as the data stands for
        return self.library != "brotli" or hasattr(library.Decompressor, "can_accept_more_data")


DECOMPRESSIONS = {
    "zstd": Decompression(_zstd_frame, ZSTD, "ZstdError", has_members=True),
    "br": Decompression(_Brotli, "brotli", "error", has_members=False),
    "gzip": Decompression(lambda: _Inflate(16 + zlib.MAX_WBITS), "zlib", "error", has_members=True),
    "deflate": Decompression(_Deflate, "zlib", "error", has_members=False),
}
"""All of them by name, the one first that asks for the least work."""


CHUNK = 64 << 10
"""After how many bytes a chunk ends; brotli gives up to half as many more."""

_BLOCK = 16 << 10
"""How much is decoded at a time: at the end of each member what follows it is copied."""

_MOST_CODINGS = 3
_MOST_ELEMENTS = 16
"""How many elements of the field are told apart; empty ones count."""

_FREE_MEMBERS = 100
_MEMBER = 1 << 10
"""How many bytes the members beyond those have on average: starting one costs more than reading it."""

_OTHER_NAMES = {"x-gzip": "gzip"}


@cache
def accepted_codings() -> tuple[str, ...]:
    """The names of the codings that can be undone here: gzip and deflate, zstd and br where they are installed."""
    return tuple(name for name, coding in DECOMPRESSIONS.items() if coding.is_installed)


class _Stage:
    """One coding of a body undone."""

    def __init__(self, name: str, *, is_last: bool) -> None:
        self._name = name
        self._is_last = is_last
        self._coding = DECOMPRESSIONS[name]
        self._error: type[Exception] = getattr(import_module(self._coding.library), self._coding.error)
        self._member = self._coding.start()
        self._members = 1
        self._has_begun = False
        self._made = 0

    def feed(self, data: bytes, limit: int) -> Iterator[bytes]:
        self._has_begun = self._has_begun or bool(data)
        for start in range(0, len(data), _BLOCK):
            yield from self._chunks(data[start : start + _BLOCK], limit)

    def _chunks(self, block: bytes, limit: int) -> Iterator[bytes]:
        is_read = False
        while not is_read:
            if self._member.eof:
                self._start_member()
            if chunk := self._decoded(block):
                self._made += len(chunk)
                # Coded once more, a body may be a little longer than it is itself.
                if self._made > (limit if self._is_last else 2 * limit + CHUNK):
                    detail = f"The body, decoded, is longer than the {limit} bytes that are accepted."
                    raise over_limit(ContentTooLarge, "body", limit, detail)
                yield chunk
            block = self._member.unused_data if self._member.eof else b""
            is_read = not block if self._member.eof else self._member.needs_input

    def _decoded(self, block: bytes) -> bytes:
        try:
            return self._member.decompress(block, CHUNK)
        except self._error as error:
            raise BadRequest(f"the body can't be decoded: it is not valid {self._name}") from error

    def _start_member(self) -> None:
        if not self._coding.has_members:
            raise BadRequest(f"the body can't be decoded: it goes on after the end of its {self._name}")
        self._members += 1
        if self._members > _FREE_MEMBERS + self._made // _MEMBER:
            raise BadRequest(f"the body can't be decoded: its {self._name} is in too many parts")
        self._member = self._coding.start()

    def finish(self) -> None:
        if self._has_begun and not self._member.eof:
            raise BadRequest(f"the body can't be decoded: its {self._name} ends before it is complete")


class ContentDecoder:
    """What undoes the codings of one body, from its first byte to its last. An error ends it."""

    __slots__ = ("_stages",)

    def __init__(self, codings: Sequence[str]) -> None:
        """``codings`` are names of those accepted, the one that was applied last first."""
        self._stages = [_Stage(name, is_last=at == len(codings)) for at, name in enumerate(codings, 1)]

    def feed(self, data: bytes, limit: int) -> Iterator[bytes]:
        """What can be read by means of more of the body, in chunks, which are made one by one as they are taken.

        Take all of them before feeding more. Raises BadRequest (400) for what is not in its coding,
        ContentTooLarge (413) before more than ``limit`` bytes of the decoded body are given.
        """
        chunks: Iterator[bytes] = iter((data,))
        for stage in self._stages:
            chunks = chain.from_iterable(map(partial(stage.feed, limit=limit), chunks))
        return chunks

    def finish(self) -> None:
        """Say that this was all. Raises BadRequest (400) when the body is incomplete; one of no bytes is complete."""
        for stage in self._stages:
            stage.finish()


def content_decoder(content_encoding: str | None) -> ContentDecoder | None:
    """What undoes the codings that a Content-Encoding names; None when there are none.

    Raises UnsupportedMediaType (415) for others than are accepted, whose Accept-Encoding names these
    (RFC 9110 §12.5.3), and for more than 3.
    """
    if not content_encoding:
        return None
    named = [name.strip(" \t").lower() for name in content_encoding.split(",", _MOST_ELEMENTS)]
    codings = [_OTHER_NAMES.get(name, name) for name in reversed(named) if name not in ("", "identity")]
    accepted = accepted_codings()
    if len(codings) > _MOST_CODINGS or not set(codings).issubset(accepted):
        raise UnsupportedMediaType(
            f"The body must be coded by {' or '.join(accepted)}, {_MOST_CODINGS} times at most, or not at all,"
            f" not {content_encoding[:80]}.",
            headers={"accept-encoding": ", ".join(accepted)},
        )
    return ContentDecoder(codings) if codings else None
