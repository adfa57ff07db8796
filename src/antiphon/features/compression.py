"""Responses in fewer bytes, where the client can read them: content codings (RFC 9110 §8.4) as a feature.

app.use(Compression())
"""

import re
from collections.abc import AsyncIterable, Callable, Generator, Iterable, Iterator, Mapping
from copy import copy
from functools import partial
from typing import TypeAlias

from antiphon.app.blueprint import Routes
from antiphon.body.compressors import CODINGS, Compressor
from antiphon.concurrency.iterables import AsyncByteGenerator, AsyncChunks, BlockingChunks, ByteGenerator, as_bytes
from antiphon.handler.contract import describe, is_async
from antiphon.http.cache_control import CacheControl
from antiphon.http.grammar import is_token
from antiphon.http.head import parse_length
from antiphon.http.headers import MutableHeaders
from antiphon.request.request import Request
from antiphon.response.message import Body
from antiphon.response.response import Response

Chunks: TypeAlias = BlockingChunks[bytes | str] | AsyncChunks[bytes | str]

AT_ONCE = 64 << 10
"""How many bytes are compressed in one go where an event loop waits for it: that takes it a millisecond."""


def compressed_stream(source: Iterable[bytes | str] | AsyncIterable[bytes | str], compressor: Compressor) -> Chunks:
    """The chunks of a source, compressed; empty ones stay empty."""
    if isinstance(source, AsyncIterable):
        return AsyncChunks(source, partial(_compress_async, compressor))
    return BlockingChunks(source, partial(_compress, compressor))


def sliced(body: bytes) -> Iterator[bytes]:
    """A body in chunks."""
    return (body[start : start + AT_ONCE] for start in range(0, len(body), AT_ONCE))


def _compress(compressor: Compressor, source: Iterable[bytes | str]) -> ByteGenerator:
    for chunk in source:
        data = as_bytes(chunk)
        yield compressor.chunk(data) if data else b""
    yield compressor.finish()


async def _compress_async(compressor: Compressor, source: AsyncIterable[bytes | str]) -> AsyncByteGenerator:
    """On the loop where it is little, else on a worker thread."""
    async for chunk in source:
        data = as_bytes(chunk)
        if len(data) > AT_ONCE:
            yield await _compress_on_thread(compressor, data)
        else:
            yield compressor.chunk(data) if data else b""
    yield compressor.finish()


async def _compress_on_thread(compressor: Compressor, data: bytes) -> bytes:
    from antiphon.concurrency.crossing import Crossing

    return await Crossing().run(compressor.chunk, data)


TYPES = (
    "text/*", "+json", "+xml", "application/json", "application/javascript", "application/xml", "application/wasm",
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/vnd.ms-fontobject", "font/otf",
    "font/ttf", "image/bmp",
)  # fmt: skip
"""Types that become much smaller, and are not compressed by themselves."""

_MOST_KEPT = 100
_LONGEST_KEPT = 100

_LEFT_ALONE = frozenset({204, 205})
_OF_THE_BYTES = frozenset({
    "accept-ranges", "content-digest", "content-length", "content-md5", "digest", "repr-digest"
})  # fmt: skip
"""Fields that are true of the bytes before they are compressed only (RFC 9110 §8.6, §14.3; RFC 9530)."""


