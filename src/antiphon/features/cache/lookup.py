"""The lookup before the handler: a stored response is served or refreshed, or made once while other requests wait."""

import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, suppress
from enum import Enum
from functools import partial
from time import monotonic
from typing import Any, TypeAlias

from antiphon import Request, Response, abort, aget_response, get_response
from antiphon.embedding import (
    ON_LOOP,
    ON_THREAD,
    Crossing,
    Head,
    MadeRequest,
    Reads,
    RequestHead,
    RequestState,
    WatchedHead,
    contained,
    is_on_loop,
    response_of,
    serving_loop,
)
from antiphon.features import StoreUnavailable
from antiphon.features.cache.entry import Args, Chunks, Fields, StoredResponse, content_of, key_of, key_of_query
from antiphon.features.cache.filling import NO_DIRECTIVES, AwaitedResponse, Fill, FillHead, RefreshHead, directives_of
from antiphon.features.cache.rules import NAME, Control, hit_status
from antiphon.features.cache.shelf import MOST_RECENT, Shelf, Shelved
from antiphon.http import CacheControl


class Use(Enum):
    """The ways to use a stored response for a request."""

    FRESH = "serve it"
    STALE = "serve it, though it is stale"
    REFRESH = "serve it, and fetch a new one in the background"
    VALIDATE = "ask the handler whether it is still right"


def use_of(control: Control, age: float, asked: CacheControl) -> Use:
    """Return how a stored response may be used for a request with these directives."""
    remaining = control.lifetime - age
    if control.directives.no_cache is True or asked.no_cache:
        return Use.VALIDATE
    is_young = asked.max_age is None or age <= asked.max_age
    if is_young and remaining > (asked.min_fresh or 0):
        return Use.FRESH
    if asked.min_fresh is not None or control.must_revalidate:
        return Use.VALIDATE
    if asked.max_stale is not None and is_young and -remaining <= asked.max_stale:
        return Use.STALE
    if asked.max_age is None and _is_within(-remaining, control.directives.stale_while_revalidate):
        return Use.REFRESH
    return Use.VALIDATE


def may_stand_for_error(control: Control, age: float, asked: CacheControl) -> bool:
    """Return True if the stored response or the request allows serving it instead of an error (RFC 5861 §4)."""
    if control.must_revalidate or asked.no_cache:
        return False
    staleness = age - control.lifetime
    return any(_is_within(staleness, said.stale_if_error) for said in (control.directives, asked))


def _is_within(staleness: float, allowed: int | None) -> bool:
    return allowed is not None and staleness < allowed


def kept_for(control: Control, age: float, extra: float) -> float:
    """Return how many seconds a response remains useful: fresh, then stale, plus ``extra`` for validation."""
    said = control.directives
    stale = max(said.stale_while_revalidate or 0, said.stale_if_error or 0, extra)
    return max(1.0, control.lifetime - age + stale)


def serve(request: Request, kept: StoredResponse, now: float, *, collapsed: bool = False) -> Response:
    """Return the response to a request, based on a stored one."""
    age = kept.age(now)
    told = hit_status(int(kept.control.lifetime - age), is_collapsed=collapsed)
    if not RequestHead.has_conditions(request.head):
        return kept.whole(int(age), told)
    response = kept.response(request, int(age))
    response.headers.add("cache-status", told)
    return response


_Ready: TypeAlias = tuple[
    float, float, Callable[[Any], object], Any, object, Callable[[Head], bool] | None, bytes | Chunks, Fields, int
]
"""The start and end of the period in which a response stays ready, unchanged; the function that asks the store, and the
reply that it should return; the check of a request's head, or None if all heads fit; and the body, fields and status. A
plain tuple, since each item is read for each hit.
"""


