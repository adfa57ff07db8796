"""Compression dictionaries (RFC 9842): a client that has a page of a route gets the next one as its difference (dcz).

Only public responses take part, both as dictionaries and compressed with one: those that shared caches may store. A
private page would reveal its secrets by its length to someone who chooses the dictionary's text, and a dictionary could
be another visitor's page.

| a GET or HEAD that could be compressed, over https or on this machine | Use-As-Dictionary | content coding |
|---|---|---|
| its response is not public and fresh, or code has read what may belong to one visitor | no | as without dictionaries |
| the client has no dictionary for it, or one that is not known | yes | as without dictionaries |
| the client accepts dcz, and its dictionary is known | yes | dcz |

Pages, which are fresh for minutes, are known to the process that sent them. Static files, which clients keep for
months, are also in the app's store, for other processes and later releases: requests can't make more of them.
"""

import re
from collections import OrderedDict
from collections.abc import AsyncIterable, Callable, Collection, Generator, Iterable, Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from importlib import import_module
from threading import Lock
from time import time
from typing import Any

from antiphon import Request, Response
from antiphon.embedding import (
    BlockingChunks,
    Body,
    FeatureStore,
    Reads,
    as_bytes,
    is_for_any_thread,
    is_this_machine,
    parse_or_none,
    reads_of,
    split_list,
    unwatched,
)
from antiphon.features import Store, StoreUnavailable
from antiphon.features.cache.rules import control_of
from antiphon.features.codings import ZSTD, Compressor
from antiphon.http import Item, parse_structured_list
from antiphon.types import Caller

DCZ = "dcz"
AVAILABLE = "available-dictionary"
FeatureStore.declare("compression dictionary", until="minor", unreadable="absent")
_MAGIC = bytes.fromhex("5e2a4d1820000000")
"""The beginning of content in dcz, before the dictionary's hash (RFC 9842 §5)."""
SMALLEST, LARGEST = 100, 1 << 20
"""The sizes of a dictionary, in bytes."""
_MOST = 16 << 20
"""The maximum number of bytes of all dictionaries that a process keeps."""
_AT_ONCE = 256 << 10
"""The maximum size of a body in memory, whose hash an event loop computes."""
_KEPT = 90 * 24 * 3600.0
"""The seconds for which a store keeps a file since a process has first sent it."""
_LEVEL = 3
_FOR_ALL = Caller.OF_ONE_TRY | {
    AVAILABLE, Reads.HTTP_VERSION, Reads.QUERY, "datastar-request", "hx-boosted", "hx-history-restore-request",
    "hx-request", "hx-target", "x-block",
}  # fmt: skip
"""What code may read of a request to make a dictionary: nothing that may tell one visitor from others."""

_parameter = re.compile(r"<[^<>]*+>")
_hash_in_name = re.compile(r"(?<=[.-])[A-Za-z0-9_]{8,64}(?=\.[a-z0-9]{1,5}\Z)")
_is_plain = re.compile(r"/[A-Za-z0-9/_.~@*-]{0,200}").fullmatch


class Dictionaries:
    """The responses that a process has sent and that clients may have, by their hashes; the oldest are forgotten.

    ``store``, if there is one, also has the static files.
    """

    def __init__(self, most: int = _MOST) -> None:
        self.store: Store | None = None
        self._most = most
        self._size = 0
        self._known: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = Lock()

    def add(self, content: bytes) -> bytes | None:
        """Remember a public response's content. Return its hash if it is new."""
        digest = sha256(content).digest()
        with self._lock:
            if is_new := digest not in self._known:
                self._known[digest] = content
                self._size += len(content)
            self._known.move_to_end(digest)
            while self._size > self._most:
                _, oldest = self._known.popitem(last=False)
                self._size -= len(oldest)
        return digest if is_new else None

    def match(self, request: Request, response: Response, fields: Mapping[str, str]) -> str | None:
        """Return the pattern of the URLs for which a response may be a dictionary; None if it takes no part.

        It is the route's pattern or, for a file, its path without the hash in its name.
        """
        if (
            request.method not in ("GET", "HEAD")
            or response.status not in (200, 304)
            or not _is_public(request, fields)
        ):
            return None
        path = request.root_path + request.path
        is_file = "." in path.rpartition("/")[2]
        pattern = request.root_path + _parameter.sub("*", request.route.pattern)
        match = _hash_in_name.sub("*", path) if is_file else pattern
        return match if _is_plain(match) else None

    def remember(self, request: Request, body: Body, size: int) -> Body | None:
        """Return a body whose content is kept once it has been sent; None for a stream or a wrong size."""
        if not SMALLEST <= size <= (_AT_ONCE if isinstance(body, bytes) else LARGEST):
            return None
        store = self._store_for(request)
        if isinstance(body, bytes):
            if request.method == "GET" and (digest := self.add(body)) and store is not None:
                request.after_response(_put, store, digest, body)
            return body
        if not is_for_any_thread(body) or isinstance(body, AsyncIterable):
            return None
        chunks = BlockingChunks(body, partial(self._kept, store))
        chunks.is_for_any_thread = True
        return chunks

    def _kept(self, store: Store | None, chunks: Iterable[bytes | str]) -> Generator[bytes]:
        seen = []
        for chunk in map(as_bytes, chunks):
            seen.append(chunk)
            yield chunk
        if (digest := self.add(content := b"".join(seen))) and store is not None:
            _put(store, digest, content)

    def _store_for(self, request: Request) -> Store | None:
        if self.store is None:
            return None
        return self.store if _serves_files(request) else None

    def loader(self, request: Request) -> Callable[[], None] | None:
        """Return a function that looks for the client's dictionary in the store; None if it is known or of no use.

        The function waits for the store.
        """
        if (store := self._store_for(request)) is None:
            return None
        digest = _digest_of(request)
        return None if digest is None or digest in self._known else partial(self._load, store, digest)

    def _load(self, store: Store, digest: bytes) -> None:
        with suppress(StoreUnavailable):  # which is already logged
            entry = store.load(_key(digest))
            content = None if entry is None else entry.data.get("content")
            if isinstance(content, bytes) and sha256(content).digest() == digest:
                self.add(content)

    def compressor(self, request: Request) -> Compressor | None:
        """Return a compressor with the client's dictionary; None if the client does not accept dcz, or has none."""
        if (digest := _digest_of(request)) is None:
            return None
        with self._lock:
            known = self._known.get(digest)
        return None if known is None else _Dcz(digest, known)


