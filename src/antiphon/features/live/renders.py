"""Renders of live blocks, shared by all watchers on an event loop for whom they are the same.

A render is a request within the application, with a watcher's header fields. It records what is read from the request,
as a cache does, so watchers with other values get a render of their own. It is used again:

| a render | for a new watcher | for a watcher who has seen an earlier one |
|---|---|---|
| is in progress | yes | yes |
| depends on nothing personal | until its tables change | until its tables change |
| depends on the caller | no: the login is checked | until its tables change |
| has failed, with 5xx | after RETRY seconds | after RETRY seconds |
| was refused by a limit, with 429 | no | no: the limit may be the caller's |
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Collection, Hashable, Iterable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from logging import getLogger
from math import inf
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakValueDictionary

from antiphon import Request, Response, explained
from antiphon.embedding import Head, MadeRequest, Reads, RequestState, WatchedHead, arrivals, contained, unwatched
from antiphon.features import MissedMessages
from antiphon.features.channels.channel import Channel
from antiphon.features.live.statements import OF_LOGIN, Reading, Tables, is_read
from antiphon.http import Event
from antiphon.types import Caller

PAUSE = 0.05
"""The minimum number of seconds from one render of a block to the next."""
RETRY = 5.0
"""The seconds after which a block whose render has failed is rendered again, if its tables don't change before."""
_AT_ONCE = 8
"""The number of renders in progress on an event loop."""
_MOST_TABLES = 1000

_HIDDEN = MadeRequest.Head.OF_THE_MESSAGE | {
    "cache-control", "hx-boosted", "hx-history-restore-request", "hx-request", "hx-target", "pragma", "sec-fetch-dest",
    "sec-fetch-mode", "sec-fetch-user", "x-block",
}  # fmt: skip
"""The fields of a watcher's request that a render doesn't have, because they say how the watcher receives it."""
_FOR_ALL = _HIDDEN | {"accept-language", "host", "origin", Reads.PAGE_NONCE, Reads.REQUEST_ID}
"""The names of what renders may depend on without being personal. Each has an own nonce and id, which nobody needs."""

Key: TypeAlias = Hashable


def _is_personal(names: Collection[str]) -> bool:
    return not all(name in _FOR_ALL or name.startswith(Reads.CHOICE) for name in names)


def key_of(head: Head, names: Collection[str]) -> Key:
    """Return the values of what was read from a request; all of its fields, and the address, for what isn't in them."""
    values: list[Hashable] = []
    for name in sorted(names):
        if name in Reads.choices or name.startswith(Reads.COOKIE) or (name[0] != ":" and name != Reads.EVERYTHING):
            values.append((name, Reads.value(head, name)))
        elif name not in _FOR_ALL:
            return (*sorted(head.fields()), head.client and head.client.host)
    return tuple(values)


class Changes:
    """The tables that have been written, each with the number of its last change."""

    def __init__(self) -> None:
        self.number = 0
        self._last: OrderedDict[str, int] = OrderedDict()
        self._all = 0

    def add(self, tables: Iterable[str] | None) -> None:
        """Add a change of tables; of all, for None."""
        self.number += 1
        if tables is None:
            self._all = self.number
        for name in tables or ():
            self._last[name] = self.number
            self._last.move_to_end(name)  # ``since`` and the limit rely on the order of the changes
        while len(self._last) > _MOST_TABLES:
            _, self._all = self._last.popitem(last=False)

    def since(self, number: int, words: Collection[str]) -> bool:
        """Return True if a table that statements with these words may read has changed after the one of this number."""
        if self._all > number:
            return True
        for name, changed in reversed(self._last.items()):
            if changed <= number:
                return False
            if is_read(name, words):
                return True
        return False


class Rendered(NamedTuple):
    """The outcome of a render: a response, or an error. ``is_shown`` is true if it has the block."""

    response: Response
    is_shown: bool
    error: Exception | None
    words: Tables
    names: frozenset[str]
    began: float
    number: int
    """The number of the last change before it began."""
    retry_at: float
    caller: str | None = None
    """The key of its caller, if it is for that one alone."""

    @property
    def is_failure(self) -> bool:
        """True if the same client may get the block next time: a limit has refused it, or the server has failed."""
        return self.response.status == 429 or self.response.status >= 500

    @property
    def tag(self) -> str:
        """A short text that differs if the block does, as the id of its event."""
        return sha256(self.response.text.encode()).hexdigest()[:24]


class _Render(NamedTuple):
    began: float
    task: "asyncio.Task[Rendered]"


