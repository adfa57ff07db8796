"""Concurrent requests for one URL: one of them calls the handler, and the others wait for its response."""

import time
from collections.abc import Callable, Coroutine, Iterator
from time import monotonic
from typing import Any

from antiphon.adapters.foreign.call import aget_response, get_response
from antiphon.concurrency.loop import is_on_loop
from antiphon.features.cache.entry import content_of
from antiphon.features.cache.filling import Fill, FillHead
from antiphon.features.cache.serving import Use, serve, use_of
from antiphon.features.cache.shelf import Shelf
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.request.request import Request
from antiphon.response.response import Response

_LOOK_EVERY = (0.005, 0.05)
"""Seconds between two checks for a response that another request makes: at first, and at most."""


class Collapsing:
    """The wait for the response to another request, for up to ``patience`` seconds. After that, ``app`` answers."""

    def __init__(self, shelf: Shelf, patience: float, clock: Callable[[], float]) -> None:
        self.app: Any = None
        self._shelf = shelf
        self._patience = patience
        self._clock = clock

    def wait(self, request: Request, fill: Fill) -> "Response | Fill | AwaitedResponse":
        """Return the response to another request, or an object that waits for it; the fill, if no response arrives in
        time.
        """
        if not request.head.blocks and is_on_loop():
            return AwaitedResponse(self._await_other(request, fill))
        return self._wait_for_other(request, fill)

    def ask_again(self, request: Request, fill: Fill) -> "Response | AwaitedResponse":
        """Return the response of the handler, called once more for a fill, or an object that waits for it."""
        again = Request(FillHead(request.head, fill), content_of(request))
        if request.head.blocks:
            return get_response(self.app, again)
        answer = aget_response(self.app, again)
        return AwaitedResponse(answer if is_on_loop() else _await_elsewhere(answer))

    def _looks(self, request: Request, fill: Fill) -> Iterator[float | Response]:
        """Yield the seconds to wait until the next check, and finally the response to another request, if it was
        stored.
        """
        until, pause = monotonic() + self._patience, _LOOK_EVERY[0]
        while monotonic() < until:
            yield pause
            pause = min(pause * 1.5, _LOOK_EVERY[1])
            found = self._shelf.find(fill.key)
            now = self._clock()
            if found.is_claimed(now):
                continue
            kept = found.best(request.head)
            if kept is not None and use_of(kept.control, kept.age(now), fill.directives) is Use.FRESH:
                yield serve(request, kept, now, collapsed=True)
            return

    def _wait_for_other(self, request: Request, fill: Fill) -> Response | Fill:
        for found in self._looks(request, fill):
            if isinstance(found, Response):
                return found
            time.sleep(found)
        return fill

    async def _await_other(self, request: Request, fill: Fill) -> Response:
        from asyncio import sleep

        for found in self._looks(request, fill):
            if isinstance(found, Response):
                return found
            await sleep(found)
        return await aget_response(self.app, Request(FillHead(request.head, fill), content_of(request)))


class AwaitedResponse:
    """A response that is not ready yet, as an early answer of middleware."""

    def __init__(self, response: Coroutine[Any, Any, Response]) -> None:
        self._response = response

    def __response__(self, request: Request) -> Coroutine[Any, Any, Response]:
        return self._response


async def _await_elsewhere(response: Coroutine[Any, Any, Response]) -> Response:
    """Await a response on the server's loop, as steps of a thread, and return to a thread."""
    await ON_LOOP
    try:
        return await response
    finally:
        await ON_THREAD
