"""The requests of an application that have been answered, while functions to run after the response are still left."""

from contextlib import suppress
from typing import TYPE_CHECKING

from antiphon.concurrency.loop import running_loop
from antiphon.concurrency.process import DRAINING, GRACE_OVER

if TYPE_CHECKING:
    from concurrent.futures import Future

PATIENCE = 30.0
"""Seconds to wait for them if the end of the grace period is not announced. Most servers are killed by then."""
CLOSING = 0.4
"""Seconds to wait for streams to be closed that a server has cut off, when the grace period is over."""


class Unfinished:
    """A set of requests, each added before its response is sent, and discarded after its functions have run.

    A shutdown waits until it is empty. Requests are represented by any object that is unique to them.
    """

    def __init__(self) -> None:
        self._requests: set[object] = set()
        self._signal: Future[None] | None = None
        """The result, sent once, that a shutdown waits for."""

    def add(self, request: object) -> None:
        """Make the shutdown wait for a request."""
        self._requests.add(request)

    def discard(self, request: object) -> None:
        """No longer wait for a request; do nothing if it was not waited for."""
        self._requests.discard(request)
        if self._signal is not None and not self._requests:
            self._send()

    async def wait(self) -> None:
        """Wait until all have finished: on the running loop, or else blocking this thread.

        Waits until the grace period is over, and then for ``CLOSING`` seconds; if that is not announced, for
        ``PATIENCE`` seconds.
        """
        if self._requests:
            signal = self._new_signal()
            withdraw = GRACE_OVER.subscribe(self._send)
            await _wait(signal, None if DRAINING.is_given else PATIENCE)
            withdraw()
        if self._requests and GRACE_OVER.is_given:
            await _wait(self._new_signal(), CLOSING)

    def _new_signal(self) -> "Future[None]":
        from concurrent.futures import Future

        self._signal = Future()
        if not self._requests:  # the last one has left just before
            self._send()
        return self._signal

    def _send(self) -> None:
        from concurrent.futures import InvalidStateError

        if self._signal is not None:
            with suppress(InvalidStateError):  # already sent; a lock would not do, since collected garbage sends, too
                self._signal.set_result(None)


async def _wait(signal: "Future[None]", seconds: float | None) -> None:
    if running_loop() is None:
        from concurrent.futures import wait

        wait([signal], seconds)
    else:
        import asyncio

        await asyncio.wait([asyncio.wrap_future(signal)], timeout=seconds)