class AtHand:
    """Whole responses from a shelf, for requests without conditions or ranges. Each is ready for one second, during
    which its fields do not change. The store is asked whether the response is still current.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._ready: OrderedDict[tuple[object, ...] | None, _Ready] = OrderedDict()  # None is never in it
        self._get = self._ready.get

    def respond(self, request: Request) -> Response | None:
        """Return the response to a request, if it is ready."""
        ready = self._get(request.head.plain_target())
        if ready is None:
            return None
        since, until, look, stored, expected, is_for, body, fields, status = ready
        if not since <= self._shelf.clock() < until:
            return None
        head = request.head
        if is_for is not None and not Reads.unrecorded(head, lambda: is_for(head)):
            return None
        try:
            if look(stored) is not expected:
                return None
        except StoreUnavailable:
            return None
        response = response_of(body, fields)
        if status != 200:
            response.status = status
        return response

    def add(self, request: Request, found: Shelved, kept: StoredResponse, now: float) -> None:
        """Keep a fresh response ready if it is small and was found for a plain request."""
        target = request.head.plain_target()
        if target is None or found.entry is None or kept.is_in_file or not self._shelf.has_at_hand(found):
            return
        since, until, fields = kept.told_until(now)
        if until > since:
            is_for = None if len(found.responses) == 1 and not kept.selected_by else _chooser(found, kept)
            look = self._shelf.unchanged_check(found.entry)
            self._ready[target] = since, until, *look, is_for, kept.body, fields, kept.status
        if len(self._ready) > MOST_RECENT:
            self._ready.popitem(last=False)


def _chooser(found: Shelved, kept: StoredResponse) -> Callable[[Head], bool]:
    """Return a function that checks by Vary whether a response fits a request, without recording the fields read."""
    return lambda head: found.best(head.inner if type(head) is FillHead else head) is kept


_LOOK_EVERY = (0.005, 0.05)
"""The number of seconds between checks for a response that another request is making: at first, and at most."""


class Collapsing:
    """The wait for another request's response, for up to ``timeout`` seconds. After that, ``app`` responds."""

    def __init__(self, shelf: Shelf, timeout: float) -> None:
        self.app: Any = None
        self._shelf = shelf
        self._timeout = timeout

    def wait(self, request: Request, fill: Fill) -> Response | Fill:
        """Return the other request's response or, if none arrives in time, the fill, on a loop before it waits."""
        if not request.head.blocks and is_on_loop():
            fill.other = AwaitedResponse(self._await_other(request, fill))
            return fill
        return self._wait_for_other(request, fill)

    def ask_again(self, request: Request, fill: Fill) -> "Response | AwaitedResponse":
        """Return the handler's response from one more call for a fill, or an object that waits for it."""
        again = Request(FillHead(request.head, fill), content_of(request))
        if request.head.blocks:
            return get_response(self.app, again)
        result = aget_response(self.app, again)
        return AwaitedResponse(result if is_on_loop() else _await_elsewhere(result))

    def _looks(self, request: Request, fill: Fill) -> Iterator[float | Response]:
        """Yield the seconds to wait before the next check, and finally the other request's response if it was
        stored."""
        head = request.head.inner if type(request.head) is FillHead else request.head
        until, pause = monotonic() + self._timeout, _LOOK_EVERY[0]
        while monotonic() < until:
            yield pause
            pause = min(pause * 1.5, _LOOK_EVERY[1])
            found = self._shelf.find(fill.key)
            now = self._shelf.clock()
            if found.is_claimed(now):
                continue
            kept = found.best(head)
            if kept is None and head.method == "GET" and (args := self._shelf.args_of(route_of(request))) != fill.args:
                kept = self._shelf.find(key_of(head, self._shelf.app, args)).best(head)  # it has read other arguments
            if kept is not None and use_of(kept.control, kept.age(now), fill.directives) is Use.FRESH:
                yield serve(request, kept, now, collapsed=True)
            return

    def _wait_for_other(self, request: Request, fill: Fill) -> Response | Fill:
        for found in self._looks(request, fill):
            if isinstance(found, Response):
                return found
            time.sleep(found)
        return fill

    async def _await_other(self, request: Request, fill: Fill) -> Response | None:
        from asyncio import sleep

        for found in self._looks(request, fill):
            if isinstance(found, Response):
                return found
            await sleep(found)
        fill.other = None
        send_on(request, fill)
        return None


def send_on(request: Request, fill: Fill) -> None:
    """Watch the request from now on and call the handler with the cache's conditions, if it has any."""
    watch = WatchedHead.of(request.head)
    if not isinstance(watch, FillHead):
        watch = FillHead(request.head)
        watch.put_on(request)
    watch.fill = fill
    if watch.ask_by_conditions(fill):
        watch.forget_fields(request)


async def _await_elsewhere(response: Coroutine[Any, Any, Response]) -> Response:
    """Await a response on the server's loop, in the middle of work on a thread, and then return to the thread."""
    await ON_LOOP
    try:
        return await response
    finally:
        await ON_THREAD


class Refreshes:
    """The requests that a cache makes to ``app`` on its own."""

    def __init__(self, shelf: Shelf) -> None:
        self.app: Any = None
        self._shelf = shelf
        self._running: set[Any] = set()

    def begin(self, request: Request, found: Shelved, kept: StoredResponse, now: float, args: Args) -> None:
        """Call the handler again after this response is sent, unless another request is already doing so."""
        if found.is_claimed(now) or (token := self._shelf.claim(found)) is None:
            return
        from asyncio import get_running_loop, run_coroutine_threadsafe

        fill = Fill(found.key, NO_DIRECTIVES, now, "stale", kept, token, args)
        head = FillHead(RefreshHead.asking(request.head), fill)
        head.ask_by_conditions(fill)
        # Made of the client's request, which limits count once.
        again = MadeRequest(request, head, content_of(request), self.app)
        loop = get_running_loop() if is_on_loop() and not request.head.blocks else serving_loop()
        future = run_coroutine_threadsafe(self._respond(again, fill), loop)
        self._running.add(future)
        future.add_done_callback(self._running.discard)

    async def _respond(self, made: MadeRequest, fill: Fill) -> None:
        """Handle a request and read the stream in its response, which is stored when it ends."""
        try:
            await contained(_read(made))
        except Exception as error:  # nobody waits for it
            RequestState(made.request).log_failure(error, " while the cache was refreshed")
        finally:
            await Crossing().run_shielded(partial(self._release, fill))

    def _release(self, fill: Fill) -> None:
        """End the claim, if the request has not even reached the cache, for example because of a limit around it."""
        with suppress(StoreUnavailable):
            self._shelf.release(fill.key, fill.token)


