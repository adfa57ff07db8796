"""Compression of responses with content codings (RFC 9110 §8.4), as a feature.

app.use(Compression())
"""

import re
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Iterator, Mapping
from copy import copy
from functools import partial
from typing import Any, TypeAlias

from antiphon import Request, Response, explained
from antiphon.embedding import Added, as_bytes, describe, errors_name_it, is_async, is_token, made_chunks, ready
from antiphon.features.codings import CODINGS, Compressor
from antiphon.http import CacheControl, MutableHeaders
from antiphon.types import Route, Routes

Chunks: TypeAlias = Iterable[bytes | str] | AsyncIterable[bytes | str]

AT_ONCE = 64 << 10
"""The number of bytes to compress at once on an event loop, which takes about a millisecond."""

TYPES = (
    "text/*", "+json", "+xml", "application/json", "application/javascript", "application/xml", "application/wasm",
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/vnd.ms-fontobject", "font/otf",
    "font/ttf", "image/bmp",
)  # fmt: skip
"""Media types that compress well and whose content is not already compressed."""

_MAX_CACHED = 100
_MAX_CACHED_LENGTH = 100

_WITHOUT_CONTENT = frozenset({204, 205})
_ABOUT_THE_BYTES = frozenset({
    "accept-ranges", "content-digest", "content-length", "content-md5", "digest", "repr-digest"
})  # fmt: skip
"""Header fields that describe only the uncompressed bytes (RFC 9110 §8.6, §14.3; RFC 9530)."""