class SharedBlock:
    """A block at one URL, with the renders of all its watchers on an event loop."""

    def __init__(self, audience: "Audience", name: str) -> None:
        self._audience = audience
        self._name = name
        self._names = frozenset[str]()
        """All that any render has read from its request."""
        self._renders: dict[Key, _Render] = {}

    async def render(self, watcher: "Watcher", since: float = -inf) -> Rendered:
        """Return a render that the watcher may see; a personal one began after ``since``, by the loop's clock."""
        while True:
            names = self._names
            key = key_of(watcher.head, names)
            found = self._renders.get(key)
            is_own = found is None or self._is_over(found, since if _is_personal(names) else -inf)
            if is_own or found is None:
                found = self._begin(watcher, found)
                self._renders[key] = found
            rendered = await asyncio.shield(found.task)
            # Others may differ in what it has read, or have a limit of their own.
            if is_own or (names >= rendered.names and rendered.response.status != 429):
                return rendered

    def _is_over(self, render: _Render, since: float) -> bool:
        if not render.task.done():
            return False
        if render.task.cancelled() or render.task.exception() is not None:
            return True  # only those who have waited for it get its error
        known = render.task.result()
        return known.began < since or known.response.status == 429 or self._audience.is_stale(known)

    def _begin(self, watcher: "Watcher", before: _Render | None) -> _Render:
        loop = asyncio.get_running_loop()
        begins = loop.time() if before is None else max(loop.time(), before.began + PAUSE)
        return _Render(begins, loop.create_task(self._make(watcher, begins)))

    async def _make(self, watcher: "Watcher", begins: float) -> Rendered:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(begins - clock())
        watch = WatchedHead(watcher.head)
        error = caller = None
        async with self._audience.turns:
            began, number = clock(), self._audience.changes.number
            with Reading() as words:
                try:
                    response, caller = await contained(self._respond(watcher, watch))
                except Exception as raised:
                    error, response = raised, Response(None, 500)
        is_shown = 200 <= response.status < 300
        if is_shown and all(each.startswith(OF_LOGIN) for each in words):
            _warn_of(watcher.request.route.handled_by, self._name)
        retry_at = clock() + max(words.seconds, PAUSE)
        of_the_url = (Reads.QUERY, Reads.ARG)  # which is the block's
        names = frozenset(name for name in watch.reads if not name.startswith(of_the_url))
        rendered = Rendered(response, is_shown, error, frozenset(words), names, began, number, retry_at)
        if rendered.is_failure:
            wait = max(RETRY, after if isinstance(after := response.retry_after, int) else 0)
            rendered = rendered._replace(retry_at=clock() + wait)
        if _is_personal(names):
            rendered = rendered._replace(caller=caller)
        if not names <= self._names:
            self._names |= names
            task: Any = asyncio.current_task()
            self._renders = {key_of(watcher.head, self._names): _Render(began, task)}
        return rendered

    async def _respond(self, watcher: "Watcher", watch: WatchedHead) -> tuple[Response, str | None]:
        made = MadeRequest(watcher.request, watch, None, watcher.app, counts=True)
        made.request[RequestState.COUNTED_BY] = watcher.counted_by
        response = await made.respond()
        if response.is_streamed or 200 <= response.status < 300:
            _check_block(response, watcher.request, self._name)
        response = await response.afreeze()
        response.headers.pop("set-cookie", None)  # it may be another watcher's
        with unwatched(made.request):
            return response, made.request.caller.key


@cache
def _warn_of(handler: str, name: str) -> None:
    """Log once that a block is never rendered again."""
    fix = "for Django and others, call live_reads(table) there, and live_writes(table) after each write"
    said = "the live block %r of %s reads no table that Antiphon sees, so it never changes: %s"
    getLogger("antiphon").warning(said, name, handler, fix)


def _check_block(response: Response, request: Request, name: str) -> None:
    """Check that a response is the block, and not the page. Raises LookupError."""
    if response.headers.get("x-block") != name:
        reason = f"{request.route.handled_by} is live, but it didn't return its block {name!r}: return Page(...)"
        raise explained("no-live-block", reason, LookupError)


