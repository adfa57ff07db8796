"""Decoders of content codings (RFC 9110 §8.4), which are fed a body as it arrives.

gzip is RFC 1952; br is RFC 7932, with `brotli`; zstd is RFC 8878, with Python 3.14, or `backports.zstd` in older
versions.

This module does no I/O. However much a body expands, only the requested chunk is produced, and nothing beyond the
limit.
"""

import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from importlib import import_module
from itertools import chain
from typing import NamedTuple, Protocol

from antiphon.http.errors import BadRequest, ContentTooLarge, UnsupportedMediaType, over_limit

ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
"""The name of the zstd module."""

CHUNK_SIZE = 64 << 10
"""The maximum size of a decoded chunk in bytes; brotli may return half as much again."""

_BLOCK = 16 << 10
"""The number of bytes decoded at a time. At the end of each member, the bytes after it are copied."""

_MOST_CODINGS = 3
_MOST_ELEMENTS = 16
"""The maximum number of elements of Content-Encoding that are read, including empty ones."""

_FREE_MEMBERS = 100
_MEMBER = 1 << 10
"""The minimum average size in bytes of members beyond the free ones, because starting a member costs more than reading
it.
"""

_OTHER_NAMES = {"x-gzip": "gzip"}

_LARGEST_WINDOW = 23
"""The largest window of a zstd frame, as a power of 2 bytes: 8 MiB (RFC 9659 §3)."""


def content_decoder(content_encoding: str | None) -> "ContentDecoder | None":
    """Return a decoder for the codings that a Content-Encoding lists, or None if it lists none.

    Raises UnsupportedMediaType (415) for more than 3 codings, and for an unaccepted coding. The error's Accept-Encoding
    lists the accepted ones (RFC 9110 §12.5.3).
    """
    if not content_encoding:
        return None
    # The rest of a longer list stays one element, which is no coding and is refused.
    named = [name.strip(" \t").lower() for name in content_encoding.split(",", _MOST_ELEMENTS)]
    # Reversed, because the coding that was applied last is decoded first.
    codings = [_OTHER_NAMES.get(name, name) for name in reversed(named) if name not in ("", "identity")]
    accepted = accepted_codings()
    if len(codings) > _MOST_CODINGS or not set(codings).issubset(accepted):
        raise UnsupportedMediaType(
            f"The Content-Encoding must be {' or '.join(accepted)}, at most {_MOST_CODINGS} of them, or absent,"
            f" not {content_encoding[:80]}.",
            headers={"accept-encoding": ", ".join(accepted)},
        )
    return ContentDecoder(codings) if codings else None


@cache
def accepted_codings() -> tuple[str, ...]:
    """Return the names of the codings that can be decoded: gzip and deflate, and zstd and br if they are installed."""
    return tuple(name for name, coding in DECOMPRESSIONS.items() if coding.is_installed)


class ContentDecoder:
    """A decoder for one body's codings, from the first byte to the last. It must not be fed again after an error."""

    __slots__ = ("_stages",)

    def __init__(self, codings: Sequence[str]) -> None:
        """Make a decoder for accepted codings, given by name; the coding that was applied last comes first."""
        self._stages = [_Stage(name, is_last=at == len(codings)) for at, name in enumerate(codings, 1)]

    def feed(self, data: bytes, limit: int) -> Iterator[bytes]:
        """Decode more of the body. Return an iterator of chunks that are produced on demand.

        Consume all of them before you feed more. Raises BadRequest (400) for bytes that aren't in the coding, and
        ContentTooLarge (413) before more than ``limit`` bytes of the decoded body are returned.
        """
        chunks: Iterator[bytes] = iter((data,))
        for stage in self._stages:
            chunks = chain.from_iterable(map(partial(stage.feed, limit=limit), chunks))
        return chunks

    def finish(self) -> None:
        """End the body. Raises BadRequest (400) if it is incomplete; an empty body is complete."""
        for stage in self._stages:
            stage.finish()


