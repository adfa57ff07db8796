"""Shared caches: each response that they may store leaves here, and its fields tell them what it depends on.

Everything that any code read from the request counts, for any kind of response. If Vary can't list it, the response
becomes private. What a stream reads after its head was sent comes too late for that:

| the head that was sent | a late read |
|---|---|
| is private, or no-store, or varies by everything, or gives no lifetime | is allowed |
| lets shared caches store the response, and its Vary lists the field | is allowed |
| lets shared caches store the response otherwise | raises RuntimeError, naming its line |
"""

import sys
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from functools import lru_cache
from time import time
from types import FrameType, TracebackType
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from antiphon.concurrency.iterables import AsyncByteGenerator, BlockingChunks, ByteGenerator, as_bytes
from antiphon.explanations import explained
from antiphon.http.cache_control import CacheControl
from antiphon.http.grammar import parse_or_none, split_list
from antiphon.http.head import RequestHead, server_head
from antiphon.http.header_property import read_date
from antiphon.http.headers import MutableHeaders, combined
from antiphon.http.reads import UNRECORDED, Recorder
from antiphon.http.structured_fields import InnerList, Item, parse_structured_dictionary
from antiphon.request.request import Request
from antiphon.request.watching import Reads, reads_of
from antiphon.response.fields import Fields, depending
from antiphon.response.files import is_at_hand, is_for_any_thread
from antiphon.response.message import Body, PassedChunks, Stream
from antiphon.response.response import Response

B = TypeVar("B", bound=Body)

_METHODS = ("GET", "QUERY")
_FREE = frozenset({
    "host", "content-length", "transfer-encoding", *RequestHead.CONDITIONS,
    Reads.REQUEST_ID, Reads.PAGE_NONCE, Reads.HOOKS,
})  # fmt: skip
"""The reads that no cache has to be told of: the host is part of the URL, servers frame requests as they like, caches
know conditions and ranges (RFC 9111 §4.3.2), hooks read what they decide by, and the others are not the client's.
"""
_OF_CONTENT = ("content-encoding", "content-length", "content-type", "transfer-encoding")
"""The fields with which a QUERY's content is read, which is part of a cache's key (RFC 10008 §2.7)."""
_CONTENT = ":content"
"""The content of a request with any other method, which is in no cache's key."""


def tell_shared_caches(request: Request, fields: Fields) -> Fields:
    """Return the fields with which a response leaves: if they let shared caches store it, with everything in Vary that
    was read from the request, or private if Vary can't list that.
    """
    names = _untold(request)
    said = lets_share(fields) if names else None
    if said is None:
        return fields
    own = [*fields]  # a handler may return the same object again
    headers = MutableHeaders.over(own)
    of_query = {name for name in names if name.startswith((Reads.QUERY, Reads.ARG))}
    ignoring = headers.get("no-vary-search")
    if ignoring is not None and any(_is_ignored(ignoring, name) for name in of_query):
        del headers["no-vary-search"]
        Reads.are_args_named = True  # only then is more known than that the query was read
    listed = {field for name in names - of_query for field in Reads.fields(name)}
    if unlisted := sorted(name for name in listed if name[0] in ":*"):
        _warn(request.route.handled_by, said, unlisted[0])
        _make_private(headers)
        return own
    return depending(own, tuple(sorted(listed))) if listed else own


def _untold(request: Request) -> frozenset[str]:
    """Return the names of everything that was read from a request and that caches don't know by themselves."""
    names = _known_to_none(reads_of(request.head))
    if request.head.method == "QUERY":
        return names.difference(_OF_CONTENT)
    content = request._content
    has_content = bool(content) if content is None or isinstance(content, bytes) else not content.is_empty
    return names | {_CONTENT} if has_content else names


@lru_cache(maxsize=1000)
def _known_to_none(names: frozenset[str]) -> frozenset[str]:
    return names - _FREE


@lru_cache(maxsize=1000)  # once for each handler
def _warn(handled_by: str, said: str, name: str) -> None:
    import logging

    logging.getLogger("antiphon").warning(
        "%s responds with %s, but %s was read, which Vary can't list: shared caches may not store the response",
        handled_by,
        said,
        _named(name),
    )


def _named(name: str) -> str:
    if name == Reads.EVERYTHING:
        return "the whole header section"
    return f"the {name[1:]}" if name[0] == ":" else f"the field {name}"


def lets_share(fields: Iterable[tuple[str, str]]) -> str | None:
    """Return the header line with which a response lets shared caches give it to other clients, if it does."""
    found = combined([*fields])
    if found.get("vary") == "*":
        return None
    for name in (*filter(_is_for_caches, found), "cache-control"):
        said = CacheControl.parse(found.get(name))
        if not _keeps_apart(said) and (said.public or said.s_maxage or said.max_age):
            return f"{name.title()}: {found[name]}"
    if (seconds := found.get(_OF_NGINX, "0").strip()) not in ("0", "off"):
        return f"X-Accel-Expires: {seconds}"
    said = CacheControl.parse(found.get("cache-control"))
    expires = None if _keeps_apart(said) or said.max_age is not None else read_date(found.get("expires"))
    return f"Expires: {found['expires']}" if expires is not None and expires.timestamp() > time() else None


