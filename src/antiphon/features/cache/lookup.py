"""The lookup before the handler: the stored response that a request may have, or what it takes to make a new one."""

from collections.abc import Callable
from typing import Any

from antiphon.features.cache.at_hand import AtHand
from antiphon.features.cache.collapsing import Collapsing
from antiphon.features.cache.entry import key_of, key_of_request
from antiphon.features.cache.filling import NO_DIRECTIVES, Fill, directives_of
from antiphon.features.cache.refreshes import Refreshes
from antiphon.features.cache.serving import Use, serve, use_of
from antiphon.features.cache.shelf import Shelf, Shelved
from antiphon.features.cache.status import tell
from antiphon.features.stores.store import StoreUnavailable
from antiphon.http.cache_control import CacheControl
from antiphon.http.head import CONDITIONS
from antiphon.request.request import Request
from antiphon.response.response import Response

READING = ("GET", "HEAD", "QUERY")
"""The methods that are answered from a cache (RFC 9110 §9.2.3, RFC 10008 §2.7)."""


class Lookup:
    """The search on a shelf for the response to a request. ``clock`` returns the seconds since 1970."""

    def __init__(
        self,
        shelf: Shelf,
        at_hand: AtHand,
        collapsing: Collapsing,
        refreshes: Refreshes,
        clock: Callable[[], float],
    ) -> None:
        self._shelf = shelf
        self._at_hand = at_hand
        self._collapsing = collapsing
        self._refreshes = refreshes
        self._clock = clock

    def find(self, request: Request) -> Any:
        """Return the response to a request, or an object that makes it, or the ``Fill`` for calling the handler."""
        head, now = request.head, self._clock()
        if head.method not in READING:
            return Fill(key_of(head), NO_DIRECTIVES, now, "method")
        has_other_body = head.has_body and head.method != "QUERY"
        key = None if has_other_body else key_of_request(request)
        if key is None or getattr(request.route, "websocket", None) is not None:
            return Fill(key_of(head), NO_DIRECTIVES, now, "bypass")
        said = directives_of(head)
        try:
            found = self._shelf.find(key)
            return self._choose(request, found, said, now)
        except StoreUnavailable:
            return Fill(key, said, now, "bypass")
        except FileNotFoundError:  # another process has just removed the body
            return Fill(key, said, now, "uri-miss")

    def _choose(self, request: Request, found: Shelved, said: CacheControl, now: float) -> Any:
        kept = found.best(request.head)
        if kept is not None and said is NO_DIRECTIVES and kept.received <= now < kept.fresh_until:  # nearly all hits
            self._at_hand.add(request, found, kept, now)
            return serve(request, kept, now)
        why = "uri-miss" if not found.responses else "vary-miss"
        if kept is not None:
            use = use_of(kept.control, kept.age(now), said) if not said.no_store else Use.VALIDATE
            if use is not Use.VALIDATE:
                if use is Use.REFRESH:
                    self._refreshes.begin(request, found, kept, now)
                return serve(request, kept, now)
            is_fresh = kept.control.lifetime > kept.age(now) and kept.control.directives.no_cache is not True
            why = "request" if is_fresh else "stale"
        if said.only_if_cached:
            return tell(Response("There is no stored response that the request may have.\n", 504))
        if kept is not None and not kept.hold():
            kept = None
        fill = Fill(found.key, said, now, why, kept)
        if not _may_share(request, fill) or found.lets_pass(now):
            return fill
        if not found.is_claimed(now):
            fill.token = self._shelf.claim(found)
        if fill.token is not None or found.is_streaming(now):
            return fill
        return self._collapsing.wait(request, fill)


def _may_share(request: Request, fill: Fill) -> bool:
    """Return True if a request may share the response to concurrent requests."""
    said, kept = fill.directives, fill.kept
    if request.method not in ("GET", "QUERY") or said.no_cache or said.no_store:
        return False
    if kept is not None:
        return kept.control.directives.no_cache is not True
    return all(request.head.field(name) is None for name in CONDITIONS)