async def _read(made: MadeRequest) -> None:
    body = (await made.respond()).body
    if not isinstance(body, bytes):
        async with aclosing(body):  # type: ignore[type-var]
            async for _ in body:  # type: ignore[union-attr]
                pass


READING = ("GET", "HEAD", "QUERY")
"""The methods whose responses are served from a cache (RFC 9110 §9.2.3, RFC 10008 §2.7)."""
NOT_STORED = "There is no stored response that the request may have."


class Lookup:
    """The search on a shelf for the response to a request."""

    def __init__(self, shelf: Shelf, at_hand: AtHand, collapsing: Collapsing, refreshes: Refreshes) -> None:
        self._shelf = shelf
        self._at_hand = at_hand
        self._collapsing = collapsing
        self._refreshes = refreshes

    def find(self, request: Request) -> Any:
        """Return the response to a request, an object that produces it, or the ``Fill`` with which to call the
        handler."""
        head, now = request.head, self._shelf.clock()
        if head.method not in READING:
            return Fill(key_of(head, self._shelf.app), NO_DIRECTIVES, now, "method")
        is_query = head.method == "QUERY"
        has_other_body = head.has_body and not is_query and not request.content.is_empty
        key = key_of_query(request, self._shelf.app) if is_query else None if has_other_body else ""
        if key is None or getattr(request.route, "websocket", None) is not None:
            return Fill(key_of(head, self._shelf.app), NO_DIRECTIVES, now, "bypass")
        said = directives_of(head)
        args: Args = None
        try:
            if not is_query:
                args = self._shelf.args_of(route_of(request)) if request.route.pattern else None
                key = key_of(head, self._shelf.app, args)
            found = self._shelf.find(key)
            return self._choose(request, found, said, now, args)
        except StoreUnavailable:
            return Fill(key or key_of(head, self._shelf.app), said, now, "bypass")
        except FileNotFoundError:  # another process has just removed the body
            return Fill(key, said, now, "uri-miss", args=args)

    def _choose(self, request: Request, found: Shelved, said: CacheControl, now: float, args: Args) -> Any:
        kept = found.best(request.head)
        if kept is not None and said is NO_DIRECTIVES and kept.received <= now < kept.fresh_until:  # nearly all hits
            self._at_hand.add(request, found, kept, now)
            return serve(request, kept, now)
        why = "uri-miss" if not found.responses else "vary-miss"
        if kept is not None:
            use = use_of(kept.control, kept.age(now), said) if not said.no_store else Use.VALIDATE
            if use is not Use.VALIDATE:
                if use is Use.REFRESH:
                    self._refreshes.begin(request, found, kept, now, args)
                return serve(request, kept, now)
            is_fresh = kept.control.lifetime > kept.age(now) and kept.control.directives.no_cache is not True
            why = "request" if is_fresh else "stale"
        if said.only_if_cached:
            abort(504, NOT_STORED, headers={"cache-status": NAME})
        if kept is not None and not kept.hold():
            kept = None
        fill = Fill(found.key, said, now, why, kept, args=args)
        if not _may_share(request, fill) or found.lets_pass(now):
            return fill
        if not found.is_claimed(now):
            fill.token = self._shelf.claim(found)
        if fill.token is not None or found.is_streaming(now):
            return fill
        if not (found.responses or self._shelf.has_stored(route_of(request))):
            return fill  # its responses may be for one visitor each, for which nobody should wait
        return self._collapsing.wait(request, fill)


def route_of(request: Request) -> str:
    """Return a name for the route of a request, the same in each process."""
    route = request.route
    return f"{request.head.root_path} {route.host} {route.pattern}"


def _may_share(request: Request, fill: Fill) -> bool:
    """Return True if a request may share the response to a concurrent request."""
    said, kept = fill.directives, fill.kept
    if request.method not in ("GET", "QUERY") or said.no_cache or said.no_store:
        return False
    if kept is not None:
        return kept.control.directives.no_cache is not True
    return not RequestHead.has_conditions(request.head)
