"""New responses, made in the background while a stale one is served (RFC 5861 §3)."""

from contextlib import aclosing, closing
from typing import Any

from antiphon.adapters.foreign.call import aget_response, get_response
from antiphon.concurrency.loop import running_loop, thread
from antiphon.features.cache.entry import StoredResponse, content_of
from antiphon.features.cache.filling import NO_DIRECTIVES, Fill, FillHead, RefreshHead
from antiphon.features.cache.shelf import Shelf, Shelved
from antiphon.request.request import Request


class Refreshes:
    """The requests that a cache itself makes to ``app``."""

    def __init__(self, shelf: Shelf) -> None:
        self.app: Any = None
        self._shelf = shelf
        self._running: set[Any] = set()

    def begin(self, request: Request, found: Shelved, kept: StoredResponse, now: float) -> None:
        """Call the handler once more after this response, unless another request is already doing so."""
        if found.is_claimed(now) or (token := self._shelf.claim(found)) is None:
            return
        loop = running_loop() if not request.head.blocks else None
        loop = loop or thread.loop
        fill = Fill(found.key, NO_DIRECTIVES, now, "stale", kept, token)
        head = FillHead(RefreshHead(request.head, blocks=loop is None), fill)
        head.ask_by_conditions(fill)
        again: Any = Request(head, content_of(request))
        if loop is None:
            from threading import Thread

            Thread(target=_answer, args=(self.app, again), name="antiphon-refresh", daemon=True).start()
            return
        from asyncio import run_coroutine_threadsafe

        future = run_coroutine_threadsafe(_aanswer(self.app, again), loop)
        self._running.add(future)
        future.add_done_callback(self._running.discard)


def _answer(app: Any, request: Request) -> None:
    """Answer a request, and read its stream, which is stored at its end."""
    body = get_response(app, request).body
    if not isinstance(body, bytes):
        with closing(body):  # type: ignore[type-var]  # the body of a subrequest can be closed
            for _ in body:  # type: ignore[union-attr]
                pass


async def _aanswer(app: Any, request: Request) -> None:
    body = (await aget_response(app, request)).body
    if not isinstance(body, bytes):
        async with aclosing(body):  # type: ignore[type-var]
            async for _ in body:  # type: ignore[union-attr]
                pass