class Watcher:
    """A client that watches a block, as an async iterator of events: the block now, and whenever it differs.

    It ends when a render isn't a success, such as after a logout; the client may then ask again. After a failure of the
    server, it waits for the next render instead. ``aclose`` must be called in any case.
    """

    def __init__(self, audience: "Audience", request: Request, name: str) -> None:
        outermost = arrivals(request)[-1]
        self.request = request
        self.app: Any = outermost.route.app
        with unwatched(outermost):
            inner = outermost.head
            target = inner.path, inner.raw_path or b"", inner.query_string
            shown = [("accept", "text/html"), ("x-block", name), ("cache-control", "no-cache")]
            self.head = MadeRequest.Head(inner, "GET", *target, shown, _HIDDEN.__contains__)
            self.url = self.app, str(outermost.url), inner.root_path, name, *Caller.of_server(inner)
            self._sent = request.last_event_id
        self._audience = audience
        self.name = name
        self.counted_by: set[object] = set()
        """The limits that have counted this client's request, of which further renders are no part."""
        self.client = ""
        """The client as which it is counted: the address or, since a first render of its own, the caller's key."""
        self._woken = asyncio.Event()
        self._is_ended = False
        self._block = audience.block_of(self)
        self.seen: Rendered | None = None
        self._is_first = True

    async def begin(self) -> Rendered:
        """Begin to watch, and return the first render. Raises StoreUnavailable."""
        since = asyncio.get_running_loop().time()
        await self._audience.enter(self)
        self.seen = await self._block.render(self, since)
        client = self.head.client
        self._audience.count_as(self, self.seen.caller or f"address {client and Caller.network_of(client.host)}")
        return self.seen

    def __aiter__(self) -> "Watcher":
        return self

    async def __anext__(self) -> Event:
        """Wait for the next event."""
        is_first, self._is_first = self._is_first, False
        rendered = self.seen if is_first else await self._next()
        while rendered is not None:
            if rendered.error is not None:
                getLogger("antiphon").error("a live block can't be rendered", exc_info=rendered.error)
                break
            if rendered.is_shown and rendered.tag != self._sent:
                self._sent = rendered.tag
                return Event(rendered.response.text, event=self.name, id=rendered.tag)
            if is_first:
                return Event(comment="")  # so that the client receives the head
            if not (rendered.is_shown or rendered.is_failure):
                break
            rendered = await self._next()
        raise StopAsyncIteration

    async def _next(self) -> Rendered | None:
        """Wait until there is a render after the last one; None at the end."""
        assert self.seen is not None  # noqa: S101 - since ``begin``
        while not self._audience.is_stale(self.seen):
            self._woken.clear()
            if self._is_ended:
                return None
            wait = None if self.seen.retry_at == inf else self.seen.retry_at - asyncio.get_running_loop().time()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait)
        self.seen = await self._block.render(self)
        return self.seen

    def wake(self, *, ends: bool = False) -> None:
        """Let the watcher see what has changed, or that nothing more will."""
        self._is_ended = self._is_ended or ends
        self._woken.set()

    async def aclose(self) -> None:
        """Stop watching."""
        self._audience.leave(self)


class Audience:
    """All watchers on one event loop. While there are any, it listens to the changes of tables."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.changes = Changes()
        self.turns = asyncio.Semaphore(_AT_ONCE)
        self._watchers: set[Watcher] = set()
        self.of_client: Counter[str] = Counter()
        """The number of watchers of each client that has any."""
        self._blocks: WeakValueDictionary[Key, SharedBlock] = WeakValueDictionary()
        self._listening: asyncio.Task[None] | None = None
        self._begun: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._watchers)

    def block_of(self, watcher: Watcher) -> SharedBlock:
        """Return the block at a watcher's URL."""
        block = self._blocks.get(watcher.url)
        if block is None:
            block = self._blocks[watcher.url] = SharedBlock(self, watcher.name)
        return block

    def is_stale(self, rendered: Rendered) -> bool:
        """Return True if a table that the block reads has changed since, or if it is time to try again."""
        is_late = rendered.retry_at <= asyncio.get_running_loop().time()
        return is_late or self.changes.since(rendered.number, rendered.words)

    async def enter(self, watcher: Watcher) -> None:
        """Add a watcher, whose changes are noted from now on. Raises StoreUnavailable."""
        self._watchers.add(watcher)
        if self._listening is None or self._begun is None:
            self._begun = asyncio.get_running_loop().create_future()
            self._listening = asyncio.create_task(self._listen(self._begun))
        await asyncio.shield(self._begun)

    def count_as(self, watcher: Watcher, client: str) -> None:
        """Count a watcher as one of a client; as none if it has none."""
        for before, change in ((watcher.client, -1), (client, 1)):
            self.of_client[before] += change
            if not before or self.of_client[before] <= 0:
                del self.of_client[before]
        watcher.client = client

    def leave(self, watcher: Watcher) -> None:
        """Remove a watcher. The last one ends the listening."""
        self._watchers.discard(watcher)
        self.count_as(watcher, "")
        if not self._watchers and self._listening is not None:
            self._listening.cancel()
            self._listening = None

    def add(self, tables: Iterable[str] | None) -> None:
        """Add a change of tables, or of all of them, and wake the watchers whose blocks read them."""
        self.changes.add(tables)
        for watcher in self._watchers:
            if watcher.seen is not None and self.is_stale(watcher.seen):
                watcher.wake()

    async def _listen(self, begun: "asyncio.Future[None]") -> None:
        try:
            async with self._channel.listen() as messages:
                self.changes.add(None)  # those before are unknown
                begun.set_result(None)
                async for each in messages:
                    self.add(None if isinstance(each, MissedMessages) else each.value)
        except Exception as error:
            if begun.done():
                getLogger("antiphon").exception("changes of tables can't be read")
            else:
                begun.set_exception(error)
        if self._begun is begun:
            self._listening = None
        for watcher in self._watchers:
            watcher.wake(ends=True)
