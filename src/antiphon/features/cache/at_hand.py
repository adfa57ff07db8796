"""Responses in memory, by the target of a plain request: one lookup answers nearly all hits."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeAlias

from antiphon.features.cache.entry import StoredResponse
from antiphon.features.cache.filling import FillHead
from antiphon.features.cache.shelf import MOST_RECENT, Shelf, Shelved
from antiphon.features.stores.store import StoreUnavailable
from antiphon.http.head import Head
from antiphon.request.request import Request
from antiphon.response.fields import Fields
from antiphon.response.message import Body
from antiphon.response.response import Response, response_of

_Ready: TypeAlias = tuple[
    float, float, Callable[[Any], object], Any, object, Callable[[Head], bool] | None, Body, Fields, int
]
"""The times between which a response is ready as it is; how the store is asked for it, and what it then returns; for
which heads, or None for all; its body, fields and status. A plain tuple, since each part is read for each hit.
"""


class AtHand:
    """Whole responses from a shelf, for requests that ask for nothing else. Each is ready for one second, in which its
    fields do not change. The store is asked whether it is still right.
    """

    def __init__(self, shelf: Shelf, clock: Callable[[], float]) -> None:
        self._shelf = shelf
        self._clock = clock
        self._ready: OrderedDict[tuple[object, ...] | None, _Ready] = OrderedDict()  # None is never in it
        self._get = self._ready.get

    def answer(self, request: Request) -> Response | None:
        """Return the response to a request, if it is here."""
        ready = self._get(request.head.plain_target())
        if ready is None:
            return None
        since, until, look, stored, expected, is_for, body, fields, status = ready
        if not since <= self._clock() < until or (is_for is not None and not is_for(request.head)):
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
        """Keep a fresh response ready, if it is small and was found for a request that asks for nothing else."""
        target = request.head.plain_target()
        if target is None or found.entry is None or kept.is_in_file or not self._shelf.has_at_hand(found):
            return
        since, until, fields = kept.told_until(now)
        if until > since:
            is_for = None if len(found.responses) == 1 and not kept.selected_by else _chooser(found, kept)
            look = self._shelf.way_to_look(found.entry)
            self._ready[target] = since, until, *look, is_for, kept.body, fields, kept.status
        if len(self._ready) > MOST_RECENT:
            self._ready.popitem(last=False)


def _chooser(found: Shelved, kept: StoredResponse) -> Callable[[Head], bool]:
    """Return a function that checks by Vary, without noting it, whether a response is the one for a request."""
    return lambda head: found.best(head.inner if type(head) is FillHead else head) is kept