@errors_name_it
class Compression:
    """A feature that compresses responses with the coding that the client prefers; among equals, the first one listed.

        app.use(Compression())

    ``codings`` are "zstd", "br" and "gzip", by default all that are installed. ``levels`` maps them to compression
    levels (1 to 19, 0 to 11, 1 to 9). ``types`` are the media types to compress ("text/html", "text/*", or "+json" for
    all types with that ending). Bodies in memory are compressed if they have at least ``min_size`` bytes. Streams are
    compressed chunk by chunk, so that the client can read each chunk when it arrives. A response is not compressed if
    it is partial, if it has Content-Encoding or ``Cache-Control: no-transform``, or if ``skip(request, response)`` is
    true. ``skip`` must not block.
    """

    __slots__ = ("_levels", "_min_size", "_offers", "_skip", "_types")

    def __init__(
        self,
        codings: Iterable[str] | None = None,
        *,
        levels: Mapping[str, int] | None = None,
        min_size: int = 1000,
        types: Iterable[str] = TYPES,
        skip: Callable[[Request, Response], object] | None = None,
    ) -> None:
        """An ETag becomes weak (RFC 9110 §8.8.3) and no longer matches If-Match. Digests and Accept-Ranges are removed.

        Do not compress a page that contains both a secret and something from the request that an attacker may have
        chosen: its length would reveal the secret, guess by guess (the BREACH attack). Let ``skip`` return True for
        such a page.

        Raises ValueError for codings that are unknown or not installed, and for an invalid level, type or min_size.
        Raises TypeError if ``skip`` is not a plain function.
        """
        names = _installed() if codings is None else _listed("codings", codings)
        self._levels = {name: _usual_level(name) for name in names}
        for name, level in (levels or {}).items():
            self._levels[name] = self._checked_level(name, level)
        self._offers = (*names, "identity")
        if not isinstance(min_size, int) or isinstance(min_size, bool) or min_size < 0:
            raise explained("bad-feature-option", f"min_size must be a number of bytes, not {min_size!r}")
        self._min_size = min_size
        self._types = _TypeSet(_listed("types", types))
        if skip is not None and (not callable(skip) or is_async(skip)):
            what = describe(skip) if callable(skip) else repr(skip)
            raise explained(
                "bad-feature-option",
                f"skip must be a plain function of the request and the response, not {what}",
                TypeError,
            )
        self._skip = skip

    @property
    def codings(self) -> tuple[str, ...]:
        """The codings on offer, in order of preference."""
        return self._offers[:-1]

    def install(self, app: Routes) -> None:
        """Register the middleware that compresses responses from later middleware and handlers."""
        app.middleware(self._compress_response)

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        yield Added(headers=("content-encoding", "vary"))

    def _compress_response(self, request: Request) -> Generator[None, Response, Response | None]:
        response = yield
        fields = dict(response._fields)  # these stay shared, unlike `headers`
        if not self._may_compress(request, response, fields):
            return None
        response.vary("accept-encoding")
        if response.status == 304:
            return _not_modified(request, response, fields.get("etag", ""))
        return None if response.status == 206 else self._coded(request, response)

    def _coded(self, request: Request, response: Response) -> Response | None:
        """Return a response in the coding that the client prefers, or None to leave it as it is."""
        accepted = request.head.field("accept-encoding")  # a client that sends none prefers identity
        size = _size(request, response)
        if accepted is None or (size is not None and size < self._min_size and _takes_identity(accepted)):
            return None
        coding = request.accept_encodings.best(self._offers, "identity")
        if coding == "identity":
            return None
        return self._compressed(request, response, size, coding, CODINGS[coding].start(self._levels[coding]))

    def _may_compress(self, request: Request, response: Response, fields: Mapping[str, str]) -> bool:
        """Return True if a response may be compressed or, for a 206 or 304, if the whole response might have been.

        See RFC 9110 §15.3.7 and §15.4.5. A 304, and a 206 with several parts, need not have the content type.
        """
        status = response.status
        if status in _WITHOUT_CONTENT or "content-encoding" in fields or ("content-range" in fields and status != 206):
            return False
        content_type = fields.get("content-type", "")
        if content_type not in self._types and not _may_lack_type(status, content_type):
            return False
        if "cache-control" in fields and CacheControl.parse(response.headers["cache-control"]).no_transform:
            return False
        return self._skip is None or not ready(self._skip, self._skip(request, response))

    def _compressed(
        self, request: Request, response: Response, size: int | None, coding: str, compressor: Compressor
    ) -> Response | None:
        """Return the compressed response, or None if compression saves nothing and the client accepts it
        uncompressed."""
        takes_identity = "identity" in request.accept_encodings
        if size == 0 or (size is not None and size < self._min_size and takes_identity):
            return None
        body = _compressed_body(response.body, compressor)
        if isinstance(body, bytes) and size is not None and size <= len(body) and takes_identity:
            return None
        changed = copy(response)  # a handler may return the same object again
        changed.body = body
        _update_headers(changed.headers, coding)
        return changed

    def _checked_level(self, name: str, level: int) -> int:
        if name not in self._levels:
            raise explained(
                "bad-feature-option",
                f"levels contains {name!r}, which is not one of the codings: {', '.join(self._levels)}",
            )
        known = CODINGS[name].levels
        if not isinstance(level, int) or isinstance(level, bool) or level not in known:
            raise explained(
                "bad-feature-option", f"the level of {name} must be {known[0]} to {known[-1]}, not {level!r}"
            )
        return level


def _takes_identity(accepted: str) -> bool:
    """Return True if a client certainly accepts an uncompressed response: either of two names can refuse one (RFC 9110
    §12.5.3).
    """
    return "*" not in accepted and "identity" not in accepted.lower()


def _may_lack_type(status: int, content_type: str) -> bool:
    """Return True if a response's Content-Type need not describe its content."""
    return (status == 304 and not content_type) or (status == 206 and content_type.startswith("multipart/byteranges"))


def _update_headers(headers: MutableHeaders, coding: str) -> None:
    """Adapt the header fields to the compressed bytes."""
    for name in _ABOUT_THE_BYTES.intersection(headers):
        del headers[name]
    headers["content-encoding"] = coding
    etag = headers.get("etag", "")
    if etag.startswith('"'):
        headers["etag"] = f"W/{etag}"


def _not_modified(request: Request, response: Response, etag: str) -> Response | None:
    """Return a 304 with the weak entity tag if the client's copy has this tag (RFC 9111 §4.3.4)."""
    weak = f"W/{etag}"
    if weak not in map(str, request.if_none_match):
        return None
    changed = copy(response)
    changed.headers["etag"] = weak
    return changed