def _keeps_apart(said: CacheControl) -> bool:
    return said.no_store or said.private is True


_OF_NGINX, _SURROGATE = "x-accel-expires", "surrogate-control"


def _is_for_caches(name: str) -> bool:
    """Return True for a field that overrides Cache-Control in some shared caches (RFC 9213 §2)."""
    return name.endswith("-cache-control") or name == _SURROGATE


def keep_private(response: Response) -> None:
    """Forbid shared caches to store a response, even if its fields allow that."""
    _make_private(response.headers)


def _make_private(headers: MutableHeaders) -> None:
    for name in filter(_is_for_caches, [*headers]):
        said = CacheControl.parse(headers.get(name))
        if not _keeps_apart(said):
            headers[name] = "no-store" if name == _SURROGATE else "private"
    if _OF_NGINX in headers:
        headers[_OF_NGINX] = "0"
    said = CacheControl.parse(headers.setdefault("cache-control", "private"))
    is_shared = said.private is not True or said.public or said.s_maxage is not None
    if is_shared and not said.no_store:
        headers["cache-control"] = str(said.replace(private=True, public=False, s_maxage=None))


def _is_ignored(no_vary_search: str, name: str) -> bool:
    """Return True if a No-Vary-Search tells caches that an argument of the query, or any of it, doesn't matter."""
    if not no_vary_search:
        return False
    members = parse_or_none(parse_structured_dictionary, no_vary_search) or {}
    listed = {
        kind: {unquote_plus(str(item.value)) for item in member.items}
        for kind, member in members.items()
        if isinstance(member, InnerList)
    }
    if name == Reads.QUERY or "params" in listed:
        return name == Reads.QUERY or name.removeprefix(Reads.ARG) in listed["params"]
    params = members.get("params")
    return (
        isinstance(params, Item)
        and params.value is True
        and name.removeprefix(Reads.ARG) not in listed.get("except", ())
    )


def refuse_late_reads(request: Request, body: B, fields: Iterable[tuple[str, str]]) -> B | Stream:
    """Return a body during which code can't read anything that caches don't know of, once the ``fields`` were sent."""
    if isinstance(body, bytes) or is_at_hand(body) or is_for_any_thread(body) or request.head.method not in _METHODS:
        return body
    if (said := lets_share(fields)) is None:
        return body
    sending = _Sending(request, said, combined([*fields]))

    def each(chunks: Iterable[bytes | str]) -> ByteGenerator:
        with sending:
            yield from map(as_bytes, chunks)

    async def each_async(chunks: AsyncIterable[bytes | str]) -> AsyncByteGenerator:
        with sending:
            async for chunk in chunks:
                yield as_bytes(chunk)

    return PassedChunks(body, each_async) if isinstance(body, AsyncIterable) else BlockingChunks(body, each)


class _Sending:
    """The time during which a response is sent that its ``fields`` let caches share, by the line ``said``."""

    def __init__(self, request: Request, said: str, fields: Mapping[str, str]) -> None:
        self._request = request
        self._said = said
        self._server: Any = server_head(request.head)
        self._ignoring = fields.get("no-vary-search", "")
        own = _OF_CONTENT if request.head.method == "QUERY" else ()
        self._vary = _FREE.union(own, [name.lower() for name in split_list(fields.get("vary", ""))])
        if self._ignoring:
            Reads.are_args_named = True

    def __enter__(self) -> None:
        self._reads = getattr(self._server, "reads", UNRECORDED)
        if self._reads is not UNRECORDED:
            self._server.reads = _Refusing(self._check, reads_of(self._request.head))

    def __exit__(self, kind: object, error: object, traceback: TracebackType | None) -> None:
        if self._reads is not UNRECORDED:
            self._server.reads = self._reads

    def _check(self, name: str) -> None:
        """Raise RuntimeError, naming the line, for a read that caches don't know of."""
        is_of_query = name.startswith((Reads.QUERY, Reads.ARG))
        if not _is_ignored(self._ignoring, name) if is_of_query else self._vary.issuperset(Reads.fields(name)):
            return
        raise explained(
            "read-too-late",
            f"{self._request.route.handled_by} responds with {self._said}, so caches may serve the response to"
            f" everyone, but{_place()} {_named(name)} was read after its head was sent: read it before the response is"
            " returned, make the response private, or name the header field in Vary",
            RuntimeError,
        )


class _Refusing(Recorder):
    """The names of what was read, to which none is added without a check."""

    def __init__(self, check: Callable[[str], None], known: frozenset[str]) -> None:
        super().__init__(known)
        self._check = check

    def record(self, _: object, name: str, /) -> None:
        """Check that caches know of what was read."""
        self._check(name)


def _place() -> str:
    """Return the line of the innermost code that is neither this package's nor the standard library's."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - there is no other way
    while frame is not None and _is_passed_over(frame.f_globals.get("__name__", "").partition(".")[0]):
        frame = frame.f_back
    return f" in {frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""


def _is_passed_over(package: str) -> bool:
    return package == "antiphon" or (package in sys.stdlib_module_names and package != "__main__")