class Compression:
    """Compresses responses by the coding that the client likes best, of equals by the first of ``codings``.

    Those are "zstd", "br" and "gzip", by default all that are installed, and ``levels`` how hard each of them tries
    (1 to 19, 0 to 11, 1 to 9). Compressed are the media types in ``types`` ("text/html", "text/*", or "+json" for all
    that end so), bodies in memory from ``minimum`` bytes on, and streams chunk by chunk, so that each chunk can be read
    when it arrives. A response with Content-Encoding or ``Cache-Control: no-transform`` stays as it is, and so does one
    for which ``skip`` is true, a plain function that must not block. A part is never compressed.

    An ETag becomes weak (RFC 9110 §8.8.3), and no longer fits If-Match; digests and Accept-Ranges go.

    A page that has a secret in it and repeats what somebody else may have put into the request must not be compressed:
    its length would give the secret away, guess by guess (the BREACH attack). Have ``skip`` leave it out.

    Raises ValueError for codings that are unknown or not installed, and for levels, types and a minimum that can't be;
    TypeError for a ``skip`` that is no plain function.
    """

    __slots__ = ("_levels", "_minimum", "_offers", "_skip", "_types")

    def __init__(
        self,
        codings: Iterable[str] | None = None,
        *,
        levels: Mapping[str, int] | None = None,
        minimum: int = 1000,
        types: Iterable[str] = TYPES,
        skip: Callable[[Request, Response], object] | None = None,
    ) -> None:
        names = _installed() if codings is None else _listed("codings", codings)
        self._levels = {name: _usual_level(name) for name in names}
        for name, level in (levels or {}).items():
            self._levels[name] = self._checked_level(name, level)
        self._offers = (*names, "identity")
        if not isinstance(minimum, int) or isinstance(minimum, bool) or minimum < 0:
            raise ValueError(f"minimum is a number of bytes, not {minimum!r}")
        self._minimum = minimum
        self._types = _TypeSet(_listed("types", types))
        if skip is not None and (not callable(skip) or is_async(skip)):
            what = describe(skip) if callable(skip) else repr(skip)
            raise TypeError(f"skip is a plain function of the request and the response, not {what}")
        self._skip = skip

    @property
    def codings(self) -> tuple[str, ...]:
        """The codings that are offered, the preferred one first."""
        return self._offers[:-1]

    def install(self, app: Routes) -> None:
        """Register the middleware that compresses what comes from inside; what is registered later is inside."""
        app.middleware(self._around)

    def _around(self, request: Request) -> Generator[None, Response, Response | None]:
        response = yield
        fields = dict(response.headers.items())
        if not self._may_compress(request, response, fields):
            return None
        if "vary" in fields:
            response.vary("accept-encoding")
        else:
            response.headers.add("vary", "accept-encoding")
        if response.status == 304:
            return _not_modified(request, response, fields.get("etag", ""))
        if response.status == 206:
            return None
        coding = request.accept_encodings.best(self._offers, "identity")
        return None if coding == "identity" else self._compressed(request, response, fields, coding)

    def _may_compress(self, request: Request, response: Response, fields: Mapping[str, str]) -> bool:
        """Whether it would be compressed for a client that takes it; of a part or a 304, whether the whole would be
        (RFC 9110 §15.3.7, §15.4.5). A 304, and several parts, need not say what type they are of.
        """
        status = response.status
        if status in _LEFT_ALONE or "content-encoding" in fields or ("content-range" in fields and status != 206):
            return False
        content_type = fields.get("content-type", "")
        if content_type not in self._types and not _is_untold(status, content_type):
            return False
        if "cache-control" in fields and CacheControl.parse(response.headers["cache-control"]).no_transform:
            return False
        return self._skip is None or not self._skip(request, response)

    def _compressed(
        self, request: Request, response: Response, fields: Mapping[str, str], coding: str
    ) -> Response | None:
        """The response in a coding; None where that saves nothing, unless the client takes nothing else."""
        size = _size(request, response, fields)
        takes_identity = "identity" in request.accept_encodings
        if size == 0 or (size is not None and size < self._minimum and takes_identity):
            return None
        body = _compressed_body(response.body, CODINGS[coding].start(self._levels[coding]))
        if isinstance(body, bytes) and size is not None and size <= len(body) and takes_identity:
            return None
        answer = copy(response)  # a response may be shared, and answer others as it is
        answer.body = body
        _tell(coding, answer.headers)
        return answer

    def _checked_level(self, name: str, level: int) -> int:
        if name not in self._levels:
            raise ValueError(f"a level for {name!r}, which is not among the codings: {', '.join(self._levels)}")
        known = CODINGS[name].levels
        if not isinstance(level, int) or isinstance(level, bool) or level not in known:
            raise ValueError(f"the level of {name} is {known[0]} to {known[-1]}, not {level!r}")
        return level


def _is_untold(status: int, content_type: str) -> bool:
    """Whether a response is about content whose type it does not tell."""
    return (status == 304 and not content_type) or (status == 206 and content_type.startswith("multipart/byteranges"))


def _tell(coding: str, headers: MutableHeaders) -> None:
    """Have the header fields be those of the compressed bytes."""
    for name in _OF_THE_BYTES.intersection(headers):
        del headers[name]
    headers["content-encoding"] = coding
    etag = headers.get("etag", "")
    if etag.startswith('"'):
        headers["etag"] = f"W/{etag}"


def _not_modified(request: Request, response: Response, etag: str) -> Response | None:
    """A 304 with the entity tag that the response had that the client has (RFC 9111 §4.3.4): weak, if it says so."""
    weak = f"W/{etag}"
    if weak not in map(str, request.if_none_match):
        return None
    answer = copy(response)
    answer.headers["etag"] = weak
    return answer


def _size(request: Request, response: Response, fields: Mapping[str, str]) -> int | None:
    """How many bytes the body has, None where that isn't known. A body may be left out in answer to HEAD."""
    body = response.body
    if isinstance(body, bytes) and (body or request.method != "HEAD"):
        return len(body)
    try:
        return parse_length(fields["content-length"])
    except (KeyError, ValueError):
        return 0 if body == b"" else None


def _compressed_body(body: Body, compressor: Compressor) -> Body:
    """A small body at once; a larger one as a stream, which is iterated where it blocks nobody, as all others are."""
    if not isinstance(body, bytes):
        return compressed_stream(body, compressor)
    if 0 < len(body) <= AT_ONCE:
        return compressor.finish(body)
    return compressed_stream(sliced(body), compressor)


def _listed(name: str, values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        raise ValueError(f"{name} are a list: [{values!r}]")
    listed = list(dict.fromkeys(values))
    if not listed:
        raise ValueError(f"{name} are a list of at least one")
    return listed


def _installed() -> list[str]:
    return [coding.name for coding in CODINGS.values() if coding.is_installed]


def _usual_level(name: str) -> int:
    coding = CODINGS.get(name)
    if coding is None:
        raise ValueError(f"codings are {', '.join(CODINGS)}, not {name!r}")
    if not coding.is_installed:
        raise ValueError(f"{name} needs {coding.library}, which is not installed; installed: {', '.join(_installed())}")
    return coding.usual_level


class _TypeSet:
    """The content types that are one of these. What was asked for is kept, as far as it is usual."""

    __slots__ = ("_known", "_match")

    def __init__(self, types: list[str]) -> None:
        self._match = re.compile(rf"(?:{'|'.join(map(_type_pattern, types))})[ \t]*+(?:;|\Z)").match
        self._known: dict[str, bool] = {}

    def __contains__(self, content_type: str) -> bool:
        known = self._known.get(content_type)
        if known is None:
            known = self._match(content_type.lower()) is not None
            if len(self._known) < _MOST_KEPT and len(content_type) <= _LONGEST_KEPT:
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
    raise ValueError(f'a type is such as "text/html", "text/*" or "+json", not {written[:200]!r}')