def _key(digest: bytes) -> str:
    return f"compression dictionary\n{digest.hex()}"


def _put(store: Store, digest: bytes, content: bytes) -> None:
    with suppress(StoreUnavailable):  # which is already logged
        store.change(_key(digest), {"content": content}, ttl=_KEPT)


def _is_public(request: Request, fields: Mapping[str, str]) -> bool:
    control = control_of([*fields.items()], time())
    said = control.directives
    if not said.public or said.private or said.no_store or said.no_cache or control.lifetime <= 0:
        return False
    names = {*map(str.lower, split_list(fields.get("vary", ""))), *_reads_of(request)}
    if "set-cookie" in fields or not {name for name in names if not name.startswith(Reads.ARG)} <= _FOR_ALL:
        return False
    with unwatched(request):  # what it decides differs in the coding only
        is_own = request.head.field("sec-fetch-site") in (None, "same-origin", "none")
        has_credentials = request.head.field("authorization") is not None
        return is_own and not has_credentials and (request.is_secure or is_this_machine(request.host))


def _reads_of(request: Request) -> Collection[str]:
    """Return the fields and other values that were read to make a response."""
    return () if _serves_files(request) else {field for name in reads_of(request.head) for field in Reads.fields(name)}


def _serves_files(request: Request) -> bool:
    """Return True for a folder's route, whose files may be at hand."""
    return hasattr(request.route.handler, "at_hand")


def _digest_of(request: Request) -> bytes | None:
    """Return the hash of the dictionary that a client has, if it lists dcz: one that accepts anything may not know
    it.
    """
    listed = split_list((request.head.field("accept-encoding") or "").lower())
    if DCZ not in [each.partition(";")[0].strip() for each in listed] or DCZ not in request.accept_encodings:
        return None
    members = parse_or_none(parse_structured_list, request.head.field(AVAILABLE) or "") or ()
    digest = members[0].value if len(members) == 1 and isinstance(members[0], Item) else None
    return digest if isinstance(digest, bytes) and len(digest) == sha256().digest_size else None


class _Dcz:
    """A compressor of zstd that continues a dictionary, whose hash comes first."""

    def __init__(self, digest: bytes, dictionary: bytes) -> None:
        zstd = import_module(ZSTD)
        parameter = zstd.CompressionParameter
        # Twice as large as the dictionary, which would otherwise be out of reach, and at most 2 MiB.
        window = max(18, min(21, (2 * len(dictionary)).bit_length()))
        options = {parameter.compression_level: _LEVEL, parameter.window_log: window}
        given = zstd.ZstdDict(dictionary, is_raw=True).as_prefix
        self._compressor: Any = zstd.ZstdCompressor(options=options, zstd_dict=given)
        self._head = _MAGIC + digest

    def chunk(self, data: bytes) -> bytes:
        """Compress more of the body."""
        return self._begun(self._compressor.compress(data, self._compressor.FLUSH_BLOCK))

    def finish(self, data: bytes = b"") -> bytes:
        """Compress the rest of the body and end it."""
        return self._begun(self._compressor.compress(data, self._compressor.FLUSH_FRAME))

    def _begun(self, compressed: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + compressed