def _size(request: Request, response: Response) -> int | None:
    """Return the size of the body in bytes, even if HEAD omits the body, or None if the size is unknown."""
    body = response.body
    if isinstance(body, bytes) and (body or request.method != "HEAD"):
        return len(body)
    declared = response.content_length
    return 0 if declared is None and body == b"" else declared


def _compressed_body(body: bytes | Chunks, compressor: Compressor) -> bytes | Chunks:
    """Compress a small body immediately. Compress a larger one as a stream, which is iterated where it can't block
    other requests.
    """
    if not isinstance(body, bytes):
        return compressed_stream(body, compressor)
    if 0 < len(body) <= AT_ONCE:
        return compressor.finish(body)
    chunks: Any = compressed_stream(sliced(body), compressor)
    chunks.is_for_any_thread = True
    return chunks  # type: ignore[no-any-return]  # chunks


def _listed(name: str, values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        raise explained("bad-feature-option", f"{name} must be a list: [{values!r}]")
    listed = list(dict.fromkeys(values))
    if not listed:
        raise explained("bad-feature-option", f"{name} must not be empty")
    return listed


def _installed() -> list[str]:
    return [coding.name for coding in CODINGS.values() if coding.is_installed]


def _usual_level(name: str) -> int:
    coding = CODINGS.get(name)
    if coding is None:
        raise explained("bad-feature-option", f"unknown coding {name!r}; known: {', '.join(CODINGS)}")
    if not coding.is_installed:
        raise explained(
            "bad-feature-option",
            f"{name} needs {coding.library}, which is not installed; installed: {', '.join(_installed())}",
        )
    return coding.usual_level


class _TypeSet:
    """A set of content types, specified by media types and patterns. It caches lookups of common types."""

    __slots__ = ("_known", "_match")

    def __init__(self, types: list[str]) -> None:
        self._match = re.compile(rf"(?:{'|'.join(map(_type_pattern, types))})[ \t]*+(?:;|\Z)").match
        self._known: dict[str, bool] = {}

    def __contains__(self, content_type: str) -> bool:
        known = self._known.get(content_type)
        if known is None:
            known = self._match(content_type.lower()) is not None
            if len(self._known) < _MAX_CACHED and len(content_type) <= _MAX_CACHED_LENGTH:
                self._known[content_type] = known
        return known


def _type_pattern(written: str) -> str:
    main, slash, sub = written.lower().partition("/")
    if not slash and main.startswith("+") and is_token(main[1:]):
        return rf"[^ \t;/]++/[^ \t;/]*{re.escape(main)}"
    if is_token(main) and "*" not in main and sub == "*":
        return rf"{re.escape(main)}/[^ \t;]++"
    if is_token(main) and is_token(sub) and "*" not in main + sub:
        return re.escape(f"{main}/{sub}")
    raise explained(
        "bad-feature-option", f'a type must be like "text/html", "text/*" or "+json", not {written[:200]!r}'
    )


def compressed_stream(source: Chunks, compressor: Compressor) -> Chunks:
    """Compress the chunks of a source, one by one. Empty chunks stay empty."""
    return made_chunks(source, partial(_compress, compressor), partial(_compress_async, compressor))


def sliced(body: bytes) -> Iterator[bytes]:
    """Cut a body into chunks."""
    return (body[start : start + AT_ONCE] for start in range(0, len(body), AT_ONCE))


def _compress(compressor: Compressor, source: Iterable[bytes | str]) -> Generator[bytes]:
    for chunk in source:
        data = as_bytes(chunk)
        yield compressor.chunk(data) if data else b""
    yield compressor.finish()


async def _compress_async(compressor: Compressor, source: AsyncIterable[bytes | str]) -> AsyncGenerator[bytes]:
    """Compress small chunks on the loop, and large ones on a thread."""
    async for chunk in source:
        data = as_bytes(chunk)
        if len(data) > AT_ONCE:
            from antiphon.embedding import Crossing

            yield await Crossing.for_files().run(compressor.chunk, data)
        else:
            yield compressor.chunk(data) if data else b""
    yield compressor.finish()
