"""Late reads: what a stream reads from its request after the response's head has told caches what it depends on.

| the head that was sent | a late read |
|---|---|
| is private, or no-store, or varies by everything, or gives no lifetime | is allowed |
| lets shared caches store the response, and its Vary lists the field | is allowed |
| lets shared caches store the response otherwise | raises RuntimeError, naming its line |
"""

import sys
from collections.abc import AsyncIterable, Generator, Iterable, Mapping
from copy import copy
from time import time
from types import FrameType, TracebackType
from typing import TypeVar
from urllib.parse import unquote_plus

from antiphon.concurrency.iterables import AsyncByteGenerator, BlockingChunks, ByteGenerator, as_bytes
from antiphon.explanations import explained
from antiphon.http.cache_control import CacheControl
from antiphon.http.grammar import parse_or_none, split_list
from antiphon.http.head import RequestHead
from antiphon.http.header_property import read_date
from antiphon.http.headers import combined
from antiphon.http.structured_fields import InnerList, Item, parse_structured_dictionary
from antiphon.request.request import Request
from antiphon.request.watching import PlainWatch, Reads, WatchedHead, note_in_head, watches_of
from antiphon.response.files import is_at_hand, is_for_any_thread
from antiphon.response.message import Body, PassedChunks, Stream
from antiphon.response.response import Response

B = TypeVar("B", bound=Body)

_METHODS = ("GET", "QUERY")
_FREE = frozenset({"host", *RequestHead.CONDITIONS, Reads.REQUEST_ID, Reads.PAGE_NONCE})
"""The reads that no cache has to be told of: the host is part of the URL, caches know conditions and ranges (RFC 9111
§4.3.2), and the others are not the client's.
"""
_OF_CONTENT = ("content-encoding", "content-length", "content-type", "transfer-encoding")
"""The fields with which a QUERY's content is read, which is part of a cache's key (RFC 10008 §2.7)."""
OF_CDNS = "cdn-cache-control"
"""The field for shared caches only, where it overrides Cache-Control (RFC 9213)."""


def lets_share(fields: Iterable[tuple[str, str]]) -> str | None:
    """Return the header line with which a response lets shared caches give it to other clients, if it does."""
    found = combined([*fields])
    if found.get("vary") == "*":
        return None
    for name in (OF_CDNS, "cache-control"):
        said = CacheControl.parse(found.get(name))
        is_kept_apart = said.no_store or said.private is True
        if not is_kept_apart and (said.public or said.s_maxage or said.max_age):
            return f"{name.title()}: {found[name]}"
    expires = None if is_kept_apart or said.max_age is not None else read_date(found.get("expires"))
    return f"Expires: {found['expires']}" if expires is not None and expires.timestamp() > time() else None


def keep_private(response: Response) -> None:
    """Forbid shared caches to store a response, even if its fields allow that."""
    headers = response.headers
    of_cdns = CacheControl.parse(headers.get(OF_CDNS))
    if OF_CDNS in headers and not (of_cdns.no_store or of_cdns.private is True):
        del headers[OF_CDNS]
    said = CacheControl.parse(headers.setdefault("cache-control", "private"))
    is_shared = said.private is not True or said.public or said.s_maxage is not None
    if is_shared and not said.no_store:
        headers["cache-control"] = str(said.replace(private=True, public=False, s_maxage=None))


def tell_of_reads(response: Response, reads: Iterable[str]) -> Response:
    """Return a response whose fields tell shared caches that it depends on what a watch has recorded.

    It is private if Vary can't list that.
    """
    names = {*reads} - _FREE
    if not names or lets_share(response._fields) is None:
        return response
    response = copy(response)  # a handler may return the same object again
    of_query = {name for name in names if name.startswith((Reads.QUERY, Reads.ARG))}
    ignoring = response.headers.get("no-vary-search")
    if ignoring is not None and any(_is_ignored(ignoring, name) for name in of_query):
        del response.headers["no-vary-search"]
    fields = {field for name in names - of_query for field in Reads.fields(name)}
    if any(name[0] in ":*" for name in fields):
        keep_private(response)
    else:
        response.vary(*sorted(fields))
    return response


def tell_shared_caches(request: Request) -> Generator[None, Response, Response | None]:
    """Record, as middleware around all other middleware, what is read, and tell shared caches."""
    watch = PlainWatch(request.head)
    watch.put_on(request)
    response = yield
    told = tell_of_reads(response, watch.reads)
    return None if told is response else told


def _is_ignored(no_vary_search: str, name: str) -> bool:
    """Return True if a No-Vary-Search tells caches that an argument of the query, or any of it, doesn't matter."""
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


def pass_on_late_reads(inner: Request, outer: Request, response: Response) -> None:
    """Let the outer request know what a mounted application's stream reads from its own request."""
    if not response.is_streamed:
        return
    watch = PlainWatch(inner.head)
    watch.refuse = lambda name: note_in_head(outer.head, name)
    watch.put_on(inner)


class _Sending:
    """The time during which a response is sent that its ``fields`` let caches share, by the line ``said``."""

    def __init__(self, request: Request, said: str, fields: Mapping[str, str]) -> None:
        self._request = request
        self._said = said
        self._ignoring = fields.get("no-vary-search", "")
        own = _OF_CONTENT if request.head.method == "QUERY" else ()
        self._vary = _FREE.union(own, [name.lower() for name in split_list(fields.get("vary", ""))])
        self._watches: list[WatchedHead] = []

    def __enter__(self) -> None:
        request = self._request
        if not any(watches_of(request.head)):
            PlainWatch(request.head).put_on(request)
        self._watches = [*watches_of(request.head)]
        for watch in self._watches:
            watch.is_paused, watch.refuse = False, self._check

    def __exit__(self, kind: object, error: object, traceback: TracebackType | None) -> None:
        for watch in self._watches:
            watch.refuse = None

    def _check(self, name: str) -> None:
        """Raise RuntimeError, naming the line, for a read that caches don't know of."""
        is_of_query = name.startswith((Reads.QUERY, Reads.ARG))
        if not _is_ignored(self._ignoring, name) if is_of_query else self._vary.issuperset(Reads.fields(name)):
            return
        named = name.removeprefix(":")
        what = named if name[0] == ":" else f"field {named}"
        raise explained(
            "read-too-late",
            f"{self._request.route.handled_by} responds with {self._said}, so caches may serve the response to"
            f" everyone, but{_place()} the {what} was read after its head was sent: read it before the response is"
            " returned, make the response private, or name the header field in Vary",
            RuntimeError,
        )


def _place() -> str:
    """Return the line of the innermost code that is neither this package's nor the standard library's."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - there is no other way
    while frame is not None and _is_passed_over(frame.f_globals.get("__name__", "").partition(".")[0]):
        frame = frame.f_back
    return f" in {frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""


def _is_passed_over(package: str) -> bool:
    return package == "antiphon" or (package in sys.stdlib_module_names and package != "__main__")