class _Stage:
    """A decoder for one coding."""

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
                # A body can be slightly longer with a coding than without.
                if self._made > (limit if self._is_last else 2 * limit + CHUNK_SIZE):
                    detail = f"The body, decoded, is longer than the {limit} bytes that are accepted."
                    raise over_limit(ContentTooLarge, "body", limit, detail)
                yield chunk
            block = self._member.unused_data if self._member.eof else b""
            is_read = not block if self._member.eof else self._member.needs_input

    def _decoded(self, block: bytes) -> bytes:
        try:
            return self._member.decompress(block, CHUNK_SIZE)
        except self._error as error:
            raise BadRequest(f"The body can't be decoded: it is not valid {self._name}.") from error

    def _start_member(self) -> None:
        if not self._coding.has_members:
            raise BadRequest(f"The body can't be decoded: it continues after the end of its {self._name}.")
        # Counted before it is made: members without content cost time, and would never reach a limit.
        self._members += 1
        if self._members > _FREE_MEMBERS + self._made // _MEMBER:
            raise BadRequest(f"The body can't be decoded: its {self._name} is in too many parts.")
        self._member = self._coding.start()

    def finish(self) -> None:
        if self._has_begun and not self._member.eof:
            raise BadRequest(f"The body can't be decoded: its {self._name} ends before it is complete.")


class Decompression(NamedTuple):
    """A content coding that can be decoded."""

    start: "Callable[[], Member]"
    """Return a new reader of one member. Raises ImportError if the library is missing."""
    library: str
    """The name of the required module."""
    error: str
    """The name of the library's exception for bytes that aren't in the coding."""
    has_members: bool
    """True if a body may have several members, one after another (RFC 1952 §2.2, RFC 8878 §3)."""

    @property
    def is_installed(self) -> bool:
        """True if the library can be imported and can limit the size of what it decodes."""
        try:
            library = import_module(self.library)
        except ImportError:
            return False
        # brotli below 1.2 decodes all data at once, however much it is
        return self.library != "brotli" or hasattr(library.Decompressor, "can_accept_more_data")


class Member(Protocol):
    """A reader of a gzip member, a zstd frame, or the one stream of another coding."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Inflate:
    """A zlib stream, with a member's methods."""

    def __init__(self, format: int) -> None:  # noqa: A002 - zlib's `wbits`, which determine the format
        self._inner = zlib.decompressobj(format)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        # zlib returns the input that did not fit into the chunk, instead of keeping it.
        chunk = self._inner.decompress(data or self._inner.unconsumed_tail, max_length)
        # A full chunk may not be all that the input makes.
        self.needs_input = len(chunk) < max_length
        return chunk


class _Deflate(_Inflate):
    """A deflate stream in zlib's format, or bare, as some clients send it (RFC 9110 §8.4.1.2)."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._start: bytes | None = b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        if self._start is not None:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return b""
            # The method, and the check of the header's two bytes (RFC 1950 §2.2).
            if data[0] & 15 != zlib.DEFLATED or int.from_bytes(data[:2]) % 31:
                # A negative window means that there is no header.
                self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            self._start = None
        return super().decompress(data, max_length)


class _BrotliReader:
    unused_data = b""

    def __init__(self) -> None:
        self._inner = import_module("brotli").Decompressor()
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._inner.is_finished())

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        chunk: bytes = self._inner.process(data, output_buffer_limit=max_length)
        self.needs_input = len(chunk) < max_length
        return chunk


def _zstd_frame() -> Member:
    zstd = import_module(ZSTD)
    frame: Member = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _LARGEST_WINDOW})
    return frame


DECOMPRESSIONS = {
    "zstd": Decompression(_zstd_frame, ZSTD, "ZstdError", has_members=True),
    "br": Decompression(_BrotliReader, "brotli", "error", has_members=False),
    "gzip": Decompression(lambda: _Inflate(16 + zlib.MAX_WBITS), "zlib", "error", has_members=True),
    "deflate": Decompression(_Deflate, "zlib", "error", has_members=False),
}
"""The supported codings by name, cheapest first."""
