"""The requests of an application that are answered, while functions that they left for after that have yet to run."""

from threading import Lock
from typing import TYPE_CHECKING

from antiphon.concurrency.draining import GRACE_OVER
from antiphon.concurrency.loop import running_loop

if TYPE_CHECKING:
    from concurrent.futures import Future

PATIENCE = 30.0
"""Seconds to wait for them where nothing tells how long the server waits. Most servers are killed by then."""


class Unfinished:
    """A set of requests, each added before its response is sent, and discarded after its functions have run.

    A shutdown waits until it is empty. Requests are given by any object that is theirs alone.
    """

    def __init__(self) -> None:
        self._requests: set[object] = set()
        self._lock = Lock()
        self._empty: Future[None] | None = None
        """The result, sent once, that a shutdown waits for."""

    def add(self, request: object) -> None:
        """Have the shutdown wait for a request."""
        self._requests.add(request)

    def discard(self, request: object) -> None:
        """Wait for a request no longer; do nothing if it was not waited for."""
        self._requests.discard(request)
        if self._empty is not None and not self._requests:
            self._send()

    async def wait(self) -> None:
        """Wait until all have finished, or the grace is over: on the running loop, or else blocking this thread.

        Waits at most ``PATIENCE`` seconds.
        """
        if not self._requests:
            return
        from concurrent.futures import Future, wait

        empty: Future[None] = Future()
        self._empty = empty
        withdraw = GRACE_OVER.subscribe(self._send)
        if not self._requests:  # the last one left just before
            self._send()
        if running_loop() is None:
            wait([empty], PATIENCE)
        else:
            import asyncio

            await asyncio.wait([asyncio.wrap_future(empty)], timeout=PATIENCE)
        withdraw()

    def _send(self) -> None:
        with self._lock:
            if self._empty is not None and not self._empty.done():
                self._empty.set_result(None)
